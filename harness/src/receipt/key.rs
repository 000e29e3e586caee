//! Signing keys in Nix's own format, so that the key of a binary cache serves: `NAME:BASE64`, where a public key has the 32 bytes
//! of ed25519 (RFC 8032) and a secret key those of its seed and of its public key. `nix key generate-secret` and
//! `nix-store --generate-binary-cache-key` write them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

/// What is wrong with the text of a key or of a signature. It never quotes a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("it has not the form NAME:BASE64 of Nix's keys")]
    Form,
    #[error("the key `{name}` is not base64")]
    Base64 { name: String },
    #[error("the key `{name}` has {found} bytes where {wanted} are expected{hint}")]
    Length {
        name: String,
        found: usize,
        wanted: usize,
        hint: &'static str,
    },
    #[error(
        "the halves of the secret key `{name}` do not belong together, or it is no point of the curve"
    )]
    Invalid { name: String },
}

/// The half that the gate trusts.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    key: VerifyingKey,
}

/// The half that signs. It is never printed.
pub struct SecretKey {
    name: String,
    key: SigningKey,
}

const PUBLIC_BYTES: usize = 32;
const SECRET_BYTES: usize = 64;

impl PublicKey {
    /// Reads `NAME:BASE64`.
    ///
    /// # Errors
    /// When it is no public key.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (name, bytes) = split(text.trim_end())?;
        let hint = match bytes.len() {
            SECRET_BYTES => ": this is a secret key, which does not belong into a configuration",
            _ => "",
        };
        let bytes: [u8; PUBLIC_BYTES] = sized(&name, &bytes, hint)?;
        match VerifyingKey::from_bytes(&bytes) {
            Ok(key) => Ok(Self { name, key }),
            Err(_) => Err(KeyError::Invalid { name }),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a signature is this key's of `message`; weak keys and malleable signatures are refused (RFC 8032, 5.1.7).
    pub(super) fn has_signed(&self, message: &[u8], signed: &Signed) -> bool {
        let signature = Signature::from_bytes(&signed.signature);
        signed.by == self.name && self.key.verify_strict(message, &signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, STANDARD.encode(self.key.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.name)
    }
}

impl SecretKey {
    /// Makes a new key called `name` of 32 random bytes.
    ///
    /// # Errors
    /// When the name cannot be one.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        if !is_name(name) {
            return Err(KeyError::Form);
        }
        Ok(Self {
            name: name.to_owned(),
            key: SigningKey::from_bytes(seed),
        })
    }

    /// Reads `NAME:BASE64`; white space at the end of a file is no part of it.
    ///
    /// # Errors
    /// When it is no secret key.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (name, bytes) = split(text.trim_end())?;
        let hint = match bytes.len() {
            PUBLIC_BYTES => ": this is a public key, and a secret one signs",
            _ => "",
        };
        let bytes: [u8; SECRET_BYTES] = sized(&name, &bytes, hint)?;
        match SigningKey::from_keypair_bytes(&bytes) {
            Ok(key) => Ok(Self { name, key }),
            Err(_) => Err(KeyError::Invalid { name }),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn public(&self) -> PublicKey {
        PublicKey {
            name: self.name.clone(),
            key: self.key.verifying_key(),
        }
    }

    /// The text of the key's file, without a line's end, as Nix writes it.
    pub fn to_secret_text(&self) -> String {
        format!(
            "{}:{}",
            self.name,
            STANDARD.encode(self.key.to_keypair_bytes())
        )
    }

    pub(super) fn sign(&self, message: &[u8]) -> Signed {
        Signed {
            by: self.name.clone(),
            signature: self.key.sign(message).to_bytes(),
        }
    }
}

/// A signature as `Sig` of a `.narinfo` has it: `NAME:BASE64`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signed {
    /// The name that the key is said to have.
    pub(super) by: String,
    signature: [u8; 64],
}

impl Signed {
    pub(super) fn parse(text: &str) -> Result<Self, KeyError> {
        let (by, bytes) = split(text)?;
        let signature = sized(&by, &bytes, "")?;
        Ok(Self { by, signature })
    }
}

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.by, STANDARD.encode(self.signature))
    }
}

fn split(text: &str) -> Result<(String, Vec<u8>), KeyError> {
    let (name, encoded) = text.split_once(':').ok_or(KeyError::Form)?;
    if !is_name(name) {
        return Err(KeyError::Form);
    }
    let name = name.to_owned();
    match STANDARD.decode(encoded) {
        Ok(bytes) => Ok((name, bytes)),
        Err(_) => Err(KeyError::Base64 { name }),
    }
}

/// Names are of hosts and numbers: `cache.example.org-1`.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 255 && name.chars().all(|c| c.is_ascii_graphic() && c != ':')
}

fn sized<const N: usize>(
    name: &str,
    bytes: &[u8],
    hint: &'static str,
) -> Result<[u8; N], KeyError> {
    bytes.try_into().map_err(|_| KeyError::Length {
        name: name.to_owned(),
        found: bytes.len(),
        wanted: N,
        hint,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, 7.1, test 1: the seed, and the public key that belongs to it.
    const SEED: [u8; 32] = [
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c,
        0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae,
        0x7f, 0x60,
    ];
    const PUBLIC: &str = "host-1:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    #[test]
    fn a_key_pair_is_written_and_read_in_nixs_format() {
        let secret = SecretKey::from_seed("host-1", &SEED).unwrap();
        assert_eq!(secret.public().to_string(), PUBLIC);
        let again = SecretKey::parse(&(secret.to_secret_text() + "\n")).unwrap();
        assert_eq!(again.public(), PublicKey::parse(PUBLIC).unwrap());
        assert!(!format!("{secret:?}").contains("nWGx"));
    }

    #[test]
    fn a_signature_is_of_one_message_and_one_key() {
        let secret = SecretKey::from_seed("host-1", &SEED).unwrap();
        let mut signed = Signed::parse(&secret.sign(b"text").to_string()).unwrap();
        assert!(secret.public().has_signed(b"text", &signed));
        assert!(!secret.public().has_signed(b"texts", &signed));
        for (name, seed) in [("host-1", [1; 32]), ("host-2", SEED)] {
            let other = SecretKey::from_seed(name, &seed).unwrap().public();
            assert!(!other.has_signed(b"text", &signed), "{name}");
        }
        signed.signature[0] ^= 1;
        assert!(!secret.public().has_signed(b"text", &signed));
    }

    #[test]
    fn what_is_no_key_is_told_without_quoting_it() {
        let secret = SecretKey::from_seed("host-1", &SEED).unwrap();
        let told = PublicKey::parse(&secret.to_secret_text()).unwrap_err();
        assert!(told.to_string().contains("this is a secret key"), "{told}");
        let told = SecretKey::parse(PUBLIC).unwrap_err();
        assert!(told.to_string().contains("this is a public key"), "{told}");
        for text in ["", "x", ":AAAA", "a b:AAAA", "a:%%%%", "a:AAAA"] {
            assert!(PublicKey::parse(text).is_err(), "{text}");
        }
        let mut halves = SECRET_HALVES.to_owned();
        halves.replace_range(9..10, "x");
        assert!(matches!(
            SecretKey::parse(&halves),
            Err(KeyError::Invalid { .. })
        ));
    }

    /// The pair of `SEED`, whose halves a test parts.
    const SECRET_HALVES: &str = "host-1:nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGg==";
}

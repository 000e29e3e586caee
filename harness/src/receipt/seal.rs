//! The text of a receipt, and its signatures.

use super::key::{KeyError, PublicKey, SecretKey, Signed};
use super::model::Receipt;

const MAGIC: &str = "bootproof receipt 1\n";
const MAGIC_OF_ANY_VERSION: &str = "bootproof receipt ";
const SIGNATURE: &str = "Sig: ";
/// A receipt has about 2 kB.
const SIZE_LIMIT: usize = 256 << 10;
/// More keys than anybody gives out.
const SIGNATURE_LIMIT: usize = 64;

/// A receipt with its signatures. What it says counts for nothing until a trusted key has signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub receipt: Receipt,
    /// All bytes that are signed.
    text: String,
    signatures: Vec<Signed>,
}

/// Why a file is no receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("it is no receipt of bootproof")]
    NoReceipt,
    #[error("it is of another version than this bootproof reads (`{0}`)")]
    Version(String),
    #[error("it has {0} bytes, which no receipt has")]
    Size(usize),
    #[error("it is cut off, or has no signature")]
    Unsigned,
    #[error("line {line} is no signature: {source}")]
    Signature { line: usize, source: KeyError },
    #[error("something stands after its signatures")]
    Trailing,
    #[error("its content is malformed: {0}")]
    Content(String),
}

impl Sealed {
    /// Signs a receipt.
    ///
    /// # Errors
    /// When the receipt cannot be written as JSON, which does not happen.
    pub fn seal(receipt: &Receipt, key: &SecretKey) -> Result<Self, SealError> {
        let json = serde_json::to_string_pretty(receipt)
            .map_err(|error| SealError::Content(error.to_string()))?;
        let text = format!("{MAGIC}{json}\n");
        let signatures = vec![key.sign(text.as_bytes())];
        Ok(Self {
            receipt: receipt.clone(),
            text,
            signatures,
        })
    }

    /// The bytes of the receipt's file.
    pub fn to_text(&self) -> String {
        let lines = self
            .signatures
            .iter()
            .map(|signed| format!("{SIGNATURE}{signed}\n"));
        self.text.clone() + &lines.collect::<String>()
    }

    /// Reads a file. Nothing is verified: see [`Sealed::signed_by`].
    ///
    /// # Errors
    /// When it is no receipt, or one of another version.
    pub fn parse(bytes: &[u8]) -> Result<Self, SealError> {
        if bytes.len() > SIZE_LIMIT {
            return Err(SealError::Size(bytes.len()));
        }
        let all = std::str::from_utf8(bytes).map_err(|_| SealError::NoReceipt)?;
        let Some(rest) = all.strip_prefix(MAGIC) else {
            return Err(match all.lines().next() {
                Some(line) if line.starts_with(MAGIC_OF_ANY_VERSION) && line.len() < 80 => {
                    SealError::Version(line.to_owned())
                }
                _ => SealError::NoReceipt,
            });
        };
        let at = rest
            .find(&format!("\n{SIGNATURE}"))
            .ok_or(SealError::Unsigned)?;
        let (json, signatures) = rest.split_at(at + 1);
        let receipt =
            serde_json::from_str(json).map_err(|error| SealError::Content(error.to_string()))?;
        let text = all[..MAGIC.len() + json.len()].to_owned();
        let first_line = text.lines().count() + 1;
        Ok(Self {
            receipt,
            signatures: signatures_of(signatures, first_line)?,
            text,
        })
    }

    /// The first of the trusted keys that has signed it.
    pub fn signed_by<'k>(&self, trusted: &'k [PublicKey]) -> Option<&'k PublicKey> {
        let text = self.text.as_bytes();
        let has_signed = |key: &&PublicKey| self.signatures.iter().any(|s| key.has_signed(text, s));
        trusted.iter().find(has_signed)
    }

    /// The names of the keys that claim to have signed it.
    pub fn signers(&self) -> Vec<&str> {
        self.signatures.iter().map(|s| s.by.as_str()).collect()
    }
}

/// Lines `Sig: NAME:BASE64`, each whole, and nothing else.
fn signatures_of(text: &str, first_line: usize) -> Result<Vec<Signed>, SealError> {
    let mut found = Vec::new();
    for (n, line) in text.split_inclusive('\n').enumerate() {
        let line = line.strip_suffix('\n').ok_or(SealError::Unsigned)?;
        let line = line.strip_prefix(SIGNATURE).ok_or(SealError::Trailing)?;
        if found.len() == SIGNATURE_LIMIT {
            return Err(SealError::Trailing);
        }
        let signed = Signed::parse(line).map_err(|source| SealError::Signature {
            line: first_line + n,
            source,
        })?;
        found.push(signed);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt::testing::{key, receipt};

    #[test]
    fn what_is_sealed_is_read_again_and_signed_by_its_key() {
        let sealed = Sealed::seal(&receipt(), &key("host-1", 1)).unwrap();
        let again = Sealed::parse(sealed.to_text().as_bytes()).unwrap();
        assert_eq!(again, sealed);
        let trusted = [key("other-1", 2).public(), key("host-1", 1).public()];
        assert_eq!(again.signed_by(&trusted), Some(&trusted[1]));
        assert_eq!(again.signed_by(&trusted[..1]), None);
        assert_eq!(again.signed_by(&[]), None);
    }

    #[test]
    fn no_byte_can_be_changed_added_or_taken_away() {
        let trusted = [key("host-1", 1).public()];
        let text = Sealed::seal(&receipt(), &key("host-1", 1))
            .unwrap()
            .to_text();
        let stands = |bytes: &[u8]| match Sealed::parse(bytes) {
            Ok(sealed) => sealed.signed_by(&trusted).is_some(),
            Err(_) => false,
        };
        assert!(stands(text.as_bytes()));
        for at in 0..text.len() {
            for flipped in [1, 0x20, 0x80] {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= flipped;
                assert!(!stands(&bytes), "{at}: {flipped}");
            }
            let mut bytes = text.clone().into_bytes();
            bytes.insert(at, b' ');
            assert!(!stands(&bytes), "a space at {at}");
            assert!(!stands(&text.as_bytes()[..at]), "cut at {at}");
        }
        assert!(!stands(format!("{text} ").as_bytes()));
        assert!(!stands(format!("{text}x\n").as_bytes()));
    }

    #[test]
    fn what_is_no_receipt_is_told() {
        let told = |text: &str| Sealed::parse(text.as_bytes()).unwrap_err();
        assert_eq!(told(""), SealError::NoReceipt);
        assert_eq!(told("{}"), SealError::NoReceipt);
        assert_eq!(told("bootproof receipt 1\n{}\n"), SealError::Unsigned);
        let version = SealError::Version("bootproof receipt 2".to_owned());
        assert_eq!(told("bootproof receipt 2\n{}\n"), version);
        let text = Sealed::seal(&receipt(), &key("a", 1)).unwrap().to_text();
        let unknown = text.replacen("{", "{\"x\": 1,", 1);
        assert!(matches!(told(&unknown), SealError::Content(_)));
        assert_eq!(
            Sealed::parse(&vec![b' '; SIZE_LIMIT + 1]),
            Err(SealError::Size(SIZE_LIMIT + 1))
        );
    }
}

//! The SHA-256 of a NAR, in the forms in which Nix writes it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Nix's digits: no `e`, `o`, `t`, `u` (libutil's `base-nix-32`).
const DIGITS: &[u8; 32] = b"0123456789abcdfghijklmnpqrsvwxyz";
const BYTES: usize = 32;
const LENGTH: usize = 52;

/// A SHA-256; as text `sha256:<52 digits of Nix's base 32>`, as `nix-store --query --hash` prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NarHash(pub(super) [u8; BYTES]);

impl NarHash {
    /// Reads `sha256:` or `sha256-` before Nix's base 32, base 16 or base 64, or one of these alone; `None` for everything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text
            .strip_prefix("sha256:")
            .or_else(|| text.strip_prefix("sha256-"))
            .unwrap_or(text);
        match digits.len() {
            64 => base16(digits),
            LENGTH => base32(digits),
            44 => STANDARD.decode(digits).ok()?.try_into().ok(),
            _ => None,
        }
        .map(Self)
    }
}

fn base16(digits: &str) -> Option<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let digit = |c: u8| char::from(c).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(bytes)
}

/// The last digit has the lowest five bits of the first byte.
fn base32(digits: &str) -> Option<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    for (n, digit) in digits.bytes().rev().enumerate() {
        let value = DIGITS.iter().position(|known| *known == digit)?;
        let shifted = value << (n * 5 % 8);
        let at = n * 5 / 8;
        bytes[at] |= (shifted & 0xff) as u8;
        match bytes.get_mut(at + 1) {
            Some(next) => *next |= (shifted >> 8) as u8,
            None if shifted >> 8 != 0 => return None,
            None => {}
        }
    }
    Some(bytes)
}

impl fmt::Display for NarHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::from("sha256:");
        for n in (0..LENGTH).rev() {
            let at = n * 5 / 8;
            let next = self.0.get(at + 1).copied().unwrap_or(0);
            let pair = usize::from(u16::from_le_bytes([self.0[at], next]));
            text.push(char::from(DIGITS[pair >> (n * 5 % 8) & 31]));
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the empty text, by `nix-hash --type sha256 --flat` in each form.
    const FORMS: [&str; 5] = [
        "sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73",
        "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    ];

    #[test]
    fn every_form_is_the_same_hash() {
        for form in FORMS {
            let hash = NarHash::parse(form).unwrap();
            assert_eq!(hash.to_string(), FORMS[0], "{form}");
        }
    }

    #[test]
    fn everything_else_is_no_hash() {
        let z = "z".repeat(LENGTH);
        let e = "e".repeat(LENGTH);
        let long = "é".repeat(32);
        for text in [
            "",
            "sha256:0",
            "md5:x",
            &z,
            &e,
            &long,
            &"\u{1f980}".repeat(11),
        ] {
            assert_eq!(NarHash::parse(text), None, "{text}");
        }
    }
}

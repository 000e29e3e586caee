//! Receipts of any bytes, with what must hold of the result. Called through `crate::fuzzing` only.

use super::{Receipt, Sealed, SecretKey};

/// A receipt: what is read is all of the file, means the same when it is written again, and counts for nothing without its key.
pub fn receipt(bytes: &[u8]) {
    let sealed = match Sealed::parse(bytes) {
        Ok(sealed) => sealed,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    assert_eq!(sealed.to_text().as_bytes(), bytes);
    let json = serde_json::to_string(&sealed.receipt).unwrap_or_else(|error| panic!("{error}"));
    let again: Receipt = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(again, sealed.receipt);
    assert!(!sealed.signers().is_empty());
    // A key that no file of the corpus was signed with.
    let stranger = SecretKey::from_seed("fuzz-1", &[0xf0; 32]);
    let stranger = stranger.unwrap_or_else(|error| panic!("{error}")).public();
    assert_eq!(sealed.signed_by(&[stranger]), None);
}

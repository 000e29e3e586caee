//! Receipts: what a rehearsal proved, signed, for the gate to accept.
//!
//! A receipt is a small text file: a line that names its format, the [`Receipt`] as JSON, and lines of signatures as in Nix's
//! `.narinfo` files. The command line writes one after a rehearsal and reads those of a directory for the gate. Reading trusts nothing:
//! every byte before the signatures is signed.

pub(crate) mod fuzzing;
mod key;
mod model;
mod seal;
#[cfg(test)]
pub(crate) mod testing;

pub use key::{KeyError, PublicKey, SecretKey};
pub use model::Receipt;
pub use seal::{SealError, Sealed};

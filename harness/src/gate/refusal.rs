use std::fmt;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::vocabulary::{Accelerator, Asks, Probe, Step, StorePath, Suppression, Verdict};

/// Why a receipt does not open the gate; the order is that in which a person needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The file is none, or damaged.
    Unreadable(String),
    /// No trusted key has signed it.
    Untrusted {
        signers: Vec<String>,
    },
    OtherCandidate {
        receipt: StorePath,
    },
    /// The same store path, with other contents than the store has now.
    OtherContents {
        path: StorePath,
    },
    OtherBaseline {
        receipt: Option<StorePath>,
        asked: Option<StorePath>,
    },
    OtherHost {
        receipt: Option<String>,
        asked: Option<String>,
    },
    /// The machine or the expected system has changed since.
    OtherMachine(&'static str),
    Verdict(Verdict),
    StepMissing(Step),
    TooFewCycles {
        done: usize,
        wanted: usize,
    },
    Accelerator(Accelerator),
    /// The configuration asks for more than was asked.
    ProbeMissing(Probe),
    /// It passes by somebody's word, and the configuration has that no more.
    SuppressionGone(Suppression),
    /// The word was given until a day that has passed.
    SuppressionExpired {
        suppression: Suppression,
        expired: Date,
    },
    /// Its report was held against none that a person approved.
    NotApproved,
    TooOld {
        age: SignedDuration,
        most: SignedDuration,
    },
    FromTheFuture {
        made_at: Timestamp,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(reason) => write!(f, "it cannot be read: {reason}"),
            Self::Untrusted { signers } => write!(
                f,
                "no trusted key has signed it as it stands (it claims {}): a byte was changed, or the key is not in trusted_keys",
                signers.join(", ")
            ),
            Self::OtherCandidate { receipt } => write!(f, "it is for another closure, {receipt}"),
            Self::OtherContents { path } => write!(
                f,
                "the store's contents of {path} are not those that were rehearsed"
            ),
            Self::OtherBaseline { receipt, asked } => write!(
                f,
                "it was rehearsed upon {}, and {} is what the machine runs",
                named(receipt.as_ref()),
                named(asked.as_ref())
            ),
            Self::OtherHost { receipt, asked } => write!(
                f,
                "it is for {}, and {} was asked for",
                host(receipt.as_ref()),
                host(asked.as_ref())
            ),
            Self::OtherMachine(what) => {
                write!(
                    f,
                    "{what} of the host is another now than when it was rehearsed"
                )
            }
            Self::Verdict(verdict) => write!(f, "its verdict is {verdict}"),
            Self::StepMissing(step) => write!(f, "the policy asks for {step}, which was not done"),
            Self::TooFewCycles { done, wanted } => {
                write!(
                    f,
                    "the policy asks for {wanted} reboots, and {done} were done"
                )
            }
            Self::Accelerator(used) => {
                write!(
                    f,
                    "it was rehearsed by {}, which the policy does not accept",
                    used.as_str()
                )
            }
            Self::ProbeMissing(probe) => write!(
                f,
                "the configuration expects {probe} of {}, which was not asked",
                asked(probe)
            ),
            Self::SuppressionGone(suppression) => write!(
                f,
                "it passes because {} suppressed `{}`, which the configuration does no more",
                suppression.owner, suppression.finding
            ),
            Self::SuppressionExpired {
                suppression,
                expired,
            } => write!(
                f,
                "it passes because {} suppressed `{}`, which expired on {expired}",
                suppression.owner, suppression.finding
            ),
            Self::NotApproved => f.write_str(
                "the policy asks for an approved report, and it was held against none (`bootproof test --approve`)",
            ),
            Self::TooOld { age, most } => {
                write!(
                    f,
                    "it is {} old, and the policy accepts {}",
                    time(*age),
                    time(*most)
                )
            }
            Self::FromTheFuture { made_at } => {
                write!(
                    f,
                    "it is dated {made_at}, which is in the future: a clock is wrong"
                )
            }
        }
    }
}

fn asked(probe: &Probe) -> &str {
    match &probe.asks {
        Asks::Path(path) | Asks::Url { path, .. } => path,
    }
}

fn named(path: Option<&StorePath>) -> String {
    path.map_or_else(
        || "no baseline".to_owned(),
        |path| path.base_name().to_owned(),
    )
}

fn host(name: Option<&String>) -> String {
    name.map_or_else(|| "no host".to_owned(), |name| format!("the host {name}"))
}

/// The largest whole unit: `3 days`, `5 h`, `12 min`.
fn time(duration: SignedDuration) -> String {
    let minutes = duration.as_mins();
    match minutes {
        0..=119 => format!("{minutes} min"),
        120..=2879 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / (24 * 60)),
    }
}

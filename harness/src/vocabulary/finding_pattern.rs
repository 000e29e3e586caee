use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Check, Finding, State};

/// Which findings are meant: an id `STATE/CHECK/SUBJECT`, where `*` in a part stands for any text.
///
/// It always names a subject, or a check that is no proof of the whole machine: see [`FindingPatternError`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String"))]
#[serde(try_from = "String", into = "String")]
pub struct FindingPattern(String);

/// Why a text says not, or not narrowly enough, which findings are meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindingPatternError {
    #[error(
        "`{0}` is no id of a finding: write STATE/CHECK/SUBJECT as reports show it, such as `*/unit-failed/acme-*.service`"
    )]
    Shape(String),
    #[error("`{pattern}`: no state is called `{part}`{nearest}")]
    State {
        pattern: String,
        part: String,
        nearest: String,
    },
    #[error("`{pattern}`: no check is called `{part}`{nearest}")]
    Check {
        pattern: String,
        part: String,
        nearest: String,
    },
    #[error(
        "`{pattern}`: without what {check} proves nothing else is proven, so it cannot be suppressed"
    )]
    Fundamental { pattern: String, check: Check },
    #[error(
        "`{0}` would let a whole class of faults through: name the subject, such as the unit or the URL (more of it than `*` and `.service`)"
    )]
    TooWide(String),
}

/// What says whether the candidate was rehearsed at all.
const FUNDAMENTAL: &[Check] = &[
    Check::BootFailed,
    Check::BootloaderInstall,
    Check::WrongGeneration,
];

/// What may be named without a subject: a class of lines or of answers, and nothing that says that a machine cannot run what is deployed.
const ALONE: &[Check] = &[
    Check::LogSignature,
    Check::SystemState,
    Check::HttpGateway,
    Check::HttpLate,
    Check::HttpEmpty,
    Check::HttpUnanswered,
    Check::HttpGap,
    Check::ProbeFailed,
];

/// Endings that every unit of a type has (systemd.unit(5)).
const UNIT_TYPES: &[&str] = &[
    ".service",
    ".socket",
    ".target",
    ".mount",
    ".timer",
    ".path",
    ".device",
    ".swap",
    ".slice",
    ".scope",
    ".automount",
];

/// Fewer literal characters than this name nothing.
const NAMING: usize = 3;

/// Longer than any id.
const LENGTH_LIMIT: usize = 1024;

impl FindingPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// When it has not three parts, names a state or a check that there is not, or is so wide that it would suppress what was not meant.
    pub fn parse(text: &str) -> Result<Self, FindingPatternError> {
        let pattern = || text.to_owned();
        let mut parts = text.splitn(3, '/');
        let (Some(state), Some(check), Some(subject)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(FindingPatternError::Shape(pattern()));
        };
        let empty = state.is_empty() || check.is_empty() || subject.is_empty();
        if empty || text.len() > LENGTH_LIMIT || text.chars().any(char::is_control) {
            let shown: String = text.chars().take(80).filter(|c| !c.is_control()).collect();
            return Err(FindingPatternError::Shape(shown));
        }
        if !State::ALL
            .iter()
            .any(|known| matches(state, known.as_str()))
        {
            return Err(FindingPatternError::State {
                pattern: pattern(),
                part: state.to_owned(),
                nearest: nearest(state, &State::ALL.map(State::as_str)),
            });
        }
        let meant: Vec<Check> = Check::ALL
            .iter()
            .copied()
            .filter(|known| matches(check, known.as_str()))
            .collect();
        let [first, ..] = meant[..] else {
            return Err(FindingPatternError::Check {
                pattern: pattern(),
                part: check.to_owned(),
                nearest: nearest(check, &Check::ALL.map(Check::as_str)),
            });
        };
        if meant.iter().all(|check| FUNDAMENTAL.contains(check)) {
            return Err(FindingPatternError::Fundamental {
                pattern: pattern(),
                check: first,
            });
        }
        if !names_something(subject) && !meant.iter().all(|check| ALONE.contains(check)) {
            return Err(FindingPatternError::TooWide(pattern()));
        }
        Ok(Self(text.to_owned()))
    }

    /// All findings about a unit, whose name may have `*` in it.
    ///
    /// # Errors
    /// When the name is none, or too wide.
    pub fn of_unit(unit: &str) -> Result<Self, FindingPatternError> {
        if unit.contains('/') || !UNIT_TYPES.iter().any(|ending| unit.ends_with(ending)) {
            return Err(FindingPatternError::Shape(format!(
                "unit = \"{}\"",
                unit.chars()
                    .take(80)
                    .filter(|c| !c.is_control())
                    .collect::<String>()
            )));
        }
        Self::parse(&format!("*/*/{unit}"))
    }

    /// Whether the finding is meant. What says that nothing was rehearsed never is.
    pub fn means(&self, finding: &Finding) -> bool {
        let mut parts = self.0.splitn(3, '/');
        let mut part = || parts.next().unwrap_or_default();
        let (state, check, subject) = (part(), part(), part());
        !FUNDAMENTAL.contains(&finding.check)
            && matches(state, finding.state.as_str())
            && matches(check, finding.check.as_str())
            && matches(subject, &finding.subject)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FindingPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for FindingPattern {
    type Error = FindingPatternError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<FindingPattern> for String {
    fn from(pattern: FindingPattern) -> Self {
        pattern.0
    }
}

/// Whether more is said of a subject than that there is one.
fn names_something(subject: &str) -> bool {
    let rest = UNIT_TYPES
        .iter()
        .find_map(|ending| subject.strip_suffix(ending))
        .unwrap_or(subject);
    let scheme = ["http://", "https://", "http*://"]
        .iter()
        .find_map(|scheme| rest.strip_prefix(scheme));
    let rest = scheme.unwrap_or(rest);
    // The subjects of whole machines are short words, and stand for themselves.
    !rest.contains('*') || rest.chars().filter(|c| c.is_alphanumeric()).count() >= NAMING
}

/// Whether the text is what the pattern says, in time proportional to the product of their lengths.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where the last `*` stands, and how far the text was when it began to take more.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p) == text.get(t) {
            p += 1;
            t += 1;
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            p = at + 1;
            t = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

fn nearest(word: &str, known: &[&str]) -> String {
    let distance = |known: &&&str| strsim::damerau_levenshtein(word, known);
    let best = known.iter().min_by_key(distance);
    best.filter(|best| distance(best) <= 1 + word.len() / 3)
        .map_or_else(
            || format!(" (there are {})", known.join(", ")),
            |best| format!(": did you mean `{best}`?"),
        )
}

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::HttpAnswer;

/// Equal replies of one endpoint in a row, asked for at a fixed rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Replies {
    pub reply: Reply,
    /// When the first was asked for, in milliseconds since the run began.
    pub from_ms: u64,
    /// When the last one came, or was given up.
    pub to_ms: u64,
    pub count: u64,
}

/// What came of one request, without what differs between two answers of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    Status(u16),
    Refused,
    /// Closed without an answer; so a forwarded port ends where nobody listens behind it.
    Reset,
    TimedOut,
    /// Any other trouble.
    Failed,
}

impl Reply {
    pub fn of(answer: &HttpAnswer) -> Self {
        match answer {
            HttpAnswer::Status { code, .. } => Self::Status(*code),
            HttpAnswer::Refused => Self::Refused,
            HttpAnswer::Reset => Self::Reset,
            HttpAnswer::TimedOut => Self::TimedOut,
            HttpAnswer::Failed { .. } => Self::Failed,
        }
    }

    /// Whether nginx itself spoke.
    pub fn is_of_nginx(self) -> bool {
        matches!(self, Self::Status(_))
    }

    /// 502, 503 or 504: nginx did not reach what it passes the request on to (RFC 9110, 15.6).
    pub fn is_gateway_error(self) -> bool {
        matches!(self, Self::Status(502..=504))
    }

    /// Whether a user would take it for the page: nginx spoke, and reached what is behind it.
    pub fn serves(self) -> bool {
        self.is_of_nginx() && !self.is_gateway_error()
    }

    /// `502`, `refused`.
    pub fn word(self) -> String {
        match self {
            Self::Status(code) => code.to_string(),
            Self::Refused => "refused".to_owned(),
            Self::Reset => "reset".to_owned(),
            Self::TimedOut => "timed out".to_owned(),
            Self::Failed => "failed".to_owned(),
        }
    }
}

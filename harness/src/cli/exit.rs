use std::process::{ExitCode, Termination};

use crate::vocabulary::Verdict;

/// How bootproof ends. The numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 0: the verdict is pass, or a scenario came out as it must.
    Pass,
    /// 1: the verdict is fail, or a scenario did not come out as it must.
    Fail,
    /// 2: bad usage, or trouble of the host.
    Error,
    /// 3: something that the verdict depends on could not be observed.
    Unproven,
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Error => 2,
            Self::Unproven => 3,
        }
    }
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Fail => Self::Fail,
            Verdict::Unproven => Self::Unproven,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}

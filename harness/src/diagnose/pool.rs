use crate::vocabulary::{Check, Finding, Severity, State};

/// The findings that no rule has explained yet, in their order.
pub(super) struct Pool<'a> {
    left: Vec<&'a Finding>,
}

impl<'a> Pool<'a> {
    pub(super) fn new(findings: &'a [Finding]) -> Self {
        Self {
            left: findings.iter().collect(),
        }
    }

    pub(super) fn has(&self, wanted: impl Fn(&Finding) -> bool) -> bool {
        self.left.iter().any(|f| wanted(f))
    }

    pub(super) fn take(&mut self, wanted: impl Fn(&Finding) -> bool) -> Vec<&'a Finding> {
        let all = std::mem::take(&mut self.left);
        let (taken, left) = all.into_iter().partition(|f| wanted(f));
        self.left = left;
        taken
    }

    /// The findings of a check that fail the rehearsal.
    pub(super) fn take_errors(&mut self, check: Check) -> Vec<&'a Finding> {
        self.take(|f| f.check == check && f.severity == Severity::Error)
    }
}

/// The first state of some findings.
pub(super) fn first_state(findings: &[&Finding]) -> Option<State> {
    findings.iter().map(|f| f.state).min()
}

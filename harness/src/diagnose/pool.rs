use crate::vocabulary::{Finding, State};

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
}

/// The first state of some findings.
pub(super) fn first_state(findings: &[&Finding]) -> Option<State> {
    findings.iter().map(|f| f.state).min()
}

//! Plans and recordings for tests: a healthy deploy, the outage of 2023-08-08, and what a test changes in either.

mod guest;
mod outage;
mod plan;
pub(crate) mod published;
mod recording;

pub(crate) use guest::{Guest, I386_HEADER, status};
pub(crate) use outage::{outage, outage_recording};
pub(crate) use plan::{BASELINE, CANDIDATE, endpoint, endpoints, plan, without_baseline};
pub(crate) use recording::{Recording, healthy, healthy_recording, specialised_recording};

use crate::vocabulary::{Finding, Plan};

pub(crate) fn findings(plan: &Plan, recording: &Recording) -> Vec<Finding> {
    crate::check::run(plan, &recording.run(plan))
}

pub(crate) fn finding_ids(plan: &Plan, recording: &Recording) -> Vec<String> {
    let findings = findings(plan, recording);
    findings.iter().map(Finding::id).collect()
}

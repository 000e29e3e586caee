//! Programs of one kind are told together: where one fails of a cause, most do.

use crate::closure::{Fault, Kind, Role, Started};
use crate::inspect::rules::Subject;
use crate::inspect::trouble::{Reason, Trouble, troubles};
use crate::vocabulary::{Check, Finding, State};

/// How a kind is spoken of.
pub(super) struct Words {
    /// The subject of the finding.
    pub(super) subject: &'static str,
    pub(super) one: &'static str,
    pub(super) many: &'static str,
    /// What follows, after a semicolon.
    pub(super) consequence: &'static str,
}

/// Programs that are named of a finding.
const NAMED: usize = 5;

/// The first thing that is certainly wrong with each program of the given kinds.
pub(super) fn broken<'a>(subject: &Subject<'a>, kinds: &[Kind]) -> Vec<(&'a Started, Trouble<'a>)> {
    subject
        .survey
        .programs
        .started
        .iter()
        .filter(|started| kinds.contains(&started.kind))
        .filter_map(|started| {
            let trouble = troubles(subject, &started.hops).find(is_certain)?;
            Some((started, trouble))
        })
        .collect()
}

/// A script may do without a program that it calls, and people may have put a file where the closure has none.
pub(super) fn is_certain(trouble: &Trouble) -> bool {
    match &trouble.reason {
        Reason::Foreign(_) => true,
        Reason::Fault(Fault::Elsewhere) => false,
        Reason::Fault(_) => trouble.hop.role != Role::Call,
    }
}

/// One finding for all of them; `None` where there are none. It is an error, for the caller to make less of.
pub(super) fn finding(
    subject: &Subject,
    words: &Words,
    broken: &[(&Started, Trouble)],
) -> Option<Finding> {
    let (first, trouble) = broken.first()?;
    let who = match broken.len() {
        1 => words.one.to_owned(),
        count => format!("{count} {}", words.many),
    };
    let summary = format!(
        "{who} cannot run: {} {}; {}",
        first.name,
        trouble.what(subject),
        words.consequence
    );
    let finding = Finding::new(
        Check::Executability,
        State::Inspected,
        words.subject,
        summary,
    );
    Some(
        broken
            .iter()
            .take(NAMED)
            .fold(finding, |finding, (started, trouble)| {
                finding.with_evidence(started.name.as_str(), trouble.evidence(subject))
            }),
    )
}

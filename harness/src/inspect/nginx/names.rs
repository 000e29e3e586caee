//! The names that nginx serves for the machine now, and that the candidate's configuration has no more.
//!
//! Told, and no finding: an update may well take a virtual host away. Whoever still asks for it gets the default server's page, with 200,
//! which no check can tell from the right one: a probe of `bootproof.toml` can.

use std::collections::BTreeSet;

use crate::fold::sanitise;
use crate::inspect::rules::{Outcome, Subject};
use crate::vocabulary::ClosureFacts;

const SHOWN: usize = 5;

pub(super) fn note(subject: &Subject, outcome: &mut Outcome) {
    let Some(baseline) = subject.baseline.map(|baseline| baseline.facts) else {
        return;
    };
    let is_unread = |facts: &ClosureFacts| {
        let mut subjects = facts.unreadable.iter().map(|(subject, _)| subject);
        subjects.any(|subject| subject.contains("nginx"))
    };
    // What could not be read may name them.
    if is_unread(baseline) || is_unread(subject.facts) || subject.facts.http.is_empty() {
        return;
    }
    let after = names(subject.facts);
    let gone: Vec<String> = names(baseline)
        .difference(&after)
        .map(|name| sanitise::line(name))
        .collect();
    if gone.is_empty() {
        return;
    }
    let shown = gone[..gone.len().min(SHOWN)].join(", ");
    let more = match gone.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    outcome.notes.push(format!(
        "nginx names {shown}{more} no more, which the baseline serves: a request for it gets whatever the default server answers"
    ));
}

fn names(facts: &ClosureFacts) -> BTreeSet<&str> {
    let names = facts.http.iter().map(|e| e.server_name.as_str());
    names.filter(|name| *name != "localhost").collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::with_nginx;
    use crate::inspect::testing::{ids, inspected, inspected_with_baseline};
    use crate::inspect::{Inspection, Options};

    const BOTH: &str = "server { server_name a.example; } server { server_name b.example; }";

    fn of(before: &str, after: &str) -> Inspection {
        let (before, after) = (with_nginx(before), with_nginx(after));
        inspected_with_baseline(&after, &before, &Options::default())
    }

    #[test]
    fn a_name_that_is_gone_is_told() {
        let misspelt = BOTH.replace("b.example", "b.exampel");
        let inspection = of(BOTH, &misspelt);
        assert_eq!(ids(&inspection), [""; 0]);
        assert!(inspection.notes[0].starts_with("nginx names b.example no more"));
    }

    #[test]
    fn the_same_names_more_of_them_and_a_first_deploy_are_silent() {
        for (before, after) in [(BOTH, BOTH), ("server { server_name a.example; }", BOTH)] {
            assert_eq!(of(before, after).notes, [""; 0]);
        }
        assert_eq!(inspected(&with_nginx(BOTH)).notes, [""; 0]);
    }
}

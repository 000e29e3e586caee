//! Boots of one generation must come to the same: what differs between their fingerprints is told line by line.

use crate::fold::{Run, StateRecord};
use crate::vocabulary::{Check, Finding, Plan, State};

use super::Scene;
use super::fingerprint::fingerprint;

/// More lines than anyone reads; the files of the run's directory have all.
const SHOWN: usize = 8;

/// One boot that has a fingerprint.
struct Boot<'a> {
    state: State,
    record: &'a StateRecord,
    lines: Vec<String>,
}

pub(super) fn check(plan: &Plan, run: &Run) -> Vec<Finding> {
    let boots: Vec<Boot<'_>> = boots(plan, run);
    let mut findings: Vec<Finding> = Vec::new();
    for (n, later) in boots.iter().enumerate() {
        // Of many boots the first that differs is told.
        if findings.iter().any(|found| found.state == later.state) {
            continue;
        }
        let earlier = boots[..n].iter().find(|b| is_same_generation(b, later));
        findings.extend(earlier.and_then(|earlier| compare(earlier, later)));
    }
    findings
}

fn boots<'a>(plan: &'a Plan, run: &'a Run) -> Vec<Boot<'a>> {
    let looks = run.looks().into_iter().filter_map(|(state, record)| {
        // A generation that must not run there is a fault of its own, and its boots are nothing to compare.
        if record.booted() != Some(plan.booted_in(state).as_str()) {
            return None;
        }
        let scene = Scene {
            plan,
            run,
            state,
            record,
        };
        Some(Boot {
            state,
            record,
            lines: fingerprint(&scene)?,
        })
    });
    looks.collect()
}

/// What was booted, and what runs, are the same.
fn is_same_generation(a: &Boot<'_>, b: &Boot<'_>) -> bool {
    let generation = |boot: &Boot<'_>| {
        let identity = boot.record.identity.as_ref()?;
        Some((identity.booted.clone()?, identity.current.clone()?))
    };
    a.record.boot != b.record.boot && generation(a).is_some() && generation(a) == generation(b)
}

fn compare(earlier: &Boot<'_>, later: &Boot<'_>) -> Option<Finding> {
    let lacks = |of: &[String], line: &String| !of.contains(line);
    let gone = earlier.lines.iter().filter(|l| lacks(&later.lines, l));
    let new = later.lines.iter().filter(|l| lacks(&earlier.lines, l));
    let mut differences: Vec<(&str, String)> = gone
        .map(|line| (line.as_str(), format!("- {line}")))
        .chain(new.map(|line| (line.as_str(), format!("+ {line}"))))
        .collect();
    // What was and what is of one thing stand together.
    differences.sort_by(|a, b| a.0.split(' ').take(2).cmp(b.0.split(' ').take(2)));
    let first = differences.first()?;
    let number = |boot: &Boot<'_>| boot.record.boot.unwrap_or_default();
    let more = match differences.len() {
        1 => String::new(),
        many => format!(" and {} more", many - 1),
    };
    let summary = format!(
        "two boots of one generation differ, {} and {}: `{}`{more}",
        number(earlier),
        number(later),
        first.1,
    );
    let finding =
        Finding::new(Check::BootsDiffer, later.state, "fingerprint", summary).as_warning();
    let files = format!(
        "fingerprint-{}.txt, fingerprint-{}.txt",
        number(earlier),
        number(later)
    );
    let evidence = differences.into_iter().take(SHOWN);
    Some(evidence.fold(finding, |finding, (_, line)| {
        finding.with_evidence(files.as_str(), line)
    }))
}

#[cfg(test)]
mod tests {
    use crate::testing::{self, Recording};
    use crate::vocabulary::{Check, Finding, Plan, State};

    fn two_boots() -> (Plan, Recording) {
        let plan = testing::without_baseline();
        let mut recording = Recording::healthy(&plan);
        for state in [State::Booted, State::Rebooted] {
            recording.guest(state).boot_facts = "== mounts\n".to_owned()
                + "22 1 254:1 / / rw shared:1 - ext4 /dev/vda1 rw\n"
                + "23 1 254:2 / /data rw shared:1 - ext4 /dev/vdb1 rw\n";
        }
        (plan, recording)
    }

    fn differences(plan: &Plan, recording: &Recording) -> Vec<Finding> {
        let found = testing::findings(plan, recording).into_iter();
        found.filter(|f| f.check == Check::BootsDiffer).collect()
    }

    #[test]
    fn a_mount_that_only_the_first_boot_has_is_told() {
        let (plan, mut recording) = two_boots();
        let facts = &mut recording.guest(State::Rebooted).boot_facts;
        *facts = facts.replace("23 1 254:2 / /data rw shared:1 - ext4 /dev/vdb1 rw\n", "");
        let found = differences(&plan, &recording);
        assert_eq!(found[0].id(), "rebooted/boots-differ/fingerprint");
        assert!(found[0].summary.contains("- mount /data ext4"), "{found:?}");
        assert_eq!(found[0].evidence.len(), 1);
    }

    #[test]
    fn equal_boots_and_boots_of_two_generations_are_silent() {
        let (plan, recording) = two_boots();
        assert_eq!(differences(&plan, &recording), []);
        let (plan, mut recording) = testing::healthy_recording();
        recording.guest(State::Before).boot_facts = "== kernel\na\n".to_owned();
        recording.guest(State::Rebooted).boot_facts = "== kernel\nb\n".to_owned();
        assert_eq!(differences(&plan, &recording), []);
    }
}

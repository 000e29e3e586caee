//! A recording for every rule, in which that rule, and no other, makes the cause.

mod boots;
mod cases;
mod systems;
mod ways;

use std::collections::BTreeSet;

use self::cases::{Case, dying, outage};
use super::super::values::VALUES;
use super::super::{Cause, Diagnosis, diagnose, rule_ids};
use crate::vocabulary::State;

/// The rule's id, a rehearsal, and what the headline says.
type Row = (&'static str, fn() -> Case, &'static str);

fn rows() -> impl Iterator<Item = &'static Row> {
    let tables = [boots::ROWS, systems::ROWS, ways::ROWS];
    tables.into_iter().flatten()
}

fn diagnosis(case: &Case) -> Diagnosis {
    let run = case.recording.run(&case.plan);
    let mut findings = crate::check::run(&case.plan, &run);
    findings.extend(case.more.iter().cloned());
    diagnose(&case.plan, &run, &findings)
}

/// Each rule fires on its own case, and is silent on those of all others; what follows leads nowhere.
#[test]
fn every_rule_makes_the_only_cause_of_its_own_case() {
    for (id, case, says) in rows() {
        let causes = diagnosis(&case()).causes;
        let rules: Vec<&str> = causes.iter().map(|cause| cause.rule.as_str()).collect();
        assert_eq!(rules, [*id], "{causes:#?}");
        assert!(
            causes[0].headline.contains(says),
            "{id}: {}",
            causes[0].headline
        );
        assert!(!causes[0].next.is_empty(), "{id}");
    }
}

#[test]
fn every_rule_has_an_id_of_its_own_and_a_case() {
    let ids: Vec<&str> = rule_ids().collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len());
    let tested: BTreeSet<&str> = rows().map(|row| row.0).collect();
    assert_eq!(unique, tested);
    let is_kebab = |id: &&str| {
        id.chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    assert!(ids.iter().all(is_kebab));
}

#[test]
fn every_template_names_values_that_there_are() {
    let known = |name: &str| name.contains('/') || VALUES.iter().any(|row| row.0 == name);
    for rule in super::all() {
        let related = rule.follows.iter().map(|row| row.words);
        let misleading = rule
            .misleads
            .iter()
            .flat_map(|row| [row.evidence, row.truth]);
        let words = [rule.headline, rule.next]
            .into_iter()
            .chain(related)
            .chain(misleading);
        for template in words.flatten() {
            for (_, rest) in template
                .match_indices('{')
                .map(|(at, _)| template.split_at(at + 1))
            {
                let name = rest.split_once('}').expect("a closing brace").0;
                assert!(known(name), "{}: {{{name}}}", rule.id);
            }
        }
    }
}

fn misleading(cause: &Cause) -> Vec<&str> {
    cause
        .misleading
        .iter()
        .map(|m| m.evidence.as_str())
        .collect()
}

#[test]
fn what_misled_the_operator_of_the_outage_is_told_where_it_was_observed() {
    let mut case = outage();
    let guest = case.recording.guest(State::Rebooted);
    let line = "alpha.service: Failed to create cgroup /system.slice/alpha.service: Cannot allocate memory";
    guest.log_unit("alpha.service", line);
    guest
        .identity
        .insert("cpu", "AMD EPYC-Rome Processor".to_owned());
    guest.identity.insert("cpu_lm", "yes".to_owned());
    guest.ldd = "/nix/store/x-alpha/bin/alpha=\tnot a dynamic executable\n".to_owned();
    let causes = diagnosis(&case).causes;
    let told = misleading(&causes[0]);
    let expected = [
        "/proc/cpuinfo names a 64-bit CPU: AMD EPYC-Rome Processor, with the flag lm".to_owned(),
        "`ldd /nix/store/x-alpha/bin/alpha`: not a dynamic executable".to_owned(),
        format!("the journal says: {line}"),
        "`systemctl is-system-running`: running, 0 failed units".to_owned(),
        "nginx answers 502 Bad Gateway".to_owned(),
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_was_not_observed_is_not_called_misleading() {
    let mut case = outage();
    let guest = case.recording.guest(State::Rebooted);
    guest.system_state = "degraded".to_owned();
    guest.set_unit("delta.service", &[("ActiveState", "failed")]);
    guest.set_unit("nginx.service", &[("ActiveState", "inactive")]);
    guest.http.clear();
    let causes = diagnosis(&case).causes;
    assert_eq!(misleading(&causes[0]), [""; 0]);
}

#[test]
fn a_short_memory_makes_the_control_groups_line_no_misleading_one() {
    let mut case = dying("oom-kill", "x");
    let guest = case.recording.guest(State::Rebooted);
    guest.log_unit(
        "alpha.service",
        "Failed to create cgroup /a: Cannot allocate memory",
    );
    guest.log_kernel("Out of memory: Killed process 700 (alpha) total-vm:1kB");
    let causes = diagnosis(&case).causes;
    let told = misleading(&causes[0]);
    assert!(told.iter().all(|text| !text.contains("cgroup")), "{told:?}");
}

#[test]
fn a_unit_that_dies_with_the_kernels_fault_follows_from_it() {
    let mut case = dying("signal", "x");
    let guest = case.recording.guest(State::Rebooted);
    guest.log_unit(
        "alpha.service",
        "alpha.service: Main process exited, code=killed, status=9/KILL",
    );
    guest.log_kernel("BUG: unable to handle page fault for address: 08");
    let causes = diagnosis(&case).causes;
    assert_eq!(causes.len(), 1, "{causes:#?}");
    assert_eq!(causes[0].rule, "kernel-oops");
    let follows = causes[0].consequences.iter().map(|c| c.summary.as_str());
    let follows: Vec<&str> = follows.collect();
    assert_eq!(
        follows,
        [
            "killed with it: alpha.service",
            "nginx answers 502 Bad Gateway for http://alpha.example/"
        ]
    );
}

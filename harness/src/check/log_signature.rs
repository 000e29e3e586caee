//! No known bad line may stand in the journal, nor, where the state has a boot of its own, on its console.

use std::collections::BTreeMap;

use crate::vocabulary::{Check, Finding, Severity, State, TargetMachine};

use super::signatures::{ORDERING_CYCLE, OUT_OF_MEMORY, Signature, is_kernel_line, matching};
use super::{Scene, ordering_cycle};

pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let mut found: BTreeMap<&str, Finding> = BTreeMap::new();
    let mut see = |signature: &'static Signature, source: &str, line: &str| {
        let known = found
            .entry(signature.id)
            .or_insert_with(|| finding(scene, signature, source, line));
        // Who asked for memory comes first in the log; who was killed for it says more.
        let names = |text: &str| text.contains("Killed process");
        if signature.id == OUT_OF_MEMORY
            && names(line)
            && !known.evidence.iter().any(|e| names(&e.text))
        {
            *known = finding(scene, signature, source, line);
        }
    };
    for entry in scene.record.journal.iter().flatten() {
        for signature in matching(&entry.message, entry.from_kernel) {
            see(signature, "journal", &entry.message);
        }
    }
    for line in own_console(scene) {
        for signature in matching(line, is_kernel_line(line)) {
            see(signature, "console", line);
        }
    }
    found.into_values().collect()
}

/// The console of the state; *switched* shares its boot with *before*.
fn own_console<'a>(scene: &Scene<'a>) -> &'a [String] {
    let number = scene.record.boot;
    let Some(boot) = number.and_then(|number| scene.run.boot(number)) else {
        return &[];
    };
    let (before, since) = boot.around_switch();
    match scene.state {
        State::Switched => since,
        State::Before => before,
        // A new userspace shares its boot with the state before it, which has told of it.
        State::SoftRebooted => &[],
        _ => &boot.console,
    }
}

fn finding(scene: &Scene<'_>, signature: &Signature, source: &str, line: &str) -> Finding {
    let mut finding = Finding::new(
        Check::LogSignature,
        scene.state,
        signature.id,
        signature.description,
    )
    .with_evidence(source, line);
    if signature.id == ORDERING_CYCLE {
        return ordering_cycle::judged(scene, finding);
    }
    let memory_mib = scene.plan.target.memory_mib;
    if signature.id == OUT_OF_MEMORY && memory_mib == TargetMachine::default().memory_mib {
        finding.summary.push_str(&format!(
            "; nothing says that the machine has only the VM's {memory_mib} MiB: name its memory to have this judged"
        ));
        return finding.as_warning();
    }
    match signature.severity {
        Severity::Warning => finding.as_warning(),
        Severity::Error => finding,
    }
}

#[cfg(test)]
mod tests {
    use crate::check;
    use crate::fold::fold;
    use crate::testing;
    use crate::vocabulary::{Finding, Observation, Recorded, Severity, State, Step, TargetMachine};

    #[test]
    fn a_bad_line_of_the_kernel_is_found_once() {
        let (mut plan, mut recording) = testing::healthy_recording();
        plan.target.memory_mib = 2048;
        for _ in 0..3 {
            let guest = recording.guest(State::Rebooted);
            guest.log_kernel("Out of memory: Killed process 700 (alpha)");
        }
        let findings = testing::findings(&plan, &recording);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].id(), "rebooted/log-signature/oom-kill");
        assert_eq!(findings[0].severity, Severity::Error);
    }

    #[test]
    fn a_memory_that_nobody_named_is_not_blamed_on_the_closure() {
        let (mut plan, mut recording) = testing::healthy_recording();
        plan.target.memory_mib = TargetMachine::default().memory_mib;
        let guest = recording.guest(State::Rebooted);
        guest.log_kernel("Out of memory: Killed process 700 (alpha)");
        let findings = testing::findings(&plan, &recording);
        assert_eq!(findings[0].severity, Severity::Warning);
        assert!(findings[0].summary.contains("1024 MiB"));
    }

    #[test]
    fn the_console_tells_what_the_journal_does_not() {
        let (plan, mut recording) = testing::healthy_recording();
        recording.more.push(Observation::Console {
            boot: 2,
            line: "[   12.000001] EXT4-fs error (device vda1): bad inode".to_owned(),
        });
        assert_eq!(
            testing::finding_ids(&plan, &recording),
            ["rebooted/log-signature/ext4-error"]
        );
    }

    #[test]
    fn what_the_console_says_after_the_switch_is_not_the_baselines() {
        let (plan, recording) = testing::healthy_recording();
        let mut observations = recording.observations();
        let line = "[   99.000001] EXT4-fs error (device vda1): bad inode".to_owned();
        let of_switch = |o: &Recorded| {
            matches!(
                o.observation,
                Observation::StepStarted { step: Step::Switch }
            )
        };
        let at = observations.iter().position(of_switch).unwrap();
        let observation = Observation::Console { boot: 1, line };
        let at_ms = observations[at].at_ms;
        observations.insert(at + 1, Recorded { at_ms, observation });
        let findings = check::run(&plan, &fold(&observations));
        let ids: Vec<String> = findings.iter().map(Finding::id).collect();
        assert_eq!(ids, ["switched/log-signature/ext4-error"]);
    }

    #[test]
    fn the_same_words_of_a_program_are_silent() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.log_unit("alpha.service", "test case 7: Kernel panic - not syncing");
        assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
    }
}

//! Every command of every unit, once this closure's kernel runs.

use std::collections::BTreeSet;

use super::death::deaths;
use crate::closure::Role;
use crate::inspect::kernel::called;
use crate::inspect::rules::{Outcome, Subject};
use crate::inspect::trouble::Reason;
use crate::vocabulary::{Check, ElfClass, Finding, Severity, State};

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    // Units with what is found of them.
    let mut foreign: Vec<Finding> = Vec::new();
    let mut others: Vec<Finding> = Vec::new();
    let mut classes = BTreeSet::new();
    let mut by_systemd = true;
    for (name, unit) in &subject.survey.units {
        let deaths = deaths(subject, unit);
        let Some(worst) = deaths.iter().max_by_key(|death| death.severity) else {
            continue;
        };
        let mut finding = Finding::new(
            Check::Executability,
            State::Inspected,
            name,
            worst.sentence(subject),
        );
        finding.severity = worst.severity;
        for death in &deaths {
            finding =
                finding.with_evidence(format!("{}=", death.key), death.trouble.evidence(subject));
        }
        match (worst.severity, &worst.trouble.reason) {
            (Severity::Warning, _) => outcome.findings.push(finding),
            (Severity::Error, Reason::Foreign(class)) => {
                classes.insert(*class);
                by_systemd &= !matches!(worst.trouble.hop.role, Role::Replacement | Role::Call);
                foreign.push(finding);
            }
            (Severity::Error, Reason::Fault(_)) => others.push(finding),
        }
    }
    if !foreign.is_empty() {
        let units: Vec<&str> = foreign.iter().map(|f| f.subject.as_str()).collect();
        outcome.cause(
            foreign_headline(subject, &units, &classes, by_systemd),
            "build the whole system for one platform (`nixpkgs.hostPlatform`, the `system` that the deploy tool builds for), \
             and compare `system` of what it built with what you mean",
            foreign,
        );
    }
    if let [first, more @ ..] = others.as_slice() {
        let more = match more.len() {
            0 => String::new(),
            count => format!(" (and {count} more)"),
        };
        outcome.cause(
            format!("{} {}{more}", first.subject, first.summary),
            "correct the command, or the package that should hold the program",
            others,
        );
    }
    note_assumption(subject, outcome);
    note_unseen(subject, outcome);
}

/// With `by_systemd` none of them is started by a script, whose shell would exit with 126 instead.
fn foreign_headline(
    subject: &Subject,
    units: &[&str],
    classes: &BTreeSet<ElfClass>,
    by_systemd: bool,
) -> String {
    const NAMED: usize = 5;
    let mut names = units[..units.len().min(NAMED)].join(", ");
    if units.len() > NAMED {
        names.push_str(&format!(" and {} more", units.len() - NAMED));
    }
    let (these, they) = match units.len() {
        1 => ("this unit".to_owned(), "runs"),
        count => (format!("these {count} units"), "run"),
    };
    let die = if by_systemd {
        "die with 203/EXEC"
    } else {
        "die with `Exec format error`"
    };
    let classes: Vec<&str> = classes.iter().map(|class| class.as_str()).collect();
    let expected = match &subject.expected {
        Some(expected) if Some(&expected.system) != subject.facts.kernel.as_ref() => {
            format!(", and {} is expected by {}", expected.system, expected.by)
        }
        _ => String::new(),
    };
    format!(
        "after the next boot {these} will {die}: {names} {they} {} executables under {}{expected}",
        classes.join(" and "),
        called(subject),
    )
}

/// The legal mix rests on a setting of the kernel that a closure seldom tells.
fn note_assumption(subject: &Subject, outcome: &mut Outcome) {
    let i386 = subject
        .survey
        .units
        .values()
        .flat_map(|unit| &unit.commands)
        .flat_map(|command| &command.hops)
        .any(|hop| hop.class == Some(ElfClass::I386));
    let is_64_bit =
        subject.facts.kernel.as_ref().and_then(|k| k.elf_class()) == Some(ElfClass::X86_64);
    if i386 && is_64_bit && subject.survey.boot.ia32_emulation.is_none() {
        outcome.notes.push(
            "the kernel's configuration is not in the closure: it is taken to run i386 programs (CONFIG_IA32_EMULATION), as \
             NixOS's and Debian's kernels do"
                .to_owned(),
        );
    }
}

fn note_unseen(subject: &Subject, outcome: &mut Outcome) {
    let unseen: BTreeSet<&str> = subject
        .survey
        .units
        .values()
        .filter(|unit| unit.at_boot)
        .flat_map(|unit| &unit.commands)
        .filter_map(|command| command.unseen.as_deref())
        .filter(|path| !matches!(*path, "/bin/sh" | "/usr/bin/env"))
        .collect();
    if !unseen.is_empty() {
        let few: Vec<&str> = unseen.iter().take(3).copied().collect();
        outcome.notes.push(format!(
            "{} programs of units are made at run time and cannot be inspected: {}{}",
            unseen.len(),
            few.join(", "),
            if unseen.len() > few.len() {
                ", …"
            } else {
                ""
            }
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::{FakeClosure, bzimage, elf};
    use crate::inspect::testing::{ids, inspected, make_i686, server, unit};
    use crate::vocabulary::{ElfClass, Severity, Verdict};

    fn with_program(class: ElfClass, unit_text: &str) -> FakeClosure {
        let fake = server();
        let program = fake.program("backend", "bin/backend", elf(class));
        unit(
            &fake,
            "backend.service",
            &unit_text.replace("PROGRAM", &program),
        );
        fake
    }

    #[test]
    fn executables_of_another_class_are_the_first_line() {
        let fake = with_program(ElfClass::X86_64, "[Service]\nExecStart=PROGRAM\n");
        make_i686(&fake);
        let inspection = inspected(&fake);
        assert_eq!(inspection.verdict, Verdict::Fail);
        assert!(ids(&inspection).contains(&"inspected/executability/backend.service".to_owned()));
        assert!(
            inspection.headline.contains(
                "203/EXEC: backend.service runs x86_64 executables under an i686-linux kernel"
            ),
            "{}",
            inspection.headline
        );
        let evidence = &inspection.findings[0].evidence[0];
        assert_eq!(evidence.source, "ExecStart=");
        assert!(
            evidence
                .text
                .ends_with("an x86_64 executable under an i686-linux kernel")
        );
    }

    #[test]
    fn a_start_script_of_the_right_class_does_not_hide_its_program() {
        let fake = server();
        let shell = fake.program("sh", "bin/sh", elf(ElfClass::X86_64));
        let app = fake.program("app", "bin/app", elf(ElfClass::I386));
        let script = fake.program("start", "bin/start", format!("#!{shell} -e\n{app} -x\n"));
        unit(
            &fake,
            "app.service",
            &format!("[Service]\nExecStart={script}\n"),
        );
        fake.file("kernel-params", "ia32_emulation=off");
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/executability/app.service"]);
        let text = &inspection.headline;
        assert!(text.contains("`Exec format error`: app.service"), "{text}");
    }

    #[test]
    fn native_programs_are_silent() {
        let fake = with_program(ElfClass::X86_64, "[Service]\nExecStart=PROGRAM\n");
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), [""; 0]);
        assert_eq!(inspection.verdict, Verdict::Pass);
        assert!(inspection.notes.is_empty(), "{:?}", inspection.notes);
    }

    #[test]
    fn a_64_bit_kernel_runs_i386_programs_unless_it_is_told_not_to() {
        let fake = with_program(ElfClass::I386, "[Service]\nExecStart=PROGRAM\n");
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), [""; 0]);
        assert!(inspection.notes[0].contains("CONFIG_IA32_EMULATION"));
        fake.file("kernel-params", "ia32_emulation=0");
        assert_eq!(
            ids(&inspected(&fake)),
            ["inspected/executability/backend.service"]
        );
        fake.file("kernel-params", "console=ttyS0");
        let config = "kernel-modules/lib/modules/6.6.63/config";
        fake.file(config, "# CONFIG_IA32_EMULATION is not set\n");
        assert_eq!(
            ids(&inspected(&fake)),
            ["inspected/executability/backend.service"]
        );
        fake.file(config, "CONFIG_IA32_EMULATION=y\n");
        let inspection = inspected(&fake);
        assert!(inspection.findings.is_empty() && inspection.notes.is_empty());
    }

    #[test]
    fn an_emulator_of_binfmt_misc_runs_them_too() {
        let fake = with_program(ElfClass::X86_64, "[Service]\nExecStart=PROGRAM\n");
        fake.file("kernel", bzimage(false));
        fake.file("system", "i686-linux");
        fake.file(
            "etc/binfmt.d/nixos.conf",
            ":x86_64-linux:M::x:x:/run/binfmt/x86_64-linux:P\n",
        );
        let ids = ids(&inspected(&fake));
        assert!(
            !ids.iter().any(|id| id.contains("backend.service")),
            "{ids:?}"
        );
    }

    #[test]
    fn only_what_a_boot_is_certain_to_meet_is_an_error() {
        let gone = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone/bin/x";
        let of = |text: &str| {
            let fake = with_program(ElfClass::X86_64, &text.replace("GONE", gone));
            let inspection = inspected(&fake);
            inspection.findings[0].severity
        };
        assert_eq!(of("[Service]\nExecStart=GONE\n"), Severity::Error);
        for text in [
            "[Service]\nExecStart=-GONE\n",
            "[Service]\nExecStart=PROGRAM\nExecStop=GONE\n",
            "[Unit]\nConditionPathExists=/x\n[Service]\nExecStart=GONE\n",
        ] {
            assert_eq!(of(text), Severity::Warning, "{text}");
        }
        let fake = server();
        fake.file(
            "etc/systemd/system/idle.service",
            format!("[Service]\nExecStart={gone}\n"),
        );
        assert_eq!(inspected(&fake).verdict, Verdict::Pass);
    }
}

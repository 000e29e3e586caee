//! `/run/current-system/sw`: what people and scripts find by name.

use crate::inspect::kernel::{called, runs};
use crate::inspect::rules::{Outcome, Subject};
use crate::vocabulary::{Check, ElfClass, Finding, State};

/// One warning for all of them: no boot is certain to need one. Programs of other machines than PCs are only noted, because a firmware
/// or a cross-built tool may be meant to be there.
pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let path = &subject.survey.programs.system_path;
    for (class, (count, names)) in &path.classes {
        if runs(subject, *class) {
            continue;
        }
        let text = format!(
            "{count} of the system's programs (`sw/bin`) {} {} under {}: {}",
            if *count == 1 { "is" } else { "are" },
            match class {
                ElfClass::Other => "for another machine",
                class => class.as_str(),
            },
            called(subject),
            few(names, *count),
        );
        match class {
            ElfClass::Other => outcome.notes.push(text),
            _ => outcome.findings.push(finding("sw/bin", text)),
        }
    }
    let (count, names) = &path.without_interpreter;
    if *count > 0 {
        let text = format!(
            "the interpreter of {count} of the system's scripts (`sw/bin`) is not in the closure: {}",
            few(names, *count)
        );
        outcome.findings.push(finding("sw/bin scripts", text));
    }
}

fn finding(subject: &str, text: String) -> Finding {
    Finding::new(Check::Executability, State::Inspected, subject, text).as_warning()
}

fn few(names: &[String], count: usize) -> String {
    let more = if count > names.len() { ", …" } else { "" };
    format!("{}{more}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::elf;
    use crate::inspect::testing::{ids, inspected, server};
    use crate::vocabulary::{ElfClass, Verdict};

    #[test]
    fn programs_of_another_class_are_one_warning() {
        let fake = server();
        for name in ["a", "b"] {
            fake.program("toplevel", &format!("sw/bin/{name}"), elf(ElfClass::I386));
        }
        fake.file("kernel-params", "ia32_emulation=0");
        fake.program("toplevel", "sw/bin/c", "#!/nix/store/gone/bin/sh\n");
        let inspection = inspected(&fake);
        let expected = [
            "inspected/executability/sw/bin",
            "inspected/executability/sw/bin scripts",
        ];
        assert_eq!(ids(&inspection), expected);
        assert_eq!(inspection.verdict, Verdict::Pass);
    }

    #[test]
    fn programs_that_run_and_those_for_other_machines_are_no_findings() {
        let fake = server();
        fake.program("toplevel", "sw/bin/a", elf(ElfClass::X86_64));
        fake.program("toplevel", "sw/bin/firmware", elf(ElfClass::Other));
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), [""; 0]);
        assert!(
            inspection.notes.iter().any(|n| n.contains("firmware")),
            "{:?}",
            inspection.notes
        );
    }
}

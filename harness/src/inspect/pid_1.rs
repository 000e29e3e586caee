//! Whether stage 2 finds the systemd that it becomes: a kernel whose PID 1 ends panics, and no unit is started.

use super::faults;
use super::kernel::{called, runs, with_article};
use super::rules::{Outcome, Subject};
use super::trouble::{Reason, Trouble, troubles};
use crate::closure::{Fault, Hop, Role};
use crate::vocabulary::{Check, Finding, State};

const NEXT: &str = "build the toplevel again with a whole `systemd.package`; where the closure was copied, copy all of it";

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let foreign = subject.facts.userland.filter(|c| !runs(subject, *c));
    if let Some(userland) = foreign {
        let text = format!(
            "systemd is {} executable, which {} does not run: the boot ends before the first unit",
            with_article(userland.as_str()),
            called(subject)
        );
        let finding = Finding::new(
            Check::Architecture,
            State::Inspected,
            "userland",
            text.clone(),
        )
        .with_evidence("systemd/lib/systemd/systemd", userland.as_str());
        outcome.cause(text, super::architecture::NEXT, [finding]);
        return;
    }
    let Some(trouble) = trouble(subject) else {
        return;
    };
    let path = trouble.hop.path.as_str();
    // Of the toplevel it is read more easily without the toplevel.
    let below = path.strip_prefix(subject.facts.toplevel.as_str());
    let name = below.map_or(path, |below| below.trim_start_matches('/'));
    let what = match &trouble.reason {
        Reason::Fault(Fault::Missing) => format!("{name} is not in the closure"),
        Reason::Fault(Fault::NoLoader(loader)) => {
            format!("{name} needs {loader}, which is not in the closure")
        }
        Reason::Fault(fault) => format!("{name} {}", faults::words(fault, path)),
        Reason::Foreign(_) => format!("{name} {}", trouble.what(subject)),
    };
    let text =
        format!("PID 1 (systemd) cannot start, and the boot ends before the first unit: {what}");
    let finding = Finding::new(
        Check::Executability,
        State::Inspected,
        "systemd",
        text.clone(),
    )
    .with_evidence(trouble.hop.path.as_str(), trouble.short(subject));
    outcome.cause(text, NEXT, [finding]);
}

/// Why PID 1 will certainly not start.
pub(super) fn trouble<'a>(subject: &Subject<'a>) -> Option<Trouble<'a>> {
    troubles(subject, &subject.survey.boot.pid_1).find(|trouble| match &trouble.reason {
        Reason::Foreign(_) => true,
        Reason::Fault(Fault::Elsewhere) => false,
        Reason::Fault(_) => trouble.hop.role != Role::Call,
    })
}

/// Whether a file that is executed on the way to it is told here.
pub(super) fn tells(subject: &Subject, hop: &Hop) -> bool {
    trouble(subject).is_some_and(|trouble| trouble.hop.path == hop.path)
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::{bzimage, dynamic_elf, elf};
    use crate::inspect::testing::{ids, inspected, server, unit};
    use crate::vocabulary::{ElfClass, Verdict};

    const SYSTEMD: &str = "systemd/lib/systemd/systemd";
    const GONE: &str = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone";

    #[test]
    fn a_systemd_without_a_library_comes_before_units_without_it() {
        let fake = server();
        let loader = fake.store_file("glibc", "lib/ld.so", elf(ElfClass::X86_64));
        let runpath = fake.path_of("toplevel", "systemd/lib/systemd");
        let lacking = dynamic_elf(&loader, &["libsystemd-shared-256.so"], &runpath);
        fake.program("toplevel", SYSTEMD, &lacking);
        let journald = fake.program("toplevel", "systemd/lib/systemd/journald", &lacking);
        let text = format!("[Service]\nExecStart={journald}\n");
        unit(&fake, "a-journald.service", &text);
        let inspection = inspected(&fake);
        let expected = [
            "inspected/executability/systemd",
            "inspected/executability/a-journald.service",
        ];
        assert_eq!(ids(&inspection), expected);
        let headline = &inspection.headline;
        assert!(headline.starts_with("fail: PID 1 (systemd)"), "{headline}");
        assert!(headline.contains("libsystemd-shared"), "{headline}");
    }

    #[test]
    fn a_systemd_that_is_nowhere_is_found_and_nothing_of_it_unproven() {
        let fake = server();
        fake.remove(SYSTEMD);
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/executability/systemd"]);
        assert_eq!(inspection.verdict, Verdict::Fail);
        assert_eq!(inspection.unproven, []);
    }

    #[test]
    fn an_init_that_is_systemd_is_told_once() {
        let fake = server();
        let lacking = dynamic_elf(&format!("{GONE}/lib/ld.so"), &[], "");
        fake.program("toplevel", "init", &lacking);
        assert_eq!(ids(&inspected(&fake)), ["inspected/executability/systemd"]);
    }

    #[test]
    fn a_stage_2_that_does_not_tell_what_it_becomes_proves_nothing() {
        let fake = server();
        let shell = fake.path_of("bash", "bin/bash");
        fake.program("toplevel", "init", format!("#!{shell}\nexec systemd\n"));
        fake.remove(SYSTEMD);
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), [""; 0]);
        assert_eq!(inspection.verdict, Verdict::Unproven);
    }

    #[test]
    fn a_64_bit_systemd_under_a_32_bit_kernel_comes_before_its_units() {
        let fake = server();
        fake.file("kernel", bzimage(false));
        fake.file("system", "i686-linux");
        let program = fake.program("a", "bin/a", elf(ElfClass::X86_64));
        let text = format!("[Service]\nExecStart={program}\n");
        unit(&fake, "a.service", &text);
        let inspection = inspected(&fake);
        let ids = ids(&inspection);
        assert_eq!(ids[0], "inspected/architecture/userland", "{ids:?}");
        assert!(!ids.contains(&"inspected/executability/systemd".to_owned()));
        let headline = &inspection.headline;
        assert!(
            headline.starts_with("fail: systemd is an x86_64 executable"),
            "{headline}"
        );
    }

    #[test]
    fn a_systemd_that_runs_is_silent() {
        assert_eq!(ids(&inspected(&server())), [""; 0]);
    }
}

//! Whether the services of an initrd that runs systemd find what they start.

use super::rules::{Outcome, Subject};
use super::trouble::{Reason, Trouble, troubles};
use crate::closure::{Fault, Role};
use crate::vocabulary::{Check, Finding, State};

const NEXT: &str = "add what is missing to `boot.initrd.systemd.storePaths` (or to `initrdBin`, `extraBin`): NixOS copies nothing else of a \
                    unit's commands into the initrd";

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let services = subject.survey.initrd.services.iter();
    // A condition is how a unit says that it is not for every machine.
    for service in services.filter(|service| service.required || !service.conditional) {
        let found = service.commands.iter().find_map(|(key, hops)| {
            let certain = |trouble: &Trouble| trouble.hop.role != Role::Call;
            Some((key, troubles(subject, hops).find(certain)?))
        });
        let Some((key, trouble)) = found else {
            continue;
        };
        let name = &service.name;
        let text = format!(
            "{name} of the initrd will {}: {}",
            end(&trouble),
            what(subject, key, &trouble)
        );
        let finding = Finding::new(
            Check::Executability,
            State::Inspected,
            format!("initrd/{name}"),
            text.clone(),
        )
        .with_evidence(trouble.hop.path.as_str(), short(subject, &trouble));
        let fails = service.awaited || *key == "ExecStartPre";
        if service.required && fails && !service.conditional {
            let text = format!("{text}; the boot ends in emergency mode");
            outcome.cause(text, NEXT, [finding]);
        } else {
            outcome.findings.push(finding.as_warning());
        }
    }
}

/// As systemd tells it (systemd.exec(5)); a loader ends by itself.
fn end(trouble: &Trouble) -> &'static str {
    match trouble.reason {
        Reason::Fault(Fault::NoLibraries(_)) => "exit with 127",
        _ => "die with 203/EXEC",
    }
}

fn what(subject: &Subject, key: &str, trouble: &Trouble) -> String {
    let path = &trouble.hop.path;
    match (&trouble.reason, trouble.hop.role) {
        (Reason::Fault(Fault::Missing), Role::Command) => {
            format!("its {key} names {path}, which is not in the initrd")
        }
        (Reason::Fault(Fault::Missing), _) => {
            format!("its {key} needs {path}, which is not in the initrd")
        }
        (Reason::Fault(Fault::NoLoader(loader)), _) => {
            format!("its {key} needs {loader}, which is not in the initrd")
        }
        _ => format!("{path} of its {key} {}", trouble.what(subject)),
    }
}

fn short(subject: &Subject, trouble: &Trouble) -> String {
    match &trouble.reason {
        Reason::Fault(Fault::Missing) => "not in the initrd".to_owned(),
        _ => trouble.short(subject),
    }
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::{cpio_of, elf};
    use crate::inspect::testing::{ids, inspected, server};
    use crate::vocabulary::{ElfClass, Verdict};

    const ONESHOT: &[u8] = b"[Service]\nType=oneshot\nExecStart=/nix/store/k-keys/bin/fetch\n";
    const SIMPLE: &[u8] = b"[Service]\nExecStart=/nix/store/k-keys/bin/fetch\n";
    const DIRECTORY: &str = "etc/systemd/system";

    /// Inspects a server whose initrd has a service that a unit of this name asks for.
    fn inspect(asked: &str, text: &[u8], program: Option<ElfClass>) -> crate::inspect::Inspection {
        let fake = server();
        let init = elf(ElfClass::X86_64);
        let (unit, link) = (
            format!("{DIRECTORY}/unlock.service"),
            format!("{DIRECTORY}/{asked}/unlock.service"),
        );
        let program = program.map(elf);
        let mut files = vec![
            ("init", 0o100_755, init.as_slice()),
            (&unit, 0o100_444, text),
            (&link, 0o120_777, b"../unlock.service"),
        ];
        for module in ["virtio_blk.ko", "virtio_pci.ko", "ext4.ko"] {
            files.push((module, 0o100_644, b""));
        }
        files.extend(
            program
                .iter()
                .map(|bytes| ("nix/store/k-keys/bin/fetch", 0o100_755, bytes.as_slice())),
        );
        fake.file("initrd", cpio_of(&files));
        inspected(&fake)
    }

    #[test]
    fn a_required_service_without_its_program_fails_and_a_wanted_one_warns() {
        let id = "inspected/executability/initrd/unlock.service";
        let required = inspect("initrd.target.requires", ONESHOT, None);
        assert_eq!(ids(&required), [id]);
        assert_eq!(required.verdict, Verdict::Fail);
        let headline = &required.headline;
        assert!(
            headline.contains("which is not in the initrd"),
            "{headline}"
        );
        let wanted = inspect("sysinit.target.wants", ONESHOT, None);
        assert_eq!(ids(&wanted), [id]);
        assert_eq!(wanted.verdict, Verdict::Pass);
        // systemd calls it started before it is executed.
        let simple = inspect("initrd.target.requires", SIMPLE, None);
        assert_eq!(ids(&simple), [id]);
        assert_eq!(simple.verdict, Verdict::Pass);
    }

    #[test]
    fn a_service_that_can_run_is_silent_and_one_of_another_class_is_not() {
        let runs = inspect("initrd.target.requires", ONESHOT, Some(ElfClass::X86_64));
        assert_eq!(ids(&runs), [""; 0]);
        let foreign = inspect("initrd.target.requires", ONESHOT, Some(ElfClass::Other));
        assert_eq!(foreign.verdict, Verdict::Fail);
    }
}

//! What systemd executes of directories: generators when it loads units, and programs at shutdown.

use super::group::{self, Words};
use crate::closure::Kind;
use crate::inspect::rules::{Outcome, Subject};

const GENERATORS: Words = Words {
    subject: "generators",
    one: "a generator of units",
    many: "generators of units",
    consequence: "systemd goes on without what it makes",
};
const ENVIRONMENT: Words = Words {
    subject: "environment-generators",
    one: "a generator of the environment",
    many: "generators of the environment",
    consequence: "units go without what it sets",
};
const SHUTDOWN: Words = Words {
    subject: "system-shutdown",
    one: "a program of the shutdown",
    many: "programs of the shutdown",
    consequence: "the machine goes down without it",
};
/// It makes the mounts of the fstab: without it none is made but that of the root, which stage 1 mounts.
const FSTAB: &str = "systemd-fstab-generator";

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let (fstab, others): (Vec<_>, Vec<_>) = group::broken(subject, &[Kind::Generator])
        .into_iter()
        .partition(|(started, _)| started.name == FSTAB && mounts_more_than_root(subject));
    if let Some(finding) = group::finding(subject, &GENERATORS, &fstab) {
        outcome.cause(
            format!(
                "no file system of the fstab will be mounted: {}",
                finding.summary
            ),
            "correct the generator, or the package that holds it",
            [finding],
        );
    }
    outcome
        .findings
        .extend(group::finding(subject, &GENERATORS, &others).map(|f| f.as_warning()));
    for (words, kind) in [
        (&ENVIRONMENT, Kind::EnvironmentGenerator),
        (&SHUTDOWN, Kind::Shutdown),
    ] {
        let broken = group::broken(subject, &[kind]);
        outcome
            .findings
            .extend(group::finding(subject, words, &broken).map(|f| f.as_warning()));
    }
}

fn mounts_more_than_root(subject: &Subject) -> bool {
    let file_systems = &subject.facts.file_systems;
    file_systems.iter().any(|fs| fs.mount_point != "/")
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::elf;
    use crate::inspect::testing::{ids, inspected, server};
    use crate::vocabulary::{ElfClass, Verdict};

    const GENERATORS: &str = "systemd/lib/systemd/system-generators";

    #[test]
    fn a_generator_that_cannot_run_is_found() {
        let fake = server();
        let path = format!("{GENERATORS}/systemd-gpt-auto-generator");
        fake.program("toplevel", &path, elf(ElfClass::Other));
        fake.store_file("toplevel", "etc/systemd/system-shutdown/off", "text");
        let inspection = inspected(&fake);
        let expected = [
            "inspected/executability/generators",
            "inspected/executability/system-shutdown",
        ];
        assert_eq!(ids(&inspection), expected);
        assert_eq!(inspection.verdict, Verdict::Pass);
    }

    #[test]
    fn without_the_generator_of_mounts_the_boot_goes_wrong() {
        let fake = server();
        let path = format!("{GENERATORS}/{}", super::FSTAB);
        fake.program("toplevel", &path, elf(ElfClass::Other));
        assert_eq!(inspected(&fake).verdict, Verdict::Pass);
        let fstab = "/dev/vda1 / ext4 defaults 0 1\n/dev/vdb1 /data ext4 defaults 0 2\n";
        fake.file("etc/fstab", fstab);
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/executability/generators"]);
        assert_eq!(inspection.verdict, Verdict::Fail);
    }

    #[test]
    fn generators_that_run_or_are_masked_are_silent() {
        let fake = server();
        let of = |name: &str| format!("{GENERATORS}/{name}");
        fake.program("toplevel", &of("good"), elf(ElfClass::X86_64));
        fake.program("toplevel", &of("masked"), elf(ElfClass::Other));
        fake.link(
            "toplevel",
            "etc/systemd/system-generators/masked",
            "/dev/null",
        );
        assert_eq!(ids(&inspected(&fake)), [""; 0]);
    }
}

//! Stage 1 mounts the root that the fstab means.

use super::devices::{Tag, tagged};
use super::{error, root, unread, warning};
use crate::inspect::rules::{Outcome, Subject};

const NEXT: &str =
    "build initrd and `etc` from one `fileSystems.\"/\"`, whose device is the disk's";

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let (Some(fs), Some(own)) = (root(subject), &subject.facts.stage_1_root) else {
        return;
    };
    if unread(subject, "fstab") || is_told_otherwise(subject, own) {
        return;
    }
    let difference = between(&fs.device, own);
    if difference == Difference::None {
        return;
    }
    let summary = format!(
        "stage 1 mounts {own} as the root, and the fstab says {}",
        fs.device
    );
    // What stage 1 finds is the root: systemd lets the fstab's device of `/` be (`mount_add_device_dependencies`).
    let runs_now = subject.baseline.is_some_and(|baseline| {
        let before = &baseline.facts.stage_1_root;
        before
            .as_deref()
            .is_some_and(|b| between(b, own) == Difference::None)
    });
    match difference {
        Difference::Certain if !runs_now => error(outcome, "root-device", summary, NEXT),
        _ => warning(outcome, "root-device", summary),
    }
}

/// `root=fstab` is how NixOS says that it is not the command line that tells.
fn is_told_otherwise(subject: &Subject, own: &str) -> bool {
    let mut params = subject.facts.kernel_params.iter();
    own == "/dev/root"
        || params.any(|param| {
            let root = param.strip_prefix("root=");
            root.is_some_and(|value| value != "fstab")
        })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Difference {
    None,
    /// Two names that one device may have.
    Possible,
    /// Two names of which a device has only one.
    Certain,
}

pub(super) fn between(one: &str, other: &str) -> Difference {
    let (Some((sort, value)), Some((other_sort, other_value))) = (tagged(one), tagged(other))
    else {
        return match one == other {
            true => Difference::None,
            false => Difference::Possible,
        };
    };
    let is_same = match sort {
        Tag::Uuid | Tag::PartUuid => value.eq_ignore_ascii_case(other_value),
        Tag::Label | Tag::PartLabel => value == other_value,
    };
    let is_escaped = value.contains('\\') || other_value.contains('\\');
    match sort == other_sort && !is_escaped {
        true if is_same => Difference::None,
        true => Difference::Certain,
        false if sort == other_sort && is_same => Difference::None,
        false => Difference::Possible,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::{FakeClosure, cpio_of, elf};
    use crate::inspect::testing::{ids, inspected, inspected_with_baseline, server};
    use crate::inspect::{Inspection, Options};
    use crate::vocabulary::{ElfClass, Verdict};

    const LABEL: &str = "/dev/disk/by-label/nixos";

    fn with_root(fake: FakeClosure, stage_1: &str, fstab: &str) -> FakeClosure {
        let init = elf(ElfClass::X86_64);
        let table = format!("/\n{stage_1}\next4\ndefaults");
        let name = "nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-initrd-fsinfo";
        let files = [
            ("init", 0o100_755, init.as_slice()),
            ("virtio_blk.ko", 0o100_644, b"".as_slice()),
            ("virtio_pci.ko", 0o100_644, b""),
            ("ext4.ko", 0o100_644, b""),
            (name, 0o100_644, table.as_bytes()),
        ];
        fake.file("initrd", cpio_of(&files));
        fake.file("etc/fstab", format!("{fstab} / ext4 defaults 0 1\n"));
        fake
    }

    fn of(stage_1: &str, fstab: &str) -> Inspection {
        inspected(&with_root(server(), stage_1, fstab))
    }

    #[test]
    fn two_labels_of_one_root_are_found() {
        let inspection = of(LABEL, "LABEL=other");
        assert_eq!(ids(&inspection), ["inspected/boot-path/root-device"]);
        assert_eq!(inspection.verdict, Verdict::Fail);
    }

    #[test]
    fn two_names_that_may_be_one_device_are_a_warning() {
        let inspection = of(LABEL, "/dev/vda1");
        assert_eq!(ids(&inspection), ["inspected/boot-path/root-device"]);
        assert_eq!(inspection.verdict, Verdict::Pass);
    }

    #[test]
    fn the_root_that_the_machine_boots_from_now_is_a_warning() {
        let baseline = with_root(server(), LABEL, LABEL);
        let candidate = with_root(server(), LABEL, "LABEL=other");
        let inspection = inspected_with_baseline(&candidate, &baseline, &Options::default());
        assert_eq!(ids(&inspection), ["inspected/boot-path/root-device"]);
        assert_eq!(inspection.verdict, Verdict::Pass);
    }

    #[test]
    fn one_root_by_two_spellings_and_a_root_of_the_command_line_are_silent() {
        assert_eq!(ids(&of(LABEL, LABEL)), [""; 0]);
        assert_eq!(ids(&of(LABEL, "LABEL=nixos")), [""; 0]);
        assert_eq!(ids(&of("/dev/root", LABEL)), [""; 0]);
        let fake = with_root(server(), LABEL, "LABEL=other");
        fake.file("kernel-params", "console=ttyS0 root=LABEL=other");
        assert_eq!(ids(&inspected(&fake)).len(), 0);
        fake.file("kernel-params", "console=ttyS0 root=fstab");
        assert_eq!(ids(&inspected(&fake)).len(), 1);
    }

    #[test]
    fn names_are_compared_by_their_sort() {
        assert_eq!(between("UUID=AB", "/dev/disk/by-uuid/ab"), Difference::None);
        assert_eq!(between("UUID=AB", "UUID=AC"), Difference::Certain);
        assert_eq!(between("LABEL=a", "PARTLABEL=b"), Difference::Possible);
        let escaped = "/dev/disk/by-label/a\\x20b";
        assert_eq!(between(escaped, "LABEL=a b"), Difference::Possible);
        assert_eq!(between(escaped, escaped), Difference::None);
    }
}

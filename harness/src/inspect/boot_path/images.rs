//! Kernel and initrd are whole.

use super::{error, found, warning};
use crate::inspect::rules::{Outcome, Subject};

const NEXT: &str = "build or copy its store path again (`nix-store --repair-path`), and look for more of it with `--verify-contents`";

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    if let Some(cut) = subject.survey.boot.kernel_cut {
        let summary = match cut.length {
            0 => "the kernel is an empty file".to_owned(),
            length => format!(
                "the kernel ends after {length} bytes, and its header says that it has at least {}",
                cut.declared
            ),
        };
        error(outcome, "kernel", summary, NEXT);
    }
    let boot = &subject.survey.boot;
    let initrd = boot
        .images
        .iter()
        .find(|i| Some(&i.path) == boot.initrd.as_ref());
    if initrd.is_some_and(|image| image.size == 0) {
        error(
            outcome,
            "initrd",
            "the initrd is an empty file".to_owned(),
            NEXT,
        );
        return;
    }
    let Some(damage) = &subject.facts.initrd_damage else {
        return;
    };
    if damage.init_is_whole {
        // The kernel says so on the console and starts `/init` all the same (`init/initramfs.c`).
        let summary = format!(
            "the initrd is damaged after the archive that has `/init`: {}",
            damage.reason
        );
        warning(outcome, "initrd", summary);
        return;
    }
    let summary =
        "the initrd cannot be unpacked: its archive is cut short or corrupt before its end";
    let finding = found("initrd", summary.to_owned()).with_evidence("initrd", &damage.reason);
    outcome.cause(summary, NEXT, [finding]);
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use crate::closure::testing::{bzimage, cpio_archive, initrd};
    use crate::inspect::testing::{ids, inspected, server};
    use crate::vocabulary::{ElfClass, Verdict};

    #[test]
    fn a_kernel_that_is_shorter_than_its_header_says_is_found() {
        let fake = server();
        let mut image = bzimage(true);
        image[0x1f4..0x1f8].copy_from_slice(&0x1000_u32.to_le_bytes());
        fake.file("kernel", &image);
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/boot-path/kernel"]);
        assert_eq!(inspection.verdict, Verdict::Fail);
        // Signed kernels are longer.
        image.resize(0x1_0000 + 5 * 512 + 1472, 0);
        fake.file("kernel", &image);
        assert_eq!(ids(&inspected(&fake)), [""; 0]);
    }

    #[test]
    fn an_empty_kernel_is_found() {
        let fake = server();
        fake.file("kernel", "");
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/boot-path/kernel"]);
        assert!(inspection.headline.contains("an empty file"));
    }

    #[test]
    fn an_empty_initrd_is_found() {
        let fake = server();
        fake.file("initrd", "");
        let found = ids(&inspected(&fake));
        assert_eq!(found[0], "inspected/boot-path/initrd", "{found:?}");
    }

    #[test]
    fn an_initrd_that_ends_before_its_end_is_found() {
        let fake = server();
        let whole = initrd(
            ElfClass::X86_64,
            &["virtio_blk.ko", "virtio_pci.ko", "ext4.ko"],
        );
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        encoder.write_all(&whole).unwrap();
        let compressed = encoder.finish().unwrap();
        for cut in [
            &whole[..whole.len() - 200],
            &compressed[..compressed.len() - 20],
        ] {
            fake.file("initrd", cut);
            let inspection = inspected(&fake);
            assert_eq!(ids(&inspection), ["inspected/boot-path/initrd"]);
            assert_eq!(inspection.verdict, Verdict::Fail);
            assert!(inspection.headline.contains("cannot be unpacked"));
        }
        fake.file("initrd", compressed);
        assert_eq!(ids(&inspected(&fake)).len(), 0);
    }

    #[test]
    fn damage_after_stage_1_is_a_warning_and_what_is_unknown_unproven() {
        let fake = server();
        let mut more = initrd(
            ElfClass::X86_64,
            &["virtio_blk.ko", "virtio_pci.ko", "ext4.ko"],
        );
        let whole = more.len();
        more.extend(&cpio_archive(&["etc/secret"])[..100]);
        fake.file("initrd", &more);
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/boot-path/initrd"]);
        assert_eq!(inspection.verdict, Verdict::Pass);
        more.truncate(whole);
        more.extend(b"\x89LZO and what no decoder of ours reads");
        fake.file("initrd", &more);
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), [""; 0]);
        assert_eq!(inspection.unproven[0].subject, "initrd");
    }
}

//! `/boot` has room for one more generation, where kernels are copied there.

use super::{Outcome, Scene};
use crate::audit::model::{AuditCheck, AuditFinding};

/// The menu, and what file systems round up.
const ROOM: u64 = 1 << 20;

pub(super) fn rule(scene: &Scene, outcome: &mut Outcome) {
    let machine = scene.machine;
    let (Ok(next), Some(free)) = (&machine.next, machine.boot_free) else {
        return;
    };
    let path = next.kernel.as_ref().and_then(|file| file.path.as_deref());
    if !path.is_some_and(|path| path.starts_with("/boot/")) {
        return;
    }
    let toplevel = machine.of(machine.next_toplevel());
    let Some(bytes) = toplevel.and_then(|toplevel| toplevel.boot_bytes) else {
        return;
    };
    let needed = bytes.saturating_add(ROOM);
    if free < needed {
        let mib = |bytes: u64| bytes.div_ceil(1 << 20);
        let summary = format!(
            "has {} MiB free, and a kernel and initrd as large as the next boot's take {} MiB: the next deploy may not fit",
            mib(free),
            mib(needed)
        );
        let finding = AuditFinding::new(AuditCheck::BootSpace, "/boot", summary);
        outcome.findings.push(finding.into_warning());
    }
}

//! Several runs on one host.

use std::thread;

use bootproof_tests::{Sandbox, guests};

#[test]
fn two_runs_at_once_share_a_cache() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| sandbox.bootproof(sandbox.toplevel_args()).assert().code(0));
        }
    });
    // One of them made the disk, the other one waited for it.
    assert_eq!(
        sandbox.qemu.started(),
        ["boot", "boot", "proof", "proof", "provision"]
    );
    assert_eq!(sandbox.cached_disks().len(), 1);
    assert_eq!(sandbox.workshops(), [""; 0]);
    let runs = bootproof_tests::sandbox::names_in(&sandbox.place("runs"));
    assert_eq!(runs.len(), 2, "{runs:?}");
    sandbox.wait_until_qemu_is_gone();
    sandbox.assert_no_litter();
}

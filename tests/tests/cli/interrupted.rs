//! Whatever ends bootproof, nothing outlives it, and the next run works.

use std::process::{Child, ExitStatus, Stdio};

use bootproof_tests::fake_qemu::{Act, Script};
use bootproof_tests::{Sandbox, guests};
use predicates::str::contains;
use rustix::process::{Pid, Signal, kill_process};

/// Starts a rehearsal, sends `signal` when its guest hangs, and waits for the end.
fn interrupt(sandbox: &Sandbox, signal: Signal) -> (ExitStatus, String) {
    let mut command = sandbox.process();
    command.args(sandbox.rehearsal_args());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let child = Running(command.spawn().unwrap());
    sandbox.wait_for_hang();
    kill_process(Pid::from_child(&child.0), signal).unwrap();
    let output = child.end();
    sandbox.wait_until_qemu_is_gone();
    sandbox.assert_no_litter();
    (
        output.status,
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// A child that does not outlive a test that fails.
struct Running(Child);

impl Running {
    fn end(mut self) -> std::process::Output {
        use std::io::Read as _;
        let mut stderr = Vec::new();
        self.0
            .stderr
            .take()
            .unwrap()
            .read_to_end(&mut stderr)
            .unwrap();
        let status = self.0.wait().unwrap();
        std::process::Output {
            status,
            stdout: Vec::new(),
            stderr,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The next run in this sandbox must get as far as its own guest, with one whole disk in the cache.
fn assert_next_run_works(sandbox: &Sandbox) {
    sandbox.play(&guests::without_bootable_disk());
    let mut args = sandbox.toplevel_args();
    args.extend(["--run-dir".into(), sandbox.place("next-run").into()]);
    let run = sandbox.bootproof(args).assert().code(1);
    run.stderr(contains("no bootable device"));
    assert_eq!(sandbox.workshops(), [""; 0], "the cache was not swept");
    assert_eq!(sandbox.cached_disks().len(), 1);
}

fn hanging() -> Sandbox {
    Sandbox::with_guest(|_| guests::that_hangs())
}

fn hanging_while_it_installs() -> Sandbox {
    Sandbox::with_guest(|_| guests::that_hangs_while_it_installs())
}

#[test]
fn ctrl_c_takes_the_machine_along_and_says_so() {
    for (signal, name) in [
        (Signal::INT, "Ctrl-C"),
        (Signal::TERM, "SIGTERM"),
        (Signal::HUP, "SIGHUP"),
    ] {
        let sandbox = hanging();
        let (status, stderr) = interrupt(&sandbox, signal);
        assert_eq!(status.code(), Some(2), "{stderr}");
        assert!(
            stderr.contains(&format!("interrupted by {name}")),
            "{stderr}"
        );
        assert!(stderr.contains("nothing is proven"), "{stderr}");
        assert!(
            stderr.contains(sandbox.run_directory().to_str().unwrap()),
            "{stderr}"
        );
        assert_next_run_works(&sandbox);
    }
}

#[test]
fn ctrl_c_leaves_no_half_made_disk() {
    for signal in [Signal::INT, Signal::TERM] {
        let sandbox = hanging_while_it_installs();
        let (status, _) = interrupt(&sandbox, signal);
        assert_eq!(status.code(), Some(2));
        assert_eq!(sandbox.workshops(), [""; 0]);
        assert_eq!(sandbox.cached_disks(), [""; 0]);
        assert_next_run_works(&sandbox);
    }
}

#[test]
fn a_killed_harness_leaves_no_machine_and_a_recording_that_can_be_told() {
    let sandbox = hanging();
    let (status, _) = interrupt(&sandbox, Signal::KILL);
    assert_eq!(status.code(), None);
    let run = sandbox.run_directory();
    assert!(!run.join("disk.qcow2").exists());
    let report = sandbox.bootproof(["report".as_ref(), run.as_os_str()]);
    { report }.assert().code(3).stderr(contains("unproven"));
    assert_next_run_works(&sandbox);
}

#[test]
fn the_half_made_disk_of_a_killed_harness_is_swept_by_the_next_run() {
    let sandbox = hanging_while_it_installs();
    interrupt(&sandbox, Signal::KILL);
    assert_eq!(sandbox.workshops().len(), 1);
    assert_eq!(sandbox.cached_disks(), [""; 0]);
    assert_next_run_works(&sandbox);
}

/// A guest that hangs in a QEMU that cannot be asked to end.
fn stubborn(acts: Vec<Act>) -> Script {
    guests::that_boots([vec![Act::IgnoreRequestsToEnd], acts].concat())
}

#[test]
fn a_qemu_that_ignores_every_request_to_end_is_gone_too() {
    for signal in [Signal::INT, Signal::KILL] {
        let sandbox = Sandbox::with_guest(|_| stubborn(vec![Act::Hang]));
        interrupt(&sandbox, signal);
        assert_next_run_works(&sandbox);
    }
    let panics = Act::Console(format!("{}\n", guests::PANIC));
    let sandbox = Sandbox::with_guest(|_| stubborn(vec![panics, Act::Hang]));
    sandbox.rehearsal().assert().code(1);
    assert_eq!(
        sandbox.qemu.alive(),
        [0; 0],
        "the run ended before its machine"
    );
}

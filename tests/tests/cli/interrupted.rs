//! Whatever ends bootproof, nothing outlives it, and the next run works.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, ExitStatus, Stdio};

use bootproof_tests::fake_qemu::{Act, Script};
use bootproof_tests::{Sandbox, guests};
use predicates::str::contains;
use rustix::process::{Pid, Signal, kill_process};

/// Starts a rehearsal, sends `signal` when its guest hangs, and waits for the end.
fn interrupt(sandbox: &Sandbox, signal: Signal) -> (ExitStatus, String) {
    let run = Running::start(sandbox, "run");
    sandbox.wait_for_hang();
    run.send(signal);
    let ended = run.end(sandbox);
    sandbox.wait_until_qemu_is_gone();
    sandbox.assert_no_litter();
    ended
}

/// A rehearsal that does not outlive a test that fails.
struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Running {
    /// Starts a rehearsal that is recorded in the sandbox's `directory`.
    fn start(sandbox: &Sandbox, directory: &str) -> Self {
        let mut command = sandbox.process();
        command
            .args(sandbox.toplevel_args())
            .arg("--run-dir")
            .arg(sandbox.place(directory))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stderr }
    }

    /// Waits until it says `text`.
    fn wait_for(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert_ne!(
                self.stderr.read_line(&mut line).unwrap(),
                0,
                "never said {text}"
            );
        }
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn end(mut self, sandbox: &Sandbox) -> (ExitStatus, String) {
        let mut status = None;
        sandbox.wait("the end of bootproof", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let mut stderr = String::new();
        self.stderr.read_to_string(&mut stderr).unwrap();
        (status.unwrap(), stderr)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The next run in this sandbox must get as far as its own guest, with one whole disk in the cache. Gives what it says.
fn assert_next_run_works(sandbox: &Sandbox) -> String {
    sandbox.play(&guests::without_bootable_disk());
    let mut args = sandbox.toplevel_args();
    args.extend(["--run-dir".into(), sandbox.place("next-run").into()]);
    let run = sandbox.bootproof(args).assert().code(1);
    let run = run.stderr(contains("no bootable device"));
    assert_eq!(sandbox.workshops(), [""; 0], "the cache was not swept");
    assert_eq!(sandbox.cached_disks().len(), 1);
    assert_eq!(sandbox.fresh_disks(), [""; 0]);
    String::from_utf8_lossy(&run.get_output().stderr).into_owned()
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
        assert_eq!(sandbox.fresh_disks().len(), 1);
        let told = assert_next_run_works(&sandbox);
        assert!(!told.contains("build the test disk"), "{told}");
        assert!(told.contains("go on with the disk"), "{told}");
    }
}

#[test]
fn a_killed_harness_leaves_no_machine_and_a_recording_that_can_be_told() {
    let sandbox = hanging();
    let (status, _) = interrupt(&sandbox, Signal::KILL);
    assert_eq!(status.code(), None);
    let run = sandbox.run_directory();
    assert!(!run.join("disk.qcow2").exists());
    let mut report = sandbox.bootproof(["report".as_ref(), run.as_os_str()]);
    report.assert().code(3).stderr(contains("unproven"));
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

#[test]
fn a_signal_while_the_disk_is_built_leaves_no_half_made_disk() {
    for signal in [Signal::INT, Signal::TERM] {
        let sandbox = Sandbox::with_guest(|_| guests::without_bootable_disk());
        let go = sandbox.slow_down("mke2fs");
        let run = Running::start(&sandbox, "run");
        sandbox.wait_for_hang();
        run.send(signal);
        fs::write(go, "").unwrap();
        let (status, stderr) = run.end(&sandbox);
        assert_eq!(status.code(), Some(2), "{stderr}");
        assert_eq!(sandbox.workshops(), [""; 0]);
        assert_eq!(sandbox.cached_disks(), [""; 0]);
        sandbox.assert_no_litter();
        assert_next_run_works(&sandbox);
    }
}

#[test]
fn ctrl_c_ends_a_run_that_waits_for_the_disk_of_another_one() {
    let sandbox = hanging_while_it_installs();
    let first = Running::start(&sandbox, "first");
    sandbox.wait_for_hang();
    let mut second = Running::start(&sandbox, "second");
    second.wait_for("look for the test disk in the cache");
    second.send(Signal::INT);
    let (status, _) = second.end(&sandbox);
    assert_eq!(status.code(), Some(2));
    assert_eq!(
        sandbox.workshops().len(),
        1,
        "the first run's disk was taken away"
    );
    first.send(Signal::INT);
    assert_eq!(first.end(&sandbox).0.code(), Some(2));
    sandbox.wait_until_qemu_is_gone();
    assert_next_run_works(&sandbox);
}

#[test]
fn a_run_that_waits_for_the_disk_of_a_killed_one_makes_it_itself() {
    let sandbox = hanging_while_it_installs();
    let first = Running::start(&sandbox, "first");
    sandbox.wait_for_hang();
    let mut second = Running::start(&sandbox, "second");
    second.wait_for("wait for another run, which makes the same test disk");
    sandbox.play(&guests::without_bootable_disk());
    first.send(Signal::KILL);
    assert_eq!(first.end(&sandbox).0.code(), None);
    let (status, stderr) = second.end(&sandbox);
    assert_eq!(status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("no bootable device"), "{stderr}");
    assert_eq!(sandbox.cached_disks().len(), 1);
    assert_next_run_works(&sandbox);
}

#[test]
fn a_reader_of_the_progress_that_goes_away_ends_no_run() {
    let sandbox = Sandbox::with_guest(|_| guests::without_bootable_disk());
    let mut command = sandbox.process();
    command
        .args(sandbox.rehearsal_args())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stderr.take());
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(1));
    assert!(sandbox.run_directory().join("report.json").exists());
    sandbox.wait_until_qemu_is_gone();
}

//! `bootproof debug`: the machine of a failed run once more, at a terminal and without one.

use std::fs;
use std::process::{Child, Stdio};

use bootproof_tests::fake_qemu::{Act, Answer};
use bootproof_tests::guests::{self, FIRST_BOOT};
use bootproof_tests::typed_terminal::Terminal;
use bootproof_tests::{Sandbox, guests::that_boots};
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;
use rustix::process::{Pid, Signal, kill_process};

/// A sandbox with a failed run, whose machine does `acts` when it is booted again.
fn failed(acts: Vec<Act>) -> Sandbox {
    let sandbox = Sandbox::with_guest(|_| guests::without_bootable_disk());
    sandbox.rehearsal().assert().code(1);
    sandbox.play(&that_boots(acts));
    let _ = fs::remove_file(sandbox.qemu.hanging());
    sandbox
}

fn say(text: &str) -> Act {
    Act::Console(format!("{text}\r\n"))
}

/// `bootproof debug` of the run, at `terminal`.
fn start(sandbox: &Sandbox, terminal: &Terminal, args: &[&str]) -> Child {
    let mut command = sandbox.process();
    command
        .arg("debug")
        .arg(sandbox.run_directory())
        .args(args)
        .env("TERM", "xterm")
        .stdin(terminal.stdio())
        .stdout(terminal.stdio())
        .stderr(terminal.stdio());
    command.spawn().unwrap()
}

#[test]
fn a_person_has_the_console_and_the_root_shell_and_the_evidence_stays() {
    let sandbox = failed(vec![
        say("stage 1\x1b]0;owned\x07 begins"),
        Act::HearConsole("root\r".to_owned()),
        say("Password:"),
        Act::Serial(format!("BOOTPROOF HELLO {FIRST_BOOT}\n")),
        Act::HearSerial("-i\n".to_owned()),
        Act::Serial("[root@web:~]# ".to_owned()),
        Act::HearSerial("id\r".to_owned()),
        Act::Serial("id\r\nuid=0(root)\r\n".to_owned()),
        Act::Hang,
    ]);
    let overlay = sandbox.run_directory().join("disk.qcow2");
    let before = fs::read(&overlay).unwrap();
    let mut terminal = Terminal::open();
    assert!(!terminal.is_raw());
    let mut session = start(&sandbox, &terminal, &[]);
    terminal.wait_for("Ctrl-] then s: root shell");
    terminal.wait_for("stage 1 begins");
    assert!(terminal.is_raw());
    terminal.type_keys("root\r");
    terminal.wait_for("Password:");
    terminal.wait_for("a root shell is there");
    terminal.type_keys("\x1ds");
    terminal.wait_for("[root@web:~]# ");
    terminal.type_keys("id\r");
    terminal.wait_for("uid=0(root)");
    terminal.type_keys("\x1dq");
    assert_eq!(session.wait().unwrap().code(), Some(0));
    assert!(!terminal.is_raw(), "the terminal was left raw");
    sandbox.wait_until_qemu_is_gone();
    sandbox.assert_no_litter();
    assert_eq!(fs::read(&overlay).unwrap(), before);
}

#[test]
fn the_shell_is_opened_as_soon_as_it_is_there_and_a_machine_that_goes_off_ends_the_session() {
    let sandbox = failed(vec![
        say("stage 1"),
        Act::Serial(format!("BOOTPROOF HELLO {FIRST_BOOT}\n")),
        Act::HearSerial(
            "rows 24 cols 80 2>/dev/null; export TERM='xterm'; unset SYSTEMD_COLORS; ".to_owned(),
        ),
        Act::HearSerial("-i\n".to_owned()),
        Act::Serial("# ".to_owned()),
        Act::HearSerial("poweroff\r".to_owned()),
    ]);
    let mut terminal = Terminal::open();
    let mut session = start(&sandbox, &terminal, &["--shell"]);
    terminal.wait_for("the root shell]");
    terminal.wait_for("# ");
    terminal.type_keys("poweroff\r");
    terminal.wait_for("the machine went off");
    assert_eq!(session.wait().unwrap().code(), Some(0));
    assert!(!terminal.is_raw());
}

#[test]
fn whatever_ends_the_session_the_terminal_is_as_it_was() {
    for signal in [Signal::TERM, Signal::HUP] {
        let sandbox = failed(vec![say("stage 1"), Act::Hang]);
        let mut terminal = Terminal::open();
        let mut session = start(&sandbox, &terminal, &[]);
        terminal.wait_for("stage 1");
        assert!(terminal.is_raw());
        kill_process(Pid::from_child(&session), signal).unwrap();
        assert_eq!(session.wait().unwrap().code(), Some(2));
        assert!(!terminal.is_raw(), "the terminal was left raw");
        sandbox.wait_until_qemu_is_gone();
        sandbox.assert_no_litter();
    }
}

#[test]
fn commands_on_stdin_are_run_by_the_root_shell() {
    let guest = |answer: Answer| {
        vec![
            Act::GreetShell(FIRST_BOOT.to_owned()),
            Act::Serve(vec![answer]),
            Act::Hang,
        ]
    };
    let sandbox = failed(guest(Answer::new("systemctl --failed", "nginx.service\n")));
    let debug = || {
        let run = sandbox.run_directory();
        let mut command = sandbox.bootproof(["debug".as_ref(), run.as_os_str()]);
        command.write_stdin("systemctl --failed\n");
        command
    };
    debug().assert().code(0).stdout("nginx.service\n");
    sandbox.play(&that_boots(guest(Answer {
        exit_code: 3,
        ..Answer::new("systemctl --failed", "no such thing\n")
    })));
    let told = debug().assert().code(1).stdout("no such thing\n");
    told.stderr(contains("the commands ended with 3"));
    sandbox.play(&that_boots(vec![say("Kernel panic - not syncing")]));
    let told = debug().assert().code(3).stdout("");
    told.stderr(
        contains("unproven: the machine went off").and(contains("Kernel panic - not syncing")),
    );
    sandbox.wait_until_qemu_is_gone();
    sandbox.assert_no_litter();
}

#[test]
fn a_run_that_cannot_be_booted_again_is_told_with_the_reason() {
    let sandbox = failed(vec![Act::Hang]);
    let started = sandbox.qemu.started();
    let debug = |directory: &str, input: &str| {
        let mut command = sandbox.bootproof(["debug", directory]);
        command.write_stdin(input.to_owned());
        command.assert().code(2)
    };
    let run = sandbox.run_directory();
    let run = run.to_str().unwrap();
    let elsewhere = sandbox.place("elsewhere");
    let mut command = sandbox.bootproof(["debug", run, "--cache-dir", elsewhere.to_str().unwrap()]);
    let told = command.write_stdin("id\n").assert().code(2);
    told.stderr(contains("there is no cache"));
    assert!(!elsewhere.exists());
    debug(run, "").stderr(contains("no commands on stdin"));
    debug("nowhere", "id\n").stderr(contains("is it the directory of a run?"));
    sandbox
        .bootproof(["cache", "clean", "--all"])
        .assert()
        .code(0);
    debug(run, "id\n").stderr(contains("no longer in the cache").and(contains("rehearse again")));
    fs::remove_file(sandbox.run_directory().join("disk.json")).unwrap();
    debug(run, "id\n").stderr(contains("has no disk").and(contains("--keep")));
    assert_eq!(sandbox.qemu.started(), started, "a machine was started");
    let null = sandbox
        .process()
        .args(["debug", run])
        .stdin(Stdio::null())
        .status();
    assert_eq!(null.unwrap().code(), Some(2));
}

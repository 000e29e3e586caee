//! What a run tells while it works: to people on a terminal and without one, and to programs.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use bootproof_tests::terminal::{Left, Terminal};
use bootproof_tests::{Sandbox, forms, guests};
use rustix::process::{Pid, Signal, kill_process};

const ROWS: u16 = 60;

/// A rehearsal in a terminal of its own.
fn in_terminal(sandbox: &Sandbox, columns: u16, environment: &[(&str, &str)]) -> Terminal {
    let mut command = sandbox.process();
    command
        .args(sandbox.rehearsal_args())
        .env("TERM", "xterm-256color");
    command.envs(environment.iter().copied());
    Terminal::start(&command, ROWS, columns)
}

fn assert_sane(left: &Left) {
    assert!(!left.cursor_is_hidden);
    assert_eq!(left.cursor_column, 0, "{:#?}", left.lines);
    let waits: Vec<_> = left
        .lines
        .iter()
        .filter(|l| l.contains("waits for"))
        .collect();
    assert!(waits.is_empty(), "the live line was left: {waits:#?}");
}

#[test]
fn a_terminal_has_a_live_line_that_is_gone_at_the_end() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let left = in_terminal(&sandbox, 120, &[]).end();
    assert_eq!(left.status.code(), Some(0), "{}", left.raw);
    assert_sane(&left);
    assert!(
        left.raw.contains("waits for the guest's root shell"),
        "{}",
        left.raw
    );
    let text = left.lines.join("\n");
    let done = text.find("warm-reboot: done").unwrap();
    assert!(done < text.find("pass: ").unwrap(), "{text}");
}

#[test]
fn ctrl_c_leaves_the_terminal_as_it_was() {
    let sandbox = Sandbox::with_guest(|_| guests::that_hangs());
    let mut terminal = in_terminal(&sandbox, 120, &[]);
    sandbox.wait_for_hang();
    terminal.interrupt();
    let left = terminal.end();
    assert_eq!(left.status.code(), Some(2), "{}", left.raw);
    assert_sane(&left);
    let last = left.lines.iter().rfind(|line| !line.is_empty()).unwrap();
    let text = left.lines.join("");
    assert!(text.contains("bootproof: interrupted by Ctrl-C"), "{last}");
    sandbox.wait_until_qemu_is_gone();
}

#[test]
fn a_narrow_terminal_has_no_rest_of_a_live_line() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let left = in_terminal(&sandbox, 24, &[]).end();
    assert_eq!(left.status.code(), Some(0), "{}", left.raw);
    assert_sane(&left);
}

#[test]
fn a_dumb_terminal_has_plain_lines() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let left = in_terminal(&sandbox, 80, &[("TERM", "dumb"), ("NO_COLOR", "1")]).end();
    assert_eq!(left.status.code(), Some(0), "{}", left.raw);
    assert!(!left.raw.contains('\u{1b}'), "{}", left.raw);
    assert!(
        !left.raw.replace("\r\n", "\n").contains('\r'),
        "{}",
        left.raw
    );
    assert!(
        left.raw
            .contains("waits for the guest's root shell, at most")
    );
}

#[test]
fn no_color_means_no_colour_and_a_live_line_all_the_same() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let coloured = in_terminal(&sandbox, 120, &[]).end();
    assert!(
        coloured.raw.contains("\u{1b}[1;32mpass: "),
        "{}",
        coloured.raw
    );
    let sandbox = Sandbox::with_guest(guests::healthy);
    let plain = in_terminal(&sandbox, 120, &[("NO_COLOR", "1")]).end();
    assert!(!plain.raw.contains("\u{1b}[1;3"), "{}", plain.raw);
    assert!(plain.raw.contains("waits for"));
}

#[test]
fn quiet_is_the_verdict_in_one_line_and_verbose_is_each_observation() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let run = sandbox.rehearsal().arg("--quiet").assert().code(0);
    let told = String::from_utf8(run.get_output().stderr.clone()).unwrap();
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.starts_with("pass: "), "{told}");

    let sandbox = Sandbox::with_guest(guests::healthy);
    let run = sandbox.rehearsal().arg("-v").assert().code(0);
    let told = String::from_utf8(run.get_output().stderr.clone()).unwrap();
    for needle in [
        "console 1: [    0.000000] Linux version",
        "dumped Journal in rebooted",
        "GET http",
    ] {
        assert!(told.contains(needle), "{needle}: {told}");
    }
}

fn kinds(lines: &[serde_json::Value]) -> Vec<&str> {
    let kind = |line: &'_ serde_json::Value| line["event"]["kind"].as_str().map(str::len);
    assert!(lines.iter().all(|line| kind(line).is_some()));
    lines
        .iter()
        .map(|line| line["event"]["kind"].as_str().unwrap())
        .collect()
}

#[test]
fn json_lines_begin_with_what_is_begun_and_end_with_the_verdict() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let args = ["--format", "json-lines", "--verbose"];
    let run = sandbox.rehearsal().args(args).assert().code(0);
    let output = run.get_output();
    assert!(output.stderr.is_empty(), "{output:?}");
    let lines = forms::assert_lines(&output.stdout);
    let kinds = kinds(&lines);
    assert_eq!((kinds[0], kinds[kinds.len() - 1]), ("begun", "verdict"));
    for kind in [
        "inspected",
        "step-started",
        "powered-on",
        "stage",
        "console",
        "dumped",
        "http",
        "waiting",
    ] {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }
    let verdict = &lines[lines.len() - 1]["event"];
    assert_eq!(
        (&verdict["verdict"], &verdict["exit_code"]),
        (&"pass".into(), &0.into())
    );

    let sandbox = Sandbox::with_guest(guests::healthy);
    let args = ["--format", "json-lines", "--quiet"];
    let run = sandbox.rehearsal().args(args).assert().code(0);
    assert_eq!(forms::assert_lines(&run.get_output().stdout).len(), 1);
}

#[test]
fn each_json_line_is_there_when_it_happens_and_an_end_without_verdict_is_told() {
    let sandbox = Sandbox::with_guest(|_| guests::that_hangs());
    let mut command: Command = sandbox.process();
    command
        .args(sandbox.rehearsal_args())
        .args(["--format", "json-lines"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut all = String::new();
    // The process lives and the guest hangs: only what was flushed can be read.
    while !all.contains("\"powered-on\",\"boot\":1") {
        assert_ne!(stdout.read_line(&mut all).unwrap(), 0, "{all}");
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    stdout.read_to_string(&mut all).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
    let lines = forms::assert_lines(all.as_bytes());
    let last = &lines[lines.len() - 1]["event"];
    assert_eq!(
        (&last["kind"], &last["exit_code"]),
        (&"failed".into(), &2.into())
    );
    assert!(last["error"].as_str().unwrap().contains("interrupted"));
    sandbox.wait_until_qemu_is_gone();
}

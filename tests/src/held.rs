//! A guest of the lab that a rehearsal leaves to the test, and that is reached over ssh.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::lab::bootproof;

/// What `ssh` is told in `NIX_SSHOPTS`: the guest is new each time, and nobody knows its key.
const SSH_OPTIONS: &str =
    "-oStrictHostKeyChecking=no -oUserKnownHostsFile=/dev/null -oLogLevel=ERROR -oBatchMode=yes";

/// A system of a scenario of the lab, as the link that the lab made.
pub fn toplevel(lab: &Path, scenario: &str, system: &str) -> String {
    let link = lab.join("closures").join(scenario).join(system);
    let target = fs::read_link(&link).unwrap_or_else(|e| panic!("{}: {e}", link.display()));
    target.to_str().unwrap().to_owned()
}

/// A rehearsal that waits in a state.
pub struct HeldGuest {
    rehearsal: Child,
    /// On the host's loopback.
    port: u16,
    _work: TempDir,
}

impl HeldGuest {
    /// Rehearses systems of a scenario until `state`. Without a baseline, `candidate` is the only system on the disk.
    pub fn of(lab: &Path, candidate: &str, baseline: Option<&str>, state: &str) -> Self {
        let work = tempfile::tempdir().unwrap();
        let mut command = Command::new(bootproof());
        command
            .args([
                "test",
                "--expect-system",
                "x86_64-linux",
                "--toplevel",
                candidate,
            ])
            .args(
                baseline
                    .map(|baseline| ["--baseline", baseline])
                    .into_iter()
                    .flatten(),
            )
            .arg("--store")
            .arg(lab.join("root"))
            .args(["--hold", state, "--run-dir"])
            .arg(work.path().join("run"));
        let mut rehearsal = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(rehearsal.stderr.take().unwrap());
        let mut lines = stderr.lines().map_while(Result::ok);
        let mut told = String::new();
        let port = lines.by_ref().find_map(|line| {
            told.push_str(&line);
            told.push('\n');
            let (_, port) = line.split_once("port 22 of the guest is port ")?;
            port.split(' ').next()?.parse().ok()
        });
        // What it says afterwards has to be read, so that it can say it.
        thread::spawn(move || lines.for_each(drop));
        Self {
            rehearsal,
            port: port.unwrap_or_else(|| panic!("the guest was not held:\n{told}")),
            _work: work,
        }
    }

    /// As `ssh` takes it.
    pub fn destination(&self) -> String {
        format!("ssh://root@127.0.0.1:{}", self.port)
    }

    /// The program under test, with what ssh must be told of this guest.
    pub fn bootproof<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(bootproof());
        command.args(arguments).env("NIX_SSHOPTS", SSH_OPTIONS);
        command
    }

    /// What a script prints in the guest.
    pub fn run(&self, script: &str) -> String {
        let mut ssh = Command::new("ssh")
            .args(SSH_OPTIONS.split(' '))
            .args([&self.destination(), "sh -s"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        ssh.stdin
            .take()
            .unwrap()
            .write_all(script.as_bytes())
            .unwrap();
        let output = ssh.wait_with_output().unwrap();
        assert!(output.status.success(), "{script}: {}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for HeldGuest {
    fn drop(&mut self) {
        if let (Ok(None), Some(pid)) = (
            self.rehearsal.try_wait(),
            Pid::from_raw(self.rehearsal.id().cast_signed()),
        ) {
            // It takes its machine with it.
            let _ = kill_process(pid, Signal::TERM);
            let _ = self.rehearsal.wait();
        }
    }
}

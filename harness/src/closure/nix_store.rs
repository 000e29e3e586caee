//! Asks the host's Nix about its store, and never waits for it without an end.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::ClosureError;
use crate::offspring::die_with_parent;

/// A question about 10,000 paths takes two seconds; a store whose database is locked answers never.
const DEADLINE: Duration = Duration::from_secs(120);
/// Answers are lists of paths: a closure of 100,000 paths has 10 MB of them.
const LONGEST_ANSWER: u64 = 256 << 20;

/// What `nix-store ARGUMENTS` prints of the store at `root`; `None` when Nix is not there, or refuses.
///
/// A chroot store without a database is not asked about, because Nix would create one.
///
/// # Errors
/// When Nix does not answer in time.
pub(super) fn ask<S: AsRef<OsStr>>(
    root: &Path,
    arguments: &[S],
) -> Result<Option<String>, ClosureError> {
    let mut command = Command::new("nix-store");
    if root != Path::new("/") {
        if !root.join("nix/var/nix/db/db.sqlite").exists() {
            return Ok(None);
        }
        command.arg("--store").arg(root);
    }
    command.args(arguments);
    answer(command, DEADLINE)
}

fn answer(mut command: Command, deadline: Duration) -> Result<Option<String>, ClosureError> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    die_with_parent(&mut command);
    let Ok(mut child) = command.spawn() else {
        return Ok(None);
    };
    let (sender, receiver) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            let mut text = String::new();
            let read = stdout.take(LONGEST_ANSWER).read_to_string(&mut text);
            // Who no longer waits needs no answer.
            let _ = sender.send(read.map(|_| text));
        });
    }
    let Ok(read) = receiver.recv_timeout(deadline) else {
        // One that is gone already is as good as killed.
        let _ = child.kill();
        let _ = child.wait();
        return Err(ClosureError::NixSilent(deadline.as_secs()));
    };
    let ended: io::Result<_> = child.wait();
    let success = ended.is_ok_and(|status| status.success());
    Ok(read.ok().filter(|_| success))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, deadline: Duration) -> Result<Option<String>, ClosureError> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        answer(command, deadline)
    }

    #[test]
    fn an_answer_counts_only_with_success() {
        let long = Duration::from_secs(60);
        assert_eq!(shell("echo x", long).unwrap().as_deref(), Some("x\n"));
        assert_eq!(shell("echo x; exit 1", long).unwrap(), None);
        let gone = Command::new("/no/such/program");
        assert_eq!(answer(gone, long).unwrap(), None);
    }

    #[test]
    fn silence_ends_with_the_deadline() {
        let error = shell("exec sleep 600", Duration::from_millis(50)).unwrap_err();
        assert!(matches!(error, ClosureError::NixSilent(_)), "{error}");
    }

    #[test]
    fn a_chroot_store_without_a_database_is_not_asked_about() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(ask(root.path(), &["-qR", "/nix/store/x"]).unwrap(), None);
        assert!(!root.path().join("nix").exists());
    }
}

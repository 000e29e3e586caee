//! The executables that a journal names as refused, and what `ldd` says of them.
//!
//! Called by the rehearsal, which asks `ldd` about them, and by `dump`. It judges neither.

use std::collections::BTreeSet;

use super::{journal, sanitise};

/// How many are asked about: each is one more process in the guest.
const EXECUTABLES_ASKED: usize = 3;
/// Longer than any path of a store.
const PATH_LIMIT: usize = 300;

/// Executables that systemd could not execute, by their paths; `output` is a dump of the journal.
///
/// The first by their file names, so that each run and each build asks about the same ones; and only plain absolute paths, because they become
/// words of a shell's script. systemd's `src/core/exec-invoke.c` has both lines.
pub fn executables(output: &str) -> Vec<String> {
    let mut paths: BTreeSet<(String, String)> = BTreeSet::new();
    for entry in journal::parse(output).entries {
        let message = entry.message.as_str();
        let phrases = ["Failed at step EXEC spawning ", "Failed to execute "];
        let named = phrases.iter().find_map(|p| message.split_once(p));
        let path = named
            .and_then(|(_, rest)| rest.rsplit_once(": "))
            .map(|(path, _)| path);
        let path = path.filter(|path| is_plain(path));
        paths.extend(path.map(|path| (file_name(path), path.to_owned())));
        if paths.len() > EXECUTABLES_ASKED {
            paths.pop_last();
        }
    }
    paths.into_iter().map(|(_, path)| path).collect()
}

fn file_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

fn is_plain(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._+-=?@:".contains(c);
    path.starts_with('/') && path.len() <= PATH_LIMIT && path.chars().all(plain)
}

/// Reads `PATH=LINE` lines, of paths that [`executables`] may have named.
pub(super) fn answers(output: &str) -> Vec<(String, String)> {
    let lines = output.lines().filter_map(|line| line.split_once('='));
    lines
        .map(|(path, said)| (sanitise::line(path), sanitise::line(said)))
        .filter(|(path, said)| is_plain(path) && !said.is_empty())
        .take(EXECUTABLES_ASKED)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(messages: &[&str]) -> String {
        let lines = messages
            .iter()
            .map(|m| format!("{{\"MESSAGE\":\"{m}\"}}\n"));
        lines.collect()
    }

    #[test]
    fn each_refused_executable_is_named_once_and_the_same_three_in_every_run() {
        let output = journal(&[
            "a.service: Failed to execute /nix/store/x-a/bin/a: Exec format error",
            "a.service: Failed at step EXEC spawning /nix/store/x-a/bin/a: Exec format error",
            "Failed at step EXEC spawning /b: No such file or directory",
            "Failed at step EXEC spawning /c: Permission denied",
            "Failed at step EXEC spawning /d: Permission denied",
        ]);
        assert_eq!(executables(&output), ["/nix/store/x-a/bin/a", "/b", "/c"]);
    }

    #[test]
    fn what_a_shell_would_read_is_not_asked_about() {
        let hostile = journal(&[
            "Failed to execute /x';reboot;': Exec format error",
            "Failed to execute /$(reboot): Exec format error",
            "Failed to execute relative: Exec format error",
            "Started a.service.",
        ]);
        assert!(executables(&hostile).is_empty());
    }

    #[test]
    fn an_answer_is_a_path_and_a_line() {
        let read = answers("/a=\tnot a dynamic executable\n/b=\nnonsense\n");
        let expected = ("/a".to_owned(), "not a dynamic executable".to_owned());
        assert_eq!(read, [expected]);
    }
}

//! The disk as a power cut leaves it: what the machine wrote up to some moment, and nothing that came later.
//!
//! A disk that has a cache may forget whatever it was not told to flush. A rebuilt disk has all writes up to a point of the log, in their
//! order; that a disk may also reorder what lies between two flushes is not tried.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::write_log::Logged;

/// A moment at which the power goes, and what is on the disk then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// How many entries of the log reached the disk.
    pub kept: usize,
    /// `cut at the last flush`.
    pub name: String,
}

/// Two cuts between flushes tell a disk that is always whole from one that is whole after a flush.
const BETWEEN: usize = 2;

/// Where to cut: amid the most that lay unflushed at once since the entry `since`, and at the last flush; in order.
pub fn cuts(log: &[Logged], since: usize) -> Vec<Cut> {
    let last_flush = log
        .iter()
        .rposition(|entry| *entry == Logged::Flush)
        .map_or(0, |at| at + 1);
    let mut between = unflushed(log, since);
    between.sort_by_key(|(writes, start)| (std::cmp::Reverse(*writes), *start));
    let mut points: Vec<usize> = between
        .into_iter()
        .take(BETWEEN)
        .map(|(writes, start)| amid(log, start, writes))
        .collect();
    points.sort_unstable();
    let mut cuts: Vec<Cut> = points
        .into_iter()
        .enumerate()
        .map(|(n, kept)| Cut {
            kept,
            name: format!("cut between two flushes ({})", n + 1),
        })
        .collect();
    cuts.push(Cut {
        kept: last_flush,
        name: "cut at the last flush".to_owned(),
    });
    cuts.sort_by_key(|cut| cut.kept);
    cuts
}

/// The stretches between flushes since `since` with more than one write: how many, and the entry with which each begins.
pub(super) fn unflushed(log: &[Logged], since: usize) -> Vec<(usize, usize)> {
    let mut stretches = Vec::new();
    let (mut writes, mut start) = (0, since);
    for (at, entry) in log.iter().enumerate().skip(since) {
        match entry {
            Logged::Flush => {
                stretches.push((writes, start));
                (writes, start) = (0, at + 1);
            }
            Logged::Write { .. } => writes += 1,
            Logged::Discard => {}
        }
    }
    stretches.push((writes, start));
    stretches.retain(|(writes, _)| *writes > 1);
    stretches
}

/// The number of entries up to the middle of the `writes` writes that begin at `start`.
pub(super) fn amid(log: &[Logged], start: usize, writes: usize) -> usize {
    let mut left = writes / 2;
    for (at, entry) in log.iter().enumerate().skip(start) {
        if entry.is_write() {
            left -= 1;
            if left == 0 {
                return at + 1;
            }
        }
    }
    log.len()
}

/// Writes to `disk` what these entries of the log in `file` wrote.
///
/// # Errors
/// When the log cannot be read, or the disk not be written.
pub fn replay(file: &File, entries: &[Logged], disk: &File) -> io::Result<()> {
    const CHUNK: usize = 1 << 20;
    let mut buffer = vec![0; CHUNK];
    for entry in entries {
        let Logged::Write { at, bytes, data } = *entry else {
            continue;
        };
        let mut done = 0;
        while done < bytes {
            let length = usize::try_from(bytes - done).map_or(CHUNK, |left| left.min(CHUNK));
            let part = &mut buffer[..length];
            file.read_exact_at(part, data + done)?;
            disk.write_all_at(part, at + done)?;
            done += length as u64;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::process::{Command, Stdio};

    use super::super::write_log::{read_log, tests::log};
    use super::*;

    const W: Logged = Logged::Write {
        at: 0,
        bytes: 512,
        data: 1024,
    };
    const F: Logged = Logged::Flush;

    fn kept(log: &[Logged], since: usize) -> Vec<usize> {
        cuts(log, since).iter().map(|cut| cut.kept).collect()
    }

    #[test]
    fn the_power_goes_at_the_last_flush_and_amid_what_was_not_flushed() {
        assert_eq!(kept(&[], 0), [0]);
        assert_eq!(kept(&[W, F, W], 0), [2]);
        assert_eq!(kept(&[W, W, W, W, F, W, W, F, W, W], 0), [2, 6, 8]);
        assert_eq!(kept(&[W, W, W, W, F, W, W, F, W, W], 5), [6, 8, 9]);
        let names: Vec<String> = cuts(&[W, W, F, W, W], 0)
            .into_iter()
            .map(|cut| cut.name)
            .collect();
        assert_eq!(
            names,
            [
                "cut between two flushes (1)",
                "cut at the last flush",
                "cut between two flushes (2)"
            ]
        );
    }

    #[test]
    fn what_comes_after_the_cut_is_not_on_the_disk() {
        let file = log(&[(0, 1, 0, 1), (0, 0, 1, 0), (0, 1, 0, 2), (3, 1, 0, 3)]);
        let entries = read_log(&file, 4096).unwrap();
        let disk = tempfile::tempfile().unwrap();
        disk.set_len(4096).unwrap();
        let read = |at: u64| {
            let mut byte = [0];
            disk.read_exact_at(&mut byte, at).unwrap();
            byte[0]
        };
        replay(&file, &entries[..2], &disk).unwrap();
        assert_eq!((read(0), read(1536)), (1, 0));
        replay(&file, &entries[2..], &disk).unwrap();
        assert_eq!((read(511), read(1536)), (2, 3));
    }

    /// The experiment that the whole of it rests on: a disk of a real QEMU that is killed keeps what was never flushed, and ours does not.
    #[test]
    fn a_killed_qemu_loses_nothing_and_a_cut_loses_what_was_never_flushed() {
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| directory.path().join(name);
        for (name, bytes) in [("disk", 1 << 20), ("log", 0)] {
            File::create(place(name)).unwrap().set_len(bytes).unwrap();
        }
        let drive = format!(
            "id=disk,if=none,driver=blklogwrites,file.driver=raw,file.file.driver=file,file.file.filename={},log.driver=file,\
             log.filename={}",
            place("disk").display(),
            place("log").display()
        );
        let started = Command::new("qemu-system-x86_64")
            .args(["-machine", "none", "-nodefaults", "-display", "none"])
            .args(["-qmp", "stdio", "-drive", &drive])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut qemu) = started else {
            eprintln!("skipped: there is no qemu-system-x86_64 here");
            return;
        };
        let mut monitor = qemu.stdin.take().unwrap();
        let mut lines = BufReader::new(qemu.stdout.take().unwrap()).lines();
        let mut ask = |command: &str, arguments: serde_json::Value| {
            let line = serde_json::json!({ "execute": command, "arguments": arguments });
            writeln!(monitor, "{line}").unwrap();
            // What `qemu-io` says stands on the same stream.
            let answer = lines.find(|line| line.as_ref().unwrap().starts_with("{\"return\""));
            answer.unwrap().unwrap();
        };
        ask("qmp_capabilities", serde_json::json!({}));
        for io in ["write -P 1 0 4k", "flush", "write -P 2 4k 4k"] {
            let line = format!("qemu-io disk \"{io}\"");
            ask(
                "human-monitor-command",
                serde_json::json!({ "command-line": line }),
            );
        }
        qemu.kill().unwrap();
        qemu.wait().unwrap();
        let first_bytes = |disk: &File| {
            [0, 4096].map(|at| {
                let mut byte = [0];
                disk.read_exact_at(&mut byte, at).unwrap();
                byte[0]
            })
        };
        assert_eq!(first_bytes(&File::open(place("disk")).unwrap()), [1, 2]);

        let file = File::open(place("log")).unwrap();
        let entries = read_log(&file, 1 << 20).unwrap();
        let rebuilt = tempfile::tempfile().unwrap();
        rebuilt.set_len(1 << 20).unwrap();
        let cut = cuts(&entries, 0).pop().unwrap();
        assert_eq!(cut.name, "cut at the last flush");
        replay(&file, &entries[..cut.kept], &rebuilt).unwrap();
        assert_eq!(first_bytes(&rebuilt), [1, 0]);
    }
}

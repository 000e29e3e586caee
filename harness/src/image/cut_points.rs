//! Where the power goes within the named parts of what was done under one power: each part is a stretch of the log of writes.
//!
//! What counts of a moment is what was on the medium. A journal makes a whole step visible by one flush, so that the moments behind flushes
//! are those in which a disk is in another state than before; between two of them the writes to places that are in use already count.

use super::power_cut::{Cut, amid, unflushed};
use super::write_log::Logged;

/// A part of what was done, and where to look for cuts in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// As it is spoken after `cut`: `while the closure is copied`.
    pub name: &'static str,
    /// How much of the log was written when it had ended; it begins where the part before it ends.
    pub end: usize,
    pub at: Moments,
}

/// Which moments of a part are worth a boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moments {
    /// Amid the most that lay unflushed at once, and behind so many of its flushes, the last one among them.
    Within { flushes: usize },
    /// When it had ended, and all that it wrote until then was on the disk.
    AtItsEnd,
}

/// What comes of the parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CutPoints {
    /// In order; no two of them leave the same disk.
    pub cuts: Vec<Cut>,
    /// Parts of which nothing had reached the disk when they had ended, beyond what an earlier cut leaves.
    pub unwritten: Vec<&'static str>,
}

/// The cuts of parts that follow upon each other, the first of which begins at the entry `begin`.
pub fn cut_points(log: &[Logged], begin: usize, parts: &[Part]) -> CutPoints {
    let mut points = CutPoints::default();
    let mut from = begin.min(log.len());
    // What is on the disk before the first part is the machine as it was: no cut of anything.
    let mut last = from;
    for part in parts {
        let to = part.end.clamp(from, log.len());
        let before = points.cuts.len();
        for cut in of_part(log, from, to, part) {
            if writes(log, last, cut.kept) > 0 {
                last = cut.kept;
                points.cuts.push(cut);
            }
        }
        if points.cuts.len() == before {
            points.unwritten.push(part.name);
        }
        from = to;
    }
    points
}

/// The moments of one part, in order.
fn of_part(log: &[Logged], from: usize, to: usize, part: &Part) -> Vec<Cut> {
    let cut = |kept, when: &str| Cut {
        kept,
        name: format!("cut {} ({when})", part.name),
    };
    let flushes = match part.at {
        Moments::AtItsEnd => {
            return vec![Cut {
                kept: to,
                name: format!("cut {}", part.name),
            }];
        }
        Moments::Within { flushes } => flushes,
    };
    let behind = flushes_that_count(log, from, to);
    let mut cuts: Vec<Cut> = spread(behind.len(), flushes)
        .map(|n| cut(behind[n], &format!("flush {} of {}", n + 1, behind.len())))
        .collect();
    let longest = unflushed(&log[..to], from)
        .into_iter()
        .max_by_key(|(writes, start)| (*writes, std::cmp::Reverse(*start)));
    if let Some((writes, start)) = longest {
        cuts.push(cut(amid(log, start, writes), "between two flushes"));
    }
    cuts.sort_by_key(|cut| cut.kept);
    cuts
}

/// How much is kept behind each flush that something was written before, since the one before it. A journal flushes, writes one record that
/// makes what it holds count, and flushes again (the kernel's jbd2): before the first record of the part nothing of it counts.
fn flushes_that_count(log: &[Logged], from: usize, to: usize) -> Vec<usize> {
    let mut behind = Vec::new();
    let mut is_new = false;
    for (at, entry) in log.iter().enumerate().take(to).skip(from) {
        match entry {
            Logged::Flush if is_new => {
                behind.push(at + 1);
                is_new = false;
            }
            Logged::Write { .. } => is_new = true,
            Logged::Flush | Logged::Discard => {}
        }
    }
    if let [first, second, ..] = behind[..]
        && writes(log, first, second) == 1
    {
        behind.remove(0);
    }
    behind
}

/// At most `most` of `many`, evenly apart, the last one among them.
fn spread(many: usize, most: usize) -> impl Iterator<Item = usize> {
    let chosen = most.min(many);
    (1..=chosen).map(move |n| n * many / chosen - 1)
}

fn writes(log: &[Logged], from: usize, to: usize) -> usize {
    let part = log.get(from..to).unwrap_or_default();
    part.iter().filter(|entry| entry.is_write()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const W: Logged = Logged::Write {
        at: 0,
        bytes: 512,
        data: 1024,
    };
    const F: Logged = Logged::Flush;

    fn part(name: &'static str, end: usize, at: Moments) -> Part {
        Part { name, end, at }
    }

    fn within(name: &'static str, end: usize, flushes: usize) -> Part {
        part(name, end, Moments::Within { flushes })
    }

    fn kept(points: &CutPoints) -> Vec<usize> {
        points.cuts.iter().map(|cut| cut.kept).collect()
    }

    #[test]
    fn each_part_is_cut_within_its_own_writes() {
        let log = [W, F, W, W, W, W, F, W, F, W, W, F, W];
        let points = cut_points(
            &log,
            2,
            &[
                within("while it is copied", 7, 1),
                part("between the two", 8, Moments::AtItsEnd),
                within("in the install", 13, 3),
            ],
        );
        assert_eq!(kept(&points), [4, 7, 8, 10, 12]);
        let names: Vec<&str> = points.cuts.iter().map(|cut| cut.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "cut while it is copied (between two flushes)",
                "cut while it is copied (flush 1 of 1)",
                "cut between the two",
                "cut in the install (between two flushes)",
                "cut in the install (flush 1 of 1)",
            ]
        );
        assert_eq!(points.unwritten, [""; 0]);
    }

    #[test]
    fn a_part_that_wrote_nothing_is_told_and_not_booted() {
        let log = [W, F, F, F];
        let parts = [
            within("while it is copied", 2, 1),
            part("between the two", 3, Moments::AtItsEnd),
            within("in the install", 4, 3),
        ];
        let points = cut_points(&log, 0, &parts);
        assert_eq!(kept(&points), [2]);
        assert_eq!(points.unwritten, ["between the two", "in the install"]);
        assert_eq!(cut_points(&[], 0, &parts).cuts, []);
        // A mark beyond the log's end is the log's end.
        assert_eq!(cut_points(&log, 9, &parts).unwritten.len(), 3);
    }

    #[test]
    fn of_many_flushes_some_are_taken_evenly_and_the_last_one() {
        let log = [W, W, F].repeat(8);
        let points = cut_points(&log, 0, &[within("in the install", 24, 3)]);
        assert_eq!(kept(&points), [1, 6, 15, 24]);
        assert!(points.cuts[1].name.ends_with("(flush 2 of 8)"));
        assert_eq!(spread(0, 3).count(), 0);
        assert_eq!(spread(3, 3).collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[test]
    fn a_state_between_two_flushed_ones_is_found_where_it_is_behind_a_flush_of_its_own() {
        // An installer that empties its file and writes it later: each a commit of the journal, with a flush before and behind its record.
        let log = [W, W, F, W, F, F, W, W, F, W, F, F];
        let points = cut_points(&log, 0, &[within("in the install", 12, 3)]);
        // Neither before its record nor with anything of what comes next.
        let emptied = 5..7;
        assert!(kept(&points).iter().any(|kept| emptied.contains(kept)));
    }
}

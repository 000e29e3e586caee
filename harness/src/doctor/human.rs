//! The examination for people.

use std::fmt::Write as _;

use super::model::{Examination, Level};

/// The verdict first, then a line for each thing, those that stand against a rehearsal first.
pub fn render(examination: &Examination) -> String {
    let missing = |level| usize::from(level == Level::Missing);
    let count: usize = examination.lines.iter().map(|l| missing(l.level)).sum();
    let mut text = match examination.can_rehearse {
        true => "a rehearsal can run here\n".to_owned(),
        false => format!("no rehearsal can run here: {count} missing\n"),
    };
    let mut lines: Vec<_> = examination.lines.iter().collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.level));
    for line in lines {
        let level = match line.level {
            Level::Ok => "ok",
            Level::Note => "note",
            Level::Missing => "missing",
        };
        let _ = writeln!(text, "  {level:<8} {:<19} {}", line.subject, line.told);
        if let Some(next) = &line.next {
            let _ = writeln!(text, "  {:<8} {:<19} {next}", "", "");
        }
    }
    let used = &examination.rehearsal;
    let _ = writeln!(
        text,
        "a rehearsal of a server of {} MiB would use {} MiB of memory, {} cores, and about {} MiB in the cache",
        used.closure_mib, used.memory_mib, used.cores, used.disk_mib
    );
    if let (Some(first), Some(later)) = (used.first_seconds, used.later_seconds) {
        let _ = writeln!(
            text,
            "and take about {} the first time, then about {} (of your closure: bootproof test … --dry-run)",
            minutes(first),
            minutes(later)
        );
    }
    text
}

fn minutes(seconds: u32) -> String {
    match seconds.div_ceil(60) {
        1 => "a minute".to_owned(),
        n => format!("{n} minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::judge::tests::healthy;
    use super::super::{examine, render};

    #[test]
    fn what_stands_against_a_rehearsal_comes_first() {
        let mut probed = healthy();
        let told = render(&examine(&probed));
        assert!(told.starts_with("a rehearsal can run here\n"), "{told}");
        assert!(told.contains("the first time, then about"), "{told}");
        probed.tools.remove("qemu-img");
        let told = render(&examine(&probed));
        let mut lines = told.lines();
        assert_eq!(lines.next(), Some("no rehearsal can run here: 1 missing"));
        assert!(
            lines.next().unwrap().contains("missing  qemu-img"),
            "{told}"
        );
        assert!(lines.next().unwrap().contains("apt-get install qemu-utils"));
    }
}

//! What is other in a report than in the approved one, line by line, as `diff -u` shows it.

use similar::{ChangeTag, TextDiff};

use super::Snapshot;
use crate::fold::sanitise;

/// Lines around a change.
const CONTEXT: usize = 3;
/// No report has more; aligning takes their product in steps where two texts have little in common.
const LINE_LIMIT: usize = 20_000;

/// A report that is not the approved one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// How many lines of the approved report this one lacks.
    pub removed: usize,
    /// How many lines it has that the approved one lacks.
    pub added: usize,
    /// The changed lines with those around them, each fit for a terminal.
    pub lines: Vec<String>,
}

/// What differs; `None` where both are the same.
pub fn compare(approved: &Snapshot, now: &Snapshot) -> Option<Difference> {
    if approved == now {
        return None;
    }
    let (old, new) = (approved.text(), now.text());
    let (removed, added) = (old.lines().count(), new.lines().count());
    if removed.max(added) > LINE_LIMIT {
        let text =
            format!("too long to compare line by line: {removed} lines approved, {added} now");
        return Some(Difference {
            removed,
            added,
            lines: vec![text],
        });
    }
    Some(align(old, new))
}

fn align(old: &str, new: &str) -> Difference {
    let diff = TextDiff::from_lines(old, new);
    let old_lines: Vec<&str> = old.lines().collect();
    let mut found = Difference {
        removed: 0,
        added: 0,
        lines: Vec::new(),
    };
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        let changes: Vec<_> = hunk.iter_changes().collect();
        let before = changes.iter().take_while(|c| c.tag() == ChangeTag::Equal);
        let at = hunk.ops().first().map_or(0, |op| op.old_range().start);
        let place = place(&old_lines, at + before.count());
        let head = format!("{} {place}", hunk.header().to_string().trim_end());
        found.lines.push(sanitise::line(&head));
        for change in changes {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => {
                    found.removed += 1;
                    '-'
                }
                ChangeTag::Insert => {
                    found.added += 1;
                    '+'
                }
            };
            found
                .lines
                .push(format!("{sign}{}", visible(change.value())));
        }
    }
    found
}

/// A line with its indentation, and nothing in it that a terminal would obey.
fn visible(line: &str) -> String {
    let text = line.trim_start_matches(' ');
    let indentation = (line.len() - text.len()).min(sanitise::LINE_LIMIT);
    format!("{:indentation$}{}", "", sanitise::line(text))
}

/// Of which part of the report a line is, by the less indented lines above it: `states, state: rebooted, http`.
///
/// What begins with a bare `{` is called by its first line.
fn place(lines: &[&str], at: usize) -> String {
    let indentation = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let mut names = Vec::new();
    let mut least = lines.get(at).map_or(0, |line| indentation(line));
    for (n, line) in lines.iter().enumerate().take(at).rev() {
        if indentation(line) >= least {
            continue;
        }
        least = indentation(line);
        if least == 0 {
            break;
        }
        let name = match line.trim() {
            "{" if n + 1 < at => lines[n + 1],
            "{" => continue,
            _ => line,
        };
        let name = name.trim().trim_end_matches(['{', '[', ',', ':', ' ']);
        names.push(name.replace('"', ""));
    }
    names.reverse();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(state: &str, answers: &str) -> Snapshot {
        Snapshot::of(&format!(
            "{{\n  \"verdict\": \"pass\",\n  \"states\": [\n    {{\n      \"state\": \"booted\",\n      \"a\": 1,\n      \
             \"b\": 2\n    }},\n    {{\n      \"state\": \"{state}\",\n      \"c\": 1,\n      \"d\": 2,\n      \"http\": {{\n        \
             {answers}\n      }}\n    }}\n  ]\n}}\n"
        ))
    }

    #[test]
    fn equal_reports_do_not_differ() {
        let one = report("rebooted", "\"200\": 3");
        assert_eq!(compare(&one, &one.clone()), None);
    }

    #[test]
    fn a_change_is_shown_with_its_surroundings_and_its_place() {
        let old = report("rebooted", "\"200\": 3");
        let new = report("rebooted", "\"200\": 2,\n        \"502\": 1");
        let found = compare(&old, &new).unwrap();
        assert_eq!((found.removed, found.added), (1, 2));
        assert_eq!(
            found.lines,
            [
                "@@ -11,7 +11,8 @@ states, state: rebooted, http",
                "       \"c\": 1,",
                "       \"d\": 2,",
                "       \"http\": {",
                "-        \"200\": 3",
                "+        \"200\": 2,",
                "+        \"502\": 1",
                "       }",
                "     }",
                "   ]",
            ]
        );
    }

    #[test]
    fn what_an_approved_file_holds_cannot_reach_the_terminal_raw() {
        let evil = "\"\u{1b}[2J\u{7}\u{202e}\": 1";
        let found = compare(&report(evil, evil), &report("booted", "")).unwrap();
        for line in &found.lines {
            assert!(
                !line.contains(|c: char| c.is_control() || c == '\u{202e}'),
                "{line:?}"
            );
        }
    }

    #[test]
    fn no_damage_of_an_approved_file_is_more_than_a_mistake_or_a_difference() {
        let good = report("rebooted", "\"200\": 3");
        let file = good.to_file("bootproof.toml", "bootproof test --host web");
        let mut different = 0;
        for at in 0..file.len() {
            for byte in [0, b'\n', b'-', b'{', b'"', 0x1b, 0xff] {
                let mut bytes = file.clone().into_bytes();
                bytes[at] = byte;
                let edited = Snapshot::parse(&bytes);
                let cut = Snapshot::parse(&bytes[..at]);
                for snapshot in [edited, cut].into_iter().flatten() {
                    let found = compare(&snapshot, &good);
                    assert_eq!(found.is_none(), snapshot == good);
                    different += usize::from(found.is_some_and(|d| !d.lines.is_empty()));
                }
            }
        }
        assert!(different > 0);
    }

    #[test]
    fn texts_that_are_too_long_are_not_aligned() {
        let long = Snapshot::of(&"[]\n".repeat(LINE_LIMIT + 1));
        let found = compare(&long, &report("booted", "")).unwrap();
        assert_eq!(found.lines.len(), 1);
        assert!(
            found.lines[0].contains("20001 lines approved"),
            "{:?}",
            found.lines
        );
    }
}

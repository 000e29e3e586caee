//! What is told of the cases: lines as libtest has them, for people, and JUnit XML, for CI systems.

use std::fmt::Write as _;

use super::case::Case;
use super::pool::Ended;
use crate::fold::sanitise;
use crate::report::junit::{self, Outcome, Suite, Trouble};

/// What a case came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Came {
    AsExpected,
    /// With the differences, or the host's trouble, a line each.
    Otherwise {
        told: String,
    },
}

/// What the process of a case said at its end: everything from the line on that judges the scenario, or its error.
pub(super) fn came(ended: &Ended) -> Came {
    if ended.output.status.success() {
        return Came::AsExpected;
    }
    let said = String::from_utf8_lossy(&ended.output.stderr);
    let lines: Vec<&str> = said.lines().collect();
    let judges = |line: &&str| line.starts_with("scenario ") || line.starts_with("bootproof: ");
    let from = lines.iter().rposition(judges);
    let from = from.unwrap_or(lines.len().saturating_sub(LAST_LINES));
    let mut told: Vec<String> = lines[from..].iter().map(|l| sanitise::line(l)).collect();
    if told.is_empty() {
        told.push(format!("it ended with {}", ended.output.status));
    }
    Came::Otherwise {
        told: told.join("\n"),
    }
}

/// Of a process that says neither, as much as fits a screen.
const LAST_LINES: usize = 20;

pub(super) fn list(cases: &[Case]) -> String {
    let mut text = String::new();
    for case in cases {
        let tags = case.tags.join(" ");
        let _ = writeln!(text, "{} [{tags}]: {}", case.label(), case.summary);
    }
    text
}

/// `ok (75 s)`, after the name.
pub(super) fn ended(ended: &Ended, came: &Came) -> String {
    let word = match came {
        Came::AsExpected => "ok",
        Came::Otherwise { .. } => "FAILED",
    };
    format!(
        "test {} ... {word} ({} s)\n",
        ended.case.label(),
        ended.seconds
    )
}

/// The failures once more, with what was told of each, and the counts.
pub(super) fn summary(all: &[(Ended, Came)], left_out: usize, seconds: u64) -> String {
    let mut text = String::new();
    let mut failed = 0;
    for (ended, came) in all {
        if let Came::Otherwise { told } = came {
            failed += 1;
            let _ = write!(text, "\n---- {} ----\n{told}\n", ended.case.label());
        }
    }
    let word = if failed == 0 { "ok" } else { "FAILED" };
    let passed = all.len() - failed;
    let _ = writeln!(
        text,
        "\ntest result: {word}. {passed} passed; {failed} failed; {left_out} left out, having passed before; finished in {}",
        duration(seconds)
    );
    text
}

/// A suite for each group, a case for each scenario.
pub(super) fn as_junit(all: &[(Ended, Came)]) -> String {
    let mut suites: Vec<Suite> = Vec::new();
    for (ended, came) in all {
        let name = ended.case.group.as_deref().unwrap_or("scenarios");
        let at = suites.iter().position(|suite| suite.name == name);
        let at = at.unwrap_or_else(|| {
            suites.push(Suite {
                name: name.to_owned(),
                properties: Vec::new(),
                cases: Vec::new(),
            });
            suites.len() - 1
        });
        let outcome = match came {
            Came::AsExpected => Outcome::passed(),
            Came::Otherwise { told } => Outcome::Failed(Trouble {
                kind: "scenario".to_owned(),
                message: format!("not as expected: {}", ended.case.summary),
                text: told.clone(),
            }),
        };
        suites[at].cases.push(junit::Case {
            milliseconds: Some(u64::from(ended.seconds) * 1000),
            ..junit::Case::new(&ended.case.name, outcome)
        });
    }
    junit::write("bootproof scenarios", &suites)
}

/// `45 s`, `12 min`, `1 h 5 min`.
pub(super) fn duration(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::{ExitStatus, Output};

    use super::*;

    fn one(name: &str, code: i32, stderr: &str) -> (Ended, Came) {
        let ended = Ended {
            case: Case {
                name: name.to_owned(),
                group: Some("boot".to_owned()),
                summary: "a fault".to_owned(),
                tags: vec!["boot".to_owned(), "quick".to_owned()],
                memory: None,
                seconds: 1,
                identity: String::new(),
            },
            seconds: 75,
            output: Output {
                status: ExitStatus::from_raw(code << 8),
                stdout: Vec::new(),
                stderr: stderr.as_bytes().to_vec(),
            },
        };
        let came = came(&ended);
        (ended, came)
    }

    #[test]
    fn a_case_that_differs_tells_how_and_no_more() {
        let said = "the report\nscenario no-init: NOT as expected (run)\n  missing: x\u{1b}[2J\n";
        let (_, differs) = one("no-init", 1, said);
        let Came::Otherwise { told } = differs else {
            panic!("{differs:?}");
        };
        assert!(
            told.starts_with("scenario no-init: NOT as expected"),
            "{told}"
        );
        assert!(
            told.contains("missing: x") && !told.contains('\u{1b}'),
            "{told:?}"
        );
        let (_, errs) = one("no-init", 2, "x\nbootproof: no lab\n");
        assert_eq!(
            errs,
            Came::Otherwise {
                told: "bootproof: no lab".to_owned()
            }
        );
    }

    #[test]
    fn the_summary_counts_and_tells_each_failure_once_more() {
        let all = [
            one("a", 0, ""),
            one("b", 1, "scenario b: NOT as expected\n"),
        ];
        let text = summary(&all, 3, 3725);
        assert_eq!(
            text,
            "\n---- boot/b ----\nscenario b: NOT as expected\n\n\
             test result: FAILED. 1 passed; 1 failed; 3 left out, having passed before; finished in 1 h 2 min\n"
        );
        assert_eq!(ended(&all[0].0, &all[0].1), "test boot/a ... ok (75 s)\n");
        assert_eq!(
            list(&[all[0].0.case.clone()]),
            "boot/a [boot quick]: a fault\n"
        );
    }

    #[test]
    fn each_case_is_one_of_its_groups_suite() {
        let text = as_junit(&[
            one("a", 0, ""),
            one("b", 1, "scenario b: <NOT> as expected\n"),
        ]);
        for part in [
            "<testsuite name=\"boot\"",
            "tests=\"2\" failures=\"1\"",
            "name=\"a\"",
            "time=\"75.000\"",
            "&lt;NOT&gt;",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

//! The inspection for people: at most a screen, the cause first.

use super::model::Inspection;
use crate::report::{clip, wrap};
use crate::vocabulary::{Changes, Finding, Replaced, Severity, StorePath, Verdict};

const WIDTH: usize = 118;
/// Findings that are shown; the others are counted.
const SHOWN: usize = 8;

/// How it is told; of an audit too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// It never carries meaning alone.
    pub colour: bool,
    /// All findings with all their evidence, and not the first ones.
    pub all: bool,
}

/// The text.
pub fn render(inspection: &Inspection, style: Style) -> String {
    let mut text = String::new();
    let paint = match (style.colour, inspection.verdict) {
        (false, _) => ("", ""),
        (true, Verdict::Pass) => ("\x1b[1;32m", "\x1b[0m"),
        (true, Verdict::Fail) => ("\x1b[1;31m", "\x1b[0m"),
        (true, Verdict::Unproven) => ("\x1b[1;33m", "\x1b[0m"),
    };
    for line in wrap(&printable(&inspection.headline), WIDTH) {
        text.push_str(&format!("{}{line}{}\n", paint.0, paint.1));
    }
    text.push('\n');
    text.push_str(&printable(&body(inspection, style.all)));
    text
}

/// Names and paths of a closure are not to be trusted with a terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .filter(|c| *c == '\n' || !c.is_control())
        .collect()
}

fn body(inspection: &Inspection, all: bool) -> String {
    let mut text = String::new();
    let (shown, more) = choose(&inspection.findings, all);
    for finding in shown {
        for line in describe(finding, all) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    if more > 0 {
        text.push_str(&format!("  and {more} more (--verbose tells all)\n"));
    }
    if let Some(next) = &inspection.next {
        push_wrapped(&mut text, "  next: ", next);
    }
    for unproven in &inspection.unproven {
        let line = format!("{}: {}", unproven.subject, unproven.reason);
        push_wrapped(&mut text, "  unproven: ", &line);
    }
    for note in &inspection.notes {
        push_wrapped(&mut text, "  note: ", note);
    }
    text.push('\n');
    if let Some(changes) = &inspection.changes {
        for (name, value) in change_lines(changes) {
            push_wrapped(&mut text, &format!("  {name}: "), &value);
        }
        text.push('\n');
    }
    for (name, value) in about(inspection) {
        text.push_str(&format!("  {name:9} {value}\n"));
    }
    text
}

/// Errors first; of many, the first ones.
fn choose(findings: &[Finding], all: bool) -> (&[Finding], usize) {
    let most = if all { usize::MAX } else { SHOWN };
    let shown = findings.len().min(most);
    (&findings[..shown], findings.len() - shown)
}

fn describe(finding: &Finding, all: bool) -> Vec<String> {
    let mark = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut lines = Vec::new();
    let head = format!("{mark} {}: {}", finding.subject, finding.summary);
    for (n, line) in wrap(&head, WIDTH - 4).into_iter().enumerate() {
        lines.push(format!("{}{line}", if n == 0 { "  " } else { "    " }));
    }
    // One quotation keeps the report to a screen; a warning's is in the other forms.
    let quoted = match finding.severity {
        _ if all => finding.evidence.len(),
        Severity::Error => 1,
        Severity::Warning => 0,
    };
    for evidence in finding.evidence.iter().take(quoted) {
        let line = format!("{} {}", evidence.source, evidence.text);
        lines.push(format!("      {}", clip(&line, WIDTH)));
    }
    lines
}

fn push_wrapped(text: &mut String, lead: &str, value: &str) {
    for (n, line) in wrap(value, WIDTH - lead.len()).into_iter().enumerate() {
        let lead = if n == 0 {
            lead.to_owned()
        } else {
            " ".repeat(lead.len())
        };
        text.push_str(&format!("{lead}{line}\n"));
    }
}

/// What changes, one line a kind; the same in the Markdown form.
pub(super) fn change_lines(changes: &Changes) -> Vec<(&'static str, String)> {
    const NAMED: usize = 8;
    let units = |names: &[String]| {
        let mut text = names[..names.len().min(NAMED)].join(", ");
        if names.len() > NAMED {
            text.push_str(&format!(" and {} more", names.len() - NAMED));
        }
        text
    };
    let replaced: Vec<String> = changes.replaced.iter().map(replaced).collect();
    let mut lines = Vec::new();
    if !replaced.is_empty() {
        lines.push(("changes", replaced.join("; ")));
    }
    let acted_on = [
        &changes.units_restarted,
        &changes.units_reloaded,
        &changes.units_left,
    ];
    let others: Vec<String> = changes
        .units_changed
        .iter()
        .filter(|name| !acted_on.iter().any(|units| units.contains(name)))
        .cloned()
        .collect();
    for (name, names) in [
        ("units added", &changes.units_added),
        ("units removed", &changes.units_removed),
        ("a switch restarts, about", &changes.units_restarted),
        ("a switch reloads, about", &changes.units_reloaded),
        ("changed, and old until a reboot", &changes.units_left),
        ("units changed else", &others),
    ] {
        if !names.is_empty() {
            lines.push((name, units(names)));
        }
    }
    let reboot = if changes.reboot_for.is_empty() {
        "not needed".to_owned()
    } else {
        format!("needed for {}", changes.reboot_for.join(", "))
    };
    lines.push(("reboot", reboot));
    lines
}

/// The hash of a store path says nothing to people, unless it is all that differs.
fn replaced(replaced: &Replaced) -> String {
    let name = |text: &str| match StorePath::parse(text) {
        Ok(path) => path.name().to_owned(),
        Err(_) => text.to_owned(),
    };
    let (before, after) = (name(&replaced.before), name(&replaced.after));
    if before == after {
        format!("{}: another build of {after}", replaced.what)
    } else {
        format!("{}: {before} -> {after}", replaced.what)
    }
}

/// What was inspected, one line a kind; the same in the Markdown form.
pub(super) fn about(inspection: &Inspection) -> Vec<(&'static str, String)> {
    let mut lines = vec![("candidate", inspection.toplevel.to_string())];
    if let Some(baseline) = &inspection.baseline {
        lines.push(("baseline", baseline.to_string()));
    }
    if let Some(expected) = &inspection.expected {
        lines.push((
            "expected",
            format!("{}, by {}", expected.system, expected.by),
        ));
    }
    if inspection.lab {
        lines.push(("closure", "lab".to_owned()));
    }
    lines.push((
        "inspected",
        format!(
            "{} commands of {} units; nothing was booted",
            inspection.commands, inspection.units
        ),
    ));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::elf;
    use crate::inspect::testing::{inspected, make_i686, server, unit};
    use crate::inspect::{Expected, Options, markdown};
    use crate::vocabulary::ElfClass;

    fn outage() -> Inspection {
        let fake = server();
        make_i686(&fake);
        for name in ["alpha", "beta"] {
            let program = fake.program(name, "bin/x", elf(ElfClass::X86_64));
            let text = format!("[Service]\nExecStart={program}\n");
            unit(&fake, &format!("{name}.service"), &text);
        }
        crate::inspect::testing::inspected_with(
            &fake,
            &Options {
                expected: Some(Expected::by_user(crate::vocabulary::System::X86_64Linux)),
                ..Options::default()
            },
        )
    }

    #[test]
    fn the_outage_is_told_on_one_screen_with_its_cause_first() {
        insta::assert_snapshot!(render(&outage(), Style::default()));
    }

    #[test]
    fn the_outage_is_told_in_markdown() {
        insta::assert_snapshot!(markdown::render(&outage()));
    }

    #[test]
    fn a_pass_says_that_nothing_was_booted() {
        let text = render(&inspected(&server()), Style::default());
        assert!(text.starts_with("pass: nothing in the files of "), "{text}");
        assert!(text.contains("nothing was booted"));
    }

    #[test]
    fn names_of_a_closure_cannot_steer_a_terminal() {
        let mut inspection = outage();
        inspection.findings[0].subject = "\x1b]0;evil\x07.service".to_owned();
        assert!(!render(&inspection, Style::default()).contains('\x1b'));
        assert!(!markdown::render(&inspection).contains('\x1b'));
    }
}

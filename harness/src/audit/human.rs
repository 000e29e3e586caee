//! The audit for people: at most a screen, the cause first.

use super::model::{Audit, AuditFinding, Subject};
use crate::inspect::human::Style;
use crate::report::{clip, wrap};
use crate::vocabulary::{Severity, Verdict};

const WIDTH: usize = 118;
/// Findings that are shown; the others are counted.
const SHOWN: usize = 10;

/// The text.
pub fn render(audit: &Audit, style: Style) -> String {
    let paint = match (style.colour, audit.verdict) {
        (false, _) => ("", ""),
        (true, Verdict::Pass) => ("\x1b[1;32m", "\x1b[0m"),
        (true, Verdict::Fail) => ("\x1b[1;31m", "\x1b[0m"),
        (true, Verdict::Unproven) => ("\x1b[1;33m", "\x1b[0m"),
    };
    let mut text = String::new();
    for line in wrap(&printable(&audit.headline), WIDTH) {
        text.push_str(&format!("{}{line}{}\n", paint.0, paint.1));
    }
    text.push('\n');
    text.push_str(&printable(&body(audit, style.all)));
    text
}

/// Names that a machine told are not to be trusted with a terminal.
pub(super) fn printable(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let indent = line.len() - line.trim_start_matches(' ').len();
        // Longer than any line that is wrapped below, and shorter than a flood.
        let kept = crate::fold::sanitise::line(line);
        format!("{}{kept}", &line[..indent])
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn body(audit: &Audit, all: bool) -> String {
    let mut text = String::new();
    let most = if all { usize::MAX } else { SHOWN };
    for finding in audit.findings.iter().take(most) {
        text.push_str(&describe(finding, all));
    }
    let more = audit.findings.len().saturating_sub(most);
    if more > 0 {
        text.push_str(&format!("  and {more} more (--verbose tells all)\n"));
    }
    if let Some(advice) = &audit.advice {
        push(&mut text, "  next: ", advice);
    }
    for unproven in &audit.unproven {
        let line = format!("{}: {}", unproven.subject, unproven.reason);
        push(&mut text, "  unproven: ", &line);
    }
    for note in &audit.notes {
        push(&mut text, "  note: ", note);
    }
    if !text.is_empty() {
        text.push('\n');
    }
    for (name, value) in about(audit) {
        text.push_str(&format!("  {name:9} {value}\n"));
    }
    text
}

fn describe(finding: &AuditFinding, all: bool) -> String {
    let mark = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut text = String::new();
    let head = format!("{mark} {}: {}", finding.subject, finding.summary);
    for (n, line) in wrap(&head, WIDTH - 4).into_iter().enumerate() {
        text.push_str(&format!("  {}{line}\n", if n == 0 { "" } else { "  " }));
    }
    let shown = match finding.severity {
        Severity::Warning if !all => &[],
        Severity::Error | Severity::Warning => finding.evidence.as_slice(),
    };
    for evidence in shown {
        let line = format!("{} {}", evidence.source, evidence.text);
        text.push_str(&format!("      {}\n", clip(&line, WIDTH)));
    }
    text
}

fn push(text: &mut String, lead: &str, value: &str) {
    for (n, line) in wrap(value, WIDTH - lead.len()).into_iter().enumerate() {
        let indent = " ".repeat(lead.len());
        let lead = if n == 0 { lead } else { &indent };
        text.push_str(&format!("{lead}{line}\n"));
    }
}

/// What was looked at, one line a kind; the same in the Markdown form.
pub(super) fn about(audit: &Audit) -> Vec<(&'static str, String)> {
    let system = |subject: &Subject| {
        let toplevel = subject.toplevel.as_deref().unwrap_or("not told");
        let kernel = subject.kernel.as_ref().map(|k| format!(" ({k} kernel)"));
        format!("{toplevel}{}", kernel.unwrap_or_default())
    };
    let mut lines = vec![("machine", audit.machine.clone())];
    let kernel = audit.kernel.as_ref().map_or("not told", |k| k.as_str());
    let release = audit.release.as_deref().unwrap_or_default();
    let up = audit.uptime_seconds.map(|s| format!(", up {} h", s / 3600));
    lines.push((
        "kernel",
        format!("{kernel} {release}{}", up.unwrap_or_default()),
    ));
    lines.push(("booted", system(&audit.booted)));
    lines.push(("current", system(&audit.current)));
    lines.push((
        "profile",
        audit.profile.clone().unwrap_or("not told".to_owned()),
    ));
    lines.push(("next boot", system(&audit.next)));
    if let Some(next) = &audit.next_boot {
        lines.push((
            "by",
            format!(
                "{}, entry `{}`, {}",
                next.loader, next.entry, next.chosen_by
            ),
        ));
    }
    if let Some(inspection) = &audit.inspection {
        lines.push(("files", clip(inspection, WIDTH)));
    }
    lines.push((
        "audited",
        format!(
            "{} units that are loaded, {} services of the next boot; nothing was changed",
            audit.units, audit.services
        ),
    ));
    lines
}

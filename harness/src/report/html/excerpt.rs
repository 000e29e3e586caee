//! The part of a text that a page shows: its beginning, its end, what is quoted and what stands around that. What is left out is
//! counted, and the file named that has it.

use std::collections::BTreeSet;

use super::evidence::{Links, Quotation};
use super::findings::Numbers;
use super::sources::{Kind, Line, Source};
use crate::fold::{Run, sanitise};

/// How much of a text is shown.
struct Measure {
    head: usize,
    tail: usize,
    /// Lines on either side of a quoted one.
    around: usize,
    /// Lines that are grave in themselves.
    grave: usize,
    /// Quoted lines with what stands around them.
    quoted: usize,
}

const CONSOLE: Measure = Measure {
    head: 100,
    tail: 150,
    around: 10,
    grave: 0,
    quoted: 150,
};

/// A journal repeats the console, and is long.
const JOURNAL: Measure = Measure {
    head: 10,
    tail: 25,
    around: 5,
    grave: 60,
    quoted: 150,
};

/// A text as the page shows it.
pub(super) struct Excerpt {
    pub(super) id: String,
    pub(super) title: String,
    /// How much of it is shown, and where the whole is.
    pub(super) measure: String,
    /// Whether something in it is quoted.
    pub(super) quoted: bool,
    pub(super) parts: Vec<Part>,
}

pub(super) enum Part {
    Line(Shown),
    /// So many lines are left out.
    Gap(usize),
}

pub(super) struct Shown {
    pub(super) at: String,
    pub(super) unit: String,
    pub(super) text: String,
    pub(super) grave: bool,
    /// `None` where nothing quotes it.
    pub(super) mark: Option<Mark>,
}

/// A line that is evidence.
pub(super) struct Mark {
    pub(super) id: String,
    pub(super) back: Vec<Back>,
}

/// The way back to the finding.
pub(super) struct Back {
    pub(super) href: String,
    pub(super) label: String,
}

/// The id of a line, which a finding links to.
pub(super) fn line_id(kind: Kind<'_>, line: usize) -> String {
    format!("{}-{}", kind.id(), line + 1)
}

/// The id of a quotation, which its line links back to, by the number of its finding on the page.
pub(super) fn quotation_id(finding: usize, nth: usize) -> String {
    format!("finding-{finding}-{}", nth + 1)
}

/// So many findings are named at a line that more of them quote.
const BACK: usize = 6;

/// The excerpt of one source.
pub(super) fn excerpt(
    source: &Source<'_>,
    at: usize,
    links: &Links,
    run: &Run,
    numbers: &Numbers,
) -> Excerpt {
    let quoted = links.of_source(at);
    let measure = match source.kind {
        Kind::Console(_) | Kind::Output(..) => CONSOLE,
        Kind::Journal(_) => JOURNAL,
    };
    let keys: Vec<usize> = quoted.keys().copied().collect();
    let kept = kept(&source.lines, &keys, &measure);
    let mut parts = Vec::new();
    let mut next = 0;
    for &line in &kept {
        if line > next {
            parts.push(Part::Gap(line - next));
        }
        next = line + 1;
        parts.push(Part::Line(shown(source, line, quoted.get(&line), numbers)));
    }
    if source.lines.len() > next {
        parts.push(Part::Gap(source.lines.len() - next));
    }
    Excerpt {
        id: source.kind.id(),
        title: source.kind.title(run),
        measure: match (kept.len(), source.lines.len()) {
            (shown, all) if shown == all => format!("all {all} lines"),
            (shown, all) => format!("{shown} of {all} lines; {} has all", source.whole),
        },
        quoted: !quoted.is_empty(),
        parts,
    }
}

fn kept(lines: &[Line<'_>], quoted: &[usize], measure: &Measure) -> BTreeSet<usize> {
    let count = lines.len();
    let mut kept: BTreeSet<usize> = (0..count.min(measure.head)).collect();
    kept.extend(count.saturating_sub(measure.tail)..count);
    for (n, &line) in quoted.iter().enumerate() {
        // Every link leads somewhere: past the bound a line is shown without what stands around it.
        let around = if n < measure.quoted {
            measure.around
        } else {
            0
        };
        kept.extend(line.saturating_sub(around)..(line + around + 1).min(count));
    }
    let grave = lines.iter().enumerate().filter(|(_, line)| line.grave);
    kept.extend(grave.map(|(n, _)| n).take(measure.grave));
    kept
}

fn shown(
    source: &Source<'_>,
    number: usize,
    quotations: Option<&&[Quotation]>,
    numbers: &Numbers,
) -> Shown {
    let line = source.lines[number];
    let text = sanitise::line(line.text);
    // systemd begins what it says of a unit with the unit's name.
    let unit = line.unit.filter(|unit| !text.starts_with(*unit));
    let mark = quotations.map(|quotations| Mark {
        id: line_id(source.kind, number),
        back: quotations
            .iter()
            .filter_map(|quotation| {
                let number = *numbers.get(&quotation.finding)?;
                Some(Back {
                    href: quotation_id(number, quotation.nth),
                    label: format!("finding {number}"),
                })
            })
            .take(BACK)
            .collect(),
    });
    Shown {
        at: line.at_ms.map_or(String::new(), seconds),
        unit: unit.map_or(String::new(), sanitise::line),
        text,
        grave: line.grave,
        mark,
    }
}

/// `12.345`.
fn seconds(at_ms: u64) -> String {
    format!("{}.{:03}", at_ms / 1000, at_ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: usize) -> Vec<Line<'static>> {
        let line = Line {
            at_ms: None,
            unit: None,
            text: "x",
            grave: false,
        };
        vec![line; count]
    }

    #[test]
    fn a_short_text_is_shown_whole() {
        assert_eq!(kept(&lines(250), &[], &CONSOLE).len(), 250);
        assert!(kept(&[], &[], &CONSOLE).is_empty());
    }

    #[test]
    fn of_a_long_one_beginning_end_and_what_is_quoted_are() {
        let kept = kept(&lines(100_000), &[50_000], &CONSOLE);
        let expected = CONSOLE.head + CONSOLE.tail + 2 * CONSOLE.around + 1;
        assert_eq!(kept.len(), expected);
        assert!(kept.contains(&0) && kept.contains(&99_999) && kept.contains(&50_000));
    }

    #[test]
    fn every_quoted_line_is_shown_and_the_rest_is_bounded() {
        let quoted: Vec<usize> = (0..100_000).step_by(100).collect();
        let kept = kept(&lines(100_000), &quoted, &CONSOLE);
        assert!(quoted.iter().all(|line| kept.contains(line)));
        assert!(kept.len() < 6_000, "{}", kept.len());
    }

    #[test]
    fn grave_lines_of_a_journal_are_shown_up_to_a_bound() {
        let mut lines = lines(10_000);
        for line in &mut lines[1_000..2_000] {
            line.grave = true;
        }
        let kept = kept(&lines, &[], &JOURNAL);
        assert!(kept.contains(&1_000) && !kept.contains(&1_500));
    }
}

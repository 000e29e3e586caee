//! The values that templates name, and what each says of a cause's findings.

use crate::vocabulary::{ElfClass, Finding, Stage, State, System};

use super::rule::Words;
use super::words::{agree, names, with_article};
use super::{Case, console, engine, misled, seen, upstream};

/// What templates are filled from.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) case: Case<'a>,
    /// What is spoken of; there is at least one.
    pub(super) findings: &'a [&'a Finding],
    /// With all that belongs to it and follows from it.
    pub(super) all: &'a [&'a Finding],
}

impl<'a> Told<'a> {
    pub(super) fn of(case: Case<'a>, findings: &'a [&'a Finding]) -> Self {
        Self {
            case,
            findings,
            all: findings,
        }
    }

    pub(super) fn first(&self) -> Option<&'a Finding> {
        self.findings.first().copied()
    }

    pub(super) fn since(&self) -> Option<State> {
        self.findings.iter().map(|f| f.state).min()
    }
}

/// The first template whose values are all known, filled; `None` where there is none.
pub(super) fn fill(words: Words, told: &Told<'_>) -> Option<String> {
    words.iter().find_map(|template| filled(template, told))
}

fn filled(template: &str, told: &Told<'_>) -> Option<String> {
    let mut text = String::new();
    let mut left = template;
    while let Some((before, rest)) = left.split_once('{') {
        let (name, after) = rest.split_once('}')?;
        text.push_str(before);
        text.push_str(&match name.split_once('/') {
            Some((one, many)) => agree(subjects(told).len(), one, many).to_owned(),
            None => value(name, told).filter(|value| !value.is_empty())?,
        });
        left = after;
    }
    text.push_str(left);
    Some(text)
}

/// A named value; `None` where it is not known in this run.
type Value = fn(&Told<'_>) -> Option<String>;

/// Every value.
pub(super) const VALUES: &[(&str, Value)] = &[
    // Of the findings.
    ("subjects", |t| Some(names(&subjects(t)))),
    ("summary", |t| Some(t.first()?.summary.clone())),
    ("named summary", |t| Some(named(t.first()?))),
    ("only summary", |t| match t.findings {
        [only] => Some(only.summary.clone()),
        _ => None,
    }),
    ("others", |t| Some((t.findings.len() - 1).to_string())),
    ("reason", |t| {
        Some(t.first()?.summary.rsplit_once(": ")?.1.to_owned())
    }),
    ("quotation", |t| {
        Some(t.first()?.evidence.first()?.text.clone())
    }),
    ("suppression", |t| {
        Some(t.first()?.suppressed.as_ref()?.to_string())
    }),
    ("inspected", |t| Some(static_cause(t)?.0)),
    ("inspected next", |t| Some(static_cause(t)?.1)),
    ("upstreams", upstreams),
    ("what is wrong behind", upstream::wrong),
    ("next behind", upstream::next),
    ("units behind", upstream::units),
    ("nginx's emergency", upstream::emergency),
    // Of the platforms.
    ("a kernel", |t| Some(with_article(kernel(t)?.as_str()))),
    ("kernel", |t| Some(kernel(t)?.as_str().to_owned())),
    ("an unexpected kernel", |t| unexpected(t, kernel(t)?)),
    ("an unexpected system", |t| {
        unexpected(t, t.case.plan.candidate.system.clone()?)
    }),
    ("expected", |t| Some(t.case.plan.expect_system.to_string())),
    ("classes", |t| {
        Some(classes(t).unwrap_or_else(|| "foreign".to_owned()))
    }),
    // Of a boot that failed.
    ("it fails", |t| Some(it_fails(t.first()?))),
    ("story", |t| {
        let summary = t.first()?.summary.as_str();
        let story = summary.split_once(DID_NOT_COME_UP);
        Some(story.map_or(summary, |(_, story)| story).to_owned())
    }),
    ("stage", |t| {
        Some(stage_words(seen::stage(t.case, t.first()?)?).to_owned())
    }),
    ("panic", |t| console::panic(lines(t))),
    ("init's end", |t| console::end_of_init(lines(t))),
    ("device", |t| {
        console::missing_device(lines(t), |device| {
            seen::is_needed(t.case, t.first(), device)
        })
    }),
    ("mount", |t| {
        console::failed_mount(lines(t), |mount| seen::is_needed(t.case, t.first(), mount))
    }),
    ("failed unit", |t| console::failed_unit(lines(t))),
    ("job", |t| console::waited_for(lines(t))),
    ("GRUB's error", |t| console::grub_error(lines(t))),
    ("stage 1's error", |t| {
        let stopped = t.first()?.summary.contains("stage 1 stopped");
        stopped.then(|| console::before_stage_1_stopped(lines(t)))?
    }),
    ("oops", |t| console::oops(lines(t))),
    ("lock-up", |t| console::lock_up(lines(t))),
    ("victim", |t| {
        console::killed_for_memory(
            t.first()?
                .evidence
                .iter()
                .map(|e| e.text.as_str())
                .chain(lines(t).iter().map(String::as_str)),
        )
    }),
    // Of units.
    ("last words", last_words),
    ("lost", |t| {
        Some(seen::lost_line(t.case, t.first()?)?.to_owned())
    }),
    ("full", |t| {
        t.findings
            .iter()
            .find_map(|f| Some(seen::disk_full_line(t.case, f)?.to_owned()))
    }),
    ("cycle", |t| {
        Some(seen::cycle_line(t.case, t.first()?)?.to_owned())
    }),
    ("cgroup refusal", |t| {
        let mut lines = seen::messages(t.case, t.first()?);
        Some(
            lines
                .find(|line| line.contains("Failed to create cgroup"))?
                .to_owned(),
        )
    }),
    // Of what misleads.
    ("cgroup line", misled::cgroup_line),
    ("64-bit CPU", misled::cpu),
    ("ldd", misled::ldd),
    ("nobody failed", misled::nobody_failed),
    ("nginx's answer", misled::gateway_answer),
];

fn value(name: &str, told: &Told<'_>) -> Option<String> {
    let row = VALUES.iter().find(|(known, _)| *known == name)?;
    row.1(told)
}

/// A sentence whose subject is the finding's, and left out where the finding is told under its name, gets it.
fn named(finding: &Finding) -> String {
    let Finding {
        subject, summary, ..
    } = finding;
    if ["it ", "its ", "would ", "a link "]
        .iter()
        .any(|begin| summary.starts_with(begin))
    {
        return format!("{subject}: {summary}");
    }
    summary.clone()
}

/// Each subject once, in order.
fn subjects<'a>(told: &Told<'a>) -> Vec<&'a str> {
    let mut subjects: Vec<&str> = Vec::new();
    for finding in told.findings {
        if !subjects.contains(&finding.subject.as_str()) {
            subjects.push(&finding.subject);
        }
    }
    subjects
}

fn lines<'a>(told: &Told<'a>) -> &'a [String] {
    told.first().map_or(&[], |f| seen::console(told.case, f))
}

/// Headline and advice of the inspection.
fn static_cause(told: &Told<'_>) -> Option<(String, String)> {
    let id = told.first()?.id();
    let mut causes = engine::static_causes(told.case.run);
    let cause = causes.find(|cause| cause.findings.contains(&id))?;
    Some((cause.headline.clone(), cause.next.clone()))
}

/// Where nginx passes requests on to that it answers with an error.
fn upstreams(told: &Told<'_>) -> Option<String> {
    let mut upstreams: Vec<&str> = Vec::new();
    for finding in told.findings {
        let passed = finding
            .evidence
            .iter()
            .find_map(|e| e.text.strip_prefix("passes it on to "))?;
        if !upstreams.contains(&passed) {
            upstreams.push(passed);
        }
    }
    Some(names(&upstreams))
}

pub(super) fn kernel(told: &Told<'_>) -> Option<System> {
    seen::kernel(told.case, told.since()?)
}

fn unexpected(told: &Told<'_>, system: System) -> Option<String> {
    (system != told.case.plan.expect_system).then(|| with_article(system.as_str()))
}

/// What the executables are: `x86_64`; `None` where the files of the closure do not say.
pub(super) fn classes(told: &Told<'_>) -> Option<String> {
    let mut classes: Vec<&str> = told
        .findings
        .iter()
        .filter_map(|f| seen::class(told.case, f))
        .filter(|class| *class != ElfClass::Other)
        .map(ElfClass::as_str)
        .collect();
    classes.sort_unstable();
    classes.dedup();
    (!classes.is_empty()).then(|| classes.join(" and "))
}

/// What stands between who did not come up and why, in the summary of a boot that failed.
const DID_NOT_COME_UP: &str = " did not come up: ";

fn it_fails(finding: &Finding) -> String {
    let it_fails = match finding.state {
        State::Specialised => {
            let told = finding.summary.split_once(DID_NOT_COME_UP);
            let who = told.map_or("a specialisation", |(who, _)| who);
            return format!("{who} does not boot");
        }
        State::Rebooted => "the candidate does not come back from the reboot",
        State::ColdRebooted => "the candidate does not come back from the cold reboot",
        State::SoftRebooted => "the candidate does not come back from the soft reboot",
        State::Reset => "the candidate does not come back from the reset",
        State::Panicked => "the candidate does not come back from the panic",
        State::CutInSwitch => "a power cut in the switch leaves a machine that does not boot",
        State::PowerCut => "the candidate does not come back from the power cut",
        State::RolledBack => "the machine does not come back from the rollback",
        State::Inspected | State::Before | State::Switched | State::Booted => {
            "the candidate does not boot"
        }
    };
    it_fails.to_owned()
}

/// Where a boot stands, as it is spoken.
fn stage_words(stage: Stage) -> &'static str {
    match stage {
        Stage::Firmware => "the firmware",
        Stage::Bootloader => "the bootloader",
        Stage::Kernel => "the kernel's start",
        Stage::Initrd => "the initrd (stage 1)",
        Stage::Stage2 => "stage 2, before systemd's first targets",
        Stage::Sysinit => "systemd's start, after sysinit.target",
        Stage::MultiUser => "systemd's start, after multi-user.target",
    }
}

/// How much of a unit's last words a headline bears.
const LAST_WORDS: usize = 120;

/// What the first of the units said last, or systemd of it; that it failed is no news.
fn last_words(told: &Told<'_>) -> Option<String> {
    let quoted = told.first()?.evidence.iter().rev();
    let mut said =
        quoted.filter(|e| e.source == "journal" && !e.text.contains("Failed with result"));
    let words = said.next()?.text.as_str();
    let mut kept: String = words.chars().take(LAST_WORDS).collect();
    if kept.len() < words.len() {
        kept.push('…');
    }
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::{Check, State};

    #[test]
    fn a_sentence_without_a_subject_gets_it() {
        let told = |summary| {
            named(&Finding::new(
                Check::Reference,
                State::Inspected,
                "etc/motd",
                summary,
            ))
        };
        assert_eq!(
            told("a link that leads nowhere"),
            "etc/motd: a link that leads nowhere"
        );
        assert_eq!(told("the kernel panicked"), "the kernel panicked");
    }
}

//! `bootproof report`: the report of a finished run, from its recording; and the printing of every report.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use super::args::{Format, ReportArgs, Verbosity};
use super::progress::JsonLines;
use super::{Exit, Failure, page, tell};
use crate::rehearsal::{Progress as _, read_recording};
use crate::report::{self, Report, fingerprint, human, json, junit, markdown, normalise, sarif};
use crate::vocabulary::{Plan, Recorded};

/// Tells the report again.
pub(super) fn run(args: &ReportArgs) -> Result<Exit, Failure> {
    let (plan, observations) = read_recording(&args.run_dir)?;
    let report = report::report(&plan, &observations);
    let told = Told {
        format: args.format,
        verbosity: args.verbosity,
        directory: &args.run_dir,
    };
    if args.format == Format::JsonLines {
        replay(&plan, &observations, &report, &told);
    }
    match args.format {
        Format::Html => {
            let page = page::page(&report, &plan, &observations, &args.run_dir)?;
            io::stdout().write_all(page.as_bytes())?;
        }
        _ => print(&report, &told)?,
    }
    Ok(Exit::from(report.verdict))
}

/// Says again what the run said.
fn replay(plan: &Plan, observations: &[Recorded], report: &Report, told: &Told<'_>) {
    let name = plan.scenario.as_deref();
    let name = name.unwrap_or_else(|| plan.candidate.toplevel.name());
    let mut lines = JsonLines::begin(name, plan, told.directory, told.verbosity);
    for recorded in observations {
        lines.observed(recorded);
    }
    let exit = Exit::from(report.verdict);
    lines.finish(&report.findings, report.verdict, &report.headline, exit);
}

/// How a report is told.
pub(super) struct Told<'a> {
    pub(super) format: Format,
    pub(super) verbosity: Verbosity,
    /// The run's.
    pub(super) directory: &'a Path,
}

/// People's report goes to stderr, a machine's to stdout; JSON lines have been said by then.
pub(super) fn print(report: &Report, told: &Told<'_>) -> Result<(), Failure> {
    match told.format {
        Format::Human if told.verbosity.quiet => tell(&format!("{}\n", report.headline)),
        Format::Human => {
            let style = human::Style {
                colour: io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
                run_dir: Some(from_here(told.directory).display().to_string()),
            };
            tell(&human::render(report, &style));
        }
        Format::Json => io::stdout().write_all(json::render(report)?.as_bytes())?,
        Format::Normalised => {
            io::stdout().write_all(json::render(&normalise(report))?.as_bytes())?;
        }
        Format::Markdown => io::stdout().write_all(markdown::render(report).as_bytes())?,
        // A rehearsal has written it already.
        Format::Html => io::stdout().write_all(&fs::read(told.directory.join(PAGE_FILE))?)?,
        Format::Junit => io::stdout().write_all(junit::render(report).as_bytes())?,
        Format::Sarif => io::stdout().write_all(sarif::render(report)?.as_bytes())?,
        Format::JsonLines => {}
    }
    Ok(())
}

/// A directory below the current one, as a person would name it.
pub(super) fn from_here(directory: &Path) -> &Path {
    std::env::current_dir()
        .ok()
        .and_then(|here| directory.strip_prefix(here).ok())
        .unwrap_or(directory)
}

const PAGE_FILE: &str = "report.html";

/// `report.json`, `report.md`, `report.junit.xml` and `report.html` beside the recording.
pub(super) fn write_files(
    report: &Report,
    plan: &Plan,
    observations: &[Recorded],
    directory: &Path,
) -> Result<(), Failure> {
    fs::write(directory.join("report.json"), json::render(report)?)?;
    fs::write(directory.join("report.md"), markdown::render(report))?;
    fs::write(directory.join("report.junit.xml"), junit::render(report))?;
    for (name, text) in fingerprint::files(report) {
        fs::write(directory.join(name), text)?;
    }
    let page = page::page(report, plan, observations, directory)?;
    fs::write(directory.join(PAGE_FILE), page)?;
    Ok(())
}

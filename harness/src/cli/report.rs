//! `bootproof report`: the report of a finished run, from its recording; and the printing of every report.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use super::args::{Format, ReportArgs};
use super::{Exit, Failure, page, tell};
use crate::rehearsal::read_recording;
use crate::report::{self, Report, human, json, markdown, normalise};
use crate::vocabulary::{Plan, Recorded};

/// Tells the report again.
pub(super) fn run(args: &ReportArgs) -> Result<Exit, Failure> {
    let (plan, observations) = read_recording(&args.run_dir)?;
    let report = report::report(&plan, &observations);
    match args.format {
        Format::Html => {
            let page = page::page(&report, &plan, &observations, &args.run_dir)?;
            io::stdout().write_all(page.as_bytes())?;
        }
        format => print(&report, format, &args.run_dir)?,
    }
    Ok(Exit::from(report.verdict))
}

/// People's report goes to stderr, a machine's to stdout.
pub(super) fn print(report: &Report, format: Format, directory: &Path) -> Result<(), Failure> {
    match format {
        Format::Human => {
            let style = human::Style {
                colour: io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
                run_dir: Some(from_here(directory).display().to_string()),
            };
            tell(&human::render(report, &style));
        }
        Format::Json => io::stdout().write_all(json::render(report)?.as_bytes())?,
        Format::Normalised => {
            io::stdout().write_all(json::render(&normalise(report))?.as_bytes())?;
        }
        Format::Markdown => io::stdout().write_all(markdown::render(report).as_bytes())?,
        // A rehearsal has written it already.
        Format::Html => io::stdout().write_all(&fs::read(directory.join(PAGE_FILE))?)?,
    }
    Ok(())
}

/// A directory below the current one, as a person would name it.
fn from_here(directory: &Path) -> &Path {
    std::env::current_dir()
        .ok()
        .and_then(|here| directory.strip_prefix(here).ok())
        .unwrap_or(directory)
}

const PAGE_FILE: &str = "report.html";

/// `report.json`, `report.md` and `report.html` beside the recording.
pub(super) fn write_files(
    report: &Report,
    plan: &Plan,
    observations: &[Recorded],
    directory: &Path,
) -> Result<(), Failure> {
    fs::write(directory.join("report.json"), json::render(report)?)?;
    fs::write(directory.join("report.md"), markdown::render(report))?;
    let page = page::page(report, plan, observations, directory)?;
    fs::write(directory.join(PAGE_FILE), page)?;
    Ok(())
}

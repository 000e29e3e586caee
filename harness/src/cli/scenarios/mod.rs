//! Scenarios of the lab as cases: side by side, each in a process of its own, told as libtest tells tests.

mod case;
mod passed;
mod pool;
mod told;

use std::cell::Cell;
use std::io::{self, Write as _};
use std::path::Path;
use std::thread;
use std::time::Instant;

use clap::ValueEnum as _;
use tokio::process::Command;

use super::args::{Format, TestArgs};
use super::{Exit, Failure, memory, run_directory, tell, whole_file};
use case::Case;
use passed::Passed;
use pool::{Bounds, Ended, Event};
use told::{Came, came, duration};

/// What the rest of the machine keeps, of what is available now.
const SPARE_BYTES: u64 = 512 << 20;

/// Runs those that are asked for.
pub(super) fn run(args: &TestArgs, lab: &Path) -> Result<Exit, Failure> {
    let runs = run_directory::runs_directory(args.runs_dir.as_deref())?;
    let passed = Passed::below(&runs);
    let (cases, left_out) = case::select(&args.lab, lab, &passed)?;
    if args.lab.list {
        print(&told::list(&cases));
        return Ok(Exit::Pass);
    }
    let bounds = bounds(args);
    args.verbosity.tell(&announcement(&cases, left_out, bounds));
    if args.dry_run {
        return Ok(Exit::Pass);
    }
    let begun = Instant::now();
    let count = Cell::new(0);
    let started = |case: &Case| {
        let runs = args.run_dir.as_deref().unwrap_or(&runs);
        command(args, lab, runs, case, count.replace(count.get() + 1))
    };
    let total = cases.len();
    let mut trouble = None;
    let mut done = 0;
    let ended = pool::run(cases, bounds, started, |event| match event {
        Event::Begins(case) if case.memory.is_some() => {
            let about = duration(u64::from(case.seconds));
            args.verbosity
                .tell(&format!("test {} begins (about {about})\n", case.label()));
        }
        Event::Begins(_) => {}
        Event::Interrupted(ended) => {
            let (label, seconds) = (ended.case.label(), ended.seconds);
            let line = format!("test {label} ... interrupted ({seconds} s)\n");
            args.verbosity.tell(&line);
        }
        Event::Ended(ended) => {
            done += 1;
            let came = came(ended);
            // Another format's reports are for a program; none is cut by another.
            print(&String::from_utf8_lossy(&ended.output.stdout));
            args.verbosity
                .tell(&format!("[{done}/{total}] {}", told::ended(ended, &came)));
            let kept = passed.keep(&ended.case, came == Came::AsExpected, ended.seconds);
            trouble = trouble.take().or(kept.err());
        }
    })?;
    let Some(ended) = ended else {
        return Err("interrupted: go on where it was left with --resume".into());
    };
    let all: Vec<(Ended, Came)> = ended
        .into_iter()
        .map(|ended| {
            let came = came(&ended);
            (ended, came)
        })
        .collect();
    if let Some(place) = &args.lab.junit {
        whole_file::write(place, told::as_junit(&all).as_bytes())
            .map_err(|error| format!("failed to write {}: {error}", place.display()))?;
    }
    tell(&told::summary(&all, left_out, begun.elapsed().as_secs()));
    match trouble {
        Some(trouble) => Err(format!("failed to keep what passed: {trouble}").into()),
        None => Ok(worst(&all)),
    }
}

/// As many guests as cores, and no more than the memory holds.
fn bounds(args: &TestArgs) -> Bounds {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    Bounds {
        jobs: args.lab.jobs.unwrap_or(cores),
        memory: memory::available().map(|bytes| bytes.saturating_sub(SPARE_BYTES)),
    }
}

/// How many there are, and how long they take together.
fn announcement(cases: &[Case], left_out: usize, bounds: Bounds) -> String {
    let booted = cases.iter().filter(|case| case.memory.is_some()).count();
    let seconds: u64 = cases.iter().map(|case| u64::from(case.seconds)).sum();
    let longest = cases.iter().map(|case| u64::from(case.seconds)).max();
    let jobs = u64::try_from(bounds.jobs).unwrap_or(1);
    let about = (seconds / jobs).max(longest.unwrap_or(0));
    let passed = match left_out {
        0 => String::new(),
        many => format!(" ({many} more passed before)"),
    };
    format!(
        "running {} scenarios{passed}, {booted} of them booted, {} at once: about {}\n",
        cases.len(),
        bounds.jobs,
        duration(about.div_ceil(60) * 60)
    )
}

/// This program again, for one scenario.
fn command(
    args: &TestArgs,
    lab: &Path,
    runs: &Path,
    case: &Case,
    number: usize,
) -> io::Result<Command> {
    let directory = match &args.run_dir {
        Some(directory) => directory.join(format!("{number}-{}", case.name)),
        None => run_directory::new_below(runs, &case.name)
            .map_err(|e| io::Error::other(e.to_string()))?,
    };
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["test", "--scenario", &case.name, "--lab"])
        .arg(lab)
        .arg("--scenarios")
        .arg(&args.lab.scenarios)
        .arg("--run-dir")
        .arg(directory)
        // The others are there for the cores.
        .args(["--jobs", "1"]);
    if let Some(cache) = &args.cache.cache_dir {
        command.arg("--cache-dir").arg(cache);
    }
    if let Some(bytes) = args.cache.cache_size {
        command.arg("--cache-size").arg(bytes.to_string());
    }
    if args.keep {
        command.arg("--keep");
    }
    if let Some(format) = args
        .format
        .to_possible_value()
        .filter(|_| args.format != Format::Human)
    {
        command.arg("--format").arg(format.get_name());
    }
    Ok(command)
}

fn print(text: &str) {
    // A reader that has gone away wants no more.
    let _ = io::stdout().write_all(text.as_bytes());
}

/// Trouble of the host outranks a scenario that is not as expected.
fn worst(all: &[(Ended, Came)]) -> Exit {
    let exit = |(ended, came): &(Ended, Came)| match (came, ended.output.status.code()) {
        (Came::AsExpected, _) => Exit::Pass,
        (_, Some(1)) => Exit::Fail,
        _ => Exit::Error,
    };
    all.iter().map(exit).max().unwrap_or(Exit::Pass)
}

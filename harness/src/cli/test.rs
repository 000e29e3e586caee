//! `bootproof test`: rehearse a closure, or the lab's scenarios.

use std::fs;
use std::path::Path;

use super::approval::{Approved, DIFFERENCE_FILE};
use super::args::{Format, TestArgs};
use super::as_approved::{Outcome, tell_report};
use super::load::{Asked, Loaded, load};
use super::memory;
use super::progress::{Event, JsonLines, Printer};
use super::signals::until_signal;
use super::verdict_of_scenario::judge;
use super::{
    Exit, Failure, cache, chain, estimate, key, receipts, report, run_directory, scenarios, tell,
};
use crate::closure;
use crate::inspect::{self, BuiltBy, Meant, MeantBy};
use crate::receipt::SecretKey;
use crate::rehearsal::{
    Overlay, Progress, Rehearsed, RunError, RunOptions, rehearse, require_programs,
};
use crate::report::Report;
use crate::vocabulary::{ClosureIdentity, Inspected, Verdict, size};

/// Carries out what the arguments ask for.
pub(super) fn run(args: &TestArgs) -> Result<Exit, Failure> {
    let lines = JsonLines::new(None, args.verbosity);
    let result = carry_out(args);
    if let (Err(error), Format::JsonLines) = (&result, args.format) {
        lines.failed(&chain(&**error));
    }
    result
}

fn carry_out(args: &TestArgs) -> Result<Exit, Failure> {
    let cache_directory = run_directory::cache_directory(args.cache.cache_dir.as_deref())?;
    let cache_limit = cache::limit(&args.cache, &args.host, &cache_directory)?;
    // What would keep a receipt from being written is told before the rehearsal. No host deploys a scenario.
    let for_key = args.key.as_deref().filter(|_| args.lab.lab.is_none());
    let key = for_key.map(key::read_secret).transpose()?;
    let receipts = match &key {
        Some(_) => Some(args.host.read()?.receipts),
        None => None,
    };
    let approved = Approved::find(&args.approved, &args.host)?;
    if args.approve && approved.is_none() {
        return Err(
            "--approve for which host? Name it with --host NAME, or a file with --approved FILE"
                .into(),
        );
    }
    let loaded = match load(args)? {
        Asked::One(loaded) => loaded,
        Asked::Several { lab } => return scenarios::run(args, lab),
    };
    let announcement = estimate::announce(&loaded, &cache_directory);
    match args.format {
        // Programs are told what begins when it begins.
        Format::JsonLines if !args.dry_run => {}
        _ => args.verbosity.tell(&announcement),
    }
    if args.dry_run {
        return Ok(Exit::Pass);
    }
    require_programs(&loaded.plan, &cache_directory)?;
    let options = RunOptions {
        run_directory: run_directory::make(args, &loaded.name)?,
        cache_directory,
        cache_limit,
        keep: args.keep,
        machines: machines(args.lab.jobs, loaded.plan.target.memory_mib),
    };
    let signing = key.as_ref().zip(receipts.as_deref());
    one(args, &loaded, &options, signing, approved.as_ref())
}

/// How many guests of so much memory may run at once: as many as there are cores, where nobody says.
fn machines(wanted: Option<usize>, memory_mib: u32) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let most = wanted.unwrap_or(cores);
    let guest = (u64::from(memory_mib) << 20).max(1);
    let room =
        memory::available().map(|bytes| usize::try_from(bytes / guest).unwrap_or(usize::MAX));
    room.map_or(most, |room| most.min(room)).max(1)
}

/// One rehearsal with its report.
fn one(
    args: &TestArgs,
    loaded: &Loaded,
    options: &RunOptions,
    signing: Option<(&SecretKey, &Path)>,
    approved: Option<&Approved>,
) -> Result<Exit, Failure> {
    let directory = &options.run_directory;
    let identities = match signing {
        Some(_) => Some(identify(loaded)?),
        None => None,
    };
    let argv: Vec<String> = std::env::args_os()
        .map(|a| a.to_string_lossy().into_owned())
        .collect();
    fs::write(
        directory.join("argv.json"),
        serde_json::to_string_pretty(&argv)? + "\n",
    )?;
    let lines = (args.format == Format::JsonLines)
        .then(|| JsonLines::begin(&loaded.name, &loaded.plan, directory, args.verbosity));
    let Rehearsed { observations, disk } = rehearsed(args, loaded, options, lines.as_ref())?;
    let report = crate::report::report(&loaded.plan, &observations);
    report::write_files(&report, &loaded.plan, &observations, directory)?;
    // A scenario says itself what is expected of it, and in a guest that was held anything may have been done.
    let is_comparable = loaded.scenario.is_none() && loaded.plan.hold.is_none();
    let judged = loaded
        .scenario
        .as_ref()
        .map(|scenario| judge(&loaded.name, &scenario.expect, &report, directory));
    let outcome = tell_report(args, &report, approved.filter(|_| is_comparable), directory)?;
    let differs = matches!(outcome, Outcome::Differs { .. });
    if let (Some(signing), Some(identities)) = (signing, identities) {
        sign(
            args, loaded, &report, directory, signing, identities, outcome,
        )?;
    }
    let exit = match judged {
        None if differs => Exit::Fail,
        None => Exit::from(report.verdict),
        Some((exit, line)) => {
            tell(&format!("{line}\n"));
            exit
        }
    };
    let is_as_wanted = match &loaded.scenario {
        Some(_) => exit == Exit::Pass,
        None => report.verdict == Verdict::Pass,
    };
    if let Some(disk) = disk.filter(|_| args.keep || !is_as_wanted) {
        let told = keep(disk, directory);
        args.verbosity.tell(&told);
    }
    if let Some(lines) = lines {
        if differs {
            let text = format!("not as approved: see {DIFFERENCE_FILE} in the run's directory");
            lines.tell(Event::Note { text });
        }
        lines.finish(&report.findings, report.verdict, &report.headline, exit);
    }
    Ok(exit)
}

/// The recording of a run, which is told while it is made.
fn rehearsed(
    args: &TestArgs,
    loaded: &Loaded,
    options: &RunOptions,
    lines: Option<&JsonLines>,
) -> Result<Rehearsed, Failure> {
    let inspected = inspect(loaded)?;
    // A live line is gone when this goes, before anything else is told.
    let mut progress: Box<dyn Progress> = match lines {
        Some(lines) => Box::new(lines.clone()),
        None => Box::new(Printer::new(&loaded.name, args.verbosity)),
    };
    rehearse_until_signal(loaded, &inspected, options, &mut *progress)
}

/// Writes the receipt, where there is one to be had.
fn sign(
    args: &TestArgs,
    loaded: &Loaded,
    report: &Report,
    directory: &Path,
    (key, receipts): (&SecretKey, &Path),
    (candidate, baseline): (ClosureIdentity, Option<ClosureIdentity>),
    outcome: Outcome,
) -> Result<(), Failure> {
    if matches!(outcome, Outcome::Differs { .. }) && report.verdict == Verdict::Pass {
        tell("no receipt: it would say pass of a run that is not as approved\n");
        return Ok(());
    }
    let written = fs::read(directory.join("report.json"))?;
    let host = args.host.host.as_deref();
    match receipts::receipt(&loaded.plan, report, &written, host, candidate, baseline) {
        Some(mut receipt) => {
            receipt.approved = outcome.approved();
            let place = receipts::write(receipts, &receipt, key)?;
            let told = format!("receipt: {}\n", place.display());
            args.verbosity.tell(&told);
        }
        None => tell("no receipt: no machine ran, so nothing was rehearsed\n"),
    }
    Ok(())
}

/// Leaves the disk for `bootproof debug`, and says so. That it could not be left changes nothing of the verdict.
fn keep(mut disk: Overlay, directory: &Path) -> String {
    let mib = disk.mib().unwrap_or_default();
    match disk.keep() {
        Ok(_) => format!(
            "disk kept ({}); boot it again: bootproof debug {}\n",
            size::say(mib << 20),
            report::from_here(directory).display()
        ),
        Err(error) => format!("the disk was not kept: {}\n", chain(&error)),
    }
}

/// What the stores say that candidate and baseline hold.
fn identify(loaded: &Loaded) -> Result<(ClosureIdentity, Option<ClosureIdentity>), Failure> {
    let candidate = closure::identify(&loaded.candidate)?;
    let baseline = loaded
        .baseline
        .as_ref()
        .map(closure::identify)
        .transpose()?;
    Ok((candidate, baseline))
}

/// The first stage: what the candidate's files prove, against what the plan expects.
fn inspect(loaded: &Loaded) -> Result<Inspected, Failure> {
    let plan = &loaded.plan;
    let options = inspect::Options {
        expected: Some(inspect::Expected {
            system: plan.expect_system.clone(),
            by: plan.expected_by.clone(),
        }),
        target: plan.target.clone(),
        verify_contents: loaded
            .scenario
            .as_ref()
            .is_some_and(|scenario| scenario.inspection.verify_contents),
    };
    let against = inspect::Against {
        baseline: loaded.baseline.as_ref().zip(plan.baseline.as_ref()),
        meant: loaded.meant.as_ref().map(|(closure, facts)| Meant {
            closure,
            facts,
            by: MeantBy::Path,
            built_by: BuiltBy::DeployTool,
        }),
    };
    let candidate = inspect::Candidate {
        closure: &loaded.candidate,
        facts: &plan.candidate,
        survey: &closure::survey(&loaded.candidate),
    };
    let inspection = inspect::inspect(&candidate, &against, &options)?;
    Ok(inspection.recorded())
}

fn rehearse_until_signal(
    loaded: &Loaded,
    inspected: &Inspected,
    options: &RunOptions,
    progress: &mut dyn Progress,
) -> Result<Rehearsed, Failure> {
    let rehearsal = async {
        let rehearsed = rehearse(&loaded.plan, inspected, &loaded.closures, options, progress);
        rehearsed.await.map_err(|error| with_place(error, options))
    };
    until_signal(rehearsal, |by| interrupted(by, options))
}

fn with_place(error: RunError, options: &RunOptions) -> Failure {
    format!(
        "{} (recorded so far: {})",
        chain(&error),
        options.run_directory.display()
    )
    .into()
}

fn interrupted(by: &str, options: &RunOptions) -> Failure {
    format!(
        "interrupted by {by}: the machine is off, nothing is proven (recorded so far: {})",
        options.run_directory.display()
    )
    .into()
}

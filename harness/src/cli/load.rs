//! From arguments to a plan and the closures' files.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::args::TestArgs;
use super::lab::from_lab;
use super::provided::{Provided, Wanted};
use super::{Failure, seeds, specialisations};
use crate::closure::{self, Closure};
use crate::rehearsal::{self, Closures, Inputs, Journey, KernelFiles, itinerary};
use crate::scenario::Scenario;
use crate::vocabulary::{ClosureFacts, Hold, Plan, State, StorePath, System, TargetMachine};

/// One rehearsal, ready to be carried out.
pub(super) struct Loaded {
    /// The scenario's name, or the candidate's.
    pub(super) name: String,
    pub(super) plan: Plan,
    pub(super) candidate: Closure,
    pub(super) baseline: Option<Closure>,
    /// What a scenario or a flake says was meant to be built.
    pub(super) meant: Option<(Closure, ClosureFacts)>,
    pub(super) closures: Closures,
    /// What the closures take on a disk, in bytes.
    pub(super) disk_bytes: u64,
    /// `None` for a closure of the user's.
    pub(super) scenario: Option<Scenario>,
}

/// What the arguments ask for.
pub(super) enum Asked<'a> {
    /// A closure, or one scenario with all of its report.
    One(Box<Loaded>),
    /// Scenarios as cases, from this lab.
    Several { lab: &'a Path },
}

pub(super) fn load(args: &TestArgs) -> Result<Asked<'_>, Failure> {
    let wanted = &args.lab;
    if wanted.scenario.is_empty() {
        let provided = provided(args)?;
        if provided.is_named() || args.source.closure.is_some() {
            return Ok(Asked::One(Box::new(one(args, &provided)?)));
        }
    }
    let Some(lab) = &wanted.lab else {
        return Err(match wanted.scenario.first() {
            Some(name) => format!(
                "--scenario needs the lab's closures: run `cargo xtask test-boot --scenario {name}`, or name a lab with --lab"
            ),
            None => "nothing to rehearse: name a closure with --toplevel or --closure, or run `cargo xtask test-boot` for \
                     the lab's scenarios"
                .to_owned(),
        }
        .into());
    };
    match wanted.only() {
        Some(name) => {
            let loaded = from_lab(name, &wanted.scenarios, lab)?;
            Ok(Asked::One(Box::new(loaded)))
        }
        None => Ok(Asked::Several { lab }),
    }
}

/// What the user names, builds or fetches.
fn provided(args: &TestArgs) -> Result<Provided, Failure> {
    Provided::get(&Wanted {
        candidate: args.toplevel.as_deref(),
        baseline: args.baseline.as_deref(),
        build: &args.build,
        input: &args.input,
        source: &args.source,
        host: args.host.host.as_deref(),
        cache_directory: args.cache.cache_dir.as_deref(),
        with_baseline: true,
    })
}

/// A closure of the user's, on the machine that the arguments describe.
fn one(args: &TestArgs, provided: &Provided) -> Result<Loaded, Failure> {
    let candidate = provided.candidate()?;
    let named = |toplevel: &String| closure::resolve(&provided.source, toplevel);
    let baseline = provided.baseline.as_ref().map(named).transpose()?;
    let meant = provided.meant.as_ref().map(named).transpose()?;
    let meant = meant.map(with_facts).transpose()?;
    let host = args
        .host
        .host
        .as_ref()
        .map(|_| args.host.read())
        .transpose()?;
    let demanded = host
        .as_ref()
        .map(|chosen| chosen.host.settings.policy.steps.clone());
    let settings = host.map(|chosen| chosen.host.settings).unwrap_or_default();
    let beside = args.host.config.parent().unwrap_or(Path::new(""));
    let seeds = seeds::read(&settings.files, beside)?;
    let by_user = args
        .expect_system
        .clone()
        .map(|system| (System::from(system), "--expect-system".to_owned()));
    let expect_system = by_user.or_else(|| {
        let system = settings.expect_system.clone()?;
        Some((system, "the host's configuration".to_owned()))
    });
    let known = settings.target;
    let cpu = args.cpu.clone().or_else(|| known.cpu.clone());
    let told = args.target.machine(known)?;
    let target = TargetMachine {
        cpu,
        memory_mib: args.memory.unwrap_or(told.memory_mib),
        cores: args.cores.unwrap_or(told.cores),
        ..told
    };
    let name = candidate.toplevel.name().to_owned();
    let mut files = Files::of(&candidate, baseline.as_ref())?;
    let steps = itinerary(&Journey {
        named: args.steps.as_deref(),
        with_baseline: baseline.is_some(),
        demanded: demanded.as_deref().unwrap_or_default(),
        cycles: args.cycles.unwrap_or(1),
    })?;
    let facts = closure::read_facts(&candidate)?;
    let specialisations = specialisations::read(&candidate, &steps);
    let lab = is_of_the_lab(facts.nixos_version.as_deref());
    let plan = rehearsal::plan(Inputs {
        candidate: facts,
        baseline: baseline.as_ref().map(closure::read_facts).transpose()?,
        specialisations: specialisations.known,
        specialisations_left_out: specialisations.left_out,
        target,
        expect_system,
        steps,
        side_by_side: args.side_by_side,
        scenario: None,
        lab,
        hold: hold(args, baseline.is_some())?,
        by_hand: Vec::new(),
        seeded: seeds.iter().map(seeds::seeded).collect(),
        probes: settings.probes,
        downtime: settings.downtime,
        times: settings.times,
        suppressions: settings.suppressions,
        today: today(),
    });
    files.closures.seeds = seeds;
    Ok(Loaded {
        name,
        plan,
        candidate,
        baseline,
        meant,
        closures: files.closures,
        disk_bytes: files.disk_bytes,
        scenario: None,
    })
}

/// The state in which the user wants the guest, if the rehearsal comes to it.
fn hold(args: &TestArgs, with_baseline: bool) -> Result<Option<Hold>, Failure> {
    let Some(state) = args.hold.map(State::from) else {
        return Ok(None);
    };
    let states: &[State] = match with_baseline {
        true => &[State::Before, State::Switched, State::Rebooted],
        false => &[State::Booted, State::Rebooted],
    };
    if !states.contains(&state) {
        let known: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
        let with = if with_baseline { "with" } else { "without" };
        return Err(format!(
            "a rehearsal {with} a baseline never comes to the state `{state}` (--hold): it has {}",
            known.join(" and ")
        )
        .into());
    }
    Ok(Some(Hold {
        state,
        port: args.hold_port,
    }))
}

/// In UTC, as suppressions are dated.
pub(super) fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// The lab's closures say so in their version, so that no report on one can be taken for evidence about NixOS.
fn is_of_the_lab(nixos_version: Option<&str>) -> bool {
    nixos_version.is_some_and(|version| version.ends_with(".lab"))
}

pub(super) fn with_facts(closure: Closure) -> Result<(Closure, ClosureFacts), Failure> {
    let facts = closure::read_facts(&closure)?;
    Ok((closure, facts))
}

/// Where the closures' files are.
pub(super) struct Files {
    pub(super) closures: Closures,
    pub(super) disk_bytes: u64,
}

impl Files {
    pub(super) fn of(candidate: &Closure, baseline: Option<&Closure>) -> Result<Self, Failure> {
        let mut paths: Vec<(PathBuf, StorePath)> = Vec::new();
        for closure in baseline.into_iter().chain([candidate]) {
            paths.extend(
                closure
                    .paths
                    .iter()
                    .map(|path| (closure.host_path(path), path.clone())),
            );
        }
        paths.sort_by(|a, b| a.1.cmp(&b.1));
        paths.dedup_by(|a, b| a.1 == b.1);
        let installed = baseline.unwrap_or(candidate);
        let names = |closure: &Closure| {
            let names = closure.paths.iter().map(|path| path.base_name().to_owned());
            names.collect()
        };
        let both: Vec<&Closure> = baseline.into_iter().chain([candidate]).collect();
        let mut disk_bytes = candidate.disk_bytes()?;
        if let Some(baseline) = baseline {
            disk_bytes += baseline.disk_bytes()?;
        }
        Ok(Self {
            disk_bytes,
            closures: Closures {
                store_paths: paths
                    .into_iter()
                    .map(|(place, path)| (place, path.base_name().to_owned()))
                    .collect(),
                of_installed: names(installed),
                of_candidate: names(candidate),
                registration: closure::register(&both)?,
                installed: kernel_files(installed)?,
                candidate: kernel_files(candidate)?,
                seeds: Vec::new(),
            },
        })
    }
}

fn kernel_files(closure: &Closure) -> Result<KernelFiles, Failure> {
    Ok(KernelFiles {
        kernel: host_file(closure, "kernel")?,
        initrd: host_file(closure, "initrd")?,
    })
}

/// A file of the toplevel that is a link to another store path, as a place on the host.
fn host_file(closure: &Closure, name: &str) -> Result<PathBuf, Failure> {
    let link = closure.host_path(&closure.toplevel).join(name);
    let Ok(target) = std::fs::read_link(&link) else {
        return Ok(link);
    };
    let target = target.to_string_lossy().into_owned();
    let (path, below) = StorePath::split(&target).map_err(|error| {
        format!(
            "{}/{name} leads out of the closure: {error}",
            closure.toplevel
        )
    })?;
    Ok(closure.host_path(&path).join(below))
}

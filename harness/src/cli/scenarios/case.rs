//! Which scenarios are asked for, and what each takes.

use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::super::args::ScenarioArgs;
use super::super::lab::built;
use super::super::{Failure, tell};
use super::passed::Passed;
use crate::doctor::{self, Work};
use crate::rehearsal::cycled;
use crate::scenario::{self, Scenario};

/// One scenario, once.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) name: String,
    /// The directory that it is in beside others of its kind; `None` for those that stand alone.
    pub(super) group: Option<String>,
    pub(super) summary: String,
    pub(super) tags: Vec<String>,
    /// What its guest takes, in bytes; `None` where none is started.
    pub(super) memory: Option<u64>,
    /// How long it took last, or is thought to take.
    pub(super) seconds: u32,
    /// All that what comes of it depends on, in hex.
    pub(super) identity: String,
}

impl Case {
    /// `GROUP/NAME`, or `NAME`.
    pub(super) fn label(&self) -> String {
        match &self.group {
            Some(group) => format!("{group}/{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// What QEMU itself takes beside the guest's memory, generously.
const QEMU_BYTES: u64 = 256 << 20;

/// What the lab's closures take, in MiB: good enough for an estimate.
const CLOSURE_MIB: u64 = 150;

/// The scenarios that are asked for, without those that are left out by `--resume`; each as often as it is to be run.
pub(super) fn select(
    args: &ScenarioArgs,
    lab: &Path,
    passed: &Passed,
) -> Result<(Vec<Case>, usize), Failure> {
    let mut names = if args.scenario.is_empty() {
        scenario::names(&args.scenarios)?
    } else {
        args.scenario.clone()
    };
    if let Some(partition) = args.partition {
        let all = names.len();
        names.retain(|name| partition.has(name));
        tell(&format!(
            "{partition}: {} of {all} scenarios\n",
            names.len()
        ));
    }
    let mut cases = Vec::new();
    let mut left_out = 0;
    for name in names {
        let scenario = Scenario::read(&args.scenarios, &name)?;
        let wanted = |tag: &String| scenario.tags.contains(tag);
        if !args.tag.is_empty() && !args.tag.iter().any(wanted) {
            continue;
        }
        let case = case(args, lab, name, &scenario, passed)?;
        let done = match args.resume {
            true => passed.times(&case).min(args.repeat),
            false => 0,
        };
        left_out += usize::from(done == args.repeat);
        cases.extend((done..args.repeat).map(|_| case.clone()));
    }
    if cases.is_empty() && left_out == 0 {
        return Err(nothing(args));
    }
    // What is told soonest comes first, and of the long ones the longest, so that none is left alone at the end.
    cases.sort_by_key(|case| match case.memory {
        None => (false, 0),
        Some(_) => (true, u32::MAX - case.seconds),
    });
    Ok((cases, left_out))
}

fn nothing(args: &ScenarioArgs) -> Failure {
    match args.tag.as_slice() {
        [] => "no scenario is left of those that are asked for".to_owned(),
        tags => format!(
            "no scenario has the tag {}: see which there are with --list",
            tags.join(" or ")
        ),
    }
    .into()
}

fn case(
    args: &ScenarioArgs,
    lab: &Path,
    name: String,
    scenario: &Scenario,
    passed: &Passed,
) -> Result<Case, Failure> {
    let file = scenario::file(&args.scenarios, &name)?;
    let directory = file.parent().and_then(Path::parent);
    let group = directory
        .filter(|group| *group != args.scenarios)
        .and_then(|group| Some(group.file_name()?.to_string_lossy().into_owned()));
    let identity = identity(args, lab, &name, scenario)?;
    let memory = u64::from(scenario.target.memory_mib) << 20;
    let mut case = Case {
        group,
        summary: scenario.summary.clone(),
        tags: scenario.tags.iter().cloned().collect(),
        memory: (!scenario.is_static()).then_some(memory + QEMU_BYTES),
        seconds: 0,
        identity,
        name,
    };
    case.seconds = passed.seconds(&case).unwrap_or_else(|| guess(scenario));
    Ok(case)
}

fn guess(scenario: &Scenario) -> u32 {
    if scenario.is_static() {
        return 1;
    }
    let rehearsal = &scenario.rehearsal;
    let work = Work {
        steps: &cycled(&rehearsal.steps, rehearsal.cycles),
        specialisations: scenario.specialisations_of(&rehearsal.candidate),
        closure_mib: CLOSURE_MIB,
        provisions: true,
        window_seconds: 12,
    };
    doctor::seconds(&work, 1.0)
}

/// bootproof itself, the closures, and what is expected of them.
fn identity(
    args: &ScenarioArgs,
    lab: &Path,
    name: &str,
    scenario: &Scenario,
) -> Result<String, Failure> {
    let mut hash = Sha256::new();
    let program = std::env::current_exe()?;
    let metadata = fs::metadata(&program)?;
    hash.update(format!("{:?} {}\n", metadata.modified()?, metadata.len()));
    for name in scenario.base.iter().map(String::as_str).chain([name]) {
        hash.update(fs::read(scenario::file(&args.scenarios, name)?)?);
    }
    for system in scenario.systems.keys() {
        match built(lab, name, system) {
            Ok(toplevel) => hash.update(toplevel.as_os_str().as_encoded_bytes()),
            // What is only listed need not be there.
            Err(_) if args.list => {}
            Err(error) => return Err(error),
        }
    }
    Ok(base16ct::lower::encode_string(&hash.finalize()))
}

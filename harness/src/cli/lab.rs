//! A scenario of the lab, as a rehearsal.

use std::path::{Path, PathBuf};

use super::load::{Files, Loaded, today, with_facts};
use super::{Failure, specialisations};
use crate::closure::{self, Closure, Source};
use crate::config;
use crate::rehearsal::{self, Inputs};
use crate::scenario::Scenario;
use crate::vocabulary::{Downtime, Times};

/// The toplevel that the lab built for a system of a scenario.
pub(super) fn built(lab: &Path, scenario: &str, system: &str) -> Result<PathBuf, Failure> {
    let link = lab.join("closures").join(scenario).join(system);
    Ok(std::fs::read_link(&link).map_err(|error| {
        format!(
            "the lab has not built `{system}` of {scenario} ({}: {error}): build it with `cargo xtask lab --scenario {scenario}`",
            link.display()
        )
    })?)
}

/// A scenario, with the closures that the lab built for it.
pub(super) fn from_lab(name: &str, scenarios: &Path, lab: &Path) -> Result<Loaded, Failure> {
    let scenario = Scenario::read(scenarios, name)?;
    let probes = config::read_probes(&scenario.rehearsal.probes, "[[rehearsal.probes]]")?;
    let source = Source::Store {
        root: lab.join("root"),
    };
    let resolve = |system: &String| -> Result<Closure, Failure> {
        let toplevel = built(lab, name, system)?;
        Ok(closure::resolve(&source, &toplevel.to_string_lossy())?)
    };
    let candidate = resolve(&scenario.rehearsal.candidate)?;
    let baseline = scenario
        .rehearsal
        .baseline
        .as_ref()
        .map(resolve)
        .transpose()?;
    let meant = scenario
        .inspection
        .meant
        .as_ref()
        .map(resolve)
        .transpose()?;
    let meant = meant.map(with_facts).transpose()?;
    let files = Files::of(&candidate, baseline.as_ref())?;
    let steps = rehearsal::cycled(&scenario.rehearsal.steps, scenario.rehearsal.cycles);
    let specialisations = specialisations::read(&candidate, &steps);
    let plan = rehearsal::plan(Inputs {
        candidate: closure::read_facts(&candidate)?,
        baseline: baseline.as_ref().map(closure::read_facts).transpose()?,
        specialisations: specialisations.known,
        specialisations_left_out: specialisations.left_out,
        target: scenario.target.clone(),
        expect_system: Some((
            scenario.rehearsal.expect_system.clone(),
            "the scenario".to_owned(),
        )),
        steps,
        side_by_side: scenario.rehearsal.side_by_side,
        scenario: Some(name.to_owned()),
        lab: true,
        hold: None,
        by_hand: scenario.rehearsal.by_hand.clone(),
        seeded: Vec::new(),
        probes,
        downtime: Downtime::default(),
        times: Times {
            start_seconds: scenario.rehearsal.start_seconds,
            window_seconds: scenario.rehearsal.window_seconds,
        },
        suppressions: Vec::new(),
        today: today(),
    });
    Ok(Loaded {
        name: name.to_owned(),
        plan,
        candidate,
        baseline,
        meant,
        closures: files.closures,
        disk_bytes: files.disk_bytes,
        scenario: Some(scenario),
    })
}

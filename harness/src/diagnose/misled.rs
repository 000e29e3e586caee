//! What was observed in this run and points at a wrong cause.

use crate::check::tells_of_short_memory;
use crate::fold::{ActiveState, Unit};
use crate::vocabulary::{Check, ElfClass, Finding, System};

use super::seen;
use super::values::{Told, classes, kernel};

/// The line of a control group that could not be made, where no kernel says that memory was short.
pub(super) fn cgroup_line(told: &Told<'_>) -> Option<String> {
    let states = told.case.run.states.values();
    let mut lines = states.flat_map(|record| record.journal.iter().flatten());
    let is_short = lines.any(|e| e.from_kernel && tells_of_short_memory(&e.message));
    let mut lines = of_check(told, Check::LogSignature).filter(|f| f.subject == "cgroup-memory");
    let line = lines.next()?.evidence.first()?;
    (!is_short).then(|| line.text.clone())
}

/// The CPU's name, where it has long mode and the kernel that runs on it does not use it.
pub(super) fn cpu(told: &Told<'_>) -> Option<String> {
    let identity = seen::record(told.case, told.since()?)?.identity.as_ref()?;
    let is_idle = identity.cpu_long_mode && kernel(told)? == System::I686Linux;
    is_idle.then(|| identity.cpu.clone().unwrap_or_else(|| "unnamed".to_owned()))
}

/// What the ldd of a 32-bit userland said of a refused 64-bit executable.
pub(super) fn ldd(told: &Told<'_>) -> Option<String> {
    let record = seen::record(told.case, told.since()?)?;
    let is_32_bit = record.identity.as_ref()?.pid1 == Some(ElfClass::I386);
    let is_64_bit = classes(told).as_deref() == Some(ElfClass::X86_64.as_str());
    let mut answers = record.ldd.iter();
    let (path, said) = answers.find(|(_, said)| said.contains("not a dynamic executable"))?;
    (is_32_bit && is_64_bit).then(|| format!("`ldd {path}`: {said}"))
}

/// systemd's own word, where it counts no failed unit although services loop.
pub(super) fn nobody_failed(told: &Told<'_>) -> Option<String> {
    let record = seen::record(told.case, told.since()?)?;
    let word = record.system_state.as_deref().filter(|w| *w == "running")?;
    let failed = |unit: &Unit| unit.active_state == ActiveState::Failed;
    let nobody = !record.units()?.values().any(failed);
    (nobody && !loops(told).is_empty())
        .then(|| format!("`systemctl is-system-running`: {word}, 0 failed units"))
}

/// The units that are restarted again and again.
pub(super) fn loops<'a>(told: &Told<'a>) -> Vec<&'a str> {
    of_check(told, Check::RestartLoop)
        .map(|f| f.subject.as_str())
        .collect()
}

/// The error that nginx answers for others, while it runs and is not among what fails; 503 may be its own limit.
pub(super) fn gateway_answer(told: &Told<'_>) -> Option<String> {
    let is_for_others = |f: &&Finding| {
        let mut evidence = f.evidence.iter();
        evidence.any(|e| e.text.starts_with("502") || e.text.starts_with("504"))
    };
    let gateway = of_check(told, Check::HttpGateway).find(is_for_others)?;
    let units = seen::record(told.case, gateway.state)?.units()?;
    let nginx = units.get("nginx.service")?;
    let is_blamed = told.all.iter().any(|f| f.subject == "nginx.service");
    let runs = nginx.active_state == ActiveState::Active && nginx.sub_state == "running";
    (runs && !is_blamed).then(|| gateway.evidence.first().map(|e| e.text.clone()))?
}

fn of_check<'a>(told: &Told<'a>, check: Check) -> impl Iterator<Item = &'a Finding> {
    let all: &'a [&'a Finding] = told.all;
    all.iter().copied().filter(move |f| f.check == check)
}

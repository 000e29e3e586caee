//! Takes out of a report what differs between two runs of the same rehearsal, for snapshots and comparisons.
//!
//! The one place of redaction. What is under test stays: verdicts, finding ids, subjects, states, systems, severities, order.

use std::sync::LazyLock;

use regex::Regex;

use crate::vocabulary::{Accelerator, BootId, Step, StepOutcome, StorePath};

use super::model::{BootReport, ClosureKind, Report};
use super::sentences::{names, sentences};

const REDACTED: &str = "redacted";
const BOOT_ID: &str = "00000000-0000-0000-0000-000000000000";

/// What is replaced in sentences and quotations, in order. The first is all that is replaced in names.
const PATTERNS: &[(&str, &str)] = &[
    // Nix's base 32 leaves out e, o, u and t.
    (
        r"\b[0-9abcdfghijklmnpqrsvwxyz]{32}-",
        "00000000000000000000000000000000-",
    ),
    // Where a chroot store or a closure directory lies on the host.
    (
        r"/[^\s:='`\x22]*?/store/0{32}-",
        "/nix/store/00000000000000000000000000000000-",
    ),
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", BOOT_ID),
    // The kernel's clock at the beginning of a line.
    (r"\[ *\d+\.\d{6}\]", "[    0.000000]"),
    (
        r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?",
        "0000-00-00T00:00:00",
    ),
    (r"\bNRestarts=\d+", "NRestarts=N"),
    (r"restart counter is at \d+", "restart counter is at N"),
    // Processes, as `pid 71`, `process 71` and `nginx[71]`; PID 1 is always that one.
    (r"\b(?i:(pid|process))([ =])\d{2,}", "${1}${2}N"),
    (r"([a-zA-Z_-])\[\d+\]", "${1}[N]"),
    // How many files the distribution's packages have.
    (
        r"\bof \d+ programs and libraries \d+ are\b",
        "of N programs and libraries N are",
    ),
    (
        r"; \d+ (x86_64|i386|of another machine) in ",
        "; N ${1} in ",
    ),
    // Addresses.
    (r"\b0x[0-9a-f]+\b", "0xN"),
    (r"\b(at|ip|sp) [0-9a-f]{6,16}\b", "${1} N"),
    // The host's own, where the target machine has no CPU of its own.
    (
        r"names a 64-bit CPU: [^,]*,",
        "names a 64-bit CPU: redacted,",
    ),
    // Deadlines scale with the machine's speed.
    (r"\b\d+(\.\d+)? ?(ms|s|seconds|minutes|min)\b", "N ${2}"),
    (r"QEMU emulator version [^;,]*", "QEMU"),
];

static REDACTIONS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    // A test holds that every pattern compiles.
    PATTERNS
        .iter()
        .filter_map(|(pattern, with)| Some((Regex::new(pattern).ok()?, *with)))
        .collect()
});

/// The report with times, identities of boots, store hashes, accelerator, versions of bootproof and QEMU, and counts of
/// restarts replaced.
///
/// The names of store paths keep their versions, and so does the kernel: what a deploy changes is what a person approves. Only the
/// lab's kernel is whatever its distribution has that day.
///
/// Provisioning is left out where it went well: whether a base was cached is no part of what was proven.
#[must_use]
pub fn normalise(report: &Report) -> Report {
    let mut report = report.clone();
    leave_out_provisioning(&mut report);
    for closure in [&mut report.candidate]
        .into_iter()
        .chain(&mut report.baseline)
    {
        without_hash(&mut closure.toplevel);
    }
    match report.closure {
        ClosureKind::Lab => leave_out_kernel(&mut report),
        ClosureKind::Nixos => leave_out_transport(&mut report),
    }
    if let Some(used) = &mut report.accelerator {
        used.accelerator = Accelerator::Tcg;
        REDACTED.clone_into(&mut used.reason);
        used.factor = 1.0;
        "QEMU".clone_into(&mut used.qemu);
    }
    report.firmware = None;
    for state in &mut report.states {
        state.unstable.clear();
    }
    for boot in &mut report.boots {
        fingerprint(boot, report.closure);
    }
    REDACTED.clone_into(&mut report.tool_version);
    report.begun_again.clear();
    // How often what was replied, and when, is chance; a gap that counts is a finding.
    report.http_ledger.clear();
    report.stage_times.clear();
    // Where a journal was written out, and when, is chance too; what a cut breaks is a finding.
    report.cuts.clear();
    for told in &mut report.specialisations {
        if let Some(toplevel) = &mut told.toplevel {
            without_hash(toplevel);
        }
    }
    for step in &mut report.steps {
        step.milliseconds = step.milliseconds.map(|_| 0);
    }
    for boot in &mut report.boots {
        // It is compared with what booted.
        boot.foretold = None;
        boot.boot_id = boot.boot_id.as_ref().and_then(|_| BootId::parse(BOOT_ID));
        for stage in &mut boot.stages {
            stage.at_ms = 0;
        }
    }
    for text in sentences(&mut report) {
        *text = redact(text);
    }
    for name in names(&mut report) {
        *name = without_hashes(name);
    }
    report
}

/// What a boot came to is what a person approves. The lab's snapshots are held by its scenarios, and not by its distribution's packages; a
/// machine's id is made with its disk.
fn fingerprint(boot: &mut BootReport, closure: ClosureKind) {
    if closure == ClosureKind::Lab {
        boot.fingerprint = None;
    }
    if let Some(fingerprint) = &mut boot.fingerprint {
        REDACTED.clone_into(&mut fingerprint.sha256);
        fingerprint
            .lines
            .retain(|line| !line.starts_with("machine-id "));
    }
}

/// Of two shells, which greeted last is chance. The lab's snapshots are to show that each scenario has the one that it must.
fn leave_out_transport(report: &mut Report) {
    let boots = report.boots.iter_mut().map(|boot| &mut boot.transport);
    for transport in boots.chain([&mut report.rung]).flatten() {
        REDACTED.clone_into(transport);
    }
}

fn leave_out_kernel(report: &mut Report) {
    let closures = [&mut report.candidate]
        .into_iter()
        .chain(&mut report.baseline);
    let versions = closures.map(|closure| &mut closure.kernel_version);
    let releases = report
        .states
        .iter_mut()
        .map(|state| &mut state.kernel_release);
    for version in versions.chain(releases).flatten() {
        REDACTED.clone_into(version);
    }
}

fn leave_out_provisioning(report: &mut Report) {
    let went_well =
        |outcome: &Option<StepOutcome>| matches!(outcome, None | Some(StepOutcome::Done));
    report
        .steps
        .retain(|s| s.step != Step::Provision || !went_well(&s.outcome));
    report.boots.retain(|b| b.step != Some(Step::Provision));
    for (number, boot) in (1..).zip(&mut report.boots) {
        let old = std::mem::replace(&mut boot.number, number);
        // Numbers only become smaller, in order, so that no new one is taken for an old one.
        for state in &mut report.states {
            if state.boot == Some(old) {
                state.boot = Some(number);
            }
        }
    }
}

fn without_hash(path: &mut StorePath) {
    if let Ok(redacted) = StorePath::parse(&without_hashes(path.as_str())) {
        *path = redacted;
    }
}

/// What names a thing, of which nothing but a store path's hash is another's in an equal run.
fn without_hashes(name: &str) -> String {
    let redacted = REDACTIONS
        .first()
        .map(|(hash, with)| hash.replace_all(name, *with));
    redacted.map_or_else(|| name.to_owned(), std::borrow::Cow::into_owned)
}

fn redact(text: &str) -> String {
    REDACTIONS
        .iter()
        .fold(text.to_owned(), |text, (pattern, with)| {
            pattern.replace_all(&text, *with).into_owned()
        })
}

#[cfg(test)]
mod tests;

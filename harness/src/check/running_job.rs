//! What systemd says on the console while it waits for a job (`src/core/manager.c`, `manager_print_jobs_in_progress`).

/// A job that takes its time.
#[derive(Debug, PartialEq, Eq)]
pub struct RunningJob<'a> {
    /// `start`, `stop`, …
    pub kind: &'a str,
    /// The unit's description, or its name where systemd tells names (`StatusUnitFormat=`).
    pub what: &'a str,
}

/// The job of a line, in either form: `A stop job is running for Ledger (1min 2s / 3min)`, and with names
/// `Job ledger.service/stop running (1min 2s / 3min)`.
pub fn running_job(line: &str) -> Option<RunningJob<'_>> {
    let (job, _times) = line.rsplit_once(" (")?;
    if let Some((before, what)) = job.split_once(" job is running for ") {
        let (_, kind) = before.rsplit_once(' ')?;
        let what = what.split_once(" - ").map_or(what, |(_, text)| text);
        return Some(RunningJob { kind, what });
    }
    let (_, named) = job.strip_suffix(" running")?.rsplit_once("Job ")?;
    let (what, kind) = named.rsplit_once('/')?;
    Some(RunningJob { kind, what })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_read_from_every_form_of_the_line() {
        let read = |line: &'static str| running_job(line).map(|job| (job.kind, job.what));
        let plain = "[ *** ] A stop job is running for Ledger of the shop (37s / 1min 30s)";
        assert_eq!(read(plain), Some(("stop", "Ledger of the shop")));
        let combined = "A start job is running for ledger.service - Ledger (37s / no limit)";
        assert_eq!(read(combined), Some(("start", "Ledger")));
        let named = "[***   ] Job ledger.service/stop running (2min 10s / 5min)";
        assert_eq!(read(named), Some(("stop", "ledger.service")));
        let counted = "(1 of 2) Job dev-disk.device/start running (4s / 1min 30s)";
        assert_eq!(read(counted), Some(("start", "dev-disk.device")));
        for line in [
            "",
            "Job running (x",
            "A stop job is running for ",
            "running (",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}

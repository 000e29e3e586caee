//! `bootproof approve`: a finished run's report becomes the one that later runs are held against.

use super::approval::Approved;
use super::args::ApproveArgs;
use super::{Exit, Failure};
use crate::rehearsal::read_recording;
use crate::report;

/// Approves the report of a run, made again from its recording.
pub(super) fn run(args: &ApproveArgs) -> Result<Exit, Failure> {
    if args.host.host.is_some() {
        // A host that the configuration does not have is a mistake here as it is to `test`.
        args.host.read()?;
    }
    let Some(approved) = Approved::find(&args.approved, &args.host)? else {
        return Err(
            "approved for which host? Name it with --host NAME, or a file with --approved FILE"
                .into(),
        );
    };
    let (plan, observations) = read_recording(&args.run_dir)?;
    if plan.hold.is_some() {
        return Err("nothing can be approved: the guest was left to a person, who may have changed anything".into());
    }
    approved.approve(&report::report(&plan, &observations))?;
    Ok(Exit::Pass)
}

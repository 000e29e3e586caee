use std::path::PathBuf;

use clap::Args;
use clap::builder::RangedU64ValueParser;

use crate::cli::partition::Partition;

/// Which scenarios of the lab, and how they are run. One that is named alone tells its whole report; several are cases, side by side.
#[derive(Debug, Args)]
pub(in crate::cli) struct ScenarioArgs {
    /// Rehearse these scenarios of the lab (default: all of them)
    #[arg(long, value_name = "NAME", num_args = 1.., conflicts_with_all = ["TargetArgs", "BuildArgs", "InputArgs", "closure", "approved"])]
    pub(in crate::cli) scenario: Vec<String>,
    /// Only the scenarios with one of these tags: static, boot, services, http, quick, …
    #[arg(long, value_name = "WORD", num_args = 1.., conflicts_with_all = ["toplevel", "BuildArgs", "InputArgs", "closure"])]
    pub(in crate::cli) tag: Vec<String>,
    /// Only the scenarios of part K of N: each is always in the same part, and in no other
    #[arg(long, value_name = "hash:K/N", conflicts_with_all = ["toplevel", "BuildArgs", "InputArgs", "closure"])]
    pub(in crate::cli) partition: Option<Partition>,
    /// The directory of the scenarios
    #[arg(long, value_name = "DIR", default_value = "scenarios")]
    pub(in crate::cli) scenarios: PathBuf,
    /// Where the lab built the scenarios' closures
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) lab: Option<PathBuf>,
    /// Only list the scenarios, with their tags
    #[arg(long, requires = "lab")]
    pub(in crate::cli) list: bool,
    /// How many guests run side by side (default: what cores and memory allow)
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    pub(in crate::cli) jobs: Option<usize>,
    /// Each scenario so many times in a row
    #[arg(long, value_name = "N", requires = "lab", default_value_t = 1, value_parser = RangedU64ValueParser::<u32>::new().range(1..))]
    pub(in crate::cli) repeat: u32,
    /// Leave out what came out as expected before, with this bootproof, these closures and these expectations
    #[arg(long, requires = "lab")]
    pub(in crate::cli) resume: bool,
    /// Write what came of each scenario as JUnit XML
    #[arg(long, value_name = "FILE", requires = "lab")]
    pub(in crate::cli) junit: Option<PathBuf>,
}

impl ScenarioArgs {
    /// The only scenario that is asked for, if all of its report is wanted.
    pub(in crate::cli) fn only(&self) -> Option<&str> {
        let [only] = self.scenario.as_slice() else {
            return None;
        };
        let as_case = self.list
            || self.resume
            || self.repeat > 1
            || self.junit.is_some()
            || self.partition.is_some()
            || !self.tag.is_empty();
        (!as_case).then_some(only)
    }
}

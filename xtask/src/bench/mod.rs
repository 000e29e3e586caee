//! `cargo xtask bench …`: measurements as ratios within one run, since the machines that run them are shared and noisy.

mod bare;
mod healthy;
mod inspect;
mod reboot;
mod rehearsal;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum What {
    /// The healthy rehearsal against a bare QEMU that boots the same disk as often, with no harness
    Rehearsal {
        /// How often both are measured
        #[arg(long, default_value_t = 3)]
        rounds: u32,
    },
    /// A rehearsed reboot, from the reset until it is healthy, against the boot of a bare QEMU on the same disk; and several ways down and up
    /// side by side against one after another
    Reboot {
        /// How often both are measured
        #[arg(long, default_value_t = 3)]
        rounds: u32,
    },
    /// `bootproof inspect` against `find | file` and against a bare walk, on the lab's largest closure and on generated ones
    Inspect {
        /// How often each is measured, after a round that warms the caches
        #[arg(long, default_value_t = 7)]
        rounds: u32,
        /// A lab that is built already (default: build it in target/lab)
        #[arg(long, value_name = "DIR")]
        lab: Option<PathBuf>,
    },
    /// The bare walk that `inspect` is measured against
    #[command(hide = true)]
    Floor {
        #[arg(long)]
        threads: usize,
        /// A file that names the trees to walk, one a line
        list: PathBuf,
    },
}

pub(crate) fn run(root: &Path, what: &What) -> anyhow::Result<ExitCode> {
    match what {
        What::Rehearsal { rounds } => rehearsal::run(root, *rounds),
        What::Reboot { rounds } => reboot::run(root, *rounds),
        What::Inspect { rounds, lab } => inspect::run(root, *rounds, lab.as_deref()),
        What::Floor { threads, list } => inspect::floor::run(list, *threads),
    }
}

/// The middle one of the values; of an even number the mean of the two in the middle.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[odd / 2],
        even => sorted[even / 2 - 1].midpoint(sorted[even / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(&[]).is_nan());
    }
}

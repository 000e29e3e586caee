//! `cargo xtask bench …`: measurements as ratios within one run, since the machines that run them are shared and noisy.

mod rehearsal;

use std::path::Path;
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
}

pub(crate) fn run(root: &Path, what: &What) -> anyhow::Result<ExitCode> {
    match what {
        What::Rehearsal { rounds } => rehearsal::run(root, *rounds),
    }
}

/// The middle one of the values; of an even number the lower middle.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
        .get((sorted.len().max(1) - 1) / 2)
        .copied()
        .unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0]) - 1.0).abs() < f64::EPSILON);
        assert!(median(&[]).is_nan());
    }
}

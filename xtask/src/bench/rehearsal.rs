//! What the harness costs: a rehearsal of `healthy` on a warm cache, against a bare QEMU on the same disk.
//!
//! The bare QEMU is started as often as the rehearsal boots, with the rehearsal's own command line less what only the
//! harness uses, and each of its boots ends with the first 200 of nginx. The rehearsal beyond that switches, watches each
//! state for its window, and looks at all of it.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use bootproof::vocabulary::Observation;

use super::bare::{bare_boot, base_disk};
use super::healthy::{Healthy, accelerator};
use super::median;

pub(crate) fn run(root: &Path, rounds: u32) -> anyhow::Result<ExitCode> {
    let healthy = Healthy::with_a_warm_cache(root)?;
    let mut ratios = Vec::new();
    for round in 1..=rounds {
        let (rehearsal, observations) = healthy.rehearse()?;
        let disk = base_disk(&healthy.work)?;
        let boots = observations
            .iter()
            .filter(|r| matches!(r.observation, Observation::ChannelOpened { ref transport, .. } if transport == "serial"))
            .count();
        let mut bare = Duration::ZERO;
        for _ in 0..boots {
            bare += bare_boot(&disk)?;
        }
        let ratio = rehearsal.as_secs_f64() / bare.as_secs_f64();
        println!(
            "round {round}: rehearsal {:.1} s, bare QEMU {:.1} s for {boots} boots, ratio {ratio:.2}",
            rehearsal.as_secs_f64(),
            bare.as_secs_f64()
        );
        if round == 1 {
            println!("accelerator: {}", accelerator(&observations));
        }
        ratios.push(ratio);
    }
    println!("median ratio of {rounds} rounds: {:.2}", median(&ratios));
    Ok(ExitCode::SUCCESS)
}

//! How soon a rehearsed reboot is healthy, against a bare QEMU of the same disk.
//!
//! Both begin with the machine's reset or power-on. The bare one ends with nginx's first 200. The rehearsed one ends when systemd has called
//! its start finished and everything that nginx serves was asked once: what both do beyond a boot is the harness's own.
//!
//! Then how much sooner several ways down and up are gone side by side than one after another, on as many machines at once as this host
//! has cores: from the end of the switch to that of the last way.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use bootproof::fold::fold;
use bootproof::vocabulary::{Recorded, Step};

use super::bare::{bare_boot, base_disk};
use super::healthy::{Healthy, accelerator};
use super::median;

pub(crate) fn run(root: &Path, rounds: u32) -> anyhow::Result<ExitCode> {
    let healthy = Healthy::with_a_warm_cache(root)?;
    let mut ratios = Vec::new();
    for round in 1..=rounds {
        let (_, observations) = healthy.rehearse()?;
        let run = fold(&observations);
        let reboot = run.step(Step::WarmReboot).context("no reboot was made")?;
        let times = reboot.reset_ms.zip(reboot.settled_ms);
        let (reset_ms, settled_ms) = times.context("the reboot did not come to rest")?;
        let rehearsed = settled_ms.saturating_sub(reset_ms) as f64 / 1000.0;
        let bare = bare_boot(&base_disk(&healthy.work)?)?.as_secs_f64();
        let ratio = rehearsed / bare;
        println!(
            "round {round}: reset to healthy {rehearsed:.1} s, bare QEMU to its first 200 {bare:.1} s, ratio {ratio:.2}"
        );
        if round == 1 {
            println!("accelerator: {}", accelerator(&observations));
        }
        ratios.push(ratio);
    }
    println!("median ratio of {rounds} rounds: {:.2}", median(&ratios));
    side_by_side(&healthy, rounds)?;
    Ok(ExitCode::SUCCESS)
}

const WAYS: &str = "boot,switch,warm-reboot,cold-reboot,reset,panic";

fn side_by_side(healthy: &Healthy, rounds: u32) -> anyhow::Result<()> {
    let mut ratios = Vec::new();
    for round in 1..=rounds {
        let apart = after_the_switch(&healthy.rehearse_steps(WAYS, &["--side-by-side"])?)?;
        let in_turn = after_the_switch(&healthy.rehearse_steps(WAYS, &[])?)?;
        let ratio = in_turn / apart;
        println!(
            "round {round}: four ways one after another {in_turn:.1} s, side by side {apart:.1} s, speed-up {ratio:.2}"
        );
        ratios.push(ratio);
    }
    println!("median speed-up of {rounds} rounds: {:.2}", median(&ratios));
    Ok(())
}

/// Seconds from the end of the switch to that of the last step.
fn after_the_switch(observations: &[Recorded]) -> anyhow::Result<f64> {
    let run = fold(observations);
    let switched = run.step(Step::Switch).and_then(|step| step.finished_ms);
    let last = run.steps.iter().filter_map(|step| step.finished_ms).max();
    let (switched, last) = switched.zip(last).context("the steps did not end")?;
    Ok(last.saturating_sub(switched) as f64 / 1000.0)
}

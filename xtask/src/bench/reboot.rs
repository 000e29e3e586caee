//! How soon a rehearsed reboot is healthy, against a bare QEMU of the same disk.
//!
//! Both begin with the machine's reset or power-on. The bare one ends with nginx's first 200. The rehearsed one ends when systemd has called
//! its start finished and everything that nginx serves was asked once: what both do beyond a boot is the harness's own.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use bootproof::fold::fold;
use bootproof::vocabulary::Step;

use super::bare::{bare_boot, base_disk};
use super::healthy::{Healthy, accelerator};
use super::median;

pub(crate) fn run(root: &Path, rounds: u32) -> anyhow::Result<ExitCode> {
    let healthy = Healthy::build(root)?;
    eprintln!("bench: one rehearsal to warm the cache");
    healthy.rehearse()?;
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
    Ok(ExitCode::SUCCESS)
}

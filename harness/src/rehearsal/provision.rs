//! A disk that the closure's own bootloader installer has made bootable, once per content.
//!
//! The fresh disk's kernel is started by QEMU itself, the installer runs inside the guest, the guest powers off, and the
//! disk becomes an immutable base in the cache. What the installer said is kept beside it and told in every run.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use super::choose::{BootRoute, boot_route};
use super::deadlines::Deadlines;
use super::devices::foreign_devices;
use super::firmware;
use super::foretell::foretell;
use super::fresh_disk::{copied, fresh_disk};
use super::guest::{Guest, GuestTrouble};
use super::ladder::shell_files;
use super::nix_database;
use super::recorder::Recorder;
use super::run::{Closures, RunError, machine};
use crate::image::{self, Cache, CacheEntry, Layout, Spare, UnsupportedDisk, Use};
use crate::vm::{BootSource, Proof, Uefi};
use crate::vocabulary::{Observation, Plan, Step, StepOutcome};

/// Changes whenever equal inputs would give another disk.
const DISK_VERSION: u32 = 3;

pub(super) const DISK_FILE: &str = "disk.raw";
const PROVISION_FILE: &str = "provision.jsonl";

/// The base disk, or that the guest could not be brought to install its bootloader; the recording has why.
pub(super) enum Provisioned {
    Disk(Use),
    GuestFailed,
}

/// The disk of an entry of the cache.
pub(super) fn disk_of(base: &Use) -> PathBuf {
    base.place().join(DISK_FILE)
}

/// The name of the disk that `plan` needs in the cache.
pub fn disk_key(plan: &Plan, layout: &Layout) -> String {
    let installed = plan.baseline.as_ref().unwrap_or(&plan.candidate);
    let mut hasher = Sha256::new();
    for part in [
        DISK_VERSION.to_string(),
        installed.toplevel.to_string(),
        plan.candidate.toplevel.to_string(),
        plan.disk_bus.as_str().to_owned(),
        format!("{layout:?}"),
        format!("{:?}", shell_files()),
        format!("{:?}", boot_route(plan)),
    ]
    .into_iter()
    .chain(firmware::identity(plan))
    .chain(plan.seeded.iter().map(|seeded| format!("{seeded:?}")))
    {
        hasher.update(part);
        hasher.update([0]);
    }
    let digest = base16ct::lower::encode_string(&hasher.finalize());
    format!("{}-{}", &digest[..16], installed.toplevel.name())
}

/// What is on the disk that `plan` needs: the machine is taken to have what the candidate's specialisations mount, too.
pub(super) fn layout(plan: &Plan) -> Result<Layout, UnsupportedDisk> {
    let installed = plan.baseline.as_ref().unwrap_or(&plan.candidate);
    let mut candidate = plan.candidate.clone();
    for fs in plan.closures().flat_map(|closure| &closure.file_systems) {
        if !candidate.file_systems.contains(fs) && !installed.file_systems.contains(fs) {
            candidate.file_systems.push(fs.clone());
        }
    }
    image::layout(installed, &candidate, plan.disk_bus, plan.firmware)
}

/// Gives the base disk, making it where the cache has none.
pub(super) async fn provision(
    plan: &Plan,
    closures: &Closures,
    cache: &Cache,
    cache_limit: u64,
    proof: &Proof,
    recorder: &mut Recorder<'_>,
) -> Result<Provisioned, RunError> {
    let installed = plan.baseline.as_ref().unwrap_or(&plan.candidate);
    let layout = layout(plan)?;
    let key = disk_key(plan, &layout);
    recorder.working("look for the test disk in the cache");
    let entry = match cache.try_entry(&key)? {
        Some(entry) => entry,
        None => {
            recorder.working("wait for another run, which makes the same test disk");
            let (cache, key) = (cache.clone(), key.clone());
            outside_of_the_runtime(move || cache.entry(&key)).await?
        }
    };
    let reservation = match entry {
        CacheEntry::Ready(base) => {
            replay(&base, recorder)?;
            return Ok(Provisioned::Disk(base));
        }
        CacheEntry::Missing(reservation) => reservation,
    };

    let fresh = fresh_disk(installed, closures, &layout, cache, &key, recorder).await?;
    let reservation = copied(&fresh, reservation).await?;
    let disk = reservation.workshop().join(DISK_FILE);

    let mut provision = Vec::new();
    for choice in &layout.choices {
        provision.push(Observation::Note {
            text: choice.clone(),
        });
    }
    if boot_route(plan) == BootRoute::Bootloader {
        let uefi = firmware::of_a_new_machine(plan, reservation.workshop())?;
        match install(plan, closures, &disk, uefi, proof, recorder).await? {
            Ok(observed) => provision.extend(observed),
            Err(_) => return Ok(Provisioned::GuestFailed),
        }
    }
    let lines: Result<Vec<String>, _> = provision.iter().map(serde_json::to_string).collect();
    fs::write(
        reservation.workshop().join(PROVISION_FILE),
        lines?.join("\n") + "\n",
    )?;
    let base = reservation.publish()?;
    cache.discard(fresh)?;
    replay(&base, recorder)?;
    for removed in cache.shrink(cache_limit, Spare::InUse)? {
        recorder.working(&format!(
            "remove {} from the cache, which would take more than it may: it was not used for longest",
            removed.key
        ));
    }
    Ok(Provisioned::Disk(base))
}

/// Waits for `work` on a thread of its own. An interrupted run would wait for one of the runtime's, and this one may wait for
/// another run to make the same disk.
async fn outside_of_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (done, wait) = oneshot::channel();
    // Where nobody waits any longer, what was made is dropped, and its lock with it.
    thread::spawn(move || drop(done.send(work())));
    wait.await
        .unwrap_or_else(|_| Err(io::Error::other("a task on the host ended early")))
}

/// Boots the fresh disk and runs the installer; gives what it observed.
async fn install(
    plan: &Plan,
    closures: &Closures,
    disk: &Path,
    uefi: Option<Arc<Uefi>>,
    proof: &Proof,
    recorder: &mut Recorder<'_>,
) -> Result<Result<Vec<Observation>, GuestTrouble>, RunError> {
    let installed = plan.baseline.as_ref().unwrap_or(&plan.candidate);
    let deadlines = Deadlines::new(proof.factor);
    recorder.record(Observation::StepStarted {
        step: Step::Provision,
    })?;
    let mut spec = machine(plan, proof, uefi);
    spec.disk_format = "raw";
    spec.no_reboot = true;
    // A stage 1 that fails shall end this boot at once: it is bootproof's own, not the one that is judged.
    let extra = "console=ttyS0,115200 boot.panic_on_fail panic=-1";
    spec.boot = BootSource::Kernel {
        kernel: closures.installed.kernel.clone(),
        initrd: closures.installed.initrd.clone(),
        command_line: format!(
            "init={}/init {} {extra}",
            installed.toplevel,
            installed.kernel_params.join(" ")
        ),
    };
    let file = OpenOptions::new().read(true).write(true).open(disk)?;
    let mut guest = Guest::power_on(&spec, OwnedFd::from(file), recorder, PROVISION_BOOT).await?;
    let result = install_in(plan, &mut guest, deadlines).await;
    if let Ok(Err(_)) = &result {
        guest.keep_screen().await?;
    }
    guest.power_off().await;
    let result = result?;
    let outcome = match &result {
        Ok(_) => StepOutcome::Done,
        Err(trouble) => trouble.outcome(),
    };
    recorder.record(Observation::StepFinished {
        step: Step::Provision,
        outcome,
    })?;
    Ok(result)
}

/// The boot that installs the bootloader is none of the boots that are judged.
const PROVISION_BOOT: u32 = 0;

async fn install_in(
    plan: &Plan,
    guest: &mut Guest<'_, '_>,
    deadlines: Deadlines,
) -> Result<Result<Vec<Observation>, GuestTrouble>, RunError> {
    let installed = plan.baseline.as_ref().unwrap_or(&plan.candidate);
    if let Err(trouble) = guest.wait_for_boot(None, deadlines).await? {
        return Ok(Err(trouble));
    }
    let started = super::dumps::system_state(deadlines.startup(plan.start_seconds));
    if let Err(trouble) = guest
        .run(
            started.what,
            &started.script,
            deadlines.scale(started.deadline),
        )
        .await?
        && !trouble.machine_runs_on()
    {
        return Ok(Err(trouble));
    }
    let note = match nix_database::load(guest, installed, deadlines).await? {
        Ok(note) => note,
        Err(trouble) => return Ok(Err(trouble)),
    };
    let command = format!(
        "NIXOS_INSTALL_BOOTLOADER=1 {}/bin/switch-to-configuration boot",
        installed.toplevel
    );
    let script = format!("{}{command}", link_foreign_devices(plan));
    let answer = match guest
        .run("install its bootloader", &script, deadlines.install())
        .await?
    {
        Ok(answer) => answer,
        Err(trouble) => return Ok(Err(trouble)),
    };
    let observed = Observation::CommandRan {
        step: Step::Provision,
        command,
        exit_code: answer.exit_code,
        output: answer.output,
    };
    let foretold = match foretell(guest, None, deadlines).await? {
        Ok(foretold) => foretold,
        Err(trouble) => return Ok(Err(trouble)),
    };
    guest.send_last("sync; systemctl poweroff").await?;
    if let Err(trouble) = guest.wait_for_exit(deadlines.power_off()).await? {
        return Ok(Err(trouble));
    }
    Ok(Ok(note.into_iter().chain([observed, foretold]).collect()))
}

/// Shell commands that make the names of GRUB's devices, which no VM has, links to the VM's disk.
pub(super) fn link_foreign_devices(plan: &Plan) -> String {
    let installed = plan.baseline.as_ref().unwrap_or(&plan.candidate);
    foreign_devices(installed, &plan.candidate, plan.disk_bus)
        .iter()
        .map(|(device, target)| {
            format!("[ -e '{device}' ] || {{ mkdir -p \"$(dirname '{device}')\"; ln -s {target} '{device}'; }}\n")
        })
        .collect()
}

/// Tells what was observed when the disk was made.
fn replay(base: &Use, recorder: &mut Recorder<'_>) -> Result<(), RunError> {
    for line in fs::read_to_string(base.place().join(PROVISION_FILE))?.lines() {
        if !line.is_empty() {
            recorder.record(serde_json::from_str(line)?)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

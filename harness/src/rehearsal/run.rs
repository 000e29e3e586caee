//! A whole rehearsal: the steps of the plan, one after another, each state looked at.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::choose::{BootRoute, boot_route};
use super::continuity::{Continuity, Rhythm};
use super::deadlines::Deadlines;
use super::devices::{forwards, network_card, processor};
use super::firmware;
use super::guest::GuestError;
use super::network::network;
use super::provision::{self, Provisioned, disk_of, provision};
use super::recorder::{Progress, Recorder, set_aside};
use super::run_disk::RunDisk;
use super::steps::Steps;
use crate::image::{Cache, DiskError, LogError, Overlay, Seed, UnsupportedDisk};
use crate::vm::{self, BootSource, MachineSpec, Proof, Uefi, VmError};
use crate::vocabulary::{Inspected, Observation, Plan, Recorded, Step, StepOutcome, Unproven};

/// The files of the closures on the host.
#[derive(Debug, Clone)]
pub struct Closures {
    /// All store paths of baseline and candidate: their place on the host, and `<hash>-<name>`.
    pub store_paths: Vec<(PathBuf, String)>,
    /// Those of what is installed first, and those of the candidate, by `<hash>-<name>`.
    pub of_installed: BTreeSet<String>,
    pub of_candidate: BTreeSet<String>,
    /// What `nix-store --load-db` reads of these paths; empty where their store has no records.
    pub registration: String,
    /// Kernel and initrd of what is installed first: the baseline, or the candidate where there is none.
    pub installed: KernelFiles,
    pub candidate: KernelFiles,
    /// The files that the plan names as seeded.
    pub seeds: Vec<Seed>,
}

impl Closures {
    /// What no machine can be made without, and is not there.
    fn missing(&self) -> Option<String> {
        let files = [&self.installed, &self.candidate]
            .map(|of| [("kernel", &of.kernel), ("initrd", &of.initrd)]);
        let (name, _) = files
            .into_iter()
            .flatten()
            .find(|(_, path)| !path.is_file())?;
        Some(format!(
            "`{name}` of the toplevel leads to no file, so nothing can be booted"
        ))
    }
}

#[derive(Debug, Clone)]
pub struct KernelFiles {
    pub kernel: PathBuf,
    pub initrd: PathBuf,
}

/// Where a run works.
#[derive(Debug, Clone)]
pub struct RunOptions {
    pub run_directory: PathBuf,
    pub cache_directory: PathBuf,
    /// What finished disks may take in the cache, in bytes.
    pub cache_limit: u64,
    /// Leave the disk of the run in the run's directory.
    pub keep: bool,
    /// How many machines may run at once.
    pub machines: usize,
}

/// Trouble of the host or the user; the guest's is in the recording.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Vm(#[from] VmError),
    #[error(transparent)]
    Guest(#[from] GuestError),
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Unsupported(#[from] UnsupportedDisk),
    #[error(
        "the machine boots by UEFI, and no UEFI firmware for QEMU is here: install it with `apt-get install {package}`"
    )]
    NoUefi { package: &'static str },
    #[error("failed to open the cache {}: {source} (name another place with --cache-dir)", directory.display())]
    Cache {
        directory: PathBuf,
        source: io::Error,
    },
    #[error("failed to keep the recording or the cache: {0}")]
    Io(#[from] io::Error),
    #[error("failed to keep the recording or the cache: {0}")]
    Json(#[from] serde_json::Error),
    #[error("a task on the host ended early: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// What a rehearsal leaves.
#[derive(Debug)]
pub struct Rehearsed {
    /// The recording.
    pub observations: Vec<Recorded>,
    /// The disk as the rehearsal left it, where there was one. It is gone when this goes, unless somebody keeps it.
    pub disk: Option<Overlay>,
}

impl Rehearsed {
    fn without_disk(recorder: Recorder<'_>) -> Self {
        Self {
            observations: recorder.finish(),
            disk: None,
        }
    }
}

/// Carries the plan out and gives the recording, which is in the run's directory too. It begins with what the candidate's files
/// prove; a plan without steps ends there, and no machine is started.
///
/// A crash of QEMU itself, or a clock of the guest's that the host stopped, says nothing about the closure: that attempt is set aside in the run's directory, and the
/// rehearsal begun again.
///
/// # Errors
/// When the host cannot do what a rehearsal needs.
pub async fn rehearse(
    plan: &Plan,
    inspected: &Inspected,
    closures: &Closures,
    options: &RunOptions,
    progress: &mut dyn Progress,
) -> Result<Rehearsed, RunError> {
    let mut crashes: Vec<String> = Vec::new();
    loop {
        match attempt(plan, inspected, closures, options, progress, &crashes).await {
            Err(RunError::Guest(crash)) if crash.may_pass() && crashes.len() < SPARE_ATTEMPTS => {
                crashes.push(crash.to_string());
                set_aside(&options.run_directory, crashes.len())?;
            }
            result => return result,
        }
    }
}

/// A QEMU that crashes more often has a fault that somebody must look at.
const SPARE_ATTEMPTS: usize = 2;

async fn attempt(
    plan: &Plan,
    inspected: &Inspected,
    closures: &Closures,
    options: &RunOptions,
    progress: &mut dyn Progress,
    crashes: &[String],
) -> Result<Rehearsed, RunError> {
    let mut recorder = Recorder::begin(&options.run_directory, plan, progress)?;
    for reason in crashes {
        recorder.record(Observation::BegunAgain {
            reason: reason.clone(),
        })?;
    }
    recorder.record(Observation::Inspected(inspected.clone()))?;
    let Some((first, later)) = plan.steps.split_first() else {
        return Ok(Rehearsed::without_disk(recorder));
    };
    if let Some(missing) = closures.missing() {
        recorder.record(Observation::StepFinished {
            step: *first,
            outcome: StepOutcome::Unobservable { reason: missing },
        })?;
        skip(later, &mut recorder)?;
        return Ok(Rehearsed::without_disk(recorder));
    }
    recorder.working("prove an accelerator");
    let proof = vm::prove_accelerator(processor(&plan.target).0).await?;
    recorder.record(Observation::Accelerator {
        accelerator: proof.accelerator,
        reason: proof.reason.clone(),
        factor: proof.factor,
        qemu: format!("QEMU {}", proof.qemu_version),
    })?;
    let directory = &options.cache_directory;
    let cache = Cache::open(directory).map_err(|source| RunError::Cache {
        directory: directory.clone(),
        source,
    })?;
    let limit = options.cache_limit;
    let base = match provision(plan, closures, &cache, limit, &proof, &mut recorder).await {
        Ok(Provisioned::Disk(base)) => base,
        Ok(Provisioned::GuestFailed) => {
            skip(&plan.steps, &mut recorder)?;
            return Ok(Rehearsed::without_disk(recorder));
        }
        Err(RunError::Unsupported(unsupported)) => {
            recorder.unproven(Unproven {
                state: None,
                subject: "disk".to_owned(),
                reason: unsupported.to_string(),
                decisive: true,
            })?;
            return Ok(Rehearsed::without_disk(recorder));
        }
        Err(error) => return Err(error),
    };
    let route = boot_route(plan);
    let uefi = match route {
        BootRoute::Bootloader => firmware::of_a_run(plan, base.place(), &options.run_directory)?,
        BootRoute::Direct { .. } => None,
    };
    let base_disk = disk_of(&base);
    let disk = Overlay::on(
        base,
        base_disk.clone(),
        &options.run_directory,
        options.keep,
    )?;
    if let BootRoute::Direct { reason } = &route {
        recorder.unproven(Unproven {
            state: None,
            subject: "bootloader".to_owned(),
            reason: reason.clone(),
            decisive: true,
        })?;
    }
    for facts in plan.closures() {
        if !facts.has_serial_console() {
            recorder.unproven(Unproven {
                state: None,
                subject: "console".to_owned(),
                reason: "the closure has no console on ttyS0: what its kernel and stage 1 print is not seen".to_owned(),
                decisive: false,
            })?;
            break;
        }
    }
    let deadlines = Deadlines::new(proof.factor);
    let steps = Steps {
        plan,
        closures,
        route,
        uefi,
        proof: &proof,
        deadlines,
        continuity: Continuity::begin(Rhythm {
            began: recorder.began(),
            beat: deadlines.beat(),
            patience: deadlines.http(),
        }),
        machines: options.machines.max(1),
    };
    let mut run_disk = RunDisk::new(
        disk.descriptor()?.into(),
        base_disk,
        provision::layout(plan)?,
        &options.run_directory,
        plan.steps.iter().any(|step| step.cuts_power()),
    );
    steps.carry_out(&mut recorder, &mut run_disk).await?;
    Ok(Rehearsed {
        observations: recorder.finish(),
        disk: Some(disk),
    })
}

/// The steps that can no longer be carried out.
pub(super) fn skip(steps: &[Step], recorder: &mut Recorder<'_>) -> io::Result<()> {
    for step in steps {
        recorder.record(Observation::StepFinished {
            step: *step,
            outcome: StepOutcome::Skipped,
        })?;
    }
    Ok(())
}

/// The target machine, as QEMU is asked for it, booting from its disk.
pub(super) fn machine(plan: &Plan, proof: &Proof, uefi: Option<Arc<Uefi>>) -> MachineSpec {
    let (binary, cpu) = processor(&plan.target);
    let network = network(plan);
    MachineSpec {
        binary,
        accelerator: proof.accelerator,
        cpu,
        cores: plan.target.cores,
        memory_mib: plan.target.memory_mib,
        uefi,
        disk_bus: plan.disk_bus,
        disk_format: "qcow2",
        write_log: None,
        throwaway: false,
        network_card: network_card(plan).0,
        card_place: network.place,
        mac: network.mac,
        subnet: network.subnet,
        forwards: forwards(plan),
        boot: BootSource::Disk,
        no_reboot: false,
        resumes: false,
    }
}

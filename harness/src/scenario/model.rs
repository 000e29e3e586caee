use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::Mutation;
use crate::config::WrittenProbe;
use crate::vocabulary::{ByHand, Step, System, TargetMachine, Verdict};

/// A regression scenario, with what it has from its base. Unknown keys are refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub format_version: u32,
    /// One line: what is done, or what is wrong.
    pub summary: String,
    /// Words to choose scenarios by; the group that it is in is one of them.
    #[serde(default)]
    pub tags: BTreeSet<String>,
    /// The scenario whose `target`, `rehearsal` and `systems` this one takes over, key by key, where it says nothing itself.
    pub base: Option<String>,
    pub target: TargetMachine,
    pub rehearsal: Rehearsal,
    #[serde(default)]
    pub inspection: InspectionSpec,
    pub systems: BTreeMap<String, SystemSpec>,
    pub expect: Expectation,
}

impl Scenario {
    /// A scenario without steps is inspected, and starts no VM.
    pub fn is_static(&self) -> bool {
        self.rehearsal.steps.is_empty()
    }

    /// How many specialisations a system has; those of the system that it is like, where it says nothing itself.
    pub fn specialisations_of(&self, system: &str) -> u32 {
        let mut at = self.systems.get(system);
        // Not every chain of `like` ends.
        for _ in 0..self.systems.len() {
            let Some(spec) = at else { break };
            if let Some(all) = &spec.specialisations {
                return u32::try_from(all.len()).unwrap_or(u32::MAX);
            }
            at = spec.like.as_ref().and_then(|like| self.systems.get(like));
        }
        0
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rehearsal {
    pub expect_system: System,
    /// A key of `systems`.
    pub baseline: Option<String>,
    /// A key of `systems`.
    pub candidate: String,
    pub steps: Vec<Step>,
    /// Whether the ways down and up each go on from the switched machine.
    #[serde(default)]
    pub side_by_side: bool,
    /// How often the reboots after the switch are made.
    #[serde(default = "once")]
    pub cycles: u32,
    /// How long systemd may take to call its start finished.
    pub start_seconds: Option<u32>,
    /// How long each state is watched.
    pub window_seconds: Option<u32>,
    /// What an operator does in the guest, in the state and before it is looked at.
    #[serde(default)]
    pub by_hand: Vec<ByHand>,
    /// What must be answered in every state, written as in `bootproof.toml`.
    #[serde(default)]
    pub probes: Vec<WrittenProbe>,
}

fn once() -> u32 {
    1
}

/// What the inspection is asked for beside the files of the candidate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InspectionSpec {
    /// A key of `systems`: what was meant to be built.
    pub meant: Option<String>,
    /// Compare every file with the hashes that the store recorded.
    pub verify_contents: bool,
}

/// What the lab builds. Keys that are absent are those of the system named by `like`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemSpec {
    pub like: Option<String>,
    pub kernel: Option<Architecture>,
    /// Whose kernel's modules the toplevel has; the kernel's own, where absent.
    pub kernel_modules: Option<Architecture>,
    pub userland: Option<Architecture>,
    pub kernel_params: Option<Vec<String>>,
    /// GRUB for BIOS, where absent.
    pub boot_loader: Option<InstalledBootLoader>,
    pub grub_device: Option<String>,
    /// Further options of NixOS's GRUB installer, by the names that `install-grub.pl` has for them: `grubTargetEfi`.
    pub grub_options: Option<BTreeMap<String, String>>,
    pub root_label: Option<String>,
    /// The label of a FAT that is mounted at `/boot`, where there is one.
    pub esp_label: Option<String>,
    pub initrd_modules: Option<Vec<String>>,
    /// A script, where absent.
    pub stage_1: Option<Stage1>,
    pub tools: Option<Vec<String>>,
    pub network: Option<NetworkSpec>,
    /// Whether an ssh server lets root in, without a password: the guest's network is the host's loopback.
    pub ssh: Option<bool>,
    pub services: Option<Vec<ServiceSpec>>,
    pub virtual_hosts: Option<Vec<VirtualHostSpec>>,
    /// Variants with boot entries of their own, by name: each is the system itself with what it says laid over it, key by key.
    pub specialisations: Option<BTreeMap<String, Self>>,
    /// Faults, each made to a copy of one part as it is built, in this order.
    pub mutations: Option<Vec<Mutation>>,
}

/// Who is the init of the initrd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage1 {
    /// NixOS's own, by default up to 25.11.
    Script,
    /// The default from 26.05.
    Systemd,
}

/// Which bootloader the lab's installer installs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstalledBootLoader {
    /// For BIOS, on the disk's first sectors.
    Grub,
    GrubEfi,
    SystemdBoot,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    #[serde(rename = "x86_64")]
    X86_64,
    I686,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    pub interface: Option<String>,
    pub address: Option<String>,
    pub firewall_tcp_ports: Option<Vec<u16>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceSpec {
    pub name: String,
    pub arch: Option<Architecture>,
    pub port: u16,
    pub page: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VirtualHostSpec {
    pub name: String,
    pub service: String,
}

/// What must come out: the verdict, exactly these findings and gaps, and the cause that the report leads with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    pub verdict: Verdict,
    /// `STATE/CHECK/SUBJECT`.
    pub findings: Vec<String>,
    /// `STATE/SUBJECT`, or `SUBJECT` for what concerns the whole rehearsal.
    #[serde(default)]
    pub unproven: Vec<String>,
    /// What the headline of the first cause says: words of it, in which `…` is anything. Wherever something is found that fails the rehearsal, there is a cause to name.
    pub says: Option<String>,
    /// The id of the rule that makes the first cause: `foreign-executables`.
    pub cause: Option<String>,
}

//! What a VM lacks, and which units of an ordinary NixOS server come to grief for want of it.
//!
//! Shared by the checks of units, of the switch and of systemd's own state. The VM has no internet, no cloud around it, one
//! network card with another name and address, and no sensors: a unit that needs such a thing proves nothing by failing here,
//! so that its findings are warnings that say why. So does one that itself says that it cannot resolve a name: nginx does
//! not start where an upstream is a host of the internet. A unit that did come up in the first state, on this same VM, is not
//! excused.
//!
//! The names are those of nixpkgs' modules, below `nixos/modules/`; each row names the files.

use std::collections::BTreeSet;

use crate::fold::{ActiveState, StateRecord, Unit};
use crate::vocabulary::{Finding, State};

use super::{Scene, is_looping};

/// Something that the machine has and the VM has not.
struct Lack {
    /// Ends the sentence "…, which is not held against the closure: ".
    reason: &'static str,
    /// Names without their type; one `*` stands for any text.
    units: &'static [&'static str],
}

const LACKS: &[Lack] = &[
    // system/boot/networkd.nix, services/networking/{networkmanager,wg-quick,wireguard,hostapd,wpa_supplicant}.nix,
    // tasks/network-interfaces-scripted.nix
    Lack {
        reason: "the VM's network is not the machine's",
        units: &[
            "systemd-networkd-wait-online",
            "systemd-networkd-wait-online@*",
            "NetworkManager-wait-online",
            "network-online",
            "network-addresses-*",
            "network-link-*",
            "*-netdev",
            "wg-quick-*",
            "wireguard-*",
            "hostapd",
            "wpa_supplicant*",
        ],
    },
    // security/acme, tasks/auto-upgrade.nix, virtualisation/oci-containers.nix (images are pulled at the start),
    // services/networking/{ddclient,inadyn,cloudflared,tailscale,netbird,openvpn,ntp/chrony}, services/misc/geoipupdate.nix,
    // services/security/clamav.nix, services/backup/{borgbackup,restic}.nix, services/continuous-integration
    Lack {
        reason: "the VM has no internet",
        units: &[
            "acme-*",
            "nixos-upgrade",
            "docker-*",
            "podman-*",
            "ddclient",
            "inadyn",
            "cloudflare-dyndns",
            "cloudflared-*",
            "geoipupdate",
            "clamav-freshclam",
            "tailscaled-*",
            "netbird*",
            "openvpn-*",
            "autossh-*",
            "chrony-wait",
            "systemd-time-wait-sync",
            "time-sync",
            "borgbackup-job-*",
            "restic-backups-*",
            "github-runner-*",
            "gitlab-runner",
            "buildkite-agent-*",
        ],
    },
    // virtualisation/{amazon-image,amazon-init,ec2-data,openstack-config,google-compute-config,azure-agent,
    // digital-ocean-config,oci-common}.nix, services/misc/amazon-ssm-agent.nix, services/system/cloud-init.nix
    Lack {
        reason: "the VM has no cloud's metadata service",
        units: &[
            "fetch-ec2-metadata",
            "fetch-ec2-data",
            "apply-ec2-data",
            "amazon-init",
            "amazon-ssm-agent",
            "openstack-init",
            "cloud-init*",
            "cloud-config",
            "cloud-final",
            "google-*",
            "fetch-instance-ssh-keys",
            "fetch-ssh-keys",
            "waagent",
            "digitalocean-*",
            "do-agent",
        ],
    },
    // services/monitoring/{smartd,ups}.nix, hardware/{fancontrol,mcelog,rasdaemon}.nix, services/hardware,
    // services/misc/swraid.nix, tasks/filesystems/zfs.nix, config/swap.nix; systemd-cryptsetup and systemd-fsck of disks
    Lack {
        reason: "the VM has not the machine's hardware",
        units: &[
            "smartd",
            "upsd",
            "upsmon",
            "upsdrv",
            "fancontrol",
            "mcelog",
            "rasdaemon",
            "thermald",
            "tlp",
            "cpufreq",
            "mdmonitor",
            "nvidia-*",
            "ipmievd",
            "bluetooth",
            "zfs-import-*",
            "systemd-cryptsetup@*",
            "systemd-fsck@*",
            "mkswap-*",
        ],
    },
];

/// Units of a family above that need nothing but the closure (`security/acme/default.nix`).
const NEED_NOTHING: &[&str] = &[
    "acme-selfsigned-*",
    "acme-setup",
    "acme-fixperms",
    "acme-lockfiles",
];

const NO_NAMES: &str = "it says that it cannot resolve a name, and the VM has no internet";

/// What programs print of a name that nobody resolves: nginx (`src/http/ngx_http_upstream.c`), glibc's `gai_strerror`
/// for `EAI_AGAIN`, curl, and Go's resolver.
const UNRESOLVED: &[&str] = &[
    "host not found in upstream",
    "Temporary failure in name resolution",
    "Could not resolve host",
    "Could not resolve proxy",
    "server misbehaving",
    "dial tcp: lookup ",
];

const DEVICE: &str = "the VM lacks a device that it is bound to";

/// Why the VM, and not the closure, may be to blame that `unit` is not up; `None` where it is not excused.
pub(super) fn excuse(scene: &Scene<'_>, unit: &str) -> Option<&'static str> {
    if came_up_at_first(scene, unit) {
        return None;
    }
    reason(scene.record, unit)
}

/// Makes a finding about `unit` a warning that says why, where the unit is excused.
pub(super) fn excused(scene: &Scene<'_>, unit: &str, finding: Finding) -> Finding {
    match excuse(scene, unit) {
        Some(reason) => with_reason(finding, reason),
        None => finding,
    }
}

/// A finding that is not held against the closure, for this reason.
pub(super) fn with_reason(mut finding: Finding, reason: &str) -> Finding {
    let not_held = format!(", which is not held against the closure: {reason}");
    finding.summary.push_str(&not_held);
    finding.as_warning()
}

/// Why nginx itself may not be up for want of something that the VM lacks; `None` where it is up, or to blame.
pub(super) fn nginx_excuse(scene: &Scene<'_>) -> Option<&'static str> {
    const NGINX: &str = "nginx.service";
    let unit = scene.record.units()?.get(NGINX)?;
    if is_up(unit) && !is_looping(scene.record, NGINX) {
        return None;
    }
    excuse(scene, NGINX)
}

/// The unit's own lack, or that of one that it requires, over however many others, and that is not up either.
fn reason(record: &StateRecord, unit: &str) -> Option<&'static str> {
    let mut seen = BTreeSet::new();
    let mut ahead = vec![unit];
    while let Some(name) = ahead.pop() {
        if !seen.insert(name) {
            continue;
        }
        if let Some(reason) = by_name(name) {
            return Some(reason);
        }
        if cannot_resolve(record, name) {
            return Some(NO_NAMES);
        }
        let Some(units) = record.units() else {
            continue;
        };
        let required = units.get(name).map_or(&[][..], |unit| &unit.requires);
        for name in required {
            if units.get(name).is_some_and(is_up) {
                continue;
            }
            if name.ends_with(".device") {
                return Some(DEVICE);
            }
            ahead.push(name);
        }
    }
    None
}

fn cannot_resolve(record: &StateRecord, unit: &str) -> bool {
    let mut messages = record.messages_of(unit);
    messages.any(|entry| UNRESOLVED.iter().any(|text| entry.message.contains(text)))
}

fn by_name(unit: &str) -> Option<&'static str> {
    let name = unit.rsplit_once('.').map_or(unit, |(name, _)| name);
    let among = |patterns: &[&str]| patterns.iter().any(|pattern| matches(pattern, name));
    if among(NEED_NOTHING) {
        return None;
    }
    LACKS
        .iter()
        .find(|lack| among(lack.units))
        .map(|lack| lack.reason)
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => {
            name.len() > start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
    }
}

/// The first state is on the same VM: what came up there lacked nothing.
fn came_up_at_first(scene: &Scene<'_>, unit: &str) -> bool {
    let first = [State::Before, State::Booted]
        .into_iter()
        .filter(|first| *first != scene.state)
        .find_map(|first| scene.run.states.get(&first));
    first
        .and_then(|record| record.units()?.get(unit))
        .is_some_and(is_up)
}

fn is_up(unit: &Unit) -> bool {
    matches!(
        unit.active_state,
        ActiveState::Active | ActiveState::Reloading
    )
}

#[cfg(test)]
mod tests;

//! Where the network card of the VM is put and which network it is on, so that the interface and the address that the closures
//! configure are there. Pure.
//!
//! Names are systemd's (systemd.net-naming-scheme(7)): `enp0s3` is slot 3 of bus 0, `ens5` hotplug slot 5, `eno1` what the firmware's tables call
//! its first card. A card on another function or port than the first, and a name that somebody made up, cannot be had by its place.

use std::net::Ipv4Addr;

use crate::vm::{CardPlace, Subnet};
use crate::vocabulary::{Interface, Plan};

/// What the one card is made to be; all is as QEMU has it where nothing is configured by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Network {
    pub(super) place: Option<CardPlace>,
    pub(super) mac: Option<String>,
    pub(super) subnet: Option<Subnet>,
    /// For the report.
    pub(super) choices: Vec<String>,
}

/// For a machine that runs the installed closure and may get the candidate.
pub(super) fn network(plan: &Plan) -> Network {
    let installed = plan.baseline.as_ref().unwrap_or(&plan.candidate);
    let can_be = |interface: &&Interface| {
        place_of(&interface.name).is_some() || interface.mac.as_deref().is_some_and(is_mac)
    };
    let told = plan.target.interface.as_ref();
    let mut configured = installed
        .interfaces
        .iter()
        .chain(&plan.candidate.interfaces);
    let chosen = match told {
        Some(name) => configured.find(|interface| interface.name == *name),
        // The one with an address of its own is the one that serves.
        None => {
            let of_installed = installed.interfaces.iter();
            let with_address = of_installed.clone().filter(|i| subnet_of(i).is_some());
            with_address.chain(of_installed).find(can_be)
        }
    };
    let mut network = Network {
        mac: plan.target.mac.clone().filter(|mac| is_mac(mac)),
        ..Network::default()
    };
    let name = told.or(chosen.map(|interface| &interface.name));
    if let Some(name) = name {
        network.place = place_of(name);
    }
    if let Some(interface) = chosen {
        let mac = interface.mac.clone().filter(|mac| is_mac(mac));
        network.mac = network.mac.or(mac);
        network.subnet = subnet_of(interface);
    }
    if let (Some(name), None) = (told, &network.place) {
        network.choices.push(format!(
            "the network card is not {name}: no place of the VM gives it that name (ensN, enp0sN, enpNs0 and enoN are to be had)"
        ));
        return network;
    }
    if let (Some(name), true) = (name, network.place.is_some() || network.mac.is_some()) {
        let by = match told {
            Some(_) => "the target machine has it",
            None => "the closure configures it",
        };
        let on = match &network.subnet {
            Some(subnet) => format!(
                " on {}/{}, where it is {}",
                subnet.network, subnet.prefix, subnet.guest
            ),
            None => String::new(),
        };
        network
            .choices
            .push(format!("the network card is {name}{on}: {by}"));
    }
    network
}

/// It becomes a part of QEMU's command line, where a comma would begin another option.
fn is_mac(text: &str) -> bool {
    let is_pair = |pair: &str| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
    text.split(':').count() == 6 && text.split(':').all(is_pair)
}

/// The place that gives a card this name.
fn place_of(name: &str) -> Option<CardPlace> {
    let number = |text: &str| -> Option<u8> {
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        text.parse()
            .ok()
            .filter(|_| plain && !(text.len() > 1 && text.starts_with('0')))
    };
    if let Some(slot) = name.strip_prefix("ens").and_then(number) {
        return (slot > 0).then_some(CardPlace::HotplugSlot(slot));
    }
    if let Some(index) = name.strip_prefix("eno").and_then(number) {
        return (index > 0).then_some(CardPlace::Onboard(index));
    }
    let (bus, slot) = name.strip_prefix("enp")?.split_once('s')?;
    match (number(bus)?, number(slot)?) {
        // What the chipset has itself, and the VGA card.
        (0, slot @ 2..=0x1e) => Some(CardPlace::Bus0(slot)),
        (bus @ 1..=8, 0) => Some(CardPlace::Port(bus)),
        _ => None,
    }
}

/// The network of the first IPv4 address; `None` where it is too small for a host beside the guest.
fn subnet_of(interface: &Interface) -> Option<Subnet> {
    interface.addresses.iter().find_map(|address| {
        let (guest, prefix) = address.split_once('/')?;
        let guest: Ipv4Addr = guest.parse().ok()?;
        let prefix: u8 = prefix.parse().ok().filter(|p| (8..=29).contains(p))?;
        let mask = u32::MAX << (32 - u32::from(prefix));
        let network = u32::from(guest) & mask;
        let is_inside = |other: &Ipv4Addr| u32::from(*other) & mask == network && *other != guest;
        let gateway = interface
            .gateway
            .as_ref()
            .and_then(|g| g.parse().ok())
            .filter(is_inside);
        let free = |skipped: Option<Ipv4Addr>| {
            (1..6)
                .map(|n| Ipv4Addr::from(network + n))
                .find(|address| *address != guest && Some(*address) != skipped)
        };
        let host = gateway.or_else(|| free(None))?;
        Some(Subnet {
            network: Ipv4Addr::from(network),
            prefix,
            guest,
            host,
            // QEMU refuses a name server at the host's own address.
            dns: free(Some(host))?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn interface(name: &str, address: &str) -> Interface {
        Interface {
            name: name.to_owned(),
            addresses: vec![address.to_owned()],
            gateway: None,
            mac: None,
        }
    }

    fn of(interfaces: Vec<Interface>) -> Network {
        let mut plan = testing::plan();
        if let Some(baseline) = &mut plan.baseline {
            baseline.interfaces = interfaces;
        }
        network(&plan)
    }

    #[test]
    fn names_tell_the_place_of_a_card() {
        for (name, place) in [
            ("ens5", Some(CardPlace::HotplugSlot(5))),
            ("enp0s3", Some(CardPlace::Bus0(3))),
            ("enp1s0", Some(CardPlace::Port(1))),
            ("eno1", Some(CardPlace::Onboard(1))),
            ("enp9s0f7", None),
            ("enp0s1", None),
            ("enp0s31", None),
            ("enp3s5", None),
            ("ens0", None),
            ("ens999", None),
            ("eth0", None),
            ("lan", None),
            ("wlp2s0", None),
        ] {
            assert_eq!(place_of(name), place, "{name}");
        }
    }

    #[test]
    fn a_static_address_has_its_network_and_a_gateway_that_is_not_the_guest() {
        let network = of(vec![interface("ens5", "192.0.2.1/24")]);
        let subnet = network.subnet.unwrap();
        assert_eq!(subnet.network, Ipv4Addr::new(192, 0, 2, 0));
        assert_eq!(subnet.host, Ipv4Addr::new(192, 0, 2, 2));
        assert!(subnet.dns != subnet.host && subnet.dns != subnet.guest);
        assert!(network.choices[0].contains("ens5"));
        for address in ["192.0.2.1/32", "2001:db8::1/64", "192.0.2.1", "nonsense/24"] {
            assert_eq!(
                of(vec![interface("ens5", address)]).subnet,
                None,
                "{address}"
            );
        }
    }

    #[test]
    fn the_interface_with_an_address_comes_first_and_one_that_cannot_be_had_is_left_out() {
        let dhcp = Interface {
            addresses: Vec::new(),
            ..interface("ens3", "")
        };
        let network = of(vec![dhcp, interface("enp0s4", "198.51.100.7/28")]);
        assert_eq!(network.place, Some(CardPlace::Bus0(4)));
        assert_eq!(
            of(vec![interface("lan", "192.0.2.1/24")]),
            Network::default()
        );
        assert_eq!(of(Vec::new()), Network::default());
    }

    #[test]
    fn the_target_machine_comes_before_the_closure() {
        let mut plan = testing::plan();
        plan.target.interface = Some("enp0s9".to_owned());
        plan.target.mac = Some("52:54:00:00:00:07".to_owned());
        let network = network(&plan);
        assert_eq!(network.place, Some(CardPlace::Bus0(9)));
        assert_eq!(network.mac.as_deref(), Some("52:54:00:00:00:07"));
    }
}

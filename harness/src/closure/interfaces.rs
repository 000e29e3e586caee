//! The network interfaces that a closure configures by their names, and the addresses that it gives them.
//!
//! systemd-networkd has files (systemd.network(5), systemd.link(5)); NixOS's scripts have a unit `network-addresses-NAME` for each
//! interface (`nixos/modules/tasks/network-interfaces-scripted.nix`).

use std::collections::BTreeMap;

use super::files::ClosureFiles;
use super::unit_file::{UnitFile, command_words};
use super::units;
use crate::vocabulary::Interface;

const NETWORKD: &str = "/etc/systemd/network";
const SCRIPTED: &str = "network-addresses-";
/// A machine has a handful, with some addresses each; the files may be absurd.
const MAX_INTERFACES: usize = 64;
const MAX_ADDRESSES: usize = 64;
const MAX_FILES: usize = 500;
/// The kernel's limit of a name (IFNAMSIZ), and more than an IPv6 address with its prefix has.
const LONGEST_NAME: usize = 15;
const LONGEST_ADDRESS: usize = 64;
const SCRIPT_LIMIT: u64 = 1 << 20;
const LONGEST_LINE: usize = 4096;

/// All of them, in the order in which they are configured; what cannot be read is not there.
pub(super) fn read(files: &ClosureFiles) -> Vec<Interface> {
    let mut interfaces = Vec::new();
    let mut names = files.list(NETWORKD).unwrap_or_default();
    names.sort();
    names.truncate(MAX_FILES);
    for name in names.iter().filter(|name| name.ends_with(".network")) {
        if let Some(file) = load(files, name) {
            add_networkd(&file, &mut interfaces);
        }
    }
    add_scripted(files, &mut interfaces);
    interfaces.truncate(MAX_INTERFACES);
    let links = names.iter().filter(|name| name.ends_with(".link"));
    let addresses: BTreeMap<String, String> = links
        .filter_map(|name| renamed(&load(files, name)?))
        .collect();
    for interface in &mut interfaces {
        let renamed = addresses.get(&interface.name).cloned();
        interface.mac = interface.mac.take().or(renamed);
    }
    interfaces
}

fn load(files: &ClosureFiles, name: &str) -> Option<UnitFile> {
    let mut file = UnitFile::default();
    file.add(&files.text(&format!("{NETWORKD}/{name}")).ok()?);
    Some(file)
}

fn add_networkd(file: &UnitFile, interfaces: &mut Vec<Interface>) {
    let words = |section, key| {
        let values = file.list(section, key).into_iter();
        values.flat_map(str::split_whitespace).map(str::to_owned)
    };
    // Only a name that matches nothing else says what a machine's interface is called.
    let is_name =
        |word: &String| word.len() <= LONGEST_NAME && !word.contains(['*', '?', '[', '!']);
    let named: Vec<String> = words("Match", "Name")
        .filter(is_name)
        .take(MAX_INTERFACES)
        .collect();
    let mac = mac_of(file);
    let addresses: Vec<String> = words("Network", "Address")
        .chain(words("Address", "Address"))
        .filter(|address| address.len() <= LONGEST_ADDRESS)
        .take(MAX_ADDRESSES)
        .collect();
    let gateway = words("Network", "Gateway")
        .chain(words("Route", "Gateway"))
        .find(|g| is_v4(g));
    let room = MAX_INTERFACES.saturating_sub(interfaces.len());
    for name in named.into_iter().take(room) {
        interfaces.push(Interface {
            name,
            addresses: addresses.clone(),
            gateway: gateway.clone(),
            mac: mac.clone(),
        });
    }
}

fn is_v4(text: &str) -> bool {
    text.parse::<std::net::Ipv4Addr>().is_ok()
}

fn mac_of(file: &UnitFile) -> Option<String> {
    ["MACAddress", "PermanentMACAddress"]
        .iter()
        .find_map(|key| {
            let value = file.list("Match", key).into_iter().next()?;
            value.split_whitespace().next().map(str::to_owned)
        })
}

/// The name that a `.link` gives to the card with an address.
fn renamed(file: &UnitFile) -> Option<(String, String)> {
    let name = file.list("Link", "Name").into_iter().next_back()?;
    Some((name.to_owned(), mac_of(file)?))
}

fn add_scripted(files: &ClosureFiles, interfaces: &mut Vec<Interface>) {
    let units_directory = files.list("/etc/systemd/system").unwrap_or_default();
    let name_of = |unit: &String| {
        let name = unit.strip_prefix(SCRIPTED)?.strip_suffix(".service")?;
        Some((unit.clone(), name.to_owned()))
    };
    let mut named: Vec<(String, String)> = units_directory.iter().filter_map(name_of).collect();
    named.sort();
    for (unit, name) in named.into_iter().take(MAX_INTERFACES) {
        if interfaces.iter().any(|known| known.name == name) {
            continue;
        }
        let script = start_script(files, &unit).unwrap_or_default();
        interfaces.push(Interface {
            addresses: assigned(&script),
            gateway: None,
            mac: None,
            name,
        });
    }
}

fn start_script(files: &ClosureFiles, unit: &str) -> Option<String> {
    let unit = units::load(files, unit).ok()??;
    let command = unit
        .list("Service", "ExecStart")
        .into_iter()
        .next()?
        .to_owned();
    let program = command_words(&command).into_iter().next()?;
    let script = files.read(&program, SCRIPT_LIMIT).ok()?;
    Some(String::from_utf8_lossy(&script).into_owned())
}

/// What a script gives by `ip addr add ADDRESS`, or `replace`.
fn assigned(script: &str) -> Vec<String> {
    let mut addresses: Vec<String> = Vec::new();
    for line in script.lines().filter(|line| line.len() <= LONGEST_LINE) {
        let words: Vec<&str> = line
            .split(|c: char| c.is_whitespace() || "\"'();|&".contains(c))
            .filter(|word| !word.is_empty())
            .collect();
        for command in words.windows(3) {
            let adds = matches!(command[0], "addr" | "address" | "a")
                && matches!(command[1], "add" | "replace");
            let is_address =
                command[2].starts_with(|c: char| c.is_ascii_hexdigit()) && command[2].contains('/');
            if adds
                && is_address
                && addresses.len() < MAX_ADDRESSES
                && !addresses.iter().any(|known| known == command[2])
            {
                addresses.push(command[2].to_owned());
            }
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::FakeClosure;

    fn read_of(fake: &FakeClosure) -> Vec<Interface> {
        let closure = fake.closure();
        read(&ClosureFiles::new(&closure))
    }

    #[test]
    fn networkd_names_interfaces_and_their_addresses() {
        let fake = FakeClosure::new();
        fake.file(
            "etc/systemd/network/40-lan.network",
            "[Match]\nName=ens5\n\n[Network]\nAddress=192.0.2.10/24\nGateway=192.0.2.1\n",
        );
        fake.file(
            "etc/systemd/network/99-any.network",
            "[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n",
        );
        let interfaces = read_of(&fake);
        assert_eq!(interfaces.len(), 1);
        assert_eq!(interfaces[0].name, "ens5");
        assert_eq!(interfaces[0].addresses, ["192.0.2.10/24"]);
        assert_eq!(interfaces[0].gateway.as_deref(), Some("192.0.2.1"));
    }

    #[test]
    fn a_link_file_tells_the_card_of_a_name() {
        let fake = FakeClosure::new();
        fake.file(
            "etc/systemd/network/40-lan.network",
            "[Match]\nName=lan0\n[Network]\nDHCP=ipv4\n",
        );
        fake.file(
            "etc/systemd/network/10-lan.link",
            "[Match]\nMACAddress=52:54:00:00:00:05\n[Link]\nName=lan0\n",
        );
        assert_eq!(read_of(&fake)[0].mac.as_deref(), Some("52:54:00:00:00:05"));
    }

    #[test]
    fn the_scripts_of_nixos_assign_addresses() {
        let script = "state=/run/nixos/network/addresses/ens3\necho -n \"adding address 192.0.2.7/24... \"\n\
                      if out=$(ip addr replace \"192.0.2.7/24\" dev \"ens3\" 2>&1); then echo done; fi\n\
                      ip addr add 2001:db8::7/64 dev ens3\n";
        assert_eq!(assigned(script), ["192.0.2.7/24", "2001:db8::7/64"]);
        let fake = FakeClosure::new();
        let program = fake.program("unit-script", "bin/start", script);
        fake.file(
            "etc/systemd/system/network-addresses-ens3.service",
            format!("[Service]\nExecStart={program}\n"),
        );
        let interfaces = read_of(&fake);
        assert_eq!(
            (interfaces[0].name.as_str(), interfaces[0].addresses.len()),
            ("ens3", 2)
        );
    }

    #[test]
    fn absurd_files_are_bounded() {
        let fake = FakeClosure::new();
        let names: String = (0..9000).map(|n| format!("e{n} ")).collect();
        let addresses: String = (0..9000)
            .map(|n| format!("Address=10.0.0.{n}/24\n"))
            .collect();
        let text = format!("[Match]\nName={names}\n[Network]\n{addresses}");
        fake.file("etc/systemd/network/1.network", &text);
        fake.file("etc/systemd/network/2.network", &text);
        let interfaces = read_of(&fake);
        assert_eq!(interfaces.len(), MAX_INTERFACES);
        assert_eq!(interfaces[0].addresses.len(), MAX_ADDRESSES);
        let script = "ip addr add 192.0.2.7/24 dev e\n".repeat(9000);
        assert_eq!(assigned(&script).len(), 1);
    }

    #[test]
    fn a_closure_that_names_none_has_none() {
        assert_eq!(read_of(&FakeClosure::new()), []);
    }
}

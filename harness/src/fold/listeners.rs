//! Reads who listens where on the machine itself.
//!
//! Called by `dump`; the lines are documented at [`Dump::Listeners`](crate::vocabulary::Dump). What cannot be read is passed over:
//! no verdict rests on it, and it names the unit that a gateway error comes from.

use std::collections::{BTreeMap, BTreeSet};

use super::sanitise;
use crate::vocabulary::Place;

/// More sockets and processes than any server has; the rest of a dump is not read.
const LIMIT: usize = 20_000;
/// A longer name of a unit or a socket is none (systemd.unit(5): 255).
const NAME_LIMIT: usize = 256;

/// The units whose processes hold the socket of each place that is listened on; none where that could not be seen.
pub type Listeners = BTreeMap<Place, BTreeSet<String>>;

/// Reads the dump.
pub(super) fn parse(output: &str) -> Listeners {
    let mut places: Vec<(Place, &str)> = Vec::new();
    let mut holders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut units: BTreeMap<&str, String> = BTreeMap::new();
    let mut process = None;
    for line in output.lines() {
        if let Some(rest) = line.strip_prefix("tcp ") {
            places.extend(port(rest).filter(|_| places.len() < LIMIT));
        } else if let Some(rest) = line.strip_prefix("unix ") {
            places.extend(socket(rest).filter(|_| places.len() < LIMIT));
        } else if let Some(rest) = line.strip_prefix("cgroup /proc/") {
            let unit = rest.split_once("/cgroup ");
            if let Some((process, unit)) = unit.and_then(|(p, path)| Some((p, unit_of(path)?)))
                && units.len() < LIMIT
            {
                units.insert(process, unit);
            }
        } else if let Some(rest) = line.strip_prefix("/proc/") {
            process = rest.strip_suffix("/fd:");
        } else if let (Some(process), Some(inode)) = (process, inode(line))
            && holders.len() < LIMIT
        {
            holders.entry(inode).or_default().insert(process);
        }
    }
    let mut listeners = Listeners::new();
    for (place, inode) in places {
        let of_place = listeners.entry(place).or_default();
        let held = holders.get(inode).into_iter().flatten();
        of_place.extend(held.filter_map(|process| units.get(process)).cloned());
    }
    listeners
}

/// `0100007F:1F91 4711`: address and port in hex, then the inode.
fn port(rest: &str) -> Option<(Place, &str)> {
    let (local, inode) = rest.split_once(' ')?;
    let (_, port) = local.rsplit_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    Some((Place::Port(port), inode.trim()))
}

/// `4711 /run/x.sock`: the inode, then the path; abstract sockets have none.
fn socket(rest: &str) -> Option<(Place, &str)> {
    let (inode, path) = rest.split_once(' ')?;
    let path = Some(sanitise::line(path)).filter(|path| path.len() <= NAME_LIMIT)?;
    Some((Place::of_socket(&path)?, inode))
}

/// The service or scope that a control group is of: `0::/system.slice/alpha.service`; that of PID 1 is none.
fn unit_of(path: &str) -> Option<String> {
    let path = path.splitn(3, ':').nth(2)?;
    let is_unit = |part: &&str| part.ends_with(".service") || part.ends_with(".scope");
    let unit = path.split('/').find(is_unit)?;
    (unit != "init.scope" && unit.len() <= NAME_LIMIT).then(|| sanitise::line(unit))
}

/// `lrwx------ 1 root root 64 Jan  1 00:00 3 -> socket:[4711]`, as ls(1) prints a link.
fn inode(line: &str) -> Option<&str> {
    let (_, target) = line.rsplit_once(" -> ")?;
    target.strip_prefix("socket:[")?.strip_suffix(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "\
tcp 0100007F:1F91 11
tcp 00000000:0050 12
tcp 00000000000000000000000000000000:0050 13
tcp 0100007F:1F92 14
unix 15 /var/run/app/web.sock
unix 16 @abstract
cgroup /proc/1/cgroup 0::/init.scope
cgroup /proc/200/cgroup 0::/system.slice/alpha.service
cgroup /proc/201/cgroup 1:name=systemd:/system.slice/nginx.service/payload
cgroup /proc/202/cgroup 0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service
/proc/1/fd:
lrwx------ 1 root root 64 Jan  1 00:00 3 -> socket:[14]
lrwx------ 1 root root 64 Jan  1 00:00 4 -> '/tmp/x -> y'
/proc/200/fd:
lrwx------ 1 b b 64 Jan  1 00:00 3 -> socket:[11]
/proc/201/fd:
lrwx------ 1 n n 64 Jan  1 00:00 6 -> socket:[12]
lrwx------ 1 n n 64 Jan  1 00:00 7 -> socket:[13]
/proc/202/fd:
lrwx------ 1 u u 64 Jan  1 00:00 5 -> socket:[15]
";

    #[test]
    fn a_listening_socket_is_of_the_unit_whose_process_holds_it() {
        let listeners = parse(DUMP);
        let units =
            |place: Place| -> Vec<&str> { listeners[&place].iter().map(String::as_str).collect() };
        assert_eq!(units(Place::Port(8081)), ["alpha.service"]);
        assert_eq!(units(Place::Port(80)), ["nginx.service"]);
        let socket = Place::of_socket("/run/app/web.sock").unwrap();
        assert_eq!(units(socket), ["user@1000.service"]);
        // What systemd itself holds is a socket unit's, which no control group tells.
        assert_eq!(units(Place::Port(8082)), [""; 0]);
        assert_eq!(listeners.len(), 4);
    }

    #[test]
    fn nonsense_is_passed_over() {
        for text in [
            "",
            "tcp x",
            "tcp 0:fffff 1",
            "unix 1",
            "cgroup /proc/1/cgroup",
            "/proc/1/fd:\n -> socket:[",
            "cgroup /proc/1/cgroup 0::/a\u{1b}.service\n/proc/1/fd:\nx -> socket:[1]",
        ] {
            assert!(parse(text).is_empty(), "{text}");
        }
    }
}

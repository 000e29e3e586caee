//! `--partition hash:K/N`: which names of a list are this machine's, of N that share it.

use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// Part K of N. Every name is in exactly one part, by its hash: a name that comes or goes moves no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Partition {
    /// From 1 to `of`.
    part: u64,
    of: u64,
}

impl Partition {
    pub(super) fn has(self, name: &str) -> bool {
        let digest: [u8; 32] = Sha256::digest(name.as_bytes()).into();
        let number = digest
            .iter()
            .take(8)
            .fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
        number % self.of == self.part - 1
    }
}

impl FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (part, of) = text.strip_prefix("hash:")?.split_once('/')?;
            let (part, of) = (part.parse().ok()?, of.parse().ok()?);
            (1..=of).contains(&part).then_some(Self { part, of })
        };
        read().ok_or_else(|| "write hash:K/N, part K of N, with K from 1 to N".to_owned())
    }
}

impl std::fmt::Display for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "hash:{}/{}", self.part, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(of: u64) -> Vec<Partition> {
        (1..=of).map(|part| Partition { part, of }).collect()
    }

    #[test]
    fn every_name_is_in_exactly_one_part() {
        for of in 1..=17 {
            let parts = parts(of);
            for n in 0..500 {
                let name = format!("host-{n}.example.org");
                let having = parts.iter().filter(|part| part.has(&name)).count();
                assert_eq!(having, 1, "{name} of {of}");
            }
        }
    }

    #[test]
    fn the_parts_are_about_of_a_size() {
        for part in parts(4) {
            let size = (0..4000).filter(|n| part.has(&format!("host{n}"))).count();
            assert!((850..1150).contains(&size), "{part} has {size}");
        }
    }

    #[test]
    fn a_name_stays_in_its_part_for_ever() {
        let mine = |part: &str| {
            let part: Partition = part.parse().unwrap();
            let names = ["web", "mail", "db", "healthy", "outage-2023-08-08"];
            names.into_iter().filter(|name| part.has(name)).collect()
        };
        let all: [Vec<&str>; 3] = ["hash:1/3", "hash:2/3", "hash:3/3"].map(mine);
        let known: [&[&str]; 3] = [&["web", "outage-2023-08-08"], &["mail", "db"], &["healthy"]];
        assert_eq!(all, known);
    }

    #[test]
    fn what_is_no_part_is_refused() {
        for text in [
            "",
            "hash:",
            "1/3",
            "hash:0/3",
            "hash:4/3",
            "hash:1/0",
            "hash:0/0",
            "hash:1/",
            "hash:-1/3",
            "count:1/3",
            "hash:1/3/5",
            "hash:1 / 3",
        ] {
            assert!(text.parse::<Partition>().is_err(), "{text}");
        }
        let whole: Partition = "hash:1/1".parse().unwrap();
        assert!(whole.has("web") && whole.to_string() == "hash:1/1");
    }
}

//! Reads how full the guest's file systems are.
//!
//! Called by `dump`; the lines are documented at [`Dump::FileSystems`](crate::vocabulary::Dump). What cannot be read is passed over.

use super::sanitise;

/// More than any server has; the rest of a dump is not read.
const LIMIT: usize = 2_000;

/// A mounted file system, as `df` tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSystem {
    /// `ext4`, `tmpfs`.
    pub kind: String,
    pub mount_point: String,
    /// Space in KiB; what is kept for root counts as neither used nor available.
    pub space: Share,
    /// `None` where the file system makes them as it needs them, as btrfs does.
    pub inodes: Option<Share>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    pub total: u64,
    pub available: u64,
}

/// Reads both tables, told apart by the third word of their heads.
pub(super) fn parse(output: &str) -> Vec<FileSystem> {
    let mut found: Vec<FileSystem> = Vec::new();
    let mut of_inodes = false;
    for line in output.lines().take(LIMIT) {
        let mut words = line.split_whitespace();
        let (Some(_device), Some(kind), Some(third)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let available = words.nth(1).and_then(|word| word.parse().ok());
        let mount_point = sanitise::line(&words.skip(1).collect::<Vec<_>>().join(" "));
        let Ok(total) = third.parse() else {
            of_inodes = third == "Inodes";
            continue;
        };
        let (Some(available), false) = (available, mount_point.is_empty()) else {
            continue;
        };
        let share = Share { total, available };
        let known = found.iter_mut().find(|fs| fs.mount_point == mount_point);
        match known {
            Some(known) if of_inodes => known.inodes = (total > 0).then_some(share),
            _ if of_inodes => {}
            _ => found.push(FileSystem {
                kind: sanitise::line(kind),
                mount_point,
                space: share,
                inodes: None,
            }),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tables_are_read_and_places_may_have_blanks() {
        let output = "\
Filesystem     Type  1024-blocks   Used Available Capacity Mounted on
/dev/vda1      ext4      1992552 992552    878752      54% /
tmpfs          tmpfs      497340      0    497340       0% /dev/shm
/dev/vdb1      btrfs     9992552 992552   9000000      10% /srv/my data
Filesystem     Type  Inodes IUsed  IFree IUse% Mounted on
/dev/vda1      ext4  127744 20000 107744   16% /
tmpfs          tmpfs 124335     1 124334    1% /dev/shm
/dev/vdb1      btrfs      0     0      0     - /srv/my data
";
        let found = parse(output);
        let root = FileSystem {
            kind: "ext4".to_owned(),
            mount_point: "/".to_owned(),
            space: Share {
                total: 1_992_552,
                available: 878_752,
            },
            inodes: Some(Share {
                total: 127_744,
                available: 107_744,
            }),
        };
        assert_eq!(found.len(), 3);
        assert_eq!(found[0], root);
        assert_eq!(found[2].mount_point, "/srv/my data");
        assert_eq!(found[2].inodes, None);
    }

    #[test]
    fn nothing_is_made_of_nonsense() {
        for output in ["", "df: no file systems processed", "a b 1 2 x 4 /\na b 1"] {
            assert_eq!(parse(output), []);
        }
    }
}

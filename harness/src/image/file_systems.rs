//! Makes file systems at their place on an image, by the host's own tools and without mounting anything.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use base16ct::lower::encode_string;
use sha2::{Digest as _, Sha256};

use super::disk::{DiskError, MIB};
use super::layout::Partition;
use super::tools;
use super::tree::Extent;

/// Where on the image a file system goes.
pub(super) struct Place<'a> {
    pub(super) image: &'a Path,
    pub(super) offset_mib: u64,
    pub(super) size_mib: u64,
    /// What the file system's UUID is made of, where the fstab names none.
    pub(super) seed: String,
}

pub(super) fn ext4(
    place: &Place<'_>,
    partition: &Partition,
    content: Option<(&Path, Extent)>,
) -> Result<(), DiskError> {
    let uuid = partition.uuid.clone().unwrap_or_else(|| uuid(&place.seed));
    let mut args = vec![
        "-q".to_owned(),
        "-F".to_owned(),
        "-t".to_owned(),
        "ext4".to_owned(),
        // Features that GRUB of the machine may not read yet (GRUB 2.06 knows neither).
        "-O".to_owned(),
        "^metadata_csum_seed,^orphan_file".to_owned(),
        "-U".to_owned(),
        uuid.clone(),
        "-E".to_owned(),
        format!(
            "offset={},root_owner=0:0,hash_seed={uuid},lazy_itable_init=1,nodiscard",
            place.offset_mib * MIB
        ),
    ];
    if let Some(label) = &partition.label {
        args.extend(["-L".to_owned(), label.clone()]);
    }
    if let Some((root, extent)) = content {
        let inodes = (place.size_mib * MIB / 16384).max(extent.inodes * 3 / 2);
        args.extend(["-N".to_owned(), inodes.to_string()]);
        args.extend(["-d".to_owned(), root.display().to_string()]);
    }
    args.push(place.image.display().to_string());
    args.push(format!("{}M", place.size_mib));
    tools::run("mke2fs", &args, "")?;
    match content {
        Some((_, extent)) if !rustix::process::geteuid().is_root() => give_to_root(place, extent),
        _ => Ok(()),
    }
}

/// mke2fs gives each file its owner on the host; where that is an ordinary user, all must become root's.
fn give_to_root(place: &Place<'_>, extent: Extent) -> Result<(), DiskError> {
    const FIRST_FREE_INODE: u64 = 11;
    // mke2fs hands inodes out from the first on, group by group; a few spare ones cover what each group leaves.
    let last = FIRST_FREE_INODE + extent.inodes + 1024;
    let script: String = (FIRST_FREE_INODE..last)
        .map(|n| format!("sif <{n}> uid 0\nsif <{n}> gid 0\n"))
        .collect();
    set_inodes(place, &script)
}

/// Runs commands of debugfs(8); none where there are none.
pub(super) fn set_inodes(place: &Place<'_>, script: &str) -> Result<(), DiskError> {
    if script.is_empty() {
        return Ok(());
    }
    let device = format!(
        "{}?offset={}",
        place.image.display(),
        place.offset_mib * MIB
    );
    tools::run("debugfs", &["-w", "-f", "/dev/stdin", &device], script)?;
    Ok(())
}

pub(super) fn vfat(place: &Place<'_>, partition: &Partition) -> Result<(), DiskError> {
    let mut args = vec![
        "--offset".to_owned(),
        (place.offset_mib * MIB / 512).to_string(),
        "-F".to_owned(),
        "32".to_owned(),
        "-i".to_owned(),
        match &partition.uuid {
            Some(uuid) => uuid.replace('-', ""),
            None => encode_string(&Sha256::digest(&place.seed))[..8].to_owned(),
        },
    ];
    if let Some(label) = &partition.label {
        args.extend(["-n".to_owned(), label.clone()]);
    }
    args.push(place.image.display().to_string());
    args.push((place.size_mib * MIB / 1024).to_string());
    Ok(tools::run("mkfs.vfat", &args, "")?)
}

/// All that mkswap writes is in the first page; it cannot write at an offset itself.
pub(super) fn swap(
    place: &Place<'_>,
    partition: &Partition,
    workshop: &Path,
) -> Result<(), DiskError> {
    const PAGE: usize = 4096;
    let area = workshop.join("swap");
    let io_error = |source| DiskError::Io {
        path: place.image.to_owned(),
        source,
    };
    File::create(&area)
        .and_then(|file| file.set_len(place.size_mib * MIB))
        .map_err(io_error)?;
    let uuid = partition.uuid.clone().unwrap_or_else(|| uuid(&place.seed));
    let mut args = vec!["--uuid".to_owned(), uuid];
    if let Some(label) = &partition.label {
        args.extend(["--label".to_owned(), label.clone()]);
    }
    args.push(area.display().to_string());
    tools::run("mkswap", &args, "")?;
    let copy = || -> io::Result<()> {
        let mut header = [0; PAGE];
        File::open(&area)?.read_exact(&mut header)?;
        let mut image = OpenOptions::new().write(true).open(place.image)?;
        image.seek(SeekFrom::Start(place.offset_mib * MIB))?;
        image.write_all(&header)?;
        fs::remove_file(&area)
    };
    copy().map_err(io_error)
}

/// A UUID that is always the same for the same seed.
pub(super) fn uuid(seed: &str) -> String {
    let hex = encode_string(&Sha256::digest(seed));
    format!(
        "{}-{}-4{}-8{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..32]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seeded_uuid_has_the_form_of_a_uuid() {
        let uuid = uuid("x");
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid, super::uuid("x"));
    }
}

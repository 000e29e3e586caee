use super::bootspec_files::{BootspecFiles, Specialisation};
use crate::closure::files::ClosureFiles;

/// A file that a bootloader's installer copies to `/boot`, where it copies kernels at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootImage {
    /// The file, link-free; installers name their copies by it.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
}

/// Kernel, initrd, hypervisor and device tree of the system and of its specialisations, each file once.
///
/// Microcode is part of NixOS's initrd. What nixpkgs' installers copy: `install-grub.pl`, `systemd-boot-builder.py`.
pub(super) fn read(
    files: &ClosureFiles,
    own: [&Option<String>; 2],
    bootspec: Option<&BootspecFiles>,
    specialisations: &[Specialisation],
) -> Vec<BootImage> {
    let hypervisor = files.resolve(&files.in_toplevel("xen.gz")).ok();
    let mut paths: Vec<String> = own
        .into_iter()
        .flatten()
        .cloned()
        .chain(hypervisor.map(|place| place.logical))
        .chain(bootspec.and_then(|spec| spec.device_tree.clone()))
        .chain(specialisations.iter().flat_map(|s| s.kernel.clone()))
        .chain(specialisations.iter().flat_map(|s| s.initrd.clone()))
        .collect();
    paths.sort();
    paths.dedup();
    paths
        .into_iter()
        .filter_map(|path| {
            let size = files.open(&path).ok()?.metadata().ok()?.len();
            Some(BootImage { path, size })
        })
        .collect()
}

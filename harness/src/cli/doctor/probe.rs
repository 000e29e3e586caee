//! Asks this machine.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::super::args::DoctorArgs;
use super::super::{Failure, chain, memory, run_directory};
use crate::doctor::{Firmware, Kvm, Place, Probed, ProvenAccelerator, Role, TOOLS, Tool};
use crate::fold::sanitise;
use crate::rehearsal::{QemuBinary, free_mib, prove_accelerator, uefi_images};
use crate::vocabulary::TargetMachine;

/// A program that does not tell its version in this time is taken for one that tells none.
const PATIENCE: Duration = Duration::from_secs(10);

/// All that is judged.
pub(super) fn probe(args: &DoctorArgs) -> Result<Probed, Failure> {
    let cache = run_directory::cache_directory(args.cache.cache_dir.as_deref())?;
    let runs = run_directory::runs_directory(args.runs_dir.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (accelerator, tools, firmware) =
        runtime.block_on(async { (accelerator().await, tools().await, firmware().await) });
    Ok(Probed {
        kvm: kvm(),
        accelerator,
        tools,
        firmware,
        places: vec![
            place(Role::Cache, &cache),
            place(Role::Runs, &runs),
            place(Role::Temporary, &std::env::temp_dir()),
        ],
        memory_available: memory::available(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        is_root: rustix::process::geteuid().is_root(),
        guest_memory_mib: args.memory,
        guest_cores: TargetMachine::default().cores,
    })
}

fn kvm() -> Kvm {
    match fs::File::options().read(true).write(true).open("/dev/kvm") {
        Ok(_) => Kvm::Opens,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Kvm::NotPermitted,
        Err(_) => Kvm::Absent,
    }
}

async fn accelerator() -> Result<ProvenAccelerator, String> {
    let proof = prove_accelerator(QemuBinary::X86_64)
        .await
        .map_err(|error| sanitise::line(&chain(&error)))?;
    Ok(ProvenAccelerator {
        accelerator: proof.accelerator,
        reason: sanitise::line(&proof.reason),
        factor: proof.factor,
        qemu_version: sanitise::line(&proof.qemu_version),
    })
}

async fn tools() -> BTreeMap<String, Tool> {
    let mut found = BTreeMap::new();
    for rule in TOOLS {
        if find(rule.name).is_some() {
            let told = told(rule.name, &[rule.ask]).await;
            found.insert(rule.name.to_owned(), Tool { told });
        }
    }
    found
}

/// Where [`crate::image`] would find it: the tools live in sbin, which the path of an ordinary user leaves out on Debian.
fn search_path() -> String {
    format!(
        "{}:/usr/sbin:/sbin",
        std::env::var("PATH").unwrap_or_default()
    )
}

fn find(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&search_path())
        .map(|directory| directory.join(program))
        .find(|place| place.is_file())
}

/// What a program prints; nothing where it cannot be run.
async fn told(program: &str, args: &[&str]) -> String {
    const LIMIT: usize = 16 << 10;
    let mut command = Command::new(program);
    command
        .args(args)
        .env("PATH", search_path())
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    crate::offspring::die_with_parent(command.as_std_mut());
    let Ok(Ok(output)) = tokio::time::timeout(PATIENCE, command.output()).await else {
        return String::new();
    };
    let mut all = output.stdout;
    all.extend(output.stderr);
    all.truncate(LIMIT);
    String::from_utf8_lossy(&all).into_owned()
}

/// `-L help` lists the directories that QEMU looks for firmware in (qemu(1)).
async fn firmware() -> Firmware {
    let listed = told(QemuBinary::X86_64.program(), &["-L", "help"]).await;
    let directories: Vec<&Path> = listed.lines().map(Path::new).collect();
    let first = |places: Vec<PathBuf>| {
        let place = places.into_iter().find(|place| place.is_file())?;
        let place = fs::canonicalize(&place).unwrap_or(place);
        Some(sanitise::line(&place.display().to_string()))
    };
    let in_each = |name: &str| directories.iter().map(|d| d.join(name)).collect::<Vec<_>>();
    let uefi = |binary| uefi_images(binary).and_then(|images| first(vec![images.code]));
    Firmware {
        seabios: first(in_each("bios-256k.bin")),
        ovmf: uefi(QemuBinary::X86_64),
        ovmf_ia32: uefi(QemuBinary::I386),
    }
}

/// What is free in a directory that may not be made yet, and whether this user may write there.
fn place(role: Role, path: &Path) -> Place {
    let there = path.ancestors().find(|p| p.is_dir());
    let free = match there {
        None => Err("no such directory".to_owned()),
        Some(there) => {
            // A file without a name is the one thing that proves it, and nothing is left of it.
            let writable = tempfile::tempfile_in(there);
            writable
                .and_then(|_| free_mib(there))
                .map(|mib| mib << 20)
                .map_err(|error| format!("nothing can be written there: {error}"))
        }
    };
    Place {
        role,
        path: sanitise::line(&path.display().to_string()),
        free,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_not_made_yet_has_what_is_above_it() {
        let directory = tempfile::tempdir().unwrap();
        let found = place(Role::Cache, &directory.path().join("a/b"));
        assert!(found.free.unwrap() > 0);
        assert!(!directory.path().join("a").exists());
    }
}

//! Proves an accelerator with a tiny guest before any rehearsal depends on it.
//!
//! `/dev/kvm` may open and even create machines, and still hang every guest. The proof is SeaBIOS starting a boot sector
//! that speaks on the debug console, counts, speaks again, and exits through isa-debug-exit. The time between its two
//! words measures how fast guests run here; deadlines are scaled by it.

use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::{Duration, Instant};

use command_fds::CommandFdExt as _;
use command_fds::FdMapping;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use super::machine::QemuBinary;
use super::process::VmError;
use crate::offspring::die_with_parent;
use crate::vocabulary::Accelerator;

/// Which accelerator a rehearsal uses, and why.
#[derive(Debug, Clone)]
pub struct Proof {
    /// QEMU's own version, such as `7.2.22`.
    pub qemu_version: String,
    pub accelerator: Accelerator,
    /// Why it is not a faster one, or how it was proven.
    pub reason: String,
    /// How many times slower guests run than on the reference machine, at least 0.25 and at most 20.
    pub factor: f64,
}

/// A guest that has not exited by then hangs: the whole proof takes 0.3 s under TCG on the reference machine.
const KVM_DEADLINE: Duration = Duration::from_secs(2);
const TCG_DEADLINE: Duration = Duration::from_secs(30);

/// The count of [`BOOT_SECTOR`] under TCG on the machine on which the deadlines were chosen.
const REFERENCE_COUNT: Duration = Duration::from_millis(80);

/// Tries KVM where it exists, then TCG.
///
/// # Errors
/// When not even TCG runs the tiny guest.
pub async fn prove_accelerator(binary: QemuBinary) -> Result<Proof, VmError> {
    let not_kvm = if std::fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/kvm")
        .is_err()
    {
        "/dev/kvm cannot be opened".to_owned()
    } else {
        match run(binary, Accelerator::Kvm, KVM_DEADLINE).await {
            Ok(count) => {
                let reason = "a tiny guest ran under it".to_owned();
                return proof(binary, Accelerator::Kvm, reason, count).await;
            }
            Err(Failure::Host(error)) => return Err(error),
            Err(Failure::Guest(why)) => format!("/dev/kvm opens, but a tiny guest {why}"),
        }
    };
    match run(binary, Accelerator::Tcg, TCG_DEADLINE).await {
        Ok(count) => proof(binary, Accelerator::Tcg, not_kvm, count).await,
        Err(Failure::Host(error)) => Err(error),
        Err(Failure::Guest(why)) => Err(VmError::EndedEarly {
            program: binary.program().to_owned(),
            status: "no accelerator works".to_owned(),
            stderr: format!("under TCG, a tiny guest {why}"),
        }),
    }
}

async fn proof(
    binary: QemuBinary,
    accelerator: Accelerator,
    reason: String,
    count: Duration,
) -> Result<Proof, VmError> {
    let output = Command::new(binary.program())
        .arg("--version")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout);
    // "QEMU emulator version 7.2.22 (Debian …)"
    let version = text.split_whitespace().nth(3).unwrap_or("unknown");
    Ok(Proof {
        qemu_version: version.to_owned(),
        accelerator,
        reason,
        factor: (count.as_secs_f64() / REFERENCE_COUNT.as_secs_f64()).clamp(0.25, 20.0),
    })
}

enum Failure {
    Host(VmError),
    Guest(String),
}

async fn run(
    binary: QemuBinary,
    accelerator: Accelerator,
    deadline: Duration,
) -> Result<Duration, Failure> {
    let disk = boot_disk().map_err(|error| Failure::Host(error.into()))?;
    let mut command = Command::new(binary.program());
    command
        .args([
            "-machine",
            "q35",
            "-accel",
            accelerator.as_str(),
            "-m",
            "32M",
        ])
        .args([
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-no-reboot",
        ])
        .args(["-debugcon", "stdio"])
        .args(["-device", "isa-debug-exit,iobase=0x501,iosize=1"])
        .args(["-drive", "file=/dev/fd/3,format=raw,if=ide,readonly=off"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .fd_mappings(vec![FdMapping {
            parent_fd: disk,
            child_fd: 3,
        }])
        .map_err(|collision| Failure::Host(std::io::Error::other(collision.to_string()).into()))?;
    die_with_parent(command.as_std_mut());
    let mut child = command.spawn().map_err(|source| {
        Failure::Host(VmError::Start {
            program: binary.program().to_owned(),
            source,
        })
    })?;
    let Some(mut console) = child.stdout.take() else {
        return Err(Failure::Guest("has no debug console".to_owned()));
    };
    let counted = tokio::time::timeout(deadline, async {
        let mut began = None;
        let mut byte = [0];
        while console.read_exact(&mut byte).await.is_ok() {
            match (byte[0], began) {
                (b'<', _) => began = Some(Instant::now()),
                (b'>', Some(began)) => {
                    return Some(Instant::duration_since(&Instant::now(), began));
                }
                _ => {}
            }
        }
        None
    })
    .await;
    let exited = tokio::time::timeout(deadline, child.wait_with_output()).await;
    match (counted, exited) {
        (Ok(Some(count)), Ok(Ok(output))) if output.status.code() == Some(EXIT_CODE) => Ok(count),
        (Ok(_), Ok(Ok(output))) => {
            let stderr = String::from_utf8_lossy(&output.stderr);
            let line = stderr.lines().next().unwrap_or("said nothing");
            Err(Failure::Guest(format!(
                "ended with {}: {line}",
                output.status
            )))
        }
        (_, Ok(Err(error))) => Err(Failure::Host(error.into())),
        _ => Err(Failure::Guest(format!("hung for {} s", deadline.as_secs()))),
    }
}

/// What isa-debug-exit makes of the guest's 0x10: `(0x10 << 1) | 1`.
const EXIT_CODE: i32 = 33;

fn boot_disk() -> std::io::Result<OwnedFd> {
    let fd = rustix::fs::memfd_create("bootproof-proof", rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut sector = [0u8; 512];
    sector[..BOOT_SECTOR.len()].copy_from_slice(&BOOT_SECTOR);
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    let mut file = std::fs::File::from(fd);
    file.write_all(&sector)?;
    // SeaBIOS wants at least a track of a disk.
    file.set_len(1 << 20)?;
    Ok(file.into())
}

/// 16-bit code at 0x7c00.
#[rustfmt::skip]
const BOOT_SECTOR: [u8; 28] = [
    0xfa,                               // cli
    0xb0, b'<', 0xe6, 0xe9,             // mov al, '<'; out 0xe9, al
    0x66, 0xb9, 0x00, 0x00, 0x00, 0x02, // mov ecx, 2^25
    0x66, 0x49,                         // again: dec ecx
    0x75, 0xfc,                         // jnz again
    0xb0, b'>', 0xe6, 0xe9,             // mov al, '>'; out 0xe9, al
    0xb0, 0x10,                         // mov al, 0x10
    0xba, 0x01, 0x05,                   // mov dx, 0x501
    0xee,                               // out dx, al
    0xf4, 0xeb, 0xfd,                   // hlt; jmp back to it
];

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_proven_accelerator_counts() {
        let disk = boot_disk().unwrap();
        drop(disk);
        if Command::new(QemuBinary::X86_64.program())
            .arg("--version")
            .output()
            .await
            .is_err()
        {
            panic!("qemu-system-x86_64 is missing: `cargo xtask test` installs it");
        }
        let proof = prove_accelerator(QemuBinary::X86_64).await.unwrap();
        println!("{proof:?}");
        assert!(proof.factor >= 0.25 && !proof.reason.is_empty());
    }
}

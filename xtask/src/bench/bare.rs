//! A bare QEMU on the disk of a rehearsal, with no harness.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

const HOST: &str = "alpha.example";

/// The immutable disk that the last rehearsal's overlay stood on.
pub(super) fn base_disk(work: &Path) -> anyhow::Result<PathBuf> {
    let disks = work
        .parent()
        .context("no directory above")?
        .join("cache/disks");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&disks)? {
        let path = entry?.path();
        if path
            .to_string_lossy()
            .ends_with("nixos-system-healthy-12.lab")
        {
            found.push((std::fs::metadata(&path)?.modified()?, path.join("disk.raw")));
        }
    }
    found.sort();
    let (_, disk) = found
        .pop()
        .with_context(|| format!("no disk of `healthy` in {}", disks.display()))?;
    Ok(disk)
}

/// Power-on to nginx's first 200, with the machine of the rehearsal and nothing else.
pub(super) fn bare_boot(disk: &Path) -> anyhow::Result<Duration> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port();
    let began = Instant::now();
    let mut qemu = Command::new("qemu-system-x86_64")
        .args(["-machine", "q35", "-accel", "tcg,thread=multi,tb-size=256"])
        .args(["-cpu", "qemu64,-svm", "-smp", "2", "-m", "1024M"])
        .args([
            "-display",
            "none",
            "-vga",
            "std",
            "-nodefaults",
            "-no-user-config",
        ])
        .args(["-serial", "null", "-snapshot"])
        .arg("-drive")
        .arg(format!("if=virtio,format=raw,file={}", disk.display()))
        .arg("-netdev")
        .arg(format!(
            "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:80"
        ))
        .args(["-device", "virtio-net-pci,netdev=net"])
        .stdin(Stdio::null())
        .spawn()
        .context("failed to start qemu-system-x86_64")?;
    let served = wait_until_served(&mut qemu, port);
    let took = began.elapsed();
    let _ = qemu.kill();
    let _ = qemu.wait();
    served.map(|()| took)
}

fn wait_until_served(qemu: &mut Child, port: u16) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(600);
    while Instant::now() < deadline {
        if let Some(status) = qemu.try_wait()? {
            bail!("the bare QEMU ended: {status}");
        }
        if serves(port) {
            return Ok(());
        }
        // The guest tells nothing of its own: asking again is the only event there is.
        std::thread::sleep(Duration::from_millis(100));
    }
    bail!("the bare QEMU served nothing within ten minutes")
}

fn serves(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(format!("GET / HTTP/1.0\r\nHost: {HOST}\r\n\r\n").as_bytes())?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        Ok(answer.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}

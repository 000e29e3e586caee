//! What the harness costs: a rehearsal of `healthy` on a warm cache, against a bare QEMU on the same disk.
//!
//! The bare QEMU is started as often as the rehearsal boots, with the rehearsal's own command line less what only the
//! harness uses, and each of its boots ends with the first 200 of nginx. The rehearsal beyond that switches, watches each
//! state for its window, and looks at all of it.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bootproof::rehearsal::read_recording;
use bootproof::vocabulary::{Observation, Recorded};

use super::median;
use crate::{host_tools, lab, test_boot};

const SCENARIO: &str = "healthy";
const HOST: &str = "alpha.example";

pub(crate) fn run(root: &Path, rounds: u32) -> anyhow::Result<ExitCode> {
    host_tools::ensure(host_tools::LAB)?;
    host_tools::ensure(host_tools::BOOT)?;
    let lab = lab::ensure(root, &[SCENARIO.to_owned()])?;
    let bootproof = test_boot::bootproof(root, test_boot::Build::Release)?;
    let work = root.join("target/bootproof/bench");
    let rehearse = || rehearse(root, &bootproof, &lab.root, &work);

    eprintln!("bench: one rehearsal to warm the cache");
    rehearse()?;
    let mut ratios = Vec::new();
    for round in 1..=rounds {
        let (rehearsal, observations) = rehearse()?;
        let disk = base_disk(&work)?;
        let boots = observations
            .iter()
            .filter(|r| matches!(r.observation, Observation::ChannelOpened { ref transport, .. } if transport == "serial"))
            .count();
        let mut bare = Duration::ZERO;
        for _ in 0..boots {
            bare += bare_boot(&disk)?;
        }
        let ratio = rehearsal.as_secs_f64() / bare.as_secs_f64();
        println!(
            "round {round}: rehearsal {:.1} s, bare QEMU {:.1} s for {boots} boots, ratio {ratio:.2}",
            rehearsal.as_secs_f64(),
            bare.as_secs_f64()
        );
        if round == 1 {
            println!("accelerator: {}", accelerator(&observations));
        }
        ratios.push(ratio);
    }
    println!("median ratio of {rounds} rounds: {:.2}", median(&ratios));
    Ok(ExitCode::SUCCESS)
}

/// One rehearsal: how long it took, and what it observed.
fn rehearse(
    root: &Path,
    bootproof: &Path,
    lab: &Path,
    work: &Path,
) -> anyhow::Result<(Duration, Vec<Recorded>)> {
    let run_directory = work.join("run");
    if run_directory.exists() {
        std::fs::remove_dir_all(&run_directory)?;
    }
    std::fs::create_dir_all(work)?;
    let began = Instant::now();
    let output = Command::new(bootproof)
        .args(["test", "--scenario", SCENARIO, "--lab"])
        .arg(lab)
        .arg("--scenarios")
        .arg(root.join("scenarios"))
        .arg("--cache-dir")
        .arg(root.join("target/bootproof/cache"))
        .arg("--run-dir")
        .arg(&run_directory)
        .output()?;
    let took = began.elapsed();
    if !output.status.success() {
        bail!(
            "the rehearsal failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let (_, observations) = read_recording(&run_directory)?;
    Ok((took, observations))
}

/// The immutable disk that the last rehearsal's overlay stood on.
fn base_disk(work: &Path) -> anyhow::Result<PathBuf> {
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
        .with_context(|| format!("no disk of {SCENARIO} in {}", disks.display()))?;
    Ok(disk)
}

/// Power-on to nginx's first 200, with the machine of the rehearsal and nothing else.
fn bare_boot(disk: &Path) -> anyhow::Result<Duration> {
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

fn accelerator(observations: &[Recorded]) -> String {
    observations
        .iter()
        .find_map(|r| match &r.observation {
            Observation::Accelerator {
                accelerator,
                reason,
                qemu,
                ..
            } => Some(format!("{} ({reason}), {qemu}", accelerator.as_str())),
            _ => None,
        })
        .unwrap_or_else(|| "unknown".to_owned())
}

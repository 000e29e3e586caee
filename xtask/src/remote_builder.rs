//! `cargo xtask remote-builder`: a rehearsal that Nix gives to another machine. That machine is this one, behind an sshd of its own on
//! the loopback, with a store of its own: what is shown is that the distribution is Nix's. Not part of CI.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use anyhow::{Context, bail};

use crate::{host_tools, lab};

/// The sandbox's tools are the host's, on both sides.
const SANDBOX_PATHS: &str = "/bin /sbin /usr /lib /lib64";

/// Builds the check of a scenario on the other side, and says where it was built. Without a lab that is built already, builds one.
pub(crate) fn run(root: &Path, scenario: &str, built: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    for tools in [
        host_tools::LAB,
        host_tools::BOOT,
        host_tools::NIX,
        host_tools::SSHD,
    ] {
        host_tools::ensure(tools)?;
    }
    let bootproof = bootproof(root)?;
    let lab = match built {
        Some(lab) => lab,
        None => lab::ensure(root, &[scenario.to_owned()])?.root,
    };
    let toplevel = |system: &str| {
        let link = lab.join("closures").join(scenario).join(system);
        let target = fs::read_link(&link).with_context(|| format!("{scenario} has no {system}"))?;
        Ok::<_, anyhow::Error>(target.to_string_lossy().into_owned())
    };
    let (candidate, baseline) = (toplevel("candidate")?, toplevel("baseline")?);

    let place = root.join("target/remote-builder");
    let (here, there) = (place.join("here"), place.join("there"));
    fs::create_dir_all(&here)?;
    fs::create_dir_all(&there)?;
    copy_closures(&lab.join("root"), &here, &[&candidate, &baseline])?;
    let server = Server::start(&place)?;
    let program = wrapper(&place, &there)?;

    // URI, systems, key, jobs, speed factor, features: as in nix.conf(5), `builders`.
    let builder = format!(
        "ssh://root@127.0.0.1?remote-program={} x86_64-linux {} 1 1 kvm",
        program.display(),
        server.key.display()
    );
    eprintln!("remote-builder: {builder}");
    let built = nix("nix-build", &here)
        .arg(root.join("tests/nix/boot-test.nix"))
        .arg("--no-out-link")
        .args(["--argstr", "candidate", &candidate])
        .args(["--argstr", "baseline", &baseline])
        .args(["--argstr", "bootproof"])
        .arg(&bootproof)
        .args(["--builders", &builder, "--max-jobs", "0"])
        .env("NIX_SSHOPTS", server.options())
        .stderr(Stdio::inherit())
        .output()
        .context("failed to start nix-build")?;
    if !built.status.success() {
        bail!("nix-build ended with {}", built.status);
    }
    let output = String::from_utf8_lossy(&built.stdout).trim().to_owned();
    let below = output.trim_start_matches('/');
    for (side, store) in [("here", &here), ("there", &there)] {
        if store.join(below).symlink_metadata().is_err() {
            bail!("{output} is not {side}: it was not built by the other side");
        }
    }
    eprintln!("remote-builder: {output} was built there and copied here");
    Ok(ExitCode::SUCCESS)
}

/// The debug build: the guest, and not bootproof, is what takes the time.
fn bootproof(root: &Path) -> anyhow::Result<PathBuf> {
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root)
        .args(["build", "--quiet", "--package", "bootproof"])
        .status()
        .context("failed to start cargo")?;
    if !status.success() {
        bail!("bootproof could not be built");
    }
    Ok(root.join("target/debug/bootproof"))
}

fn nix(program: &str, store: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_remove("NIX_REMOTE")
        .env_remove("NIX_CONFIG")
        .env("NIX_CONF_DIR", "/no-nix-configuration")
        .env("NIX_USER_CONF_FILES", "")
        .arg("--store")
        .arg(store)
        .args(
            options()
                .iter()
                .flat_map(|(name, value)| ["--option", name, value]),
        );
    command
}

fn options() -> [(&'static str, &'static str); 4] {
    [
        ("sandbox", "true"),
        ("build-users-group", ""),
        ("substituters", ""),
        ("sandbox-paths", SANDBOX_PATHS),
    ]
}

fn copy_closures(from: &Path, to: &Path, toplevels: &[&String]) -> anyhow::Result<()> {
    let query = nix("nix-store", from).arg("-qR").args(toplevels).output()?;
    let paths = String::from_utf8(query.stdout)?;
    let mut export = nix("nix-store", from)
        .arg("--export")
        .args(paths.lines())
        .stdout(Stdio::piped())
        .spawn()?;
    let imported = nix("nix-store", to)
        .arg("--import")
        .stdin(export.stdout.take().context("export has a stdout")?)
        .stdout(Stdio::null())
        .status()?;
    if !(export.wait()?.success() && imported.success()) {
        bail!("the closures could not be copied out of the lab's store");
    }
    Ok(())
}

/// What stands for `nix-store` on the other side: its store, and the sandbox that the lab's closures need.
fn wrapper(place: &Path, store: &Path) -> anyhow::Result<PathBuf> {
    let options: String = options()
        .iter()
        .map(|(name, value)| format!(" --option {name} '{value}'"))
        .collect();
    let script = format!(
        "#!/bin/sh\nexport NIX_CONF_DIR=/no-nix-configuration\nexec nix-store --store '{}'{options} \"$@\"\n",
        store.display()
    );
    let file = place.join("nix-store");
    fs::write(&file, script)?;
    fs::set_permissions(&file, Permissions::from_mode(0o755))?;
    Ok(file)
}

/// An sshd that lets in whoever has the key that was made for it; it ends with this.
struct Server {
    child: Child,
    port: u16,
    key: PathBuf,
}

impl Server {
    fn start(place: &Path) -> anyhow::Result<Self> {
        let (key, host_key) = (place.join("key"), place.join("host-key"));
        for file in [&key, &host_key] {
            if !file.exists() {
                let made = Command::new("ssh-keygen")
                    .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                    .arg(file)
                    .status()?;
                if !made.success() {
                    bail!("ssh-keygen ended with {made}");
                }
            }
        }
        // Free now, and taken by nobody else in the next moment, most likely.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let configuration = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}.pub\nPidFile none\nUsePAM no\nStrictModes no\n\
             PasswordAuthentication no\nPermitRootLogin prohibit-password\n",
            host_key.display(),
            key.display()
        );
        let file = place.join("sshd_config");
        fs::write(&file, configuration)?;
        // Where sshd separates its privileges; its package makes it at a boot.
        fs::create_dir_all("/run/sshd")?;
        let program = host_tools::find_program("sshd").context("sshd is missing")?;
        let child = Command::new(program)
            .args(["-D", "-e", "-f"])
            .arg(&file)
            .stderr(fs::File::create(place.join("sshd.log"))?)
            .spawn()
            .context("failed to start sshd")?;
        Ok(Self { child, port, key })
    }

    /// For `NIX_SSHOPTS`. Connecting again is ssh's way to wait for a server that is not there yet.
    fn options(&self) -> String {
        format!(
            "-p {} -oConnectionAttempts=20 -oStrictHostKeyChecking=no -oUserKnownHostsFile=/dev/null -oLogLevel=ERROR",
            self.port
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that is gone already is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

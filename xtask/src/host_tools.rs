//! The programs of the host that a task runs, and the Debian packages that they come from. Missing ones are installed
//! through apt, which is said before it is done. Never touches a package whose tools are all there.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};

/// A program, or a file by its absolute path, and the package that has it on Debian.
pub(crate) struct Tool {
    name: &'static str,
    package: &'static str,
}

const fn tool(name: &'static str, package: &'static str) -> Tool {
    Tool { name, package }
}

/// What building the closures takes.
pub(crate) const LAB: &[Tool] = &[
    tool("nix-build", "nix-bin"),
    tool("nix-store", "nix-bin"),
    tool("patchelf", "patchelf"),
    tool("cpio", "cpio"),
    tool("depmod", "kmod"),
    tool("modprobe", "kmod"),
    tool("dpkg-deb", "dpkg"),
    tool("gzip", "gzip"),
    tool("find", "findutils"),
];

/// What booting them takes.
pub(crate) const BOOT: &[Tool] = &[
    tool("qemu-system-x86_64", "qemu-system-x86"),
    tool("qemu-img", "qemu-utils"),
    tool("mke2fs", "e2fsprogs"),
    tool("debugfs", "e2fsprogs"),
    tool("sfdisk", "fdisk"),
    tool("mkfs.vfat", "dosfstools"),
    tool("mkswap", "util-linux"),
    tool("/usr/share/OVMF/OVMF_CODE_4M.fd", "ovmf"),
];

/// What reaching a guest over ssh takes, as an operator reaches a machine.
pub(crate) const SSH: &[Tool] = &[
    tool("ssh", "openssh-client"),
    tool("nix-copy-closure", "nix-bin"),
];

/// What looks at the page of a report: a browser without a window, and a checker of HTML. About 120 MB, which only `test` needs.
pub(crate) const PAGE: &[Tool] = &[tool("chromium", "chromium"), tool("tidy", "tidy")];
/// What reports are held against: `xmllint` knows XML Schema.
pub(crate) const FORMS: &[Tool] = &[tool("xmllint", "libxml2-utils")];

/// What the tests of the flake take.
pub(crate) const NIX: &[Tool] = &[
    tool("nix", "nix-bin"),
    tool("nix-instantiate", "nix-bin"),
    tool("nix-hash", "nix-bin"),
    tool("jq", "jq"),
];

/// What a remote builder on the loopback takes. Where there is an init, the package starts a server of its own.
pub(crate) const SSHD: &[Tool] = &[
    tool("sshd", "openssh-server"),
    tool("ssh-keygen", "openssh-client"),
];

/// What reads completions and man pages: the tests have them checked by it.
pub(crate) const READERS: &[Tool] = &[
    tool("zsh", "zsh"),
    tool("fish", "fish"),
    tool("mandoc", "mandoc"),
];

/// What `bootproof inspect` is measured against.
pub(crate) const BENCH: &[Tool] = &[
    tool("file", "file"),
    tool("find", "findutils"),
    tool("xargs", "findutils"),
];

/// Package lists older than this are fetched again before an installation.
const LISTS_MAX_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Installs the packages of the tools that are missing.
///
/// # Errors
/// Not being root, having no apt, and apt's failures; each names the tool, the package and the command.
pub(crate) fn ensure(tools: &[Tool]) -> anyhow::Result<()> {
    let missing: Vec<&Tool> = tools.iter().filter(|tool| !is_there(tool)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    packages.sort_unstable();
    packages.dedup();
    let command = format!(
        "apt-get install -y --no-install-recommends {}",
        packages.join(" ")
    );

    let mut needs = String::new();
    for tool in &missing {
        let _ = write!(
            needs,
            "{}{} (package {})",
            if needs.is_empty() { "" } else { ", " },
            tool.name,
            tool.package
        );
    }
    if find_program("apt-get").is_none() {
        bail!(
            "missing tools: {needs}; this system has no apt-get, so install them yourself (on Debian: {command})"
        );
    }
    if !is_root()? {
        bail!("missing tools: {needs}; install them as root with `{command}`");
    }

    eprintln!("host: missing {needs}; installing with `{command}`");
    // A source of the host that has gone away is no reason to stop: what is missing comes from Debian's own.
    if lists_are_old()
        && let Err(error) = apt_get(&["update".to_owned()])
    {
        eprintln!("host: going on with the package lists that are there: {error:#}");
    }
    let mut arguments: Vec<String> = ["install", "-y", "--no-install-recommends"]
        .map(str::to_owned)
        .to_vec();
    let qemu_utils = if packages.contains(&"qemu-system-x86") {
        matching_qemu_utils(&packages)
    } else {
        Vec::new()
    };
    if !qemu_utils.is_empty() {
        packages.retain(|package| *package != "qemu-utils");
    }
    arguments.extend(packages.iter().map(|package| (*package).to_owned()));
    arguments.extend(qemu_utils);
    apt_get(&arguments).with_context(|| format!("failed to install {needs}"))?;

    for tool in tools {
        if !is_there(tool) {
            bail!(
                "{} is still missing after package {} was installed",
                tool.name,
                tool.package
            );
        }
    }
    Ok(())
}

fn is_there(tool: &Tool) -> bool {
    match Path::new(tool.name) {
        file if file.is_absolute() => file.is_file(),
        _ => find_program(tool.name).is_some(),
    }
}

/// Some machines come with a newer qemu-utils, from a source that they no longer have, which Debian's qemu-system-common
/// breaks. Asking for the version that belongs to the emulator, downgrading where needed, resolves that.
fn matching_qemu_utils(packages: &[&str]) -> Vec<String> {
    let installed = find_program("qemu-img").is_some();
    if !installed && !packages.contains(&"qemu-utils") {
        return Vec::new();
    }
    match candidate_of(
        "qemu-utils",
        candidate_of("qemu-system-x86", None).as_deref(),
    ) {
        Some(version) => vec![
            "--allow-downgrades".to_owned(),
            format!("qemu-utils={version}"),
        ],
        None => Vec::new(),
    }
}

/// The version that apt would install of a package, or of those it knows, the newest that starts as `like` does (builds of one
/// source differ in their last part only).
fn candidate_of(package: &str, like: Option<&str>) -> Option<String> {
    let arguments: &[&str] = if like.is_some() {
        &["madison", package]
    } else {
        &["policy", package]
    };
    let output = Command::new("apt-cache")
        .args(arguments)
        .env("LC_ALL", "C")
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match like {
        None => text
            .lines()
            .find_map(|line| line.trim().strip_prefix("Candidate: "))
            .map(str::to_owned),
        Some(like) => {
            let upstream = like.split("+deb").next().unwrap_or(like);
            let mut versions: Vec<&str> = text
                .lines()
                .filter_map(|line| line.split('|').nth(1))
                .map(str::trim)
                .collect();
            versions.retain(|version| version.starts_with(upstream));
            versions
                .iter()
                .find(|version| **version == like)
                .or(versions.first())
                .map(|version| (*version).to_owned())
        }
    }
}

fn apt_get(arguments: &[String]) -> anyhow::Result<()> {
    let status = Command::new("apt-get")
        .arg("-qq")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(std::io::stderr())
        .status()
        .context("failed to start apt-get")?;
    if !status.success() {
        bail!("`apt-get {}` ended with {status}", arguments.join(" "));
    }
    Ok(())
}

fn lists_are_old() -> bool {
    let newest = std::fs::read_dir("/var/lib/apt/lists")
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().contains("_Packages"))
        .filter_map(|entry| entry.metadata().ok()?.modified().ok())
        .max();
    let now = SystemTime::now();
    newest.is_none_or(|newest| {
        now.duration_since(newest)
            .is_ok_and(|age| age > LISTS_MAX_AGE)
    })
}

/// Looked up as a shell would, and in the directories of administration, which are not in everyone's `PATH`.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Whether this process may install packages.
pub(crate) fn is_root() -> anyhow::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    Ok(std::fs::metadata("/proc/self")
        .context("failed to read /proc/self")?
        .uid()
        == 0)
}

//! Runs the host's own disk tools, and says what to install where one is missing.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use crate::offspring::die_with_parent;

#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    #[error("`{tool}` is not installed (install it with `apt-get install {package}`)")]
    Missing { tool: String, package: &'static str },
    #[error("`{tool}` failed, {status}: {stderr}")]
    Failed {
        tool: String,
        status: String,
        stderr: String,
    },
    #[error("failed to run `{tool}`: {source}")]
    Io { tool: String, source: io::Error },
}

/// Which Debian package brings which tool.
const PACKAGES: &[(&str, &str)] = &[
    ("mke2fs", "e2fsprogs"),
    ("debugfs", "e2fsprogs"),
    ("sfdisk", "fdisk"),
    ("mkfs.vfat", "dosfstools"),
    ("mkswap", "util-linux"),
    ("cp", "coreutils"),
    ("qemu-img", "qemu-utils"),
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("qemu-system-i386", "qemu-system-x86"),
];

/// Looks for programs where [`run`] would find them.
///
/// # Errors
/// When one is not there, with its package.
pub fn require(tools: &[&str]) -> Result<(), ToolError> {
    let path = path_with_sbin();
    let is_there = |tool: &str| std::env::split_paths(&path).any(|dir| dir.join(tool).is_file());
    match tools.iter().find(|tool| !is_there(tool)) {
        None => Ok(()),
        Some(tool) => Err(ToolError::Missing {
            tool: (*tool).to_owned(),
            package: package_of(tool),
        }),
    }
}

/// Runs `tool` with `args`, feeding it `input`.
///
/// # Errors
/// When the tool is missing or fails; its own words are in the error.
pub(super) fn run<A: AsRef<OsStr>>(tool: &str, args: &[A], input: &str) -> Result<(), ToolError> {
    carry_out(tool, args, input, Stdio::null()).map(drop)
}

/// What `tool` prints.
///
/// # Errors
/// As [`run`].
pub(super) fn answer<A: AsRef<OsStr>>(tool: &str, args: &[A]) -> Result<Vec<u8>, ToolError> {
    carry_out(tool, args, "", Stdio::piped())
}

fn carry_out<A: AsRef<OsStr>>(
    tool: &str,
    args: &[A],
    input: &str,
    stdout: Stdio,
) -> Result<Vec<u8>, ToolError> {
    let io_error = |source| ToolError::Io {
        tool: tool.to_owned(),
        source,
    };
    let mut command = Command::new(tool);
    command
        .args(args)
        // The tools live in sbin, which the path of an ordinary user leaves out on Debian.
        .env("PATH", path_with_sbin())
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(stdout)
        .stderr(Stdio::piped());
    die_with_parent(&mut command);
    let mut child = command.spawn().map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ToolError::Missing {
            tool: tool.to_owned(),
            package: package_of(tool),
        },
        _ => io_error(source),
    })?;
    if let Some(mut stdin) = child.stdin.take() {
        // A tool that ends without reading its input has its own word on why.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(io_error)?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(ToolError::Failed {
            tool: tool.to_owned(),
            status: output.status.to_string(),
            stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }
}

fn package_of(tool: &str) -> &'static str {
    PACKAGES
        .iter()
        .find(|(name, _)| *name == tool)
        .map_or("util-linux", |(_, package)| package)
}

fn path_with_sbin() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{path}:/usr/sbin:/sbin")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_is_named_with_its_package() {
        let error = run("mkfs.no-such-thing", &["x"], "")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("`mkfs.no-such-thing` is not installed"),
            "{error}"
        );
    }

    #[test]
    fn what_is_required_is_found_or_named_with_its_package() {
        assert!(require(&["sh", "mke2fs", "sfdisk"]).is_ok());
        let error = require(&["sh", "mkfs.no-such-thing"]).unwrap_err();
        assert!(matches!(error, ToolError::Missing { .. }), "{error}");
        for (tool, package) in [("mke2fs", "e2fsprogs"), ("qemu-img", "qemu-utils")] {
            assert_eq!(package_of(tool), package);
        }
    }

    #[test]
    fn a_failing_tool_is_quoted() {
        let error = run("sh", &["-c", "echo because >&2; exit 3"], "").unwrap_err();
        assert!(error.to_string().contains("because"), "{error}");
    }
}

//! What a process costs: time, processor time, and the most memory that it held.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// Of one process with the children that it waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    pub(super) time: Duration,
    pub(super) processor: Duration,
    /// The largest resident set of any one of the processes, in bytes.
    pub(super) peak_bytes: u64,
}

/// Runs a command with its output thrown away; any of the `accepted` exit codes is one that it may end with.
///
/// # Errors
/// When it does not start, dies of a signal, or ends otherwise.
pub(super) fn of(command: &mut Command, accepted: &[i32]) -> anyhow::Result<Cost> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let began = Instant::now();
    let child = command
        .spawn()
        .with_context(|| format!("failed to start {command:?}"))?;
    let (status, usage) = wait(child.id().cast_signed())?;
    let time = began.elapsed();
    if !libc::WIFEXITED(status) || !accepted.contains(&libc::WEXITSTATUS(status)) {
        bail!("{command:?} ended with status {status:#x}");
    }
    Ok(Cost {
        time,
        processor: duration(usage.ru_utime) + duration(usage.ru_stime),
        // Linux counts it in KiB (getrusage(2)).
        peak_bytes: usage.ru_maxrss.cast_unsigned() << 10,
    })
}

/// `wait4`, which neither std nor rustix offers, tells of one child; `getrusage` would tell of all of them, compilers included.
fn wait(pid: i32) -> anyhow::Result<(i32, libc::rusage)> {
    let mut status = 0;
    // SAFETY: a `rusage` of zeros is a valid one, and `wait4` writes to the two places, which live until it returns.
    let (waited, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        let waited = libc::wait4(pid, &raw mut status, 0, &raw mut usage);
        (waited, usage)
    };
    if waited != pid {
        return Err(std::io::Error::last_os_error()).context("failed to wait for a child");
    }
    Ok((status, usage))
}

fn duration(time: libc::timeval) -> Duration {
    Duration::new(
        time.tv_sec.cast_unsigned(),
        (time.tv_usec * 1000).try_into().unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_measured_and_its_exit_code_matters() {
        let cost = of(Command::new("sh").args(["-c", "exit 1"]), &[0, 1]).unwrap();
        assert!(cost.peak_bytes > 0);
        assert!(of(Command::new("sh").args(["-c", "exit 2"]), &[0, 1]).is_err());
        assert!(of(Command::new("sh").args(["-c", "kill -9 $$"]), &[0]).is_err());
    }
}

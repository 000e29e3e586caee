//! Children that die with us.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::process::{Signal, getppid, set_parent_process_death_signal, setsid};

/// Asks the kernel to kill the child when the thread that spawns it ends, whatever ends it (prctl(2), `PR_SET_PDEATHSIG`).
///
/// The spawning thread must therefore live as long as the child is wanted.
pub fn die_with_parent(command: &mut Command) {
    let parent = std::process::id();
    // SAFETY: only async-signal-safe system calls are made between fork and exec, and nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // A parent that died before the call above would leave the child alone for ever.
            let orphaned =
                getppid().is_none_or(|p| p.as_raw_nonzero().get().cast_unsigned() != parent);
            if orphaned {
                return Err(io::Error::from_raw_os_error(
                    rustix::io::Errno::SRCH.raw_os_error(),
                ));
            }
            Ok(())
        });
    }
}

/// Puts the child at the head of a session, and so of a process group, of its own: all that it starts can be killed by that group, and
/// asking at the terminal fails instead of stopping it for ever (setsid(2)).
pub fn lead_session(command: &mut Command) {
    // SAFETY: setsid is async-signal-safe, and nothing is allocated.
    unsafe {
        command.pre_exec(|| {
            setsid()?;
            Ok(())
        });
    }
}

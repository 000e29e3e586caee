//! What a person or the host ends a long command by.

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};

use super::Failure;

/// Works on this thread, which lives as long as the process: QEMU is bound to it. Where a signal comes first, `work` is dropped, and QEMU
/// with it, and `interrupted` is told the signal's name.
pub(super) fn until_signal<T>(
    work: impl Future<Output = Result<T, Failure>>,
    interrupted: impl Fn(&str) -> Failure,
) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        tokio::select! {
            result = work => result,
            _ = interrupt.recv() => Err(interrupted("Ctrl-C")),
            _ = terminate.recv() => Err(interrupted("SIGTERM")),
            _ = hang_up.recv() => Err(interrupted("SIGHUP")),
        }
    })
}

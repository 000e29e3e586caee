//! What a person or the host ends a long command by.

use std::future::Future;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Failure;

/// The signals that end a command in good order.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    /// From now on none of them ends the process by itself.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one, and gives its name. Safe to cancel.
    pub(super) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "Ctrl-C",
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.hang_up.recv() => "SIGHUP",
        }
    }
}

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
        let mut signals = Signals::listen()?;
        tokio::select! {
            result = work => result,
            by = signals.next() => Err(interrupted(by)),
        }
    })
}

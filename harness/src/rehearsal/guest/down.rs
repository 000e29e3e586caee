//! The waits for a machine that goes down.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::{Guest, GuestError, Happened, Waited};

/// How a machine went down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rehearsal) enum Down {
    /// The same QEMU starts over.
    StartsOver,
    /// Its QEMU ended.
    Off,
}

/// What came of a panic that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rehearsal) enum PanicSeen {
    /// The console says so, and the machine stands still.
    OnConsole,
    Down(Down),
    Nothing,
}

impl Guest<'_, '_> {
    /// Presses the reset button, and waits for what comes of it: what the old boot said last must not be taken for the new one's.
    pub(in crate::rehearsal) async fn reset(&mut self, deadline: Duration) -> Waited<Down> {
        self.vm.execute("system_reset", Value::Null).await?;
        match self.wait_for_down("the reset", deadline).await? {
            Some(down) => Ok(Ok(down)),
            None => Ok(Err(
                self.trouble("QEMU did not reset the machine".to_owned())
            )),
        }
    }

    /// Waits until the machine is reset or goes off; `None` where it does neither.
    pub(in crate::rehearsal) async fn wait_for_down(
        &mut self,
        what: &str,
        deadline: Duration,
    ) -> Result<Option<Down>, GuestError> {
        self.recorder.waiting(what, deadline);
        let until = Instant::now() + deadline;
        loop {
            let Ok(happened) = timeout_at(until, self.pump()).await else {
                return Ok(None);
            };
            if let Some(down) = down(&happened?) {
                return Ok(Some(down));
            }
        }
    }

    /// Waits until the kernel says that it panicked, or the machine goes down.
    pub(in crate::rehearsal) async fn wait_for_panic(
        &mut self,
        deadline: Duration,
    ) -> Result<PanicSeen, GuestError> {
        self.recorder.waiting("the panic", deadline);
        let until = Instant::now() + deadline;
        loop {
            let Ok(happened) = timeout_at(until, self.pump()).await else {
                return Ok(PanicSeen::Nothing);
            };
            if let Some(down) = down(&happened?) {
                return Ok(PanicSeen::Down(down));
            }
            if self.senses.dead_end().is_some() {
                return Ok(PanicSeen::OnConsole);
            }
        }
    }
}

fn down(happened: &Happened) -> Option<Down> {
    match happened {
        Happened::Reset(_) => Some(Down::StartsOver),
        Happened::Exited(_) => Some(Down::Off),
        Happened::Heard(_) => None,
    }
}

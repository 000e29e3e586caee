//! The guest left to its user for a while: to log in to it, to try a command, to look around.

use super::guest::{GuestError, Happened, Waited};
use super::senses::Heard;
use super::{guest::Guest, recorder::Recorder};
use crate::vocabulary::{BootId, Hold, State, Unproven};

impl Guest<'_, '_> {
    /// Waits until the user has had enough of the guest, and goes on recording what it says. Gives the boot that the guest is in, where
    /// the user has rebooted it.
    ///
    /// Whatever follows may be the user's doing: nothing is proven by such a rehearsal.
    pub(super) async fn hold(
        &mut self,
        hold: Hold,
        ports: &[(u16, u16)],
    ) -> Waited<Option<BootId>> {
        let held = |(guest, host): &(u16, u16)| (*guest == hold.port).then_some(*host);
        let port = ports.iter().find_map(held);
        tainted(self.recorder(), hold.state)?;
        let mut released = self.recorder().progress().held(hold, port);
        let mut boot = None;
        loop {
            tokio::select! {
                _ = &mut released => return Ok(Ok(boot)),
                happened = self.pump() => match happened? {
                    Happened::Heard(Heard::Greeted(_, boot_id)) => boot = Some(boot_id),
                    Happened::Exited(how) => {
                        let reason = format!("the machine went off ({how}) while its user had it");
                        return Ok(Err(self.trouble(reason)));
                    }
                    Happened::Heard(_) | Happened::Reset(_) => {}
                },
            }
        }
    }
}

fn tainted(recorder: &mut Recorder, state: State) -> Result<(), GuestError> {
    recorder.unproven(Unproven {
        state: Some(state),
        subject: "hold".to_owned(),
        reason: "the guest was left to its user: what it did afterwards may be their doing"
            .to_owned(),
        decisive: true,
    })?;
    Ok(())
}

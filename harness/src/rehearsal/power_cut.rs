//! The power cut: QEMU is killed, the disk is rebuilt as several cuts would have left it, and each one must boot.

use super::guest::{Down, Guest, GuestTrouble, Waited};
use super::run::RunError;
use super::run_disk::{RunDisk, Writes};
use super::steps::{Progressed, Stepped, Steps};
use crate::image::Cut;
use crate::vocabulary::{Observation, Step};

impl Steps<'_> {
    /// Cuts the power, at rest or in a boot, and looks at what comes up from what had reached the disk. The rehearsal goes on with the
    /// disk of the last cut.
    pub(super) async fn cut_power(
        &self,
        step: Step,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        disk: &mut RunDisk,
    ) -> Stepped {
        let mut since = progressed.written;
        if step == Step::PowerCutInBoot {
            since = match self.begin_a_boot(guest, progressed, disk).await? {
                Ok(since) => since?,
                Err(trouble) => return Ok(Err(trouble)),
            };
        }
        guest.cut_power().await?;
        let cuts = disk.cuts(since)?;
        for (n, cut) in cuts.iter().enumerate() {
            let is_last = n + 1 == cuts.len();
            let writes = if is_last { Writes::Stay } else { Writes::Go };
            let came_up = self
                .boot_after(cut, writes, step, guest, progressed, disk)
                .await;
            progressed.occasion = None;
            if let Err(trouble) = came_up? {
                let reason = format!("{} ({})", trouble.reason, cut.name);
                return Ok(Err(GuestTrouble { reason, ..trouble }));
            }
            if !is_last {
                guest.cut_power().await?;
            }
        }
        Ok(Ok(()))
    }

    async fn boot_after(
        &self,
        cut: &Cut,
        writes: Writes,
        step: Step,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        disk: &mut RunDisk,
    ) -> Stepped {
        // What a throwaway machine writes is not in the log, so that the next cut is of the same power-on.
        rebuild(cut, guest, disk).await?;
        self.power_on_again(guest, disk, writes).await?;
        let state = self.state_after(step, progressed);
        self.continuity.ask(&self.plan.closure_in(state).http);
        if let Err(trouble) = self.comes_up(guest, progressed).await? {
            return Ok(Err(trouble));
        }
        progressed.occasion = Some(cut.name.clone());
        self.look(guest, progressed, disk, state, None).await
    }

    /// Reboots in order, and waits until the new boot is in its first seconds: its root shell is there before most units are. Gives how
    /// much was written before that boot.
    async fn begin_a_boot(
        &self,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        disk: &mut RunDisk,
    ) -> Waited<Result<usize, RunError>> {
        let mut down = match self.order_reboot(guest).await? {
            Ok(down) => down,
            Err(trouble) => return Ok(Err(trouble)),
        };
        if down == Down::StartsOver {
            let deadline = self.deadlines.power_off();
            let what = "the machine to start over";
            let Some(seen) = guest.wait_for_down(what, deadline).await? else {
                let seconds = deadline.as_secs();
                let reason = format!("the machine did not start over within {seconds} s");
                return Ok(Err(guest.trouble(reason)));
            };
            down = seen;
        }
        let since = match down {
            Down::StartsOver => disk.written(),
            Down::Off => {
                let again = self.power_on_again(guest, disk, Writes::Stay).await;
                again.map(|()| 0)
            }
        };
        let old = progressed.boot_id.take();
        let greeted = guest.wait_for_boot(old.as_ref(), self.deadlines).await?;
        Ok(greeted.map(|boot_id| {
            progressed.boot_id = Some(boot_id);
            since
        }))
    }
}

/// Makes the disk what the cut left of it, and says what that is.
pub(super) async fn rebuild(
    cut: &Cut,
    guest: &mut Guest<'_, '_>,
    disk: &mut RunDisk,
) -> Result<(), RunError> {
    let (kept, lost) = disk.lost(cut)?;
    guest.recorder().record(Observation::PowerCut {
        cut: cut.name.clone(),
        kept,
        lost,
    })?;
    guest
        .recorder()
        .working("rebuild the disk as the cut left it");
    disk.rebuild(cut).await
}

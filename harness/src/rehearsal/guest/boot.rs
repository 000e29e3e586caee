//! The wait for a boot: until its shell greets, or it shows that none will.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::super::deadlines::Deadlines;
use super::super::senses::Heard;
use super::{Guest, GuestTrouble, Happened, TroubleKind, Waited};
use crate::vocabulary::{BootId, Stage};

/// So many boots in a row that end in the same stage are a loop. A healthy one may reboot once, after a repair of its file system.
const BOOT_LOOP_RELAPSES: u32 = 3;
/// A guest that resets so often without a sign of life is in a loop. SeaBIOS makes up to three resets of one reboot.
const BOOT_LOOP_RESETS: u32 = 12;

impl Guest<'_, '_> {
    /// Waits until a shell greets from a boot that is not `old`, or the boot shows that none will.
    pub(in crate::rehearsal) async fn wait_for_boot(
        &mut self,
        old: Option<&BootId>,
        deadlines: Deadlines,
    ) -> Waited<BootId> {
        let deadline = deadlines.boot();
        self.recorder.waiting("the guest's root shell", deadline);
        let until = Instant::now() + deadline;
        loop {
            let pause = until.min(Instant::now() + deadlines.screen());
            match timeout_at(pause, self.pump()).await {
                Ok(happened) => match happened? {
                    Happened::Heard(Heard::Greeted(_, boot_id)) if Some(&boot_id) != old => {
                        return Ok(Ok(boot_id));
                    }
                    Happened::Exited(how) => {
                        return Ok(Err(self.trouble(format!("the machine went off ({how})"))));
                    }
                    Happened::Reset(_) => {
                        if let Some(trouble) = self.boot_loop() {
                            return Ok(Err(trouble));
                        }
                    }
                    Happened::Heard(_) => {}
                },
                Err(_) if Instant::now() >= until => return Ok(Err(self.no_shell(deadline))),
                Err(_) => {
                    if let Some(trouble) = self.read_screen(deadlines).await? {
                        return Ok(Err(trouble));
                    }
                }
            }
            if let Some(reason) = self.senses.dead_end() {
                return Ok(Err(self.trouble(reason.to_owned())));
            }
            if let Some(trouble) = self.stalled(deadlines) {
                return Ok(Err(trouble));
            }
        }
    }

    /// A guest that starts over again and again without a shell.
    fn boot_loop(&self) -> Option<GuestTrouble> {
        let relapses = self.senses.relapses();
        if relapses.count >= BOOT_LOOP_RELAPSES {
            let times = relapses.count;
            let trouble = self.trouble(format!(
                "boot loop: it resets again and again ({times} times)"
            ));
            return Some(GuestTrouble {
                stage: relapses.stage,
                last_line: relapses.last_line.clone(),
                ..trouble
            });
        }
        (self.senses.silent_resets() > BOOT_LOOP_RESETS)
            .then(|| self.trouble("boot loop".to_owned()))
    }

    /// A boot that stays in one stage for longer than any healthy one.
    fn stalled(&self, deadlines: Deadlines) -> Option<GuestTrouble> {
        let budget = deadlines.stage(self.senses.stage())?;
        let seconds = budget.as_secs();
        (self.senses.in_stage_for()? > budget)
            .then(|| self.trouble(format!("no progress within {seconds} s")))
    }

    /// A boot whose shell never greeted has failed, unless its console shows that it came up, or neither console nor shell
    /// ever showed anything at all: then it is our sight that failed.
    fn no_shell(&self, deadline: Duration) -> GuestTrouble {
        let seconds = deadline.as_secs();
        if self.senses.stage() >= Some(Stage::MultiUser) {
            let reason =
                format!("the guest came up, but its root shell did not greet within {seconds} s");
            return self.trouble(reason).of_kind(TroubleKind::Unseen);
        }
        if !self.senses.ever_perceived() {
            let reason =
                format!("neither the console nor a root shell showed anything within {seconds} s");
            return self.trouble(reason).of_kind(TroubleKind::Unseen);
        }
        self.trouble(format!("no root shell within {seconds} s"))
    }
}

//! The way back: the baseline is chosen in the bootloader's menu for one boot, as an operator does it whose new system does not serve.

use std::time::Duration;

use super::choose::BootRoute;
use super::foretell::menu;
use super::guest::{Guest, TroubleKind};
use super::steps::{Stepped, Steps};
use crate::next_boot::{self, Once};
use crate::vocabulary::Observation;

/// A file of a kilobyte, or a variable.
const CHOICE: Duration = Duration::from_secs(60);

impl Steps<'_> {
    /// Has the next boot, and only that, start the baseline. What the bootloader or its menu cannot do is told as not offered.
    pub(super) async fn choose_the_baseline(&self, guest: &mut Guest<'_, '_>) -> Stepped {
        let not_offered = |guest: &Guest<'_, '_>, reason: String| {
            Ok(Err(guest.trouble(reason).of_kind(TroubleKind::NotOffered)))
        };
        let Some(baseline) = &self.plan.baseline else {
            return not_offered(guest, "there is no baseline to go back to".to_owned());
        };
        if self.route != BootRoute::Bootloader {
            let reason = "QEMU itself starts the kernel, so that there is no menu to choose from";
            return not_offered(guest, reason.to_owned());
        }
        let toplevel = baseline.toplevel.as_str();
        let script = match menu(guest, self.deadlines).await? {
            Ok(frames) => match next_boot::once(&frames, toplevel) {
                Ok(Once::By(script)) => script,
                Ok(Once::NoEntry) => {
                    let reason = format!("no entry of the boot menu starts {toplevel}");
                    return not_offered(guest, reason);
                }
                Err(reason) => return not_offered(guest, reason),
            },
            Err(trouble) => return Ok(Err(trouble)),
        };
        let what = "choose the baseline for the next boot";
        let answer = match guest
            .run(what, &script, self.deadlines.scale(CHOICE))
            .await?
        {
            Ok(answer) => answer,
            Err(trouble) => return Ok(Err(trouble)),
        };
        // What was written is read again: it must choose what it was to choose.
        let chosen = match menu(guest, self.deadlines).await? {
            Ok(frames) => next_boot::read(&frames),
            Err(trouble) => return Ok(Err(trouble)),
        };
        match chosen {
            Ok(next) if answer.exit_code == 0 && next.toplevel.as_deref() == Some(toplevel) => {
                let text = format!(
                    "for the rollback the entry `{}` was chosen for one boot ({})",
                    next.entry, next.chosen_by
                );
                guest.recorder().record(Observation::Note { text })?;
                Ok(Ok(()))
            }
            _ => {
                let reason = format!(
                    "the bootloader cannot be had to start another entry once (exit code {})",
                    answer.exit_code
                );
                not_offered(guest, reason)
            }
        }
    }
}

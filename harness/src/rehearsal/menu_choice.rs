//! An entry of the bootloader's menu is chosen for one boot, as an operator chooses it who stands before the machine.

use std::time::Duration;

use super::choose::BootRoute;
use super::foretell::menu;
use super::guest::{Guest, TroubleKind, Waited};
use super::steps::Steps;
use crate::next_boot::{self, Once};
use crate::vocabulary::{Observation, StorePath};

/// A file of a kilobyte, or a variable.
const CHOICE: Duration = Duration::from_secs(60);

/// What came of a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    Made,
    /// The menu was read, and has no entry that starts the toplevel.
    NoEntry,
}

impl Steps<'_> {
    /// Has the next boot, and only that, start `toplevel`; `whom` it is for is told. What the bootloader or its menu cannot do is told as not
    /// offered.
    pub(super) async fn choose_once(
        &self,
        guest: &mut Guest<'_, '_>,
        whom: &str,
        toplevel: &StorePath,
    ) -> Waited<Choice> {
        let not_offered = |guest: &Guest<'_, '_>, reason: String| {
            Ok(Err(guest.trouble(reason).of_kind(TroubleKind::NotOffered)))
        };
        if self.route != BootRoute::Bootloader {
            let reason = "QEMU itself starts the kernel, so that there is no menu to choose from";
            return not_offered(guest, reason.to_owned());
        }
        let toplevel = toplevel.as_str();
        let script = match menu(guest, self.deadlines).await? {
            Ok(frames) => match next_boot::once(&frames, toplevel) {
                Ok(Once::By(script)) => script,
                // Where an entry is not understood, it may be the one.
                Ok(Once::NoEntry) if next_boot::offered(&frames).is_empty() => {
                    let reason = format!("no entry of the boot menu is known to start {toplevel}");
                    return not_offered(guest, reason);
                }
                Ok(Once::NoEntry) => return Ok(Ok(Choice::NoEntry)),
                Err(reason) => return not_offered(guest, reason),
            },
            Err(trouble) => return Ok(Err(trouble)),
        };
        let what = format!("choose the boot entry for {whom}");
        let deadline = self.deadlines.scale(CHOICE);
        let answer = match guest.run(&what, &script, deadline).await? {
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
                    "for {whom} the entry `{}` was chosen for one boot ({})",
                    next.entry, next.chosen_by
                );
                guest.recorder().record(Observation::Note { text })?;
                Ok(Ok(Choice::Made))
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

//! The way back: the baseline is chosen in the bootloader's menu for one boot, as an operator does it whose new system does not serve.

use super::guest::{Guest, TroubleKind};
use super::menu_choice::Choice;
use super::steps::{Stepped, Steps};

impl Steps<'_> {
    /// Has the next boot, and only that, start the baseline. What the bootloader or its menu cannot do is told as not offered.
    pub(super) async fn choose_the_baseline(&self, guest: &mut Guest<'_, '_>) -> Stepped {
        let not_offered = |guest: &Guest<'_, '_>, reason: String| {
            Ok(Err(guest.trouble(reason).of_kind(TroubleKind::NotOffered)))
        };
        let Some(baseline) = &self.plan.baseline else {
            return not_offered(guest, "there is no baseline to go back to".to_owned());
        };
        let toplevel = &baseline.toplevel;
        match self.choose_once(guest, "the rollback", toplevel).await? {
            Ok(Choice::Made) => Ok(Ok(())),
            Ok(Choice::NoEntry) => {
                let reason = format!("no entry of the boot menu starts {toplevel}");
                not_offered(guest, reason)
            }
            Err(trouble) => Ok(Err(trouble)),
        }
    }
}

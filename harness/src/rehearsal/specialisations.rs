//! The specialisations of the candidate: each is chosen in the bootloader's menu for one boot and looked at, one after another.
//!
//! A specialisation is what an operator starts in need. Each choice is for one boot, so that whatever reboots the machine afterwards starts
//! the candidate again.

use super::guest::{Guest, TroubleKind};
use super::menu_choice::Choice;
use super::run_disk::RunDisk;
use super::steps::{Progressed, Stepped, Steps};
use crate::vocabulary::{Observation, Specialisation, State};

impl Steps<'_> {
    /// Boots every one that the menu has; one that does not come up is the last.
    pub(super) async fn specialisations(
        &self,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        disk: &mut RunDisk,
    ) -> Stepped {
        let all = &self.plan.specialisations;
        // Those that could not be read are told by whoever did not find them among the looks.
        if all.is_empty() && self.plan.specialisations_left_out.is_empty() {
            let reason = "the candidate has no specialisations".to_owned();
            return Ok(Err(guest.trouble(reason).of_kind(TroubleKind::NotOffered)));
        }
        for specialisation in all {
            progressed.occasion = Some(specialisation.name.clone());
            let looked = self
                .boot_specialisation(specialisation, guest, progressed, disk)
                .await;
            progressed.occasion = None;
            if let Err(trouble) = looked? {
                return Ok(Err(trouble));
            }
        }
        Ok(Ok(()))
    }

    async fn boot_specialisation(
        &self,
        specialisation: &Specialisation,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        disk: &mut RunDisk,
    ) -> Stepped {
        let Specialisation { name, closure } = specialisation;
        let whom = format!("the specialisation `{name}`");
        let choice = match self.choose_once(guest, &whom, &closure.toplevel).await? {
            Ok(choice) => choice,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let in_menu = choice == Choice::Made;
        guest.recorder().record(Observation::Specialisation {
            name: name.clone(),
            in_menu,
        })?;
        if !in_menu {
            return Ok(Ok(()));
        }
        // By the bootloader, so that the same QEMU starts over.
        if let Err(trouble) = self.order_reboot(guest).await? {
            return Ok(Err(trouble));
        }
        self.continuity.ask(&closure.http);
        if let Err(trouble) = self.comes_up(guest, progressed).await? {
            return Ok(Err(trouble));
        }
        self.look(guest, progressed, disk, State::Specialised, None)
            .await
    }
}

//! The deploy in which the power is cut: made whole, under a power of its own, with a mark in the log of writes behind each part.

use std::time::Duration;

use super::deploy_parts::{self, CopiedBy, DeployPart};
use super::guest::{Guest, Waited};
use super::provision::link_foreign_devices;
use super::run::RunError;
use super::run_disk::RunDisk;
use super::steps::Steps;
use super::switch::set_profile;
use crate::image::Part;
use crate::vocabulary::{Observation, State, Step, Unproven};

/// A short question to the guest's shell.
const QUESTION: Duration = Duration::from_secs(60);

/// A part of the deploy that was gone through, and the firmware's variables after it, which no power cut takes back.
pub(super) struct Gone {
    pub(super) part: Part,
    pub(super) variables: Option<Vec<u8>>,
}

impl Steps<'_> {
    /// Goes through the parts of the deploy, as far as that goes: what ends it is for the switch itself to tell.
    pub(super) async fn deploy(
        &self,
        guest: &mut Guest<'_, '_>,
        disk: &RunDisk,
        parts: Vec<DeployPart>,
    ) -> Result<Vec<Gone>, RunError> {
        let mut gone: Vec<Gone> = Vec::new();
        for DeployPart {
            name,
            at,
            what,
            script,
            by_closure,
        } in parts
        {
            let ran = guest.run(what, &script, self.deadlines.switch()).await?;
            let end = disk.written()?;
            gone.push(Gone {
                part: Part { name, end, at },
                variables: self.variables()?,
            });
            let failed = match ran {
                Ok(answer) => {
                    let failed = (answer.exit_code != 0)
                        .then(|| format!("it ended with {}", answer.exit_code));
                    guest.recorder().record(Observation::CommandRan {
                        step: Step::PowerCutInSwitch,
                        command: what.to_owned(),
                        exit_code: answer.exit_code,
                        output: answer.output,
                    })?;
                    failed
                }
                Err(trouble) => Some(trouble.reason),
            };
            if let Some(reason) = failed {
                self.tell_end(guest, what, &reason, by_closure)?;
                break;
            }
        }
        Ok(gone)
    }

    /// The later parts were not cut: for the closure's fault, which the switch tells of, or for one of ours.
    fn tell_end(
        &self,
        guest: &mut Guest<'_, '_>,
        what: &str,
        reason: &str,
        by_closure: bool,
    ) -> Result<(), RunError> {
        let text = format!(
            "the deploy in which the power was cut went no further than to {what}: {reason}"
        );
        match by_closure {
            true => guest.recorder().record(Observation::Note { text })?,
            false => guest.recorder().unproven(not_cut(text))?,
        }
        Ok(())
    }

    /// Takes what only the candidate has out of the store; gives no part where that does not go, which leaves nothing to be cut.
    pub(super) async fn prepare_deploy(
        &self,
        guest: &mut Guest<'_, '_>,
    ) -> Waited<Vec<DeployPart>> {
        let closures = self.closures;
        let new: Vec<String> = closures
            .of_candidate
            .difference(&closures.of_installed)
            .cloned()
            .collect();
        let asked = guest.run("say whether it has Nix", deploy_parts::WHICH_COPY, QUESTION);
        let by = match asked.await? {
            Ok(answer) if answer.output.trim() == "nix" => CopiedBy::Nix,
            Ok(_) => CopiedBy::Tools,
            Err(trouble) => return Ok(Err(trouble)),
        };
        if !new.is_empty() {
            let script = deploy_parts::take_out(&new, by);
            let what = "take the candidate out of its store";
            let reason = match guest.run(what, &script, self.deadlines.switch()).await? {
                Ok(answer) if answer.exit_code == 0 => None,
                Ok(answer) => Some(answer.output.lines().last().unwrap_or("no word").to_owned()),
                Err(trouble) if trouble.machine_runs_on() => Some(trouble.reason),
                Err(gone) => return Ok(Err(gone)),
            };
            if let Some(reason) = reason {
                let reason = format!("the guest did not {what}, to have it copied anew: {reason}");
                guest.recorder().unproven(not_cut(reason))?;
                return Ok(Ok(Vec::new()));
            }
        }
        let toplevel = self.plan.candidate.toplevel.as_str();
        let links = link_foreign_devices(self.plan);
        let parts = deploy_parts::parts(toplevel, &new, by, &set_profile(toplevel), &links);
        Ok(Ok(parts))
    }
}

/// That the power could not be cut, or not everywhere.
fn not_cut(reason: String) -> Unproven {
    Unproven {
        state: Some(State::CutInSwitch),
        subject: Step::PowerCutInSwitch.as_str().to_owned(),
        reason,
        decisive: true,
    }
}

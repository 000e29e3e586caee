//! What the guest's bootloader will start next, read from its own files before it does.

use std::time::Duration;

use super::deadlines::Deadlines;
use super::guest::{Guest, Waited};
use crate::next_boot::{self, NextBoot};
use crate::shell::{Frames, asking, mark};
use crate::vocabulary::{Observation, Prediction, State};

/// For progress: "to …".
const WHAT: &str = "say which boot entries it has";

/// Some files of a few kilobytes, by a shell that is slow under TCG.
const READ: Duration = Duration::from_secs(60);

/// Asks the guest in `state`; `None` while a bootloader is installed on a fresh disk. A guest that does not answer is one of which
/// nothing is known.
pub(super) async fn foretell(
    guest: &mut Guest<'_, '_>,
    state: Option<State>,
    deadlines: Deadlines,
) -> Waited<Observation> {
    let prediction = match menu(guest, deadlines).await? {
        Ok(frames) => read(&frames),
        Err(trouble) if trouble.machine_runs_on() => Prediction::Unknown {
            reason: format!("the guest did not {WHAT}: {}", trouble.reason),
        },
        Err(gone) => return Ok(Err(gone)),
    };
    Ok(Ok(Observation::Predicted { state, prediction }))
}

/// What the guest says of its bootloader: an answer to [`next_boot::QUESTIONS`].
pub(super) async fn menu(guest: &mut Guest<'_, '_>, deadlines: Deadlines) -> Waited<Frames> {
    let mark = mark().map_err(super::guest::GuestError::Record)?;
    let script = asking(&mark, next_boot::QUESTIONS);
    let answer = match guest.run(WHAT, &script, deadlines.scale(READ)).await? {
        Ok(answer) => answer,
        Err(trouble) => return Ok(Err(trouble)),
    };
    Ok(framed(&answer.output, &mark).ok_or_else(|| {
        let reason = "its answer was cut off".to_owned();
        guest.trouble(reason).of_a_live_machine()
    }))
}

/// `None` for an answer without its end.
fn framed(answer: &str, mark: &str) -> Option<Frames> {
    let mut frames = Frames::default();
    frames.add(answer, mark).then_some(frames)
}

fn read(frames: &Frames) -> Prediction {
    match next_boot::read(frames) {
        Ok(next) => Prediction::of(next, next_boot::offered(frames)),
        Err(reason) => Prediction::Unknown { reason },
    }
}

impl Prediction {
    /// What a bootloader starts next, whose menu offers these toplevels.
    pub(super) fn of(next: NextBoot, offered: Vec<String>) -> Self {
        Self::Entry {
            loader: next.loader,
            entry: next.entry,
            chosen_by: next.chosen_by,
            toplevel: next.toplevel,
            fallback: next.fallback,
            offered,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPLEVEL: &str = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-nixos-system-web";

    /// Runs the questions as a guest does, on a directory that stands for its root.
    fn asked_of(files: &[(&str, String)]) -> Prediction {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let script = asking("m", next_boot::QUESTIONS);
        let output = std::process::Command::new("sh")
            .env("BOOTPROOF_ROOT", root.path())
            .args(["-c", &script])
            .output()
            .unwrap();
        let answer = String::from_utf8(output.stdout).unwrap();
        read(&framed(&answer, "m").unwrap())
    }

    #[test]
    fn the_default_entry_of_the_guests_menu_is_what_comes_next() {
        let menu = format!("menuentry \"NixOS\" {{\nlinux /k init={TOPLEVEL}/init quiet\n}}\n");
        let prediction = asked_of(&[("boot/grub/grub.cfg", menu)]);
        assert_eq!(prediction.toplevel(), Some(TOPLEVEL));
    }

    #[test]
    fn an_answer_without_an_end_proves_nothing() {
        assert!(framed("=m uid\n0\n", "m").is_none());
        assert!(matches!(asked_of(&[]), Prediction::Unknown { .. }));
    }
}

//! What the guest's bootloader will start next, read from its own files before it does.

use std::time::Duration;

use super::deadlines::Deadlines;
use super::guest::{Guest, Waited};
use crate::next_boot::{self, NextBoot};
use crate::shell::{Frames, asking, mark};
use crate::vocabulary::{Observation, Prediction, State};

/// Some files of a few kilobytes, by a shell that is slow under TCG.
const READ: Duration = Duration::from_secs(60);

/// Asks the guest in `state`; `None` while a bootloader is installed on a fresh disk. A guest that does not answer is one of which
/// nothing is known.
pub(super) async fn foretell(
    guest: &mut Guest<'_, '_>,
    state: Option<State>,
    deadlines: Deadlines,
) -> Waited<Observation> {
    let mark = mark().map_err(super::guest::GuestError::Record)?;
    let script = asking(&mark, next_boot::QUESTIONS);
    let what = "say which boot entry comes next";
    let prediction = match guest.run(what, &script, deadlines.scale(READ)).await? {
        Ok(answer) => read(&answer.output, &mark),
        Err(trouble) if trouble.machine_runs_on() => Prediction::Unknown {
            reason: format!("the guest did not {what}: {}", trouble.reason),
        },
        Err(gone) => return Ok(Err(gone)),
    };
    Ok(Ok(Observation::Predicted { state, prediction }))
}

fn read(answer: &str, mark: &str) -> Prediction {
    let mut frames = Frames::default();
    if !frames.add(answer, mark) {
        return Prediction::Unknown {
            reason: "the guest's answer was cut off".to_owned(),
        };
    }
    match next_boot::read(&frames) {
        Ok(next) => entry(next, next_boot::offered(&frames)),
        Err(reason) => Prediction::Unknown { reason },
    }
}

fn entry(next: NextBoot, offered: Vec<String>) -> Prediction {
    Prediction::Entry {
        loader: next.loader,
        entry: next.entry,
        chosen_by: next.chosen_by,
        toplevel: next.toplevel,
        fallback: next.fallback,
        offered,
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
        read(&String::from_utf8(output.stdout).unwrap(), "m")
    }

    #[test]
    fn the_default_entry_of_the_guests_menu_is_what_comes_next() {
        let menu = format!("menuentry \"NixOS\" {{\nlinux /k init={TOPLEVEL}/init quiet\n}}\n");
        let prediction = asked_of(&[("boot/grub/grub.cfg", menu)]);
        assert_eq!(prediction.toplevel(), Some(TOPLEVEL));
    }

    #[test]
    fn an_answer_without_an_end_proves_nothing() {
        assert!(matches!(
            read("=m uid\n0\n", "m"),
            Prediction::Unknown { .. }
        ));
        assert!(matches!(asked_of(&[]), Prediction::Unknown { .. }));
    }
}

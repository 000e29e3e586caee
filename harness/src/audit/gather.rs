//! Asks a machine in a few rounds: each needs what the one before it told.

use std::collections::BTreeSet;

use super::machine::Machine;
use super::{read, scripts, services};
use crate::fold::sanitise;
use crate::next_boot;
use crate::shell::{Frames, Output, ShellError};
use crate::vocabulary::StorePath;

/// A script, what it calls, and a wrapper around that.
const PROGRAM_ROUNDS: usize = 4;
/// Of more programs than any machine's services have, the first.
const MAX_PROGRAMS: usize = 5000;
/// An entry loads a kernel and an initrd or two.
const MAX_BOOT_FILES: usize = 8;

/// Why nothing can be said of a machine.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    #[error(transparent)]
    Shell(#[from] ShellError),
    #[error(
        "its shell gave no answer{0}: a login shell that prints or ends before `sh -s` runs gives none"
    )]
    NoAnswer(String),
    #[error("it is no NixOS machine: there is no /run/current-system")]
    NotNixos,
}

/// Asks through `shell`, which runs a script on the machine. `mark` is a word that no file of the machine holds.
///
/// # Errors
/// When the machine cannot be asked, or is none of NixOS's. What single questions leave open is in the [`Machine`].
pub fn gather(
    mark: &str,
    mut shell: impl FnMut(&str) -> Result<Output, ShellError>,
) -> Result<Machine, GatherError> {
    let mut frames = Frames::default();
    let mut cut = false;
    let mut ask = |script: &str, frames: &mut Frames| -> Result<Output, ShellError> {
        let output = shell(script)?;
        cut |= !frames.add(&output.stdout, mark);
        Ok(output)
    };
    let output = ask(&scripts::of_machine(mark), &mut frames)?;
    if frames.is_empty() {
        let said = sanitise::last_lines(&output.stderr, 1).pop();
        let said = said.map(|line| format!(" (`{line}`)")).unwrap_or_default();
        return Err(GatherError::NoAnswer(said));
    }
    if !read::is_nixos(&frames) {
        return Err(GatherError::NotNixos);
    }
    let next = next_boot::read(&frames);
    let links = read::links(&frames);
    let toplevel = match &next {
        Ok(next) => next.toplevel.clone(),
        Err(_) => links.profile.clone(),
    };
    let toplevel = toplevel.filter(|path| StorePath::parse(path).is_ok());
    let toplevels: BTreeSet<&str> = [&toplevel, &links.booted, &links.current]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .filter(|path| StorePath::parse(path).is_ok())
        .collect();
    let toplevels = Vec::from_iter(toplevels);
    let boot_files: Vec<String> = next
        .iter()
        .flat_map(|next| next.kernel.iter().chain(&next.initrds))
        .filter_map(|file| file.path.clone())
        .take(MAX_BOOT_FILES)
        .collect();
    let script = scripts::of_toplevels(mark, &toplevels, toplevel.as_deref(), &boot_files);
    ask(&script, &mut frames)?;
    let mut unasked_left = false;
    for round in 0..PROGRAM_ROUNDS {
        let found = toplevel
            .as_deref()
            .and_then(|toplevel| services::read(&frames, toplevel));
        let unasked = found.map(|(_, unasked)| unasked).unwrap_or_default();
        if unasked.is_empty() && round > 0 {
            break;
        }
        unasked_left = round + 1 == PROGRAM_ROUNDS || unasked.len() > MAX_PROGRAMS;
        let programs: Vec<String> = unasked.into_iter().take(MAX_PROGRAMS).collect();
        ask(
            &scripts::of_programs(mark, &programs, round == 0),
            &mut frames,
        )?;
    }
    let mut machine = read::machine(&frames, next, links, toplevel.as_deref());
    if cut {
        let reason = "one of the machine's answers was cut off".to_owned();
        machine.unreadable.push(("answer".to_owned(), reason));
    }
    if unasked_left {
        let reason = "scripts that start each other were not followed to their end".to_owned();
        machine.unreadable.push(("programs".to_owned(), reason));
    }
    Ok(machine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::testing::{efi_variable, outage, said};
    use crate::audit::{audit, human, markdown, metrics};
    use crate::inspect::human::Style;
    use crate::vocabulary::Verdict;

    const MARK: &str = "mark";

    fn tell(answer: &str) -> Option<Verdict> {
        let machine = gather(MARK, |_| Ok(said(answer))).ok()?;
        let audit = audit("root@web", &machine, None);
        let texts = [
            human::render(
                &audit,
                Style {
                    colour: true,
                    all: true,
                },
            ),
            markdown::render(&audit),
            metrics::render(&audit, 0),
            serde_json::to_string(&audit).unwrap(),
        ];
        let body = texts.iter().skip(1).all(|text| !text.contains('\u{1b}'));
        assert!(body && !texts[0].contains('\u{7}'), "{texts:#?}");
        Some(audit.verdict)
    }

    #[test]
    fn an_answer_that_ends_too_early_is_never_a_pass() {
        let healthy = crate::audit::testing::healthy().answer();
        assert_eq!(tell(&healthy), Some(Verdict::Pass));
        for end in (0..healthy.len() - 1).step_by(97) {
            assert_ne!(tell(&healthy[..end]), Some(Verdict::Pass), "{end}");
        }
    }

    #[test]
    fn damaged_answers_are_read_without_harm() {
        let mut recorded = outage();
        recorded
            .say("efi LoaderEntryDefault", efi_variable("x*"))
            .say(
                "entry /boot/loader/entries/x+1-2.conf",
                "linux /x\noptions init=/y",
            )
            .say("text /boot/grub/grubenv", "next_entry=1\n");
        let whole = recorded.answer().into_bytes();
        let mut state: usize = 1;
        let mut random = |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        for _ in 0..400 {
            let mut bytes = whole.clone();
            for _ in 0..=random(20) {
                let at = random(bytes.len());
                match random(4) {
                    0 => bytes[at] = u8::try_from(random(256)).unwrap(),
                    1 => drop(bytes.drain(at..(at + random(300)).min(bytes.len()))),
                    2 => bytes.splice(at..at, *b"\n=mark end 0\n").for_each(drop),
                    _ => bytes
                        .splice(at..at, *b"\x1b]0;x\x07\x1b[2J\n")
                        .for_each(drop),
                }
            }
            tell(&String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn a_machine_without_a_current_system_is_none_of_nixos() {
        let mut recorded = outage();
        recorded.end("link /run/current-system", "absent");
        let error = gather(MARK, |_| Ok(said(&recorded.answer()))).unwrap_err();
        assert!(matches!(error, GatherError::NotNixos), "{error}");
        let error = gather(MARK, |_| Ok(said("motd\n"))).unwrap_err();
        assert!(matches!(error, GatherError::NoAnswer(_)), "{error}");
    }
}

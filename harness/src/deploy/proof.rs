use super::HostState;
use crate::fold::sanitise;
use crate::next_boot::NextBoot;
use crate::vocabulary::{StorePath, Verdict};

/// What was found on the host after a deploy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub switch: Switch,
    /// Whether what the host's store has under the candidate's name is what was proven; `None` where it does not say.
    pub same_contents: Option<bool>,
    pub state: HostState,
    /// What its bootloader starts next, or why that is not known.
    pub next_boot: Result<NextBoot, String>,
}

/// How the switch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    Code(i32),
    /// Nobody knows: the connection was lost.
    Unknown,
    /// A foreign command did it, and ended with this.
    Foreign(i32),
    /// Nothing was switched.
    None,
}

/// Whether the host runs the candidate and will boot it, and a line on each thing that was looked at.
///
/// `fail` where something else than the candidate was found, or the switch failed; `unproven` where something could not be read.
pub fn judge(candidate: &StorePath, proof: &Proof) -> (Verdict, Vec<String>) {
    let links = [
        ("current-system", &proof.state.current),
        ("the system profile", &proof.state.profile),
    ];
    let mut found: Vec<(Verdict, String)> = Vec::new();
    match proof.switch {
        Switch::Code(0) | Switch::Foreign(0) | Switch::None => {}
        Switch::Foreign(code) => {
            found.push((Verdict::Fail, format!("the command ended with {code}")));
        }
        Switch::Code(code) => found.push((
            Verdict::Fail,
            format!("the switch ended with {code}{}", meaning(code)),
        )),
        Switch::Unknown => found.push((
            Verdict::Unproven,
            "how the switch ended is not known: the connection was lost".to_owned(),
        )),
    }
    match proof.same_contents {
        Some(true) => {}
        Some(false) => found.push((
            Verdict::Fail,
            "what its store has under the candidate's name is not what was proven".to_owned(),
        )),
        None => found.push((
            Verdict::Unproven,
            "what its store has of the candidate is not known".to_owned(),
        )),
    }
    for (name, path) in links {
        found.push(link(name, path.as_ref(), candidate));
    }
    found.push(next_boot(&proof.next_boot, candidate));
    let verdicts = || found.iter().map(|(verdict, _)| *verdict);
    let verdict = match () {
        () if verdicts().any(|v| v == Verdict::Fail) => Verdict::Fail,
        () if verdicts().any(|v| v == Verdict::Unproven) => Verdict::Unproven,
        () => Verdict::Pass,
    };
    (
        verdict,
        found
            .into_iter()
            .map(|(_, line)| sanitise::line(&line))
            .collect(),
    )
}

fn link(name: &str, found: Option<&StorePath>, candidate: &StorePath) -> (Verdict, String) {
    match found {
        Some(path) if path == candidate => (Verdict::Pass, format!("{name} is the candidate")),
        Some(path) => (
            Verdict::Fail,
            format!("{name} is {path}, and not the candidate"),
        ),
        None => (
            Verdict::Unproven,
            format!("{name} is not known: it is no link to a store path"),
        ),
    }
}

fn next_boot(next: &Result<NextBoot, String>, candidate: &StorePath) -> (Verdict, String) {
    let unknown = |reason: &str| {
        (
            Verdict::Unproven,
            format!("the next boot is not known: {reason}"),
        )
    };
    match next {
        Err(reason) => unknown(reason),
        Ok(next) => match &next.toplevel {
            Some(path) if path == candidate.as_str() => (
                Verdict::Pass,
                "the next boot starts the candidate".to_owned(),
            ),
            Some(path) => (
                Verdict::Fail,
                format!(
                    "the next boot starts {path}, by {}, and not the candidate",
                    next.chosen_by
                ),
            ),
            None => unknown(&format!(
                "the entry `{}` of {} names no toplevel",
                next.entry, next.loader
            )),
        },
    }
}

/// What `switch-to-configuration` means by a code.
fn meaning(code: i32) -> &'static str {
    match code {
        4 => ": units failed to start, stop or reload; the system is activated",
        100 => ": the new init is of another kind, and it takes a reboot to get there",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> StorePath {
        StorePath::parse(&format!("/nix/store/{}-{name}", "0".repeat(32))).unwrap()
    }

    fn starts(name: &str) -> NextBoot {
        NextBoot {
            loader: "GRUB".to_owned(),
            entry: "NixOS".to_owned(),
            chosen_by: "default of /boot/grub/grub.cfg".to_owned(),
            on_purpose: false,
            toplevel: Some(path(name).to_string()),
            kernel: None,
            initrds: Vec::new(),
            fallback: None,
        }
    }

    fn judged(change: impl FnOnce(&mut Proof)) -> (Verdict, String) {
        let mut proof = Proof {
            switch: Switch::Code(0),
            same_contents: Some(true),
            state: HostState {
                root: true,
                current: Some(path("new")),
                booted: Some(path("old")),
                profile: Some(path("new")),
            },
            next_boot: Ok(starts("new")),
        };
        change(&mut proof);
        let (verdict, lines) = judge(&path("new"), &proof);
        (verdict, lines.join("\n"))
    }

    #[test]
    fn a_host_that_runs_and_boots_the_candidate_is_proven() {
        assert_eq!(judged(|_| {}).0, Verdict::Pass);
        for switch in [Switch::None, Switch::Foreign(0)] {
            assert_eq!(judged(|proof| proof.switch = switch).0, Verdict::Pass);
        }
    }

    #[test]
    fn something_else_in_any_place_fails() {
        type Change = fn(&mut Proof);
        let changes: [(Change, &str); 6] = [
            (|p| p.same_contents = Some(false), "is not what was proven"),
            (
                |p| p.switch = Switch::Foreign(1),
                "the command ended with 1",
            ),
            (
                |p| p.switch = Switch::Code(4),
                "the switch ended with 4: units failed",
            ),
            (
                |p| p.state.current = Some(path("old")),
                "current-system is /nix/store",
            ),
            (
                |p| p.state.profile = Some(path("old")),
                "the system profile is /nix/store",
            ),
            (
                |p| p.next_boot = Ok(starts("old")),
                "-old, by default of /boot/grub/grub.cfg, and not",
            ),
        ];
        for (change, words) in changes {
            let (verdict, told) = judged(change);
            assert_eq!(verdict, Verdict::Fail, "{told}");
            assert!(told.contains(words), "{told}");
        }
    }

    #[test]
    fn what_could_not_be_read_is_unproven_and_hides_no_failure() {
        let unknown = || Err("it \x1b[31mis dark".to_owned());
        let silent = judged(|proof| proof.same_contents = None);
        assert_eq!(silent.0, Verdict::Unproven);
        let lost = judged(|proof| proof.switch = Switch::Unknown);
        assert_eq!(lost.0, Verdict::Unproven);
        let (verdict, told) = judged(|proof| proof.next_boot = unknown());
        assert_eq!(verdict, Verdict::Unproven);
        assert!(
            told.contains("the next boot is not known: it is dark"),
            "{told}"
        );
        let (verdict, told) = judged(|proof| {
            let memtest = NextBoot {
                toplevel: None,
                ..starts("new")
            };
            proof.next_boot = Ok(memtest);
        });
        assert_eq!(verdict, Verdict::Unproven);
        assert!(
            told.contains("the entry `NixOS` of GRUB names no toplevel"),
            "{told}"
        );
        assert_eq!(
            judged(|proof| proof.state.profile = None).0,
            Verdict::Unproven
        );
        let (verdict, _) = judged(|proof| {
            proof.next_boot = unknown();
            proof.state.current = Some(path("old"));
        });
        assert_eq!(verdict, Verdict::Fail);
    }
}

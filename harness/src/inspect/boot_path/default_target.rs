//! systemd starts `default.target`, and what that asks for; without one it falls back to `rescue.target` (systemd.special(7)).
//!
//! NixOS links it beside its units (`systemd.defaultUnit`). One that is a link to nothing is told among the references.

use super::{error, warning};
use crate::inspect::rules::{Outcome, Subject};

const NAME: &str = "default.target";
/// Parameters that name another unit, or a command in place of one (kernel-command-line(7), systemd-run-generator(8)).
const OTHER_UNIT: &[&str] = &["systemd.unit=", "systemd.run=", "systemd.run "];
/// Parameters that stand for units.
const RUN_LEVELS: &[&str] = &[
    "emergency",
    "-b",
    "rescue",
    "single",
    "s",
    "S",
    "1",
    "2",
    "3",
    "4",
    "5",
];
const NEXT: &str = "give `systemd.defaultUnit` a unit of this system, and build the toplevel again";

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let survey = subject.survey;
    let unread = |what: &str| survey.unreadable.iter().any(|(s, _)| s == what);
    if survey.units.contains_key(NAME)
        || survey.units_of_systemd.contains(NAME)
        || survey.units.is_empty()
        || unread(NAME)
        || unread("systemd units")
        || subject.facts.kernel_params.iter().any(|p| is_of_another(p))
    {
        return;
    }
    let text = "there is no default.target, or it is masked";
    if falls_back(subject) {
        let text = format!("{text}: systemd starts graphical.target in its place");
        warning(outcome, NAME, text);
    } else {
        let text = format!("{text}: the boot ends in rescue mode, without the system's services");
        error(outcome, NAME, text, NEXT);
    }
}

fn is_of_another(param: &str) -> bool {
    RUN_LEVELS.contains(&param) || OTHER_UNIT.iter().any(|start| param.starts_with(start))
}

/// Newer systemd has a fallback compiled in (`fallback-default-target`, `graphical.target` unless it was built otherwise), which asks for
/// `multi-user.target` and so for the system's services.
fn falls_back(subject: &Subject) -> bool {
    const LAST_WITHOUT: u32 = 257;
    let known = subject.survey.systemd.as_deref().and_then(version);
    let may = known.is_none_or(|version| version > LAST_WITHOUT);
    may && subject.survey.units.contains_key("graphical.target")
}

/// 256 of `/nix/store/…-systemd-256.8`.
fn version(path: &str) -> Option<u32> {
    let (_, version) = path.split_once("-systemd-")?;
    version
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::{NAME, version};
    use crate::closure::testing::FakeClosure;
    use crate::inspect::testing::{ids, inspected, server};
    use crate::vocabulary::Verdict;

    const ID: &str = "inspected/boot-path/default.target";
    const PLACE: &str = "etc/systemd/system/default.target";

    fn without() -> FakeClosure {
        let fake = server();
        fake.remove(PLACE);
        fake
    }

    #[test]
    fn a_system_without_it_or_with_a_masked_one_does_not_boot() {
        let fake = without();
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), [ID]);
        assert_eq!(inspection.verdict, Verdict::Fail);
        assert!(inspection.headline.contains("rescue mode"));
        fake.link("toplevel", PLACE, "/dev/null");
        assert_eq!(ids(&inspected(&fake)), [ID]);
    }

    #[test]
    fn one_that_newer_systemd_replaces_is_a_warning() {
        let fake = without();
        fake.file("etc/systemd/system/graphical.target", "[Unit]\n");
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), [ID]);
        assert_eq!(inspection.verdict, Verdict::Pass);
        assert_eq!(version("/nix/store/x-systemd-256.8"), Some(256));
        assert_eq!(version("/nix/store/x-userland"), None);
    }

    #[test]
    fn one_of_systemds_own_or_of_the_parameters_is_silent() {
        let fake = without();
        let of_systemd = format!("systemd/lib/systemd/system/{NAME}");
        fake.file(&of_systemd, "[Unit]\n");
        assert_eq!(ids(&inspected(&fake)), [""; 0]);
        let fake = without();
        fake.file(
            "kernel-params",
            "console=ttyS0 systemd.unit=multi-user.target",
        );
        assert_eq!(ids(&inspected(&fake)), [""; 0]);
    }

    #[test]
    fn a_link_to_a_target_is_silent_and_one_to_nothing_is_told_once() {
        assert_eq!(ids(&inspected(&server())), [""; 0]);
        let fake = without();
        fake.link("toplevel", PLACE, "gone.target");
        assert_eq!(
            ids(&inspected(&fake)),
            ["inspected/reference/default.target"]
        );
    }
}

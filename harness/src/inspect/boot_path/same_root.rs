//! The root that the candidate mounts is the one that the machine runs from: there is the store that a deploy writes to.

use super::root_device::{Difference, between};
use super::{error, unread, warning};
use crate::inspect::rules::{Outcome, Subject};
use crate::vocabulary::ClosureFacts;

const NEXT: &str = "set `fileSystems.\"/\"` to the disk that the machine runs from; where it is to move to another one, install the system there first";

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let Some(baseline) = subject.baseline.map(|baseline| baseline.facts) else {
        return;
    };
    let is_unread =
        unread(subject, "fstab") || baseline.unreadable.iter().any(|(s, _)| s == "fstab");
    let (Some(now), Some(next)) = (root_of(baseline), root_of(subject.facts)) else {
        return;
    };
    // Of two names of one sort a file system has one.
    if is_unread || between(now, next) != Difference::Certain {
        return;
    }
    let summary =
        format!("the candidate mounts {next} as its root, and the machine runs from {now}");
    let has_own_store = |facts: &ClosureFacts| {
        let mut points = facts.file_systems.iter().map(|fs| fs.mount_point.as_str());
        points.any(|point| point == "/nix" || point == "/nix/store")
    };
    // Any root that mounts the same store can start what is deployed to it.
    match has_own_store(baseline) && has_own_store(subject.facts) {
        true => warning(outcome, "root", summary),
        false => error(outcome, "root", summary, NEXT),
    }
}

/// What stage 1 mounts, or what the fstab says where that is not known; `None` where the command line tells.
fn root_of(facts: &ClosureFacts) -> Option<&str> {
    let mut params = facts.kernel_params.iter();
    let told = |param: &String| {
        param
            .strip_prefix("root=")
            .is_some_and(|root| root != "fstab")
    };
    if params.any(told) {
        return None;
    }
    let root = facts.file_systems.iter().find(|fs| fs.mount_point == "/");
    let in_fstab = root.map(|fs| fs.device.as_str());
    facts.stage_1_root.as_deref().or(in_fstab)
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::FakeClosure;
    use crate::inspect::testing::{ids, inspected, inspected_with_baseline, server};
    use crate::inspect::{Inspection, Options};
    use crate::vocabulary::Verdict;

    fn with(fstab: &str) -> FakeClosure {
        let fake = server();
        fake.file("etc/fstab", fstab);
        fake
    }

    fn of(before: &str, after: &str) -> Inspection {
        inspected_with_baseline(&with(after), &with(before), &Options::default())
    }

    const NIXOS: &str = "/dev/disk/by-label/nixos / ext4 defaults 0 1\n";

    #[test]
    fn another_root_has_not_the_store_that_is_deployed_to() {
        let inspection = of(NIXOS, "LABEL=server / ext4 defaults 0 1\n");
        assert_eq!(ids(&inspection), ["inspected/boot-path/root"]);
        assert_eq!(inspection.verdict, Verdict::Fail);
    }

    #[test]
    fn another_root_with_the_same_store_is_a_warning() {
        let store = "LABEL=nix /nix ext4 defaults 0 1\n";
        let inspection = of(
            &format!("{NIXOS}{store}"),
            &format!("LABEL=server / ext4 defaults 0 1\n{store}"),
        );
        assert_eq!(ids(&inspection), ["inspected/boot-path/root"]);
        assert_eq!(inspection.verdict, Verdict::Pass);
    }

    #[test]
    fn one_root_by_whatever_name_and_a_first_deploy_are_silent() {
        assert_eq!(ids(&of(NIXOS, NIXOS)), [""; 0]);
        assert_eq!(
            ids(&of(NIXOS, "LABEL=nixos / ext4 defaults 0 1\n")),
            [""; 0]
        );
        assert_eq!(ids(&of(NIXOS, "/dev/vda1 / ext4 defaults 0 1\n")), [""; 0]);
        assert_eq!(
            ids(&inspected(&with("LABEL=server / ext4 defaults 0 1\n"))),
            [""; 0]
        );
    }
}

//! Users and groups that a unit runs as.

use std::collections::BTreeSet;

use super::unit_finding::tell;
use crate::closure::{Accounts, Unit, View};
use crate::inspect::rules::{Outcome, Subject};
use crate::vocabulary::{Check, Finding, State};

/// Accounts that are told of one unit.
const TOLD: usize = 5;

/// A warning: where accounts are mutable, the machine may have one that people added.
pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let Some(accounts) = &subject.survey.accounts else {
        return;
    };
    let survey = subject.survey;
    let made: BTreeSet<&str> = survey
        .units
        .iter()
        .filter(|(_, unit)| is_dynamic(unit))
        .flat_map(|(name, unit)| {
            let stem = name.split(['.', '@']).next();
            let named = ["User", "Group"].map(|key| unit.setting("Service", key));
            stem.into_iter().chain(named.into_iter().flatten())
        })
        .collect();
    for (name, unit) in &survey.units {
        if !unit.at_boot || unit.view == View::OwnRoot || unit.commands.is_empty() {
            continue;
        }
        let mut unknown = unknown(accounts, unit);
        unknown.retain(|(_, account)| !made.contains(account));
        let Some((key, account)) = unknown.first() else {
            continue;
        };
        let result = if *key == "User" {
            "217/USER"
        } else {
            "216/GROUP"
        };
        let summary = format!(
            "would die with {result}: its {key} {account} is none that the closure declares, and nothing else of it is seen to make one"
        );
        let mut finding =
            Finding::new(Check::Executability, State::Inspected, name, summary).as_warning();
        for (key, account) in unknown.iter().take(TOLD) {
            finding = finding.with_evidence(format!("{key}="), *account);
        }
        tell(outcome, finding, "");
    }
}

/// The settings that name an account which is not there, and the account.
fn unknown<'a>(accounts: &Accounts, unit: &'a Unit) -> Vec<(&'static str, &'a str)> {
    // It makes its own.
    let dynamic = is_dynamic(unit);
    let user = unit.setting("Service", "User").filter(|_| !dynamic);
    let group = unit.setting("Service", "Group").filter(|_| !dynamic);
    let groups = group
        .map(|group| ("Group", group))
        .into_iter()
        .chain(supplementary(unit).map(|group| ("SupplementaryGroups", group)))
        .filter(|(_, group)| !accounts.has_group(group));
    user.map(|user| ("User", user))
        .into_iter()
        .filter(|(_, user)| !accounts.has_user(user))
        .chain(groups)
        // Only the machine knows what a specifier stands for.
        .filter(|(_, account)| !account.contains('%'))
        .collect()
}

fn supplementary(unit: &Unit) -> impl Iterator<Item = &str> {
    let mut groups = Vec::new();
    for line in unit.assignments.lines() {
        match line.strip_prefix("[Service] SupplementaryGroups=") {
            Some("") => groups.clear(),
            Some(named) => groups.extend(named.split_whitespace()),
            None => {}
        }
    }
    groups.into_iter()
}

fn is_dynamic(unit: &Unit) -> bool {
    let value = unit.setting("Service", "DynamicUser").unwrap_or_default();
    ["1", "yes", "y", "true", "t", "on"].contains(&value.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::FakeClosure;
    use crate::inspect::testing::{ids, inspected, server, unit};
    use crate::vocabulary::Verdict;

    fn with(settings: &str) -> FakeClosure {
        let fake = server();
        let shell = fake.path_of("bash", "bin/bash");
        let list = r#"{"users":[{"name":"app"}],"groups":[{"name":"web"}]}"#;
        let list = fake.store_file("users-groups.json", "", list);
        let script = format!("#!{shell}\necho users {list}\n");
        fake.program("toplevel", "activate", script);
        let text = format!("[Service]\nExecStart=/run/x\n{settings}");
        unit(&fake, "a.service", &text);
        fake
    }

    #[test]
    fn an_account_that_nothing_makes_is_a_warning() {
        for settings in [
            "User=apps\n",
            "User=app\nGroup=app\n",
            "SupplementaryGroups=web video\n",
        ] {
            let inspection = inspected(&with(settings));
            assert_eq!(
                ids(&inspection),
                ["inspected/executability/a.service"],
                "{settings}"
            );
            assert_eq!(inspection.verdict, Verdict::Pass);
        }
    }

    #[test]
    fn an_account_that_is_there_or_may_be_is_silent() {
        for settings in [
            "User=app\nGroup=web\nSupplementaryGroups=video\nSupplementaryGroups=\n",
            "User=root\nGroup=0\n",
            "User=nobody\nGroup=nogroup\n",
            "User=other\nDynamicUser=yes\n",
            "User=%i\n",
            "User=other\nRootImage=/x.raw\n",
            "User=other\nUser=\n",
        ] {
            assert_eq!(ids(&inspected(&with(settings))), [""; 0], "{settings}");
        }
        let fake = with("SupplementaryGroups=b\n");
        unit(
            &fake,
            "b.service",
            "[Service]\nExecStart=/run/x\nDynamicUser=yes\n",
        );
        fake.file(
            "etc/systemd/system/idle.service",
            "[Service]\nExecStart=/run/x\nUser=other\n",
        );
        assert_eq!(ids(&inspected(&fake)), [""; 0]);
    }
}

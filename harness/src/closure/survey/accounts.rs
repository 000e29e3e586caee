use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::unit_set::Unit;
use crate::closure::files::ClosureFiles;
use crate::closure::mentions;

/// The users and groups that the closure makes at its boot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts {
    pub users: BTreeSet<String>,
    pub groups: BTreeSet<String>,
    /// What makes them, in which a name may occur that they take from elsewhere.
    activation: String,
}

/// systemd knows these by itself (`nss-systemd`).
const SYNTHETIC: &[&str] = &["root", "nobody", "nogroup"];
/// Those of nsswitch.conf(5) that give no account which files of the closure do not.
const LOCAL: &[&str] = &["files", "systemd", "mymachines"];
const SYSUSERS: &str = "/etc/sysusers.d";
const SYSUSERS_OF_SYSTEMD: &str = "systemd/lib/sysusers.d";
const MAX_FILES: usize = 500;
/// More than any machine has.
const MAX_ACCOUNTS: usize = 200_000;
/// Units that are there where accounts come from records of people's homes.
const RECORDS: &[&str] = &["systemd-homed.service", "systemd-userdbd.service"];

impl Accounts {
    pub fn has_user(&self, name: &str) -> bool {
        self.users.contains(name) || self.may_have(name)
    }

    pub fn has_group(&self, name: &str) -> bool {
        self.groups.contains(name) || self.may_have(name)
    }

    fn may_have(&self, name: &str) -> bool {
        let is_id = name.bytes().all(|byte| byte.is_ascii_digit());
        is_id || SYNTHETIC.contains(&name) || self.activation.contains(name)
    }
}

/// What NixOS's `update-users-groups.pl`, userborn or systemd-sysusers make, or activation copies; `None` where no such list could be read, or
/// where accounts come from a directory service too.
pub(super) fn read(files: &ClosureFiles, units: &BTreeMap<String, Unit>) -> Option<Accounts> {
    if units.keys().any(|name| RECORDS.contains(&name.as_str()))
        || files.is_there("/etc/userdb")
        || !is_local(&files.text("/etc/nsswitch.conf").unwrap_or_default())
    {
        return None;
    }
    let activation = files.text(&files.in_toplevel("activate")).ok()?;
    let mut accounts = Accounts::default();
    let mut is_listed = declared(files, &activation, units, &mut accounts);
    is_listed |= account_files(files, "/etc", &mut accounts);
    let named = mentions::in_bytes(activation.as_bytes()).map(|mention| mention.path);
    let named: BTreeSet<String> = named.collect();
    for directory in named.iter().take(MAX_FILES) {
        is_listed |= account_files(files, directory, &mut accounts);
        if accounts.users.len() + accounts.groups.len() > MAX_ACCOUNTS {
            return None;
        }
    }
    is_listed |= sysusers(files, &mut accounts);
    accounts.activation = activation;
    is_listed.then_some(accounts)
}

/// Whether users and groups come from files alone.
fn is_local(nsswitch: &str) -> bool {
    nsswitch
        .lines()
        .filter_map(|line| line.split('#').next()?.split_once(':'))
        .filter(|(database, _)| ["passwd", "group", "initgroups"].contains(&database.trim()))
        .flat_map(|(_, services)| services.split_whitespace())
        .all(|service| service.starts_with('[') || LOCAL.contains(&service))
}

/// What is read of NixOS's `users-groups.json` and `userborn.json`.
#[derive(Deserialize)]
struct List {
    users: Vec<Account>,
    groups: Vec<Account>,
}

#[derive(Deserialize)]
struct Account {
    name: String,
}

/// The lists that activation and userborn's unit are given.
fn declared(
    files: &ClosureFiles,
    activation: &str,
    units: &BTreeMap<String, Unit>,
    accounts: &mut Accounts,
) -> bool {
    let texts = units.values().map(|unit| unit.assignments.as_str());
    let lists: BTreeSet<String> = texts
        .chain([activation])
        .flat_map(|text| mentions::in_bytes(text.as_bytes()))
        .map(|mention| mention.path)
        .filter(|path| path.ends_with("users-groups.json") || path.ends_with("userborn.json"))
        .collect();
    let mut is_listed = false;
    for list in lists.into_iter().take(MAX_FILES) {
        let text = files.text(&list).unwrap_or_default();
        let Ok(list) = serde_json::from_str::<List>(&text) else {
            continue;
        };
        is_listed |= !list.users.is_empty();
        accounts
            .users
            .extend(list.users.into_iter().map(|a| a.name));
        accounts
            .groups
            .extend(list.groups.into_iter().map(|a| a.name));
    }
    is_listed
}

/// passwd(5) and group(5) in a directory.
fn account_files(files: &ClosureFiles, directory: &str, accounts: &mut Accounts) -> bool {
    let names = |file: &str| -> Option<BTreeSet<String>> {
        let text = files.text(&format!("{directory}/{file}")).ok()?;
        let name = |line: &str| Some(line.split_once(':')?.0.to_owned());
        Some(text.lines().filter_map(name).collect())
    };
    let (Some(users), Some(groups)) = (names("passwd"), names("group")) else {
        return false;
    };
    accounts.users.extend(users);
    accounts.groups.extend(groups);
    true
}

/// sysusers.d(5); the list is NixOS's own where it has NixOS's file.
fn sysusers(files: &ClosureFiles, accounts: &mut Accounts) -> bool {
    let list = |directory: &str| -> Vec<String> {
        let names = files.list(directory).unwrap_or_default();
        names
            .iter()
            .map(|name| format!("{directory}/{name}"))
            .collect()
    };
    let own = list(SYSUSERS);
    let of_systemd = list(&files.in_toplevel(SYSUSERS_OF_SYSTEMD));
    for path in own.iter().chain(&of_systemd).take(MAX_FILES) {
        let text = files.text(path);
        for line in text.unwrap_or_default().lines() {
            let mut words = line.split_whitespace();
            let (Some(kind), Some(name)) = (words.next(), words.next()) else {
                continue;
            };
            match kind.chars().next() {
                // A user has a group of its name, unless it has another.
                Some('u') => {
                    accounts.users.insert(name.to_owned());
                    accounts.groups.insert(name.to_owned());
                }
                Some('g') => drop(accounts.groups.insert(name.to_owned())),
                Some('m') => {
                    accounts.users.insert(name.to_owned());
                    accounts.groups.extend(words.next().map(str::to_owned));
                }
                _ => {}
            }
        }
    }
    own.iter().any(|path| path.ends_with("/00-nixos.conf"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::survey;
    use crate::closure::testing::FakeClosure;

    const LIST: &str =
        r#"{"mutableUsers":true,"users":[{"name":"app","uid":1}],"groups":[{"name":"web"}]}"#;

    fn accounts(fake: &FakeClosure) -> Option<Accounts> {
        survey(&fake.closure()).accounts
    }

    #[test]
    fn accounts_are_those_that_activation_userborn_or_sysusers_make() {
        let by_script = FakeClosure::new();
        let list = by_script.store_file("users-groups.json", "", LIST);
        by_script.file("activate", format!("perl -w update.pl {list}\n"));

        let by_userborn = FakeClosure::new();
        let list = by_userborn.store_file("userborn.json", "", LIST);
        by_userborn.file("activate", "");
        let unit = format!("[Service]\nExecStart=/run/userborn {list} /etc\n");
        by_userborn.file("etc/systemd/system/userborn.service", unit);

        let by_sysusers = FakeClosure::new();
        by_sysusers.file("activate", "");
        let text = "# Users\nu app 1:web \"\" /var/empty\ng web -\n";
        by_sysusers.file("etc/sysusers.d/00-nixos.conf", text);

        let by_copy = FakeClosure::new();
        by_copy.store_file("accounts", "passwd", "app:x:1:1::/:/bin/sh\n");
        by_copy.store_file("accounts", "group", "web:x:1:\n");
        let directory = by_copy.path_of("accounts", "$name");
        by_copy.file("activate", format!("cp {directory} /etc\n"));

        for fake in [by_script, by_userborn, by_sysusers, by_copy] {
            let accounts = accounts(&fake).unwrap();
            assert!(accounts.has_user("app") && accounts.has_group("web"));
            assert!(accounts.has_user("root") && accounts.has_user("61"));
            assert!(!accounts.has_user("apps") && !accounts.has_group("webs"));
        }
    }

    #[test]
    fn where_accounts_may_come_from_elsewhere_there_is_no_list() {
        let with = |nsswitch: &str| {
            let fake = FakeClosure::new();
            let list = fake.store_file("users-groups.json", "", LIST);
            fake.file("activate", format!("perl -w update.pl {list}\n"));
            fake.file("etc/nsswitch.conf", nsswitch);
            fake
        };
        let local = "passwd: files [success=merge] systemd # ldap\nhosts: dns\n";
        assert!(accounts(&with(local)).is_some());
        assert!(accounts(&with("passwd: files sss\n")).is_none());
        let homes = with("");
        homes.file("etc/systemd/system/systemd-homed.service", "[Service]\n");
        assert!(accounts(&homes).is_none());
        assert!(accounts(&FakeClosure::new()).is_none());
        let broken = with("");
        broken.store_file("users-groups.json", "", "{\"users\": 3}");
        assert!(accounts(&broken).is_none());
    }
}

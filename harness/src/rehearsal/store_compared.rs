//! Has the guest say what its store has, and records in what that differs from the host's.

use std::time::Duration;

use super::deadlines::Deadlines;
use super::guest::{Guest, Waited};
use super::run::Closures;
use super::store_files::{self, StoreFiles};
use crate::vocabulary::{DamagedPath, Observation, STORE_DIR, State, Unproven};

/// More damaged paths than anybody reads the names of.
const NAMED: usize = 32;
/// Reading two NixOS closures of 700 MB under TCG.
const READ: Duration = Duration::from_secs(180);
const VALIDITY: Duration = Duration::from_secs(60);

impl StoreFiles {
    /// Has the guest say what it has, and records in what that differs. A guest that does not say it proves nothing.
    pub(super) async fn compare(
        &self,
        guest: &mut Guest<'_, '_>,
        closures: &Closures,
        state: State,
        deadlines: Deadlines,
    ) -> Waited<()> {
        let what = "read its store";
        let question = self.question();
        let unread = match guest.run(what, &question, deadlines.scale(READ)).await? {
            Ok(answer) => {
                let has = store_files::read(&answer.output);
                if answer.truncated || has.is_empty() {
                    "its list is not whole".to_owned()
                } else {
                    let told = self.damaged(&has, closures);
                    return self.record(guest, state, told, deadlines).await;
                }
            }
            Err(trouble) if trouble.machine_runs_on() => trouble.reason,
            Err(gone) => return Ok(Err(gone)),
        };
        guest.recorder().unproven(Unproven {
            state: Some(state),
            subject: "store".to_owned(),
            reason: format!("the guest did not {what}: {unread}"),
            decisive: true,
        })?;
        Ok(Ok(()))
    }

    async fn record(
        &self,
        guest: &mut Guest<'_, '_>,
        state: State,
        mut damaged: Vec<DamagedPath>,
        deadlines: Deadlines,
    ) -> Waited<()> {
        let more = damaged.len().saturating_sub(NAMED) as u64;
        damaged.truncate(NAMED);
        if !damaged.is_empty() {
            let what = "say which store paths are valid";
            let script = validity_question(&damaged);
            match guest.run(what, &script, deadlines.scale(VALIDITY)).await? {
                Ok(answer) if answer.exit_code == 0 => {
                    tell_validity(&answer.output, &mut damaged);
                }
                Ok(_) => {}
                Err(trouble) if trouble.machine_runs_on() => {}
                Err(gone) => return Ok(Err(gone)),
            }
        }
        guest.recorder().record(Observation::StoreCompared {
            state,
            compared: self.count(),
            damaged,
            more,
        })?;
        Ok(Ok(()))
    }
}

/// Prints those that the guest's own Nix does not call valid, and ends with 0, where there is a Nix.
fn validity_question(damaged: &[DamagedPath]) -> String {
    let paths: Vec<String> = damaged
        .iter()
        .map(|damaged| format!("{STORE_DIR}/{}", damaged.path))
        .collect();
    format!(
        "nix=/run/booted-system/sw/bin/nix-store
[ -x $nix ] || exit 3
NIX_REMOTE= $nix --check-validity --print-invalid {} 2>/dev/null",
        paths.join(" ")
    )
}

fn tell_validity(output: &str, damaged: &mut [DamagedPath]) {
    let prefix = format!("{STORE_DIR}/");
    let invalid: Vec<&str> = output
        .lines()
        .filter_map(|line| line.strip_prefix(&prefix))
        .collect();
    for path in damaged {
        path.valid = Some(!invalid.contains(&path.path.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nix_says_what_it_calls_valid() {
        let path = |name: &str| DamagedPath {
            path: name.to_owned(),
            of_baseline: false,
            of_candidate: true,
            files: 1,
            first: String::new(),
            valid: None,
        };
        let mut damaged = [path("0-a"), path("0-b")];
        assert!(validity_question(&damaged).contains("/nix/store/0-a /nix/store/0-b"));
        tell_validity("noise\n/nix/store/0-b\n", &mut damaged);
        assert_eq!(damaged.map(|d| d.valid), [Some(true), Some(false)]);
    }
}

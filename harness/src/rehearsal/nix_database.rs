//! The guest's Nix knows the paths that are on its disk, as that of the real machine does: garbage collection, `nix-env --set` and a deploy tool's
//! `nix-copy-closure` would otherwise find a store full of strangers.

use super::deadlines::Deadlines;
use super::guest::{Guest, Waited};
use crate::image::RootFile;
use crate::vocabulary::{ClosureFacts, Observation};

/// Beside the store, as images of nixpkgs have it at `/nix-path-registration`.
const PLACE: &str = "/nix/.bootproof-registration";

/// The file that the guest reads.
pub(super) fn file(registration: &str) -> Option<RootFile> {
    (!registration.is_empty()).then(|| RootFile::Regular {
        path: PLACE.to_owned(),
        content: registration.to_owned(),
    })
}

/// Has the guest's own Nix read it, where the closure has one; a Nix that cannot is told and does not end the rehearsal.
pub(super) async fn load(
    guest: &mut Guest<'_, '_>,
    installed: &ClosureFacts,
    deadlines: Deadlines,
) -> Waited<Option<Observation>> {
    let what = "fill its Nix database";
    let script = script(installed.toplevel.as_str());
    let answer = match guest.run(what, &script, deadlines.install()).await? {
        Ok(answer) => answer,
        Err(trouble) => return Ok(Err(trouble)),
    };
    let failed = answer.exit_code != 0;
    Ok(Ok(failed.then(|| Observation::Note {
        text: format!(
            "the guest's Nix does not know the paths of its store: `nix-store --load-db` said {}",
            answer.output.lines().last().unwrap_or("nothing")
        ),
    })))
}

fn script(toplevel: &str) -> String {
    format!(
        "status=0
if [ -e {PLACE} ] && [ -x {toplevel}/sw/bin/nix-store ]; then
  NIX_REMOTE= {toplevel}/sw/bin/nix-store --load-db < {PLACE} || status=$?
fi
rm -f {PLACE}
(exit $status)"
    )
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    /// Runs the script in a directory, with a `nix-store` that is the given shell script.
    fn run(nix_store: Option<&str>) -> (Option<i32>, Option<String>, bool) {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let place = root.join("registration");
        fs::write(&place, "records").unwrap();
        fs::create_dir_all(root.join("sw/bin")).unwrap();
        if let Some(text) = nix_store {
            let program = root.join("sw/bin/nix-store");
            let loaded = root.join("loaded");
            let text = format!("#!/bin/sh\ncat > {}\n{text}\n", loaded.display());
            // A file that this process writes cannot be executed as long as a child of another test holds its descriptor.
            let write = ["-c", "printf %s \"$1\" >\"$2\" && chmod 755 \"$2\"", "sh"];
            let mut writer = Command::new("sh");
            let written = writer.args(write).arg(text).arg(program).status();
            assert!(written.unwrap().success());
        }
        let script = script(root.to_str().unwrap()).replace(PLACE, place.to_str().unwrap());
        let status = Command::new("sh").arg("-c").arg(script).status().unwrap();
        let loaded = fs::read_to_string(root.join("loaded")).ok();
        (status.code(), loaded, place.exists())
    }

    #[test]
    fn the_closures_own_nix_reads_the_records_once() {
        let records = Some("records".to_owned());
        assert_eq!(run(Some("exit 0")), (Some(0), records.clone(), false));
        assert_eq!(run(Some("exit 3")), (Some(3), records, false));
    }

    #[test]
    fn a_system_without_nix_is_left_as_it_is() {
        assert_eq!(run(None), (Some(0), None, false));
        assert_eq!(file(""), None);
    }
}

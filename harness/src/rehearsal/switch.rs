//! The switch to the candidate in the running guest.

use std::time::Duration;

use super::choose::BootRoute;
use super::guest::Guest;
use super::provision::link_foreign_devices;
use super::run_disk::RunDisk;
use super::steps::{Progressed, Stepped, Steps};
use crate::fold;
use crate::vocabulary::{Observation, State, Step};

impl Steps<'_> {
    /// As `nixos-rebuild switch` does it: the profile first, then the candidate's own `switch-to-configuration`.
    pub(super) async fn switch(
        &self,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        disk: &RunDisk,
    ) -> Stepped {
        let since = match guest
            .run("tell its time", "date +%s", Duration::from_secs(60))
            .await?
        {
            Ok(answer) => answer.output.trim().parse().ok(),
            Err(trouble) => return Ok(Err(trouble)),
        };
        let toplevel = &self.plan.candidate.toplevel;
        // Without a bootloader that can be installed, all of the switch but the bootloader.
        let action = match self.route {
            BootRoute::Bootloader => "switch",
            BootRoute::Direct { .. } => "test",
        };
        let command = format!("{toplevel}/bin/switch-to-configuration {action}");
        let script = format!(
            "{}{}{command}",
            link_foreign_devices(self.plan),
            set_profile(toplevel.as_str())
        );
        let answer = match guest
            .run("switch to the candidate", &script, self.deadlines.switch())
            .await?
        {
            Ok(answer) => answer,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let refused = fold::refused_by_own_checks(answer.exit_code, &answer.output);
        guest.recorder().record(Observation::CommandRan {
            step: Step::Switch,
            command,
            exit_code: answer.exit_code,
            output: answer.output,
        })?;
        if refused
            && self.route == BootRoute::Bootloader
            && let Err(trouble) = self.make_boot_default(guest).await?
        {
            return Ok(Err(trouble));
        }
        progressed.switched = true;
        self.look(guest, progressed, disk, State::Switched, since)
            .await
    }

    /// What NixOS advises where the candidate refuses to be switched to live: `boot` and a reboot, so that the reboot still
    /// shows the candidate.
    async fn make_boot_default(&self, guest: &mut Guest<'_, '_>) -> Stepped {
        let toplevel = &self.plan.candidate.toplevel;
        let command = format!("{toplevel}/bin/switch-to-configuration boot");
        let script = format!("{}{command}", link_foreign_devices(self.plan));
        let what = "make the candidate the boot default";
        let answer = match guest.run(what, &script, self.deadlines.install()).await? {
            Ok(answer) => answer,
            Err(trouble) => return Ok(Err(trouble)),
        };
        guest.recorder().record(Observation::Note {
            text: "the candidate refuses to be switched to live: `switch-to-configuration boot` was run for the reboot"
                .to_owned(),
        })?;
        guest.recorder().record(Observation::CommandRan {
            step: Step::Switch,
            command,
            exit_code: answer.exit_code,
            output: answer.output,
        })?;
        Ok(Ok(()))
    }
}

/// What `nix-env --profile /nix/var/nix/profiles/system --set` leaves: a new generation, and the profile link on it.
pub(super) fn set_profile(toplevel: &str) -> String {
    format!(
        "cd /nix/var/nix/profiles || exit 90
if [ \"$(readlink -f system)\" != {toplevel} ]; then
  n=1; while [ -e system-$n-link ] || [ -L system-$n-link ]; do n=$((n+1)); done
  ln -s {toplevel} system-$n-link && ln -s system-$n-link .system-new && mv -T .system-new system || exit 90
fi
cd /
"
    )
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_profile_gets_a_new_generation_and_only_one() {
        let directory = tempfile::tempdir().unwrap();
        let profiles = directory.path();
        let [old, new] = ["old", "new"].map(|name| {
            let path = profiles.join(name);
            fs::create_dir(&path).unwrap();
            fs::canonicalize(path).unwrap()
        });
        symlink(&old, profiles.join("system-1-link")).unwrap();
        symlink("system-1-link", profiles.join("system")).unwrap();
        let script = set_profile(new.to_str().unwrap())
            .replace("/nix/var/nix/profiles", profiles.to_str().unwrap());
        for _ in 0..2 {
            let status = std::process::Command::new("sh")
                .arg("-ec")
                .arg(&script)
                .status()
                .unwrap();
            assert!(status.success());
        }
        assert_eq!(fs::canonicalize(profiles.join("system")).unwrap(), new);
        assert_eq!(
            fs::read_link(profiles.join("system")).unwrap().to_str(),
            Some("system-2-link")
        );
        assert!(!profiles.join("system-3-link").exists());
    }
}

//! A deploy that was let through: from here on only store paths count, and no link is followed again.

use super::foreign;
use super::remote::Remote;
use crate::cli::args::DeployArgs;
use crate::cli::{Exit, Failure, chain, tell};
use crate::deploy::{Activation, HostState, Proof, Switch, judge, with_toplevel};
use crate::fold::sanitise;
use crate::vocabulary::{ClosureIdentity, StorePath, Verdict};

/// One deploy.
pub(super) struct Deploy<'a> {
    pub(super) remote: Remote,
    /// The host's name in the configuration.
    pub(super) name: &'a str,
    /// What was proven.
    pub(super) identity: ClosureIdentity,
    /// What the host ran when it was first asked.
    pub(super) current: StorePath,
    pub(super) args: &'a DeployArgs,
}

impl Deploy<'_> {
    /// What would be done, for people.
    pub(super) fn intentions(&self, state: &HostState) -> Result<String, Failure> {
        let toplevel = &self.identity.toplevel;
        let mut text = match self.command()? {
            Some(command) => format!("would run {}\n", sanitise::line(&command.join(" "))),
            None => format!(
                "would copy what {} lacks of {} store paths to {}\nwould compare the hashes that its store has of them\n\
                 would set /nix/var/nix/profiles/system to {toplevel}\nwould run {toplevel}/bin/switch-to-configuration switch\n",
                self.name, self.identity.paths, self.remote.destination
            ),
        };
        text.push_str(
            "would prove that current-system, the system profile and the next boot are it\n",
        );
        if state.booted != state.current {
            text.push_str("note: the host was not rebooted since its last switch\n");
        }
        Ok(text)
    }

    /// Deploys, and proves what came of it.
    pub(super) fn carry_out(&self) -> Result<Exit, Failure> {
        match self.command()? {
            Some(command) => self.by_foreign_command(&command),
            None => self.by_ourselves(),
        }
    }

    /// The foreign command, with the store path in its place.
    fn command(&self) -> Result<Option<Vec<String>>, Failure> {
        if self.args.command.is_empty() {
            return Ok(None);
        }
        Ok(Some(with_toplevel(
            &self.args.command,
            self.identity.toplevel.as_str(),
        )?))
    }

    fn by_foreign_command(&self, command: &[String]) -> Result<Exit, Failure> {
        let now = self.remote.look()?.current;
        if now.as_ref() != Some(&self.current) {
            let now = now.map_or_else(|| "something else".to_owned(), |path| path.to_string());
            tell(&format!(
                "fail: the command was not run: {} was switched by somebody else meanwhile, and runs {now}\n",
                self.name
            ));
            return Ok(Exit::Fail);
        }
        let code = foreign::run(command, self.args.verbosity)?;
        self.prove(Switch::Foreign(code))
    }

    /// Copies, compares, activates and proves.
    fn by_ourselves(&self) -> Result<Exit, Failure> {
        let (name, toplevel) = (self.name, &self.identity.toplevel);
        let mut there = self.remote.identity(toplevel)?;
        if there.is_none() {
            self.copy()?;
            there = self.remote.identity(toplevel)?;
        }
        let there = there.ok_or_else(|| {
            format!(
                "{toplevel} was copied to {}, and is not whole there: nothing was activated",
                self.remote.destination
            )
        })?;
        if there != self.identity {
            self.args.verbosity.tell_verdict(&format!(
                "fail: what {name} has under the candidate's name is not what was proven: nothing was activated\n  \
                 proven     {}\n  there      {}\n  next       find out who built it there\n",
                described(&self.identity),
                described(&there)
            ));
            return Ok(Exit::Fail);
        }
        if self.args.verify
            && let Some(damage) = self.remote.damage(toplevel)?
        {
            tell(&format!(
                "fail: files of the candidate on {name} are not what its store recorded: nothing was activated: {damage}\n"
            ));
            return Ok(Exit::Fail);
        }
        let verbosity = self.args.verbosity;
        verbosity.tell(&format!("activating {toplevel}\n"));
        match self.remote.activate(toplevel, &self.current)? {
            Activation::Not(why) => {
                let why = sanitise::line(&why.to_string());
                tell(&format!("fail: {name} was not switched: {why}\n"));
                Ok(Exit::Fail)
            }
            Activation::Switched(code) => self.prove(Switch::Code(code)),
            Activation::Lost => {
                verbosity.tell(
                    "the connection was lost during the switch, which goes on: asking what came of it\n",
                );
                self.prove(Switch::Unknown)
            }
        }
    }

    fn copy(&self) -> Result<(), Failure> {
        let toplevel = &self.identity.toplevel;
        let source = &self.args.source;
        if source.closure.is_some() {
            return Err(format!(
                "{} has not all of {toplevel}, and a closure directory is no store that Nix copies from: copy it there first",
                self.name
            )
            .into());
        }
        self.args.verbosity.tell(&format!(
            "copying {toplevel} to {}\n",
            self.remote.destination
        ));
        self.remote
            .copy(&source.store, toplevel, self.args.use_substitutes)
    }

    /// Says whether the host runs the candidate and will boot it.
    pub(super) fn prove(&self, switch: Switch) -> Result<Exit, Failure> {
        let (name, toplevel) = (self.name, &self.identity.toplevel);
        let read = self.remote.prove(switch == Switch::Unknown);
        let read = read.and_then(|read| Ok((read, self.remote.identity(toplevel)?)));
        let ((state, next_boot), there) = match read {
            Ok(read) => read,
            Err(error) => {
                tell(&format!(
                    "unproven: {name} does not say what came of the deploy of {toplevel}: {}\n",
                    sanitise::line(&chain(&*error))
                ));
                return Ok(Exit::Unproven);
            }
        };
        let proof = Proof {
            switch,
            same_contents: there.map(|there| there == self.identity),
            state,
            next_boot,
        };
        let (verdict, lines) = judge(toplevel, &proof);
        let headline = match verdict {
            Verdict::Pass => format!("pass: {name} runs {toplevel}, and will boot it"),
            Verdict::Fail => {
                format!("fail: {name} is not as it must be after the deploy of {toplevel}")
            }
            Verdict::Unproven => {
                format!("unproven: not all of {name} could be read after the deploy of {toplevel}")
            }
        };
        let verbosity = self.args.verbosity;
        verbosity.tell_verdict(&format!("{headline}\n  {}\n", lines.join("\n  ")));
        if let (Verdict::Fail, Switch::Code(_)) = (verdict, switch) {
            let old = &self.current;
            verbosity.tell(&format!(
                "  next: read the journal there; to go back, on {name}: nix-env -p /nix/var/nix/profiles/system --set {old} && \
                 {old}/bin/switch-to-configuration switch\n"
            ));
        }
        Ok(Exit::from(verdict))
    }
}

/// A closure by its hashes, for people.
fn described(identity: &ClosureIdentity) -> String {
    format!(
        "{} store paths, closure {:.16}…, toplevel {}",
        identity.paths, identity.closure_hash, identity.nar_hash
    )
}

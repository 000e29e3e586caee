//! A host that is deployed to: what is asked of it, copied to it and done on it.

use std::path::Path;

use crate::cli::Failure;
use crate::cli::args::Verbosity;
use crate::cli::nix_copy::{self, Way};
use crate::closure::{ClosureError, identify_by_record};
use crate::deploy::{Activation, Answers, HostState, is_answer, script};
use crate::fold::sanitise;
use crate::next_boot::{self, NextBoot};
use crate::shell::{self, Destination, Frames, ShellError};
use crate::vocabulary::{ClosureIdentity, StorePath};

/// Before each line that a switch prints.
const SHOWN: &str = "  | ";

/// A host, by what ssh calls it.
pub(super) struct Remote {
    pub(super) destination: Destination,
    /// Whether what a switch prints is shown.
    pub(super) verbosity: Verbosity,
}

impl Remote {
    /// Who we are there and what it runs.
    pub(super) fn look(&self) -> Result<HostState, Failure> {
        let state = HostState::read(&self.ask(&script::look())?);
        match state.root {
            true => Ok(state),
            false => Err(format!(
                "{} lets us in as somebody else than root, who alone may set the system profile: write root@HOST",
                self.destination
            )
            .into()),
        }
    }

    /// What the host's store has of a closure; `None` where it has not all of it.
    pub(super) fn identity(
        &self,
        toplevel: &StorePath,
    ) -> Result<Option<ClosureIdentity>, Failure> {
        let Some(record) = self.ask(&script::record(toplevel))?.text("record") else {
            return Ok(None);
        };
        match identify_by_record(toplevel, &record) {
            Ok(identity) => Ok(Some(identity)),
            Err(ClosureError::NoHash(_)) => Ok(None),
            Err(error) => Err(format!(
                "{}: what its store says of {toplevel} makes no sense: {error}",
                self.destination
            )
            .into()),
        }
    }

    /// What is wrong with the files of a closure; `None` where they are what the host's store recorded.
    pub(super) fn damage(&self, toplevel: &StorePath) -> Result<Option<String>, Failure> {
        let output = shell::run(&self.destination, &script::verify(toplevel)).map_err(fit)?;
        let answers = self.whole(&output)?;
        let complaints = output.stdout.lines().filter(|line| !is_answer(line));
        let complaints: Vec<&str> = complaints.collect();
        let last = sanitise::last_lines(&complaints.join("\n"), 3).join("; ");
        Ok(answers.value("whole").is_none().then_some(last))
    }

    /// Copies a closure out of a store, as nixos-rebuild does: what is there already is left out, and `NIX_SSHOPTS` counts.
    pub(super) fn copy(
        &self,
        store: &Path,
        toplevel: &StorePath,
        substitute: bool,
    ) -> Result<(), Failure> {
        let Destination::Ssh(host) = &self.destination else {
            return Ok(());
        };
        let options: &[&str] = if substitute {
            &["--use-substitutes"]
        } else {
            &[]
        };
        let mut command = nix_copy::command(store, Way::To, host, options);
        let status = command.arg(toplevel.as_str()).status();
        let status = status.map_err(|error| nix_copy::not_started(&error))?;
        match status.success() {
            true => Ok(()),
            false => Err(format!(
                "nix-copy-closure could not copy {toplevel} to {} ({status}): nothing was activated",
                self.destination
            )
            .into()),
        }
    }

    /// Activates, if the host still runs `baseline`, and shows what the switch prints.
    pub(super) fn activate(
        &self,
        toplevel: &StorePath,
        baseline: &StorePath,
    ) -> Result<Activation, Failure> {
        let script = script::activate(toplevel, baseline);
        let answers = match shell::run_live(&self.destination, &script, |line| self.show(line)) {
            Ok(output) => {
                self.show_complaints(&output.stderr);
                Answers::parse(&output.stdout).ok()
            }
            // A switch may restart sshd or the network: it goes on without us.
            Err(ShellError::Unreachable { .. } | ShellError::Broken { .. }) => None,
            Err(error) => return Err(fit(error)),
        };
        Ok(Activation::read(answers.as_ref()))
    }

    /// What it runs and what it will boot. After a lost connection, the end of the switch is waited for.
    pub(super) fn prove(
        &self,
        after_lost_connection: bool,
    ) -> Result<(HostState, Result<NextBoot, String>), Failure> {
        let script = script::prove(after_lost_connection);
        let output = match after_lost_connection {
            true => shell::run_live(&self.destination, &script, |line| self.show(line)),
            false => shell::run(&self.destination, &script),
        }
        .map_err(fit)?;
        let answers = self.whole(&output)?;
        Ok((HostState::read(&answers), self.next_boot()?))
    }

    fn next_boot(&self) -> Result<Result<NextBoot, String>, Failure> {
        let mark = shell::mark()?;
        let questions = shell::asking(&mark, next_boot::QUESTIONS);
        let output = shell::run(&self.destination, &questions).map_err(fit)?;
        let mut frames = Frames::default();
        Ok(match frames.add(&output.stdout, &mark) {
            true => next_boot::read(&frames),
            false => Err("what it says of its bootloader is cut short".to_owned()),
        })
    }

    fn show(&self, line: &str) {
        let shown = sanitise::line(line);
        if !is_answer(line) && !shown.is_empty() {
            self.verbosity.tell(&format!("{SHOWN}{shown}\n"));
        }
    }

    fn show_complaints(&self, stderr: &str) {
        for line in sanitise::last_lines(stderr, 20) {
            self.verbosity.tell(&format!("{SHOWN}{line}\n"));
        }
    }

    fn ask(&self, script: &str) -> Result<Answers, Failure> {
        let output = shell::run(&self.destination, script).map_err(fit)?;
        self.whole(&output)
    }

    fn whole(&self, output: &shell::Output) -> Result<Answers, Failure> {
        Answers::parse(&output.stdout).map_err(|error| {
            let complaints = sanitise::last_lines(&output.stderr, 3).join("; ");
            format!("{}: {error} ({complaints})", self.destination).into()
        })
    }
}

/// An error fit for a terminal: what ssh complains of may be the host's words.
fn fit(error: ShellError) -> Failure {
    sanitise::line(&error.to_string()).into()
}

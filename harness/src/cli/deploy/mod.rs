//! `bootproof deploy`: what was proven, and nothing else, is copied, activated, and proven to be there.

mod carry_out;
mod foreign;
mod remote;

use jiff::Timestamp;

use super::answer::{Answer, answer, human};
use super::args::{DeployArgs, InputArgs};
use super::candidate::{Candidate, candidate};
use super::configuration::Chosen;
use super::provided::{Provided, Wanted};
use super::{Exit, Failure, overrides, receipts, tell};
use crate::closure;
use crate::deploy::{Override, Switch, proposed, with_toplevel};
use crate::fold::sanitise;
use crate::gate::{Asked, Found, decide};
use crate::shell::Destination;
use crate::vocabulary::{ClosureIdentity, StorePath};
use carry_out::Deploy;
use remote::Remote;

/// Reads the host, asks the gate, copies, activates, and proves what came of it.
pub(super) fn run(args: &DeployArgs) -> Result<Exit, Failure> {
    let chosen = args.host.read()?;
    let name = host_name(&chosen)?;
    let reason = reason(args)?;
    if reason.is_none() {
        chosen.require_trusted_keys()?;
    }
    if !args.command.is_empty() {
        // Told before anything is built or asked.
        with_toplevel(&args.command, "")?;
    }
    let remote = Remote {
        destination: destination(args, &chosen, name)?,
        verbosity: args.verbosity,
    };
    let provided = Provided::get(&Wanted {
        candidate: args.candidate.as_deref(),
        baseline: None,
        build: &args.build,
        input: &InputArgs::default(),
        source: &args.source,
        host: Some(name),
        cache_directory: None,
        with_baseline: false,
    })?;
    let named = match provided.is_named() {
        true => Some(candidate(&provided, &args.build)?),
        false => None,
    };
    let state = remote.look()?;
    let current = state.current.clone().ok_or_else(|| {
        format!(
            "{}: /run/current-system leads to no store path, so that nothing can have been rehearsed upon it: is it NixOS?",
            remote.destination
        )
    })?;
    let found = receipts::read_all(&chosen.receipts)?;
    let Candidate {
        closure,
        difference,
    } = match named {
        Some(candidate) => candidate,
        None => newest(args, &chosen, name, &current, &found)?,
    };
    let deploy = Deploy {
        remote,
        name,
        identity: closure::identify(&closure)?,
        current,
        args,
    };
    let toplevel = &deploy.identity.toplevel;
    if deploy.current == *toplevel {
        args.verbosity.tell(&format!(
            "{name} runs the candidate already: nothing is to be done\n"
        ));
        overrides::tell_of(&chosen.receipts, Some(name), toplevel);
        return deploy.prove(Switch::None);
    }
    overrides::tell_of(&chosen.receipts, Some(name), &deploy.current);
    let mut answer = ask(&deploy.identity, &deploy.current, args, &chosen, &found);
    if let Some(difference) = difference {
        answer.shut(&difference);
    }
    // Where the gate is open, the verdict is yet to come.
    if !(answer.open && args.verbosity.quiet) {
        tell(&human(&answer, args.verbosity));
    }
    match reason {
        _ if answer.open => {}
        None => return Ok(Exit::Fail),
        Some(reason) => deploy.override_by(reason, &answer, &chosen)?,
    }
    if args.dry_run {
        tell(&deploy.intentions(&state)?);
        return Ok(Exit::Pass);
    }
    deploy.carry_out()
}

fn host_name(chosen: &Chosen) -> Result<&str, Failure> {
    let name = chosen.host.name.as_deref();
    name.ok_or_else(|| "which host? Name one of bootproof.toml with --host".into())
}

/// Why a deploy is to be made without a receipt.
fn reason(args: &DeployArgs) -> Result<Option<&str>, Failure> {
    match args.override_reason.as_deref().map(str::trim) {
        Some("") => Err("--override: say why; whoever asks the gate next is told".into()),
        reason => Ok(reason),
    }
}

fn destination(args: &DeployArgs, chosen: &Chosen, name: &str) -> Result<Destination, Failure> {
    let told = args.to.as_ref().or(chosen.host.settings.ssh.as_ref());
    let told = told.ok_or_else(|| {
        format!(
            "where is {name}? Write `ssh = \"root@…\"` into [hosts.{name}] of {}, or name it with --to",
            args.host.config.display()
        )
    })?;
    Ok(told.parse::<Destination>()?)
}

/// What was proven last upon what the host runs.
fn newest(
    args: &DeployArgs,
    chosen: &Chosen,
    name: &str,
    current: &StorePath,
    found: &[Found],
) -> Result<Candidate, Failure> {
    let trusted = &chosen.configuration.trusted_keys;
    let Some(newest) = proposed(found, trusted, name, current) else {
        return Err(format!(
            "no receipt in {} says `pass` of a candidate for {name} upon {current}, which it runs: name the CANDIDATE to hear why, or \
             make a receipt: bootproof test --toplevel CANDIDATE --baseline {current} --host {name} --key SECRET-KEY-FILE",
            chosen.receipts.display()
        )
        .into());
    };
    args.verbosity
        .tell(&format!("the newest receipt for {name} is of {newest}\n"));
    Ok(Candidate {
        closure: closure::resolve(&args.source.source(), newest.as_str())?,
        difference: None,
    })
}

/// What the gate says.
fn ask(
    candidate: &ClosureIdentity,
    current: &StorePath,
    args: &DeployArgs,
    chosen: &Chosen,
    found: &[Found],
) -> Answer {
    let asked = Asked::of_host(
        candidate,
        Some(current),
        &chosen.host,
        &chosen.configuration.trusted_keys,
        Timestamp::now(),
    );
    let decision = decide(&asked, found);
    answer(&asked, &decision, &chosen.receipts, &args.source)
}

impl Deploy<'_> {
    /// Says aloud that nothing was proven, and records it before anything is done.
    fn override_by(&self, reason: &str, answer: &Answer, chosen: &Chosen) -> Result<(), Failure> {
        let record = Override {
            made_at: Timestamp::now(),
            by: overrides::who(),
            host: self.name.to_owned(),
            candidate: self.identity.toplevel.clone(),
            current: self.current.clone(),
            reason: reason.to_owned(),
            refused: answer.refusal(),
        };
        let recorded = match self.args.dry_run {
            true => "it would be recorded in the directory of the receipts".to_owned(),
            false => {
                let place = overrides::write(&chosen.receipts, &record)?;
                format!("recorded in {}", place.display())
            }
        };
        tell(&format!(
            "\nOVERRIDE: {} is deployed to {} although the gate refuses it.\n\
             OVERRIDE: nobody has proven that it works, or that {} comes back from a reboot.\n\
             OVERRIDE: by {}: {}\n\
             OVERRIDE: {recorded}; every gate for {} tells it until something else runs there.\n\n",
            record.candidate,
            self.name,
            self.name,
            sanitise::line(&record.by),
            sanitise::line(reason),
            self.name
        ));
        Ok(())
    }
}

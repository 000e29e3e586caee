//! `bootproof deploy`: what was proven, and nothing else, is copied, activated, and proven to be there.

mod remote;

use jiff::Timestamp;

use super::answer::{answer, human};
use super::args::DeployArgs;
use super::configuration::Chosen;
use super::{Exit, Failure, receipts, tell};
use crate::closure::{self, Closure};
use crate::deploy::{Activation, HostState, Proof, Switch, judge, proposed};
use crate::gate::{Asked, Found, decide};
use crate::shell::Destination;
use crate::vocabulary::{BootLoader, ClosureIdentity, StorePath, Verdict};
use remote::Remote;

/// Reads the host, asks the gate, copies, activates, and proves what came of it.
pub(super) fn run(args: &DeployArgs) -> Result<Exit, Failure> {
    let chosen = args.host.read()?;
    let name = host_name(&chosen)?;
    chosen.require_trusted_keys()?;
    let remote = Remote {
        destination: destination(args, &chosen, name)?,
    };
    let state = remote.look()?;
    let current = state.current.clone().ok_or_else(|| {
        format!(
            "{}: /run/current-system leads to no store path, so that nothing can have been rehearsed upon it: is it NixOS?",
            remote.destination
        )
    })?;
    let found = receipts::read_all(&chosen.receipts)?;
    let candidate = candidate(args, &chosen, name, &current, &found)?;
    let identity = closure::identify(&candidate)?;
    let loader = closure::read_facts(&candidate)?.boot_loader;
    let deploy = Deploy {
        remote,
        identity,
        current,
        loader,
    };
    if deploy.current == deploy.identity.toplevel {
        tell(&format!(
            "{name} runs the candidate already: nothing is to be done\n"
        ));
        return deploy.prove(name, Switch::NotOurs);
    }
    if !deploy.is_let_through(args, &chosen, &found) {
        return Ok(Exit::Fail);
    }
    if args.dry_run {
        tell(&deploy.intentions(&state));
        return Ok(Exit::Pass);
    }
    deploy.carry_out(args, name)
}

fn host_name(chosen: &Chosen) -> Result<&str, Failure> {
    let name = chosen.host.name.as_deref();
    name.ok_or_else(|| "which host? Name one of bootproof.toml with --host".into())
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

/// What the user names, or what was proven last.
fn candidate(
    args: &DeployArgs,
    chosen: &Chosen,
    name: &str,
    current: &StorePath,
    found: &[Found],
) -> Result<Closure, Failure> {
    let source = args.source.source();
    if let Some(named) = &args.candidate {
        return Ok(closure::resolve(&source, named)?);
    }
    let trusted = &chosen.configuration.trusted_keys;
    let Some(newest) = proposed(found, trusted, name, current) else {
        return Err(format!(
            "no receipt in {} says `pass` of a candidate for {name} upon {current}, which it runs: name the CANDIDATE to hear why, or \
             make a receipt: bootproof test --toplevel CANDIDATE --baseline {current} --host {name} --key SECRET-KEY-FILE",
            chosen.receipts.display()
        )
        .into());
    };
    tell(&format!("the newest receipt for {name} is of {newest}\n"));
    Ok(closure::resolve(&source, newest.as_str())?)
}

/// One deploy: from here on only store paths count, and no link is followed again.
struct Deploy {
    remote: Remote,
    /// What was proven.
    identity: ClosureIdentity,
    /// What the host ran when it was first asked.
    current: StorePath,
    /// Which files tell what the host will boot.
    loader: BootLoader,
}

impl Deploy {
    /// Asks the gate, and tells its answer.
    fn is_let_through(&self, args: &DeployArgs, chosen: &Chosen, found: &[Found]) -> bool {
        let settings = &chosen.host.settings;
        let asked = Asked {
            candidate: &self.identity,
            baseline: Some(&self.current),
            host: chosen.host.name.as_deref(),
            target: &settings.target,
            expect_system: settings.expect_system.as_ref(),
            policy: &settings.policy,
            trusted: &chosen.configuration.trusted_keys,
            now: Timestamp::now(),
        };
        let answer = answer(
            &asked,
            &decide(&asked, found),
            &chosen.receipts,
            &args.source,
        );
        tell(&human(&answer));
        answer.open
    }

    /// What would be done, for people.
    fn intentions(&self, state: &HostState) -> String {
        let toplevel = &self.identity.toplevel;
        let mut text = format!(
            "would copy {} store paths to {}, those that it lacks\nwould compare the hashes that its store has of them\n\
             would set /nix/var/nix/profiles/system to {toplevel}\nwould run {toplevel}/bin/switch-to-configuration switch\n\
             would prove that current-system, the system profile and the next boot are it\n",
            self.identity.paths, self.remote.destination
        );
        if state.booted != state.current {
            text.push_str("note: the host was not rebooted since its last switch\n");
        }
        text
    }

    /// Copies, compares, activates and proves.
    fn carry_out(&self, args: &DeployArgs, name: &str) -> Result<Exit, Failure> {
        let toplevel = &self.identity.toplevel;
        let mut there = self.remote.identity(toplevel)?;
        if there.is_none() {
            if args.source.closure.is_some() {
                return Err(format!(
                    "{name} has not all of {toplevel}, and a closure directory is no store that Nix copies from: copy it there first"
                )
                .into());
            }
            tell(&format!(
                "copying {toplevel} to {}\n",
                self.remote.destination
            ));
            self.remote
                .copy(&args.source.store, toplevel, args.use_substitutes)?;
            there = self.remote.identity(toplevel)?;
        }
        match there {
            Some(there) if there == self.identity => {}
            Some(there) => {
                tell(&format!(
                    "fail: what {name} has under the candidate's name is not what was proven: nothing was activated\n  proven     {}\n  \
                     on {name:<7} {}\n  next       find out who built it there, and remove it (`nix-store --delete {toplevel}`)\n",
                    described(&self.identity),
                    described(&there)
                ));
                return Ok(Exit::Fail);
            }
            None => {
                return Err(format!(
                    "{toplevel} was copied to {}, and is not valid there: nothing was activated",
                    self.remote.destination
                )
                .into());
            }
        }
        tell(&format!("activating {toplevel}\n"));
        match self.remote.activate(toplevel, Some(&self.current))? {
            Activation::Not(why) => {
                let why = crate::fold::sanitise::line(&why.to_string());
                tell(&format!("fail: nothing was activated: {why}\n"));
                Ok(Exit::Fail)
            }
            Activation::Switched(code) => self.prove(name, Switch::Code(code)),
            Activation::Lost => {
                tell(
                    "the connection was lost during the switch, which goes on: asking what came of it\n",
                );
                self.prove(name, Switch::Unknown)
            }
        }
    }

    /// Says whether the host runs the candidate and will boot it.
    fn prove(&self, name: &str, switch: Switch) -> Result<Exit, Failure> {
        let toplevel = &self.identity.toplevel;
        let (state, next_boot) = match self.remote.prove(&self.loader, switch == Switch::Unknown) {
            Ok(read) => read,
            Err(error) => {
                tell(&format!(
                    "unproven: {name} was told to activate {toplevel}, and does not say what came of it: {}\n",
                    super::chain(&*error)
                ));
                return Ok(Exit::Unproven);
            }
        };
        let proof = Proof {
            switch,
            state,
            next_boot,
        };
        let (verdict, lines) = judge(toplevel, &proof);
        let headline = match verdict {
            Verdict::Pass => format!("pass: {name} runs {toplevel}, and will boot it"),
            Verdict::Fail => format!("fail: {name} is not what was deployed to it, {toplevel}"),
            Verdict::Unproven => format!(
                "unproven: not all of {name} could be read after {toplevel} was deployed to it"
            ),
        };
        tell(&format!("{headline}\n  {}\n", lines.join("\n  ")));
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

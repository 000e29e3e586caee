//! `bootproof gate`: no deploy without a receipt for exactly this closure.

use std::io::{self, Write as _};

use jiff::Timestamp;

use super::answer::{answer, human};
use super::args::{GateArgs, GateFormat};
use super::candidate::{Candidate, candidate};
use super::{Exit, Failure, overrides, receipts, tell};
use crate::closure::{self, Closure, Source};
use crate::gate::{Asked, decide};
use crate::vocabulary::StorePath;

/// Decides, says so, and ends with 0 only where the gate is open.
pub(super) fn run(args: &GateArgs) -> Result<Exit, Failure> {
    let chosen = args.host.read()?;
    chosen.require_trusted_keys()?;
    let source = args.source.source();
    let Some(Candidate {
        closure,
        difference,
    }) = candidate(args.candidate.as_deref(), &args.build, &args.source)?
    else {
        return Err("what is to be deployed? Name the CANDIDATE, or what builds it".into());
    };
    let baseline = baseline(args, &source)?;
    let damage = match args.verify {
        true => damage(&closure)?,
        false => None,
    };
    let identity = closure::identify(&closure)?;
    let asked = Asked::of_host(
        &identity,
        baseline.as_ref(),
        &chosen.host,
        &chosen.configuration.trusted_keys,
        Timestamp::now(),
    );
    let decision = decide(&asked, &receipts::read_all(&chosen.receipts)?);
    let mut answer = answer(&asked, &decision, &chosen.receipts, &args.source);
    if let Some(why) = damage.or(difference) {
        answer.shut(&why);
    }
    if let Some(runs) = &baseline {
        overrides::tell_of(&chosen.receipts, asked.host, runs);
    }
    match args.format {
        GateFormat::Human => {
            tell(&human(&answer));
            if answer.open {
                // What was looked at is what is deployed: a link may lead elsewhere by then.
                writeln!(io::stdout(), "{}", identity.toplevel)?;
            }
        }
        GateFormat::Json => {
            let text = serde_json::to_string_pretty(&answer)?;
            writeln!(io::stdout(), "{text}")?;
        }
    }
    Ok(if answer.open { Exit::Pass } else { Exit::Fail })
}

/// What the machine runs: what is told, or what this one runs where it is the machine.
fn baseline(args: &GateArgs, source: &Source) -> Result<Option<StorePath>, Failure> {
    if args.no_baseline {
        return Ok(None);
    }
    let Some(named) = &args.baseline else {
        return Err(
            "which toplevel does the machine run? Name it with --baseline (`readlink /run/current-system` on it), or say \
             --no-baseline where it runs none yet"
                .into(),
        );
    };
    // The baseline need not be in this store: a path is enough.
    match StorePath::parse(named) {
        Ok(path) => Ok(Some(path)),
        Err(_) => Ok(Some(closure::resolve(source, named)?.toplevel)),
    }
}

/// What is wrong with the candidate's files, where they are read at all.
fn damage(closure: &Closure) -> Result<Option<String>, Failure> {
    let contents = closure::verify_contents(closure)?;
    if let Some(damage) = contents.damaged.first() {
        return Ok(Some(format!(
            "{} is not what the store recorded of it (`nix-store --repair-path` mends it)",
            damage.path
        )));
    }
    let unknown = contents.unknown.first();
    Ok(unknown.map(|(path, reason)| format!("{path} cannot be verified: {reason}")))
}

//! `bootproof gate`: no deploy without a receipt for exactly this closure.

use std::io::{self, Write as _};

use jiff::Timestamp;

use super::answer::{answer, human};
use super::args::{GateArgs, GateFormat};
use super::candidate::{Candidate, candidate};
use super::provided::{Provided, Wanted};
use super::{Exit, Failure, overrides, receipts, tell};
use crate::closure::{self, Closure, Source};
use crate::gate::{Asked, decide};
use crate::vocabulary::StorePath;

/// Decides, says so, and ends with 0 only where the gate is open.
pub(super) fn run(args: &GateArgs) -> Result<Exit, Failure> {
    let chosen = args.host.read()?;
    chosen.require_trusted_keys()?;
    if !args.no_baseline && args.baseline.is_none() && args.input.from_host.is_none() {
        return Err(NO_BASELINE.into());
    }
    let provided = Provided::get(&Wanted {
        candidate: args.candidate.as_deref(),
        baseline: args.baseline.as_deref(),
        build: &args.build,
        input: &args.input,
        source: &args.source,
        host: args.host.host.as_deref(),
        cache_directory: None,
        // Its path is enough.
        with_baseline: false,
    })?;
    let Candidate {
        closure,
        difference,
    } = candidate(&provided, &args.build)?;
    let baseline = provided.baseline.as_deref();
    let baseline = baseline
        .map(|named| baseline_path(named, &provided.source))
        .transpose()?;
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
            tell(&human(&answer, args.verbosity));
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

const NO_BASELINE: &str = "which toplevel does the machine run? Name it with --baseline (`readlink /run/current-system` on it), have it \
     asked with --from-host, or say --no-baseline where it runs none yet";

/// What the machine runs; it need not be in this store.
fn baseline_path(named: &str, source: &Source) -> Result<StorePath, Failure> {
    match StorePath::parse(named) {
        Ok(path) => Ok(path),
        Err(_) => Ok(closure::resolve(source, named)?.toplevel),
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

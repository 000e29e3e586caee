//! `bootproof gate`: no deploy without a receipt for exactly this closure.

use std::io::{self, Write as _};

use jiff::Timestamp;
use serde::Serialize;

use super::args::{GateArgs, GateFormat};
use super::configuration::Chosen;
use super::{Exit, Failure, receipts, tell};
use crate::closure::{self, Closure, Source};
use crate::fold::sanitise;
use crate::gate::{Asked, Decision, decide};
use crate::vocabulary::StorePath;

/// How many receipts that do not open the gate are told.
const TOLD: usize = 3;

/// Decides, says so, and ends with 0 only where the gate is open.
pub(super) fn run(args: &GateArgs) -> Result<Exit, Failure> {
    let chosen = args.host.read()?;
    if chosen.configuration.trusted_keys.is_empty() {
        return Err(format!(
            "{} names no trusted_keys, so that no receipt can count: add the public key of whoever rehearses \
             (`bootproof key public FILE`)",
            args.host.config.display()
        )
        .into());
    }
    let source = args.source.source();
    let closure = closure::resolve(&source, &args.candidate)?;
    let baseline = baseline(args, &source)?;
    let damage = match args.verify {
        true => damage(&closure)?,
        false => None,
    };
    let candidate = closure::identify(&closure)?;
    let settings = &chosen.host.settings;
    let asked = Asked {
        candidate: &candidate,
        baseline: baseline.as_ref(),
        host: chosen.host.name.as_deref(),
        target: &settings.target,
        expect_system: settings.expect_system.as_ref(),
        policy: &settings.policy,
        probes: &settings.probes,
        suppressions: &settings.suppressions,
        trusted: &chosen.configuration.trusted_keys,
        now: Timestamp::now(),
    };
    let decision = decide(&asked, &receipts::read_all(&chosen.receipts)?);
    let mut answer = answer(&asked, &decision, &chosen, args);
    if let Some(damage) = damage {
        answer.open = false;
        let name = candidate.toplevel.base_name();
        answer.headline = sanitise::line(&format!("fail: {name} must not be deployed: {damage}"));
        answer.next = None;
    }
    match args.format {
        GateFormat::Human => {
            tell(&human(&answer));
            if answer.open {
                // What was looked at is what is deployed: a link may lead elsewhere by then.
                writeln!(io::stdout(), "{}", candidate.toplevel)?;
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

/// What is said of a decision; as JSON, what `--format json` prints.
#[derive(Debug, Serialize)]
struct Answer {
    open: bool,
    headline: String,
    candidate: StorePath,
    baseline: Option<StorePath>,
    host: Option<String>,
    /// The receipt that opens the gate, and the key that signed it.
    receipt: Option<String>,
    key: Option<String>,
    /// Receipts that do not, nearest first, each with all that is wrong with it.
    refused: Vec<Refused>,
    /// The command that makes what is missing.
    next: Option<String>,
}

#[derive(Debug, Serialize)]
struct Refused {
    receipt: String,
    reasons: Vec<String>,
}

fn answer(asked: &Asked<'_>, decision: &Decision, chosen: &Chosen, args: &GateArgs) -> Answer {
    let candidate = asked.candidate.toplevel.clone();
    let place = match asked.host {
        Some(host) => format!(" to {host}"),
        None => String::new(),
    };
    let name = candidate.base_name().to_owned();
    let mut answer = Answer {
        open: false,
        headline: String::new(),
        candidate,
        baseline: asked.baseline.cloned(),
        host: asked.host.map(str::to_owned),
        receipt: None,
        key: None,
        refused: Vec::new(),
        next: None,
    };
    match decision {
        Decision::Open { receipt, key } => {
            answer.open = true;
            answer.headline = format!("pass: {name} may be deployed{place}");
            answer.receipt = Some(receipt.clone());
            answer.key = Some(key.clone());
        }
        Decision::Shut { nearest } => {
            let why = match nearest.first().and_then(|(_, refusals)| refusals.first()) {
                None => format!("there is no receipt in {}", chosen.receipts.display()),
                Some(refusal) => format!("of the nearest receipt, {refusal}"),
            };
            answer.headline = format!("fail: {name} must not be deployed{place}: {why}");
            answer.refused = nearest
                .iter()
                .map(|(receipt, refusals)| Refused {
                    receipt: sanitise::line(receipt),
                    reasons: refusals
                        .iter()
                        .map(|refusal| sanitise::line(&refusal.to_string()))
                        .collect(),
                })
                .collect();
            answer.next = Some(next(asked, args));
        }
    }
    answer.headline = sanitise::line(&answer.headline);
    answer
}

/// The rehearsal that would open the gate.
fn next(asked: &Asked<'_>, args: &GateArgs) -> String {
    let mut command = vec!["bootproof test".to_owned()];
    if let Some(dir) = &args.source.closure {
        command.push(format!("--closure {}", dir.display()));
    } else if args.source.store != std::path::Path::new("/") {
        command.push(format!("--store {}", args.source.store.display()));
    }
    command.push(format!("--toplevel {}", asked.candidate.toplevel));
    if let Some(baseline) = asked.baseline {
        command.push(format!("--baseline {baseline}"));
    }
    if let Some(host) = asked.host {
        command.push(format!("--host {host}"));
    }
    command.push("--key SECRET-KEY-FILE".to_owned());
    command.join(" ")
}

fn human(answer: &Answer) -> String {
    let mut text = format!("{}\n", answer.headline);
    let mut row = |name: &str, value: &str| text.push_str(&format!("  {name:<10} {value}\n"));
    row("candidate", answer.candidate.as_str());
    match &answer.baseline {
        Some(baseline) => row("baseline", baseline.as_str()),
        None => row("baseline", "none"),
    }
    if let (Some(receipt), Some(key)) = (&answer.receipt, &answer.key) {
        row("receipt", receipt);
        row("signed by", key);
    }
    for refused in answer.refused.iter().take(TOLD) {
        row("refused", &refused.receipt);
        for reason in &refused.reasons {
            row("", reason);
        }
    }
    if answer.refused.len() > TOLD {
        let more = answer.refused.len() - TOLD;
        row("", &format!("and {more} more receipts"));
    }
    if let Some(next) = &answer.next {
        row("next", next);
    }
    text
}

//! What is said of the gate's decision, by `gate` and by `deploy`.

use std::path::Path;

use serde::Serialize;

use super::args::{SourceArgs, Verbosity};
use crate::fold::sanitise;
use crate::gate::{Asked, Decision};
use crate::vocabulary::StorePath;

/// How many receipts that do not open the gate are told.
const TOLD: usize = 3;

/// What is said of a decision; as JSON, what `--format json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    pub(super) open: bool,
    pub(super) headline: String,
    candidate: StorePath,
    baseline: Option<StorePath>,
    host: Option<String>,
    /// The receipt that opens the gate, and the key that signed it.
    receipt: Option<String>,
    key: Option<String>,
    /// Receipts that do not, nearest first, each with all that is wrong with it.
    refused: Vec<Refused>,
    /// The command that makes what is missing.
    pub(super) next: Option<String>,
}

impl Answer {
    /// Shuts the gate for a reason that no receipt is asked about.
    pub(super) fn shut(&mut self, why: &str) {
        let name = self.candidate.base_name();
        self.headline = sanitise::line(&format!("fail: {name} must not be deployed: {why}"));
        self.open = false;
        self.next = None;
    }

    /// All that was said against the deploy.
    pub(super) fn refusal(&self) -> String {
        let nearest = self.refused.first().into_iter().flat_map(|r| &r.reasons);
        let mut said = vec![self.headline.as_str()];
        said.extend(nearest.map(String::as_str));
        said.join("; ")
    }
}

#[derive(Debug, Serialize)]
struct Refused {
    receipt: String,
    reasons: Vec<String>,
}

/// Puts a decision into words.
pub(super) fn answer(
    asked: &Asked<'_>,
    decision: &Decision,
    receipts: &Path,
    source: &SourceArgs,
) -> Answer {
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
                None => format!("there is no receipt in {}", receipts.display()),
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
            answer.next = Some(next(asked, source));
        }
    }
    answer.headline = sanitise::line(&answer.headline);
    answer
}

/// The rehearsal that would open the gate.
fn next(asked: &Asked<'_>, source: &SourceArgs) -> String {
    let mut command = vec![format!("bootproof test{}", source.words())];
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

/// The answer for people.
pub(super) fn human(answer: &Answer, verbosity: Verbosity) -> String {
    let mut text = format!("{}\n", answer.headline);
    if verbosity.quiet {
        return text;
    }
    let told = if verbosity.verbose { usize::MAX } else { TOLD };
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
    for refused in answer.refused.iter().take(told) {
        row("refused", &refused.receipt);
        for reason in &refused.reasons {
            row("", reason);
        }
    }
    let more = answer.refused.len().saturating_sub(told);
    if more > 0 {
        row("", &format!("and {more} more receipts"));
    }
    if let Some(next) = &answer.next {
        row("next", next);
    }
    text
}

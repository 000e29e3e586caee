use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Refusal;
use crate::config::{Host, Policy};
use crate::receipt::{PublicKey, SealError, Sealed};
use crate::vocabulary::{
    ClosureIdentity, Probe, StorePath, Suppression, System, TargetMachine, Verdict,
};

/// What is about to be deployed, and where.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// As the store has it now.
    pub candidate: &'a ClosureIdentity,
    /// What the machine runs; `None` for a machine that runs nothing yet.
    pub baseline: Option<&'a StorePath>,
    pub host: Option<&'a str>,
    pub target: &'a TargetMachine,
    /// `None` where the configuration does not say.
    pub expect_system: Option<&'a System>,
    pub policy: &'a Policy,
    /// What the configuration has asked for in every state.
    pub probes: &'a [Probe],
    /// What the configuration suppresses now.
    pub suppressions: &'a [Suppression],
    pub trusted: &'a [PublicKey],
    pub now: Timestamp,
}

impl<'a> Asked<'a> {
    /// What the configuration demands of a deploy to `host`, now.
    pub fn of_host(
        candidate: &'a ClosureIdentity,
        baseline: Option<&'a StorePath>,
        host: &'a Host,
        trusted: &'a [PublicKey],
        now: Timestamp,
    ) -> Self {
        let settings = &host.settings;
        Self {
            candidate,
            baseline,
            host: host.name.as_deref(),
            target: &settings.target,
            expect_system: settings.expect_system.as_ref(),
            policy: &settings.policy,
            probes: &settings.probes,
            suppressions: &settings.suppressions,
            trusted,
            now,
        }
    }
}

/// A file of the receipts' directory.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its name, for people.
    pub name: String,
    pub sealed: Result<Sealed, SealError>,
}

/// What the gate does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Open, by the receipt of that name, which the key (in Nix's format) has signed.
    Open { receipt: String, key: String },
    /// Shut. The receipts that come nearest stand first, each with all that is wrong with it.
    Shut {
        nearest: Vec<(String, Vec<Refusal>)>,
    },
}

/// Clocks of two machines differ by a little.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Decides by the receipts that were found. One that stands opens the gate; of several, the newest.
pub fn decide(asked: &Asked<'_>, found: &[Found]) -> Decision {
    let mut open: Vec<(Timestamp, &str, &PublicKey)> = Vec::new();
    let mut shut: Vec<(String, Vec<Refusal>)> = Vec::new();
    for file in found {
        let (refusals, stands) = match &file.sealed {
            Ok(sealed) => weigh(asked, sealed),
            Err(error) => (vec![Refusal::Unreadable(error.to_string())], None),
        };
        match stands {
            Some((made_at, key)) if refusals.is_empty() => open.push((made_at, &file.name, key)),
            _ => shut.push((file.name.clone(), refusals)),
        }
    }
    match open.into_iter().max_by_key(|(made_at, ..)| *made_at) {
        Some((_, receipt, key)) => Decision::Open {
            receipt: receipt.to_owned(),
            key: key.to_string(),
        },
        None => {
            shut.sort_by_key(|(_, refusals)| distance(refusals));
            Decision::Shut { nearest: shut }
        }
    }
}

/// All that is wrong with a receipt; and when and by whom it was signed, where a trusted key has.
fn weigh<'a>(
    asked: &Asked<'a>,
    sealed: &Sealed,
) -> (Vec<Refusal>, Option<(Timestamp, &'a PublicKey)>) {
    let receipt = &sealed.receipt;
    let Some(key) = sealed.signed_by(asked.trusted) else {
        let signers = sealed.signers().into_iter().map(str::to_owned).collect();
        return (vec![Refusal::Untrusted { signers }], None);
    };
    let mut refusals = Vec::new();
    let mut refuse = |unless: bool, refusal: Refusal| {
        if !unless {
            refusals.push(refusal);
        }
    };
    let same_path = receipt.candidate.toplevel == asked.candidate.toplevel;
    refuse(
        same_path,
        Refusal::OtherCandidate {
            receipt: receipt.candidate.toplevel.clone(),
        },
    );
    refuse(
        !same_path || receipt.candidate == *asked.candidate,
        Refusal::OtherContents {
            path: receipt.candidate.toplevel.clone(),
        },
    );
    let baseline = receipt.baseline.as_ref().map(|b| &b.toplevel);
    refuse(
        baseline == asked.baseline,
        Refusal::OtherBaseline {
            receipt: baseline.cloned(),
            asked: asked.baseline.cloned(),
        },
    );
    refuse(
        receipt.host.as_deref() == asked.host,
        Refusal::OtherHost {
            receipt: receipt.host.clone(),
            asked: asked.host.map(str::to_owned),
        },
    );
    refuse(
        receipt.target == *asked.target,
        Refusal::OtherMachine("the target machine"),
    );
    refuse(
        asked
            .expect_system
            .is_none_or(|system| *system == receipt.expect_system),
        Refusal::OtherMachine("the expected system"),
    );
    refuse(
        receipt.verdict == Verdict::Pass,
        Refusal::Verdict(receipt.verdict),
    );
    let policy = asked.policy;
    for step in &policy.steps {
        refuse(receipt.steps.contains(step), Refusal::StepMissing(*step));
    }
    let done = receipt.cycles();
    refuse(
        done >= policy.cycles,
        Refusal::TooFewCycles {
            done,
            wanted: policy.cycles,
        },
    );
    refuse(
        policy.accelerators.contains(&receipt.accelerator),
        Refusal::Accelerator(receipt.accelerator),
    );
    let is_as_it_must = !policy.approved || receipt.approved.is_some();
    refuse(is_as_it_must, Refusal::NotApproved);
    let age = asked.now.duration_since(receipt.made_at);
    let most = policy.max_age;
    refuse(age <= most, Refusal::TooOld { age, most });
    let made_at = receipt.made_at;
    refuse(age >= -CLOCK_SKEW, Refusal::FromTheFuture { made_at });
    let unasked = asked
        .probes
        .iter()
        .filter(|probe| !receipt.probes.contains(probe));
    refusals.extend(unasked.cloned().map(Refusal::ProbeMissing));
    let used = receipt.suppressions.iter();
    refusals.extend(used.filter_map(|used| no_longer(asked, used)));
    (refusals, Some((made_at, key)))
}

/// Why a suppression that a receipt rests on counts no more. When it expires is for the configuration to say, which may have changed its mind.
fn no_longer(asked: &Asked<'_>, used: &Suppression) -> Option<Refusal> {
    let same = asked
        .suppressions
        .iter()
        .filter(|known| known.finding == used.finding);
    let Some(expired) = same.map(|known| known.expires).max() else {
        return Some(Refusal::SuppressionGone(used.clone()));
    };
    let today = asked.now.to_zoned(TimeZone::UTC).date();
    (today > expired).then(|| Refusal::SuppressionExpired {
        suppression: used.clone(),
        expired,
    })
}

/// How far a receipt is from opening the gate: whether it can be trusted, then whether it is for this closure, then the rest.
fn distance(refusals: &[Refusal]) -> (u8, usize) {
    let class = |refusal: &Refusal| match refusal {
        Refusal::Unreadable(_) => 3,
        Refusal::OtherCandidate { .. } => 2,
        Refusal::Untrusted { .. } => 1,
        _ => 0,
    };
    (
        refusals.iter().map(class).max().unwrap_or(0),
        refusals.len(),
    )
}

//! Ways to get past the gate, none of which may work. Each changes one thing of a receipt that opens it, or of what is asked.

use jiff::Timestamp;

use super::{Asked, Decision, Found, Refusal, decide};
use crate::config::Policy;
use crate::receipt::testing::{identity, key, receipt};
use crate::receipt::{PublicKey, Receipt, Sealed};
use crate::vocabulary::{
    Accelerator, Asks, ClosureIdentity, FindingPattern, Probe, Step, StorePath, Suppression,
    System, TargetMachine, Verdict,
};

/// What the operator asks for; by default exactly what [`receipt`] proves, an hour after it was made.
struct Case {
    candidate: ClosureIdentity,
    baseline: Option<StorePath>,
    host: Option<&'static str>,
    target: TargetMachine,
    expect_system: Option<System>,
    policy: Policy,
    probes: Vec<Probe>,
    suppressions: Vec<Suppression>,
    trusted: Vec<PublicKey>,
    now: Timestamp,
}

impl Default for Case {
    fn default() -> Self {
        let receipt = receipt();
        Self {
            candidate: receipt.candidate,
            baseline: receipt.baseline.map(|b| b.toplevel),
            host: Some("web"),
            target: receipt.target,
            expect_system: Some(receipt.expect_system),
            policy: Policy::default(),
            probes: Vec::new(),
            suppressions: Vec::new(),
            trusted: vec![key("ci-1", 1).public()],
            now: "2026-11-22T11:00:00Z".parse().unwrap(),
        }
    }
}

impl Case {
    fn decide(&self, found: &[Found]) -> Decision {
        let asked = Asked {
            candidate: &self.candidate,
            baseline: self.baseline.as_ref(),
            host: self.host,
            target: &self.target,
            expect_system: self.expect_system.as_ref(),
            policy: &self.policy,
            probes: &self.probes,
            suppressions: &self.suppressions,
            trusted: &self.trusted,
            now: self.now,
        };
        decide(&asked, found)
    }

    /// Why the gate stays shut for a receipt of `ci-1`.
    fn refusals(&self, receipt: &Receipt) -> Vec<Refusal> {
        match self.decide(&[found("r", receipt)]) {
            Decision::Open { .. } => panic!("the gate opened"),
            Decision::Shut { mut nearest } => nearest.remove(0).1,
        }
    }
}

fn found(name: &str, receipt: &Receipt) -> Found {
    Found {
        name: name.to_owned(),
        sealed: Sealed::seal(receipt, &key("ci-1", 1)),
    }
}

fn changed(change: impl FnOnce(&mut Receipt)) -> Receipt {
    let mut receipt = receipt();
    change(&mut receipt);
    receipt
}

#[test]
fn a_receipt_for_exactly_this_opens_the_gate() {
    let decision = Case::default().decide(&[found("r", &receipt())]);
    let key = key("ci-1", 1).public().to_string();
    let receipt = "r".to_owned();
    assert_eq!(decision, Decision::Open { receipt, key });
}

#[test]
fn without_a_receipt_it_stays_shut() {
    let nearest = Vec::new();
    assert_eq!(Case::default().decide(&[]), Decision::Shut { nearest });
}

#[test]
fn another_candidate_is_refused() {
    let case = Case {
        candidate: identity("newer"),
        ..Case::default()
    };
    assert!(matches!(
        case.refusals(&receipt())[..],
        [Refusal::OtherCandidate { .. }]
    ));
}

#[test]
fn the_same_path_with_other_contents_is_refused() {
    for change in [
        (|c: &mut ClosureIdentity| c.nar_hash = "sha256:1".to_owned()) as fn(&mut ClosureIdentity),
        |c| c.closure_hash = "0".repeat(64),
        |c| c.paths += 1,
    ] {
        let mut case = Case::default();
        change(&mut case.candidate);
        assert!(matches!(
            case.refusals(&receipt())[..],
            [Refusal::OtherContents { .. }]
        ));
    }
}

#[test]
fn another_baseline_and_none_are_refused() {
    for baseline in [Some(identity("older").toplevel), None] {
        let case = Case {
            baseline,
            ..Case::default()
        };
        assert!(matches!(
            case.refusals(&receipt())[..],
            [Refusal::OtherBaseline { .. }]
        ));
    }
    let without = changed(|r| r.baseline = None);
    assert!(matches!(
        Case::default().refusals(&without)[..],
        [Refusal::OtherBaseline { .. }]
    ));
}

#[test]
fn a_receipt_of_another_host_or_of_none_is_refused() {
    for host in [Some("db".to_owned()), None] {
        let other = changed(|r| r.host = host);
        assert!(matches!(
            Case::default().refusals(&other)[..],
            [Refusal::OtherHost { .. }]
        ));
    }
    let case = Case {
        host: None,
        ..Case::default()
    };
    assert_eq!(case.refusals(&receipt()).len(), 1);
}

#[test]
fn another_machine_or_system_is_refused() {
    let mut case = Case::default();
    case.target.memory_mib = 512;
    let machine = Refusal::OtherMachine("the target machine");
    assert_eq!(case.refusals(&receipt()), [machine]);

    let case = Case {
        expect_system: Some(System::I686Linux),
        ..Case::default()
    };
    let system = Refusal::OtherMachine("the expected system");
    assert_eq!(case.refusals(&receipt()), [system]);
}

#[test]
fn a_verdict_that_is_no_pass_is_refused() {
    for verdict in [Verdict::Fail, Verdict::Unproven] {
        let failed = changed(|r| r.verdict = verdict);
        let refusals = Case::default().refusals(&failed);
        assert_eq!(refusals, [Refusal::Verdict(verdict)]);
    }
}

#[test]
fn a_policy_that_asks_for_more_than_was_done_refuses() {
    let booted = changed(|r| r.steps = vec![Step::Boot, Step::Switch]);
    let refusals = Case::default().refusals(&booted);
    let missing = Refusal::StepMissing(Step::WarmReboot);
    assert_eq!(
        refusals,
        [missing, Refusal::TooFewCycles { done: 0, wanted: 1 }]
    );

    let mut case = Case::default();
    case.policy.cycles = 2;
    let few = Refusal::TooFewCycles { done: 1, wanted: 2 };
    assert_eq!(case.refusals(&receipt()), [few]);

    let mut case = Case::default();
    case.policy.accelerators = vec![Accelerator::Kvm];
    let tcg = Refusal::Accelerator(Accelerator::Tcg);
    assert_eq!(case.refusals(&receipt()), [tcg]);

    let mut case = Case::default();
    case.policy.approved = true;
    assert_eq!(case.refusals(&receipt()), [Refusal::NotApproved]);
    let approved = changed(|r| r.approved = Some("ab".repeat(32)));
    let decision = case.decide(&[found("approved.receipt", &approved)]);
    assert!(matches!(decision, Decision::Open { .. }), "{decision:?}");
}

#[test]
fn a_receipt_that_is_too_old_or_from_the_future_is_refused() {
    let at = |time: &str| Case {
        now: time.parse().unwrap(),
        ..Case::default()
    };
    let old = at("2026-12-06T10:00:01Z").refusals(&receipt());
    assert!(matches!(old[..], [Refusal::TooOld { .. }]), "{old:?}");
    let future = at("2026-11-22T09:54:59Z").refusals(&receipt());
    assert!(matches!(future[..], [Refusal::FromTheFuture { .. }]));
    for fine in ["2026-12-06T10:00:00Z", "2026-11-22T09:55:00Z"] {
        let decision = at(fine).decide(&[found("r", &receipt())]);
        assert!(matches!(decision, Decision::Open { .. }), "{fine}");
    }
}

fn suppression(finding: &str, expires: &str) -> Suppression {
    Suppression {
        finding: FindingPattern::parse(finding).unwrap(),
        reason: "it is moved next week".to_owned(),
        owner: "anna".to_owned(),
        expires: expires.parse().unwrap(),
    }
}

#[test]
fn a_pass_by_a_suppression_that_expired_or_is_gone_since_is_refused() {
    let used = suppression("*/unit-failed/a.service", "2026-11-22");
    let passed = changed(|r| r.suppressions = vec![used.clone()]);
    let at = |time: &str, suppressions: &[Suppression]| Case {
        now: time.parse().unwrap(),
        suppressions: suppressions.to_vec(),
        ..Case::default()
    };
    let last_day = "2026-11-22T23:59:59Z";
    let decision = at(last_day, std::slice::from_ref(&used)).decide(&[found("r", &passed)]);
    assert!(matches!(decision, Decision::Open { .. }), "{decision:?}");

    let day_after = "2026-11-23T00:00:00Z";
    let expired = at(day_after, std::slice::from_ref(&used)).refusals(&passed);
    let [Refusal::SuppressionExpired { .. }] = expired[..] else {
        panic!("{expired:?}");
    };
    let told = expired[0].to_string();
    assert!(
        told.contains("anna") && told.contains("expired on 2026-11-22"),
        "{told}"
    );

    // The configuration may give it longer, or end it earlier, than the receipt says.
    let longer = suppression("*/unit-failed/a.service", "2026-12-24");
    let decision = at(day_after, &[used.clone(), longer]).decide(&[found("r", &passed)]);
    assert!(matches!(decision, Decision::Open { .. }), "{decision:?}");
    let shorter = suppression("*/unit-failed/a.service", "2026-11-01");
    let refusals = at(last_day, &[shorter]).refusals(&passed);
    assert!(matches!(refusals[..], [Refusal::SuppressionExpired { .. }]));

    let other = suppression("*/unit-failed/b.service", "2026-12-24");
    for configured in [vec![], vec![other]] {
        let refusals = at(last_day, &configured).refusals(&passed);
        assert_eq!(refusals, [Refusal::SuppressionGone(used.clone())]);
    }
}

#[test]
fn a_receipt_of_a_rehearsal_that_was_asked_less_is_refused() {
    let probe = |path: &str| Probe {
        asks: Asks::Path(path.to_owned()),
        expect_status: None,
        body: None,
        tls_name: None,
    };
    let case = Case {
        probes: vec![probe("/health")],
        ..Case::default()
    };
    let refusals = case.refusals(&receipt());
    assert_eq!(refusals, [Refusal::ProbeMissing(probe("/health"))]);
    let more = changed(|r| r.probes = vec![probe("/"), probe("/health")]);
    let decision = case.decide(&[found("r", &more)]);
    assert!(matches!(decision, Decision::Open { .. }), "{decision:?}");
}

#[test]
fn another_key_the_same_name_and_no_trusted_key_are_refused() {
    for trusted in [
        vec![key("ci-1", 2).public()],
        vec![key("ci-2", 1).public()],
        vec![],
    ] {
        let case = Case {
            trusted,
            ..Case::default()
        };
        assert!(matches!(
            case.refusals(&receipt())[..],
            [Refusal::Untrusted { .. }]
        ));
    }
}

#[test]
fn an_edited_receipt_is_refused_whatever_it_says() {
    let failed = changed(|r| r.verdict = Verdict::Fail);
    let text = Sealed::seal(&failed, &key("ci-1", 1)).unwrap().to_text();
    let edited = text.replace("\"verdict\": \"fail\"", "\"verdict\": \"pass\"");
    assert_ne!(edited, text);
    let found = Found {
        name: "edited".to_owned(),
        sealed: Sealed::parse(edited.as_bytes()),
    };
    let Decision::Shut { nearest } = Case::default().decide(&[found]) else {
        panic!("an edited receipt opened the gate");
    };
    assert!(matches!(nearest[0].1[..], [Refusal::Untrusted { .. }]));
}

#[test]
fn a_damaged_file_is_told_and_does_not_keep_a_good_one_from_counting() {
    let damaged = Found {
        name: "damaged".to_owned(),
        sealed: Sealed::parse(b"bootproof receipt 1\n{"),
    };
    let case = Case::default();
    let Decision::Shut { nearest } = case.decide(std::slice::from_ref(&damaged)) else {
        panic!("a damaged receipt opened the gate");
    };
    assert!(matches!(nearest[0].1[..], [Refusal::Unreadable(_)]));
    let decision = case.decide(&[damaged, found("good", &receipt())]);
    assert!(matches!(decision, Decision::Open { .. }));
}

#[test]
fn of_several_the_newest_opens_and_the_nearest_is_told_first() {
    let older = changed(|r| r.made_at = "2026-11-21T10:00:00Z".parse().unwrap());
    let case = Case::default();
    let files = [found("older", &older), found("newer", &receipt())];
    let Decision::Open { receipt: name, .. } = case.decide(&files) else {
        panic!("it stays shut");
    };
    assert_eq!(name, "newer");

    let foreign = changed(|r| r.candidate = identity("foreign"));
    let failed = changed(|r| r.verdict = Verdict::Fail);
    let files = [found("foreign", &foreign), found("failed", &failed)];
    let Decision::Shut { nearest } = case.decide(&files) else {
        panic!("it opened");
    };
    let names: Vec<&str> = nearest.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["failed", "foreign"]);
}

#[test]
fn every_refusal_says_what_is_wrong() {
    let told = Refusal::TooOld {
        age: jiff::SignedDuration::from_hours(100),
        most: jiff::SignedDuration::from_hours(36),
    };
    assert_eq!(
        told.to_string(),
        "it is 4 days old, and the policy accepts 36 h"
    );
    let told = Refusal::OtherBaseline {
        receipt: None,
        asked: Some(identity("old").toplevel),
    };
    assert!(told.to_string().contains("upon no baseline"), "{told}");
}

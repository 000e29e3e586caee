//! What nginx served it must go on serving: no gap while nothing takes it down, and none longer than its budget while something does.
//!
//! Of what was asked at a fixed rate, whatever the steps did. What the looks at a state find too is theirs to tell: an endpoint that is bad
//! at a look's end or beginning, and whatever is behind a unit that loops.

use crate::fold::{Replied, Run, Spell, StateRecord, sanitise, state_after};
use crate::vocabulary::{Check, Finding, HttpEndpoint, Plan, Reply, State, Step, StepOutcome};

use super::{Scene, is_looping, upstream};

pub(super) fn check(plan: &Plan, run: &Run) -> Vec<Finding> {
    // Whoever was given the guest may have stopped anything.
    if plan.hold.is_some() {
        return Vec::new();
    }
    let endpoints = run.ledger.endpoints.iter();
    endpoints
        .flat_map(|(endpoint, replied)| of_endpoint(plan, run, endpoint, replied))
        .collect()
}

/// One finding a state: the longest gap of each.
fn of_endpoint(plan: &Plan, run: &Run, endpoint: &HttpEndpoint, replied: &Replied) -> Vec<Finding> {
    let mut found: Vec<(State, Spell, String)> = Vec::new();
    for spell in replied.spells(&run.steps) {
        let Some(step) = spell.step_of(&run.steps) else {
            continue;
        };
        // Its machines are thrown away, one after another.
        if step == Step::PowerCutInSwitch {
            continue;
        }
        let Some((state, record)) =
            state_after(plan, step).and_then(|state| Some((state, run.states.get(&state)?)))
        else {
            continue;
        };
        // A machine that went down meanwhile is told as such.
        let record_of_step = spell.step.and_then(|at| run.steps.get(at));
        if record_of_step.is_none_or(|step| step.outcome != Some(StepOutcome::Done)) {
            continue;
        }
        let told = if spell.planned {
            over_budget(plan, run, step, &spell)
        } else {
            gap(&spell).filter(|_| !is_told_by_others(run, state, record, endpoint, &spell))
        };
        let Some(told) = told else {
            continue;
        };
        match found.iter_mut().find(|(of, ..)| *of == state) {
            Some(longest) if longest.1.milliseconds() < spell.milliseconds() => {
                *longest = (state, spell, told);
            }
            Some(_) => {}
            None => found.push((state, spell, told)),
        }
    }
    let finding = |(state, spell, told): (State, Spell, String)| {
        let url = sanitise::line(&endpoint.url());
        let summary = format!("{url} {told}");
        let finding = Finding::new(Check::HttpGap, state, url, summary)
            .with_evidence("http", in_words(&spell));
        match run.states.get(&state) {
            Some(record) => {
                let scene = Scene {
                    plan,
                    run,
                    state,
                    record,
                };
                upstream::told(&scene, endpoint, finding)
            }
            None => finding,
        }
    };
    found.into_iter().map(finding).collect()
}

/// A service that answered, and did not a moment later, while nobody touched it. One reply that is none is nothing: the VM's network has its
/// own moods. A 503 may be meant (`limit_req`, a page that says that it is being worked on).
fn gap(spell: &Spell) -> Option<String> {
    let gateway = [502, 504].map(Reply::Status);
    let is_upstreams = spell.replies.keys().any(|reply| gateway.contains(reply));
    let silent = spell.replies.iter().filter(|(r, _)| !r.is_of_nginx());
    let silent: u64 = silent.map(|(_, count)| count).sum();
    (is_upstreams || silent > 1)
        .then(|| "served, and then did not, while nothing was done to the machine".to_owned())
}

fn over_budget(plan: &Plan, run: &Run, step: Step, spell: &Spell) -> Option<String> {
    let seconds = match step {
        Step::Provision | Step::Boot => return None,
        Step::Switch => plan.downtime.switch?,
        _ => plan.downtime.reboot?,
    };
    let factor = run.accelerator.as_ref().map_or(1.0, |a| a.factor.max(1.0));
    let budget_ms = f64::from(seconds) * 1000.0 * factor;
    (spell.milliseconds()? as f64 > budget_ms)
        .then(|| format!("is without service for longer in {step} than its budget of {seconds} s"))
}

/// Whether a look at that state, or a unit's own check, tells it.
fn is_told_by_others(
    run: &Run,
    state: State,
    record: &StateRecord,
    endpoint: &HttpEndpoint,
    spell: &Spell,
) -> bool {
    let serves = |probe: &crate::fold::HttpProbe| Reply::of(&probe.answer).serves();
    let probes = record.http.get(endpoint).map_or(&[][..], Vec::as_slice);
    if !probes.is_empty() && !probes.iter().all(serves) {
        return true;
    }
    let loops = |unit: &str| is_looping(record, unit);
    let behind = upstream::of(run, state, record, endpoint).and_then(|upstream| upstream.unit);
    let is_of_nginx = spell.replies.keys().any(|reply| reply.is_of_nginx());
    match behind.filter(|_| is_of_nginx) {
        Some(unit) => loops(unit),
        // Nobody knows whose it is: any that loops may be behind it.
        None => record
            .units()
            .into_iter()
            .flatten()
            .any(|(id, _)| loops(id)),
    }
}

/// `5 × 502 from 61.0 s on, 6.8 s long`.
fn in_words(spell: &Spell) -> String {
    let replies: Vec<String> = spell
        .replies
        .iter()
        .map(|(reply, count)| format!("{count} × {}", reply.word()))
        .collect();
    let from = tenths(spell.from_ms);
    let long = match spell.milliseconds() {
        Some(ms) => format!("{} s long", tenths(ms)),
        None => "to the end".to_owned(),
    };
    format!("{} from {from} s of the run on, {long}", replies.join(", "))
}

fn tenths(ms: u64) -> String {
    format!("{}.{}", ms / 1000, ms % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use crate::testing::{self, Recording, endpoint};
    use crate::vocabulary::{Check, Observation, Plan, Replies, Reply, State, Step, StepOutcome};

    /// Replies in the last state's watch, each as often as told.
    fn with_replies(recording: &mut Recording, replies: &[(Reply, u64)]) {
        let at = |n: usize| 1_000_000 + 1000 * n as u64;
        let runs = replies
            .iter()
            .enumerate()
            .map(|(n, &(reply, count))| Replies {
                reply,
                from_ms: at(n),
                to_ms: at(n),
                count,
            });
        recording.more.push(Observation::Continuity {
            endpoint: endpoint("beta", 8082),
            beat_ms: 1000,
            runs: runs.collect(),
            dropped: 0,
        });
    }

    fn gaps(plan: &Plan, recording: &Recording) -> Vec<String> {
        let found = testing::findings(plan, recording);
        let gaps = found.iter().filter(|f| f.check == Check::HttpGap);
        gaps.map(|f| f.id()).collect()
    }

    const OK: (Reply, u64) = (Reply::Status(200), 9);

    #[test]
    fn a_service_that_pauses_between_two_looks_is_found() {
        for bad in [
            (Reply::Status(502), 1),
            (Reply::Status(504), 3),
            (Reply::Refused, 2),
        ] {
            let (plan, mut recording) = testing::healthy_recording();
            with_replies(&mut recording, &[OK, bad, OK]);
            assert_eq!(
                gaps(&plan, &recording),
                ["rebooted/http-gap/http://beta.example/"]
            );
        }
    }

    #[test]
    fn a_hiccup_a_limit_and_whatever_others_tell_are_silent() {
        for bad in [
            (Reply::Reset, 1),
            (Reply::Status(503), 5),
            (Reply::Status(404), 5),
        ] {
            let (plan, mut recording) = testing::healthy_recording();
            with_replies(&mut recording, &[OK, bad, OK]);
            assert_eq!(gaps(&plan, &recording), [""; 0], "{bad:?}");
        }
        let (plan, mut recording) = testing::healthy_recording();
        with_replies(&mut recording, &[OK, (Reply::Status(502), 4), OK]);
        let guest = recording.guest(State::Rebooted);
        guest.set_last("beta.service", "NRestarts", "2");
        assert_eq!(gaps(&plan, &recording), [""; 0]);
        let (plan, mut recording) = testing::healthy_recording();
        with_replies(&mut recording, &[OK, (Reply::TimedOut, 4)]);
        recording.more.push(Observation::StepFinished {
            step: Step::WarmReboot,
            outcome: StepOutcome::GuestFailed {
                stage: None,
                reason: "kernel panic".to_owned(),
                last_line: None,
            },
        });
        assert_eq!(gaps(&plan, &recording), [""; 0]);
        let (plan, mut recording) = testing::healthy_recording();
        with_replies(&mut recording, &[OK, (Reply::Status(502), 4)]);
        let guest = recording.guest(State::Rebooted);
        guest.answer(2, endpoint("beta", 8082), testing::status(502));
        assert_eq!(gaps(&plan, &recording), [""; 0]);
    }

    #[test]
    fn planned_downtime_has_the_budget_that_was_configured() {
        let (mut plan, mut recording) = testing::healthy_recording();
        let run = recording.run(&plan);
        let began = run.steps.last().unwrap().started_ms;
        let replies = [(200, 0), (502, 1), (200, 9_000)].map(|(code, at)| Replies {
            reply: Reply::Status(code),
            from_ms: began + at,
            to_ms: began + at,
            count: 1,
        });
        recording.more.push(Observation::Continuity {
            endpoint: endpoint("beta", 8082),
            beat_ms: 1000,
            runs: replies.to_vec(),
            dropped: 0,
        });
        assert_eq!(gaps(&plan, &recording), [""; 0]);
        plan.downtime.reboot = Some(1);
        assert_eq!(
            gaps(&plan, &recording),
            ["rebooted/http-gap/http://beta.example/"]
        );
        plan.downtime.reboot = Some(30);
        assert_eq!(gaps(&plan, &recording), [""; 0]);
    }
}

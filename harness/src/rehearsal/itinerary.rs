//! Which steps a rehearsal takes, from what its user names, what the policy demands, and how often it is to be repeated. Pure.

use super::default_steps;
use crate::vocabulary::Step;

/// More cycles than anybody has the time for.
pub const MOST_CYCLES: u32 = 1000;

/// What is asked of a rehearsal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Journey<'a> {
    /// The steps that the user names.
    pub named: Option<&'a [Step]>,
    pub with_baseline: bool,
    /// The steps that the host's policy wants to see done, where the user names none.
    pub demanded: &'a [Step],
    /// How often the reboots are made.
    pub cycles: u32,
}

/// The steps of a journey, one after another.
///
/// # Errors
/// In words with what to do, where the steps make no rehearsal.
pub fn itinerary(journey: &Journey<'_>) -> Result<Vec<Step>, String> {
    let steps = match journey.named {
        Some(named) => {
            refuse_nonsense(named, journey.with_baseline)?;
            named.to_vec()
        }
        None => {
            let mut steps = default_steps(journey.with_baseline);
            let cut = Step::PowerCutInSwitch;
            if journey.demanded.contains(&cut)
                && let Some(switch) = steps.iter().position(|step| *step == Step::Switch)
            {
                steps.insert(switch, cut);
            }
            let ways = journey.demanded.iter().filter(|step| step.is_reboot());
            for step in ways {
                if !steps.contains(step) {
                    steps.push(*step);
                }
            }
            steps
        }
    };
    if journey.cycles > 1 && !steps.iter().any(|step| step.is_reboot()) {
        return Err(
            "--cycles repeats reboots, and the steps have none: add `warm-reboot`".to_owned(),
        );
    }
    let steps = cycled(&steps, journey.cycles);
    refuse_soft_specialisation(&steps)?;
    Ok(steps)
}

/// The steps, with all that comes after the switch repeated; without a switch, after the first boot.
pub fn cycled(steps: &[Step], cycles: u32) -> Vec<Step> {
    let last = [Step::Switch, Step::Boot]
        .iter()
        .find_map(|step| steps.iter().rposition(|known| known == step));
    let (once, repeated) = steps.split_at(last.map_or(0, |at| at + 1));
    let mut all = once.to_vec();
    for _ in 0..cycles.clamp(1, MOST_CYCLES) {
        all.extend(repeated);
    }
    all
}

fn refuse_nonsense(steps: &[Step], with_baseline: bool) -> Result<(), String> {
    let (first, rest) = match steps {
        [Step::Boot, rest @ ..] => (Step::Boot, rest),
        _ => return Err("the steps of a rehearsal begin with `boot` (--steps boot,…)".to_owned()),
    };
    if rest.contains(&first) {
        return Err("`boot` is the first power-on: name `cold-reboot` for another one".to_owned());
    }
    if rest.contains(&Step::Provision) {
        return Err("`provision` is made before the first step, and is none to name".to_owned());
    }
    let switch = rest.iter().position(|step| *step == Step::Switch);
    let back = rest.iter().position(|step| *step == Step::Rollback);
    if back.is_some_and(|back| switch.is_none_or(|switch| back < switch)) {
        return Err(
            "`rollback` goes back to what ran before a switch: name it after `switch`".to_owned(),
        );
    }
    let variants = Step::Specialisations;
    if with_baseline
        && let Some(at) = rest.iter().position(|step| *step == variants)
        && switch.is_none_or(|switch| at < switch)
    {
        return Err(format!(
            "`{variants}` boots those of the candidate: name it after `switch`"
        ));
    }
    if rest.iter().filter(|step| **step == variants).count() > 1 {
        return Err(format!(
            "`{variants}` boots every one: name it once, and --cycles for more"
        ));
    }
    refuse_misplaced_cut(rest, with_baseline)?;
    match rest.iter().filter(|step| **step == Step::Switch).count() {
        0 if with_baseline => Err(
            "with a baseline nothing is proven of the candidate without a `switch` among the steps"
                .to_owned(),
        ),
        1 if !with_baseline => Err(
            "`switch` needs a machine that runs something else: name its toplevel with --baseline"
                .to_owned(),
        ),
        0 | 1 => Ok(()),
        _ => Err("the steps of a rehearsal have one `switch`".to_owned()),
    }
}

/// A soft reboot keeps the kernel and what was booted: after a specialisation it is none of the candidate.
fn refuse_soft_specialisation(steps: &[Step]) -> Result<(), String> {
    let [variants, soft] = [Step::Specialisations, Step::SoftReboot];
    if steps.windows(2).any(|two| two == [variants, soft]) {
        return Err(format!(
            "`{soft}` after `{variants}` keeps what was booted last: name another reboot between them, or `{soft}` first"
        ));
    }
    Ok(())
}

/// The switch in which the power is cut is the one that comes next, upon the machine that the baseline is.
fn refuse_misplaced_cut(steps: &[Step], with_baseline: bool) -> Result<(), String> {
    let cut = Step::PowerCutInSwitch;
    let Some(at) = steps.iter().position(|step| *step == cut) else {
        return Ok(());
    };
    if !with_baseline {
        return Err(format!(
            "`{cut}` needs a machine that runs something else: name its toplevel with --baseline"
        ));
    }
    let later = &steps[at + 1..];
    if later.contains(&cut) {
        return Err(format!("the steps of a rehearsal have one `{cut}`"));
    }
    if !later.contains(&Step::Switch) {
        return Err(format!("`{cut}` comes before the `switch`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Step::{
        Boot, ColdReboot, Panic, PowerCutInSwitch, Reset, SoftReboot, Specialisations, Switch,
        WarmReboot,
    };

    fn named(steps: &[Step], with_baseline: bool, cycles: u32) -> Result<Vec<Step>, String> {
        itinerary(&Journey {
            named: Some(steps),
            with_baseline,
            cycles,
            ..Journey::default()
        })
    }

    #[test]
    fn what_comes_after_the_switch_is_repeated() {
        assert_eq!(
            named(&[Boot, Switch, WarmReboot, Reset], true, 2).unwrap(),
            [Boot, Switch, WarmReboot, Reset, WarmReboot, Reset]
        );
        assert_eq!(
            named(&[Boot, WarmReboot], false, 3).unwrap(),
            [Boot, WarmReboot, WarmReboot, WarmReboot]
        );
        let before_the_switch = [Boot, WarmReboot, Switch, ColdReboot];
        assert_eq!(
            named(&before_the_switch, true, 2).unwrap(),
            [Boot, WarmReboot, Switch, ColdReboot, ColdReboot]
        );
    }

    #[test]
    fn specialisations_are_those_of_a_candidate_that_runs() {
        let after_a_switch = [Boot, Switch, Specialisations, ColdReboot];
        assert_eq!(named(&after_a_switch, true, 1).unwrap(), after_a_switch);
        let alone = [Boot, SoftReboot, Specialisations];
        assert_eq!(named(&alone, false, 1).unwrap(), alone);
    }

    #[test]
    fn what_the_policy_demands_is_done() {
        let journey = Journey {
            with_baseline: true,
            demanded: &[Boot, PowerCutInSwitch, Switch, WarmReboot, Panic],
            cycles: 1,
            ..Journey::default()
        };
        assert_eq!(
            itinerary(&journey).unwrap(),
            [Boot, PowerCutInSwitch, Switch, WarmReboot, Panic]
        );
    }

    #[test]
    fn steps_that_make_no_rehearsal_are_refused_with_what_to_do() {
        for (steps, with_baseline, cycles, word) in [
            (&[][..], true, 1, "begin with `boot`"),
            (&[Switch, Boot], true, 1, "begin with `boot`"),
            (&[Boot, Boot], false, 1, "cold-reboot"),
            (&[Boot, WarmReboot], true, 1, "`switch`"),
            (&[Boot, Switch, WarmReboot], false, 1, "--baseline"),
            (&[Boot, Switch, Switch], true, 1, "one `switch`"),
            (&[Boot, Step::Provision], false, 1, "none to name"),
            (&[Boot, Step::Rollback, Switch], true, 1, "after `switch`"),
            (&[Boot, Step::Rollback], false, 1, "after `switch`"),
            (&[Boot, Switch], true, 2, "add `warm-reboot`"),
            (&[Boot, Specialisations, Switch], true, 1, "after `switch`"),
            (
                &[Boot, Switch, Specialisations, Specialisations],
                true,
                1,
                "name it once",
            ),
            (
                &[Boot, Switch, SoftReboot, Specialisations],
                true,
                2,
                "another reboot between",
            ),
            (&[Boot, PowerCutInSwitch], false, 1, "--baseline"),
            (
                &[Boot, Switch, PowerCutInSwitch],
                true,
                1,
                "before the `switch`",
            ),
            (
                &[Boot, PowerCutInSwitch, PowerCutInSwitch, Switch],
                true,
                1,
                "one `power-cut-in-switch`",
            ),
        ] {
            let told = named(steps, with_baseline, cycles).unwrap_err();
            assert!(told.contains(word), "{told}");
        }
    }
}

//! Roughly how long a rehearsal takes, from what was measured on the reference machine.

use crate::vocabulary::Step;

/// What has to be done.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    pub steps: &'a [Step],
    /// How many specialisations the candidate has.
    pub specialisations: u32,
    /// The size of one of the closures, in MiB.
    pub closure_mib: u64,
    /// Whether the bootloader has to be installed first.
    pub provisions: bool,
    /// How long each state is watched.
    pub window_seconds: u32,
}

const INSTALL_SECONDS: u32 = 15;
const SWITCH_SECONDS: u32 = 10;
const LOOK_SECONDS: u32 = 10;

/// Seconds of a whole rehearsal, where guests run `factor` times slower than under TCG on the reference machine.
pub fn seconds(work: &Work<'_>, factor: f64) -> u32 {
    let boot = boot_seconds(work.closure_mib);
    let steps = work.steps.iter().map(|step| {
        let moving = match step {
            Step::Switch => SWITCH_SECONDS,
            // Twice each, from disks as two cuts leave them; the second is cut in a boot of its own.
            Step::PowerCut => 2 * (boot + LOOK_SECONDS),
            Step::PowerCutInBoot => 3 * boot + LOOK_SECONDS,
            // The deploy, some seven cuts, and the machine as it was; none of the cuts is watched.
            Step::PowerCutInSwitch => 9 * boot + SWITCH_SECONDS + 7 * LOOK_SECONDS,
            Step::Specialisations => {
                return work.specialisations.saturating_mul(boot + LOOK_SECONDS);
            }
            _ => boot,
        };
        moving + LOOK_SECONDS
    });
    let provision = if work.provisions {
        boot + INSTALL_SECONDS
    } else {
        0
    };
    let moving = f64::from(steps.fold(provision, u32::saturating_add)) * factor;
    // What is watched for a time takes that time, and longer where guests are slower.
    let looks = work.steps.iter().map(|step| match step {
        Step::Specialisations => work.specialisations,
        _ => 1,
    });
    let states = looks.fold(0, u32::saturating_add);
    let watching = f64::from(work.window_seconds.saturating_mul(states)) * factor.max(1.0);
    (moving + watching) as u32
}

/// Under TCG on two cores, as measured: 25 for a boot of the lab's closures of 150 MiB, 55 for a NixOS closure of 700 MiB.
fn boot_seconds(closure_mib: u64) -> u32 {
    15 + u32::try_from(closure_mib / 16).unwrap_or(u32::MAX / 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slower_accelerator_takes_longer_and_a_faster_one_still_watches() {
        let steps = [Step::Boot, Step::Switch, Step::WarmReboot];
        let work = Work {
            steps: &steps,
            specialisations: 0,
            closure_mib: 150,
            provisions: false,
            window_seconds: 12,
        };
        let reference = seconds(&work, 1.0);
        assert!((90..150).contains(&reference), "{reference}");
        assert_eq!(seconds(&work, 2.0), 2 * reference);
        assert!(seconds(&work, 0.25) >= 36);
        let first = Work {
            provisions: true,
            ..work
        };
        assert!(seconds(&first, 1.0) > reference);
        assert_eq!(seconds(&Work { steps: &[], ..work }, 1.0), 0);
    }

    #[test]
    fn each_specialisation_takes_a_boot() {
        let of = |steps, specialisations| {
            let work = Work {
                steps,
                specialisations,
                closure_mib: 150,
                provisions: false,
                window_seconds: 12,
            };
            seconds(&work, 1.0)
        };
        let all = &[Step::Specialisations];
        assert_eq!(of(all, 0), 0);
        assert_eq!(of(all, 2), 2 * of(&[Step::WarmReboot], 0));
    }
}

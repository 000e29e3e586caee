//! How long each stage of a boot took to be reached, over all boots of one way down and up.

use std::collections::BTreeMap;

use super::model::StageTimes;
use super::text::seconds;
use crate::fold::Run;
use crate::vocabulary::{Stage, Step};

/// Minimum, median and maximum of each stage's time, by step and then by stage; nothing where no way was gone twice.
///
/// The time of a stage is counted from the reset or power-on. A boot that did not come to a stage counts for those that it came to.
pub(super) fn stage_times(run: &Run) -> Vec<StageTimes> {
    let mut times: BTreeMap<(Step, Stage), Vec<u64>> = BTreeMap::new();
    for boot in &run.boots {
        // Each specialisation is another system.
        let is_one_way = |step: &Step| step.starts_a_kernel() && *step != Step::Specialisations;
        let Some(step) = boot.step.filter(is_one_way) else {
            continue;
        };
        for (stage, at_ms) in &boot.stages {
            let taken = at_ms.saturating_sub(boot.began_ms);
            times.entry((step, *stage)).or_default().push(taken);
        }
    }
    let repeated = |step: Step| {
        times
            .iter()
            .any(|((of, _), taken)| *of == step && taken.len() > 1)
    };
    times
        .iter()
        .filter(|((step, _), _)| repeated(*step))
        .map(|((step, stage), taken)| of(*step, *stage, taken))
        .collect()
}

fn of(step: Step, stage: Stage, taken: &[u64]) -> StageTimes {
    let mut sorted = taken.to_vec();
    sorted.sort_unstable();
    let at = |n: usize| sorted.get(n).copied().unwrap_or_default();
    let middle = sorted.len() / 2;
    let median_ms = if sorted.len() % 2 == 1 {
        at(middle)
    } else {
        at(middle.saturating_sub(1)).midpoint(at(middle))
    };
    StageTimes {
        step,
        stage,
        boots: sorted.len(),
        minimum_ms: at(0),
        median_ms,
        maximum_ms: at(sorted.len().saturating_sub(1)),
    }
}

/// A row of words: the way, the stage, how many boots, and the three times.
pub(super) fn words(times: &StageTimes) -> [String; 6] {
    [
        times.step.to_string(),
        times.stage.as_str().to_owned(),
        times.boots.to_string(),
        seconds(times.minimum_ms),
        seconds(times.median_ms),
        seconds(times.maximum_ms),
    ]
}

pub(super) const COLUMNS: [&str; 6] =
    ["boots by", "stage", "boots", "minimum", "median", "maximum"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::BootRecord;

    fn boot(number: u32, step: Step, kernel_ms: u64) -> BootRecord {
        let began_ms = u64::from(number) * 10_000;
        BootRecord {
            number,
            step: Some(step),
            began_ms,
            stages: vec![(Stage::Kernel, began_ms + kernel_ms)],
            ..BootRecord::default()
        }
    }

    fn times(boots: Vec<BootRecord>) -> Vec<(Step, usize, [u64; 3])> {
        let run = Run {
            boots,
            ..Run::default()
        };
        stage_times(&run)
            .into_iter()
            .map(|t| (t.step, t.boots, [t.minimum_ms, t.median_ms, t.maximum_ms]))
            .collect()
    }

    #[test]
    fn each_way_that_was_gone_twice_has_its_times() {
        let boots = vec![
            boot(1, Step::Boot, 9),
            boot(2, Step::WarmReboot, 30),
            boot(3, Step::ColdReboot, 5),
            boot(4, Step::WarmReboot, 10),
            boot(5, Step::ColdReboot, 7),
            boot(6, Step::WarmReboot, 14),
        ];
        assert_eq!(
            times(boots),
            [
                (Step::WarmReboot, 3, [10, 14, 30]),
                (Step::ColdReboot, 2, [5, 6, 7])
            ]
        );
    }

    #[test]
    fn one_boot_of_each_way_says_nothing() {
        let boots = vec![boot(1, Step::Boot, 9), boot(2, Step::WarmReboot, 30)];
        assert_eq!(times(boots), []);
    }
}

//! In which of several looks at one state something was found: of a reboot that is repeated, in which cycles; of specialisations, in which
//! of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::fold::StateRecord;
use crate::vocabulary::{Check, Evidence, Finding, State};

/// How many are named.
const NAMED: usize = 5;

/// The source of the evidence that names the specialisations in which something was found: `gaming, work`.
pub(crate) const SPECIALISATIONS: &str = "specialisations";

/// The looks that were taken, and what each of them showed.
#[derive(Default)]
pub(super) struct Occasions {
    /// Every look at a state, in order, where there was more than one to be.
    looks: BTreeMap<State, Vec<String>>,
    found: BTreeMap<(State, Check, String), Vec<String>>,
}

impl Occasions {
    /// Notes what one look showed.
    pub(super) fn note(&mut self, state: State, record: &StateRecord, found: &[Finding]) {
        let Some(occasion) = &record.occasion else {
            return;
        };
        self.looks.entry(state).or_default().push(occasion.clone());
        // One check may find the same subject twice.
        let subjects: BTreeSet<(Check, &str)> = found
            .iter()
            .map(|finding| (finding.check, finding.subject.as_str()))
            .collect();
        for (check, subject) in subjects {
            let key = (state, check, subject.to_owned());
            self.found.entry(key).or_default().push(occasion.clone());
        }
    }

    /// Has each finding say in which looks it was found, of how many.
    pub(super) fn tell(&self, findings: &mut [Finding]) {
        for finding in findings {
            let states = std::iter::once(finding.state).chain(finding.also_in.iter().copied());
            let told = states.filter_map(|state| {
                let (source, text) = match state {
                    State::Specialised => (
                        SPECIALISATIONS,
                        self.names(state, finding.check, &finding.subject)?,
                    ),
                    state => ("cycles", self.text(state, finding.check, &finding.subject)?),
                };
                let source = source.to_owned();
                Some(Evidence { source, text })
            });
            finding.evidence.extend(told.collect::<Vec<_>>());
        }
    }

    /// `rebooted: cycle 2, cycle 4 (2 of 5)`.
    fn text(&self, state: State, check: Check, subject: &str) -> Option<String> {
        let found = self.found.get(&(state, check, subject.to_owned()))?;
        let of = self.looks.get(&state)?.len();
        if found.len() == of {
            return Some(match of {
                1 => format!("{state}: {}", found[0]),
                many => format!("{state}: in every one of {many}"),
            });
        }
        Some(format!(
            "{state}: {} ({} of {of})",
            named(found),
            found.len()
        ))
    }

    /// Each once, however often it was booted.
    fn names(&self, state: State, check: Check, subject: &str) -> Option<String> {
        let found = self.found.get(&(state, check, subject.to_owned()))?;
        let mut names: Vec<String> = Vec::new();
        for name in found {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        Some(named(&names))
    }
}

fn named(all: &[String]) -> String {
    let more = match all.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", all[..all.len().min(NAMED)].join(", "))
}

#[cfg(test)]
mod tests {
    use crate::testing;
    use crate::vocabulary::{Observation, Recorded, State};

    /// Two cycles, the second of which is the recording's.
    fn repeated(broken: &[usize]) -> Vec<String> {
        let (plan, mut recording) = testing::healthy_recording();
        let healthy = recording.observations();
        let guest = recording.guest(State::Rebooted);
        guest.set_unit("alpha.service", &[("ActiveState", "failed")]);
        let failed = recording.observations();
        let of_rebooted = |all: &[Recorded]| -> Vec<Recorded> {
            let is_of_it = |recorded: &&Recorded| match &recorded.observation {
                Observation::Dumped { state, .. } | Observation::Http { state, .. } => {
                    *state == State::Rebooted
                }
                _ => false,
            };
            all.iter().filter(is_of_it).cloned().collect()
        };
        let mut all = healthy.clone();
        all.retain(|recorded| !of_rebooted(&healthy).contains(recorded));
        for cycle in 1..=2 {
            all.push(Recorded {
                at_ms: 0,
                observation: Observation::Look {
                    state: State::Rebooted,
                    occasion: format!("cycle {cycle}"),
                },
            });
            let source = if broken.contains(&cycle) {
                &failed
            } else {
                &healthy
            };
            all.extend(of_rebooted(source));
        }
        let run = crate::fold::fold(&all);
        let findings = super::super::run(&plan, &run);
        findings
            .iter()
            .map(|f| {
                let cycles = f.evidence.iter().rfind(|e| e.source == "cycles");
                format!("{} {}", f.id(), cycles.map_or("", |e| e.text.as_str()))
            })
            .collect()
    }

    #[test]
    fn a_fault_of_one_cycle_is_not_hidden_by_the_next_one() {
        let id = "rebooted/unit-failed/alpha.service";
        assert_eq!(repeated(&[1]), [format!("{id} rebooted: cycle 1 (1 of 2)")]);
        assert_eq!(
            repeated(&[1, 2]),
            [format!("{id} rebooted: in every one of 2")]
        );
    }

    #[test]
    fn healthy_cycles_say_nothing() {
        assert_eq!(repeated(&[]), [""; 0]);
    }
}

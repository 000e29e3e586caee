//! What a rehearsal that boots the candidate's specialisations knows of them.

use crate::closure::{self, Closure};
use crate::fold::sanitise;
use crate::vocabulary::{Specialisation, Step};

/// People have a handful, and each takes a boot.
const MOST: usize = 32;

/// The specialisations of a candidate, with what their files say, and those that cannot be booted, with why.
#[derive(Default)]
pub(super) struct Specialisations {
    pub(super) known: Vec<Specialisation>,
    pub(super) left_out: Vec<(String, String)>,
}

/// Reads them where a step boots them.
pub(super) fn read(candidate: &Closure, steps: &[Step]) -> Specialisations {
    let mut all = Specialisations::default();
    if !steps.contains(&Step::Specialisations) {
        return all;
    }
    for (name, toplevel) in closure::specialisations(&candidate.source, &candidate.toplevel) {
        let reason = match toplevel {
            _ if sanitise::line(&name) != name => "its name is none that can be shown".to_owned(),
            _ if all.known.len() == MOST => format!("it is one of more than {MOST}"),
            Some(toplevel) if candidate.contains(&toplevel) => {
                match closure::read_facts(&candidate.seen_from(toplevel)) {
                    Ok(closure) => {
                        all.known.push(Specialisation { name, closure });
                        continue;
                    }
                    Err(error) => error.to_string(),
                }
            }
            _ => "its link leads to no store path of the candidate".to_owned(),
        };
        all.left_out.push((sanitise::line(&name), reason));
    }
    all
}

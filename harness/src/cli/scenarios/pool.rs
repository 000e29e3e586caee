//! Runs cases side by side, each in a process of its own: one that crashes or hangs takes nothing along.

use std::collections::VecDeque;
use std::io;
use std::process::{Output, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;
use tokio::task::JoinSet;

use super::super::Exit;
use super::super::signals::Signals;
use super::case::Case;
use crate::offspring::die_with_parent;

/// How much may run at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) jobs: usize,
    /// For all guests together, in bytes; `None` where nobody knows.
    pub(super) memory: Option<u64>,
}

/// What happens to a case.
pub(super) enum Event<'a> {
    Begins(&'a Case),
    Ended(&'a Ended),
    /// Ended by the signal that ends all of them.
    Interrupted(&'a Ended),
}

/// A case whose process has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) case: Case,
    pub(super) seconds: u32,
    pub(super) output: Output,
}

/// Runs all of them; `None` at the end says that a signal kept some from being run.
///
/// # Errors
/// When a process cannot be started.
pub(super) fn run(
    cases: Vec<Case>,
    bounds: Bounds,
    command: impl Fn(&Case) -> io::Result<Command>,
    mut tell: impl FnMut(Event<'_>),
) -> io::Result<Option<Vec<Ended>>> {
    // Children die with the thread that starts them: this one lives as long as the process.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let mut waiting: VecDeque<Case> = cases.into();
        let mut running = Running::default();
        let mut ended = Vec::new();
        let mut stopped = false;
        loop {
            while !stopped && let Some(case) = running.take_fitting(&mut waiting, bounds) {
                tell(Event::Begins(&case));
                running.start(command(&case)?, case)?;
            }
            if running.tasks.is_empty() {
                return Ok((!stopped).then_some(ended));
            }
            tokio::select! {
                Some(one) = running.tasks.join_next() => {
                    let one = running.ended(one.map_err(io::Error::other)??);
                    let is_cut_short = one.output.status.code() == Some(Exit::Error.code().into());
                    match stopped && is_cut_short {
                        true => tell(Event::Interrupted(&one)),
                        false => tell(Event::Ended(&one)),
                    }
                    ended.push(one);
                }
                _ = signals.next() => stopped = true,
            }
            if stopped {
                // Each powers its machine off, and says how far it got.
                running.stop();
            }
        }
    })
}

type Task = io::Result<(u32, Case, u32, Output)>;

#[derive(Default)]
struct Running {
    tasks: JoinSet<Task>,
    /// The process of each, and its guest's memory.
    now: Vec<(u32, u64)>,
}

impl Running {
    /// The next case that there is room for. Where nothing runs there is room for any.
    fn take_fitting(&self, waiting: &mut VecDeque<Case>, bounds: Bounds) -> Option<Case> {
        if self.now.len() >= bounds.jobs {
            return None;
        }
        let taken: u64 = self.now.iter().map(|(_, memory)| memory).sum();
        let fits = |case: &Case| {
            let all = taken.saturating_add(case.memory.unwrap_or(0));
            self.now.is_empty() || bounds.memory.is_none_or(|limit| all <= limit)
        };
        let at = waiting.iter().position(fits)?;
        waiting.remove(at)
    }

    fn start(&mut self, mut command: Command, case: Case) -> io::Result<()> {
        die_with_parent(command.as_std_mut());
        let begun = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let id = child.id().unwrap_or_default();
        self.now.push((id, case.memory.unwrap_or(0)));
        self.tasks.spawn(async move {
            let output = child.wait_with_output().await?;
            let seconds = u32::try_from(begun.elapsed().as_secs()).unwrap_or(u32::MAX);
            Ok((id, case, seconds, output))
        });
        Ok(())
    }

    fn ended(&mut self, (id, case, seconds, output): (u32, Case, u32, Output)) -> Ended {
        self.now.retain(|(running, _)| *running != id);
        Ended {
            case,
            seconds,
            output,
        }
    }

    fn stop(&self) {
        for (id, _) in &self.now {
            let id = i32::try_from(*id).ok().and_then(Pid::from_raw);
            // One that has ended meanwhile needs no signal.
            let _ = id.map(|id| kill_process(id, Signal::TERM));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, mib: u64) -> Case {
        Case {
            name: name.to_owned(),
            group: None,
            summary: String::new(),
            tags: Vec::new(),
            memory: (mib > 0).then_some(mib << 20),
            seconds: 1,
            identity: String::new(),
        }
    }

    fn shell(case: &Case) -> io::Result<Command> {
        let mut command = Command::new("sh");
        command.args(["-c", "echo \"$0\"; test \"$0\" != bad", &case.name]);
        Ok(command)
    }

    #[test]
    fn every_case_is_run_and_its_end_is_told() {
        let cases = ["a", "bad", "c"].map(|name| case(name, 0)).to_vec();
        let mut told = 0;
        let bounds = Bounds {
            jobs: 2,
            memory: None,
        };
        let ended = run(cases, bounds, shell, |_| told += 1).unwrap().unwrap();
        let mut all: Vec<(String, bool)> = ended
            .iter()
            .map(|e| {
                (
                    String::from_utf8_lossy(&e.output.stdout).trim().to_owned(),
                    e.output.status.success(),
                )
            })
            .collect();
        all.sort();
        let expected = [("a", true), ("bad", false), ("c", true)];
        assert_eq!(
            all,
            expected.map(|(name, passed)| (name.to_owned(), passed))
        );
        assert_eq!(told, 6);
    }

    #[test]
    fn guests_are_side_by_side_as_far_as_cores_and_memory_allow() {
        let bounds = Bounds {
            jobs: 3,
            memory: Some(3000 << 20),
        };
        let mut running = Running::default();
        let mut waiting: VecDeque<Case> =
            [("a", 2000), ("b", 2000), ("c", 1000), ("d", 0), ("e", 0)]
                .map(|(name, mib)| case(name, mib))
                .into();
        let mut begun = Vec::new();
        while let Some(case) = running.take_fitting(&mut waiting, bounds) {
            running.now.push((1, case.memory.unwrap_or(0)));
            begun.push(case.name);
        }
        // b does not fit beside a and c; the fourth is one too many.
        assert_eq!(begun, ["a", "c", "d"]);
        assert_eq!(waiting.len(), 2);
    }

    #[test]
    fn a_guest_that_is_larger_than_the_machine_has_its_turn_alone() {
        let bounds = Bounds {
            jobs: 2,
            memory: Some(1 << 20),
        };
        let mut waiting: VecDeque<Case> = [case("a", 4000), case("b", 4000)].into();
        let mut running = Running::default();
        assert!(running.take_fitting(&mut waiting, bounds).is_some());
        running.now.push((1, 4000 << 20));
        assert!(running.take_fitting(&mut waiting, bounds).is_none());
    }
}

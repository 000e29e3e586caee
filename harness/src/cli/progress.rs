//! What a run tells while it works: a live line on a terminal, plain lines elsewhere. On stderr.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::oneshot;

use super::tell;
use crate::fold::sanitise;
use crate::rehearsal::Progress;
use crate::vocabulary::{Accelerator, Hold, Observation, Recorded, Stage, StepOutcome};

/// Prints to stderr.
pub(super) struct Printer {
    name: String,
    began: Instant,
    step: String,
    stage: Option<Stage>,
    bar: Option<ProgressBar>,
}

impl Printer {
    /// A printer for the run called `name`.
    pub(super) fn new(name: &str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self {
            name: name.to_owned(),
            began: Instant::now(),
            step: "prepare".to_owned(),
            stage: None,
            bar,
        }
    }

    /// Takes the live line away.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&self, text: &str) {
        let elapsed = self.began.elapsed().as_secs();
        let line = format!(
            "[{}:{:02}] {}: {}: {text}",
            elapsed / 60,
            elapsed % 60,
            self.name,
            self.step
        );
        match &self.bar {
            Some(bar) => bar.println(line),
            None => tell(&(line + "\n")),
        }
    }
}

impl Progress for Printer {
    fn observed(&mut self, recorded: &Recorded) {
        match &recorded.observation {
            Observation::Inspected(inspected) => {
                "inspect".clone_into(&mut self.step);
                let told = match inspected.causes.first() {
                    Some(cause) => sanitise::line(&cause.headline),
                    None => "nothing in the files stands against a boot".to_owned(),
                };
                self.line(&told);
                "prepare".clone_into(&mut self.step);
            }
            Observation::Accelerator {
                accelerator,
                reason,
                ..
            } => {
                let slow = if *accelerator == Accelerator::Tcg {
                    " (slow)"
                } else {
                    ""
                };
                self.line(&format!(
                    "runs under {}{slow}: {reason}",
                    accelerator.as_str()
                ));
            }
            Observation::BegunAgain { reason } => {
                "prepare".clone_into(&mut self.step);
                self.line(&format!("begun again: {reason}"));
            }
            Observation::StepStarted { step } => {
                self.step = step.to_string();
                self.stage = None;
                self.line("begins");
            }
            Observation::StepFinished { outcome, .. } => match outcome {
                StepOutcome::Done => self.line("done"),
                StepOutcome::GuestFailed { reason, .. } => {
                    self.line(&format!("the guest failed: {reason}"))
                }
                StepOutcome::Unobservable { reason } => {
                    self.line(&format!("not observed: {reason}"))
                }
                StepOutcome::Skipped => {}
            },
            Observation::PoweredOn { boot, .. } => self.line(&format!("power on (boot {boot})")),
            Observation::Stage { stage, .. } => {
                self.stage = Some(*stage);
                self.line(stage.as_str());
            }
            Observation::ChannelOpened {
                boot, transport, ..
            } => {
                self.line(&format!("root shell over {transport} (boot {boot})"));
            }
            _ => {}
        }
    }

    fn waiting(&mut self, what: &str, deadline: Duration) {
        if let Some(bar) = &self.bar {
            let stage = self
                .stage
                .map_or(String::new(), |s| format!(" · {}", s.as_str()));
            bar.set_message(format!(
                "{} · {}{stage} · waits for {what}, at most {} s",
                self.name,
                self.step,
                deadline.as_secs()
            ));
        } else {
            self.line(&format!(
                "waits for {what}, at most {} s",
                deadline.as_secs()
            ));
        }
    }

    fn working(&mut self, what: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(format!("{} · {what}", self.name)),
            None => self.line(what),
        }
    }

    fn held(&mut self, hold: Hold, port: Option<u16>) -> oneshot::Receiver<()> {
        let Hold { state, port: guest } = hold;
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{} · held in {state}", self.name));
        }
        self.line(&match port {
            Some(port) => format!(
                "held in {state}: port {guest} of the guest is port {port} of 127.0.0.1 (ssh -p {port} root@127.0.0.1)"
            ),
            None => format!("held in {state}: the guest's network cannot be reached"),
        });
        self.line("press Enter to go on, Ctrl-C to end it here");
        let (release, released) = oneshot::channel();
        // The thread waits for the user, and nobody for the thread.
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = std::io::stdin().read_line(&mut line);
            let _ = release.send(());
        });
        released
    }
}

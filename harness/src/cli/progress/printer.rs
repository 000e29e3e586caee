//! The telling for people, on stderr.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use tokio::sync::oneshot;

use super::live;
use super::tally::Tally;
use super::words::{details, words};
use crate::cli::args::Verbosity;
use crate::cli::tell;
use crate::rehearsal::Progress;
use crate::vocabulary::{Hold, Observation, Recorded, Stage};

/// Prints to stderr.
pub(in crate::cli) struct Printer {
    name: String,
    began: Instant,
    step: String,
    stage: Option<Stage>,
    tally: Tally,
    /// What the live line says last.
    doing: String,
    verbosity: Verbosity,
    bar: Option<ProgressBar>,
}

impl Printer {
    /// A printer for the run called `name`.
    pub(in crate::cli) fn new(name: &str, verbosity: Verbosity) -> Self {
        Self {
            name: name.to_owned(),
            began: Instant::now(),
            step: "prepare".to_owned(),
            stage: None,
            tally: Tally::default(),
            doing: String::new(),
            verbosity,
            bar: None,
        }
    }

    fn line(&self, text: &str) {
        if self.verbosity.quiet {
            return;
        }
        self.line_for_all(text);
    }

    fn line_for_all(&self, text: &str) {
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

    /// Begins to show what is done now, with the time that it has taken; says whether there is a live line to show it on.
    fn doing(&mut self, what: String) -> bool {
        self.doing = what;
        if self.bar.is_none() && !self.verbosity.quiet && live::is_live() {
            self.bar = Some(live::line());
        }
        if let Some(bar) = &self.bar {
            bar.reset_elapsed();
        }
        self.refresh();
        self.bar.is_some()
    }

    fn refresh(&self) {
        if let Some(bar) = &self.bar {
            let stage = self.stage.map_or("", Stage::as_str).to_owned();
            let parts = [
                self.name.clone(),
                self.step.clone(),
                stage,
                self.doing.clone(),
                self.tally.status(),
            ];
            let parts: Vec<String> = parts.into_iter().filter(|p| !p.is_empty()).collect();
            bar.set_message(parts.join(" · "));
        }
    }
}

/// Takes the live line away, however the run ended.
impl Drop for Printer {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Printer {
    fn observed(&mut self, recorded: &Recorded) {
        let observation = &recorded.observation;
        match observation {
            Observation::Inspected(_) => "inspect".clone_into(&mut self.step),
            Observation::BegunAgain { .. } => "prepare".clone_into(&mut self.step),
            Observation::StepStarted { step } => {
                self.step = step.to_string();
                self.stage = None;
            }
            Observation::Stage { stage, .. } => self.stage = Some(*stage),
            _ => {}
        }
        let sums = self.tally.take(observation);
        let told = words(observation);
        for line in sums.iter().chain(&told) {
            self.line(line);
        }
        if self.verbosity.verbose
            && let Some(line) = details(observation)
        {
            self.line(&line);
        }
        if matches!(observation, Observation::Inspected(_)) {
            "prepare".clone_into(&mut self.step);
        }
        self.refresh();
    }

    fn waiting(&mut self, what: &str, deadline: Duration) {
        let waits = format!("waits for {what}, at most {} s", deadline.as_secs());
        if !self.doing(waits.clone()) {
            self.line(&waits);
        }
    }

    fn working(&mut self, what: &str) {
        if !self.doing(what.to_owned()) {
            self.line(what);
        }
    }

    fn held(&mut self, hold: Hold, port: Option<u16>) -> oneshot::Receiver<()> {
        let Hold { state, port: guest } = hold;
        self.doing(format!("held in {state}"));
        // Whoever wants to hear only the verdict has to be told this all the same.
        self.line_for_all(&match port {
            Some(port) => format!(
                "held in {state}: port {guest} of the guest is port {port} of 127.0.0.1 (ssh -p {port} root@127.0.0.1)"
            ),
            None => format!("held in {state}: the guest's network cannot be reached"),
        });
        self.line_for_all("press Enter to go on, Ctrl-C to end it here");
        until_enter()
    }
}

/// Speaks when the user has pressed Enter, or stdin has ended.
pub(super) fn until_enter() -> oneshot::Receiver<()> {
    let (release, released) = oneshot::channel();
    // The thread waits for the user, and nobody for the thread.
    std::thread::spawn(move || {
        let mut line = String::new();
        let _ = std::io::stdin().read_line(&mut line);
        let _ = release.send(());
    });
    released
}

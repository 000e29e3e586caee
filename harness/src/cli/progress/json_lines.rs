//! The JSON lines of `--format json-lines`, each flushed as it is written.

use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::event::{Event, FORMAT_VERSION, Line};
use super::printer::until_enter;
use crate::cli::Exit;
use crate::cli::args::Verbosity;
use crate::rehearsal::Progress;
use crate::vocabulary::{Finding, Hold, Plan, Recorded, Verdict};

/// Writes to stdout.
#[derive(Clone)]
pub(in crate::cli) struct JsonLines {
    run: Option<String>,
    began: Instant,
    verbosity: Verbosity,
}

impl JsonLines {
    /// Lines of the run called `name`; without a name of the command as such.
    pub(in crate::cli) fn new(name: Option<&str>, verbosity: Verbosity) -> Self {
        Self {
            run: name.map(str::to_owned),
            began: Instant::now(),
            verbosity,
        }
    }

    /// Says what is begun, too.
    pub(in crate::cli) fn begin(
        name: &str,
        plan: &Plan,
        run_directory: &Path,
        verbosity: Verbosity,
    ) -> Self {
        let lines = Self::new(Some(name), verbosity);
        lines.tell(Event::Begun {
            tool_version: plan.tool_version.clone(),
            candidate: plan.candidate.toplevel.clone(),
            baseline: plan.baseline.as_ref().map(|facts| facts.toplevel.clone()),
            run_directory: run_directory.display().to_string(),
            steps: plan.steps.clone(),
        });
        lines
    }

    /// Says `event`, now. Only the last line is for those who want nothing but the verdict.
    pub(in crate::cli) fn tell(&self, event: Event) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.tell_at(now, event);
    }

    /// The last lines of a run: what was found, and the verdict.
    pub(in crate::cli) fn finish(
        &self,
        findings: &[Finding],
        verdict: Verdict,
        headline: &str,
        exit: Exit,
    ) {
        for finding in findings {
            self.tell(Event::found(finding));
        }
        self.tell(Event::Verdict {
            verdict,
            headline: headline.to_owned(),
            exit_code: exit.code(),
        });
    }

    /// The last line where there is no verdict, because host or user failed.
    pub(in crate::cli) fn failed(&self, error: &str) {
        self.tell(Event::Failed {
            error: error.to_owned(),
            exit_code: Exit::Error.code(),
        });
    }

    fn tell_at(&self, at_ms: u64, event: Event) {
        let is_last = matches!(event, Event::Verdict { .. } | Event::Failed { .. });
        if (self.verbosity.quiet && !is_last) || (!self.verbosity.verbose && event.is_detail()) {
            return;
        }
        let line = Line {
            format_version: FORMAT_VERSION,
            run: self.run.clone(),
            at_ms,
            event,
        };
        let Ok(mut text) = serde_json::to_vec(&line) else {
            return;
        };
        text.push(b'\n');
        // A reader that has gone away must not end a run: the recording has all that is told.
        let mut out = io::stdout().lock();
        let _ = out.write_all(&text);
        let _ = out.flush();
    }
}

impl Progress for JsonLines {
    fn observed(&mut self, recorded: &Recorded) {
        self.tell_at(recorded.at_ms, Event::of(&recorded.observation));
    }

    fn waiting(&mut self, what: &str, deadline: Duration) {
        self.tell(Event::Waiting {
            what: what.to_owned(),
            at_most_seconds: deadline.as_secs(),
        });
    }

    fn working(&mut self, what: &str) {
        self.tell(Event::Working {
            what: what.to_owned(),
        });
    }

    fn held(&mut self, hold: Hold, port: Option<u16>) -> oneshot::Receiver<()> {
        self.tell(Event::Held {
            state: hold.state,
            port,
        });
        until_enter()
    }
}

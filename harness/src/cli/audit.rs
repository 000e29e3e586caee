//! `bootproof audit`: what a live machine will start at its next boot, and whether that can run.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use super::args::{AuditArgs, AuditFormat, Verbosity};
use super::progress::{Event, JsonLines};
use super::{Exit, Failure, chain, tell, whole_file};
use crate::audit::{self, Audit, Machine};
use crate::closure::{self, Source};
use crate::fold::sanitise;
use crate::inspect::human::Style;
use crate::inspect::{self, Against, Candidate, Inspection, Options};
use crate::shell::{self, Destination};
use crate::vocabulary::{Observation, StorePath, System};

/// Asks the machine, prints, and ends by the verdict.
pub(super) fn run(args: &AuditArgs) -> Result<Exit, Failure> {
    let lines = JsonLines::new(None, args.verbosity);
    let result = carry_out(args);
    if let (Err(error), AuditFormat::JsonLines) = (&result, args.format) {
        lines.failed(&chain(&**error));
    }
    result
}

fn carry_out(args: &AuditArgs) -> Result<Exit, Failure> {
    let destination = args.host.clone().unwrap_or(Destination::Local);
    let machine = audit::gather(&shell::mark()?, |script| shell::run(&destination, script))
        .map_err(|error| format!("cannot audit {destination}: {error}"))?;
    let (inspection, trouble) = match inspect(&machine, &args.store) {
        Ok(inspection) => (inspection, None),
        Err(error) => (None, Some(chain(&*error))),
    };
    let mut audit = audit::audit(&destination.to_string(), &machine, inspection.as_ref());
    let trouble = trouble.map(|error| format!("the next boot's files were not inspected: {error}"));
    audit.notes.extend(trouble);
    print(&audit, args)?;
    if let Some(path) = &args.textfile {
        write_metrics(&audit, path)
            .map_err(|error| format!("cannot write the metrics to {}: {error}", path.display()))?;
    }
    Ok(Exit::from(audit.verdict))
}

/// Inspects the next boot's closure where the store has it; `None` where it has not.
fn inspect(machine: &Machine, store: &Path) -> Result<Option<Inspection>, Failure> {
    let Some(toplevel) = machine.next_toplevel() else {
        return Ok(None);
    };
    let source = Source::Store {
        root: store.to_owned(),
    };
    let is_here = |path: &StorePath| source.host_path(path).join("init").exists();
    if !StorePath::parse(toplevel).is_ok_and(|path| is_here(&path)) {
        return Ok(None);
    }
    let closure = closure::resolve_ahead(&source, toplevel)?;
    let (facts, survey) = closure::examine(&closure)?;
    let candidate = Candidate {
        closure: &closure,
        facts: &facts,
        survey: &survey,
    };
    let mut options = Options::default();
    // Under a 32-bit x86 kernel the processor may yet be a 64-bit one, which is the default.
    if let Some(system @ System::Other(_)) = &machine.kernel {
        options.target.system = system.clone();
    }
    let inspection = inspect::inspect(&candidate, &Against::default(), &options)?;
    Ok(Some(inspection))
}

/// People's report goes to stderr, a machine's to stdout.
fn print(audit: &Audit, args: &AuditArgs) -> Result<(), Failure> {
    let Verbosity {
        quiet,
        verbose: all,
    } = args.verbosity;
    match args.format {
        AuditFormat::Human if quiet => {
            let headline = sanitise::line(&audit.headline);
            tell(&format!("{headline}\n"));
        }
        AuditFormat::Human => {
            let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            let text = audit::human::render(audit, Style { colour, all });
            io::stderr().write_all(text.as_bytes())?;
        }
        AuditFormat::Json => {
            let text = serde_json::to_string_pretty(audit)? + "\n";
            io::stdout().write_all(text.as_bytes())?;
        }
        AuditFormat::JsonLines => say(audit, args.verbosity),
        AuditFormat::Markdown => {
            let text = audit::markdown::render(audit);
            io::stdout().write_all(text.as_bytes())?;
        }
    }
    Ok(())
}

/// The audit as JSON lines.
fn say(audit: &Audit, verbosity: Verbosity) {
    let lines = JsonLines::new(Some(&audit.machine), verbosity);
    for unproven in &audit.unproven {
        lines.tell(Event::of(&Observation::Unproven(unproven.clone())));
    }
    for finding in &audit.findings {
        lines.tell(Event::Found {
            id: finding.id(),
            severity: finding.severity,
            summary: finding.summary.clone(),
            latent: false,
            suppressed: false,
        });
    }
    let exit = Exit::from(audit.verdict);
    lines.finish(&[], audit.verdict, &audit.headline, exit);
}

/// The collector reads whenever it likes.
fn write_metrics(audit: &Audit, path: &Path) -> Result<(), Failure> {
    let now = jiff::Timestamp::now().as_second();
    let text = audit::metrics::render(audit, now);
    Ok(whole_file::write(path, text.as_bytes())?)
}

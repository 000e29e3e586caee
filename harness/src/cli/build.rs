//! Builds what is to be looked at: by the user's command, and by a flake.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdout};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal as TokioSignal, SignalKind, signal};
use tokio::time::timeout;

use super::args::BuildArgs;
use super::installable::{built, installable};
use super::{Exit, Failure, tell};
use crate::closure;
use crate::offspring::{die_with_parent, lead_session};
use crate::vocabulary::StorePath;

/// Of what a build prints, the end that is kept; its last line counts.
const KEPT: usize = 1 << 20;
/// How long a build may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);
/// How long what a finished build left running may hold its stdout open.
const STRAGGLERS: Duration = Duration::from_secs(2);

/// What was built.
pub(super) struct Built {
    pub(super) by_command: Option<String>,
    pub(super) of_flake: Option<String>,
}

/// Builds what has to be built: by the user's command, and by the flake.
///
/// `host` is whom a flake without an attribute stands for.
///
/// # Errors
/// When a build fails, or names nothing.
pub(super) fn build(args: &BuildArgs, host: Option<&str>, store: &Path) -> Result<Built, Failure> {
    let mut built = Built {
        by_command: None,
        of_flake: None,
    };
    if args.build_command.is_none() && args.flake.is_none() {
        return Ok(built);
    }
    let mut builder = Builder::new()?;
    if let Some(command) = &args.build_command {
        built.by_command = Some(builder.by_command(command, store)?);
    }
    if let Some(reference) = &args.flake {
        built.of_flake = Some(builder.by_flake(reference, host, store)?);
    }
    builder.done();
    Ok(built)
}

/// Runs builds, one after another, each until it ends or a signal ends it.
struct Builder {
    runtime: Runtime,
    signals: Signals,
}

impl Builder {
    fn new() -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let entered = runtime.enter();
        let signals = Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        };
        drop(entered);
        Ok(Self { runtime, signals })
    }

    /// Leaves signals to end the process from now on: whoever listened once must go on to.
    fn done(mut self) {
        thread::spawn(move || {
            let by = self.runtime.block_on(self.signals.next());
            tell(&format!(
                "bootproof: interrupted by {by}: nothing is proven\n"
            ));
            std::process::exit(Exit::Error.code().into());
        });
    }
}

struct Signals {
    interrupt: TokioSignal,
    terminate: TokioSignal,
    hang_up: TokioSignal,
}

impl Signals {
    /// Waits for one, and gives what people call it.
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "Ctrl-C",
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.hang_up.recv() => "SIGHUP",
        }
    }
}

impl Builder {
    /// Runs the user's command by a shell, and gives what it names last: a store path, or a link to one.
    fn by_command(&mut self, command: &str, store: &Path) -> Result<String, Failure> {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(command);
        let output = self.run(shell, "sh", &format!("the build command `{command}`"))?;
        let lines = || output.lines().map(str::trim).rev();
        let named = lines().find(|line| names_store_path(line, store));
        named.map(str::to_owned).ok_or_else(|| {
            let ended = match lines().find(|line| !line.is_empty()) {
                Some(line) => format!("its stdout ends with `{line:.200}`"),
                None => "it printed nothing on stdout".to_owned(),
            };
            format!(
                "the build command `{command}` names no store path ({ended}): have it print what it built last, \
                 such as by `&& readlink -f result`"
            )
            .into()
        })
    }

    /// Builds the toplevel of a flake's host with Nix.
    fn by_flake(
        &mut self,
        reference: &str,
        host: Option<&str>,
        store: &Path,
    ) -> Result<String, Failure> {
        let installable = installable(reference, host)?;
        let mut nix = Command::new("nix");
        nix.args(["--extra-experimental-features", "nix-command flakes"]);
        // `--print-out-paths` came later than this.
        nix.args(["build", "--no-link", "--json"]);
        if store != Path::new("/") {
            nix.arg("--store").arg(store);
        }
        nix.arg(&installable);
        let output = self.run(nix, "nix", &format!("`nix build {installable}`"))?;
        built(&output).ok_or_else(|| format!("`nix build {installable}` names no output").into())
    }

    /// Runs a build to its end and gives the end of its stdout; its stderr is ours.
    fn run(&mut self, mut command: Command, program: &str, named: &str) -> Result<String, Failure> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        die_with_parent(&mut command);
        lead_session(&mut command);
        let Self { runtime, signals } = self;
        runtime.block_on(async {
            let mut child = tokio::process::Command::from(command)
                .spawn()
                .map_err(|error| not_started(program, &error))?;
            let ended = tokio::select! {
                ended = finish(&mut child) => Ok(ended?),
                by = signals.next() => Err(by),
            };
            match ended {
                Ok((status, stdout)) if status.success() => {
                    Ok(String::from_utf8_lossy(&stdout).into_owned())
                }
                Ok((status, _)) => Err(failed(named, status)),
                Err(by) => {
                    end(&mut child).await;
                    Err(format!("interrupted by {by}: {named} was ended, nothing is proven").into())
                }
            }
        })
    }
}

/// A derivation is no output.
fn names_store_path(line: &str, store: &Path) -> bool {
    let path = StorePath::parse(line).or_else(|_| match line.contains('/') {
        true => closure::in_store(store, line).map_err(|_| ()),
        false => Err(()),
    });
    path.is_ok_and(|path| !path.name().ends_with(".drv"))
}

/// The exit status and the end of what was printed.
async fn finish(child: &mut Child) -> io::Result<(ExitStatus, Vec<u8>)> {
    let mut kept = Vec::new();
    let group = group_of(child);
    let Some(mut stdout) = child.stdout.take() else {
        return Ok((child.wait().await?, kept));
    };
    let status = tokio::select! {
        biased;
        read = drain(&mut stdout, &mut kept) => {
            read?;
            child.wait().await?
        }
        status = child.wait() => {
            // What it left in the background may hold the pipe open for ever; what is in the pipe already is still to be read.
            let _ = timeout(STRAGGLERS, drain(&mut stdout, &mut kept)).await;
            status?
        }
    };
    kill(group, Signal::KILL);
    Ok((status, kept))
}

async fn drain(stdout: &mut ChildStdout, kept: &mut Vec<u8>) -> io::Result<()> {
    let mut chunk = [0; 8192];
    loop {
        let read = stdout.read(&mut chunk).await?;
        if read == 0 {
            return Ok(());
        }
        kept.extend_from_slice(&chunk[..read]);
        if kept.len() > 2 * KEPT {
            kept.drain(..kept.len() - KEPT);
        }
    }
}

/// Ends a build and all that it started.
async fn end(child: &mut Child) {
    let group = group_of(child);
    kill(group, Signal::TERM);
    let _ = timeout(GRACE, child.wait()).await;
    kill(group, Signal::KILL);
    let _ = child.wait().await;
}

fn group_of(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()?).ok()?)
}

/// A group that is gone already needs no signal.
fn kill(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        let _ = kill_process_group(group, signal);
    }
}

fn not_started(program: &str, error: &io::Error) -> Failure {
    match (error.kind(), program) {
        (io::ErrorKind::NotFound, "nix") => {
            "`nix` is not installed, and --flake needs it: install Nix, or name what you mean by its path"
                .into()
        }
        _ => format!("cannot start `{program}`: {error}").into(),
    }
}

fn failed(named: &str, status: ExitStatus) -> Failure {
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no exit status".to_owned(),
    };
    format!("{named} failed with {how}: nothing was looked at").into()
}

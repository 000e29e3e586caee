//! `bootproof debug`: the machine of a run once more, for a person at a terminal or for commands on stdin.

mod commands;
mod keys;
mod screen;
mod terminal;

use std::io::{self, IsTerminal as _, Read as _};
use std::thread;

use tokio::sync::mpsc;

use super::args::DebugArgs;
use super::signals::until_signal;
use super::{Exit, Failure, run_directory, tell};
use crate::fold::sanitise;
use crate::rehearsal::{Cache, Happening, Session, read_recording};
use keys::{Key, Keys};
use screen::Screen;
use terminal::Terminal;

/// Boots the machine of a run again.
pub(super) fn run(args: &DebugArgs) -> Result<Exit, Failure> {
    let (plan, observations) = read_recording(&args.run_dir)?;
    let directory = run_directory::cache_directory(args.cache.cache_dir.as_deref())?;
    if !directory.is_dir() {
        return Err(format!(
            "there is no cache {}: name that of the run with --cache-dir",
            directory.display()
        )
        .into());
    }
    let cache = Cache::open(&directory)
        .map_err(|error| format!("failed to open the cache {}: {error}", directory.display()))?;
    // Commands are read before a machine is started for them.
    let commands = match io::stdin().is_terminal() {
        true => None,
        false => Some(commands::read(io::stdin())?),
    };
    // Whatever ends it, the terminal is as it was.
    let session = async {
        let mut session = Session::start(&plan, &observations, &args.run_dir, &cache).await?;
        tell(&format!(
            "boots {} again, under {}; the kept disk stays as it is\n",
            args.run_dir.display(),
            session.accelerator()
        ));
        let exit = match &commands {
            Some(script) => commands::run(&mut session, script).await,
            None => converse(&mut session, args.shell).await,
        };
        session.stop().await;
        exit
    };
    until_signal(session, |by| {
        format!("interrupted by {by}: the machine is off").into()
    })
}

/// What the person sees and types at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Channel {
    Console,
    Shell,
}

const KEYS: &str =
    "Ctrl-] then s: root shell, c: console, q: end (takes the power), Ctrl-]: itself";

async fn converse(session: &mut Session, shell_first: bool) -> Result<Exit, Failure> {
    let ports = session.forwarded_ports().await?;
    for (guest, host) in ports {
        tell(&format!(
            "port {guest} of the guest is port {host} of 127.0.0.1\n"
        ));
    }
    tell(&format!("{KEYS}\n"));
    let terminal = Terminal::raw()?;
    let mut screen = Screen::new(io::stdout().is_terminal());
    let mut keys = Keys::default();
    let mut typed = read_typed();
    let mut wanted = if shell_first {
        Channel::Shell
    } else {
        Channel::Console
    };
    // A shell that is not there yet is waited for at the console.
    let mut shown = Channel::Console;
    loop {
        tokio::select! {
            happening = session.next() => match happening {
                Happening::Console(bytes) if shown == Channel::Console => screen.show(&bytes)?,
                Happening::Shell(bytes) if shown == Channel::Shell => screen.show(&bytes)?,
                Happening::Greeted if wanted == Channel::Shell => {
                    session.open_shell(&terminal.kind()).await?;
                    shown = Channel::Shell;
                    note("the root shell");
                }
                Happening::Greeted if shown == Channel::Console => {
                    note("a root shell is there: Ctrl-] s");
                }
                Happening::Reset => {
                    note("the machine was reset");
                    shown = Channel::Console;
                }
                Happening::Ended(how) => {
                    note(&format!("the machine went off ({})", sanitise::line(&how)));
                    return Ok(Exit::Pass);
                }
                _ => {}
            },
            bytes = typed.recv() => {
                let Some(bytes) = bytes else { return Ok(Exit::Pass) };
                for key in keys.take(&bytes) {
                    match key {
                        Key::Quit => return Ok(Exit::Pass),
                        Key::Help => note(KEYS),
                        Key::Console => {
                            (wanted, shown) = (Channel::Console, Channel::Console);
                            note("the console");
                        }
                        Key::Shell => {
                            wanted = Channel::Shell;
                            if session.open_shell(&terminal.kind()).await? {
                                shown = Channel::Shell;
                                note("the root shell");
                            } else {
                                note("no root shell yet: it is shown as soon as there is one");
                            }
                        }
                        Key::Bytes(bytes) => {
                            let taken = match shown {
                                Channel::Console => session.type_at_console(&bytes).await,
                                Channel::Shell => session.type_at_shell(&bytes).await,
                            };
                            if let Err(error) = taken {
                                note(&error.to_string());
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A line of bootproof's own between those of the guest.
fn note(text: &str) {
    tell(&format!("\r\n[bootproof: {text}]\r\n"));
}

/// The terminal's keys, read by a thread that nobody waits for.
fn read_typed() -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(16);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = io::stdin().read(&mut buffer) {
            if sender.blocking_send(buffer[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

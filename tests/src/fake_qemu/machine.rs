//! The process: reads its arguments as QEMU would, writes its pid down, and plays.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::os::unix::net::UnixStream;
use std::process;
use std::thread;
use std::time::Duration;

use super::monitor::Monitor;
use super::network;
use super::shell;
use super::{Act, DIRECTORY_VARIABLE, Directory, Role, Script};

/// Plays the script of the directory that the environment names.
pub fn main() {
    let args: Vec<String> = env::args().collect();
    if args.iter().any(|arg| arg == "--version") {
        println!("QEMU emulator version 7.2.22 (a fake that plays a script)");
        return;
    }
    let Some(directory) = env::var_os(DIRECTORY_VARIABLE).map(Directory::new) else {
        eprintln!("fake-qemu: {DIRECTORY_VARIABLE} is not set: bootproof's tests set it");
        process::exit(1);
    };
    // A harness that is gone shows as an error on its sockets.
    if let Err(error) = play(&directory, &args) {
        eprintln!("fake-qemu: {error}");
        process::exit(1);
    }
}

fn role_of(args: &[String]) -> Role {
    let has = |option: &str| args.iter().any(|arg| arg == option);
    if has("-debugcon") {
        Role::Proof
    } else if has("-kernel") {
        Role::Provision
    } else {
        Role::Boot
    }
}

fn play(directory: &Directory, args: &[String]) -> io::Result<()> {
    let role = role_of(args);
    let name = format!("{}-{}", role.as_str(), process::id());
    File::create(directory.pids().join(name))?;
    let script: Script = serde_json::from_slice(&fs::read(directory.script())?)?;
    let mut machine = Machine {
        args,
        monitor: None,
        console: chardev(args, "console"),
        shell: chardev(args, "shell-virtio"),
        serial: chardev(args, "shell-serial"),
    };
    for act in script.acts(role) {
        machine.perform(act, directory)?;
    }
    Ok(())
}

struct Machine<'a> {
    args: &'a [String],
    monitor: Option<Monitor>,
    /// The tiny guest has neither console nor shell.
    console: Option<UnixStream>,
    shell: Option<UnixStream>,
    serial: Option<UnixStream>,
}

impl Machine<'_> {
    fn perform(&mut self, act: &Act, directory: &Directory) -> io::Result<()> {
        match act {
            Act::ProveAccelerator => {
                print!("<>");
                io::stdout().flush()?;
                // What isa-debug-exit makes of the tiny guest's 0x10.
                process::exit(33);
            }
            Act::OpenMonitor => {
                let stream = chardev(self.args, "qmp").ok_or_else(lacking)?;
                let ports = network::serve(self.args)?;
                self.monitor = Some(Monitor::open(stream, ports)?);
            }
            Act::RefuseMonitor(reason) => {
                Monitor::refuse(chardev(self.args, "qmp").ok_or_else(lacking)?, reason)?;
            }
            Act::Console(text) => say(self.console.as_mut(), text)?,
            Act::HearConsole(text) => hear(self.console.as_mut(), text)?,
            Act::Serial(text) => say(self.serial.as_mut(), text)?,
            Act::HearSerial(text) => hear(self.serial.as_mut(), text)?,
            Act::GreetShell(boot_id) => {
                say(self.shell.as_mut(), &format!("BOOTPROOF HELLO {boot_id}\n"))?;
            }
            Act::Serve(answers) => shell::serve(self.shell.as_mut().ok_or_else(lacking)?, answers)?,
            Act::Reset => self.monitor.as_ref().ok_or_else(lacking)?.reset()?,
            Act::ResetForEver(text) => loop {
                say(self.console.as_mut(), text)?;
                self.monitor.as_ref().ok_or_else(lacking)?.reset()?;
            },
            Act::Exit { code, stderr } => {
                eprintln!("{stderr}");
                process::exit(*code);
            }
            Act::CrashAtMost(times) => {
                let crashes = directory.crashes();
                let before = fs::read(&crashes).map_or(0, |marks| marks.len());
                if before < *times {
                    fs::write(&crashes, vec![b'x'; before + 1])?;
                    process::abort();
                }
            }
            Act::IgnoreRequestsToEnd => {
                // SAFETY: ignoring a signal runs no handler.
                unsafe { libc::signal(libc::SIGTERM, libc::SIG_IGN) };
                self.monitor.as_ref().ok_or_else(lacking)?.ignore_quit();
            }
            Act::RefusePictures => self.monitor.as_ref().ok_or_else(lacking)?.refuse_pictures(),
            Act::Hang => {
                File::create(directory.hanging())?;
                loop {
                    thread::park();
                }
            }
        }
        Ok(())
    }
}

fn lacking() -> io::Error {
    io::Error::other("the script asks for something that this machine does not have")
}

fn say(stream: Option<&mut UnixStream>, text: &str) -> io::Result<()> {
    let stream = stream.ok_or_else(lacking)?;
    stream.write_all(text.as_bytes())?;
    until_heard(stream)
}

/// Reads until `text` was typed.
fn hear(stream: Option<&mut UnixStream>, text: &str) -> io::Result<()> {
    let stream = stream.ok_or_else(lacking)?;
    let mut heard = Vec::new();
    let mut byte = [0];
    while !heard.ends_with(text.as_bytes()) {
        stream.read_exact(&mut byte)?;
        heard.push(byte[0]);
    }
    Ok(())
}

/// Waits until the harness has read all that was said: what is said on two lines is then heard in the order it was said in.
pub(super) fn until_heard(stream: &UnixStream) -> io::Result<()> {
    loop {
        let mut unread: libc::c_int = 0;
        // SAFETY: the descriptor is open, and TIOCOUTQ writes one int.
        let result = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut unread) };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        if unread == 0 {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// The socket behind `-chardev socket,id=ID,fd=N,…`.
fn chardev(args: &[String], id: &str) -> Option<UnixStream> {
    let prefix = format!("socket,id={id},fd=");
    let number = args
        .iter()
        .find_map(|arg| arg.strip_prefix(&prefix))?
        .split(',')
        .next()?
        .parse()
        .ok()?;
    // SAFETY: the harness hands this descriptor over for this use, and each is asked for once.
    Some(unsafe { UnixStream::from_raw_fd(number) })
}

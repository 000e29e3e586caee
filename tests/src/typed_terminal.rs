//! A terminal with nobody at it: a test types and reads.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

/// Far above what anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A pseudo-terminal (pty(7)).
pub struct Terminal {
    keyboard: File,
    /// The end that a program has; open here too, so that the terminal outlives it.
    line: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    /// A new one.
    pub fn open() -> Self {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let name = ptsname(&keyboard, Vec::new()).unwrap();
        let place = Path::new(std::ffi::OsStr::from_bytes(name.as_bytes()));
        let line = fs::OpenOptions::new().read(true).write(true).open(place);
        let keyboard = File::from(keyboard);
        let (sender, screen) = channel();
        let mut read = keyboard.try_clone().unwrap();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = read.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            keyboard,
            line: line.unwrap(),
            screen,
            seen: String::new(),
        }
    }

    /// For a program's stdin, stdout or stderr.
    pub fn stdio(&self) -> Stdio {
        self.line.try_clone().unwrap().into()
    }

    pub fn type_keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until `text` is on the screen, after all that was waited for before.
    pub fn wait_for(&mut self, text: &str) {
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            let Ok(bytes) = self.screen.recv_timeout(PATIENCE) else {
                panic!("waited in vain for {text:?}, and saw {:?}", self.seen);
            };
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    /// Whether keys go to the program one by one, and without being shown.
    pub fn is_raw(&self) -> bool {
        let modes = tcgetattr(&self.line).unwrap().local_modes;
        !modes.intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }
}

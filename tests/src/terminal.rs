//! A terminal that bootproof runs in: a pseudo-terminal, and what a person would see on it.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Child, Command, ExitStatus};
use std::thread::JoinHandle;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

/// A program in a terminal of its own.
pub struct Terminal {
    child: Child,
    master: File,
    /// Kept open, so that the terminal's settings can be asked for when the program has ended.
    slave: File,
    before: Termios,
    output: JoinHandle<Vec<u8>>,
    rows: u16,
    columns: u16,
}

/// What was left on the terminal when its program had ended.
pub struct Left {
    pub status: ExitStatus,
    /// All that was written, escape sequences too.
    pub raw: String,
    /// The lines that a person sees, the last ones.
    pub lines: Vec<String>,
    pub cursor_column: u16,
    pub cursor_is_hidden: bool,
}

impl Terminal {
    /// Starts `command` in a terminal of this size, as a session of its own that Ctrl-C reaches.
    pub fn start(command: &Command, rows: u16, columns: u16) -> Self {
        let master =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = OpenOptions::new()
            .read(true)
            .write(true)
            // It must not become that of the tests.
            .custom_flags(libc::O_NOCTTY | libc::O_CLOEXEC)
            .open(name.to_str().unwrap())
            .unwrap();
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&slave, size).unwrap();
        let before = tcgetattr(&slave).unwrap();
        // setsid(1) of util-linux makes the terminal that of the new session, for which we would need unsafe code.
        let mut session = Command::new("setsid");
        session
            .args(["--ctty", "--wait"])
            .arg(command.get_program());
        session.args(command.get_args()).env_clear();
        session.envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        if let Some(directory) = command.get_current_dir() {
            session.current_dir(directory);
        }
        let end = || slave.try_clone().unwrap();
        let child = session
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        let master = File::from(master);
        let mut reader = master.try_clone().unwrap();
        let output = std::thread::spawn(move || {
            let mut all = Vec::new();
            // It ends with EIO, when nobody has the terminal open any more.
            let _ = reader.read_to_end(&mut all);
            all
        });
        Self {
            child,
            master,
            slave,
            before,
            output,
            rows,
            columns,
        }
    }

    /// Presses Ctrl-C.
    pub fn interrupt(&mut self) {
        self.master.write_all(b"\x03").unwrap();
    }

    /// Waits for the end of the program, and panics if it changed the terminal's settings.
    pub fn end(mut self) -> Left {
        let status = self.child.wait().unwrap();
        let after = tcgetattr(&self.slave).unwrap();
        assert_eq!(after.local_modes, self.before.local_modes);
        assert_eq!(after.input_modes, self.before.input_modes);
        assert_eq!(after.output_modes, self.before.output_modes);
        drop(self.slave);
        let raw = self.output.join().unwrap();
        let mut screen = vt100::Parser::new(
            self.rows.try_into().unwrap(),
            self.columns.try_into().unwrap(),
            0,
        );
        screen.process(&raw);
        let screen = screen.screen();
        let lines = screen.rows(0, self.columns);
        Left {
            status,
            raw: String::from_utf8_lossy(&raw).into_owned(),
            lines: lines.map(|line| line.trim_end().to_owned()).collect(),
            cursor_column: screen.cursor_position().1,
            cursor_is_hidden: screen.hide_cursor(),
        }
    }
}

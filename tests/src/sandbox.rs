//! A place of its own for each test: a store, a fake QEMU first in `PATH`, and every directory that bootproof writes to.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::FakeToplevel;
use crate::executable::write_executable;
use crate::fake_qemu::{DIRECTORY_VARIABLE, Directory, Script};

/// Nothing outside of it is written by a test; it is removed when this goes.
#[derive(Debug)]
pub struct Sandbox {
    root: tempfile::TempDir,
    path: OsString,
    pub qemu: Directory,
    pub toplevel: FakeToplevel,
    pub baseline: FakeToplevel,
}

/// How long a test waits for what another process does; far above what it takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

impl Sandbox {
    /// A sandbox whose QEMU plays `script`.
    pub fn with_guest(guest: impl FnOnce(&FakeToplevel) -> Script) -> Self {
        let sandbox = Self::new();
        sandbox.play(&guest(&sandbox.toplevel));
        sandbox
    }

    /// A sandbox whose QEMU has no script yet.
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for name in ["bin", "qemu/pids", "tmp", "home", "work"] {
            fs::create_dir_all(root.path().join(name)).unwrap();
        }
        let bin = root.path().join("bin");
        symlink(program("fake-qemu"), bin.join("qemu-system-x86_64")).unwrap();
        let host = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths([bin].into_iter().chain(env::split_paths(&host))).unwrap();
        Self {
            toplevel: FakeToplevel::make(&root.path().join("store"), "nixos-system-new").unwrap(),
            baseline: FakeToplevel::make(&root.path().join("store"), "nixos-system-old").unwrap(),
            qemu: Directory::new(root.path().join("qemu")),
            path,
            root,
        }
    }

    /// From now on the fake QEMU plays `script`.
    pub fn play(&self, script: &Script) {
        fs::write(self.qemu.script(), serde_json::to_vec(script).unwrap()).unwrap();
    }

    /// Leaves nothing in `PATH` but links to the named programs, of this sandbox or of the host.
    pub fn only_with(mut self, programs: &[&str]) -> Self {
        let few = self.place("few");
        fs::create_dir(&few).unwrap();
        for name in programs {
            let found = env::split_paths(&self.path)
                .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
                .map(|directory| directory.join(name))
                .find(|place| place.exists())
                .unwrap_or_else(|| {
                    panic!("{name} is not on this host: `cargo xtask test` installs it")
                });
            symlink(found, few.join(name)).unwrap();
        }
        self.path = few.into();
        self
    }

    /// Makes a tool of the host say that it hangs, and wait until the file exists whose path is returned.
    pub fn slow_down(&self, tool: &str) -> PathBuf {
        let go = self.place("go");
        let script = format!(
            "#!/bin/sh\n: > '{}'\nwhile [ ! -e '{}' ]; do sleep 0.01; done\nPATH=${{PATH#*:}} exec {tool} \"$@\"\n",
            self.qemu.hanging().display(),
            go.display()
        );
        let place = self.place("bin").join(tool);
        write_executable(&place, &script);
        go
    }

    /// A path of the sandbox.
    pub fn place(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn run_directory(&self) -> PathBuf {
        self.place("run")
    }

    pub fn cache(&self) -> PathBuf {
        self.place("cache")
    }

    /// bootproof in this sandbox, as a child of the thread that calls this.
    pub fn process(&self) -> Command {
        let mut command = Command::new(program("bootproof-under-test"));
        command
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", self.place("home"))
            .env("TMPDIR", self.place("tmp"))
            .env("BOOTPROOF_CACHE_DIR", self.cache())
            .env("BOOTPROOF_RUNS_DIR", self.place("runs"))
            .env(DIRECTORY_VARIABLE, self.qemu.path())
            .current_dir(self.place("work"));
        command
    }

    /// `bootproof ARGS` with assertions.
    pub fn bootproof<S: AsRef<std::ffi::OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
    ) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::from_std(self.process());
        // A hang shall fail one test and not stop all.
        command.timeout(2 * PATIENCE).args(args);
        command
    }

    /// `bootproof test` of the sandbox's toplevel, recorded in [`Sandbox::run_directory`].
    pub fn rehearsal(&self) -> assert_cmd::Command {
        self.bootproof(self.rehearsal_args())
    }

    /// The arguments of [`Sandbox::rehearsal`].
    pub fn rehearsal_args(&self) -> Vec<OsString> {
        let mut args = self.toplevel_args();
        args.extend(["--run-dir".into(), self.run_directory().into()]);
        args
    }

    /// The same without a directory for the recording.
    pub fn toplevel_args(&self) -> Vec<OsString> {
        let root = self.toplevel.root().as_os_str();
        let toplevel = self.toplevel.path.as_ref();
        [
            "test".as_ref(),
            "--store".as_ref(),
            root,
            "--toplevel".as_ref(),
            toplevel,
        ]
        .map(|arg: &std::ffi::OsStr| arg.to_owned())
        .into()
    }

    /// Waits until a fake QEMU says that it hangs.
    pub fn wait_for_hang(&self) {
        self.wait("a fake QEMU that hangs", || self.qemu.hanging().exists());
    }

    /// Waits until no fake QEMU is alive: the kernel kills one some time after its parent is gone.
    pub fn wait_until_qemu_is_gone(&self) {
        assert!(!self.qemu.started().is_empty(), "no fake QEMU was started");
        self.wait("the end of every fake QEMU", || {
            self.qemu.alive().is_empty()
        });
    }

    /// Waits until `happened`, within reason.
    pub fn wait(&self, what: &str, mut happened: impl FnMut() -> bool) {
        let began = Instant::now();
        while !happened() {
            assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Panics if bootproof wrote anything but its cache and the recordings.
    pub fn assert_no_litter(&self) {
        for name in ["tmp", "home", "work"] {
            assert_eq!(names_in(&self.place(name)), [""; 0], "litter in {name}");
        }
    }

    /// Panics if bootproof wrote anything at all.
    pub fn assert_untouched(&self) {
        self.assert_no_litter();
        for name in ["run", "runs", "cache"] {
            assert!(!self.place(name).exists(), "{name} was made");
        }
    }

    /// The names of the finished disks in the cache.
    pub fn cached_disks(&self) -> Vec<String> {
        self.entries(false)
    }

    /// The names of the disks in the cache that have no bootloader yet.
    pub fn fresh_disks(&self) -> Vec<String> {
        self.entries(true)
    }

    fn entries(&self, fresh: bool) -> Vec<String> {
        let mut names = names_in(&self.cache().join("disks"));
        names.retain(|name| name.starts_with("fresh-") == fresh);
        names
    }

    /// The names of what is being made in the cache, or was left there.
    pub fn workshops(&self) -> Vec<String> {
        names_in(&self.cache().join("tmp"))
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

/// The names in a directory, sorted; none where there is no such directory.
pub fn names_in(directory: &Path) -> Vec<String> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        entries => entries.unwrap(),
    };
    let names: BTreeSet<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.into_iter().collect()
}

/// A program of this package, which cargo builds next to the directory of the tests' executables.
fn program(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let place = test.parent().and_then(Path::parent).unwrap().join(name);
    assert!(
        place.exists(),
        "{} is not there: build it with `cargo build --workspace`, or run `cargo xtask test`",
        place.display()
    );
    place
}

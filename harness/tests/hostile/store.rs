//! A closure directory with one toplevel, to be filled with what no honest closure has, and inspected under limits.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const TOPLEVEL: &str =
    "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-nixos-system-test-24.11";
/// Kilobytes of address space, stacks of threads and the program's own 100 MB of debug build included.
const MEMORY_KB: u64 = 2 << 20;
/// A hang is for ever: this is for a slow machine.
const PATIENCE: Duration = Duration::from_secs(300);

pub(crate) struct Store {
    pub(crate) root: tempfile::TempDir,
}

impl Store {
    /// The least that counts as a toplevel; its `init` cannot be executed.
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        // A closure directory: without a list the references would be looked for in every byte.
        fs::write(root.path().join("store-paths"), format!("{TOPLEVEL}\n")).unwrap();
        let store = Self { root };
        for name in ["init", "kernel", "initrd", "kernel-params"] {
            store.file(name, "");
        }
        store.file("system", "x86_64-linux");
        fs::create_dir_all(store.host("etc/systemd/system")).unwrap();
        store
    }

    pub(crate) fn host(&self, below: &str) -> PathBuf {
        self.root.path().join(&TOPLEVEL[1..]).join(below)
    }

    pub(crate) fn file(&self, below: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let host = self.host(below);
        fs::create_dir_all(host.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&host);
        fs::write(&host, content).unwrap();
        host
    }

    pub(crate) fn program(&self, below: &str, content: impl AsRef<[u8]>) {
        let host = self.file(below, content);
        fs::set_permissions(host, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn unit(&self, name: &str, content: impl AsRef<[u8]>) {
        self.file(&format!("etc/systemd/system/{name}"), content);
    }

    pub(crate) fn link(&self, below: &str, target: impl AsRef<Path>) {
        let host = self.host(below);
        fs::create_dir_all(host.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&host);
        symlink(target, host).unwrap();
    }

    /// A file of that many bytes, all of them zero, which take no room on the disk.
    pub(crate) fn sparse(&self, below: &str, size: u64) {
        let host = self.file(below, "");
        fs::File::options()
            .write(true)
            .open(host)
            .unwrap()
            .set_len(size)
            .unwrap();
    }

    pub(crate) fn nginx(&self, config: impl AsRef<[u8]>) {
        self.file("etc/nginx/nginx.conf", config);
        self.unit(
            "nginx.service",
            "[Service]\nExecStart=/nginx -c /etc/nginx/nginx.conf\n",
        );
    }

    /// The report as JSON. It must come, and from a closure as bad as these it must not be `pass`.
    pub(crate) fn inspect(&self) -> serde_json::Value {
        serde_json::from_str(&self.report("json")).unwrap()
    }

    /// The report in a form, which must not steer a terminal.
    pub(crate) fn report(&self, format: &str) -> String {
        let output = self.run(format);
        let stderr = String::from_utf8(output.stderr).unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let code = output.status.code();
        assert!(matches!(code, Some(1 | 3)), "{format} {code:?}: {stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
        let text = stdout + &stderr;
        for c in text.chars() {
            assert!(c == '\n' || !is_unfit(c), "{format}: {c:?} in {text}");
        }
        let longest = text.lines().map(str::len).max().unwrap();
        assert!(longest < 3_000, "{format}: a line of {longest} bytes");
        text
    }

    fn run(&self, format: &str) -> Output {
        let mut child = Command::new("sh")
            .arg("-c")
            .arg(format!("ulimit -v {MEMORY_KB} && exec \"$@\""))
            .arg("sh")
            .arg(env!("CARGO_BIN_EXE_bootproof"))
            .args(["inspect", "--closure"])
            .arg(self.root.path())
            .args(["--format", format])
            .env("NO_COLOR", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let id = child.id();
        let pipes = (child.stdout.take(), child.stderr.take());
        let reader = thread::spawn(move || {
            let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
            std::io::copy(&mut pipes.0.unwrap(), &mut stdout).unwrap();
            std::io::copy(&mut pipes.1.unwrap(), &mut stderr).unwrap();
            (stdout, stderr)
        });
        let begun = Instant::now();
        while !reader.is_finished() {
            if begun.elapsed() > PATIENCE {
                child.kill().unwrap();
                panic!("process {id} does not end");
            }
            thread::sleep(Duration::from_millis(20));
        }
        let (stdout, stderr) = reader.join().unwrap();
        let status = child.wait().unwrap();
        Output {
            status,
            stdout,
            stderr,
        }
    }
}

/// Control characters, and those that change the direction of a line or have no width.
fn is_unfit(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

//! The audit over a fake ssh, which runs the script on a directory that stands for a machine's root.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Output;

use bootproof_tests::executable::write_executable;
use bootproof_tests::sandbox::names_in;
use bootproof_tests::{Sandbox, fake_formats};
use predicates::str::{contains, starts_with};

const OLD: &str = "/nix/store/11111111111111111111111111111111-nixos-system-web-1";
const NEW: &str = "/nix/store/22222222222222222222222222222222-nixos-system-web-2";

/// A machine that is a directory.
struct Machine {
    sandbox: Sandbox,
    root: PathBuf,
}

impl Machine {
    /// One that booted a healthy x86_64 system and runs it.
    fn new() -> Self {
        let sandbox = Sandbox::new();
        fs::create_dir(sandbox.place("machine")).unwrap();
        let root = sandbox.place("machine").canonicalize().unwrap();
        let machine = Self { sandbox, root };
        machine.program(
            "uname",
            "case $1 in -m) echo x86_64 ;; -r) echo 6.6.63 ;; esac",
        );
        machine.program("id", "echo 0");
        machine.program(
            "systemctl",
            "case $1 in is-system-running) echo running ;; *) printf 'Id=alpha.service\\nActiveState=active\\nNRestarts=0\\n' ;; esac",
        );
        let root = machine.root.display();
        machine.program(
            "ssh",
            &format!("for command; do :; done\nBOOTPROOF_ROOT='{root}' exec $command"),
        );
        machine.write("proc/mounts", "/dev/vda1 / ext4 rw 0 0\n");
        machine.write("proc/uptime", "604800.10 1.0\n");
        machine.system(OLD, &fake_formats::bzimage(), &fake_formats::elf());
        machine.link("run/booted-system", OLD);
        machine.activate(OLD);
        machine
    }

    /// The same in the week before the outage: an i686 system was deployed, with three x86_64 services.
    fn before_the_outage() -> Self {
        let machine = Self::new();
        machine.system(NEW, &bzimage_of_32_bits(), &elf_of_32_bits());
        machine.activate(NEW);
        machine
    }

    fn program(&self, name: &str, body: &str) {
        let path = self.sandbox.place("bin").join(name);
        write_executable(&path, &format!("#!/bin/sh\n{body}\n"));
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.root.join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn link(&self, path: &str, target: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        symlink(self.root.join(target.trim_start_matches('/')), path).unwrap();
    }

    fn system(&self, path: &str, kernel: &[u8], systemd: &[u8]) {
        self.write(&format!("{path}/init"), "#!/bin/sh\n");
        self.write(&format!("{path}/system"), "x86_64-linux");
        self.write(&format!("{path}/kernel"), kernel);
        self.write(&format!("{path}/initrd"), "initrd");
        self.write(&format!("{path}/systemd/lib/systemd/systemd"), systemd);
        let units = format!("{path}/etc/systemd/system");
        self.write(&format!("{units}/multi-user.target"), "[Unit]\n");
        self.link(
            &format!("{}/default.target", &units[1..]),
            &format!("{units}/multi-user.target"),
        );
        for name in ["alpha", "beta", "gamma"] {
            let program = format!("/nix/store/33333333333333333333333333333333-{name}/bin/{name}");
            self.write(&program, fake_formats::elf());
            let unit = format!("{units}/{name}.service");
            self.write(&unit, format!("[Service]\nExecStart={program}\n"));
            let wants = format!("{}/multi-user.target.wants/{name}.service", &units[1..]);
            self.link(&wants, &unit);
        }
    }

    /// What `nixos-rebuild switch` leaves.
    fn activate(&self, path: &str) {
        self.link("run/current-system", path);
        self.link("nix/var/nix/profiles/system", path);
        self.write(
            "boot/grub/grub.cfg",
            format!("set default=0\nmenuentry 'NixOS' {{\nlinux {path}/kernel init={path}/init\ninitrd {path}/initrd\n}}\n"),
        );
    }

    fn audit(&self, more: &[&str]) -> assert_cmd::Command {
        self.sandbox
            .bootproof([&["audit", "root@web"], more].concat())
    }

    fn output(&self, more: &[&str]) -> Output {
        self.audit(more).output().unwrap()
    }
}

fn bzimage_of_32_bits() -> Vec<u8> {
    let mut image = fake_formats::bzimage();
    image[0x236] = 0;
    image
}

fn elf_of_32_bits() -> Vec<u8> {
    let mut header = fake_formats::elf();
    (header[4], header[18]) = (1, 3);
    header
}

#[test]
fn a_healthy_machine_passes() {
    let machine = Machine::new();
    machine.audit(&[]).assert().code(0).stderr(starts_with(
        "pass: the next boot starts what runs now (x86_64-linux)",
    ));
    machine.sandbox.assert_untouched();
}

#[test]
fn one_reboot_away_from_an_outage_is_said_in_the_first_line() {
    let machine = Machine::before_the_outage();
    let told = machine.output(&["--format", "json"]);
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    let audit: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(
        audit["headline"],
        "fail: one reboot away from an outage: the next boot starts an i686-linux kernel where an x86_64-linux kernel runs now, \
         and these 3 units cannot run: alpha.service, beta.service and gamma.service (x86_64) [root@web]"
    );
    assert_eq!(audit["next"]["kernel"], "i686-linux");
    machine.audit(&["--format", "markdown"]).assert().code(1);
}

#[test]
fn nothing_is_changed_on_the_machine() {
    let machine = Machine::before_the_outage();
    let listed = || {
        let listing = std::process::Command::new("find")
            .args([machine.root.to_str().unwrap(), "-printf", "%p %l %s %T@\n"])
            .output()
            .unwrap();
        listing.stdout
    };
    let before = listed();
    machine.audit(&[]).assert().code(1);
    assert_eq!(listed(), before);
}

#[test]
fn the_metrics_are_written_at_once_and_for_all_to_read() {
    let machine = Machine::before_the_outage();
    let directory = machine.sandbox.place("metrics");
    fs::create_dir(&directory).unwrap();
    let path = directory.join("bootproof.prom");
    fs::write(&path, "old").unwrap();
    let textfile = path.to_str().unwrap();
    machine.audit(&["--textfile", textfile]).assert().code(1);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("bootproof_audit_verdict{machine=\"root@web\",verdict=\"fail\"} 1\n"));
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o644
    );
    assert_eq!(names_in(&directory), ["bootproof.prom"]);

    let nowhere = machine.sandbox.place("gone/x.prom");
    let told = machine
        .audit(&["--textfile", nowhere.to_str().unwrap()])
        .assert()
        .code(2);
    told.stderr(contains("cannot write the metrics to"));
}

#[test]
fn this_machine_is_audited_without_ssh() {
    let machine = Machine::before_the_outage();
    machine.program("ssh", "echo ssh was called >&2; exit 255");
    let mut command = machine.sandbox.bootproof(["audit", "--local"]);
    let told = command.env("BOOTPROOF_ROOT", &machine.root).assert();
    told.code(1).stderr(contains(
        "alpha.service, beta.service and gamma.service (x86_64) [this machine]",
    ));
}

#[test]
fn the_files_of_the_next_boot_are_inspected_where_they_are_in_a_store_here() {
    let machine = Machine::new();
    let path = machine.sandbox.toplevel.path.clone();
    machine.system(&path, &fake_formats::bzimage(), &fake_formats::elf());
    machine.activate(&path);
    let root = machine.sandbox.toplevel.root().to_str().unwrap();
    let told = machine.output(&["--store", root, "--format", "json"]);
    let audit: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told.status.code(), Some(0), "{audit:#}");
    let inspection = audit["inspection"].as_str().unwrap_or_default();
    assert!(inspection.starts_with("pass: "), "{audit:#}");
}

#[test]
fn bad_use_and_machines_that_cannot_be_asked_end_with_2() {
    let machine = Machine::new();
    for (args, said) in [
        (&["audit"][..], "<HOST>"),
        (&["audit", "root@web", "--local"], "cannot be used with"),
        (&["audit", "-oProxyCommand=x"], "unexpected argument"),
        (&["audit", "a b"], "is no destination of ssh"),
    ] {
        let told = machine.sandbox.bootproof(args).assert().code(2);
        told.stderr(contains(said));
    }
    for (ssh, said) in [
        (
            "echo 'no route to host' >&2; exit 255",
            "ssh cannot reach root@web: no route to host",
        ),
        ("exit 0", "its shell gave no answer"),
        (
            "echo 'This account is not available'; echo denied >&2; exit 1",
            "(`denied`)",
        ),
        ("exec yes", "printed more than"),
        (
            "cat >/dev/null; head -c 1000000 /dev/urandom",
            "its shell gave no answer",
        ),
        ("kill -9 $$", "its shell gave no answer"),
        (
            "BOOTPROOF_ROOT=/nonexistent exec sh -s",
            "it is no NixOS machine",
        ),
    ] {
        machine.program("ssh", ssh);
        let told = machine.audit(&[]).assert().code(2);
        told.stderr(contains(said));
    }
}

#[test]
fn an_answer_that_is_cut_off_or_lies_is_never_a_pass() {
    let machine = Machine::before_the_outage();
    let root = machine.root.display().to_string();
    for filter in [
        // Some lengths at which a connection may end.
        "head -c 300",
        "head -c 3000",
        // Every frame ends well and is empty.
        "sed -n '/^=/p'",
        // No frame ends.
        "sed '/ end /d'",
        // All bodies are escape sequences.
        "sed 's/^[^=].*/\\x1b]0;x\\x07\\x1b[2Jx/'",
    ] {
        machine.program(
            "ssh",
            &format!("for command; do :; done\nBOOTPROOF_ROOT='{root}' $command | {filter}"),
        );
        let told = machine.output(&[]);
        let code = told.status.code().unwrap_or_default();
        assert!([1, 2, 3].contains(&code), "{filter}: {told:?}");
        let said = String::from_utf8(told.stderr).unwrap();
        assert!(
            !said.contains('\x1b') && !said.contains("panicked"),
            "{filter}: {said}"
        );
    }
}

//! `bootproof deploy` against a host behind a fake ssh: only what was proven arrives, and what arrived is told as it is.

use std::fs;
use std::path::Path;

use bootproof::receipt::{Receipt, Sealed, SecretKey};
use bootproof::vocabulary::{Accelerator, Step, System, TargetMachine, Verdict};
use bootproof::{closure, receipt};
use bootproof_tests::{FakeHost, Sandbox};

/// A host `web` that runs the sandbox's baseline, a store with the candidate, and a receipt for the one upon the other.
struct Deploy {
    sandbox: Sandbox,
    host: FakeHost,
    key: SecretKey,
}

impl Deploy {
    /// Without a receipt.
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.toplevel.write_registration('1').unwrap();
        let store = sandbox.place("store");
        fs::create_dir_all(store.join("nix/var/nix/db")).unwrap();
        fs::write(store.join("nix/var/nix/db/db.sqlite"), "").unwrap();
        let host = FakeHost::make(
            sandbox.place("host"),
            &sandbox.place("bin"),
            &store,
            &sandbox.baseline.path,
        );
        let key = SecretKey::from_seed("ci-1", &[1; 32]).unwrap();
        let deploy = Self { sandbox, host, key };
        deploy.configure("");
        deploy
    }

    fn proven() -> Self {
        let deploy = Self::new();
        deploy.proves(|_| {});
        deploy
    }

    fn place(&self, name: &str) -> String {
        self.sandbox.place(name).to_str().unwrap().to_owned()
    }

    fn configure(&self, more: &str) {
        let text = format!(
            "format_version = 1\ntrusted_keys = [\"{}\"]\n[hosts.web]\nssh = \"root@web\"\n[hosts.db]\n{more}",
            self.key.public()
        );
        fs::write(self.place("bootproof.toml"), text).unwrap();
    }

    /// Leaves a receipt of the candidate upon the baseline for `web`, but for what is changed of it.
    fn proves(&self, change: impl FnOnce(&mut Receipt)) {
        let source = closure::Source::Directory {
            dir: self.sandbox.place("store"),
        };
        let identify =
            |path: &str| closure::identify(&closure::resolve(&source, path).unwrap()).unwrap();
        let mut receipt = Receipt {
            made_at: jiff::Timestamp::now(),
            tool_version: "0.1.0".to_owned(),
            verdict: Verdict::Pass,
            host: Some("web".to_owned()),
            candidate: identify(&self.sandbox.toplevel.path),
            baseline: Some(identify(&self.sandbox.baseline.path)),
            target: TargetMachine::default(),
            expect_system: System::X86_64Linux,
            accelerator: Accelerator::Tcg,
            qemu: "7.2.22".to_owned(),
            steps: vec![Step::Boot, Step::Switch, Step::WarmReboot],
            report: "ef".repeat(32),
        };
        change(&mut receipt);
        self.seals(&receipt, &self.key);
    }

    fn seals(&self, receipt: &Receipt, key: &SecretKey) {
        let directory = self.sandbox.place("receipts");
        fs::create_dir_all(&directory).unwrap();
        let text = receipt::Sealed::seal(receipt, key).unwrap().to_text();
        fs::write(directory.join("r.receipt"), text).unwrap();
    }

    fn receipt(&self) -> Receipt {
        let bytes = fs::read(self.place("receipts/r.receipt")).unwrap();
        Sealed::parse(&bytes).unwrap().receipt
    }

    /// `bootproof deploy --host web ARGS`: how it ends, and all that it says.
    fn run(&self, args: &[&str]) -> (i32, String) {
        let (store, config) = (self.place("store"), self.place("bootproof.toml"));
        let fixed = [
            "deploy", "--host", "web", "--store", &store, "--config", &config,
        ];
        let output = self
            .sandbox
            .bootproof([&fixed[..], args].concat())
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(
            !told.contains("panicked") && !told.contains('\u{1b}'),
            "{told}"
        );
        (output.status.code().unwrap(), told)
    }

    /// The same for the candidate.
    fn candidate(&self) -> (i32, String) {
        self.run(&[&self.sandbox.toplevel.path])
    }

    fn assert(&self, (code, told): (i32, String), expected: i32, words: &[&str]) {
        assert_eq!(code, expected, "{told}");
        for word in words {
            assert!(told.contains(word), "{word}: {told}");
        }
    }

    /// Nothing was copied and nothing activated.
    fn assert_untouched(&self) {
        let log = self.host.log();
        let only_asked = log.iter().all(|line| line.starts_with("ssh "));
        assert!(only_asked, "{log:?}");
        self.assert_not_activated();
    }

    fn assert_not_activated(&self) {
        let log = self.host.log();
        assert!(
            !log.iter().any(|line| line.starts_with("nix-env")),
            "{log:?}"
        );
        assert!(
            !log.iter()
                .any(|line| line.contains("switch-to-configuration switch")),
            "{log:?}"
        );
        assert_eq!(self.host.told("system"), self.sandbox.baseline.path);
    }
}

#[test]
fn what_was_proven_is_copied_activated_and_proven_to_be_there() {
    let deploy = Deploy::proven();
    let (store, new) = (deploy.place("store"), deploy.sandbox.toplevel.path.clone());
    let told = deploy.run(&[]);
    let words = [
        "the newest receipt for web is of",
        "may be deployed to web",
        "| activating the configuration...",
        "pass: web runs",
        "the next boot starts the candidate",
    ];
    deploy.assert(told, 0, &words);
    let log = deploy.host.log();
    let done: Vec<&str> = log
        .iter()
        .map(String::as_str)
        .filter(|line| !line.starts_with("ssh "))
        .collect();
    let run = "systemd-run -E LOCALE_ARCHIVE -E NIXOS_INSTALL_BOOTLOADER= --collect --no-ask-password --quiet --service-type=exec --wait \
               --unit=nixos-rebuild-switch-to-configuration";
    let log_file = "--property=StandardOutput=append:/run/bootproof-switch.log --property=StandardError=append:/run/bootproof-switch.log";
    assert_eq!(
        done,
        [
            format!("nix-copy-closure --store {store} --to root@web {new}"),
            format!("{run} true"),
            format!("nix-env --profile /nix/var/nix/profiles/system --set {new}"),
            format!("{run} {log_file} {new}/bin/switch-to-configuration switch"),
        ]
    );
    let ssh = "ssh -oConnectTimeout=30 -oServerAliveInterval=10 -oServerAliveCountMax=3 -T -- root@web sh -s";
    assert_eq!(log[0], ssh);

    // Once more: it is there, and nothing is done.
    let before = deploy.host.log().len();
    deploy.assert(
        deploy.candidate(),
        0,
        &["web runs the candidate already", "pass: web runs"],
    );
    assert!(
        deploy.host.log()[before..]
            .iter()
            .all(|line| line.starts_with("ssh "))
    );
    deploy.sandbox.assert_no_litter();
}

#[test]
fn a_closure_that_is_there_is_not_copied() {
    let deploy = Deploy::proven();
    for name in ["store-paths", "registration"] {
        let text = fs::read_to_string(deploy.sandbox.place("store").join(name)).unwrap();
        deploy.host.has(name, &text);
    }
    deploy.assert(deploy.candidate(), 0, &["pass: web runs"]);
    assert!(
        !deploy
            .host
            .log()
            .iter()
            .any(|line| line.starts_with("nix-copy"))
    );
}

#[test]
fn a_port_and_another_destination_are_told_to_ssh() {
    let deploy = Deploy::proven();
    let told = deploy.run(&["--to", "ssh://root@localhost:2222", "--use-substitutes"]);
    deploy.assert(told, 0, &["pass"]);
    let log = deploy.host.log();
    assert!(
        log[0].ends_with("-- ssh://root@localhost:2222 sh -s"),
        "{log:?}"
    );
    let copied = log
        .iter()
        .find(|line| line.starts_with("nix-copy"))
        .unwrap();
    assert!(
        copied.contains("--use-substitutes --to root@localhost /nix"),
        "{copied}"
    );
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let deploy = Deploy::proven();
    let words = [
        "may be deployed to web",
        "would copy",
        "would set",
        "would run",
    ];
    deploy.assert(deploy.run(&["--dry-run"]), 0, &words);
    deploy.assert_untouched();
}

#[test]
fn a_host_that_moved_on_since_the_rehearsal_is_not_deployed_to() {
    let deploy = Deploy::proven();
    let other = format!("/nix/store/{}-nixos-system-other", "0".repeat(32));
    deploy.host.has("current", &other);
    let next = format!("bootproof test --store {}", deploy.place("store"));
    let words = [
        "is what the machine runs",
        &next,
        &format!("--baseline {other} --host web"),
    ];
    deploy.assert(deploy.candidate(), 1, &words);
    // Without a name there is nothing to propose.
    deploy.assert(deploy.run(&[]), 2, &["no receipt in", &other]);
    deploy.assert_untouched();
}

#[test]
fn a_host_that_somebody_switches_meanwhile_is_left_alone() {
    let deploy = Deploy::proven();
    let other = format!("/nix/store/{}-nixos-system-other", "0".repeat(32));
    deploy
        .host
        .has("on-copy", &format!("echo {other} >\"$host/current\""));
    let words = ["nothing was activated", "switched by somebody else", &other];
    deploy.assert(deploy.candidate(), 1, &words);
    deploy.assert_not_activated();
    let deploy = Deploy::proven();
    deploy.host.has("busy", "");
    deploy.assert(
        deploy.candidate(),
        1,
        &["somebody else's switch is under way"],
    );
    deploy.assert_not_activated();
}

#[test]
fn a_link_that_is_swapped_after_the_gate_changes_nothing() {
    let deploy = Deploy::proven();
    let link = deploy.sandbox.place("result");
    std::os::unix::fs::symlink(&deploy.sandbox.toplevel.path, &link).unwrap();
    let swap = format!(
        "ln -sfn {} {}",
        deploy.sandbox.baseline.path,
        link.display()
    );
    deploy.host.has("on-copy", &swap);
    let told = deploy.run(&[link.to_str().unwrap()]);
    deploy.assert(told, 0, &["pass: web runs"]);
    assert_eq!(
        fs::read_link(&link).unwrap(),
        Path::new(&deploy.sandbox.baseline.path)
    );
    assert_eq!(deploy.host.told("current"), deploy.sandbox.toplevel.path);
    let log = deploy.host.log();
    assert!(!log.iter().any(|line| line.contains("result")), "{log:?}");
}

#[test]
fn a_receipt_of_something_else_lets_nothing_through() {
    let deploy = Deploy::new();
    deploy.assert(deploy.candidate(), 1, &["there is no receipt"]);
    type Change = fn(&mut Receipt);
    let changes: [(Change, &str); 10] = [
        (|r| r.host = Some("db".to_owned()), "it is for the host db"),
        (|r| r.host = None, "it is for no host"),
        (|r| r.baseline = None, "rehearsed upon no baseline"),
        (|r| r.baseline = Some(r.candidate.clone()), "rehearsed upon"),
        (
            |r| r.candidate = r.baseline.clone().unwrap(),
            "it is for another closure",
        ),
        (
            |r| r.candidate.closure_hash = "00".repeat(32),
            "are not those that were rehearsed",
        ),
        (|r| r.verdict = Verdict::Fail, "its verdict is fail"),
        (|r| r.steps.truncate(1), "the policy asks for switch"),
        (
            |r| r.made_at = "2020-01-01T00:00:00Z".parse().unwrap(),
            "days old",
        ),
        (
            |r| r.made_at = "2999-01-01T00:00:00Z".parse().unwrap(),
            "in the future",
        ),
    ];
    for (change, words) in changes {
        deploy.proves(change);
        deploy.assert(deploy.candidate(), 1, &["must not be deployed", words]);
    }
    deploy.assert_untouched();
}

#[test]
fn an_edited_truncated_or_strangers_receipt_lets_nothing_through() {
    let deploy = Deploy::proven();
    let file = deploy.place("receipts/r.receipt");
    let text = fs::read_to_string(&file).unwrap();
    let edits = [
        (
            text.replace("\"report\": \"ef", "\"report\": \"ee"),
            "no trusted key has signed it",
        ),
        (text[..text.len() / 2].to_owned(), "cannot be read"),
        (String::new(), "cannot be read"),
    ];
    for (edited, words) in edits {
        fs::write(&file, edited).unwrap();
        deploy.assert(deploy.candidate(), 1, &[words]);
        deploy.assert_untouched();
    }
    let deploy = Deploy::proven();
    let stranger = SecretKey::from_seed("ci-1", &[2; 32]).unwrap();
    deploy.seals(&deploy.receipt(), &stranger);
    deploy.assert(deploy.candidate(), 1, &["no trusted key has signed it"]);
    deploy.assert_untouched();
}

#[test]
fn other_contents_on_the_host_are_not_activated() {
    let deploy = Deploy::proven();
    let store = deploy.sandbox.place("store");
    let other = fs::read_to_string(store.join("registration"))
        .unwrap()
        .replacen("1111", "2222", 1);
    deploy.host.has("registration", &other);
    let paths = fs::read_to_string(store.join("store-paths")).unwrap();
    deploy.host.has("store-paths", &paths);
    let words = ["is not what was proven", "nothing was activated"];
    deploy.assert(deploy.candidate(), 1, &words);
    deploy.assert_not_activated();
}

#[test]
fn a_copy_that_fails_activates_nothing() {
    let deploy = Deploy::proven();
    deploy.host.has("copy-fails", "");
    let words = ["No space left on device", "nothing was activated"];
    deploy.assert(deploy.candidate(), 2, &words);
    deploy.assert_not_activated();
}

#[test]
fn a_profile_that_cannot_be_set_is_not_switched_to() {
    let deploy = Deploy::proven();
    deploy.host.has("profile-fails", "");
    let words = ["the system profile could not be set: nix-env ended with 1"];
    deploy.assert(deploy.candidate(), 1, &words);
    assert_eq!(deploy.host.told("current"), deploy.sandbox.baseline.path);
}

#[test]
fn a_switch_that_fails_is_told_with_what_runs_now_and_what_boots() {
    let deploy = Deploy::proven();
    deploy.host.has("switch-fails", "4");
    let words = [
        "fail: web is not",
        "the switch ended with 4: units failed",
        "current-system is the candidate",
        "the next boot starts the candidate",
    ];
    deploy.assert(deploy.candidate(), 1, &words);
    let deploy = Deploy::proven();
    deploy.host.has("switch-fails", "1");
    deploy.host.has("keeps-boot-entry", "");
    let old = &deploy.sandbox.baseline.path;
    let words = [
        "the switch ended with 1",
        &format!("current-system is {old}, and not the candidate"),
        "the system profile is the candidate",
        &format!("the next boot starts {old}, and not the candidate"),
    ];
    deploy.assert(deploy.candidate(), 1, &words);
}

#[test]
fn a_boot_entry_that_stays_behind_fails_and_one_that_nobody_can_read_is_unproven() {
    let deploy = Deploy::proven();
    deploy.host.has("keeps-boot-entry", "");
    deploy.assert(
        deploy.candidate(),
        1,
        &["the next boot starts", "and not the candidate"],
    );
    let deploy = Deploy::proven();
    deploy.host.has("keeps-boot-entry", "");
    fs::remove_file(deploy.host.directory().join("files/boot/grub/grub.cfg")).unwrap();
    deploy.assert(
        deploy.candidate(),
        3,
        &["unproven", "the next boot is not known"],
    );
}

#[test]
fn a_connection_that_breaks_during_the_switch_is_no_success_and_no_failure() {
    let deploy = Deploy::proven();
    deploy.host.has("cut", "");
    let words = [
        "the connection was lost during the switch",
        "how the switch ended is not known",
        "current-system is the candidate",
    ];
    deploy.assert(deploy.candidate(), 3, &words);
}

#[test]
fn a_host_without_systemd_run_is_switched_without_it() {
    let deploy = Deploy::proven();
    deploy.host.has("no-systemd-run", "");
    deploy.assert(
        deploy.candidate(),
        0,
        &["systemd-run does not work here", "pass: web runs"],
    );
}

#[test]
fn what_keeps_us_from_the_host_is_the_users_trouble() {
    let deploy = Deploy::proven();
    deploy.host.has("user", "1000");
    deploy.assert(deploy.candidate(), 2, &["somebody else than root"]);
    deploy.host.has("unreachable", "");
    deploy.assert(
        deploy.candidate(),
        2,
        &["ssh cannot reach root@web", "refused"],
    );
    deploy.assert(deploy.run(&["--to", "-oProxyCommand=x"]), 2, &[]);
    deploy.assert(deploy.run(&["--to", "a b"]), 2, &["no destination of ssh"]);
    deploy.assert_untouched();
    let deploy = Deploy::proven();
    let config = deploy.place("bootproof.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("ssh = \"root@web\"\n", "")).unwrap();
    deploy.assert(deploy.candidate(), 2, &["where is web?", "--to"]);
    deploy.host.has("current", "/run/current-system");
    let told = deploy.run(&["--to", "root@web"]);
    deploy.assert(told, 2, &["leads to no store path"]);
}

//! The gate as an operator meets it: a rehearsal leaves a receipt, and only that opens the gate.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use bootproof_tests::{Sandbox, guests};

/// A sandbox with a configuration whose host is `web`, a key that it trusts, and its toplevels as a closure directory.
struct Deploy {
    sandbox: Sandbox,
}

impl Deploy {
    fn new() -> Self {
        let sandbox = Sandbox::with_guest(guests::healthy);
        sandbox.toplevel.write_registration('1').unwrap();
        let deploy = Self { sandbox };
        let key = deploy.place("ci.secret");
        let made = deploy.run(&["key", "generate", "ci-1", &key]);
        deploy.configure(&String::from_utf8(made.stdout).unwrap(), "");
        deploy
    }

    /// The same after a rehearsal that passed.
    fn proven() -> Self {
        let deploy = Self::new();
        let told = deploy.rehearse("web");
        assert_eq!(told.status.code(), Some(0), "{told:?}");
        assert_eq!(deploy.receipts().len(), 1);
        deploy
    }

    fn place(&self, name: &str) -> String {
        self.sandbox.place(name).to_str().unwrap().to_owned()
    }

    fn configure(&self, public_key: &str, more: &str) {
        let text = format!(
            "format_version = 1\ntrusted_keys = [\"{}\"]\n[policy]\nsteps = [\"boot\", \"warm-reboot\"]\n\
             [hosts.web]\nexpect_system = \"x86_64-linux\"\n[hosts.db.target]\nmemory_mib = 512\n{more}",
            public_key.trim()
        );
        fs::write(self.place("bootproof.toml"), text).unwrap();
    }

    fn run(&self, args: &[&str]) -> Output {
        self.sandbox.bootproof(args).output().unwrap()
    }

    fn rehearse(&self, host: &str) -> Output {
        let (store, config, key) = (
            self.place("store"),
            self.place("bootproof.toml"),
            self.place("ci.secret"),
        );
        let run = self.place(&format!("run-{host}"));
        let toplevel = self.sandbox.toplevel.path.as_str();
        self.run(&[
            "test",
            "--closure",
            &store,
            "--toplevel",
            toplevel,
            "--config",
            &config,
            "--host",
            host,
            "--key",
            &key,
            "--run-dir",
            &run,
        ])
    }

    /// The gate's exit code, and what it says on stderr.
    fn gate(&self, more: &[&str]) -> (i32, String) {
        let (store, config) = (self.place("store"), self.place("bootproof.toml"));
        let toplevel = self.sandbox.toplevel.path.as_str();
        let args = ["gate", toplevel, "--closure", &store, "--config", &config];
        let told = self.run(&[&args[..], more].concat());
        let code = told.status.code().unwrap();
        let printed = String::from_utf8(told.stdout).unwrap();
        assert_eq!(printed.contains("/nix/store/"), code == 0, "{printed}");
        (code, String::from_utf8(told.stderr).unwrap())
    }

    fn receipts(&self) -> Vec<PathBuf> {
        let names = bootproof_tests::sandbox::names_in(&self.sandbox.place("receipts"));
        names
            .iter()
            .map(|name| self.sandbox.place("receipts").join(name))
            .collect()
    }

    fn edit_receipt(&self, edit: impl FnOnce(String) -> String) {
        let [file] = <[PathBuf; 1]>::try_from(self.receipts()).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let edited = edit(text.clone());
        assert_ne!(edited, text);
        fs::write(file, edited).unwrap();
    }

    fn assert_shut(&self, more: &[&str], words: &[&str]) {
        let (code, told) = self.gate(more);
        assert_eq!(code, 1, "{told}");
        for word in words {
            assert!(told.contains(word), "{word}: {told}");
        }
    }
}

const WEB: &[&str] = &["--host", "web", "--no-baseline"];

#[test]
fn without_a_rehearsal_the_gate_stays_shut_and_says_which_command_makes_the_receipt() {
    let deploy = Deploy::new();
    let toplevel = deploy.sandbox.toplevel.path.clone();
    let command = format!("--toplevel {toplevel} --host web --key");
    deploy.assert_shut(WEB, &["there is no receipt", "bootproof test", &command]);
}

#[test]
fn what_was_rehearsed_for_a_host_may_be_deployed_to_it_and_to_no_other() {
    let deploy = Deploy::proven();
    let (code, told) = deploy.gate(WEB);
    assert_eq!(code, 0, "{told}");
    assert!(
        told.contains("may be deployed to web") && told.contains("ci-1:"),
        "{told}"
    );

    let words = ["it is for the host web, and the host db was asked for"];
    deploy.assert_shut(&["--host", "db", "--no-baseline"], &words);
    deploy.assert_shut(&["--no-baseline"], &["no host was asked for"]);
    let old = deploy.sandbox.baseline.path.clone();
    let words = ["upon no baseline", "is what the machine runs"];
    deploy.assert_shut(&["--host", "web", "--baseline", &old], &words);
}

#[test]
fn an_edited_truncated_or_foreign_receipt_does_not_open_it() {
    let deploy = Deploy::proven();
    deploy.edit_receipt(|text| text.replace("\"host\": \"web\"", "\"host\": \"db\""));
    deploy.assert_shut(WEB, &["no trusted key has signed it as it stands"]);
    deploy.edit_receipt(|text| text[..text.len() / 2].to_owned());
    deploy.assert_shut(WEB, &["cannot be read"]);
    let [file] = <[PathBuf; 1]>::try_from(deploy.receipts()).unwrap();
    fs::write(&file, b"\xff\x00\x1b[31m").unwrap();
    deploy.assert_shut(WEB, &["it is no receipt of bootproof"]);
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    deploy.assert_shut(WEB, &["it is no file"]);
}

#[test]
fn a_key_that_is_not_trusted_and_a_stricter_policy_keep_it_shut() {
    let deploy = Deploy::proven();
    let good = deploy.run(&["key", "public", &deploy.place("ci.secret")]);
    let good = String::from_utf8(good.stdout).unwrap();
    let other = deploy.run(&["key", "generate", "ci-1", &deploy.place("other.secret")]);
    deploy.configure(&String::from_utf8(other.stdout).unwrap(), "");
    deploy.assert_shut(WEB, &["no trusted key"]);

    deploy.configure(
        &good,
        "[hosts.web.policy]\naccelerators = [\"tcg\"]\ncycles = 3\n",
    );
    let words = ["asks for 3 reboots, and 1 were done", "rehearsed by kvm"];
    deploy.assert_shut(WEB, &words);
    deploy.configure(&good, "[hosts.web.policy]\nmax_age = \"1 ns\"\n");
    deploy.assert_shut(WEB, &["old, and the policy accepts"]);
    deploy.configure(&good, "[hosts.web.target]\nmemory_mib = 2048\n");
    deploy.assert_shut(WEB, &["the target machine of the host is another now"]);
}

#[test]
fn other_contents_under_the_same_name_keep_it_shut() {
    let deploy = Deploy::proven();
    deploy.sandbox.toplevel.write_registration('2').unwrap();
    deploy.assert_shut(WEB, &["are not those that were rehearsed"]);
    deploy.sandbox.toplevel.write_registration('1').unwrap();
    assert_eq!(deploy.gate(WEB).0, 0);
    // The recorded hashes of the fake are none of its files'.
    let verified = [WEB, &["--verify"]].concat();
    deploy.assert_shut(&verified, &["is not what the store recorded"]);
}

#[test]
fn a_rehearsal_that_fails_leaves_a_receipt_that_says_so() {
    let deploy = Deploy::new();
    let init = deploy.sandbox.toplevel.host_path().join("init");
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(init, fs::Permissions::from_mode(0o644)).unwrap();
    let told = deploy.rehearse("web");
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    deploy.assert_shut(WEB, &["its verdict is fail"]);
}

#[test]
fn what_is_missing_or_wrong_is_the_users_mistake_and_not_a_refusal() {
    let deploy = Deploy::new();
    let mistakes: [(&[&str], &str); 3] = [
        (&["--host", "web"], "Name it with --baseline"),
        (
            &["--host", "wob", "--no-baseline"],
            "has no host `wob`: it has db, web",
        ),
        (
            &["--config", "/nonexistent", "--no-baseline"],
            "cannot be used multiple times",
        ),
    ];
    for (args, words) in mistakes {
        let (code, told) = deploy.gate(args);
        assert_eq!(code, 2, "{told}");
        assert!(told.contains(words), "{told}");
    }
    let config = deploy.place("bootproof.toml");
    fs::write(&config, "format_version = 1\n").unwrap();
    let (code, told) = deploy.gate(WEB);
    assert_eq!(code, 2);
    assert!(told.contains("has no host `web`"), "{told}");
    let (code, told) = deploy.gate(&["--no-baseline"]);
    assert_eq!(code, 2);
    assert!(told.contains("names no trusted_keys"), "{told}");
    fs::write(&config, "format_version = 1\ntrusted_key = []\n").unwrap();
    let (code, told) = deploy.gate(WEB);
    assert_eq!(code, 2);
    assert!(told.contains("did you mean `trusted_keys`?"), "{told}");
}

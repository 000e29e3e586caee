//! `bootproof deploy` against a host behind a fake ssh: only what was proven arrives, and what arrived is told as it is.

mod activation;
mod foreign;
mod overrides;
mod refusals;

use std::fs;

use bootproof::receipt::{Receipt, Sealed, SecretKey};
use bootproof::vocabulary::{Accelerator, Step, System, TargetMachine, Verdict};
use bootproof::{closure, receipt};
use bootproof_tests::executable::write_executable;
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
            firmware: None,
            steps: vec![Step::Boot, Step::Switch, Step::WarmReboot],
            report: "ef".repeat(32),
            approved: None,
            probes: Vec::new(),
            suppressions: Vec::new(),
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

    /// Puts a program of the operator's into `PATH`, which may use `$host` and `$store`.
    fn install(&self, name: &str, script: &str) {
        let place = self.sandbox.place("bin").join(name);
        let head = format!(
            "#!/bin/sh\nhost='{}'\nstore='{}'\n",
            self.host.directory().display(),
            self.place("store")
        );
        write_executable(&place, &(head + script));
    }

    /// What the directory of the receipts has of overrides, as one text.
    fn overrides(&self) -> String {
        let directory = self.sandbox.place("receipts");
        let names = bootproof_tests::sandbox::names_in(&directory);
        let texts = names
            .iter()
            .filter(|name| name.ends_with(".override"))
            .map(|name| fs::read_to_string(directory.join(name)).unwrap());
        texts.collect()
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

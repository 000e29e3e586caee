//! Live machines, as an operator meets them over ssh: guests of the lab that a rehearsal holds.
//!
//! `cargo xtask test` builds the lab and names it in `BOOTPROOF_LAB`; without it these tests say that they did not run.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use bootproof_tests::boots::turn;
use bootproof_tests::held::{HeldGuest, toplevel};
use bootproof_tests::lab::{bootproof, lab};
use tempfile::TempDir;

#[test]
fn the_outages_machine_in_the_week_before() {
    let Some(lab) = lab("the_outages_machine_in_the_week_before") else {
        return;
    };
    let _turn = turn();
    let [baseline, candidate] =
        ["baseline", "candidate"].map(|s| toplevel(&lab, "outage-with-ssh", s));
    let guest = HeldGuest::of(&lab, &candidate, Some(&baseline), "switched");
    let links = guest.run("uname -m; readlink /run/booted-system /run/current-system");
    assert_eq!(
        links.lines().collect::<Vec<_>>(),
        ["x86_64", &baseline, &candidate]
    );

    let audit = guest
        .bootproof(["audit", &guest.destination(), "--format", "json"])
        .output()
        .unwrap();
    assert_eq!(audit.status.code(), Some(1), "{audit:?}");
    let report: serde_json::Value = serde_json::from_slice(&audit.stdout).unwrap();
    let headline = report["headline"].as_str().unwrap();
    let cause = "one reboot away from an outage: the next boot starts an i686-linux kernel";
    assert!(headline.contains(cause), "{headline}");
    let units = "alpha.service, beta.service and gamma.service (x86_64)";
    assert!(headline.contains(units), "{headline}");
    assert_eq!(report["unproven"], serde_json::json!([]), "{report:#}");
}

/// A configuration with a key of its own, and what is said of a host in it.
struct Configured {
    directory: TempDir,
}

impl Configured {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let configured = Self { directory };
        let made = Command::new(bootproof())
            .args(["key", "generate", "lab-1"])
            .arg(configured.place("lab.secret"))
            .output()
            .unwrap();
        let text = format!(
            "format_version = 1\ntrusted_keys = [\"{}\"]\n[hosts.web]\nexpect_system = \"x86_64-linux\"\n",
            String::from_utf8(made.stdout).unwrap().trim()
        );
        fs::write(configured.place("bootproof.toml"), text).unwrap();
        configured
    }

    fn place(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

#[test]
fn what_was_rehearsed_is_deployed_and_is_what_runs() {
    let Some(lab) = lab("what_was_rehearsed_is_deployed_and_is_what_runs") else {
        return;
    };
    let _turn = turn();
    let [baseline, candidate] =
        ["baseline", "candidate"].map(|s| toplevel(&lab, "healthy-with-ssh", s));
    let configured = Configured::new();
    let guest = HeldGuest::of(&lab, &baseline, None, "booted");
    let deploy = || {
        let mut deploy = guest.bootproof(["deploy", "--host", "web", "--to", &guest.destination()]);
        deploy
            .arg("--config")
            .arg(configured.place("bootproof.toml"))
            .arg("--store")
            .arg(lab.join("root"))
            .arg(&candidate);
        deploy.output().unwrap()
    };
    let refused = deploy();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert_eq!(guest.run("readlink /run/current-system").trim(), baseline);

    let rehearsed = Command::new(bootproof())
        .args(["test", "--host", "web", "--toplevel", &candidate])
        .args(["--baseline", &baseline, "--store"])
        .arg(lab.join("root"))
        .arg("--config")
        .arg(configured.place("bootproof.toml"))
        .arg("--key")
        .arg(configured.place("lab.secret"))
        .arg("--run-dir")
        .arg(configured.place("run"))
        .output()
        .unwrap();
    assert!(rehearsed.status.success(), "{rehearsed:?}");
    let deployed = deploy();
    assert!(deployed.status.success(), "{deployed:?}");
    let links = guest.run("readlink /run/current-system; readlink -f /nix/var/nix/profiles/system");
    assert_eq!(links.lines().collect::<Vec<_>>(), [&candidate, &candidate]);

    let audit = guest
        .bootproof(["audit", &guest.destination()])
        .output()
        .unwrap();
    assert!(audit.status.success(), "{audit:?}");
}

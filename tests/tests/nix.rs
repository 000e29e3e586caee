//! The Nix expressions of the repository, without nixpkgs: their format, and what they evaluate to with as much of it as they use.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bootproof_tests::held::toplevel;
use bootproof_tests::lab::lab;
use bootproof_tests::nix_build::BuildStore;
use serde_json::{Value, json};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Evaluates an expression of `tests/nix`.
fn evaluate(expression: &str) -> Value {
    let output = Command::new("nix-instantiate")
        .args(["--eval", "--strict", "--json"])
        .arg(repository().join("tests/nix").join(expression))
        .env_remove("NIX_PATH")
        .env("NIX_CONF_DIR", "/no-nix-configuration")
        .env("NIX_USER_CONF_FILES", "")
        .env("NIX_REMOTE", "dummy://")
        .output()
        .expect("nix-instantiate: `cargo xtask test` installs it");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_nix_file_but_the_labs_is_formatted() {
    let mut files = vec![repository().join("flake.nix")];
    for directory in [
        "nix",
        "nixos",
        "tests/nix",
        "examples/one-server",
        "examples/fleet",
    ] {
        let entries = fs::read_dir(repository().join(directory)).unwrap();
        files.extend(entries.map(|entry| entry.unwrap().path()));
    }
    files.retain(|file: &PathBuf| file.extension().is_some_and(|extension| extension == "nix"));
    assert!(files.len() > 8, "{files:?}");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let formatted = nixfmt_rs::format(&text).unwrap_or_else(|error| {
            panic!("{}: {error}", file.display());
        });
        assert!(
            text == formatted,
            "{} is not formatted: run `nixfmt` (or `nix fmt`) on it",
            file.display()
        );
    }
}

#[test]
fn the_flake_has_what_its_users_ask_for() {
    let flake = evaluate("flake.nix");
    assert_eq!(
        flake,
        json!({
            "apps": ["bootproof", "default"],
            "checks": ["format", "healthy", "outage-2023-08-08", "package"],
            "devShells": ["default"],
            "lib": ["bootTest"],
            "nixosModules": ["audit"],
            "packages": ["bootproof", "default"],
            "program": "/bootproof/bin/bootproof",
        })
    );
}

#[test]
fn every_scenario_that_boots_is_a_nixos_configuration_of_the_same_services() {
    let systems = evaluate("scenario-systems.nix");
    let names: Vec<&String> = systems.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "healthy-baseline",
            "healthy-candidate",
            "healthy-i686-baseline",
            "healthy-i686-candidate",
            "healthy-systemd-stage-1-baseline",
            "healthy-systemd-stage-1-candidate",
            "healthy-uefi-baseline",
            "healthy-uefi-candidate",
            "outage-2023-08-08-baseline",
            "outage-2023-08-08-candidate",
            "unlike-the-lab-baseline",
            "unlike-the-lab-candidate",
        ]
    );
    let outage = &systems["outage-2023-08-08-candidate"];
    assert_eq!(outage["nixpkgs"]["hostPlatform"], "i686-linux");
    let start = &outage["systemd"]["services"]["alpha"]["serviceConfig"]["ExecStart"];
    assert_eq!(
        start,
        "/x86_64-linux/darkhttpd/bin/darkhttpd /page --addr 127.0.0.1 --port 8081"
    );
    let passed = "/services/nginx/virtualHosts/gamma.example/locations/~1/proxyPass";
    assert_eq!(outage.pointer(passed).unwrap(), "http://127.0.0.1:8083");
    let by_systemd = &systems["healthy-systemd-stage-1-candidate"]["boot"]["initrd"]["systemd"];
    assert_eq!(by_systemd["enable"], true);
    let unlike = &systems["unlike-the-lab-candidate"];
    let firewall = json!({ "enable": true, "allowedTCPPorts": [80] });
    assert_eq!(unlike["networking"]["firewall"], firewall);
    let address = "/systemd/network/networks/40-lan/networkConfig/Address";
    assert_eq!(unlike.pointer(address).unwrap(), "192.0.2.10/24");
}

#[test]
fn the_example_flakes_make_a_check_of_each_host() {
    let examples = evaluate("examples.nix");
    let web = json!({ "name": "bootproof-web", "report": "bootproof-report-web" });
    assert_eq!(examples["one-server"], json!({ "web": web }));
    let fleet = examples["fleet"].as_object().unwrap();
    assert_eq!(fleet.keys().collect::<Vec<_>>(), ["db", "router", "web"]);
    assert_eq!(fleet["web"], web);
}

#[test]
fn what_a_check_says_of_its_host_is_a_configuration_of_bootproof() {
    let text = evaluate("to-toml.nix");
    let read: toml::Table = text.as_str().unwrap().parse().unwrap();
    let host = &read["hosts"]["a \"b\"\n.example"];
    assert_eq!(host["target"]["memory_mib"].as_integer(), Some(2048));
    assert_eq!(host["probes"][0]["body"].as_str(), Some("\"up\": *true\\n"));
    assert!(host.get("ssh").is_none());
    bootproof::config::parse(text.as_str().unwrap()).unwrap();
}

/// Of this candidate no machine can be made, so that none is started.
#[test]
fn a_check_that_fails_tells_why_and_leaves_its_report() {
    let Some(lab) = lab("a_check_that_fails_tells_why_and_leaves_its_report") else {
        return;
    };
    let [candidate, baseline] =
        ["candidate", "baseline"].map(|system| toplevel(&lab, "initrd-nowhere", system));
    let store = BuildStore::of(&lab, &candidate, &baseline);
    let told = store.build(None).unwrap_err();
    for words in [
        "bootproof: lab is not as expected (exit code 1, and 0 is pass)",
        "the attribute `report` of this check",
        "fail: ",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let report = store
        .build(Some("report"))
        .unwrap_or_else(|told| panic!("{told}"));
    let text = fs::read_to_string(report.join("report.json")).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["verdict"], "fail");
}

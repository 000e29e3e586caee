//! A deploy from a baseline, through the switch and the reboot.

use bootproof_tests::{Sandbox, guests};
use predicates::str::contains;

#[test]
fn a_fault_that_shows_only_after_the_reboot_is_called_latent() {
    let sandbox = Sandbox::new();
    sandbox.play(&guests::with_a_latent_fault(
        &sandbox.baseline,
        &sandbox.toplevel,
    ));
    let run = sandbox
        .rehearsal()
        .args(["--baseline", &sandbox.baseline.path, "--format", "json"])
        .assert()
        .code(1);
    let report: serde_json::Value = serde_json::from_slice(&run.get_output().stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    for finding in findings {
        assert_eq!(finding["state"], "rebooted", "{finding:#}");
        assert_eq!(finding["subject"], "nginx.service", "{finding:#}");
        assert_eq!(finding["latent"], true, "{finding:#}");
    }
    assert_eq!(findings[0]["check"], "unit-failed");
    let unproven = report["unproven"].as_array().unwrap();
    assert!(unproven.is_empty(), "{unproven:#?}");

    let run_directory = sandbox.run_directory();
    let mut told = sandbox.bootproof(["report".as_ref(), run_directory.as_os_str()]);
    told.assert()
        .code(1)
        .stderr(contains("latent until reboot"));
    sandbox.wait_until_qemu_is_gone();
    sandbox.assert_no_litter();
}

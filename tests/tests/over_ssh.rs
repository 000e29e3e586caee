//! Live machines, as an operator meets them over ssh: guests of the lab that a rehearsal holds.
//!
//! `cargo xtask test` builds the lab and names it in `BOOTPROOF_LAB`; without it these tests say that they did not run.

use std::sync::{Mutex, PoisonError};

use bootproof_tests::held::{HeldGuest, toplevel};
use bootproof_tests::lab::lab;

/// Boots are for one at a time: a machine has two cores, and a guest has two CPUs.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[test]
fn the_outages_machine_in_the_week_before() {
    let Some(lab) = lab("the_outages_machine_in_the_week_before") else {
        return;
    };
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let [baseline, candidate] =
        ["baseline", "candidate"].map(|s| toplevel(&lab, "outage-with-ssh", s));
    let guest = HeldGuest::of(&lab, &candidate, Some(&baseline), "switched");
    let links = guest.run("uname -m; readlink /run/booted-system /run/current-system");
    assert_eq!(
        links.lines().collect::<Vec<_>>(),
        ["x86_64", &baseline, &candidate]
    );

    let audit = guest.bootproof(["audit", &guest.destination(), "--format", "json"]);
    let audit = { audit }.output().unwrap();
    assert_eq!(audit.status.code(), Some(1), "{audit:?}");
    let report: serde_json::Value = serde_json::from_slice(&audit.stdout).unwrap();
    let headline = report["headline"].as_str().unwrap();
    let cause = "one reboot away from an outage: the next boot starts an i686-linux kernel";
    assert!(headline.contains(cause), "{headline}");
    let units = "alpha.service, beta.service and gamma.service (x86_64)";
    assert!(headline.contains(units), "{headline}");
    assert_eq!(report["unproven"], serde_json::json!([]), "{report:#}");
}

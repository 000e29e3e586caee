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
}

//! Keys and a receipt for tests.

use super::{Receipt, SecretKey};
use crate::vocabulary::{
    Accelerator, ClosureIdentity, Step, StorePath, System, TargetMachine, Verdict,
};

pub(crate) fn key(name: &str, seed: u8) -> SecretKey {
    SecretKey::from_seed(name, &[seed; 32]).unwrap()
}

/// The identity of a closure whose store path ends in `-name`.
pub(crate) fn identity(name: &str) -> ClosureIdentity {
    let path = format!("/nix/store/00000000000000000000000000000000-{name}");
    ClosureIdentity {
        toplevel: StorePath::parse(&path).unwrap(),
        nar_hash: format!("sha256:{}", "0".repeat(52)),
        paths: 700,
        closure_hash: "ab".repeat(32),
    }
}

/// A rehearsal of `new` upon `old` for the host `web`, by TCG.
pub(crate) fn receipt() -> Receipt {
    Receipt {
        made_at: "2026-11-22T10:00:00Z".parse().unwrap(),
        tool_version: "0.1.0".to_owned(),
        verdict: Verdict::Pass,
        host: Some("web".to_owned()),
        candidate: identity("new"),
        baseline: Some(identity("old")),
        target: TargetMachine::default(),
        expect_system: System::X86_64Linux,
        accelerator: Accelerator::Tcg,
        qemu: "7.2.22".to_owned(),
        firmware: Some("SeaBIOS 1.16.2".to_owned()),
        steps: vec![Step::Boot, Step::Switch, Step::WarmReboot],
        probes: Vec::new(),
        suppressions: Vec::new(),
        report: "ef".repeat(32),
        approved: None,
    }
}

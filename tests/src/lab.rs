//! Where the tests on the lab find it, and the program that they run on it.

use std::path::{Path, PathBuf};

use bootproof::scenario::{self, Scenario};

/// The lab, which `cargo xtask test` builds and names in `BOOTPROOF_LAB`; without it says that the test did not run.
pub fn lab(test: &str) -> Option<PathBuf> {
    let lab = std::env::var_os("BOOTPROOF_LAB").map(PathBuf::from);
    if lab.is_none() {
        eprintln!(
            "not run: {test} needs the lab, which `cargo xtask test` builds (BOOTPROOF_LAB is not set)"
        );
    }
    lab
}

/// The directory of the lab's scenarios.
pub fn scenarios() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap().join("scenarios")
}

/// All scenarios, by name.
pub fn all_scenarios() -> Vec<(String, Scenario)> {
    let directory = scenarios();
    let read = |name: String| {
        let scenario = Scenario::read(&directory, &name).unwrap();
        (name, scenario)
    };
    let names = scenario::names(&directory).unwrap();
    names.into_iter().map(read).collect()
}

/// The program beside the test's own: `target/PROFILE/bootproof`.
pub fn bootproof() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("bootproof");
    assert!(
        program.is_file(),
        "{} is not built: run `cargo xtask test`, or `cargo build --workspace` first",
        program.display()
    );
    program
}

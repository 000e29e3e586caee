use super::*;
use crate::scenario::Architecture;
use crate::vocabulary::{DiskBus, Step, Verdict};

const SCENARIO: &str = r#"
format_version = 1
summary = "x"
[target]
system = "x86_64-linux"
[rehearsal]
expect_system = "x86_64-linux"
baseline = "old"
candidate = "new"
steps = ["boot", "switch", "warm-reboot"]
[systems.old]
kernel = "x86_64"
[systems.new]
like = "old"
kernel = "i686"
[expect]
verdict = "fail"
findings = ["rebooted/kernel-architecture/kernel"]
"#;

const MUTANT: &str = r#"
format_version = 1
summary = "y"
tags = ["quick"]
base = "x"
[target]
disk_bus = "nvme"
[rehearsal]
steps = []
[[systems.new.mutations]]
part = "units"
do = "remove"
path = "alpha.service"
[expect]
verdict = "pass"
findings = []
"#;

fn directory(scenarios: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (place, text) in scenarios {
        let place = directory.path().join(place);
        std::fs::create_dir_all(&place).unwrap();
        std::fs::write(place.join(FILE), text).unwrap();
    }
    directory
}

fn read(scenarios: &[(&str, &str)], name: &str) -> Result<Scenario, ScenarioError> {
    Scenario::read(directory(scenarios).path(), name)
}

fn refused(scenarios: &[(&str, &str)], name: &str) -> String {
    let error = read(scenarios, name).unwrap_err();
    match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[test]
fn a_scenario_has_machine_systems_steps_and_expectation() {
    let scenario = read(&[("x", SCENARIO)], "x").unwrap();
    assert_eq!(
        scenario.rehearsal.steps,
        [Step::Boot, Step::Switch, Step::WarmReboot]
    );
    assert_eq!(scenario.expect.verdict, Verdict::Fail);
    assert_eq!(scenario.target.memory_mib, 1024);
    assert!(!scenario.is_static());
}

#[test]
fn what_a_scenario_does_not_say_its_base_says() {
    let both = [("x", SCENARIO), ("static/y", MUTANT)];
    let scenario = read(&both, "y").unwrap();
    assert!(scenario.is_static() && scenario.summary == "y");
    assert!(scenario.tags.iter().eq(["quick", "static"]));
    assert_eq!(scenario.target.disk_bus, Some(DiskBus::Nvme));
    assert_eq!(scenario.rehearsal.candidate, "new");
    let new = &scenario.systems["new"];
    assert_eq!(new.kernel, Some(Architecture::I686));
    assert_eq!(new.mutations.as_ref().map(Vec::len), Some(1));
    assert_eq!(scenario.expect.verdict, Verdict::Pass);
    let only_systems = MUTANT.split("[expect]").next().unwrap();
    let error = refused(&[("x", SCENARIO), ("y", only_systems)], "y");
    assert!(error.contains("`expect`"), "{error}");
}

#[test]
fn a_base_is_a_scenario_without_one() {
    let again = MUTANT.replace("\"x\"", "\"y\"");
    let all = [("x", SCENARIO), ("y", MUTANT), ("z", again.as_str())];
    let error = refused(&all, "z");
    assert!(error.contains("has a base itself"), "{error}");
    let error = refused(&[("y", MUTANT)], "y");
    assert!(error.contains("no scenario `x`"), "{error}");
}

#[test]
fn scenarios_of_groups_come_after_the_others_and_share_their_names() {
    let all = directory(&[("b/a", SCENARIO), ("x", SCENARIO), ("c", SCENARIO)]);
    assert_eq!(names(all.path()).unwrap(), ["c", "x", "a"]);
    let twice = [("static/x", SCENARIO), ("x", SCENARIO)];
    let error = refused(&twice, "x");
    assert!(error.contains("of one name"), "{error}");
}

#[test]
fn an_unknown_key_is_refused_by_name() {
    let text = SCENARIO.replace("summary", "sumary");
    let error = refused(&[("x", &text)], "x");
    assert!(error.contains("sumary") && error.contains("x/scenario.toml"));
    let text = MUTANT.replace("[target]", "[traget]");
    let error = refused(&[("x", SCENARIO), ("y", &text)], "y");
    assert!(error.contains("traget"), "{error}");
}

#[test]
fn a_system_that_is_not_there_is_named() {
    let text = SCENARIO.replace("candidate = \"new\"", "candidate = \"newer\"");
    let error = refused(&[("x", &text)], "x");
    assert!(error.contains("`newer`"), "{error}");
}

#[test]
fn a_system_has_specialisations_and_those_have_none() {
    let gaming = "[systems.old.specialisations.gaming]\nkernel = \"i686\"\n[expect]";
    let text = SCENARIO.replace("[expect]", gaming);
    let scenario = read(&[("x", &text)], "x").unwrap();
    assert_eq!(scenario.specialisations_of("old"), 1);
    assert_eq!(scenario.specialisations_of("new"), 1);
    assert_eq!(scenario.specialisations_of("other"), 0);
    let like = text.replace("kernel = \"i686\"\n[expect]", "like = \"new\"\n[expect]");
    let error = refused(&[("x", &like)], "x");
    assert!(error.contains("`gaming` that is `like`"), "{error}");
    let nested = "[systems.old.specialisations.gaming.specialisations.x]\n[expect]";
    let error = refused(&[("x", &SCENARIO.replace("[expect]", nested))], "x");
    assert!(error.contains("of its own"), "{error}");
}

#[test]
fn an_unknown_scenario_is_told_with_the_known_ones() {
    let error = refused(&[("healthy", SCENARIO)], "healhty");
    assert!(error.contains("there are healthy"), "{error}");
}

//! `activate`, `prepare-root` and `switch-to-configuration` of the toplevel.

use super::group::is_certain;
use crate::closure::{Fault, Kind, Started};
use crate::inspect::rules::{Outcome, Subject};
use crate::inspect::trouble::{Reason, Trouble, troubles};
use crate::vocabulary::{Check, Finding, Severity, State};

const NEXT: &str =
    "build the toplevel again, and compare the script with that of the system that runs now";

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let programs = &subject.survey.programs;
    if programs.lacks_activate {
        let text = "stage 2 runs `activate`, and the toplevel has none: nothing sets up /etc and the users";
        let finding = finding("activate", text.to_owned());
        outcome.cause(text, NEXT, [finding]);
    }
    for started in programs.started.iter().filter(|s| s.kind == Kind::Toplevel) {
        tool(subject, started, outcome);
    }
    for (script, paths) in &programs.strangers {
        let text = format!(
            "it names paths that are not in the closure: {}",
            paths.join(", ")
        );
        outcome.findings.push(finding(script, text).as_warning());
    }
}

fn tool(subject: &Subject, started: &Started, outcome: &mut Outcome) {
    let mut found: Vec<Trouble> = troubles(subject, &started.hops).collect();
    found.sort_by_key(|trouble| !is_certain(trouble));
    let Some(worst) = found.first() else {
        return;
    };
    let whose = match worst.hop.path.ends_with(&started.name) {
        true => "it".to_owned(),
        false => format!("{}, which it needs,", worst.hop.path),
    };
    let what = match worst.reason {
        Reason::Fault(Fault::Missing) => "is not in the closure".to_owned(),
        _ => worst.what(subject),
    };
    let text = format!("`{}` cannot run: {whose} {what}", started.name);
    let mut finding = finding(&started.name, text.clone());
    for trouble in &found {
        finding = finding.with_evidence(started.name.as_str(), trouble.evidence(subject));
    }
    match severity(started, worst) {
        Severity::Error => outcome.cause(text, NEXT, [finding]),
        Severity::Warning => outcome.findings.push(finding.as_warning()),
    }
}

/// A boot runs the first two. The others are run by the deploy tool under the kernel of that time, which is not this closure's: only what
/// fails under any kernel is certain.
fn severity(started: &Started, worst: &Trouble) -> Severity {
    let by_boot = matches!(started.name.as_str(), "activate" | "prepare-root");
    let foreign = matches!(worst.reason, Reason::Foreign(_));
    let needed = started.name != "dry-activate";
    if is_certain(worst) && needed && (by_boot || !foreign) {
        Severity::Error
    } else {
        Severity::Warning
    }
}

fn finding(subject: &str, text: String) -> Finding {
    Finding::new(Check::Executability, State::Inspected, subject, text)
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::{FakeClosure, elf};
    use crate::inspect::testing::{ids, inspected, server};
    use crate::vocabulary::{ElfClass, Verdict};

    const SWITCH: &str = "bin/switch-to-configuration";

    fn with_tools(class: ElfClass) -> FakeClosure {
        let fake = server();
        let shell = fake.program("sh", "bin/sh", elf(class));
        for name in ["activate", "dry-activate", SWITCH] {
            fake.program("toplevel", name, format!("#!{shell}\ntrue\n"));
        }
        fake
    }

    #[test]
    fn tools_that_run_are_silent() {
        assert_eq!(ids(&inspected(&with_tools(ElfClass::X86_64))), [""; 0]);
    }

    #[test]
    fn an_activation_that_cannot_run_fails_and_the_other_tools_are_warnings() {
        let inspection = inspected(&with_tools(ElfClass::Other));
        assert_eq!(inspection.verdict, Verdict::Fail);
        assert!(
            inspection
                .headline
                .starts_with("fail: `activate` cannot run"),
            "{}",
            inspection.headline
        );
        assert_eq!(inspection.findings.len(), 3);
    }

    #[test]
    fn a_switch_that_no_kernel_runs_fails() {
        let fake = with_tools(ElfClass::X86_64);
        fake.program("toplevel", SWITCH, "#!/nix/store/gone/bin/perl\n");
        let inspection = inspected(&fake);
        assert_eq!(
            ids(&inspection),
            [format!("inspected/executability/{SWITCH}")]
        );
        assert_eq!(inspection.verdict, Verdict::Fail);
    }

    #[test]
    fn a_missing_activation_is_found_where_stage_2_runs_it() {
        let fake = server();
        let shell = fake.path_of("bash", "bin/bash");
        fake.program(
            "toplevel",
            "init",
            format!("#!{shell}\n$systemConfig/activate\n"),
        );
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/executability/activate"]);
        assert_eq!(inspection.verdict, Verdict::Fail);
    }

    #[test]
    fn a_path_that_the_closure_lacks_is_a_warning() {
        let fake = with_tools(ElfClass::X86_64);
        let shell = fake.path_of("sh", "bin/sh");
        let gone = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone";
        fake.program(
            "toplevel",
            "activate",
            format!("#!{shell}\n  if x; then {gone}/bin/y; fi\n"),
        );
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/executability/activate"]);
        assert_eq!(inspection.verdict, Verdict::Pass);
    }
}

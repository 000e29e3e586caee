//! Links that lead nowhere, units that are links to nothing, and paths that the closure does not contain.

use super::rules::{Outcome, Subject};
use crate::closure::DanglingLink;
use crate::vocabulary::{Check, Finding, State};

const UNITS: &str = "etc/systemd/system/";
/// Only so many are told one by one.
const TOLD: usize = 10;

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let mut warnings = Vec::new();
    let mut of_packages = Vec::new();
    for link in &subject.survey.dangling {
        match weigh(subject, link) {
            Weight::Breaks => unit(link, outcome),
            Weight::Odd => warnings.push(link),
            Weight::Common => of_packages.push(link),
        }
    }
    strangers(subject, outcome);
    for link in warnings.iter().take(TOLD) {
        let summary = match link.is_loop {
            true => "a link that leads to itself".to_owned(),
            false => "a link that leads nowhere".to_owned(),
        };
        outcome.findings.push(
            Finding::new(Check::Reference, State::Inspected, &link.place, summary)
                .as_warning()
                .with_evidence(&link.place, &link.target),
        );
    }
    if warnings.len() > TOLD {
        outcome
            .notes
            .push(format!("{} more links lead nowhere", warnings.len() - TOLD));
    }
    if let Some(first) = of_packages.first() {
        outcome.notes.push(format!(
            "packages ship links that lead nowhere, which is common: {} of them, the first {}",
            of_packages.len(),
            first.place
        ));
    }
}

/// What a link that leads nowhere means.
enum Weight {
    /// The boot asks for it.
    Breaks,
    Odd,
    /// NixOS links what packages ship, whole or not, and copies aliases of systemd's whose units it leaves out.
    Common,
}

fn weigh(subject: &Subject, link: &DanglingLink) -> Weight {
    // An alias of a unit that NixOS leaves out is common; nothing ships a loop.
    let is_alias = !link.target.starts_with('/') && !link.is_loop;
    match link.place.strip_prefix(UNITS) {
        Some("default.target") => Weight::Breaks,
        Some(name) if !name.contains('/') => {
            if !is_alias && is_asked_for(subject, name, link) {
                Weight::Breaks
            } else if is_alias {
                Weight::Common
            } else {
                Weight::Odd
            }
        }
        Some(_) => Weight::Odd,
        None if ["etc/", "sw/bin/", "sw/sbin/"]
            .iter()
            .any(|tree| link.place.starts_with(tree)) =>
        {
            Weight::Odd
        }
        None => Weight::Common,
    }
}

/// Whether a unit that the boot starts pulls it in.
fn is_asked_for(subject: &Subject, name: &str, link: &DanglingLink) -> bool {
    const PULLS: &[&str] = &["Wants=", "Requires=", "BindsTo=", "Upholds="];
    let units = &subject.survey.units;
    let at_boot = |unit: &String| units.get(unit).is_some_and(|unit| unit.at_boot);
    let names = |line: &str| {
        let setting = line.strip_prefix("[Unit] ").unwrap_or_default();
        let listed = PULLS.iter().find_map(|pull| setting.strip_prefix(pull));
        listed.is_some_and(|listed| listed.split_whitespace().any(|word| word == name))
    };
    link.pulled_in_by.iter().any(at_boot)
        || units
            .values()
            .filter(|unit| unit.at_boot)
            .any(|unit| unit.assignments.lines().any(names))
}

fn unit(link: &DanglingLink, outcome: &mut Outcome) {
    let name = &link.place[UNITS.len()..];
    let what = if link.is_loop {
        "is a link that leads to itself"
    } else {
        "is a link to nothing"
    };
    let summary = format!("the unit {name} {what}: systemd will not find it");
    let mut finding = Finding::new(Check::Reference, State::Inspected, name, summary.as_str())
        .with_evidence(&link.place, &link.target);
    for by in &link.pulled_in_by {
        finding = finding.with_evidence("pulled in by", by);
    }
    outcome.cause(
        summary,
        "build the toplevel again; where the closure was copied, copy all of it",
        [finding],
    );
}

/// A path in a setting may be one that nothing opens; what is executed is another rule's.
fn strangers(subject: &Subject, outcome: &mut Outcome) {
    for (name, unit) in &subject.survey.units {
        let of_script = subject.survey.script_strangers.get(name);
        let (whose, source, paths) = match (unit.strangers.is_empty(), of_script) {
            (false, _) => ("it", name, &unit.strangers),
            (true, Some((script, paths))) => ("its script", script, paths),
            (true, None) => continue,
        };
        let Some(first) = paths.first() else {
            continue;
        };
        let summary = format!("{whose} names {first}, which is not in the closure");
        let mut finding =
            Finding::new(Check::Reference, State::Inspected, name, summary).as_warning();
        for path in paths {
            finding = finding.with_evidence(source, path);
        }
        outcome.findings.push(finding);
    }
}

#[cfg(test)]
mod tests {
    use crate::inspect::testing::{ids, inspected, server, unit};
    use crate::vocabulary::Verdict;

    const GONE: &str = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone/x";

    #[test]
    fn a_unit_that_links_to_nothing_fails() {
        let fake = server();
        fake.link("toplevel", "etc/systemd/system/a.service", GONE);
        let inspection = inspected(&fake);
        // Nothing asks for it.
        assert_eq!(
            ids(&inspection),
            ["inspected/reference/etc/systemd/system/a.service"]
        );
        assert_eq!(inspection.verdict, Verdict::Pass);
        let wants = "etc/systemd/system/multi-user.target.wants/a.service";
        fake.link("toplevel", wants, "../a.service");
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/reference/a.service"]);
        assert_eq!(inspection.verdict, Verdict::Fail);
    }

    #[test]
    fn a_unit_that_links_to_itself_fails_where_the_boot_asks_for_it() {
        let fake = server();
        fake.link("toplevel", "etc/systemd/system/a.service", "b.service");
        fake.link("toplevel", "etc/systemd/system/b.service", "a.service");
        let inspection = inspected(&fake);
        let places =
            ["a", "b"].map(|u| format!("inspected/reference/etc/systemd/system/{u}.service"));
        assert_eq!(ids(&inspection), places);
        assert_eq!(inspection.verdict, Verdict::Pass);
        let wants = "etc/systemd/system/multi-user.target.wants/a.service";
        fake.link("toplevel", wants, "../a.service");
        let inspection = inspected(&fake);
        assert_eq!(
            ids(&inspection),
            ["inspected/reference/a.service", places[1].as_str()]
        );
        let headline = &inspection.headline;
        assert!(headline.contains("leads to itself"), "{headline}");
    }

    #[test]
    fn what_nixos_makes_of_packages_that_are_not_whole_is_a_note() {
        let fake = server();
        let units = "etc/systemd/system";
        let alias = format!("{units}/dbus-org.freedesktop.import1.service");
        fake.link("toplevel", &alias, "systemd-importd.service");
        let getty = format!("{units}/multi-user.target.wants/autovt@tty1.service");
        fake.link("toplevel", &getty, "../autovt@tty1.service");
        fake.link("toplevel", "sw/share/doc/x", GONE);
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), [""; 0]);
        let is_it = |note: &String| note.contains("2 of them");
        assert!(inspection.notes.iter().any(is_it), "{:?}", inspection.notes);
    }

    #[test]
    fn other_links_that_lead_nowhere_are_warnings() {
        let fake = server();
        fake.link("toplevel", "etc/a", GONE);
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/reference/etc/a"]);
        assert_eq!(inspection.verdict, Verdict::Pass);
    }

    #[test]
    fn a_unit_that_names_a_path_outside_the_closure_is_a_warning() {
        let of = |path: &str| {
            let fake = server();
            let known = fake.store_file("known", "bin/x", "");
            let text = format!("[Service]\nEnvironment=PATH={known}:{path}\n");
            unit(&fake, "a.service", &text);
            ids(&inspected(&fake))
        };
        assert_eq!(of(GONE), ["inspected/reference/a.service"]);
        let nuked = "/nix/store/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee-nuked/bin";
        assert_eq!(of(nuked), [""; 0]);
    }

    #[test]
    fn a_script_that_names_a_path_outside_the_closure_is_a_warning() {
        let fake = server();
        let shell = fake.path_of("bash", "bin/bash");
        let script = fake.program("start", "bin/start", format!("#!{shell}\ncat {GONE}\n"));
        unit(
            &fake,
            "a.service",
            &format!("[Service]\nExecStart={script}\n"),
        );
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/reference/a.service"]);
        assert_eq!(inspection.verdict, Verdict::Pass);
        assert_eq!(inspection.findings[0].evidence[0].source, script);
    }

    #[test]
    fn links_to_files_and_to_state_are_silent() {
        let fake = server();
        fake.link("toplevel", "etc/a", "/run/state");
        fake.link("toplevel", "etc/b", "fstab");
        assert_eq!(ids(&inspected(&fake)), [""; 0]);
    }
}

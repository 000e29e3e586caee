//! The fingerprint of each boot, as the report and its files have it.

use sha2::{Digest as _, Sha256};

use super::model::{Fingerprint, Report};
use crate::check::{self, Scene};
use crate::fold::Run;
use crate::vocabulary::{Check, Finding, Plan};

/// The fingerprint of a boot, by its number.
pub(super) fn of_boot(plan: &Plan, run: &Run, number: u32) -> Option<Fingerprint> {
    let looks = run.looks().into_iter();
    let mut looks = looks.filter(|(_, record)| record.boot == Some(number));
    let lines = looks.find_map(|(state, record)| {
        check::fingerprint::fingerprint(&Scene {
            plan,
            run,
            state,
            record,
        })
    })?;
    let digest = Sha256::digest(text(&lines));
    Some(Fingerprint {
        sha256: base16ct::lower::encode_string(&digest),
        lines,
    })
}

/// The files of a run's directory that have the fingerprints: name and text.
pub fn files(report: &Report) -> Vec<(String, String)> {
    let boots = report.boots.iter().filter_map(|boot| {
        let fingerprint = boot.fingerprint.as_ref()?;
        let name = format!("fingerprint-{}.txt", boot.number);
        Some((name, text(&fingerprint.lines)))
    });
    boots.collect()
}

/// What a pass has to say in its first line where boots that must be equal are not.
pub(super) fn difference(findings: &[Finding]) -> String {
    let mut found = findings.iter().filter(|f| f.check == Check::BootsDiffer);
    let told = found.next().map(|finding| format!("; {}", finding.summary));
    told.unwrap_or_default()
}

fn text(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, Recording};
    use crate::vocabulary::State;

    fn report(of_the_second: &str) -> Report {
        let plan = testing::without_baseline();
        let mut recording = Recording::healthy(&plan);
        recording.guest(State::Booted).boot_facts = "== kernel\nLinux 6.1\n".to_owned();
        recording.guest(State::Rebooted).boot_facts = of_the_second.to_owned();
        crate::report::report(&plan, &recording.observations_of(&plan))
    }

    #[test]
    fn equal_boots_have_equal_files_and_hashes() {
        let report = report("== kernel\nLinux 6.1\n");
        let files = files(&report);
        assert_eq!(files.len(), 2);
        assert_eq!(files[1].0, "fingerprint-2.txt");
        assert_eq!(files[0].1, files[1].1);
        let hash = |n: usize| report.boots[n].fingerprint.clone().unwrap().sha256;
        assert_eq!(hash(0), hash(1));
        assert!(!report.headline.contains("differ"));
    }

    #[test]
    fn what_differs_is_in_the_first_line_of_a_pass() {
        let report = report("== kernel\nLinux 6.2\n");
        assert!(report.headline.starts_with("pass: "));
        assert!(
            report.headline.contains(
                "two boots of one generation differ, 1 and 2: `- kernel Linux 6.1` and 1 more"
            ),
            "{}",
            report.headline
        );
    }
}

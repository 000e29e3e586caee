//! The audit in Prometheus's text format, for node_exporter's textfile collector.
//!
//! The format is that of Prometheus's "Exposition formats", version 0.0.4.

use super::model::{Audit, AuditCheck};
use crate::vocabulary::{Severity, Verdict};

/// The metrics, with `seconds` of Unix time as that of the audit.
pub fn render(audit: &Audit, seconds: i64) -> String {
    let mut text = String::new();
    let machine = ("machine", audit.machine.as_str());
    let mut family = |name: &str, help: &str, samples: Vec<(Vec<(&str, &str)>, i64)>| {
        text.push_str(&format!(
            "# HELP bootproof_audit_{name} {help}\n# TYPE bootproof_audit_{name} gauge\n"
        ));
        for (labels, value) in samples {
            let labels = [vec![machine], labels].concat();
            let labels: Vec<String> = labels
                .into_iter()
                .map(|(name, value)| format!("{name}=\"{}\"", escape(value)))
                .collect();
            text.push_str(&format!(
                "bootproof_audit_{name}{{{}}} {value}\n",
                labels.join(",")
            ));
        }
    };
    let verdicts = [Verdict::Pass, Verdict::Fail, Verdict::Unproven].map(|verdict| {
        let is = i64::from(audit.verdict == verdict);
        (vec![("verdict", verdict.as_str())], is)
    });
    family(
        "verdict",
        "1 for the verdict of the last audit.",
        verdicts.into(),
    );
    let mut findings = Vec::new();
    for check in AuditCheck::ALL {
        for (severity, name) in [(Severity::Error, "error"), (Severity::Warning, "warning")] {
            let is = |f: &&super::AuditFinding| f.check == check && f.severity == severity;
            let count = audit.findings.iter().filter(is).count();
            let labels = vec![("check", check.as_str()), ("severity", name)];
            findings.push((labels, i64::try_from(count).unwrap_or(i64::MAX)));
        }
    }
    family("findings", "Findings of the last audit.", findings);
    let unproven = audit.unproven.iter().filter(|u| u.decisive).count();
    let unproven = i64::try_from(unproven).unwrap_or(i64::MAX);
    let help = "What the last audit could not read and the verdict depends on.";
    family("unproven", help, vec![(Vec::new(), unproven)]);
    // What is not known has no sample.
    let same = |a: &Option<String>, b: &Option<String>| {
        let same = a.as_ref().zip(b.as_ref()).map(|(a, b)| a == b);
        same.map(|same| (Vec::new(), i64::from(same)))
            .into_iter()
            .collect()
    };
    let next = audit
        .next_boot
        .as_ref()
        .and_then(|next| next.toplevel.clone());
    let current = &audit.current.toplevel;
    let help = "Whether the next boot starts the system that is active.";
    family("next_boot_is_current", help, same(&next, current));
    let help = "Whether the system that is active is the one that was booted.";
    family(
        "booted_is_current",
        help,
        same(&audit.booted.toplevel, current),
    );
    let platform = |system: &Option<crate::vocabulary::System>| {
        system
            .as_ref()
            .map_or(String::new(), |system| system.to_string())
    };
    let (kernel, next_kernel) = (platform(&audit.kernel), platform(&audit.next.kernel));
    let labels = vec![
        ("kernel", kernel.as_str()),
        ("next_kernel", next_kernel.as_str()),
    ];
    let help = "Always 1: the platforms of the running kernel and the next boot's.";
    family("info", help, vec![(labels, 1)]);
    let help = "When the last audit ended, in Unix time.";
    family("timestamp_seconds", help, vec![(Vec::new(), seconds)]);
    text
}

/// A label's value: backslash, quote and newline are written as escapes.
fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::audit::testing::{audited, outage};

    /// A sample: the name, its labels, its value.
    type Sample = (String, BTreeMap<String, String>, f64);

    /// Reads the format as its description says.
    fn read(text: &str) -> Vec<Sample> {
        let mut typed = Vec::new();
        let mut samples = Vec::new();
        assert!(text.ends_with('\n'));
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert_eq!(kind, "gauge");
                assert!(!typed.contains(&name), "{name} has two families");
                typed.push(name);
                continue;
            }
            if line.starts_with("# HELP ") {
                continue;
            }
            let (name, rest) = line.split_once('{').unwrap();
            assert_eq!(typed.last(), Some(&name), "families stand together");
            let mut labels = BTreeMap::new();
            let mut rest = rest;
            while !rest.starts_with('}') {
                let (label, after) = rest.split_once("=\"").unwrap();
                let mut value = String::new();
                let mut chars = after.char_indices();
                let end = loop {
                    match chars.next().unwrap() {
                        (at, '"') => break at,
                        (_, '\\') => value.push(match chars.next().unwrap().1 {
                            'n' => '\n',
                            c @ ('\\' | '"') => c,
                            c => panic!("escape of {c}"),
                        }),
                        (_, c) => value.push(c),
                    }
                };
                assert_eq!(labels.insert(label.to_owned(), value), None);
                rest = after[end + 1..].trim_start_matches(',');
            }
            let value = rest.strip_prefix("} ").unwrap().parse().unwrap();
            samples.push((name.to_owned(), labels, value));
        }
        samples
    }

    fn value(samples: &[Sample], name: &str, label: Option<(&str, &str)>) -> Vec<f64> {
        let name = format!("bootproof_audit_{name}");
        let is = |sample: &&Sample| {
            sample.0 == name
                && label
                    .is_none_or(|(key, value)| sample.1.get(key).map(String::as_str) == Some(value))
        };
        samples.iter().filter(is).map(|sample| sample.2).collect()
    }

    #[test]
    fn the_outage_is_in_the_metrics() {
        let samples = read(&render(&audited(&outage()), 1_700_000_000));
        assert_eq!(value(&samples, "verdict", Some(("verdict", "fail"))), [1.0]);
        assert_eq!(value(&samples, "verdict", Some(("verdict", "pass"))), [0.0]);
        let found = value(&samples, "findings", Some(("check", "next-executability")));
        assert_eq!(found, [3.0, 0.0]);
        assert_eq!(value(&samples, "next_boot_is_current", None), [1.0]);
        assert_eq!(value(&samples, "booted_is_current", None), [0.0]);
        assert_eq!(value(&samples, "timestamp_seconds", None), [1.7e9]);
        assert_eq!(
            value(&samples, "info", Some(("next_kernel", "i686-linux"))),
            [1.0]
        );
    }

    #[test]
    fn what_is_not_known_has_no_sample_and_hostile_names_stay_values() {
        let mut audit = audited(&outage());
        audit.machine = "a\"} 1\nx{y=\"\\".to_owned();
        audit.next_boot = None;
        let samples = read(&render(&audit, 0));
        assert_eq!(value(&samples, "next_boot_is_current", None), [0.0; 0]);
        assert!(
            samples
                .iter()
                .all(|sample| sample.1["machine"] == audit.machine)
        );
    }
}

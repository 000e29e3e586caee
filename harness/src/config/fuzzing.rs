//! Configurations of any text, with what must hold of the result. Called through `crate::fuzzing` only.

use super::model::Written;
use super::parse;
use crate::vocabulary::{Asks, FindingPattern};

/// A configuration: written again it means the same, and nothing in it lets everything through.
pub fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let config = match parse(text) {
        Ok(config) => config,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let written: Written = toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
    let again = toml::to_string(&written).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(parse(&again).as_ref(), Ok(&config), "{again}");

    let every_host = config
        .hosts
        .values()
        .chain([&config.any_host().settings])
        .cloned()
        .collect::<Vec<_>>();
    for host in &every_host {
        assert!(!host.policy.steps.is_empty() && !host.policy.accelerators.is_empty());
        assert!(host.policy.max_age > jiff::SignedDuration::ZERO);
        for suppression in &host.suppressions {
            let pattern = suppression.finding.as_str();
            assert_eq!(
                FindingPattern::parse(pattern).as_ref(),
                Ok(&suppression.finding)
            );
            assert!(!pattern.chars().all(|c| c == '*' || c == '/'), "{pattern}");
            assert!(!suppression.owner.is_empty() && !suppression.reason.is_empty());
        }
        for probe in &host.probes {
            let (Asks::Path(path) | Asks::Url { path, .. }) = &probe.asks;
            assert!(path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic()));
        }
        for file in &host.files {
            assert!(file.path.starts_with('/') && !file.path.contains("/../"));
            assert!(!file.path.starts_with("/nix/") && file.mode <= 0o7777);
        }
    }
}

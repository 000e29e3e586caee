//! `[[suppressions]]`: what somebody answers for, and until when.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::ConfigurationError;
use crate::vocabulary::{FindingPattern, Suppression};

/// One table, as it is written.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenSuppression {
    /// `STATE/CHECK/SUBJECT`, with `*`.
    finding: Option<String>,
    /// All that is found about a unit, in place of `finding`.
    unit: Option<String>,
    reason: String,
    owner: String,
    /// A date of TOML, or one in quotes.
    #[cfg_attr(test, schemars(with = "String"))]
    expires: toml::Value,
}

/// The suppressions of one list; `place` is what it is called in the file.
pub(super) fn read(
    written: &[WrittenSuppression],
    place: &str,
) -> Result<Vec<Suppression>, ConfigurationError> {
    let one = |(n, table): (usize, &WrittenSuppression)| {
        of_table(table).map_err(|reason| ConfigurationError::Entry {
            place: place.to_owned(),
            number: n + 1,
            reason,
        })
    };
    written.iter().enumerate().map(one).collect()
}

fn of_table(table: &WrittenSuppression) -> Result<Suppression, String> {
    let finding = match (&table.finding, &table.unit) {
        (Some(finding), None) => FindingPattern::parse(finding),
        (None, Some(unit)) => FindingPattern::of_unit(unit),
        (Some(_), Some(_)) => return Err("it has both `finding` and `unit`: leave one out".into()),
        (None, None) => return Err("it names neither a `finding` nor a `unit`".into()),
    };
    for (name, text) in [("reason", &table.reason), ("owner", &table.owner)] {
        if text.trim().is_empty() {
            return Err(format!(
                "its `{name}` is empty: a suppression is somebody's word"
            ));
        }
    }
    Ok(Suppression {
        finding: finding.map_err(|error| error.to_string())?,
        reason: table.reason.trim().to_owned(),
        owner: table.owner.trim().to_owned(),
        expires: date(&table.expires)?,
    })
}

fn date(value: &toml::Value) -> Result<Date, String> {
    let text = match value {
        toml::Value::Datetime(date) => date.to_string(),
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    // A time of day would be dropped in silence.
    let date = text
        .parse()
        .ok()
        .filter(|date: &Date| date.to_string() == text);
    date.ok_or_else(|| format!("expires = {value} is no date: write `2026-12-31`"))
}

#[cfg(test)]
mod tests {
    use crate::config::parse;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let text = format!("format_version = 1\n{text}");
        let config = parse(&text).map_err(|error| error.to_string())?;
        let web = config.host("web").ok_or("no host")?;
        let all = web.settings.suppressions.iter();
        Ok(all.map(|s| format!("{}: {s}", s.finding)).collect())
    }

    fn told(table: &str) -> String {
        read(&format!("[[hosts.web.suppressions]]\n{table}\n")).unwrap_err()
    }

    #[test]
    fn a_host_has_its_own_and_those_of_all() {
        let all = read(
            "[[suppressions]]\nfinding = \"*/http-gateway/*\"\nreason = \"r\"\nowner = \"o\"\nexpires = 2026-12-01\n\
             [[hosts.web.suppressions]]\nunit = \"acme-*.service\"\nreason = \" s \"\nowner = \"p\"\nexpires = \"2026-12-02\"\n",
        );
        assert_eq!(
            all.unwrap(),
            [
                "*/http-gateway/*: suppressed until 2026-12-01 by o: r",
                "*/*/acme-*.service: suppressed until 2026-12-02 by p: s"
            ]
        );
    }

    #[test]
    fn what_is_no_suppression_is_told_with_its_place() {
        let rest = "reason = \"r\"\nowner = \"o\"\nexpires = 2026-12-01";
        for (table, words) in [
            (rest.to_owned(), "neither a `finding` nor a `unit`"),
            (format!("finding = \"*/*/*\"\n{rest}"), "whole class"),
            (format!("unit = \"nginx\"\n{rest}"), "unit = \"nginx\""),
            (
                format!("unit = \"a.service\"\nfinding = \"x\"\n{rest}"),
                "both",
            ),
            (
                "unit = \"nginx.service\"\nreason = \"r\"\nowner = \" \"\nexpires = 2026-12-01"
                    .to_owned(),
                "`owner` is empty",
            ),
        ] {
            let told = told(&table);
            assert!(told.contains(words), "{told}");
            assert!(
                told.starts_with("hosts.web.suppressions: entry 1: "),
                "{told}"
            );
        }
        let unit = "unit = \"nginx.service\"\nreason = \"r\"\nowner = \"o\"";
        for date in ["2026-13-01", "\"soon\"", "2026", "2026-12-01T10:00:00Z"] {
            let told = told(&format!("{unit}\nexpires = {date}"));
            assert!(told.contains("date"), "{told}");
        }
        assert!(told(unit).contains("missing field `expires`"));
        let told = told(&format!("{unit}\nexpire = 2026-12-01"));
        assert!(told.contains("did you mean `expires`?"), "{told}");
    }
}

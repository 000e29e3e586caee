//! `cargo xtask scenarios`: the table of all scenarios in `scenarios/README.md`, from their files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use bootproof::scenario::{self, Expectation, Scenario};

const BEGIN: &str = "<!-- written by `cargo xtask scenarios`: do not edit from here -->\n";
const END: &str = "<!-- to here -->\n";

/// Writes the table, or fails where it is not the one that is there.
pub(crate) fn run(root: &Path, check: bool) -> anyhow::Result<ExitCode> {
    let directory = root.join("scenarios");
    let place = directory.join("README.md");
    let note = fs::read_to_string(&place)
        .with_context(|| format!("failed to read {}", place.display()))?;
    let written = with_table(&note, &table(&directory)?)?;
    if written == note {
        return Ok(ExitCode::SUCCESS);
    }
    if check {
        bail!(
            "the table of scenarios/README.md is not that of the scenarios: run `cargo xtask scenarios`"
        );
    }
    fs::write(&place, written).with_context(|| format!("failed to write {}", place.display()))?;
    eprintln!("scenarios: {} is as the scenarios are", place.display());
    Ok(ExitCode::SUCCESS)
}

fn with_table(note: &str, table: &str) -> anyhow::Result<String> {
    let parts = note
        .split_once(BEGIN)
        .and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let Some((before, after)) = parts else {
        bail!(
            "scenarios/README.md has no place for the table: it begins with\n{BEGIN}and ends with\n{END}"
        );
    };
    Ok(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

/// A table for each group, those that are in none first.
fn table(directory: &Path) -> anyhow::Result<String> {
    let mut groups: BTreeMap<String, Vec<(String, Scenario)>> = BTreeMap::new();
    for name in scenario::names(directory)? {
        let scenario = Scenario::read(directory, &name)?;
        let group = group(directory, &name)?;
        groups.entry(group).or_default().push((name, scenario));
    }
    let tables = groups.iter().map(|(group, scenarios)| {
        let heading = if group.is_empty() {
            "whole rehearsals"
        } else {
            group
        };
        format!(
            "### {heading} ({})\n\n{HEAD}{}",
            scenarios.len(),
            scenarios.iter().map(row).collect::<String>()
        )
    });
    Ok(tables.collect::<Vec<_>>().join("\n"))
}

fn group(directory: &Path, name: &str) -> anyhow::Result<String> {
    let file = scenario::file(directory, name)?;
    let group = file.parent().and_then(Path::parent);
    let group = group.filter(|group| *group != directory);
    let group = group.and_then(Path::file_name);
    Ok(group.map_or_else(String::new, |name| name.to_string_lossy().into_owned()))
}

const HEAD: &str = "\
| scenario | fault | by its files | at the switch | at the boot | verdict | the report leads with |
|---|---|---|---|---|---|---|
";

fn row((name, scenario): &(String, Scenario)) -> String {
    let expect = &scenario.expect;
    let seen = Seen::of(expect);
    let cause = expect.says.as_deref().unwrap_or("");
    let mut line = String::new();
    let _ = writeln!(
        line,
        "| `{name}` | {} | {} | {} | {} | {} | {} |",
        cell(&scenario.summary),
        mark(seen.inspected),
        mark(seen.before_the_reboot),
        match (seen.rebooted, seen.inspected || seen.before_the_reboot) {
            (true, false) => "only there",
            (true, true) => "yes",
            (false, _) => "",
        },
        expect.verdict,
        cell(cause),
    );
    line
}

/// Where a fault shows: by the states of the findings. What cannot be read of the files is told before a boot too.
struct Seen {
    inspected: bool,
    /// The candidate runs, and the machine was not rebooted.
    before_the_reboot: bool,
    rebooted: bool,
}

impl Seen {
    fn of(expect: &Expectation) -> Self {
        let of =
            |ids: &[String], state: &str| ids.iter().any(|id| id.split('/').next() == Some(state));
        let found = |state: &str| of(&expect.findings, state);
        Self {
            inspected: found("inspected") || of(&expect.unproven, "inspected"),
            before_the_reboot: found("switched"),
            rebooted: found("rebooted") || found("booted"),
        }
    }
}

fn mark(seen: bool) -> &'static str {
    if seen { "yes" } else { "" }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_between_its_marks() {
        let note = format!("before\n{BEGIN}old\n{END}after\n");
        let written = with_table(&note, "new\n").unwrap();
        assert_eq!(written, format!("before\n{BEGIN}\nnew\n\n{END}after\n"));
        assert_eq!(with_table(&written, "new\n").unwrap(), written);
        with_table("before\nafter\n", "new\n").unwrap_err();
    }

    #[test]
    fn where_a_fault_shows_follows_from_its_findings() {
        let text = "verdict = \"fail\"\nfindings = [\"rebooted/http-gateway/x\"]\nsays = \"a | b\"";
        let mut expect: Expectation = toml::from_str(text).unwrap();
        let seen = Seen::of(&expect);
        assert_eq!(
            (seen.inspected, seen.before_the_reboot, seen.rebooted),
            (false, false, true)
        );
        expect.findings.push("inspected/boot-path/init".to_owned());
        expect.unproven.push("switched/guest".to_owned());
        let seen = Seen::of(&expect);
        let all = (seen.inspected, seen.before_the_reboot, seen.rebooted);
        assert_eq!(all, (true, false, true));
        assert_eq!(cell(expect.says.as_deref().unwrap()), "a \\| b");
    }
}

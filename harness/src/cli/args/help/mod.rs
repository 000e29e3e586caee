//! What `--help`, the man pages and the first screen teach, beside what each option says of itself.

mod rows;

use clap::{Command, CommandFactory as _};

use super::Cli;
pub(in crate::cli) use rows::FIRST_SCREEN;
use rows::ROWS;

/// What is told of one subcommand.
struct Row {
    command: &'static str,
    /// A few sentences on what it does.
    does: &'static str,
    /// What its exit codes mean.
    exits: &'static str,
    /// Command lines, each with what it is for. Every one of them parses.
    examples: &'static [(&'static str, &'static str)],
}

/// More would be hard to read, and a terminal need not have more.
const COLUMNS: usize = 80;

/// The command line with all that it teaches.
pub(in crate::cli) fn command() -> Command {
    let mut command = quiet_of_values(Cli::command().max_term_width(COLUMNS));
    for row in ROWS {
        command = command.mut_subcommand(row.command, |subcommand| {
            let summary = subcommand.get_about().map(ToString::to_string);
            quiet_of_values(subcommand)
                .long_about(format!(
                    "{}.\n\n{}\n\nExit codes: {}",
                    summary.unwrap_or_default(),
                    row.does,
                    row.exits
                ))
                .after_help(examples(row))
                .max_term_width(COLUMNS)
        });
    }
    command
}

/// Help names the variables that options come from, and not their values: a long path would not fit the page.
fn quiet_of_values(command: Command) -> Command {
    command.mut_args(|arg| arg.hide_env_values(true))
}

fn examples(row: &Row) -> String {
    let examples = row.examples.iter();
    let lines = examples.map(|(line, meaning)| format!("  {line}\n      {meaning}"));
    format!("Examples:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches as _;

    use super::*;

    #[test]
    fn every_subcommand_teaches() {
        for subcommand in command().get_subcommands() {
            let row = ROWS.iter().find(|r| r.command == subcommand.get_name());
            let row = row.unwrap_or_else(|| panic!("no row for {}", subcommand.get_name()));
            assert!((1..=5).contains(&row.examples.len()), "{}", row.command);
            assert!(row.does.ends_with('.') && row.exits.starts_with('0'));
        }
        let whole = command();
        let names: Vec<&str> = whole.get_subcommands().map(Command::get_name).collect();
        for row in ROWS {
            assert!(names.contains(&row.command), "{}", row.command);
        }
    }

    #[test]
    fn every_example_parses() {
        let first = FIRST_SCREEN
            .lines()
            .filter_map(|line| line.strip_prefix("  $ "))
            .map(|line| ("", line));
        let others = ROWS
            .iter()
            .flat_map(|row| row.examples.iter().map(|(line, _)| (row.command, *line)));
        for (name, line) in first.chain(others) {
            let words = shlex::split(line).unwrap_or_else(|| panic!("{line}"));
            // What feeds the command, and what it feeds, is another's.
            let start = words.iter().position(|word| word == "bootproof");
            let words = &words[start.unwrap_or_else(|| panic!("{line}"))..];
            let end = words
                .iter()
                .position(|word| [">", "|", "&&"].contains(&word.as_str()));
            let words = &words[..end.unwrap_or(words.len())];
            assert!(name.is_empty() || words[1] == name, "{line}");
            let matches = command().try_get_matches_from(words);
            let matches = matches.unwrap_or_else(|error| panic!("{line}: {error}"));
            Cli::from_arg_matches(&matches).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }

    #[test]
    fn help_fits_a_terminal_of_80_columns() {
        let mut pages = vec![command()];
        while let Some(mut page) = pages.pop() {
            let name = page.get_name().to_owned();
            let short = page.clone().render_help().to_string();
            let long = page.render_long_help().to_string();
            for line in [short, long].iter().flat_map(|help| help.lines()) {
                assert!(line.chars().count() <= COLUMNS, "{name}: {line}");
            }
            // What the environment holds, here or elsewhere, is of any length.
            let values = page.get_arguments().filter(|arg| arg.get_env().is_some());
            for argument in values {
                assert!(argument.is_hide_env_values_set(), "{name}: {argument}");
            }
            pages.extend(page.get_subcommands().cloned());
        }
        for line in FIRST_SCREEN.lines() {
            assert!(line.chars().count() <= COLUMNS, "{line}");
        }
        // A line that is wrapped loses its indentation.
        for (line, meaning) in ROWS.iter().flat_map(|row| row.examples) {
            assert!(line.chars().count() <= COLUMNS - 2, "{line}");
            assert!(meaning.chars().count() <= COLUMNS - 6, "{meaning}");
        }
    }
}

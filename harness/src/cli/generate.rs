//! `bootproof completions` and `bootproof man`: what is made of the arguments themselves.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::args::{self, CompletionsArgs, ManArgs};
use super::{Exit, Failure};

/// Prints a script for a shell.
pub(super) fn completions(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), "bootproof", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Exit::Pass)
}

/// Writes a page for the program and one for each command and each of its actions.
pub(super) fn man(args: &ManArgs) -> Result<Exit, Failure> {
    let directory = &args.directory;
    let trouble = |error: io::Error| {
        format!(
            "failed to write pages into {}: {error}",
            directory.display()
        )
    };
    fs::create_dir_all(directory).map_err(trouble)?;
    let mut pending = vec![("bootproof".to_owned(), args::command())];
    while let Some((name, command)) = pending.pop() {
        page(&command, &name, directory).map_err(trouble)?;
        for subcommand in command.get_subcommands() {
            let name = format!("{name}-{}", subcommand.get_name());
            pending.push((name, subcommand.clone()));
        }
    }
    Ok(Exit::Pass)
}

fn page(command: &clap::Command, name: &str, directory: &Path) -> io::Result<()> {
    // The page's name and the usage have the program's name too.
    let command = command
        .clone()
        .name(name.to_owned())
        .display_name(name)
        .bin_name(name.replace('-', " "))
        // It is no page of its own.
        .disable_help_subcommand(true)
        .version(env!("CARGO_PKG_VERSION"));
    let mut text = Vec::new();
    clap_mangen::Man::new(command).render(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    // What clap adds after the options is called something else by readers of man pages (man-pages(7)).
    let text = text.replace(".SH EXTRA\nExamples:\n", ".SH EXAMPLES\n");
    fs::write(directory.join(format!("{name}.1")), text)
}

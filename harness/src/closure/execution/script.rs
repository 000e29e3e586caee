use std::collections::BTreeSet;

/// More programs than a start script calls.
const MAX_CALLS: usize = 20;

/// Whether a text sets the loader's own variables.
pub(in crate::closure) fn names_libraries(text: &str) -> bool {
    text.contains("LD_LIBRARY_PATH") || text.contains("LD_PRELOAD")
}

/// The word after `#!`, of which the kernel reads the first 256 bytes (execve(2)).
pub fn interpreter(script: &str) -> Option<&str> {
    let line = script.strip_prefix("#!")?.lines().next()?;
    line.split_whitespace().next()
}

/// Whether a script's interpreter reads it as a shell does.
pub(in crate::closure) fn is_shell(interpreter: &str) -> bool {
    let name = interpreter.rsplit('/').next().unwrap_or_default();
    ["sh", "bash", "dash", "ksh", "zsh"].contains(&name)
}

/// The programs that lines without indentation begin with, of a start script as NixOS writes them from `script`.
///
/// What stands in a block may never run, and what follows in a line is not looked at.
pub(in crate::closure) fn called(script: &str) -> BTreeSet<String> {
    script
        .lines()
        .map(|line| line.trim_start_matches(['"', '\'']))
        .filter(|line| line.starts_with("/nix/store/"))
        .filter(|line| !line.contains("||"))
        .filter_map(|line| line.split([' ', '\t', '"', '\'', ';']).next())
        .map(str::to_owned)
        .take(MAX_CALLS)
        .collect()
}

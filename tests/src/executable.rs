//! Programs that a test writes and then runs.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes a program.
///
/// A process of its own writes it: a descriptor of this one may be inherited by what another test starts just then, and a file that
/// somebody has open for writing cannot be executed ("Text file busy").
pub fn write_executable(place: &Path, text: &str) {
    let mut writer = Command::new("sh")
        .args(["-c", "cat >\"$1\" && chmod 755 \"$1\"", "sh"])
        .arg(place)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = writer.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    let written = writer.wait().unwrap();
    assert!(written.success(), "{}: {written}", place.display());
}

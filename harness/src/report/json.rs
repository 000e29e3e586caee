//! `report.json`: the whole report, for programs.

use super::Report;

/// The report as indented JSON with a newline at its end. Maps are sorted, so equal reports give equal bytes.
///
/// # Errors
/// When a number of the recording is none that JSON has.
pub fn render(report: &Report) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    Ok(text)
}

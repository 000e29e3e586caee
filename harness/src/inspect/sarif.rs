//! The inspection as SARIF, for code scanning.

use super::Inspection;
use crate::report::sarif::{Inspected, log};

/// The inspection as a SARIF log.
///
/// # Errors
/// None that is known: the types have a JSON form.
pub fn render(inspection: &Inspection) -> Result<String, serde_json::Error> {
    log(&Inspected {
        tool_version: &inspection.tool_version,
        toplevel: &inspection.toplevel,
        verdict: inspection.verdict,
        headline: &inspection.headline,
        findings: inspection.findings.iter().collect(),
        unproven: inspection.unproven.iter().collect(),
    })
}

//! The report as one self-contained page, for a browser.
//!
//! Called by the command line for `report.html`. Beside the report it reads the recording, because a person who looks for a cause wants
//! the lines around the evidence. It needs no network and no script; what a guest or a closure said is bounded, sanitised by
//! [`sanitise`](crate::fold::sanitise) and escaped by the template. It judges nothing and does no I/O.

mod chart;
mod differences;
mod evidence;
mod excerpt;
mod findings;
mod http;
mod ledger_chart;
mod page;
mod prose;
mod run_chart;
mod screens;
mod security;
mod sources;
mod states;
mod unit_chart;

use askama::Template as _;

use super::model::Report;
use crate::fold::fold;
use crate::vocabulary::{Plan, Recorded};

pub use screens::Screen;

/// What a page is made of, beside the report.
#[derive(Debug, Clone, Copy)]
pub struct Recording<'a> {
    pub plan: &'a Plan,
    pub observations: &'a [Recorded],
    /// Pictures of the guest's screen that the recording names and that could be read.
    pub screens: &'a [Screen],
}

/// The page as HTML.
///
/// # Errors
/// None that a text in memory can meet; the template's own type has one.
pub fn render(report: &Report, recording: &Recording<'_>) -> Result<String, askama::Error> {
    let run = fold(recording.observations);
    page::page(report, recording, &run).render()
}

#[cfg(test)]
mod tests;

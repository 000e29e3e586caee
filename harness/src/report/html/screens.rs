//! Pictures of the guest's screen, as the page shows them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::fold::Run;
use crate::vocabulary::{Observation, Recorded, StepOutcome};

/// What the guest's screen showed when a boot was given up, as a PNG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    pub boot: u32,
    pub png: Vec<u8>,
}

/// A picture, or why there is none.
pub(super) struct ScreenView {
    pub(super) caption: String,
    /// A `data:` URI.
    pub(super) source: Option<String>,
}

/// Every screen that the recording names.
pub(super) fn screens(
    observations: &[Recorded],
    run: &Run,
    pictures: &[Screen],
) -> Vec<ScreenView> {
    let taken = observations.iter().filter_map(|o| match o.observation {
        Observation::Screen { boot, .. } => Some((boot, o.at_ms)),
        _ => None,
    });
    taken
        .map(|(boot, at_ms)| {
            let picture = pictures.iter().find(|picture| picture.boot == boot);
            let why = run
                .steps
                .iter()
                .find(|step| step.boot == Some(boot) && step.outcome != Some(StepOutcome::Done))
                .and_then(|step| match &step.outcome {
                    Some(StepOutcome::GuestFailed { reason, .. }) => Some(format!(" ({reason})")),
                    _ => None,
                })
                .unwrap_or_default();
            let missing = match picture {
                Some(_) => String::new(),
                None => format!(
                    ": screen-{boot}.png of the run's directory is missing, or not what was recorded"
                ),
            };
            ScreenView {
                caption: format!(
                    "boot {boot}, when it was given up{why}, {} after the run began{missing}",
                    super::super::text::seconds(at_ms)
                ),
                source: picture
                    .map(|p| format!("data:image/png;base64,{}", STANDARD.encode(&p.png))),
            }
        })
        .collect()
}

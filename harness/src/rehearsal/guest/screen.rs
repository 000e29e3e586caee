//! The guest's screen: read while only it can tell how a boot goes, and kept where a person will want to see it.

use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::super::console::stage_of;
use super::super::dead_ends::{dead_end_of_screen, is_left_to_boot_code};
use super::super::deadlines::Deadlines;
use super::{Guest, GuestError, GuestTrouble};
use crate::vm::VmError;
use crate::vocabulary::{Observation, Stage, screen_file};

impl Guest<'_, '_> {
    /// Firmware and bootloader may speak on the screen only: reads it while no kernel has spoken.
    pub(super) async fn read_screen(
        &mut self,
        deadlines: Deadlines,
    ) -> Result<Option<GuestTrouble>, GuestError> {
        let has_kernel = self.senses.stage() >= Some(Stage::Kernel);
        let Some(waited) = self.senses.in_stage_for().filter(|_| !has_kernel) else {
            return Ok(None);
        };
        let lines = match self.vm.screen_text().await {
            Ok(lines) => lines,
            // A machine without a screen, or one that ends: its exit is an event of its own.
            Err(error) => {
                tracing::debug!(%error, "the screen could not be read");
                return Ok(None);
            }
        };
        let is_overdue = deadlines.stage(Some(Stage::Firmware)) < Some(waited);
        let (reason, line) = match dead_end_of_screen(&lines) {
            Some(end) => end,
            None if is_overdue && is_left_to_boot_code(&lines) => {
                let reason = "the firmware started the disk's boot code, and nothing came of it";
                (reason, lines.last().map_or("", String::as_str))
            }
            None => return Ok(None),
        };
        let shown = lines.iter().filter_map(|line| stage_of(line)).max();
        let boot = self.senses.boot();
        for line in &lines {
            let line = line.clone();
            self.recorder
                .record(Observation::ScreenText { boot, line })?;
        }
        Ok(Some(GuestTrouble {
            stage: shown.max(self.senses.stage()).or(Some(Stage::Firmware)),
            last_line: Some(line.to_owned()),
            ..self.trouble(reason.to_owned())
        }))
    }

    /// Keeps what the guest's screen shows, where there is a machine yet: what a kernel says without a serial console, a person can
    /// read only there.
    pub(in crate::rehearsal) async fn keep_screen(&mut self) -> Result<(), GuestError> {
        let boot = self.senses.boot();
        let place = std::path::absolute(self.recorder.directory().join(screen_file(boot)))?;
        let without = |why: &dyn std::fmt::Display| Observation::Note {
            text: format!("there is no picture of the guest's screen: {why}"),
        };
        let observation = match self.vm.screendump(&place).await {
            Ok(()) => match sha256_of(&place) {
                Ok(sha256) => Observation::Screen { boot, sha256 },
                Err(error) => without(&error),
            },
            Err(refused @ VmError::Refused { .. }) => without(&refused),
            // Without a QEMU there is no screen; that it ended is in the recording.
            Err(error) => {
                tracing::debug!(%error, "no picture of the guest's screen");
                return Ok(());
            }
        };
        self.recorder.record(observation)?;
        Ok(())
    }
}

fn sha256_of(file: &Path) -> io::Result<String> {
    let digest = Sha256::digest(std::fs::read(file)?);
    Ok(base16ct::lower::encode_string(&digest))
}

//! What is asked of QEMU by its monitor (QMP, and the human monitor where QMP has no command).

use std::io;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

use super::process::{Vm, VmError, VmEvent};
use super::qmp::{self, Message};
use super::streams::Incoming;
use super::text_screen;

/// A monitor that says nothing for so long is taken for dead; nothing in QEMU's start takes a tenth of it.
const MONITOR_DEADLINE: Duration = Duration::from_secs(60);

impl Vm {
    /// Runs a command of QMP's and waits for its reply; other events wait for [`Vm::next`].
    ///
    /// # Errors
    /// When QEMU refuses the command, ends, or does not answer.
    pub async fn execute(&mut self, command: &str, arguments: Value) -> Result<Value, VmError> {
        let (id, line) = self.request(command, arguments);
        self.qmp.write_all(line.as_bytes()).await?;
        self.reply(command, id).await
    }

    /// The line of a command, and the number of its reply.
    pub(super) fn request(&mut self, command: &str, arguments: Value) -> (u64, String) {
        self.next_id += 1;
        let line = qmp::request(self.next_id, command, arguments);
        (self.next_id, line)
    }

    /// Waits for the reply of this number.
    pub(super) async fn reply(&mut self, command: &str, wanted: u64) -> Result<Value, VmError> {
        let reply = self
            .monitor(|message| match message {
                Message::Reply { id, result } if id == wanted => Ok(result),
                other => Err(other),
            })
            .await?;
        reply.map_err(|reason| VmError::Refused {
            command: command.to_owned(),
            reason,
        })
    }

    /// The loopback ports behind the forwarded ports: `(guest's, host's)`.
    ///
    /// # Errors
    /// As [`Vm::execute`].
    pub async fn forwarded_ports(&mut self) -> Result<Vec<(u16, u16)>, VmError> {
        let arguments = serde_json::json!({ "command-line": "info usernet" });
        let table = self.execute("human-monitor-command", arguments).await?;
        Ok(qmp::forwarded_ports(table.as_str().unwrap_or_default()))
    }

    /// Draws what the guest's screen shows into the file `place`, as a PNG (QMP's `screendump`; its `format` since QEMU 7.1).
    ///
    /// # Errors
    /// As [`Vm::execute`], and for a path that is no UTF-8, which QMP cannot say.
    pub async fn screendump(&mut self, place: &Path) -> Result<(), VmError> {
        let Some(name) = place.to_str() else {
            return Err(io::Error::other("the path of the picture is no UTF-8").into());
        };
        let arguments = serde_json::json!({ "filename": name, "format": "png" });
        self.execute("screendump", arguments).await.map(drop)
    }

    /// The lines of the guest's screen, where it is in VGA's text mode; else nonsense, or none.
    ///
    /// # Errors
    /// As [`Vm::execute`].
    pub async fn screen_text(&mut self) -> Result<Vec<String>, VmError> {
        let arguments = serde_json::json!({ "command-line": text_screen::REQUEST });
        let dump = self.execute("human-monitor-command", arguments).await?;
        Ok(text_screen::lines(dump.as_str().unwrap_or_default()))
    }

    /// Waits for the greeting and leaves the mode in which only capabilities are spoken of; the version of QEMU.
    pub(super) async fn negotiate(&mut self) -> Result<String, VmError> {
        let version = self
            .monitor(|message| match message {
                Message::Greeting { version } => Ok(version),
                other => Err(other),
            })
            .await?;
        self.execute("qmp_capabilities", Value::Null).await?;
        Ok(version)
    }

    /// Waits for the monitor's line that `pick` takes; other events wait for [`Vm::next`].
    pub(super) async fn monitor<T>(
        &mut self,
        pick: impl Fn(Message) -> Result<T, Message>,
    ) -> Result<T, VmError> {
        let search = async {
            loop {
                match self.events.recv().await {
                    Some(Incoming::Event(event)) => self.waiting.push_back(event),
                    Some(Incoming::Qmp(message)) => match pick(message) {
                        Ok(found) => return Ok(found),
                        Err(Message::Event { name, data }) => {
                            self.waiting.push_back(VmEvent::Qmp { name, data });
                        }
                        Err(other) => tracing::debug!(?other, "unexpected line on the monitor"),
                    },
                    None => return Err(self.ended_early().await),
                }
            }
        };
        match tokio::time::timeout(MONITOR_DEADLINE, search).await {
            Ok(found) => found,
            Err(_) => Err(VmError::Silent(MONITOR_DEADLINE)),
        }
    }
}

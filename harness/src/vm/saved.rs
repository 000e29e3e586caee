//! A running machine, written to a file and gone on with by another QEMU: a migration to nowhere (QEMU's `docs/devel/migration.rst`).
//!
//! The disk is no part of it: whoever resumes a machine gives it a disk as it was when the machine was saved.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde_json::{Value, json};

use super::argv::CHILD_FDS;
use super::process::{Vm, VmError};
use super::qmp::Message;

/// What the file of the state is called in QEMU.
const NAME: &str = "state";

impl Vm {
    /// Stops the machine and writes its state to `file`. It stays stopped, and its disk is whole.
    ///
    /// # Errors
    /// When QEMU cannot save the machine, ends, or does not answer.
    pub async fn save(&mut self, file: BorrowedFd<'_>) -> Result<(), VmError> {
        self.execute("stop", Value::Null).await?;
        // The default is what a network bears.
        let bandwidth = json!({ "max-bandwidth": 1_u64 << 40 });
        self.execute("migrate-set-parameters", bandwidth).await?;
        self.give(file).await?;
        self.migrate("migrate", NAME).await
    }

    /// Reads the state of a saved machine, and goes on with it.
    pub(super) async fn resume(&mut self) -> Result<(), VmError> {
        let inherited = CHILD_FDS.state.to_string();
        self.migrate("migrate-incoming", &inherited).await?;
        self.execute("cont", Value::Null).await?;
        Ok(())
    }

    /// Hands a descriptor over with the command that names it (QMP's `getfd`).
    async fn give(&mut self, file: BorrowedFd<'_>) -> Result<(), VmError> {
        let (id, line) = self.request("getfd", json!({ "fdname": NAME }));
        let files = [file];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&files));
        // Nothing else is under way on the monitor, so that the line goes out whole.
        let data = [IoSlice::new(line.as_bytes())];
        let monitor = self.qmp.as_ref().as_fd();
        sendmsg(monitor, &data, &mut control, SendFlags::empty()).map_err(std::io::Error::from)?;
        self.reply("getfd", id).await.map(drop)
    }

    async fn migrate(&mut self, command: &str, place: &str) -> Result<(), VmError> {
        let events = json!({ "capabilities": [{ "capability": "events", "state": true }] });
        self.execute("migrate-set-capabilities", events).await?;
        let place = json!({ "uri": format!("fd:{place}") });
        self.execute(command, place).await?;
        let ended = |message| match message {
            Message::Event { name, data } if name == "MIGRATION" => match data["status"].as_str() {
                Some("completed") => Ok(true),
                Some("failed" | "cancelled") => Ok(false),
                _ => Err(Message::Event { name, data }),
            },
            other => Err(other),
        };
        match self.monitor(ended).await? {
            true => Ok(()),
            false => Err(VmError::Refused {
                command: command.to_owned(),
                reason: self.why_it_failed().await?,
            }),
        }
    }

    async fn why_it_failed(&mut self) -> Result<String, VmError> {
        let told = self.execute("query-migrate", Value::Null).await?;
        let reason = told["error-desc"].as_str();
        Ok(reason.unwrap_or("the state was not moved").to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::{AsRawFd as _, OwnedFd};

    use super::*;
    use crate::vm::{MachineFds, MachineSpec};

    fn spec(resumes: bool) -> MachineSpec {
        MachineSpec {
            resumes,
            ..MachineSpec::smallest()
        }
    }

    fn files(disk: &File, state: Option<File>) -> MachineFds {
        MachineFds {
            image: OwnedFd::from(disk.try_clone().unwrap()),
            write_log: None,
            state: state.map(OwnedFd::from),
        }
    }

    #[tokio::test]
    async fn several_machines_go_on_from_a_saved_one() {
        let disk = tempfile::tempfile().unwrap();
        disk.set_len(1 << 20).unwrap();
        let mut vm = match Vm::start(&spec(false), files(&disk, None)).await {
            Ok(vm) => vm,
            Err(VmError::Start { .. }) => {
                eprintln!("skipped: there is no qemu-system-x86_64 here");
                return;
            }
            Err(error) => panic!("{error}"),
        };
        let state = tempfile::tempfile().unwrap();
        vm.save(state.as_fd()).await.unwrap();
        vm.cut_power().await;
        assert!(state.metadata().unwrap().len() > 1000);
        for _ in 0..2 {
            let place = format!("/proc/self/fd/{}", state.as_raw_fd());
            let again = File::open(place).unwrap();
            let resumed = Vm::start(&spec(true), files(&disk, Some(again))).await;
            let mut resumed = resumed.unwrap();
            let status = resumed.execute("query-status", Value::Null).await.unwrap();
            assert_eq!(status["status"], "running");
            resumed.stop().await;
        }
        let nothing = tempfile::tempfile().unwrap();
        let failed = Vm::start(&spec(true), files(&disk, Some(nothing))).await;
        assert!(failed.is_err());
    }
}

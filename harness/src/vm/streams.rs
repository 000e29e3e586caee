//! The streams of a QEMU process, each read by a task of its own into one queue of events.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::mpsc;

use super::process::VmEvent;
use super::qmp::{self, Message};

/// What a task read.
#[derive(Debug)]
pub(super) enum Incoming {
    Event(VmEvent),
    Qmp(Message),
}

/// More of what QEMU complains about is not kept.
const STDERR_LIMIT: usize = 64 << 10;

/// Two connected sockets: ours, and the one that QEMU inherits.
pub(super) fn socket_pair() -> io::Result<(UnixStream, OwnedFd)> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((UnixStream::from_std(ours)?, theirs.into()))
}

pub(super) async fn read_bytes(
    mut stream: OwnedReadHalf,
    events: mpsc::Sender<Incoming>,
    event: impl Fn(Vec<u8>) -> VmEvent,
) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        let bytes = buffer[..length].to_vec();
        if events.send(Incoming::Event(event(bytes))).await.is_err() {
            return;
        }
    }
}

pub(super) async fn read_qmp(stream: OwnedReadHalf, events: mpsc::Sender<Incoming>) {
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if events.send(Incoming::Qmp(qmp::parse(&line))).await.is_err() {
            return;
        }
    }
}

/// Keeps the first part of what QEMU complains about; holds `events` open until QEMU has closed its end.
pub(super) async fn read_stderr(
    mut pipe: tokio::process::ChildStderr,
    text: Arc<Mutex<String>>,
    events: mpsc::Sender<Incoming>,
) {
    let mut buffer = vec![0; 4 << 10];
    while let Ok(length @ 1..) = pipe.read(&mut buffer).await {
        if let Ok(mut text) = text.lock()
            && text.len() < STDERR_LIMIT
        {
            text.push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
    }
    drop(events);
}

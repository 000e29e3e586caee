//! The monitor's side of QMP (QEMU's `docs/interop/qmp-spec.rst`): a banner, replies to whatever is asked, and resets.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use serde_json::{Value, json};

use super::machine::until_heard;

/// A screen of one black pixel, as a PNG.
const SCREEN: &[u8] = b"\x89\x50\x4e\x47\x0d\x0a\x1a\x0a\x00\x00\x00\x0d\x49\x48\x44\x52\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\
    \x00\x3a\x7e\x9b\x55\x00\x00\x00\x0a\x49\x44\x41\x54\x78\x9c\x63\x60\x00\x00\x00\x02\x00\x01\x48\xaf\xa4\x71\x00\
    \x00\x00\x00\x49\x45\x4e\x44\xae\x42\x60\x82";

/// The host's ports behind the forwarded guest's ports: `(guest's, host's)`.
pub(super) type Ports = Vec<(u16, u16)>;

pub(super) struct Monitor {
    stream: Arc<Mutex<UnixStream>>,
    manners: Arc<Manners>,
}

/// What it does not do.
#[derive(Default)]
struct Manners {
    ignores_quit: AtomicBool,
    refuses_pictures: AtomicBool,
}

impl Monitor {
    /// Sends the banner and answers from a thread of its own; returns when the harness has negotiated.
    pub(super) fn open(stream: UnixStream, ports: Ports) -> io::Result<Self> {
        let reader = BufReader::new(stream.try_clone()?);
        let monitor = Self {
            stream: Arc::new(Mutex::new(stream)),
            manners: Arc::default(),
        };
        send(&monitor.stream, &banner())?;
        let (negotiated, wait) = mpsc::channel();
        let (stream, manners) = (monitor.stream.clone(), monitor.manners.clone());
        thread::spawn(move || {
            for line in reader.lines() {
                let Ok(line) = line else { return };
                if reply(&stream, &line, &ports, &manners, &negotiated).is_err() {
                    return;
                }
            }
        });
        wait.recv()
            .map_err(|_| io::Error::other("nobody negotiated on the monitor"))?;
        Ok(monitor)
    }

    /// Sends the banner, and an error for the first request.
    pub(super) fn refuse(stream: UnixStream, reason: &str) -> io::Result<()> {
        let mut line = String::new();
        let mut reader = BufReader::new(stream.try_clone()?);
        let stream = Mutex::new(stream);
        send(&stream, &banner())?;
        reader.read_line(&mut line)?;
        let request: Value = serde_json::from_str(&line)?;
        let error = json!({ "class": "GenericError", "desc": reason });
        send(&stream, &json!({ "error": error, "id": request["id"] }))
    }

    pub(super) fn ignore_quit(&self) {
        self.manners.ignores_quit.store(true, Ordering::Relaxed);
    }

    pub(super) fn refuse_pictures(&self) {
        self.manners.refuses_pictures.store(true, Ordering::Relaxed);
    }

    /// The event of a reset by the guest; returns when it was heard.
    pub(super) fn reset(&self) -> io::Result<()> {
        let data = json!({ "guest": true, "reason": "guest-reset" });
        send(&self.stream, &json!({ "event": "RESET", "data": data }))
    }
}

fn banner() -> Value {
    let version = json!({ "qemu": { "major": 7, "minor": 2, "micro": 22 }, "package": "" });
    json!({ "QMP": { "version": version, "capabilities": [] } })
}

fn reply(
    stream: &Mutex<UnixStream>,
    line: &str,
    ports: &Ports,
    manners: &Manners,
    negotiated: &mpsc::Sender<()>,
) -> io::Result<()> {
    let request: Value = serde_json::from_str(line)?;
    let result = match request["execute"].as_str() {
        Some("quit") if manners.ignores_quit.load(Ordering::Relaxed) => return Ok(()),
        Some("screendump") if manners.refuses_pictures.load(Ordering::Relaxed) => {
            let error = json!({ "class": "GenericError", "desc": "there is no console to take a screendump from" });
            return send(stream, &json!({ "error": error, "id": request["id"] }));
        }
        Some("human-monitor-command") => Value::String(user_network(ports)),
        _ => json!({}),
    };
    if request["execute"] == "screendump" {
        let place = request["arguments"]["filename"].as_str();
        fs::write(place.unwrap_or_default(), SCREEN)?;
    }
    send(stream, &json!({ "return": result, "id": request["id"] }))?;
    match request["execute"].as_str() {
        Some("qmp_capabilities") => drop(negotiated.send(())),
        Some("quit") => process::exit(0),
        _ => {}
    }
    Ok(())
}

/// The table of the human monitor's `info usernet`.
fn user_network(ports: &Ports) -> String {
    let rows = ports.iter().map(|(guest, host)| {
        format!(
            "  TCP[HOST_FORWARD]  14       127.0.0.1 {host}       10.0.2.15    {guest}     0     0\r\n"
        )
    });
    let head =
        "  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r\n";
    head.to_owned() + &rows.collect::<String>()
}

fn send(stream: &Mutex<UnixStream>, message: &Value) -> io::Result<()> {
    let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
    stream.write_all(format!("{message}\r\n").as_bytes())?;
    until_heard(&stream)
}

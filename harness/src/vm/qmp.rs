//! The QEMU Machine Protocol, as far as a rehearsal needs it: JSON lines over a socket.
//!
//! Source: QEMU's `docs/interop/qmp-spec.rst`. Pure: it makes and reads lines, the process module moves them.

use serde_json::{Value, json};

/// A line from QEMU.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// The banner that opens the connection; holds QEMU's version.
    Greeting {
        version: String,
    },
    Reply {
        id: u64,
        result: Result<Value, String>,
    },
    Event {
        name: String,
        data: Value,
    },
    /// Anything else, kept for the log.
    Other(String),
}

/// The line that asks for `execute` with `arguments`, numbered `id`.
pub fn request(id: u64, execute: &str, arguments: Value) -> String {
    let mut line = json!({ "execute": execute, "id": id });
    if !arguments.is_null() {
        line["arguments"] = arguments;
    }
    line.to_string() + "\r\n"
}

/// Reads one line of QEMU's.
pub fn parse(line: &str) -> Message {
    let Ok(mut value) = serde_json::from_str::<Value>(line) else {
        return Message::Other(line.to_owned());
    };
    if let Some(version) = value.pointer("/QMP/version/qemu") {
        let number = |key: &str| version.get(key).and_then(Value::as_u64).unwrap_or(0);
        return Message::Greeting {
            version: format!(
                "{}.{}.{}",
                number("major"),
                number("minor"),
                number("micro")
            ),
        };
    }
    if let Some(name) = value.get("event").and_then(Value::as_str) {
        return Message::Event {
            name: name.to_owned(),
            data: value.get("data").cloned().unwrap_or(Value::Null),
        };
    }
    let Some(id) = value.get("id").and_then(Value::as_u64) else {
        return Message::Other(line.to_owned());
    };
    let result = match value.get_mut("return") {
        Some(result) => Ok(result.take()),
        None => Err(value
            .pointer("/error/desc")
            .and_then(Value::as_str)
            .unwrap_or("no description")
            .to_owned()),
    };
    Message::Reply { id, result }
}

/// The host's ports behind the forwarded guest's ports, from the human monitor's `info usernet`.
///
/// Its rows read `TCP[HOST_FORWARD]  14       127.0.0.1 40123       10.0.2.15    80     0     0`.
pub fn forwarded_ports(info_usernet: &str) -> Vec<(u16, u16)> {
    info_usernet
        .lines()
        .filter(|line| line.trim_start().starts_with("TCP[HOST_FORWARD]"))
        .filter_map(|line| {
            let mut fields = line.split_whitespace().skip(3);
            let host = fields.next()?.parse().ok()?;
            let guest = fields.nth(1)?.parse().ok()?;
            Some((guest, host))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greeting_tells_the_version() {
        let line = r#"{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": ""}, "capabilities": []}}"#;
        assert_eq!(
            parse(line),
            Message::Greeting {
                version: "7.2.22".to_owned()
            }
        );
    }

    #[test]
    fn replies_errors_and_events_are_told_apart() {
        assert_eq!(
            parse(r#"{"return": {}, "id": 3}"#),
            Message::Reply {
                id: 3,
                result: Ok(json!({}))
            }
        );
        assert_eq!(
            parse(r#"{"id": 4, "error": {"class": "GenericError", "desc": "no such thing"}}"#),
            Message::Reply {
                id: 4,
                result: Err("no such thing".to_owned())
            }
        );
        assert_eq!(
            parse(r#"{"event": "RESET", "data": {"guest": true}, "timestamp": {}}"#),
            Message::Event {
                name: "RESET".to_owned(),
                data: json!({"guest": true})
            }
        );
        assert_eq!(parse("nonsense"), Message::Other("nonsense".to_owned()));
    }

    #[test]
    fn the_forwarded_ports_are_read_from_the_monitors_table() {
        let table = "Hub -1 (net):\r\n  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r\n  TCP[HOST_FORWARD]  14       127.0.0.1 40123       10.0.2.15    80     0     0\r\n  UDP[236 sec]  15 10.0.2.15 68 10.0.2.2 67 0 0\r\n";
        assert_eq!(forwarded_ports(table), [(80, 40123)]);
    }
}

//! One HTTP request from inside the guest over loopback, with nothing but the closure's bash and coreutils. Pure.

use crate::vocabulary::{HttpAnswer, HttpEndpoint};

/// A script for the guest's shell that asks for `endpoint`; its output and exit code go to [`answer_of_script`].
///
/// bash's `/dev/tcp` (bash(1), "Redirections") serves where there is no curl. TLS cannot be spoken so.
pub fn script(endpoint: &HttpEndpoint, deadline_seconds: u64) -> String {
    let address = match endpoint.listener.address.as_deref() {
        None | Some("*" | "0.0.0.0" | "[::]" | "localhost") => "127.0.0.1",
        Some(address) => address.trim_matches(['[', ']']),
    };
    let port = endpoint.listener.port;
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: bootproof\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        endpoint.path, endpoint.server_name
    );
    // bash writes line by line, and an answer may come before the last one.
    let inner = format!(
        "trap '' PIPE; exec 3<>/dev/tcp/{address}/{port} || exit {REFUSED}; printf %s {} >&3; head -c 65536 <&3",
        quote(&request)
    );
    format!("timeout {deadline_seconds} bash -c {}", quote(&inner))
}

const REFUSED: i32 = 7;
/// What timeout(1) exits with when the time is up.
const TIMED_OUT: i32 = 124;

/// What the guest's script printed, as an answer.
pub fn answer_of_script(exit_code: i32, output: &str) -> HttpAnswer {
    let status = output
        .lines()
        .find_map(|line| line.strip_prefix("HTTP/1."))
        .and_then(|rest| rest.split_whitespace().nth(1))
        .and_then(|code| code.parse().ok());
    match (status, exit_code) {
        (Some(code), _) => HttpAnswer::Status {
            code,
            body_bytes: body_bytes(output),
        },
        (None, REFUSED) => HttpAnswer::Refused,
        (None, TIMED_OUT) => HttpAnswer::TimedOut,
        (None, 0) => HttpAnswer::Reset,
        (None, code) => HttpAnswer::Failed {
            reason: format!("the guest's shell exited with {code}"),
        },
    }
}

/// The body of the answer that the guest's script printed; `None` where it printed none.
pub fn body_of_script(output: &str) -> Option<String> {
    let (head, body) = output.split_once("\r\n\r\n")?;
    let is_chunked = head.lines().any(|line| {
        let line = line.to_ascii_lowercase();
        line.starts_with("transfer-encoding:") && line.contains("chunked")
    });
    Some(if is_chunked {
        without_chunks(body)
    } else {
        body.to_owned()
    })
}

/// Takes the sizes of the chunks out (RFC 9112, 7.1). Lengths are not trusted: the text may have been cut or made valid.
fn without_chunks(body: &str) -> String {
    let mut text = String::new();
    let mut rest = body;
    while let Some((size, more)) = rest.split_once("\r\n") {
        let digits = size.split(';').next().unwrap_or_default().trim();
        let Ok(size) = usize::from_str_radix(digits, 16) else {
            break;
        };
        let Some((chunk, after)) = more.split_at_checked(size).filter(|_| size > 0) else {
            text.push_str(if size > 0 { more } else { "" });
            break;
        };
        text.push_str(chunk);
        rest = after.trim_start_matches("\r\n");
    }
    text
}

fn body_bytes(output: &str) -> u64 {
    let body = body_of_script(output).map_or(0, |body| body.len());
    u64::try_from(body).unwrap_or(u64::MAX)
}

/// Quotes for a POSIX shell.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Listener;

    fn endpoint(address: Option<&str>, path: &str) -> HttpEndpoint {
        HttpEndpoint {
            listener: Listener {
                address: address.map(str::to_owned),
                port: 80,
                tls: false,
            },
            server_name: "alpha.example".to_owned(),
            path: path.to_owned(),
            upstream: None,
        }
    }

    #[test]
    fn every_address_is_asked_over_loopback_and_one_address_as_itself() {
        assert!(script(&endpoint(None, "/"), 10).contains("/dev/tcp/127.0.0.1/80"));
        assert!(script(&endpoint(Some("192.0.2.10"), "/"), 10).contains("/dev/tcp/192.0.2.10/80"));
        assert!(script(&endpoint(Some("[::1]"), "/"), 10).contains("/dev/tcp/::1/80"));
    }

    #[test]
    fn a_hostile_path_stays_a_word() {
        let output = std::process::Command::new("sh")
            .arg("-c")
            .arg(format!("printf %s {}", quote("/'; touch /tmp/x; '")))
            .output()
            .unwrap();
        assert_eq!(output.stdout, b"/'; touch /tmp/x; '");
    }

    #[test]
    fn the_script_really_asks() {
        use std::io::{Read as _, Write as _};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // bash writes line by line: a server that answers before it has read all would reset the connection.
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello")
                .unwrap();
            String::from_utf8_lossy(&request).into_owned()
        });
        let mut endpoint = endpoint(None, "/it's");
        endpoint.listener.port = port;
        let output = std::process::Command::new("sh")
            .arg("-c")
            .arg(script(&endpoint, 10))
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            answer_of_script(output.status.code().unwrap(), &text),
            HttpAnswer::Status {
                code: 200,
                body_bytes: 5
            }
        );
        assert!(
            server
                .join()
                .unwrap()
                .starts_with("GET /it's HTTP/1.1\r\nHost: alpha.example\r\n")
        );
    }

    #[test]
    fn a_body_in_chunks_is_one_text() {
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nall\r\n5;x\r\n good\r\n0\r\n\r\n";
        assert_eq!(body_of_script(chunked).unwrap(), "all good");
        let cut = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nall";
        assert_eq!(body_of_script(cut).unwrap(), "all");
        let lies = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n\u{e4}\r\n0\r\n";
        assert_eq!(body_of_script(lies).unwrap(), "\u{e4}\r\n0\r\n");
        assert_eq!(
            body_of_script("HTTP/1.1 200 OK\r\n\r\n3\r\n").unwrap(),
            "3\r\n"
        );
        assert_eq!(body_of_script("refused"), None);
    }

    #[test]
    fn what_is_no_answer_is_told_apart() {
        assert_eq!(
            answer_of_script(7, "bash: connect: Connection refused"),
            HttpAnswer::Refused
        );
        assert_eq!(answer_of_script(124, ""), HttpAnswer::TimedOut);
        assert_eq!(answer_of_script(0, ""), HttpAnswer::Reset);
        assert!(matches!(
            answer_of_script(127, ""),
            HttpAnswer::Failed { .. }
        ));
    }
}

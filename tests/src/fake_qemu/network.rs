//! The user-mode network: a web server that answers 200 behind every forwarded port.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::monitor::Ports;

/// Serves the ports that `-netdev user,…,hostfwd=tcp:127.0.0.1:0-:PORT` names, on ports that the kernel picks.
pub(super) fn serve(args: &[String]) -> io::Result<Ports> {
    let forwarded = args
        .iter()
        .filter(|arg| arg.starts_with("user,"))
        .flat_map(|arg| arg.split(','))
        .filter_map(|option| {
            option
                .strip_prefix("hostfwd=tcp:127.0.0.1:0-:")?
                .parse()
                .ok()
        });
    let mut ports = Ports::new();
    for guest_port in forwarded {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        ports.push((guest_port, listener.local_addr()?.port()));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away is none of a server's business.
                let _ = answer(stream);
            }
        });
    }
    Ok(ports)
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            length => request.extend_from_slice(&buffer[..length]),
        }
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nalpha\n")
}

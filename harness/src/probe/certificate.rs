//! Whose certificate a server shows. Nothing is verified but its name: in a rehearsal certificates are placeholders, and no root is known.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};

use crate::vocabulary::Certificate;

/// Shakes hands with the loopback port as a client of `server_name` would, and says whether the certificate is for `name`.
///
/// It blocks until `deadline`. The server has to prove that it has the certificate's key.
pub fn certificate(server_name: &str, name: &str, port: u16, deadline: Duration) -> Certificate {
    match shake_hands(server_name, name, port, deadline) {
        Ok(()) => Certificate::OfName,
        Err(reason) => Certificate::Other { reason },
    }
}

fn shake_hands(server_name: &str, name: &str, port: u16, deadline: Duration) -> Result<(), String> {
    let began = Instant::now();
    let provider = Arc::new(ring::default_provider());
    let told = |error: Error| error.to_string();
    let named = |name: &str| {
        let named = ServerName::try_from(name.to_owned());
        named.map_err(|_| format!("`{name}` is no name of a server"))
    };
    let verifier = NameOnly {
        name: named(name)?,
        provider: Arc::clone(&provider),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(told)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    let mut connection =
        ClientConnection::new(Arc::new(config), named(server_name)?).map_err(told)?;
    let io_told = |error: io::Error| match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "no answer in time".to_owned(),
        _ => error.to_string(),
    };
    let place = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&place, deadline).map_err(io_told)?;
    while connection.is_handshaking() {
        let left = deadline.checked_sub(began.elapsed());
        let left = left.filter(|left| !left.is_zero());
        let left = left.ok_or("no answer in time")?;
        stream.set_read_timeout(Some(left)).map_err(io_told)?;
        stream.set_write_timeout(Some(left)).map_err(io_told)?;
        if connection.wants_write() {
            connection.write_tls(&mut stream).map_err(io_told)?;
        } else {
            if connection.read_tls(&mut stream).map_err(io_told)? == 0 {
                return Err("the connection was closed within the handshake".to_owned());
            }
            connection.process_new_packets().map_err(told)?;
        }
    }
    Ok(())
}

#[derive(Debug)]
struct NameOnly {
    name: ServerName<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for NameOnly {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        verify_server_name(&ParsedCertificate::try_from(end_entity)?, &self.name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let known = &self.provider.signature_verification_algorithms;
        known.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use rustls::pki_types::PrivateKeyDer;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::{ServerConfig, ServerConnection};

    use super::*;

    /// A server of one connection, whose certificate is for `alpha.example` and signed by nobody.
    fn serve() -> u16 {
        let certificate = CertificateDer::from_pem_slice(include_bytes!("testing/cert.pem"));
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("testing/key.pem"));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.unwrap()], key.unwrap())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
            while connection
                .complete_io(&mut stream)
                .is_ok_and(|done| done != (0, 0))
            {}
        });
        port
    }

    const DEADLINE: Duration = Duration::from_secs(10);

    #[test]
    fn a_certificate_is_its_names_whoever_signed_it_and_nobody_elses() {
        let right = certificate("www.example", "alpha.example", serve(), DEADLINE);
        assert_eq!(right, Certificate::OfName);
        let wrong = certificate("alpha.example", "beta.example", serve(), DEADLINE);
        let Certificate::Other { reason } = wrong else {
            panic!("it is beta's");
        };
        assert!(reason.contains("beta.example"), "{reason}");
    }

    #[test]
    fn a_server_without_tls_and_none_are_told() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let silent = certificate("a.example", "a.example", port, Duration::from_millis(200));
        let reason = "no answer in time".to_owned();
        assert_eq!(silent, Certificate::Other { reason });
        drop(listener);
        let gone = certificate("a.example", "a.example", port, DEADLINE);
        assert!(matches!(gone, Certificate::Other { .. }));
        assert!(matches!(
            certificate("a.example", "a b", port, DEADLINE),
            Certificate::Other { .. }
        ));
    }
}

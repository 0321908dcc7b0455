use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use easrig_exchange::{TlsFailure, TlsSession};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::client::ClientError;
use crate::key_log::KeyLog;

/// How many names of a certificate are told.
const MAX_NAMES: usize = 64;

/// Which chains a client believes.
#[derive(Clone)]
pub(crate) struct Trust {
    provider: Arc<CryptoProvider>,
    /// `None` without a single root: then no chain is believed.
    verifier: Option<Arc<WebPkiServerVerifier>>,
    insecure: bool,
    key_log: Option<Arc<KeyLog>>,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").field("insecure", &self.insecure).finish_non_exhaustive()
    }
}

impl Trust {
    pub(crate) fn new(
        extra: &[CertificateDer<'static>],
        system: bool,
        insecure: bool,
        key_log: Option<Arc<KeyLog>>,
    ) -> Result<Self, ClientError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        if system {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        for (index, root) in extra.iter().enumerate() {
            let wrong = |error: rustls::Error| ClientError::Root { number: index + 1, detail: error.to_string() };
            roots.add(root.clone()).map_err(wrong)?;
        }
        let verifier = if roots.is_empty() {
            None
        } else {
            let built = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
            Some(built.map_err(|error| rustls::Error::General(error.to_string()))?)
        };
        Ok(Self { provider, verifier, insecure, key_log })
    }

    /// Agrees on TLS over `tcp`; every connection makes a full handshake, so that each record holds the chain that was sent.
    pub(crate) async fn handshake(
        &self,
        host: &str,
        tcp: TcpStream,
    ) -> Result<(TlsStream<TcpStream>, TlsSession), TlsFailure> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| TlsFailure::Handshake(format!("`{host}` is not a name a certificate can hold")))?;
        let witness = Arc::new(Witness { trust: self.clone(), seen: Mutex::default() });
        let config = self.config(Arc::clone(&witness)).map_err(|error| TlsFailure::Handshake(error.to_string()))?;
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, tcp)
            .await
            .map_err(|error| failure(&error, &witness.seen().names))?;
        let (_, session) = stream.get_ref();
        let told = TlsSession {
            version: session.protocol_version().map(version_name).unwrap_or_default(),
            cipher_suite: session.negotiated_cipher_suite().map(|s| suite_name(s.suite())).unwrap_or_default(),
            chain: session.peer_certificates().unwrap_or_default().iter().map(|c| c.to_vec()).collect(),
            verified: witness.seen().verified,
            // easrig's own ClientHello says nothing about the device that it stands for.
            hello: None,
        };
        Ok((stream, told))
    }

    fn config(&self, witness: Arc<Witness>) -> Result<rustls::ClientConfig, rustls::Error> {
        let mut config = rustls::ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(witness)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.resumption = rustls::client::Resumption::disabled();
        if let Some(key_log) = &self.key_log {
            config.key_log = Arc::clone(key_log) as Arc<dyn rustls::KeyLog>;
        }
        Ok(config)
    }
}

fn version_name(version: rustls::ProtocolVersion) -> String {
    match version {
        rustls::ProtocolVersion::TLSv1_2 => "TLSv1.2".to_owned(),
        rustls::ProtocolVersion::TLSv1_3 => "TLSv1.3".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The IANA name; rustls leaves out the `TLS_` only in TLS 1.3 names, where it writes `TLS13_`.
fn suite_name(suite: rustls::CipherSuite) -> String {
    format!("{suite:?}").replacen("TLS13_", "TLS_", 1)
}

/// Verifies for one connection and remembers what it saw.
#[derive(Debug)]
struct Witness {
    trust: Trust,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    names: Vec<String>,
    verified: bool,
}

impl Witness {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = match &self.trust.verifier {
            Some(inner) => inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now),
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        let mut seen = self.seen();
        seen.verified = verified.is_ok();
        if verified.is_err() {
            seen.names = certificate_names(end_entity);
        }
        if self.trust.insecure { Ok(ServerCertVerified::assertion()) } else { verified }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.trust.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.trust.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn failure(error: &io::Error, names: &[String]) -> TlsFailure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(tls) => tls_failure(tls, names),
        None => TlsFailure::Handshake(match error.kind() {
            io::ErrorKind::UnexpectedEof => "the server closed the connection during the TLS handshake".to_owned(),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                "the server reset the connection during the TLS handshake".to_owned()
            }
            _ => format!("the connection broke during the TLS handshake: {error}"),
        }),
    }
}

fn tls_failure(error: &rustls::Error, names: &[String]) -> TlsFailure {
    match error {
        rustls::Error::InvalidCertificate(why) => match why {
            CertificateError::UnknownIssuer => TlsFailure::UnknownIssuer,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFailure::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsFailure::NotYetValid,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                TlsFailure::WrongName { names: names.to_vec() }
            }
            other => TlsFailure::BadCertificate(other.to_string()),
        },
        rustls::Error::AlertReceived(alert) => TlsFailure::Alert(alert_name(&format!("{alert:?}"))),
        rustls::Error::InvalidMessage(_) | rustls::Error::InappropriateMessage { .. } => {
            TlsFailure::Handshake("the server does not speak TLS on this port".to_owned())
        }
        rustls::Error::PeerIncompatible(why) => {
            TlsFailure::Handshake(format!("the server offers no TLS that easrig speaks (1.2 or 1.3): {why:?}"))
        }
        other => TlsFailure::Handshake(other.to_string()),
    }
}

/// `HandshakeFailure` as the standard writes it: `handshake_failure`.
fn alert_name(name: &str) -> String {
    let mut out = String::new();
    let mut lower_before = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && lower_before {
            out.push('_');
        }
        lower_before = c.is_ascii_lowercase() || c.is_ascii_digit();
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// The DNS names and addresses a certificate is for; its common name when it names no other. Empty when it is unreadable.
pub fn certificate_names(der: &[u8]) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return Vec::new() };
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    let general = alternatives.map(|extension| extension.value.general_names.as_slice()).unwrap_or_default();
    let names = general.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    });
    let names: Vec<String> = names.take(MAX_NAMES).collect();
    if !names.is_empty() {
        return names;
    }
    certificate
        .subject()
        .iter_common_name()
        .filter_map(|name| name.as_str().ok().map(str::to_owned))
        .take(MAX_NAMES)
        .collect()
}

/// The issuer of a certificate as its distinguished name (`O=Example CA, CN=Example Root`); `None` when it is unreadable.
pub fn certificate_issuer(der: &[u8]) -> Option<String> {
    X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate.issuer().to_string())
}

fn address(bytes: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(bytes).ok().map(|b| std::net::IpAddr::from(b).to_string());
    four.or_else(|| <[u8; 16]>::try_from(bytes).ok().map(|b| std::net::IpAddr::from(b).to_string()))
}

/// Reads the certificates of a root file: PEM with any number of them, or one in DER.
///
/// # Errors
/// What is wrong with the PEM, or that there is no certificate in it.
pub fn read_certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    if bytes.first() == Some(&0x30) {
        return match X509Certificate::from_der(bytes) {
            Ok(_) => Ok(vec![CertificateDer::from(bytes.to_vec())]),
            Err(error) => Err(format!("not a certificate: {error}")),
        };
    }
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    match read {
        Ok(found) if found.is_empty() => Err("there is no certificate in it".to_owned()),
        Ok(found) => Ok(found),
        Err(error) => Err(format!("the PEM is damaged: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_have_the_names_of_the_standard() {
        assert_eq!(alert_name("HandshakeFailure"), "handshake_failure");
        assert_eq!(alert_name("ProtocolVersion"), "protocol_version");
    }

    #[test]
    fn a_root_file_without_certificates_is_refused() {
        assert!(read_certificates(b"hello").is_err());
        assert!(read_certificates(&[0x30, 3, 1]).is_err());
    }
}

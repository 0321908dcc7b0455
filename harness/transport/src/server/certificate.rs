use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use easrig_exchange::TlsVersion;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;

const DAY: u64 = 86_400;

/// The chain and key a server shows.
#[derive(Clone)]
pub struct ServerTls {
    acceptor: TlsAcceptor,
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").field("certificates", &self.chain.len()).finish_non_exhaustive()
    }
}

/// Why a server has no TLS.
#[derive(Debug, Error)]
pub enum ServerTlsError {
    /// A certificate could not be made.
    #[error("the certificate could not be made: {0}")]
    Make(#[from] rcgen::Error),
    /// A PEM file could not be read.
    #[error("the certificate or key could not be read: {0}")]
    Pem(#[from] rustls_pki_types::pem::Error),
    /// Chain and key do not work.
    #[error("the certificate and key cannot be used: {0}")]
    Use(#[from] rustls::Error),
}

impl ServerTls {
    /// A certificate for `names` (DNS names and addresses) from an authority made for it; with that authority's root, PEM.
    ///
    /// # Errors
    /// When a name cannot stand in a certificate.
    pub fn self_made(names: &[&str]) -> Result<(Self, String), ServerTlsError> {
        let authority = Authority::new()?;
        Ok((authority.certify(names, Validity::Current)?, authority.pem()))
    }

    /// A chain, leaf first, and its key, both PEM.
    ///
    /// # Errors
    /// When they cannot be read or do not belong together.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, ServerTlsError> {
        let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<Vec<_>, _>>()?;
        Self::new(chain, Arc::new(PrivateKeyDer::from_pem_slice(key)?), rustls::ALL_VERSIONS)
    }

    /// What is sent, leaf first, DER.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// The same, refusing every TLS version below `floor`. TLS 1.2 is the lowest that easrig's own servers speak.
    ///
    /// # Errors
    /// When chain and key cannot be used, which [`ServerTls::from_pem`] would have said before.
    pub fn with_floor(self, floor: TlsVersion) -> Result<Self, ServerTlsError> {
        let versions: &[_] = match floor {
            TlsVersion::V1_3 => &[&rustls::version::TLS13],
            TlsVersion::V1_0 | TlsVersion::V1_1 | TlsVersion::V1_2 => rustls::ALL_VERSIONS,
        };
        Self::new(self.chain, self.key, versions)
    }

    pub(crate) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    fn new(
        chain: Vec<CertificateDer<'static>>,
        key: Arc<PrivateKeyDer<'static>>,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Result<Self, ServerTlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)?
            .with_no_client_auth()
            .with_single_cert(chain.clone(), key.clone_key())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), chain, key })
    }
}

/// When a certificate is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// From yesterday, for 13 months: the longest that phones accept.
    Current,
    /// Its last day is years ago.
    Expired,
    /// Its first day is years ahead.
    NotYet,
}

/// A certificate authority of our own, for demos and tests; its key never leaves memory.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: Certificate,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// Makes a root with a fresh key.
    ///
    /// # Errors
    /// When the key cannot be made.
    pub fn new() -> Result<Self, ServerTlsError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::OrganizationName, "easrig");
        params.distinguished_name.push(DnType::CommonName, "easrig test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2049, 12, 31);
        let key = KeyPair::generate()?;
        let root = params.self_signed(&key)?;
        Ok(Self { issuer: Issuer::new(params, key), root })
    }

    /// The root, PEM.
    pub fn pem(&self) -> String {
        self.root.pem()
    }

    /// The root, DER.
    pub fn root(&self) -> CertificateDer<'static> {
        self.root.der().clone()
    }

    /// A certificate for `names` (DNS names and addresses).
    ///
    /// # Errors
    /// When a name cannot stand in a certificate.
    pub fn certify(&self, names: &[&str], validity: Validity) -> Result<ServerTls, ServerTlsError> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names.clone())?;
        params.distinguished_name.push(DnType::CommonName, names.first().map_or("easrig", String::as_str));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let today = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let on = |seconds| date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
        (params.not_before, params.not_after) = match validity {
            Validity::Current => (on(today.saturating_sub(DAY)), on(today.saturating_add(390 * DAY))),
            Validity::Expired => (date_time_ymd(2020, 1, 1), date_time_ymd(2020, 12, 31)),
            Validity::NotYet => (date_time_ymd(2048, 1, 1), date_time_ymd(2048, 12, 31)),
        };
        let key = KeyPair::generate()?;
        let leaf = params.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(|why| rustls::Error::General(why.to_owned()))?;
        ServerTls::new(vec![leaf.der().clone()], Arc::new(key), rustls::ALL_VERSIONS)
    }
}

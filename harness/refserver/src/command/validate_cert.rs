//! ValidateCert: whether a certificate is good for signing mail (MS-ASCMD 2.2.1.22).

use base64::{Engine, prelude::BASE64_STANDARD};
use easrig_eas::{
    command::validate_cert::{Request, Response},
    status::Status,
};
use easrig_wbxml::Document;
use jiff::Timestamp;
use x509_parser::{certificate::X509Certificate, prelude::FromDer, time::ASN1Time};

use crate::{Answer, Caller, State};

/// A parameter is bad, or there are too many certificates.
const PROTOCOL_ERROR: u16 = 2;

const SIGNATURE_INVALID: Status = Status(3);
const UNTRUSTED: Status = Status(4);
const NOT_FOR_SIGNING: Status = Status(6);
const EXPIRED: Status = Status(7);
const INCONSISTENT_VALIDITY: Status = Status(8);
const WRONG_USE: Status = Status(9);
const INCOMPLETE: Status = Status(10);
const ROLES_MIXED_UP: Status = Status(11);

/// Nobody can be asked whether a certificate was revoked.
const REVOCATION_UNKNOWN: Status = Status(16);

/// The most certificates of one request, intermediate ones included.
const CERTIFICATES_MOST: usize = 100;

/// The longest chain.
const CHAIN_MOST: usize = 10;

/// Checks each certificate by itself.
pub(crate) fn run(state: &mut State, caller: &Caller, document: Option<&Document>) -> Answer {
    let Some(Ok(request)) = document.map(|document| Request::from_document(document, caller.version)) else {
        return caller.status(PROTOCOL_ERROR);
    };
    let count = request.certificates.len().saturating_add(request.certificate_chain.len());
    if request.certificates.is_empty() || count > CERTIFICATES_MOST {
        return caller.status(PROTOCOL_ERROR);
    }
    let chain: Vec<Vec<u8>> = request.certificate_chain.iter().filter_map(|text| decode(text)).collect();
    let judge = Judge {
        chain: parse_all(&chain),
        roots: parse_all(&state.site.roots),
        now: caller.now,
        asks_revocation: request.check_crl == Some(true),
    };
    let certificates = request.certificates.iter().map(|text| judge.judge(text).err().unwrap_or(Status::SUCCESS));
    let response = Response { status: Some(Status::SUCCESS), certificates: certificates.collect() };
    Answer::wbxml(&response.to_document(caller.version))
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let compact: String = text.split_whitespace().collect();
    BASE64_STANDARD.decode(compact).ok()
}

fn parse_all(list: &[Vec<u8>]) -> Vec<X509Certificate<'_>> {
    list.iter().filter_map(|der| parse(der)).collect()
}

fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    X509Certificate::from_der(der).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, certificate)| certificate)
}

struct Judge<'a> {
    chain: Vec<X509Certificate<'a>>,
    roots: Vec<X509Certificate<'a>>,
    now: Timestamp,
    asks_revocation: bool,
}

impl Judge<'_> {
    fn judge(&self, text: &str) -> Result<(), Status> {
        let der = decode(text).ok_or(INCOMPLETE)?;
        let leaf = parse(&der).ok_or(INCOMPLETE)?;
        if leaf.is_ca() {
            return Err(ROLES_MIXED_UP);
        }
        if !self.is_current(&leaf) {
            return Err(EXPIRED);
        }
        if !signs_mail(&leaf) {
            return Err(NOT_FOR_SIGNING);
        }
        self.climb(&leaf)?;
        if self.asks_revocation { Err(REVOCATION_UNKNOWN) } else { Ok(()) }
    }

    /// From the certificate to a trusted root.
    fn climb(&self, leaf: &X509Certificate<'_>) -> Result<(), Status> {
        let mut at = leaf;
        for _ in 0..CHAIN_MOST {
            let named = |one: &&X509Certificate<'_>| one.subject().as_raw() == at.issuer().as_raw();
            if let Some(root) = self.roots.iter().find(named) {
                at.verify_signature(Some(root.public_key())).map_err(|_| SIGNATURE_INVALID)?;
                return if self.is_current(root) { Ok(()) } else { Err(INCONSISTENT_VALIDITY) };
            }
            let above = self.chain.iter().find(named).ok_or(UNTRUSTED)?;
            if !above.is_ca() {
                return Err(ROLES_MIXED_UP);
            }
            if above.key_usage().ok().flatten().is_some_and(|usage| !usage.value.key_cert_sign()) {
                return Err(WRONG_USE);
            }
            at.verify_signature(Some(above.public_key())).map_err(|_| SIGNATURE_INVALID)?;
            if !self.is_current(above) {
                return Err(INCONSISTENT_VALIDITY);
            }
            at = above;
        }
        Err(UNTRUSTED)
    }

    fn is_current(&self, certificate: &X509Certificate<'_>) -> bool {
        ASN1Time::from_timestamp(self.now.as_second()).is_ok_and(|now| certificate.validity().is_valid_at(now))
    }
}

/// Whether neither its key usage nor its extended one forbids signing mail.
fn signs_mail(certificate: &X509Certificate<'_>) -> bool {
    let usage = certificate.key_usage().ok().flatten();
    let extended = certificate.extended_key_usage().ok().flatten();
    usage.is_none_or(|usage| usage.value.digital_signature() || usage.value.non_repudiation())
        && extended.is_none_or(|extended| extended.value.email_protection || extended.value.any)
}

#[cfg(test)]
mod tests {
    use easrig_transport::{Authority, Validity};

    use super::*;

    fn verdict(roots: &[Vec<u8>], der: &[u8]) -> Result<(), Status> {
        let judge = Judge { chain: Vec::new(), roots: parse_all(roots), now: Timestamp::now(), asks_revocation: false };
        judge.judge(&BASE64_STANDARD.encode(der))
    }

    #[test]
    fn a_server_certificate_does_not_sign_mail_and_an_expired_one_does_nothing() {
        let authority = Authority::new().unwrap();
        let roots = [authority.root().to_vec()];
        let server = authority.certify(&["localhost"], Validity::Current).unwrap();
        assert_eq!(verdict(&roots, &server.chain()[0]), Err(NOT_FOR_SIGNING));
        let old = authority.certify(&["localhost"], Validity::Expired).unwrap();
        assert_eq!(verdict(&roots, &old.chain()[0]), Err(EXPIRED));
        assert_eq!(verdict(&roots, &authority.root()), Err(ROLES_MIXED_UP));
        assert_eq!(verdict(&roots, b"no certificate"), Err(INCOMPLETE));
    }

    #[test]
    fn a_chain_has_to_end_at_a_trusted_root() {
        let (ours, other) = (Authority::new().unwrap(), Authority::new().unwrap());
        let server = ours.certify(&["localhost"], Validity::Current).unwrap();
        let leaf = parse(&server.chain()[0]).unwrap();
        let climb = |roots: &[Vec<u8>]| {
            Judge { chain: Vec::new(), roots: parse_all(roots), now: Timestamp::now(), asks_revocation: false }
                .climb(&leaf)
        };
        assert_eq!(climb(&[ours.root().to_vec()]), Ok(()));
        assert_eq!(climb(&[]), Err(UNTRUSTED));
        assert_eq!(climb(&[other.root().to_vec()]), Err(SIGNATURE_INVALID), "same name, another key");
    }
}

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;
use thiserror::Error;

/// The longest modulus that is accepted, in bytes.
const MAX_MODULUS: usize = 1024;

/// The RSA private key of a server, for connections whose key exchange is RSA (TLS 1.0 to 1.2).
///
/// It opens recordings, long after the fact: nothing here needs to run in constant time.
#[derive(Clone)]
pub struct ServerKey {
    modulus: BigUint,
    exponent: BigUint,
    length: usize,
}

impl ServerKey {
    /// Reads the first RSA key in a PEM file, `RSA PRIVATE KEY` (PKCS #1) or `PRIVATE KEY` (PKCS #8).
    ///
    /// # Errors
    /// [`ServerKeyError`] when there is none.
    pub fn from_pem(text: &str) -> Result<Self, ServerKeyError> {
        if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(ServerKeyError::Encrypted);
        }
        let (_, rest) = text.split_once("PRIVATE KEY-----").ok_or(ServerKeyError::NoKey)?;
        let (body, _) = rest.split_once("-----END").ok_or(ServerKeyError::NoKey)?;
        let digits: String = body.split_whitespace().collect();
        let der = STANDARD.decode(digits).map_err(|_| ServerKeyError::Malformed)?;
        Self::from_der(&der)
    }

    fn from_der(der: &[u8]) -> Result<Self, ServerKeyError> {
        let mut key = Der(der).enter(SEQUENCE).ok_or(ServerKeyError::Malformed)?;
        key.enter(INTEGER).ok_or(ServerKeyError::Malformed)?;
        if let Some(algorithm) = key.clone().enter(SEQUENCE) {
            if !algorithm.0.starts_with(RSA_ENCRYPTION) {
                return Err(ServerKeyError::NotRsa);
            }
            key.enter(SEQUENCE);
            let inner = key.enter(OCTETS).ok_or(ServerKeyError::Malformed)?;
            return Self::from_der(inner.0);
        }
        let numbers = [key.enter(INTEGER), key.enter(INTEGER), key.enter(INTEGER)];
        let [Some(modulus), Some(_), Some(exponent)] = numbers else { return Err(ServerKeyError::NotRsa) };
        let modulus = BigUint::from_bytes_be(modulus.0);
        let length = usize::try_from(modulus.bits().div_ceil(8)).unwrap_or(usize::MAX);
        if !(64..=MAX_MODULUS).contains(&length) || exponent.0.len() > length.saturating_add(1) {
            return Err(ServerKeyError::Malformed);
        }
        Ok(Self { modulus, exponent: BigUint::from_bytes_be(exponent.0), length })
    }

    /// The premaster secret inside PKCS #1 v1.5 padding, if this is the key for it.
    pub(super) fn premaster(&self, sealed: &[u8]) -> Option<[u8; 48]> {
        if sealed.len() != self.length {
            return None;
        }
        let open = BigUint::from_bytes_be(sealed).modpow(&self.exponent, &self.modulus).to_bytes_be();
        // The leading zero of the block is no digit of the number.
        if open.len().saturating_add(1) != self.length || open.first() != Some(&2) {
            return None;
        }
        let (padding, secret) = open.split_at_checked(open.len().checked_sub(48)?)?;
        (padding.last() == Some(&0) && !padding.get(..padding.len() - 1)?.contains(&0)).then_some(())?;
        secret.first_chunk().copied()
    }
}

/// Without the key.
impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerKey of {} bits", self.modulus.bits())
    }
}

/// Why a file holds no usable server key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ServerKeyError {
    /// No private key in PEM.
    #[error("no `-----BEGIN PRIVATE KEY-----` in the file; a server key is a PEM file")]
    NoKey,
    /// The key needs a passphrase.
    #[error("the server key is encrypted; `openssl rsa -in KEY -out OPEN` removes the passphrase")]
    Encrypted,
    /// A key that takes no part in RSA key exchange.
    #[error("the server key is not an RSA key; only RSA key exchange can be opened with a server key")]
    NotRsa,
    /// Not the structure of a key.
    #[error("the server key is damaged")]
    Malformed,
}

const INTEGER: u8 = 2;
const OCTETS: u8 = 4;
const SEQUENCE: u8 = 0x30;

/// `rsaEncryption` (1.2.840.113549.1.1.1) as DER has it.
const RSA_ENCRYPTION: &[u8] = &[6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1];

/// The rest of a DER structure.
#[derive(Clone)]
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The contents of the next value, if it is of this type; then it is taken.
    fn enter(&mut self, kind: u8) -> Option<Der<'a>> {
        let (found, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = if *first < 0x80 {
            (usize::from(*first), rest)
        } else {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7F)).filter(|(d, _)| d.len() <= 3)?;
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        };
        let (contents, rest) = rest.split_at_checked(length)?;
        (*found == kind).then(|| {
            self.0 = rest;
            Der(contents)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_rsa_key_is_refused_with_the_reason() {
        let refused = |text| ServerKey::from_pem(text).unwrap_err();
        assert_eq!(refused("hello"), ServerKeyError::NoKey);
        let sealed = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----";
        assert_eq!(refused(sealed), ServerKeyError::Encrypted);
        assert_eq!(refused("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----"), ServerKeyError::Malformed);
        let curve = "-----BEGIN PRIVATE KEY-----\nMA4CAQAwBQYDK2VwBAIEAA==\n-----END PRIVATE KEY-----";
        assert_eq!(refused(curve), ServerKeyError::NotRsa);
    }
}

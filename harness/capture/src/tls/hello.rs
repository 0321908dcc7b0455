//! The handshake messages that matter: hellos, certificates, and where they end.

use easrig_exchange::{ClientHello as Told, TlsVersion};

/// The fields of a ClientHello that decryption needs, and what it tells of the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ClientHello {
    pub(super) random: [u8; 32],
    pub(super) session: Vec<u8>,
    pub(super) ticket: Vec<u8>,
    pub(super) told: Told,
}

/// The fields of a ServerHello that decryption needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ServerHello {
    /// As on the wire: 0x0301 is TLS 1.0, 0x0304 is TLS 1.3.
    pub(super) version: u16,
    pub(super) random: [u8; 32],
    pub(super) session: Vec<u8>,
    pub(super) suite: u16,
    pub(super) extended_master: bool,
    pub(super) encrypt_then_mac: bool,
}

/// The random of a ServerHello that is a HelloRetryRequest (RFC 8446, 4.1.3).
const RETRY: [u8; 32] = [
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2, 0xA2, 0x11,
    0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
];

const SERVER_NAME: u16 = 0;
const SESSION_TICKET: u16 = 35;
const SUPPORTED_VERSIONS: u16 = 43;
const EXTENDED_MASTER: u16 = 23;
const ENCRYPT_THEN_MAC: u16 = 22;

/// The most cipher suites and versions of a ClientHello that are kept.
const MAX_SUITES: usize = 256;
const MAX_VERSIONS: usize = 16;

/// The most certificates of a chain that are kept.
const MAX_CHAIN: usize = 16;

impl ClientHello {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut rest = Cursor(body);
        let version = rest.number16()?;
        let random = *rest.take(32)?.first_chunk()?;
        let session = rest.vector8()?.to_vec();
        let cipher_suites = numbers(rest.vector16()?, MAX_SUITES);
        rest.vector8()?;
        let told = Told { versions: known(version).into_iter().collect(), cipher_suites, names_server: false };
        let mut hello = Self { random, session, ticket: Vec::new(), told };
        let mut extensions = Cursor(rest.vector16().unwrap_or_default());
        while let Some((kind, value)) = extensions.extension() {
            match kind {
                SESSION_TICKET => hello.ticket = value.to_vec(),
                SERVER_NAME => hello.told.names_server = true,
                SUPPORTED_VERSIONS => {
                    let named = numbers(Cursor(value).vector8().unwrap_or_default(), MAX_VERSIONS);
                    hello.told.versions = named.into_iter().filter_map(known).collect();
                }
                _ => {}
            }
        }
        Some(hello)
    }
}

impl ServerHello {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut rest = Cursor(body);
        let version = rest.number16()?;
        let random = *rest.take(32)?.first_chunk()?;
        let session = rest.vector8()?.to_vec();
        let suite = rest.number16()?;
        rest.take(1)?;
        let mut hello = Self { version, random, session, suite, ..Self::default() };
        let mut extensions = Cursor(rest.vector16().unwrap_or_default());
        while let Some((kind, value)) = extensions.extension() {
            match (kind, value) {
                (SUPPORTED_VERSIONS, [high, low]) => hello.version = u16::from_be_bytes([*high, *low]),
                (EXTENDED_MASTER, _) => hello.extended_master = true,
                (ENCRYPT_THEN_MAC, _) => hello.encrypt_then_mac = true,
                _ => {}
            }
        }
        Some(hello)
    }

    pub(super) fn is_retry(&self) -> bool {
        self.random == RETRY
    }
}

/// A version by its number on the wire.
pub(super) fn known(number: u16) -> Option<TlsVersion> {
    Some(match number {
        0x0301 => TlsVersion::V1_0,
        0x0302 => TlsVersion::V1_1,
        0x0303 => TlsVersion::V1_2,
        0x0304 => TlsVersion::V1_3,
        _ => return None,
    })
}

/// Numbers of two bytes without those that mean nothing (GREASE, RFC 8701), at most `most`.
fn numbers(bytes: &[u8], most: usize) -> Vec<u16> {
    let (pairs, _) = bytes.as_chunks::<2>();
    let known = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).filter(|number| {
        let [high, low] = number.to_be_bytes();
        high != low || low & 0x0F != 0x0A
    });
    known.take(most).collect()
}

/// The chain in a Certificate message, leaf first.
pub(super) fn chain(body: &[u8], is_tls13: bool) -> Vec<Vec<u8>> {
    let mut rest = Cursor(body);
    if is_tls13 && rest.vector8().is_none() {
        return Vec::new();
    }
    let mut list = Cursor(rest.vector24().unwrap_or_default());
    let mut chain = Vec::new();
    while chain.len() < MAX_CHAIN
        && let Some(certificate) = list.vector24()
    {
        chain.push(certificate.to_vec());
        if is_tls13 && list.vector16().is_none() {
            break;
        }
    }
    chain
}

/// The ticket in a NewSessionTicket of TLS 1.2 and before.
pub(super) fn ticket(body: &[u8]) -> Option<&[u8]> {
    Cursor(body.get(4..)?).vector16()
}

/// The first whole handshake message in `bytes`: its type, its body, its length with the header.
pub(super) fn message(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let mut rest = Cursor(bytes);
    let kind = *rest.take(1)?.first()?;
    let body = rest.vector24()?;
    Some((kind, body, body.len().saturating_add(4)))
}

/// The rest of a structure.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn number16(&mut self) -> Option<u16> {
        self.take(2)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
    }

    fn vector8(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(*self.take(1)?.first()?);
        self.take(length)
    }

    fn vector16(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.number16()?);
        self.take(length)
    }

    fn vector24(&mut self) -> Option<&'a [u8]> {
        let high = usize::from(*self.take(1)?.first()?);
        let length = high << 16 | usize::from(self.number16()?);
        self.take(length)
    }

    fn extension(&mut self) -> Option<(u16, &'a [u8])> {
        Some((self.number16()?, self.vector16()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_hello_tells_what_the_client_speaks() {
        let old = [&[3, 1][..], &[7; 32], &[0], &[0, 6, 0, 0x2F, 0x1A, 0x1A, 0, 0x0A], &[1, 0]].concat();
        let hello = ClientHello::read(&old).unwrap();
        let told = |versions: &[TlsVersion], names_server| Told {
            versions: versions.to_vec(),
            cipher_suites: vec![0x2F, 0x0A],
            names_server,
        };
        assert_eq!(hello.told, told(&[TlsVersion::V1_0], false));
        let extensions = [&[0, 43, 0, 7, 6, 0x2A, 0x2A, 3, 4, 3, 3][..], &[0, 0, 0, 0]].concat();
        let new = [&old[..], &[0, 15], &extensions].concat();
        assert_eq!(ClientHello::read(&new).unwrap().told, told(&[TlsVersion::V1_3, TlsVersion::V1_2], true));
        assert!((0..old.len()).all(|end| ClientHello::read(&old[..end]).is_none()));
    }

    #[test]
    fn a_server_hello_says_its_version_in_an_extension_if_it_has_one() {
        let old = [&[3, 3][..], &[7; 32], &[2, 8, 9], &[0, 0x2F], &[0]].concat();
        let hello = ServerHello::read(&old).unwrap();
        assert_eq!((hello.version, hello.suite, hello.session.as_slice()), (0x0303, 0x2F, [8, 9].as_slice()));
        let new = [&old[..], &[0, 14], &[0, 43, 0, 2, 3, 4], &[0, 23, 0, 0], &[0, 22, 0, 0]].concat();
        let hello = ServerHello::read(&new).unwrap();
        assert_eq!((hello.version, hello.extended_master, hello.encrypt_then_mac), (0x0304, true, true));
        assert!((0..old.len()).all(|end| ServerHello::read(&old[..end]).is_none()));
    }
}

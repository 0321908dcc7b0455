//! The bytes of a hello.

use easrig_exchange::TlsVersion;

/// A hello that offers `version` and no other, with suites that servers of its time knew.
pub(super) fn client_hello(host: Option<&str>, version: TlsVersion, random: [u8; 32]) -> Vec<u8> {
    let modern = version == TlsVersion::V1_3;
    let mut body = super::number(version).min(0x0303).to_be_bytes().to_vec();
    body.extend_from_slice(&random);
    body.push(0);
    body.extend(counted(2, &numbers(suites(version))));
    body.extend_from_slice(&[1, 0]);
    body.extend(counted(2, &extensions(host, version)));
    let message = [&[1], counted(3, &body).as_slice()].concat();
    // Records of a first hello carry TLS 1.0: old servers refuse more, and new ones do not look (RFC 8446 5.1).
    let record_version: u16 = if modern { 0x0303 } else { 0x0301 };
    [&[super::HANDSHAKE], record_version.to_be_bytes().as_slice(), counted(2, &message).as_slice()].concat()
}

fn extensions(host: Option<&str>, version: TlsVersion) -> Vec<u8> {
    let mut extensions = Vec::new();
    if let Some(host) = host {
        let name = [&[0], counted(2, host.as_bytes()).as_slice()].concat();
        extensions.extend(extension(0, &counted(2, &name)));
    }
    extensions.extend(extension(10, &counted(2, &numbers(&GROUPS))));
    if version < TlsVersion::V1_3 {
        // Uncompressed points, the one form everybody speaks.
        extensions.extend(extension(11, &[1, 0]));
    }
    if version >= TlsVersion::V1_2 {
        extensions.extend(extension(13, &counted(2, &numbers(&SIGNATURES))));
    }
    if version == TlsVersion::V1_3 {
        extensions.extend(extension(43, &[2, 3, 4]));
        // No key yet: the server asks for one, and that is answer enough (RFC 8446 4.2.8).
        extensions.extend(extension(51, &[0, 0]));
    }
    extensions
}

/// By IANA number. What is asked is the version: so every suite is here that a server of its time may have known, and the
/// mark of secure renegotiation (RFC 5746), which strict servers want to see.
fn suites(version: TlsVersion) -> &'static [u16] {
    match version {
        TlsVersion::V1_0 | TlsVersion::V1_1 => OF_2006,
        TlsVersion::V1_2 => OF_2008,
        TlsVersion::V1_3 => &[0x1301, 0x1302, 0x1303],
    }
}

/// AES-CBC with ECDHE, DHE and RSA; 3DES; RC4.
const OF_2006: &[u16] = &[
    0xC00A, 0xC014, 0x0039, 0xC009, 0xC013, 0x0033, 0x0035, 0x002F, 0xC008, 0xC012, 0x0016, 0x000A, 0x0005, 0x0004,
    0x00FF,
];

/// AES-GCM, ChaCha20, AES-CBC with SHA-2; then those of before.
const OF_2008: &[u16] = &[
    0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0x009E, 0x009F, 0x009C, 0x009D, 0xC023, 0xC027, 0xC024, 0xC028,
    0x003C, 0x003D, 0x0067, 0x006B, 0xC00A, 0xC014, 0x0039, 0xC009, 0xC013, 0x0033, 0x0035, 0x002F, 0x000A, 0x00FF,
];

/// P-256, P-384, P-521, X25519.
const GROUPS: [u16; 4] = [0x0017, 0x0018, 0x0019, 0x001D];

/// ECDSA, RSA-PSS and RSA PKCS #1 with SHA-2, and with SHA-1.
const SIGNATURES: [u16; 11] = [0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201];

fn extension(number: u16, content: &[u8]) -> Vec<u8> {
    [number.to_be_bytes().as_slice(), counted(2, content).as_slice()].concat()
}

fn numbers(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// `bytes` behind their count of `width` bytes; what the count cannot hold is left out.
fn counted(width: usize, bytes: &[u8]) -> Vec<u8> {
    let most = if width >= 3 { 0xFF_FFFF } else { 0xFFFF };
    let kept = bytes.get(..bytes.len().min(most)).unwrap_or_default();
    let count = u32::try_from(kept.len()).unwrap_or(0).to_be_bytes();
    let count = count.get(count.len().saturating_sub(width)..).unwrap_or_default();
    [count, kept].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_of_the_era_names_its_version_its_suites_and_no_signatures() {
        let hello = client_hello(None, TlsVersion::V1_0, [7; 32]);
        assert_eq!(hello[..11], [22, 3, 1, 0, hello[4], 1, 0, 0, hello[8], 3, 1]);
        assert_eq!(usize::from(hello[4]), hello.len() - 5);
        assert_eq!(usize::from(hello[8]), hello.len() - 9);
        assert_eq!(hello[43..50], [0, 0, 30, 0xC0, 0x0A, 0xC0, 0x14]);
        let hello = client_hello(Some("mail.easrig.test"), TlsVersion::V1_3, [7; 32]);
        assert_eq!(hello[9..11], [3, 3]);
        let has = |bytes: &[u8]| hello.windows(bytes.len()).any(|window| window == bytes);
        assert!(has(b"mail.easrig.test") && has(&[0, 43, 0, 3, 2, 3, 4]) && has(&[0, 51, 0, 2, 0, 0]));
    }
}

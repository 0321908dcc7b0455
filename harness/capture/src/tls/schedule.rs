//! Key derivation: HKDF labels of TLS 1.3 (RFC 8446, 7.1) and the PRFs of the versions before it (RFC 5246, 5; RFC 2246, 5).

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384};

use super::suite::Hash;

/// HMAC over the parts, one after the other.
pub(super) fn hmac(hash: Hash, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    fn with<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return Vec::new() };
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().to_vec()
    }
    match hash {
        Hash::Md5 => with::<Hmac<Md5>>(key, parts),
        Hash::Sha1 => with::<Hmac<Sha1>>(key, parts),
        Hash::Sha256 => with::<Hmac<Sha256>>(key, parts),
        Hash::Sha384 => with::<Hmac<Sha384>>(key, parts),
    }
}

/// HKDF-Expand-Label with an empty context.
pub(super) fn expand_label(hash: Hash, secret: &[u8], label: &str, length: usize) -> Vec<u8> {
    let size = u16::try_from(length).unwrap_or(0).to_be_bytes();
    let label_length = u8::try_from(label.len().saturating_add(6)).unwrap_or(0);
    let description = [size.as_slice(), &[label_length], b"tls13 ", label.as_bytes(), &[0]].concat();
    let (mut out, mut last) = (Vec::with_capacity(length), Vec::new());
    let mut counter = 1_u8;
    while out.len() < length {
        last = hmac(hash, secret, &[&last, &description, &[counter]]);
        if last.is_empty() {
            break;
        }
        out.extend_from_slice(&last);
        counter = counter.wrapping_add(1);
    }
    out.truncate(length);
    out
}

/// Which of the two old PRFs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prf {
    /// TLS 1.0 and 1.1: MD5 and SHA-1 together.
    Both,
    /// TLS 1.2: the suite's hash.
    One(Hash),
}

impl Prf {
    /// `length` bytes from a secret, a label and seeds.
    pub(super) fn derive(self, secret: &[u8], label: &str, seeds: &[&[u8]], length: usize) -> Vec<u8> {
        let seed = [&[label.as_bytes()], seeds].concat().concat();
        match self {
            Self::One(hash) => p_hash(hash, secret, &seed, length),
            Self::Both => {
                let half = secret.len().div_ceil(2);
                let first = secret.get(..half).unwrap_or_default();
                let second = secret.get(secret.len() - half..).unwrap_or_default();
                let md5 = p_hash(Hash::Md5, first, &seed, length);
                let sha1 = p_hash(Hash::Sha1, second, &seed, length);
                md5.iter().zip(sha1).map(|(a, b)| a ^ b).collect()
            }
        }
    }

    /// The hash of the handshake that the extended master secret binds (RFC 7627, 3).
    pub(super) fn transcript(self, messages: &[u8]) -> Vec<u8> {
        match self {
            Self::Both => [Md5::digest(messages).as_slice(), Sha1::digest(messages).as_slice()].concat(),
            Self::One(Hash::Sha384) => Sha384::digest(messages).to_vec(),
            Self::One(_) => Sha256::digest(messages).to_vec(),
        }
    }
}

fn p_hash(hash: Hash, secret: &[u8], seed: &[u8], length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length.saturating_add(hash.length()));
    let mut a = hmac(hash, secret, &[seed]);
    while out.len() < length && !a.is_empty() {
        out.extend(hmac(hash, secret, &[&a, seed]));
        a = hmac(hash, secret, &[&a]);
    }
    out.truncate(length);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: String = hex.split_whitespace().collect();
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
    }

    /// RFC 8448, 3: the server's handshake traffic secret and the key and IV made from it.
    #[test]
    fn keys_of_tls_13_follow_the_published_trace() {
        let secret = bytes("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
        let key = expand_label(Hash::Sha256, &secret, "key", 16);
        assert_eq!(key, bytes("3fce516009c21727d0f2e4e86ee403bc"));
        assert_eq!(expand_label(Hash::Sha256, &secret, "iv", 12), bytes("5d313eb2671276ee13000b30"));
    }

    /// The known answer for the TLS 1.2 PRF with SHA-256 that implementers share.
    #[test]
    fn the_prf_of_tls_12_gives_the_known_answer() {
        let secret = bytes("9bbe436ba940f017b17652849a71db35");
        let seed = bytes("a0ba9f936cda311827a6f796ffd5198c");
        let out = Prf::One(Hash::Sha256).derive(&secret, "test label", &[&seed], 32);
        assert_eq!(out, bytes("e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a"));
    }
}

//! Opens records: one key, one direction.

use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt, KeyIvInit};
use rc4::{KeyInit, Rc4, StreamCipher};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

use super::schedule::{expand_label, hmac};
use super::suite::{Cipher, Hash, Suite};

const HANDSHAKE: u8 = 22;

/// Opens the records of one direction, in order.
pub(super) struct Opener {
    sequence: u64,
    method: Method,
}

enum Method {
    /// TLS 1.3; the secret stays for KeyUpdate.
    Aead13 {
        key: LessSafeKey,
        iv: [u8; 12],
        secret: Vec<u8>,
        suite: Suite,
    },
    /// TLS 1.2: four fixed bytes and eight in the record, or twelve fixed ones.
    Aead12 {
        key: LessSafeKey,
        iv: Vec<u8>,
    },
    Block {
        suite: Suite,
        key: Vec<u8>,
        mac: Vec<u8>,
        iv: Iv,
        mac_last: bool,
    },
    Stream {
        cipher: Box<Rc4>,
        mac: Vec<u8>,
        hash: Hash,
    },
}

/// Where the IV of a CBC record comes from.
enum Iv {
    /// The first block of the record (TLS 1.1 and 1.2).
    Explicit,
    /// The last block of the record before (TLS 1.0).
    Chained(Vec<u8>),
}

/// What a record holds, at the front of its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) kind: u8,
    pub(super) length: usize,
}

/// The keys of one direction in the key block of TLS 1.2 and before.
pub(super) struct WriteKeys<'k> {
    pub(super) mac: &'k [u8],
    pub(super) key: &'k [u8],
    pub(super) iv: &'k [u8],
}

impl Opener {
    /// For TLS 1.3, from a traffic secret.
    pub(super) fn of_secret(suite: Suite, secret: &[u8]) -> Option<Self> {
        let key = expand_label(suite.prf, secret, "key", suite.cipher.key());
        let iv = *expand_label(suite.prf, secret, "iv", 12).first_chunk()?;
        let key = aead_key(suite.cipher, &key)?;
        Some(Self { sequence: 0, method: Method::Aead13 { key, iv, secret: secret.to_vec(), suite } })
    }

    /// For TLS 1.2 and before. `mac_last`: encrypt-then-MAC (RFC 7366).
    pub(super) fn of_keys(suite: Suite, version: u16, keys: &WriteKeys<'_>, mac_last: bool) -> Option<Self> {
        let method = match suite.cipher {
            Cipher::Rc4 => {
                let cipher = Box::new(Rc4::new_from_slice(keys.key).ok()?);
                Method::Stream { cipher, mac: keys.mac.to_vec(), hash: suite.mac }
            }
            cipher if cipher.is_aead() => Method::Aead12 { key: aead_key(cipher, keys.key)?, iv: keys.iv.to_vec() },
            _ => {
                let iv = if version >= 0x0302 { Iv::Explicit } else { Iv::Chained(keys.iv.to_vec()) };
                Method::Block { suite, key: keys.key.to_vec(), mac: keys.mac.to_vec(), iv, mac_last }
            }
        };
        Some(Self { sequence: 0, method })
    }

    /// The next opener of this direction after a KeyUpdate.
    pub(super) fn updated(&self) -> Option<Self> {
        let Method::Aead13 { secret, suite, .. } = &self.method else { return None };
        Self::of_secret(*suite, &expand_label(suite.prf, secret, "traffic upd", suite.prf.length()))
    }

    /// Whether records may be left out: each is opened by its number alone.
    pub(super) fn can_jump(&self) -> bool {
        match &self.method {
            Method::Aead13 { .. } | Method::Aead12 { .. } => true,
            Method::Block { iv, .. } => matches!(iv, Iv::Explicit),
            Method::Stream { .. } => false,
        }
    }

    /// Passes over a record that is not in the capture.
    pub(super) fn jump(&mut self) {
        self.sequence = self.sequence.saturating_add(1);
    }

    /// Opens a record in place. When it fails, the contents of `record` are lost.
    pub(super) fn open(&mut self, header: [u8; 5], record: &mut [u8]) -> Option<Opened> {
        let [kind, high, low, ..] = header;
        let number = self.sequence.to_be_bytes();
        let opened = match &mut self.method {
            Method::Aead13 { key, iv, .. } => open_13(key, iv, number, header, record),
            Method::Aead12 { key, iv } => open_12(key, iv, number, header, record),
            Method::Block { suite, key, mac, iv, mac_last } => {
                let checked = MacKey { hash: suite.mac, key: mac, head: &[&number, &[kind, high, low]] };
                let sealed = Sealed { cipher: suite.cipher, key, mac_last: *mac_last };
                sealed.open(iv, &checked, record).map(|length| Opened { kind, length })
            }
            Method::Stream { cipher, mac, hash } => {
                cipher.apply_keystream(record);
                let checked = MacKey { hash: *hash, key: mac, head: &[&number, &[kind, high, low]] };
                checked.strip(record).map(|length| Opened { kind, length })
            }
        }?;
        self.sequence = self.sequence.saturating_add(1);
        Some(opened)
    }
}

fn aead_key(cipher: Cipher, key: &[u8]) -> Option<LessSafeKey> {
    let algorithm = match cipher {
        Cipher::Aes128Gcm => &AES_128_GCM,
        Cipher::Aes256Gcm => &AES_256_GCM,
        Cipher::ChaCha20 => &CHACHA20_POLY1305,
        _ => return None,
    };
    UnboundKey::new(algorithm, key).ok().map(LessSafeKey::new)
}

fn open_13(key: &LessSafeKey, iv: &[u8; 12], number: [u8; 8], header: [u8; 5], record: &mut [u8]) -> Option<Opened> {
    let nonce = Nonce::assume_unique_for_key(xored(*iv, number));
    let inner = key.open_in_place(nonce, Aad::from(header), record).ok()?;
    // Behind the content stand its type and any number of zeros.
    let length = inner.iter().rposition(|byte| *byte != 0)?;
    let kind = *inner.get(length)?;
    Some(Opened { kind, length })
}

fn open_12(key: &LessSafeKey, iv: &[u8], number: [u8; 8], header: [u8; 5], record: &mut [u8]) -> Option<Opened> {
    let [kind, high, low, ..] = header;
    let (nonce, skip) = match *iv {
        [a, b, c, d] => {
            let [e, f, g, h, i, j, k, l] = *record.first_chunk::<8>()?;
            ([a, b, c, d, e, f, g, h, i, j, k, l], 8)
        }
        _ => (xored(*iv.first_chunk()?, number), 0),
    };
    let length = u16::try_from(record.len().checked_sub(skip + 16)?).ok()?.to_be_bytes();
    let aad = Aad::from([&number[..], &[kind, high, low], &length].concat());
    let inner = key.open_within(Nonce::assume_unique_for_key(nonce), aad, record, skip..).ok()?;
    Some(Opened { kind, length: inner.len() })
}

/// The record number, laid over the end of the IV.
fn xored(mut iv: [u8; 12], number: [u8; 8]) -> [u8; 12] {
    iv.iter_mut().skip(4).zip(number).for_each(|(byte, digit)| *byte ^= digit);
    iv
}

/// A MAC over record number, type, version and length, in front of the content.
struct MacKey<'m> {
    hash: Hash,
    key: &'m [u8],
    head: &'m [&'m [u8]],
}

impl MacKey<'_> {
    /// The length of what stands before the MAC, if the MAC is right.
    fn strip(&self, record: &[u8]) -> Option<usize> {
        let length = record.len().checked_sub(self.hash.length())?;
        let (content, mac) = record.split_at_checked(length)?;
        (self.over(&[], content)? == mac).then_some(length)
    }

    fn over(&self, first: &[u8], content: &[u8]) -> Option<Vec<u8>> {
        let length = u16::try_from(first.len().checked_add(content.len())?).ok()?.to_be_bytes();
        let parts = [self.head, &[&length, first, content]].concat();
        Some(hmac(self.hash, self.key, &parts))
    }
}

/// How a CBC record is closed.
struct Sealed<'k> {
    cipher: Cipher,
    key: &'k [u8],
    mac_last: bool,
}

impl Sealed<'_> {
    /// Opens a record in place and moves its content to the front.
    fn open(&self, iv: &mut Iv, mac: &MacKey<'_>, record: &mut [u8]) -> Option<usize> {
        let end = if self.mac_last { record.len().checked_sub(mac.hash.length())? } else { record.len() };
        if self.mac_last {
            let (sealed, tag) = record.split_at_checked(end)?;
            (mac.over(&[], sealed)? == tag).then_some(())?;
        }
        let block = self.cipher.block();
        let (first, skip) = match iv {
            Iv::Explicit => (record.get(..block)?.to_vec(), block),
            Iv::Chained(last) => (last.clone(), 0),
        };
        let sealed = record.get_mut(skip..end)?;
        if sealed.is_empty() || !sealed.len().is_multiple_of(block) {
            return None;
        }
        if let Iv::Chained(last) = iv {
            *last = sealed.get(sealed.len() - block..)?.to_vec();
        }
        self.decrypt(&first, sealed)?;
        let padding = usize::from(*sealed.last()?);
        let inner = sealed.len().checked_sub(padding + 1)?;
        let length = if self.mac_last { inner } else { mac.strip(sealed.get(..inner)?)? };
        record.copy_within(skip..skip + length, 0);
        Some(length)
    }

    fn decrypt(&self, iv: &[u8], bytes: &mut [u8]) -> Option<()> {
        fn with<D: KeyIvInit + BlockModeDecrypt>(key: &[u8], iv: &[u8], bytes: &mut [u8]) -> Option<()> {
            let cipher = D::new_from_slices(key, iv).ok()?;
            cipher.decrypt_padded::<NoPadding>(bytes).ok().map(drop)
        }
        match self.cipher {
            Cipher::Aes128Cbc => with::<cbc::Decryptor<aes::Aes128>>(self.key, iv, bytes),
            Cipher::Aes256Cbc => with::<cbc::Decryptor<aes::Aes256>>(self.key, iv, bytes),
            Cipher::TripleDesCbc => with::<cbc::Decryptor<des::TdesEde3>>(self.key, iv, bytes),
            _ => None,
        }
    }
}

/// Whether an opened record holds handshake messages.
pub(super) fn is_handshake(opened: Opened) -> bool {
    opened.kind == HANDSHAKE
}

#[cfg(test)]
mod tests {
    use aes::cipher::BlockModeEncrypt;

    use super::*;

    const TEXT: &[u8] = b"POST /Microsoft-Server-ActiveSync HTTP/1.1";
    const HEADER: [u8; 5] = [23, 3, 1, 0, 0];
    const MAC: [u8; 20] = [9; 20];

    /// MAC-then-encrypt, as far as the MAC: content, MAC over number, header and length.
    fn with_mac(number: u64) -> Vec<u8> {
        let length = u16::try_from(TEXT.len()).unwrap().to_be_bytes();
        let mac = hmac(Hash::Sha1, &MAC, &[&number.to_be_bytes(), &HEADER[..3], &length, TEXT]);
        [TEXT, &mac].concat()
    }

    fn opener(number: u16, version: u16, key: &[u8], iv: &[u8]) -> Opener {
        let suite = Suite::of_number(number).unwrap();
        Opener::of_keys(suite, version, &WriteKeys { mac: &MAC, key, iv }, false).unwrap()
    }

    #[test]
    fn rc4_records_open_one_after_the_other() {
        let key = [7; 16];
        let mut seal = Rc4::new_from_slice(&key).unwrap();
        let mut opener = opener(0x0005, 0x0301, &key, &[]);
        for number in 0..3 {
            let mut record = with_mac(number);
            seal.apply_keystream(&mut record);
            let opened = opener.open(HEADER, &mut record).unwrap();
            assert_eq!(&record[..opened.length], TEXT);
        }
        assert!(!opener.can_jump());
    }

    #[test]
    fn triple_des_records_of_tls_10_chain_their_ivs() {
        let (key, mut iv) = ([1_u8, 2, 3, 4, 5, 6, 7, 8, 9].repeat(3)[..24].to_vec(), vec![5; 8]);
        let mut opener = opener(0x000A, 0x0301, &key, &iv);
        for number in 0..3 {
            let mut record = with_mac(number);
            let padding = 7 - record.len() % 8;
            record.extend(std::iter::repeat_n(u8::try_from(padding).unwrap(), padding + 1));
            let length = record.len();
            let seal = cbc::Encryptor::<des::TdesEde3>::new_from_slices(&key, &iv).unwrap();
            seal.encrypt_padded::<NoPadding>(&mut record, length).unwrap();
            iv = record[length - 8..].to_vec();
            let opened = opener.open(HEADER, &mut record).unwrap();
            assert_eq!(&record[..opened.length], TEXT);
        }
    }

    #[test]
    fn a_changed_or_short_record_does_not_open() {
        let key = [7; 16];
        for length in 0..64 {
            assert_eq!(opener(0x0005, 0x0301, &key, &[]).open(HEADER, &mut vec![0; length]), None);
            assert_eq!(opener(0x002F, 0x0303, &key, &[]).open(HEADER, &mut vec![0; length]), None);
            assert_eq!(opener(0x009C, 0x0303, &key, &[1; 4]).open(HEADER, &mut vec![0; length]), None);
            let thirteen = Opener::of_secret(Suite::of_number(0x1301).unwrap(), &[3; 32]);
            assert_eq!(thirteen.unwrap().open(HEADER, &mut vec![0; length]), None);
        }
    }

    #[test]
    fn after_a_key_update_the_new_keys_open_from_number_zero() {
        let suite = Suite::of_number(0x1301).unwrap();
        let mut updated = Opener::of_secret(suite, &[3; 32]).unwrap().updated().unwrap();
        let secret = expand_label(Hash::Sha256, &[3; 32], "traffic upd", 32);
        let key = aead_key(suite.cipher, &expand_label(Hash::Sha256, &secret, "key", 16)).unwrap();
        let iv = *expand_label(Hash::Sha256, &secret, "iv", 12).first_chunk().unwrap();
        let mut record = [TEXT, &[23, 0, 0]].concat();
        let header = [23, 3, 3, 0, u8::try_from(record.len() + 16).unwrap()];
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(iv), Aad::from(header), &mut record).unwrap();
        let opened = updated.open(header, &mut record).unwrap();
        assert_eq!((opened.kind, &record[..opened.length]), (23, TEXT));
    }
}

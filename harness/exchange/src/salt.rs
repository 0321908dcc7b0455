use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What each use of the hash is for, so that equal bytes in two uses do not meet.
const FILLER: u8 = 0;
const DEVICE: u8 = 1;
const POLICY: u8 = 2;
const WORD: u8 = 3;
const COUNT: u8 = 4;

/// A keyed hash: the same input gives the same pseudonym, and without the key nobody can try inputs. Without any key there
/// are no pseudonyms: what has one already stands, and filler is the same letter throughout.
#[derive(Clone)]
pub(crate) struct Salt(Option<Hmac<Sha256>>);

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt")
    }
}

impl Salt {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self(Some(Hmac::new_from_slice(&key).expect("HMAC takes keys of every length")))
    }

    /// Says nothing of what it hides, and leaves pseudonyms as they are.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    fn hash(&self, purpose: u8, bytes: &[u8]) -> [u8; 32] {
        let Some(mut hash) = self.0.clone() else { return [0; 32] };
        hash.update(&[purpose]);
        hash.update(bytes);
        hash.finalize().into_bytes().into()
    }

    /// Overwrites `bytes` with the hexadecimal digits of their hash, again and again; line ends stand.
    pub(crate) fn fill(&self, bytes: &mut [u8]) {
        let hash = self.hash(FILLER, bytes);
        let letter = |digit| if self.0.is_some() { hex(digit) } else { b'x' };
        let letters = hash.iter().flat_map(|b| [letter(b >> 4), letter(b & 15)]).cycle();
        for (byte, letter) in bytes.iter_mut().zip(letters) {
            if !matches!(byte, b'\r' | b'\n') {
                *byte = letter;
            }
        }
    }

    /// Filler for a text.
    pub(crate) fn scramble(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        self.fill(&mut bytes);
        bytes.iter().map(|b| char::from(*b)).collect()
    }

    pub(crate) fn policy_key(&self, key: u32) -> u32 {
        if key == 0 || self.0.is_none() {
            return key;
        }
        let low = 10_u32.pow(key.ilog10());
        let high = low.checked_mul(10).map_or(u32::MAX, |next| next - 1);
        let draw = self.hash(POLICY, &key.to_le_bytes());
        let draw = draw.iter().take(8).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        let span = u64::from(high - low) + 1;
        low.saturating_add(u32::try_from(draw % span).unwrap_or(0))
    }

    pub(crate) fn device_id(&self, id: &str) -> String {
        if self.0.is_none() {
            return id.to_owned();
        }
        // 32 hexadecimal digits may stand elsewhere as the 16 bytes they mean: the pseudonym must be able to as well.
        let letters = if id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) { 6 } else { 26 };
        let hash = self.hash(DEVICE, id.to_ascii_lowercase().as_bytes());
        let map = |(c, draw): (char, &u8)| match c {
            '0'..='9' => char::from(b'0' + draw % 10),
            'a'..='z' => char::from(b'a' + draw % letters),
            'A'..='Z' => char::from(b'A' + draw % letters),
            other if other.is_ascii_punctuation() => other,
            _ => 'x',
        };
        id.chars().zip(hash.iter().cycle()).map(map).collect()
    }

    /// Numbers that a word's pseudonym is drawn from, as many as are asked for; `round` tells the draws apart.
    pub(crate) fn draws(&self, round: u32, parts: &[u32]) -> impl Iterator<Item = u32> + use<> {
        let mut input: Vec<u8> = round.to_le_bytes().to_vec();
        input.extend(parts.iter().flat_map(|part| part.to_le_bytes()));
        let seed = self.hash(WORD, &input);
        let salt = self.clone();
        (0_u32..).flat_map(move |block| {
            let bytes = salt.hash(WORD, &[&seed[..], &block.to_le_bytes()[..]].concat());
            let (numbers, _) = bytes.as_chunks::<4>();
            numbers.iter().map(|number| u32::from_le_bytes(*number)).collect::<Vec<_>>()
        })
    }

    /// What stands for `bytes` where distinct ones are counted.
    pub(crate) fn mark(&self, bytes: &[u8]) -> u64 {
        self.hash(COUNT, bytes).iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
    }

    /// The pseudonym of a device id that is no text.
    pub(crate) fn device_bytes(&self, id: &mut [u8]) {
        if self.0.is_none() {
            return;
        }
        if id.len() == 16 {
            let text: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
            let other = self.device_id(&text);
            let pairs = (0..other.len()).step_by(2).filter_map(|at| other.get(at..at + 2));
            for (byte, pair) in id.iter_mut().zip(pairs) {
                *byte = u8::from_str_radix(pair, 16).unwrap_or_default();
            }
            return;
        }
        let hash = self.hash(DEVICE, id);
        for (byte, draw) in id.iter_mut().zip(hash.iter().cycle()) {
            *byte = *draw;
        }
    }
}

fn hex(digit: u8) -> u8 {
    if digit < 10 { b'0' + digit } else { b'a' - 10 + digit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_keys_keep_their_digits_and_equality() {
        let salt = Salt::new([7; 32]);
        assert_eq!(salt.policy_key(0), 0);
        for key in [1, 9, 10, 1_307_199_584, 3_942_919_513, u32::MAX] {
            let other = salt.policy_key(key);
            assert_eq!(other.to_string().len(), key.to_string().len());
            assert_eq!(salt.policy_key(key), other);
        }
        assert_ne!(salt.policy_key(1_307_199_584), Salt::new([8; 32]).policy_key(1_307_199_584));
    }

    #[test]
    fn a_device_id_is_the_same_as_text_and_as_bytes() {
        let salt = Salt::new([7; 32]);
        let mut bytes = [0xAB, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        salt.device_bytes(&mut bytes);
        let after: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(after, salt.device_id(&text));
        assert_ne!(after, text);
    }

    #[test]
    fn device_ids_keep_length_and_kind_of_character() {
        let salt = Salt::new([7; 32]);
        let other = salt.device_id("androidC259148960");
        assert_eq!(other.len(), 17);
        assert!(other.ends_with(|c: char| c.is_ascii_digit()) && other.starts_with(|c: char| c.is_ascii_lowercase()));
        assert_ne!(other, "androidC259148960");
        assert_eq!(salt.device_id("ANDROIDC259148960"), other.to_ascii_uppercase());
    }
}

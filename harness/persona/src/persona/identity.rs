//! The device's own name, made from its pattern.

use easrig_eas::DeviceId;
use sha2::{Digest, Sha256};

use super::Persona;

/// Why a pattern makes no device id.
pub(super) fn check(pattern: &str) -> Result<(), String> {
    make(pattern, &mut Stream::new("check")).map(|_| ())
}

/// How long the ids of a pattern are.
pub(crate) fn pattern_length(pattern: &str) -> Option<usize> {
    make(pattern, &mut Stream::new("length")).ok().map(|id| id.as_str().len())
}

impl Persona {
    /// The device id of this persona in a role for an account: the same in every run.
    pub fn device_id(&self, role: &str, account: &str) -> DeviceId {
        let account = account.to_lowercase();
        let seed = format!("easrig device\0{}\0{role}\0{account}", self.id);
        make(&self.identity.device_id.value, &mut Stream::new(&seed)).expect("the pattern was checked when it was read")
    }
}

/// `{hex32}`, `{HEX32}`, `{digits9}`, `{alnum11}`, `{base32-26}`: that many characters of that kind.
fn make(pattern: &str, stream: &mut Stream) -> Result<DeviceId, String> {
    let mut id = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        let (word, after) = after.split_once('}').ok_or("`{` without `}`")?;
        id.push_str(before);
        let digits = word.find(|c: char| c.is_ascii_digit()).ok_or_else(|| format!("`{{{word}}}` has no length"))?;
        let (kind, length) = word.split_at(digits);
        let length = length.parse::<usize>().ok().filter(|length| (1..=32).contains(length));
        let length = length.ok_or_else(|| format!("`{{{word}}}` needs a length from 1 to 32"))?;
        let alphabet: &[u8] = match kind {
            "hex" => b"0123456789abcdef",
            "HEX" => b"0123456789ABCDEF",
            "digits" => b"0123456789",
            "alnum" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
            "crock" => b"0123456789ABCDEFGHIJKLMNOPQRSTUV",
            _ => {
                return Err(format!("`{{{word}}}` is none of {{hexN}}, {{HEXN}}, {{digitsN}}, {{alnumN}}, {{crockN}}"));
            }
        };
        id.extend((0..length).map(|place| char::from(stream.pick(alphabet, place))));
        rest = after;
    }
    id.push_str(rest);
    DeviceId::try_from(id).map_err(|error| error.to_string())
}

/// Endless bytes from a text.
struct Stream {
    seed: Vec<u8>,
    block: [u8; 32],
    used: usize,
    count: u32,
}

impl Stream {
    fn new(seed: &str) -> Self {
        Self { seed: seed.as_bytes().to_vec(), block: [0; 32], used: 32, count: 0 }
    }

    fn byte(&mut self) -> u8 {
        if self.used == self.block.len() {
            let hash = Sha256::new().chain_update(self.count.to_be_bytes()).chain_update(&self.seed).finalize();
            self.block = hash.into();
            (self.used, self.count) = (0, self.count.wrapping_add(1));
        }
        let byte = self.block.get(self.used).copied().unwrap_or_default();
        self.used += 1;
        byte
    }

    /// A character; the first of a number is no 0.
    fn pick(&mut self, alphabet: &[u8], place: usize) -> u8 {
        let from = usize::from(place == 0 && alphabet.len() == 10);
        let index = from + usize::from(self.byte()) % (alphabet.len() - from).max(1);
        alphabet.get(index).copied().unwrap_or(b'0')
    }
}

use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufRead, Read};

use thiserror::Error;

/// The longest line of a key log that is read.
const MAX_LINE: u64 = 4096;

/// The most connections whose secrets are kept.
const MAX_CONNECTIONS: usize = 1 << 20;

/// TLS secrets by connection, in the format that browsers and OpenSSL write to `SSLKEYLOGFILE`.
#[derive(Clone, Default)]
pub struct KeyLog {
    secrets: HashMap<[u8; 32], Secrets>,
}

impl KeyLog {
    /// Reads a key log to its end. Comments, unknown labels and broken lines are passed over.
    ///
    /// # Errors
    /// [`KeyLogError::Io`]; [`KeyLogError::NoKeys`] when not one line holds a secret.
    pub fn read(mut input: impl BufRead) -> Result<Self, KeyLogError> {
        let mut log = Self::default();
        let mut line = Vec::new();
        loop {
            line.clear();
            if (&mut input).take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            log.add_line(&line);
        }
        if log.secrets.is_empty() { Err(KeyLogError::NoKeys) } else { Ok(log) }
    }

    /// Adds the lines of a text that a capture file brought along.
    pub(crate) fn add(&mut self, text: &[u8]) {
        for line in text.split(|byte| *byte == b'\n') {
            self.add_line(line);
        }
    }

    pub(super) fn of(&self, client_random: &[u8; 32]) -> Option<&Secrets> {
        self.secrets.get(client_random)
    }

    fn add_line(&mut self, line: &[u8]) -> Option<()> {
        let text = std::str::from_utf8(line).ok()?;
        let mut words = text.split_ascii_whitespace();
        let label = Label::of(words.next()?)?;
        let random: [u8; 32] = hex(words.next()?)?.try_into().ok()?;
        let secret = hex(words.next()?).filter(|secret| (32..=64).contains(&secret.len()))?;
        if self.secrets.len() < MAX_CONNECTIONS || self.secrets.contains_key(&random) {
            let secrets = self.secrets.entry(random).or_default();
            *label.of_mut(secrets) = Some(secret.into());
        }
        Some(())
    }
}

/// Without the secrets.
impl fmt::Debug for KeyLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyLog of {} connections", self.secrets.len())
    }
}

/// Why a key log is of no use.
#[derive(Debug, Error)]
pub enum KeyLogError {
    /// It could not be read.
    #[error("the key log could not be read: {0}")]
    Io(#[from] io::Error),
    /// It holds no secrets.
    #[error("no line of the key log holds a TLS secret, such as `CLIENT_RANDOM` with two hexadecimal numbers")]
    NoKeys,
}

/// The secrets of one connection.
#[derive(Clone, Default)]
pub(super) struct Secrets {
    pub(super) master: Option<Box<[u8]>>,
    pub(super) client_early: Option<Box<[u8]>>,
    pub(super) client_handshake: Option<Box<[u8]>>,
    pub(super) server_handshake: Option<Box<[u8]>>,
    pub(super) client_traffic: Option<Box<[u8]>>,
    pub(super) server_traffic: Option<Box<[u8]>>,
}

#[derive(Clone, Copy)]
enum Label {
    Master,
    ClientEarly,
    ClientHandshake,
    ServerHandshake,
    ClientTraffic,
    ServerTraffic,
}

impl Label {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "CLIENT_RANDOM" => Self::Master,
            "CLIENT_EARLY_TRAFFIC_SECRET" => Self::ClientEarly,
            "CLIENT_HANDSHAKE_TRAFFIC_SECRET" => Self::ClientHandshake,
            "SERVER_HANDSHAKE_TRAFFIC_SECRET" => Self::ServerHandshake,
            "CLIENT_TRAFFIC_SECRET_0" => Self::ClientTraffic,
            "SERVER_TRAFFIC_SECRET_0" => Self::ServerTraffic,
            _ => return None,
        })
    }

    fn of_mut(self, secrets: &mut Secrets) -> &mut Option<Box<[u8]>> {
        match self {
            Self::Master => &mut secrets.master,
            Self::ClientEarly => &mut secrets.client_early,
            Self::ClientHandshake => &mut secrets.client_handshake,
            Self::ServerHandshake => &mut secrets.server_handshake,
            Self::ClientTraffic => &mut secrets.client_traffic,
            Self::ServerTraffic => &mut secrets.server_traffic,
        }
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_by_the_client_random_and_noise_is_passed_over() {
        let random = "11".repeat(32);
        let text = format!(
            "# a comment\nCLIENT_RANDOM {random} {}\r\nSERVER_TRAFFIC_SECRET_0 {random} {}\nEXPORTER_SECRET {random} 00\n\
             CLIENT_RANDOM {random}\nCLIENT_RANDOM zz zz\n",
            "22".repeat(48),
            "33".repeat(32),
        );
        let log = KeyLog::read(text.as_bytes()).unwrap();
        let secrets = log.of(&[0x11; 32]).unwrap();
        assert_eq!(secrets.master.as_deref(), Some([0x22; 48].as_slice()));
        assert_eq!(secrets.server_traffic.as_deref(), Some([0x33; 32].as_slice()));
        assert!(secrets.client_handshake.is_none() && log.of(&[0; 32]).is_none());
        assert_eq!(format!("{log:?}"), "KeyLog of 1 connections");
    }

    #[test]
    fn a_file_that_is_no_key_log_is_refused() {
        assert!(matches!(KeyLog::read(b"hello\nworld".as_slice()), Err(KeyLogError::NoKeys)));
    }
}

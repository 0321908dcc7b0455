use std::collections::HashMap;

use super::key_log::{KeyLog, Secrets};
use crate::{Options, ServerKey};

/// The most sessions that are remembered for resumption.
const MAX_SESSIONS: usize = 4096;

/// Every key that an import has: given ones, those inside the file, and those learned from full handshakes.
pub(crate) struct Keys<'a> {
    given: &'a KeyLog,
    servers: &'a [ServerKey],
    in_file: KeyLog,
    /// Master secrets by session id and by ticket.
    sessions: HashMap<Vec<u8>, [u8; 48]>,
}

impl<'a> Keys<'a> {
    pub(crate) fn new(options: &'a Options) -> Self {
        let Options { key_log, server_keys, .. } = options;
        Self { given: key_log, servers: server_keys, in_file: KeyLog::default(), sessions: HashMap::new() }
    }

    /// Adds lines of a key log that the capture file brings along.
    pub(crate) fn add_log(&mut self, text: &[u8]) {
        self.in_file.add(text);
    }

    pub(super) fn secrets(&self, client_random: &[u8; 32]) -> Option<&Secrets> {
        self.in_file.of(client_random).or_else(|| self.given.of(client_random))
    }

    /// Whether RSA key exchange can be opened at all.
    pub(super) fn has_server_keys(&self) -> bool {
        !self.servers.is_empty()
    }

    /// The premaster secret in a ClientKeyExchange, from the first key that makes sense of it.
    pub(super) fn premaster(&self, sealed: &[u8]) -> Option<[u8; 48]> {
        self.servers.iter().find_map(|key| key.premaster(sealed))
    }

    pub(super) fn remember(&mut self, session: &[u8], master: [u8; 48]) {
        if session.is_empty() {
            return;
        }
        // Resumption follows soon: which of many old sessions goes does not matter.
        if self.sessions.len() >= MAX_SESSIONS
            && let Some(any) = self.sessions.keys().next().cloned()
        {
            self.sessions.remove(&any);
        }
        self.sessions.insert(session.to_vec(), master);
    }

    pub(super) fn resumed(&self, session: &[u8]) -> Option<[u8; 48]> {
        self.sessions.get(session).copied()
    }
}

use easrig_exchange::{TlsSession, TlsVersion};

use super::hello::{ClientHello, ServerHello, known};
use super::keys::Keys;
use super::open::{Opener, WriteKeys};
use super::schedule::Prf;
use super::suite::Suite;
use crate::Undecryptable;

pub(super) const TLS_12: u16 = 0x0303;
pub(super) const TLS_13: u16 = 0x0304;

/// The longest transcript that is kept.
const MAX_TRANSCRIPT: usize = 256 << 10;

/// What the handshake has told so far.
#[derive(Default)]
pub(super) struct Handshake {
    pub(super) client: ClientHello,
    pub(super) server: ServerHello,
    pub(super) suite: Option<Suite>,
    pub(super) master: Option<[u8; 48]>,
    transcript: Vec<u8>,
    /// Whether the server sent its whole part, hence no resumption.
    pub(super) full: bool,
    pub(super) derived: bool,
    pub(super) chain: Vec<Vec<u8>>,
}

impl Handshake {
    /// A handshake that begins with this hello.
    pub(super) fn of(client: ClientHello) -> Self {
        Self { client, ..Self::default() }
    }

    /// Bytes in memory.
    pub(super) fn held(&self) -> usize {
        self.transcript.len()
    }

    fn prf(&self, suite: Suite) -> Prf {
        if self.server.version == TLS_12 { Prf::One(suite.prf) } else { Prf::Both }
    }

    /// Keeps a message for the extended master secret, where that can matter.
    pub(super) fn note(&mut self, whole: &[u8], keys: &Keys<'_>) {
        if keys.has_server_keys() && self.transcript.len().saturating_add(whole.len()) <= MAX_TRANSCRIPT {
            self.transcript.extend_from_slice(whole);
        }
    }

    /// Opens the premaster secret with a server key, and makes the master secret of it.
    pub(super) fn key_exchange(&mut self, body: &[u8], keys: &Keys<'_>) {
        let Some(suite) = self.suite.filter(|_| keys.has_server_keys()) else { return };
        let sealed = body.get(2..).unwrap_or_default();
        let Some(premaster) = keys.premaster(sealed) else { return };
        let prf = self.prf(suite);
        let master = if self.server.extended_master {
            let hash = prf.transcript(&self.transcript);
            prf.derive(&premaster, "extended master secret", &[&hash], 48)
        } else {
            prf.derive(&premaster, "master secret", &[&self.client.random, &self.server.random], 48)
        };
        self.master = master.first_chunk().copied();
    }

    /// The master secret: from the key log, this handshake, or the one that is resumed.
    fn find_master(&mut self, keys: &mut Keys<'_>) -> Option<[u8; 48]> {
        let logged = keys.secrets(&self.client.random).and_then(|secrets| secrets.master.as_deref()?.first_chunk());
        let master = logged.copied().or(self.master).or_else(|| {
            let ids = [&self.server.session, &self.client.ticket];
            ids.into_iter().filter(|_| !self.full).find_map(|id| keys.resumed(id))
        })?;
        self.master = Some(master);
        keys.remember(&self.server.session, master);
        Some(master)
    }

    /// The openers of client and server, for TLS 1.2 and before.
    pub(super) fn openers(&mut self, keys: &mut Keys<'_>) -> Result<[Opener; 2], Undecryptable> {
        let suite = self.suite.ok_or(Undecryptable::NoHandshake)?;
        let master = self.find_master(keys).ok_or(Undecryptable::NoKeys)?;
        let cipher = suite.cipher;
        let version = self.server.version;
        let mac = if cipher.is_aead() { 0 } else { suite.mac.length() };
        let iv = if version < 0x0302 { cipher.block() } else { cipher.fixed_iv() };
        let length = 2 * (mac + cipher.key() + iv);
        let seeds: [&[u8]; 2] = [&self.server.random, &self.client.random];
        let block = self.prf(suite).derive(&master, "key expansion", &seeds, length);
        let mut rest = block.as_slice();
        let mut take = |count: usize| {
            let (mine, behind) = rest.split_at_checked(count).unwrap_or_default();
            rest = behind;
            mine
        };
        let macs = [take(mac), take(mac)];
        let ciphers = [take(cipher.key()), take(cipher.key())];
        let ivs = [take(iv), take(iv)];
        let mac_last = self.server.encrypt_then_mac && cipher.block() > 0;
        let opener = |mac, key, iv| {
            Opener::of_keys(suite, version, &WriteKeys { mac, key, iv }, mac_last).ok_or(Undecryptable::Suite)
        };
        let ([client_mac, server_mac], [client_key, server_key], [client_iv, server_iv]) = (macs, ciphers, ivs);
        Ok([opener(client_mac, client_key, client_iv)?, opener(server_mac, server_key, server_iv)?])
    }

    /// What is told to people. The device went on with this chain, so in its eyes it was verified.
    pub(super) fn agreed(&self) -> TlsSession {
        let cipher_suite = self.suite.map(|suite| suite.name()).unwrap_or_default();
        TlsSession {
            version: known(self.server.version).unwrap_or(TlsVersion::V1_3).name().to_owned(),
            cipher_suite,
            chain: self.chain.clone(),
            verified: true,
            hello: Some(Box::new(self.client.told.clone())),
        }
    }
}

use std::collections::VecDeque;

use easrig_exchange::{Timestamp, TlsSession};

use super::handshake::{Handshake, TLS_13};
use super::hello::{self, ClientHello, ServerHello};
use super::key_log::Secrets;
use super::keys::Keys;
use super::lane::{Lane, Record};
use super::open::{Opened, Opener, is_handshake};
use super::suite::Suite;
use crate::Undecryptable;
use crate::stream::Piece;
use crate::tcp::{Context, Side};

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const APPLICATION_DATA: u8 = 23;

/// The longest handshake message that is kept.
const MAX_HANDSHAKE: usize = 256 << 10;

/// Bytes that wait for the other side's part of the handshake.
const MAX_HELD: usize = 1 << 20;

/// The most records that are taken to be missing at one place.
const MAX_JUMP: u32 = 4096;

/// Buffers kept for the next records.
const MAX_SPARE: usize = 8;

/// One TLS connection, as an onlooker with keys sees it.
pub(crate) struct Session {
    client: Side,
    lanes: [Lane; 2],
    phase: Phase,
    handshake: Handshake,
    events: VecDeque<TlsEvent>,
    spare: Vec<Vec<u8>>,
    agreed: bool,
    began_data: bool,
    /// A HelloRetryRequest was seen, hence this is TLS 1.3 already.
    retried: bool,
    now: Timestamp,
}

/// What came out of the connection, in order.
pub(crate) enum TlsEvent {
    /// The handshake is done.
    Agreed(TlsSession),
    /// Plain text.
    Data { side: Side, at: Timestamp, offset: u64, acked: Option<u64>, bytes: Vec<u8> },
    /// Some plain text is missing; how much is not known.
    Missing { side: Side, at: Timestamp },
}

/// How far the handshake is: who may be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Before the ClientHello.
    Start,
    /// Before the ServerHello.
    Answer,
    /// TLS 1.2 and before: the server's part is not over.
    ServerPart,
    /// Both sides can be read.
    Open,
    /// Never.
    Failed,
}

impl Session {
    pub(crate) fn new(client: Side) -> Self {
        Self {
            client,
            lanes: [Lane::default(), Lane::default()],
            phase: Phase::Start,
            handshake: Handshake::default(),
            events: VecDeque::new(),
            spare: Vec::new(),
            agreed: false,
            began_data: false,
            retried: false,
            now: Timestamp(0),
        }
    }

    /// Bytes in memory.
    pub(crate) fn held(&self) -> usize {
        let [low, high] = &self.lanes;
        low.held().saturating_add(high.held()).saturating_add(self.handshake.held())
    }

    pub(crate) fn next_event(&mut self) -> Option<TlsEvent> {
        self.events.pop_front()
    }

    /// Takes the buffer of an event back.
    pub(crate) fn recycle(&mut self, mut bytes: Vec<u8>) {
        if self.spare.len() < MAX_SPARE {
            bytes.clear();
            self.spare.push(bytes);
        }
    }

    pub(crate) fn data(&mut self, piece: &Piece<'_>, context: &mut Context<'_, '_, '_>) {
        if self.phase == Phase::Failed {
            return;
        }
        self.now = piece.at;
        let lane = piece.side.of_mut(&mut self.lanes);
        if lane.feed(piece.bytes, (piece.at, piece.offset, piece.acked), &mut self.spare).is_err() {
            self.fail(Undecryptable::Malformed, context);
            return;
        }
        self.drive(context);
        if self.phase != Phase::Failed && self.held() > MAX_HELD {
            self.fail(Undecryptable::NoHandshake, context);
        }
    }

    pub(crate) fn missing(&mut self, side: Side, at: Timestamp, context: &mut Context<'_, '_, '_>) {
        if self.phase == Phase::Failed {
            return;
        }
        side.of_mut(&mut self.lanes).missing();
        if side.of(&self.lanes).opener.is_none() {
            self.fail(Undecryptable::Lost, context);
        } else {
            self.events.push_back(TlsEvent::Missing { side, at });
        }
    }

    /// Nothing more will come.
    pub(crate) fn finish(&mut self, context: &mut Context<'_, '_, '_>) {
        let waits = self.lanes.iter().any(|lane| !lane.records.is_empty());
        if self.phase == Phase::Failed || self.agreed && !waits {
            return;
        }
        // An alert in clear among what waits: the device gave up.
        let alert = self.lanes.iter().any(|lane| lane.records.iter().any(|record| record.kind() == ALERT));
        match self.phase {
            _ if alert => self.fail(Undecryptable::Refused, context),
            Phase::Open if !waits => {}
            _ => self.fail(Undecryptable::NoHandshake, context),
        }
    }

    fn fail(&mut self, reason: Undecryptable, context: &mut Context<'_, '_, '_>) {
        context.out.tally.undecryptable(reason);
        self.phase = Phase::Failed;
        let at = self.now;
        self.events.extend([Side::Low, Side::High].map(|side| TlsEvent::Missing { side, at }));
        self.lanes.iter_mut().for_each(Lane::clear);
        self.handshake = Handshake::default();
    }

    /// Reads on, on both sides, as far as the handshake allows.
    fn drive(&mut self, context: &mut Context<'_, '_, '_>) {
        let server = self.client.other();
        loop {
            let side = if self.is_ready(self.client) {
                self.client
            } else if self.is_ready(server) {
                server
            } else {
                return;
            };
            let Some(record) = side.of_mut(&mut self.lanes).pop() else { return };
            if let Err(reason) = self.record(side, record, context) {
                self.fail(reason, context);
                return;
            }
        }
    }

    fn is_ready(&self, side: Side) -> bool {
        !side.of(&self.lanes).records.is_empty()
            && match self.phase {
                Phase::Start => side == self.client,
                Phase::Answer | Phase::ServerPart => side != self.client,
                Phase::Open => true,
                Phase::Failed => false,
            }
    }

    fn record(
        &mut self,
        side: Side,
        mut record: Record,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), Undecryptable> {
        let is_13 = self.is_13();
        let lane = side.of_mut(&mut self.lanes);
        // In TLS 1.3 ChangeCipherSpec means nothing, and alerts in clear can still come before the keys.
        if is_13 && record.kind() == CHANGE_CIPHER_SPEC {
            return Ok(());
        }
        let opened = match &mut lane.opener {
            Some(_) if !(is_13 && record.kind() != APPLICATION_DATA) => {
                let jumped = std::mem::take(&mut lane.jumped);
                let opened = lane.open(&mut record, jumped);
                opened.ok_or(if jumped { Undecryptable::Lost } else { Undecryptable::WrongKey })?
            }
            _ => Opened { kind: record.kind(), length: record.bytes.len() },
        };
        record.bytes.truncate(opened.length);
        match opened.kind {
            _ if is_handshake(opened) => {
                lane.handshake.extend_from_slice(&record.bytes);
                self.recycle(record.bytes);
                self.messages(side, context)
            }
            CHANGE_CIPHER_SPEC => self.change_cipher(side, context),
            ALERT => self.alert(&record.bytes),
            APPLICATION_DATA if side.of(&self.lanes).opener.is_some() => {
                self.plain_text(side, record);
                Ok(())
            }
            APPLICATION_DATA => Err(Undecryptable::NoHandshake),
            // Heartbeats.
            _ => Ok(()),
        }
    }

    fn is_13(&self) -> bool {
        self.retried || self.handshake.server.version == TLS_13
    }

    fn alert(&self, bytes: &[u8]) -> Result<(), Undecryptable> {
        // A fatal alert before the first byte of data ends a handshake; after it, it ends a connection.
        match bytes {
            [2, _] if !self.began_data => Err(Undecryptable::Refused),
            _ => Ok(()),
        }
    }

    fn plain_text(&mut self, side: Side, record: Record) {
        if !self.agreed {
            self.agreed = true;
            let session = self.handshake.agreed();
            self.events.push_back(TlsEvent::Agreed(session));
        }
        if !self.began_data && side == self.client && !record.bytes.is_empty() {
            self.began_data = true;
        }
        let Record { at, offset, acked, bytes, .. } = record;
        if bytes.is_empty() {
            self.recycle(bytes);
        } else {
            self.events.push_back(TlsEvent::Data { side, at, offset, acked, bytes });
        }
    }

    /// Reads every whole handshake message of a side.
    fn messages(&mut self, side: Side, context: &mut Context<'_, '_, '_>) -> Result<(), Undecryptable> {
        let mut waiting = std::mem::take(&mut side.of_mut(&mut self.lanes).handshake);
        let mut read = 0;
        while let Some((kind, body, length)) = hello::message(waiting.get(read..).unwrap_or_default()) {
            let whole = waiting.get(read..read + length).unwrap_or_default();
            self.message(side, kind, body, whole, context)?;
            read += length;
        }
        waiting.drain(..read);
        if waiting.len() > MAX_HANDSHAKE {
            return Err(Undecryptable::Malformed);
        }
        side.of_mut(&mut self.lanes).handshake = waiting;
        Ok(())
    }

    fn message(
        &mut self,
        side: Side,
        kind: u8,
        body: &[u8],
        whole: &[u8],
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), Undecryptable> {
        let from_client = side == self.client;
        let is_13 = self.is_13();
        match (kind, from_client) {
            (CLIENT_HELLO, true) => {
                let client = ClientHello::read(body).ok_or(Undecryptable::Malformed)?;
                self.handshake = Handshake::of(client);
                self.phase = Phase::Answer;
            }
            (SERVER_HELLO, false) => {
                self.handshake.note(whole, context.keys);
                return self.server_hello(body, context.keys);
            }
            (KEY_UPDATE, _) if is_13 => {
                let lane = side.of_mut(&mut self.lanes);
                lane.opener = lane.opener.as_ref().and_then(Opener::updated);
                return lane.opener.is_some().then_some(()).ok_or(Undecryptable::Malformed);
            }
            (CERTIFICATE, false) => self.handshake.chain = hello::chain(body, is_13),
            (NEW_TICKET, false) if !is_13 => {
                if let (Some(master), Some(ticket)) = (self.handshake.master, hello::ticket(body)) {
                    context.keys.remember(ticket, master);
                }
            }
            (SERVER_HELLO_DONE, false) => {
                self.handshake.full = true;
                self.phase = Phase::Open;
            }
            (CLIENT_KEY_EXCHANGE, true) => {
                self.handshake.note(whole, context.keys);
                self.handshake.key_exchange(body, context.keys);
                return Ok(());
            }
            _ => {}
        }
        if kind != 0 {
            self.handshake.note(whole, context.keys);
        }
        Ok(())
    }

    fn server_hello(&mut self, body: &[u8], keys: &Keys<'_>) -> Result<(), Undecryptable> {
        let server = ServerHello::read(body).ok_or(Undecryptable::Malformed)?;
        if server.is_retry() {
            // The second ClientHello has the same random.
            self.phase = Phase::Start;
            self.retried = true;
            return Ok(());
        }
        if !(0x0301..=TLS_13).contains(&server.version) {
            return Err(Undecryptable::Version);
        }
        let suite = Suite::of_number(server.suite).ok_or(Undecryptable::Suite)?;
        let version = server.version;
        self.handshake.server = server;
        self.handshake.suite = Some(suite);
        if version < TLS_13 {
            self.phase = Phase::ServerPart;
            return Ok(());
        }
        self.phase = Phase::Open;
        let secrets = keys.secrets(&self.handshake.client.random).ok_or(Undecryptable::NoKeys)?;
        let Secrets { client_early, client_handshake, server_handshake, client_traffic, server_traffic, .. } = secrets;
        let set = |secrets: [&Option<Box<[u8]>>; 3]| -> Vec<Opener> {
            secrets.into_iter().flatten().filter_map(|secret| Opener::of_secret(suite, secret)).collect()
        };
        let client = set([client_early, client_handshake, client_traffic]);
        let server = set([&None, server_handshake, server_traffic]);
        if client.is_empty() || server.is_empty() {
            return Err(Undecryptable::NoKeys);
        }
        self.client.of_mut(&mut self.lanes).follow(client);
        self.client.other().of_mut(&mut self.lanes).follow(server);
        Ok(())
    }

    /// TLS 1.2 and before: what follows from this side is encrypted.
    fn change_cipher(&mut self, side: Side, context: &mut Context<'_, '_, '_>) -> Result<(), Undecryptable> {
        if self.phase == Phase::ServerPart {
            // The server first: a resumed session.
            self.phase = Phase::Open;
        }
        if !self.handshake.derived {
            let [mut client, mut server] = self.handshake.openers(context.keys)?.map(Some);
            self.client.of_mut(&mut self.lanes).pending = client.take();
            self.client.other().of_mut(&mut self.lanes).pending = server.take();
            self.handshake.derived = true;
        }
        let lane = side.of_mut(&mut self.lanes);
        lane.opener = Some(lane.pending.take().ok_or(Undecryptable::Malformed)?);
        Ok(())
    }
}

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const NEW_TICKET: u8 = 4;
const CERTIFICATE: u8 = 11;
const SERVER_HELLO_DONE: u8 = 14;
const CLIENT_KEY_EXCHANGE: u8 = 16;
const KEY_UPDATE: u8 = 24;

impl Lane {
    /// Puts openers in place that follow each other without a sign.
    fn follow(&mut self, mut openers: Vec<Opener>) {
        openers.reverse();
        self.opener = openers.pop();
        self.next = openers;
    }

    /// Opens a record with the opener in place, or one that may follow it, or after records that are missing.
    fn open(&mut self, record: &mut Record, jumped: bool) -> Option<Opened> {
        let current = self.opener.as_mut()?;
        let may_jump = jumped && current.can_jump();
        let sealed = (may_jump || !self.next.is_empty()).then(|| record.bytes.clone());
        if let Some(opened) = current.open(record.header, &mut record.bytes) {
            return Some(opened);
        }
        let sealed = sealed?;
        while let Some(mut next) = self.next.pop() {
            record.bytes.clone_from(&sealed);
            if let Some(opened) = next.open(record.header, &mut record.bytes) {
                self.opener = Some(next);
                return Some(opened);
            }
            self.opener = Some(next);
        }
        let current = self.opener.as_mut().filter(|_| may_jump)?;
        (0..MAX_JUMP).find_map(|_| {
            current.jump();
            record.bytes.clone_from(&sealed);
            current.open(record.header, &mut record.bytes)
        })
    }
}

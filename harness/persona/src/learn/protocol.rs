//! How a device writes its requests, and which version it picks.

use std::collections::{BTreeMap, BTreeSet};

use easrig_eas::{
    Command, Version, headers as names,
    query::{CommandName, DeviceIdForm, QueryForm, QueryLine},
};
use easrig_exchange::ExchangeNumber;

use super::{
    Seen,
    facts::{Facts, Row},
};
use crate::Confidence;

/// What was offered and what was picked, and which commands carry the policy key.
#[derive(Debug, Default)]
pub(super) struct Speech {
    offered: Vec<Version>,
    /// Every version the device spoke, and where first.
    spoken: BTreeMap<Version, ExchangeNumber>,
    /// A list as the server wrote it and the version that followed.
    picks: Vec<(Vec<Version>, Version, ExchangeNumber)>,
    /// A final key is in use.
    has_key: bool,
    with_key: BTreeMap<&'static str, ExchangeNumber>,
    without_key: BTreeMap<&'static str, ExchangeNumber>,
}

/// The most different picks that are remembered.
const MOST_PICKS: usize = 64;

impl Speech {
    pub(super) fn options(&mut self, seen: &Seen<'_>, facts: &mut Facts) {
        let query = seen.exchange.request.query();
        let word = match &seen.line {
            _ if query.is_empty() => "absent",
            Some(line) if line.command == CommandName::Absent => "device",
            _ => "cmd-options",
        };
        facts.seen("protocol.options_query", word, seen.at);
        let list = seen.exchange.response().and_then(|response| response.headers.get(names::PROTOCOL_VERSIONS));
        if let Some(list) = list {
            self.offered = names::list(list).filter_map(|version| version.parse().ok()).collect();
        }
    }

    pub(super) fn command(&mut self, seen: &Seen<'_>, line: &QueryLine, command: Command, facts: &mut Facts) {
        let at = seen.at;
        if let Some(version) = seen.spoken {
            self.spoken.entry(version).or_insert(at);
            let pick = |(offer, picked, _): &(_, _, _)| *offer == self.offered && *picked == version;
            if !self.offered.is_empty() && self.picks.len() < MOST_PICKS && !self.picks.iter().any(pick) {
                self.picks.push((self.offered.clone(), version, at));
            }
        }
        let base64 = line.form == QueryForm::Base64;
        // 2.5 knows no other form than the plain one: there it says nothing.
        let told = if base64 || seen.version() > Version::V2_5 { Confidence::High } else { Confidence::Low };
        facts.note("protocol.query", if base64 { "base64" } else { "plain" }, at, told);
        if base64 {
            let form = match line.device_id {
                DeviceIdForm::Guid(_) => "bytes",
                DeviceIdForm::Text(_) | DeviceIdForm::Bytes(_) => "text",
            };
            facts.seen("protocol.base64_device_id", form, at);
            if let Some(locale) = line.locale {
                facts.seen("protocol.locale", i64::from(locale), at);
            }
        } else {
            plain(seen.exchange.request.query(), at, facts);
        }
        self.key(seen, line, command, facts);
        let headers = &seen.exchange.request.headers;
        if let Some(kind) = headers.get("Content-Type").filter(|kind| kind.contains("ms-sync")) {
            facts.seen("protocol.content_type", kind.to_owned(), at);
        }
        if command == Command::ItemOperations {
            let asked = headers.get(names::ACCEPT_MULTIPART) == Some("T") || line.accept_multipart == Some(true);
            facts.seen("protocol.multipart", asked, at);
        }
    }

    /// What stands for the key before there is one, and which commands leave it out.
    fn key(&mut self, seen: &Seen<'_>, line: &QueryLine, command: Command, facts: &mut Facts) {
        let header = || seen.exchange.request.headers.get(names::POLICY_KEY)?.trim().parse::<u32>().ok();
        let key = match line.form {
            QueryForm::Base64 => line.policy_key.map(|key| key.0),
            QueryForm::Plain => header(),
        };
        match key {
            // The device begins anew: its key is no longer good.
            _ if command == Command::Provision => self.has_key = false,
            Some(0) => facts.seen("protocol.empty_key", "zero", seen.at),
            Some(_) => {
                self.has_key = true;
                self.with_key.entry(command.name()).or_insert(seen.at);
            }
            None if self.has_key => drop(self.without_key.entry(command.name()).or_insert(seen.at)),
            // A Ping may leave the key out for good.
            None if command == Command::Ping => {}
            None => facts.seen("protocol.empty_key", "absent", seen.at),
        }
    }

    /// A device that sets up an account has no key.
    pub(super) fn begin_anew(&mut self) {
        self.has_key = false;
    }

    /// Whether any command was seen.
    pub(super) fn is_silent(&self) -> bool {
        self.spoken.is_empty()
    }

    /// What follows from everything that was seen.
    pub(super) fn row(&self, key: &str) -> Option<Row> {
        match key {
            "protocol.versions" => self.versions(),
            "protocol.pick" => self.pick(),
            "protocol.fallback" => self.fallback(),
            "protocol.policy_key_not_on" => self.not_on(),
            _ => None,
        }
    }

    /// Why a key has no row.
    pub(super) fn aside(&self, key: &str) -> Option<String> {
        let offers: BTreeSet<&Vec<Version>> = self.picks.iter().map(|(offer, ..)| offer).collect();
        match key {
            "protocol.pick" if !self.is_steady() => {
                Some("the device answered one and the same list with different versions".to_owned())
            }
            "protocol.pick" if !offers.is_empty() => {
                Some(format!("after {} of the server every rule picks the same", lists(offers.len())))
            }
            _ => None,
        }
    }

    /// The versions that were spoken, the preferred ones first; what else the device knows does not show.
    fn versions(&self) -> Option<Row> {
        let seen: Vec<String> =
            self.spoken.iter().map(|(version, at)| format!("exchange {} at {version}", at.0)).collect();
        let mut left: Vec<Version> = self.spoken.keys().rev().copied().collect();
        let mut versions = Vec::new();
        // A version that was picked stands before every other one of the same list.
        while !left.is_empty() {
            let beaten = |version: Version| {
                self.is_steady()
                    && self.picks.iter().any(|(offer, picked, _)| {
                        *picked != version
                            && offer.contains(&version)
                            && left.contains(picked)
                            && offer.contains(picked)
                    })
            };
            let next = left.iter().position(|version| !beaten(*version)).unwrap_or(0);
            versions.push(left.remove(next).to_string());
        }
        let list = self.picks.iter().map(|(offer, ..)| offer).max_by_key(|offer| offer.len());
        let offered = list.map(|offer| format!(", offered {}", words(offer))).unwrap_or_default();
        let evidence = format!("{}{offered}; others were not spoken", seen.join("; "));
        (!versions.is_empty()).then(|| Row { value: versions.into(), evidence, confidence: Confidence::Low })
    }

    /// Whether the same list was always answered with the same version.
    fn is_steady(&self) -> bool {
        self.picks
            .iter()
            .all(|(offer, picked, _)| self.picks.iter().all(|(other, also, _)| other != offer || also == picked))
    }

    /// The picks among versions that the device knows.
    fn common(&self) -> impl Iterator<Item = (Vec<Version>, Version, ExchangeNumber)> {
        self.picks.iter().filter(|(offer, picked, _)| offer.contains(picked)).map(|(offer, picked, at)| {
            let known = offer.iter().copied().filter(|version| self.spoken.contains_key(version)).collect();
            (known, *picked, *at)
        })
    }

    /// The one rule that explains every pick.
    fn pick(&self) -> Option<Row> {
        let (_, _, at) = self.common().next().filter(|_| self.is_steady())?;
        let highest = self.common().all(|(known, picked, _)| known.iter().max() == Some(&picked));
        let last = self.common().all(|(known, picked, _)| known.last() == Some(&picked));
        let (word, confidence) = match (highest, last) {
            (true, true) => return None,
            (true, false) => ("highest-common", Confidence::Med),
            (false, true) => ("last-exact-token", Confidence::Med),
            (false, false) => ("first-preferred", Confidence::Low),
        };
        let evidence = format!("exchange {}: the one rule that explains {} of servers", at.0, lists(self.picks.len()));
        Some(Row { value: word.into(), evidence, confidence })
    }

    /// What it spoke to a server that offered something else.
    fn fallback(&self) -> Option<Row> {
        let (offer, picked, at) = self.picks.iter().find(|(offer, picked, _)| !offer.contains(picked))?;
        let evidence = format!("exchange {}: the server offered {}", at.0, words(offer));
        Some(Row { value: picked.to_string().into(), evidence, confidence: Confidence::High })
    }

    /// Commands that never carried the key while there was one.
    fn not_on(&self) -> Option<Row> {
        let first = self.with_key.values().min()?;
        let left_out: Vec<_> = self.without_key.iter().filter(|(name, _)| !self.with_key.contains_key(*name)).collect();
        let value: Vec<String> = left_out.iter().map(|(name, _)| (**name).to_owned()).collect();
        let seen: Vec<String> = left_out.iter().map(|(name, at)| format!("exchange {} ({name})", at.0)).collect();
        let evidence = match seen.is_empty() {
            true => {
                let with: Vec<_> = self.with_key.keys().copied().collect();
                format!("exchange {} and after: the key was on {}", first.0, with.join(", "))
            }
            false => seen.join("; "),
        };
        Some(Row { value: value.into(), evidence, confidence: Confidence::High })
    }
}

/// Order and escaping of a plain query.
fn plain(query: &str, at: ExchangeNumber, facts: &mut Facts) {
    let known = ["Cmd", "User", "DeviceId", "DeviceType"];
    let order: Vec<String> = query
        .split('&')
        .filter_map(|pair| pair.split('=').next())
        .filter_map(|name| known.iter().find(|known| known.eq_ignore_ascii_case(name)))
        .map(|name| (*name).to_owned())
        .collect();
    if order.len() == known.len() {
        facts.seen("protocol.query_order", order, at);
    }
    if query.contains('@') || query.contains("%40") {
        facts.seen("protocol.escape", if query.contains('@') { "lenient" } else { "all" }, at);
    }
}

fn words(versions: &[Version]) -> String {
    versions.iter().map(Version::to_string).collect::<Vec<_>>().join(",")
}

fn lists(count: usize) -> String {
    if count == 1 { "the one list".to_owned() } else { format!("{count} lists") }
}

use core::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use url::Url;

use super::text::{Voice, is_word};
use super::{Kind, Pass, Scrubber};
use crate::escape::Escaped;
use crate::redact::REMOVED;
use crate::redact::query::{KNOWN, SECRET};
use crate::walk::{self, QueryField};

/// What stands for a host whose pseudonym is no host name.
const NOBODY: &str = "scrubbed.invalid";

impl Scrubber {
    /// The URL with another host, path and query.
    pub(super) fn url(&mut self, url: &Url) -> Url {
        let mut out = url.clone();
        self.note(url.username());
        // Both fail only for URLs that cannot hold credentials.
        let _ = out.set_username("");
        let _ = out.set_password(None);
        out.set_fragment(None);
        if let Some(host) = url.host_str() {
            let host = self.host(host);
            if out.set_host(Some(&host)).is_err() {
                let _ = out.set_host(Some(NOBODY));
            }
        }
        if url.cannot_be_a_base() {
            return Url::parse("invalid:").unwrap_or(out);
        }
        out.set_path(&self.path(url.path()));
        if let Some(query) = url.query() {
            out.set_query(Some(&self.query(query)));
        }
        out
    }

    /// A link in a text: its scheme stands.
    pub(super) fn link(&mut self, text: &str) -> String {
        let Some((scheme, rest)) = text.split_once("://") else {
            return match text.split_once('?') {
                Some((path, query)) => format!("{}?{}", self.path(path), self.query(query)),
                None => self.path(text),
            };
        };
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (rest, fragment) = rest.split_once('#').map_or((rest, None), |(rest, fragment)| (rest, Some(fragment)));
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        let authority = match authority.rsplit_once('@') {
            Some((user, host)) => {
                self.note(user);
                format!("{}@{}", self.replaced(Kind::Credential, user, Voice::Content), self.authority(host))
            }
            None => self.authority(authority),
        };
        let mut out = format!("{}://{authority}{}", self.text(scheme, Voice::Protocol), self.path(path));
        if let Some(query) = query {
            out.push('?');
            out.push_str(&self.query(query));
        }
        if let Some(fragment) = fragment {
            out.push('#');
            out.push_str(&self.percent(fragment, Voice::Content, Kind::Text));
        }
        out
    }

    /// A host with its port.
    pub(super) fn authority(&mut self, text: &str) -> String {
        match text.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => format!("{}:{port}", self.host(host)),
            _ => self.host(text),
        }
    }

    /// The pseudonym of a host: labels one by one; `autodiscover` and this machine's own names stand.
    pub(super) fn host(&mut self, host: &str) -> String {
        if let Ok(ip) = host.parse::<Ipv4Addr>() {
            return self.ipv4(ip);
        }
        if let Ok(ip) = host.trim_start_matches('[').trim_end_matches(']').parse::<Ipv6Addr>() {
            return self.ipv6(host, ip);
        }
        if host.eq_ignore_ascii_case("localhost") || self.domain_at(host) == Some(host.len()) {
            return host.to_owned();
        }
        let kept = host.char_indices().find_map(|(at, c)| {
            let behind = host.get(at.saturating_add(1)..)?;
            (c == '.' && self.domain_at(behind) == Some(behind.len())).then_some(at)
        });
        let (labels, domain) = host.split_at(kept.unwrap_or(host.len()));
        self.note(labels.rsplit_once('.').filter(|_| domain.is_empty()).map_or(labels, |(labels, _)| labels));
        let mut new = String::with_capacity(host.len());
        for label in labels.split_inclusive(|c| !is_word(c)) {
            let word = label.trim_end_matches(|c| !is_word(c));
            let stands = word.eq_ignore_ascii_case("autodiscover");
            new.push_str(&if stands { word.to_owned() } else { self.word(word) });
            new.push_str(label.get(word.len()..).unwrap_or_default());
        }
        new.push_str(domain);
        if self.pass == Pass::Replace {
            self.count(Kind::Host, &host.to_ascii_lowercase());
            self.enter(Kind::Host, host, &new);
        }
        new
    }

    fn ipv6(&mut self, text: &str, ip: Ipv6Addr) -> String {
        if ip.is_loopback() || self.pass == Pass::Learn {
            return text.to_owned();
        }
        self.count(Kind::Ip, &ip.to_string());
        let draws = self.salt.draws(u32::MAX, &ip.segments().map(u32::from));
        let digit = |(c, draw): (char, u32)| match c {
            _ if c.is_ascii_hexdigit() => char::from_digit(1 + draw % 9, 10).unwrap_or('1'),
            _ => c,
        };
        text.chars().zip(draws).map(digit).collect()
    }

    fn path(&mut self, path: &str) -> String {
        self.percent(path, Voice::Protocol, Kind::Text)
    }

    /// A text with `%XX` in it.
    pub(super) fn percent(&mut self, text: &str, voice: Voice, kind: Kind) -> String {
        let mut escaped = Escaped::read(text.as_bytes(), b'%');
        let mut out = text.as_bytes().to_vec();
        let new = std::str::from_utf8(&escaped.bytes).map(|inner| self.replaced(kind, inner, voice));
        match new {
            Ok(new) if new.len() == escaped.bytes.len() => escaped.bytes = new.into_bytes(),
            _ => self.fill(&mut escaped.bytes),
        }
        if !escaped.write(&mut out) {
            self.salt.fill(&mut out);
        }
        String::from_utf8(out).unwrap_or_else(|_| REMOVED.to_owned())
    }

    /// The query: base64 when it is base64 as a whole, else parameters.
    fn query(&mut self, query: &str) -> String {
        if let Some(new) = self.base64_query(query) {
            return new;
        }
        let parts: Vec<String> = query.split('&').map(|part| self.parameter(part)).collect();
        parts.join("&")
    }

    fn parameter(&mut self, part: &str) -> String {
        let Some((name, value)) = part.split_once('=') else {
            return self.percent(part, Voice::Content, Kind::Text);
        };
        let lower = name.to_ascii_lowercase();
        let value = match lower.as_str() {
            "deviceid" => {
                self.note(value);
                self.device(value)
            }
            "user" => {
                self.note(&String::from_utf8_lossy(&Escaped::read(value.as_bytes(), b'%').bytes));
                self.percent(value, Voice::Content, Kind::Address)
            }
            "cmd" if value.len() <= 24 && value.bytes().all(|b| b.is_ascii_alphabetic()) => value.to_owned(),
            "devicetype" => self.percent(value, Voice::Product, Kind::Text),
            "collectionid" | "itemid" | "longid" | "parentid" => self.percent(value, Voice::Id, Kind::Identifier),
            known if KNOWN.contains(&known) => self.percent(value, Voice::Protocol, Kind::Text),
            _ if SECRET.iter().any(|word| lower.contains(word)) => {
                self.count(Kind::Credential, value);
                REMOVED.to_owned()
            }
            _ => self.percent(value, Voice::Content, Kind::Text),
        };
        let known = KNOWN.contains(&lower.as_str()) || ["deviceid", "user"].contains(&lower.as_str());
        let secret = SECRET.iter().any(|word| lower.contains(word)) && lower.len() <= 24;
        let name = if known || secret { name.to_owned() } else { self.percent(name, Voice::Protocol, Kind::Text) };
        format!("{name}={value}")
    }

    /// The pseudonym of a device.
    pub(super) fn device(&mut self, id: &str) -> String {
        let new = self.percent(id, Voice::Content, Kind::Device);
        self.enter(Kind::Device, id, &new);
        new
    }

    /// A base64 query with its fields rewritten; `None` when it is none. A broken rest of its fields is filler.
    fn base64_query(&mut self, query: &str) -> Option<String> {
        let decoded = STANDARD.decode(query).map(|bytes| (bytes, true));
        let decoded = decoded.or_else(|_| STANDARD_NO_PAD.decode(query).map(|bytes| (bytes, false)));
        let (mut bytes, padded) = decoded.ok()?;
        if bytes.len() < 5 {
            return None;
        }
        let known = walk::query(&mut bytes, |field, value| self.field(field, value));
        if let Some(rest) = bytes.get_mut(known..) {
            self.fill(rest);
        }
        Some(if padded { STANDARD.encode(bytes) } else { STANDARD_NO_PAD.encode(bytes) })
    }

    fn field(&mut self, field: QueryField, value: &mut [u8]) {
        match field {
            QueryField::DeviceId => self.device_bytes(value),
            QueryField::PolicyKey => match <[u8; 4]>::try_from(&*value).map(u32::from_le_bytes) {
                Ok(0) => {}
                Ok(key) => {
                    self.count(Kind::PolicyKey, &key.to_string());
                    value.copy_from_slice(&self.salt.policy_key(key).to_le_bytes());
                }
                Err(_) => self.fill(value),
            },
            // A byte of flags (MS-ASHTTP 2.2.1.1.1.1.3, Options).
            QueryField::Parameter(7) if value.len() <= 1 => {}
            QueryField::DeviceType => self.field_text(value, Voice::Product, Kind::Text),
            QueryField::Parameter(1 | 3..=6) => self.field_text(value, Voice::Id, Kind::Identifier),
            QueryField::Parameter(8) => {
                self.note(&String::from_utf8_lossy(value));
                self.field_text(value, Voice::Content, Kind::Address);
            }
            QueryField::Parameter(_) => self.field_text(value, Voice::Content, Kind::Text),
        }
    }

    fn field_text(&mut self, value: &mut [u8], voice: Voice, kind: Kind) {
        self.with_text(value, Some("utf-8"), kind, |scrubber, text| scrubber.text(text, voice));
    }

    /// A device id in a packed query: text, or the bytes whose hexadecimal digits other places have.
    fn device_bytes(&mut self, value: &mut [u8]) {
        let text = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|b| b.is_ascii_graphic()));
        let (before, packed) = match text {
            Some(text) => (text.to_owned(), false),
            None => (value.iter().map(|byte| format!("{byte:02x}")).collect(), true),
        };
        self.note(&before);
        let new = self.device(&before);
        let bytes = if packed { unpacked(&new) } else { Some(new.into_bytes()) };
        match bytes.filter(|bytes| bytes.len() == value.len()) {
            Some(bytes) => value.copy_from_slice(&bytes),
            None => self.salt.device_bytes(value),
        }
    }
}

/// The bytes of hexadecimal digits.
fn unpacked(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(byte).collect::<Option<Vec<u8>>>().filter(|_| rest.is_empty())
}

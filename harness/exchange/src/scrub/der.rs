use core::ops::Range;

use super::text::Voice;
use super::{Kind, Pass, Scrubber, vocabulary};

/// How deep a certificate may be nested.
const MAX_DEPTH: usize = 16;

/// How many issuers that stand are named in the end.
const MAX_ISSUERS: usize = 64;

/// A tag whose value stands whatever it is: NULL.
const STANDS: u8 = 0x05;

const SEQUENCE: u8 = 0x30;

/// The object id of O, organizationName (2.5.4.10), and that of CN, commonName.
const ORGANISATION: [u8; 3] = [0x55, 4, 10];
const COMMON_NAME: [u8; 3] = [0x55, 4, 3];

impl Scrubber {
    /// Rewrites the certificates of a chain in place, as [`Scrubber::certificate`] does. The name of an issuer that everybody
    /// knows stands, so that it can be told afterwards which devices trust the chain; so does the same name as the subject
    /// of another certificate of the chain.
    pub(super) fn chain(&mut self, chain: &mut [Vec<u8>]) {
        let public: Vec<Vec<u8>> = chain
            .iter()
            .filter_map(|der| Some(der.get(names(der)?.issuer)?.to_vec()))
            .filter(|name| self.is_public(name))
            .collect();
        for der in chain {
            let found: Vec<Range<usize>> =
                names(der).into_iter().flat_map(|names| [names.issuer, names.subject]).collect();
            let standing: Vec<Range<usize>> = found
                .into_iter()
                .filter(|range| der.get(range.clone()).is_some_and(|name| public.iter().any(|known| known == name)))
                .collect();
            let mut tag = |range: &Range<usize>, tag: u8| {
                if let Some(first) = der.get_mut(range.start) {
                    *first = tag;
                }
            };
            standing.iter().for_each(|range| tag(range, STANDS));
            self.certificate(der);
            for range in standing {
                if let Some(name) = der.get_mut(range) {
                    if let Some(first) = name.first_mut() {
                        *first = SEQUENCE;
                    }
                    self.public_name(name);
                }
            }
        }
    }

    /// The issuers that stand, by organisation and name; at most 64 of them.
    pub fn issuers(&self) -> impl Iterator<Item = &str> {
        self.issuers.iter().map(String::as_str)
    }

    /// Whether a name is that of a company whose roots are on many devices.
    fn is_public(&self, name: &[u8]) -> bool {
        let known = |value: &[u8]| std::str::from_utf8(value).is_ok_and(|value| self.is_company(value));
        attributes(name).any(|(kind, value)| kind == ORGANISATION && name.get(value).is_some_and(known))
    }

    fn is_company(&self, organisation: &str) -> bool {
        let mut own = self.companies.iter();
        vocabulary::public_issuers().any(|company| begins_with(organisation, company))
            || own.any(|company| begins_with(organisation, company))
    }

    /// What else stands in the name of a company, as the names of its customers, is looked through for names of the capture.
    fn public_name(&mut self, name: &mut [u8]) {
        let found: Vec<(Vec<u8>, Range<usize>)> =
            attributes(name).map(|(kind, value)| (kind.to_vec(), value)).collect();
        let mut told = Vec::new();
        for (kind, range) in found {
            let Some(value) = name.get_mut(range) else { continue };
            match std::str::from_utf8(value).map(str::to_owned) {
                Ok(text) if self.is_company(&text) => {}
                Ok(text) => {
                    let new = self.replaced(Kind::Text, &text, Voice::Product);
                    if new.len() == value.len() {
                        value.copy_from_slice(new.as_bytes());
                    } else {
                        self.fill(value);
                    }
                }
                Err(_) => self.fill(value),
            }
            if kind == ORGANISATION || kind == COMMON_NAME {
                told.push(String::from_utf8_lossy(value).into_owned());
            }
        }
        if self.pass == Pass::Replace && self.issuers.len() < MAX_ISSUERS {
            told.dedup();
            self.issuers.insert(told.join(", "));
        }
    }

    /// Rewrites a certificate in place: names become pseudonyms, keys, serial numbers and signatures filler; object ids,
    /// times and structure stand. It is no valid certificate afterwards.
    fn certificate(&mut self, der: &mut [u8]) {
        if self.pass == Pass::Replace {
            self.count_bytes(Kind::Certificate, der);
        }
        if !is_der(der, 0) {
            return self.noise(der);
        }
        self.der(der, 0);
    }

    fn der(&mut self, mut bytes: &mut [u8], depth: usize) {
        while let Some((tag, head, length)) = element(bytes) {
            let (this, rest) = bytes.split_at_mut(head.saturating_add(length));
            let value = this.get_mut(head..).unwrap_or_default();
            bytes = rest;
            self.element_value(tag, value, depth);
        }
        self.noise(bytes);
    }

    fn element_value(&mut self, tag: u8, value: &mut [u8], depth: usize) {
        match tag {
            // BOOLEAN, NULL, OBJECT IDENTIFIER, ENUMERATED, UTCTime, GeneralizedTime.
            0x01 | 0x05 | 0x06 | 0x0A | 0x17 | 0x18 => {}
            // A version or an exponent is short; a serial number and a modulus are not.
            0x02 if value.len() <= 3 => {}
            0x02 => self.noise(value),
            _ if tag & 0x20 != 0 && depth < MAX_DEPTH => self.der(value, depth.saturating_add(1)),
            // A key inside a BIT STRING stands behind a count of unused bits, an extension is an OCTET STRING.
            0x03 => match value.split_first_mut() {
                Some((_, inner)) if inner.len() > 2 => self.inner(inner, depth),
                _ => {}
            },
            0x04 => self.inner(value, depth),
            // UTF8String, NumericString, PrintableString, T61String, IA5String, VisibleString; names of an extension: mail, host, URI.
            0x0C | 0x12..=0x14 | 0x16 | 0x1A | 0x81 | 0x82 | 0x86 => self.name(value),
            // BMPString.
            0x1E => self
                .with_text(value, Some("utf-16be"), Kind::Text, |scrubber, text| scrubber.text(text, Voice::Content)),
            _ => self.noise(value),
        }
    }

    fn inner(&mut self, value: &mut [u8], depth: usize) {
        if depth < MAX_DEPTH && is_der(value, depth) {
            self.der(value, depth.saturating_add(1))
        } else {
            self.noise(value)
        }
    }

    fn name(&mut self, value: &mut [u8]) {
        let host =
            std::str::from_utf8(value).ok().filter(|text| text.contains('.') && !text.contains([' ', '@', '/', ':']));
        match host.map(|host| self.host(host)) {
            Some(host) if host.len() == value.len() => value.copy_from_slice(host.as_bytes()),
            _ => self.content(value, None, Kind::Text),
        }
    }

    /// Fills with bytes that say nothing; the first bit stays zero, so that a number stays positive.
    fn noise(&mut self, bytes: &mut [u8]) {
        if self.pass == Pass::Replace {
            self.salt.device_bytes(bytes);
            if let Some(first) = bytes.first_mut() {
                *first = (*first & 0x7F) | 1;
            }
        }
    }
}

/// Where the names of a certificate stand, with their heads.
struct Names {
    issuer: Range<usize>,
    subject: Range<usize>,
}

/// The names of a certificate (RFC 5280 4.1): behind version, serial number and algorithm, and behind the times.
fn names(der: &[u8]) -> Option<Names> {
    if !is_der(der, 0) {
        return None;
    }
    let whole = inside(der, 0..der.len())?;
    let fields = inside(der, whole)?;
    let mut fields = elements(der, fields).skip_while(|(tag, _)| *tag == 0xA0);
    let (_serial, _algorithm) = (fields.next()?, fields.next()?);
    let (issuer, _times, subject) = (fields.next()?, fields.next()?, fields.next()?);
    (issuer.0 == SEQUENCE && subject.0 == SEQUENCE).then_some(Names { issuer: issuer.1, subject: subject.1 })
}

/// The attributes of a name: object id and where the value stands.
fn attributes(name: &[u8]) -> impl Iterator<Item = (&[u8], Range<usize>)> {
    let sets = inside(name, 0..name.len()).into_iter().flat_map(|range| elements(name, range));
    let pairs = sets.filter_map(|(_, set)| inside(name, set)).flat_map(|range| elements(name, range));
    pairs.filter_map(|(_, pair)| {
        let mut parts = elements(name, inside(name, pair)?);
        let (kind, value) = (parts.next()?, parts.next()?);
        // UTF8String, PrintableString, T61String, IA5String.
        let text = matches!(value.0, 0x0C | 0x13 | 0x14 | 0x16);
        (kind.0 == 0x06 && text).then_some((name.get(inside(name, kind.1)?)?, inside(name, value.1)?))
    })
}

/// The elements of a range, with their heads.
fn elements(bytes: &[u8], range: Range<usize>) -> impl Iterator<Item = (u8, Range<usize>)> {
    let mut at = range.start;
    std::iter::from_fn(move || {
        let (tag, head, length) = element(bytes.get(at..range.end)?)?;
        let begin = at;
        at = begin.saturating_add(head).saturating_add(length);
        Some((tag, begin..at))
    })
}

/// The value of the first element of a range.
fn inside(bytes: &[u8], range: Range<usize>) -> Option<Range<usize>> {
    let (_, head, length) = element(bytes.get(range.clone())?)?;
    let begin = range.start.checked_add(head)?;
    Some(begin..begin.checked_add(length)?)
}

/// Whether a name begins with that of a company and a word ends there. Case and punctuation do not count: `VeriSign, Inc.`
/// is Verisign.
fn begins_with(name: &str, company: &str) -> bool {
    let mut rest = name.chars();
    let letters = company.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
    for wanted in letters {
        let next = rest.by_ref().find(|c| c.is_alphanumeric());
        if next.is_none_or(|next| !next.to_lowercase().eq([wanted])) {
            return false;
        }
    }
    !company.is_empty() && rest.next().is_none_or(|c| !c.is_alphanumeric())
}

/// Whether these bytes are whole elements.
fn is_der(bytes: &[u8], depth: usize) -> bool {
    let mut rest = bytes;
    while let Some((tag, head, length)) = element(rest) {
        let Some((this, behind)) = rest.split_at_checked(head.saturating_add(length)) else { return false };
        let inner = this.get(head..).unwrap_or_default();
        if tag & 0x20 != 0 && !inner.is_empty() && (depth >= MAX_DEPTH || !is_der(inner, depth.saturating_add(1))) {
            return false;
        }
        rest = behind;
    }
    rest.is_empty() && !bytes.is_empty()
}

/// Tag, bytes of the head and length of the element that begins here and fits.
fn element(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (tag, length) = (*bytes.first()?, *bytes.get(1)?);
    // Tags of several bytes stand in no certificate.
    if tag & 0x1F == 0x1F {
        return None;
    }
    let (head, length) = match length {
        0..=0x7F => (2, usize::from(length)),
        0x81..=0x83 => {
            let count = usize::from(length & 0x7F);
            let number = bytes.get(2..count.checked_add(2)?)?;
            let length = number.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
            (count.checked_add(2)?, length)
        }
        _ => return None,
    };
    (head.checked_add(length)? <= bytes.len()).then_some((tag, head, length))
}

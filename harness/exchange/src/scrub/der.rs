use super::text::Voice;
use super::{Kind, Pass, Scrubber};

/// How deep a certificate may be nested.
const MAX_DEPTH: usize = 16;

impl Scrubber {
    /// Rewrites a certificate in place: names become pseudonyms, keys, serial numbers and signatures filler; object ids,
    /// times and structure stand. It is no valid certificate afterwards.
    pub(super) fn certificate(&mut self, der: &mut [u8]) {
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

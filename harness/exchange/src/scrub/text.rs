use core::net::Ipv4Addr;

use super::charset::Charset;
use super::{Kind, MAX_READY, Pass, Scrubber, phone, pseudonym, vocabulary};

/// The longest number that stands in protocol texts: sizes, counts, short ids.
const LONGEST_NUMBER: usize = 9;

/// Longer numbers that stand in protocol texts: how policies write "without limit".
const LIMITS: [&str; 2] = ["2147483647", "4294967295"];

/// Where an address is given up, in bytes: the longest that mail allows.
const LONGEST_ADDRESS: usize = 320;

/// How a text is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voice {
    /// People's own: every word is replaced.
    Content,
    /// Words of the protocols, short numbers and dates stand.
    Protocol,
    /// Ids: short numbers and dates stand.
    Id,
    /// Words of a maker: all stand but names, addresses and long numbers.
    Product,
}

impl Scrubber {
    /// A text with its words replaced, counted as `kind` when something was.
    pub(super) fn replaced(&mut self, kind: Kind, text: &str, voice: Voice) -> String {
        let new = self.text(text, voice);
        if new != text {
            self.count(kind, text);
        }
        new
    }

    /// A text of the same length with its words replaced.
    pub(super) fn text(&mut self, text: &str, voice: Voice) -> String {
        if voice != Voice::Content && is_number_or_date(text) {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        let mut begins = true;
        let mut before = None;
        // Up to where a token reaches that is an address or a host, and so no protocol.
        let mut named = 0;
        while let Some(first) = rest.chars().next() {
            if !is_word(first) {
                out.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
                begins = !"@._-+".contains(first);
                before = Some(first);
                if let Some(length) = self.domain_at(rest).filter(|_| matches!(first, '@' | '.')) {
                    let (domain, behind) = rest.split_at(length);
                    out.push_str(domain);
                    rest = behind;
                }
                continue;
            }
            if begins {
                let token = token(rest);
                if let Ok(ip) = token.parse::<Ipv4Addr>()
                    && self.is_host(ip, voice)
                {
                    out.push_str(&self.ipv4(ip));
                    rest = rest.get(token.len()..).unwrap_or_default();
                    begins = false;
                    continue;
                }
                if is_address(token) {
                    self.address(token);
                    named = out.len().saturating_add(token.len());
                } else if voice == Voice::Content
                    && let Some(length) = self.domain_at(rest)
                {
                    let (domain, behind) = rest.split_at(length);
                    out.push_str(domain);
                    rest = behind;
                    begins = false;
                    continue;
                }
            }
            begins = false;
            if voice == Voice::Content
                && out.len() >= named
                && let Some((digits, length)) = phone::telephone(rest, before)
            {
                let (number, behind) = rest.split_at(length);
                out.push_str(&phone::spelled(number, &self.word(&digits)));
                rest = behind;
                continue;
            }
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            rest = behind;
            if out.len() >= named && self.stands(word, voice) {
                out.push_str(word);
            } else {
                let word = self.word(word);
                out.push_str(&word);
            }
        }
        out
    }

    fn stands(&self, word: &str, voice: Voice) -> bool {
        let lower = word.to_ascii_lowercase();
        let number = word.bytes().all(|b| b.is_ascii_digit());
        match voice {
            Voice::Content => vocabulary::is_scheme(&lower),
            Voice::Id => number && word.len() <= LONGEST_NUMBER,
            Voice::Protocol => {
                if number {
                    word.len() <= LONGEST_NUMBER
                } else {
                    vocabulary::is_protocol(&lower)
                }
            }
            Voice::Product => {
                let long = word.bytes().filter(u8::is_ascii_digit).count() > LONGEST_NUMBER;
                !long && word.is_ascii() && !self.names.contains(&lower)
            }
        }
    }

    /// The pseudonym of a word.
    pub(super) fn word(&mut self, word: &str) -> String {
        if self.pass == Pass::Learn {
            return word.to_owned();
        }
        if let Some(ready) = self.ready.get(word) {
            return ready.clone();
        }
        let new = pseudonym::word(&self.salt, word);
        if word.len() <= 32 {
            if self.ready.len() >= MAX_READY {
                self.ready.clear();
            }
            self.ready.insert(word.to_owned(), new.clone());
        }
        new
    }

    /// Counts an address and takes note of it.
    fn address(&mut self, token: &str) {
        let (local, domain) = token.split_once('@').unwrap_or((token, ""));
        let labels = domain.rsplit_once('.').map_or("", |(labels, _)| labels);
        if self.pass == Pass::Learn {
            self.note(local);
            if self.domain_at(domain).is_none() {
                self.note(labels);
            }
        } else {
            self.count(Kind::Address, &token.to_lowercase());
            if self.pseudonyms.is_some() {
                let pieces: Vec<String> = token.split_inclusive(|c| !is_word(c)).map(|p| self.piece(p)).collect();
                let kept = self.domain_at(domain).is_some();
                let new = pieces.concat();
                let new = if kept { format!("{}@{domain}", new.split('@').next().unwrap_or("")) } else { new };
                self.enter(Kind::Address, token, &new);
            }
        }
    }

    /// A word with the sign behind it.
    fn piece(&mut self, piece: &str) -> String {
        let word = piece.trim_end_matches(|c| !is_word(c));
        format!("{}{}", self.word(word), piece.get(word.len()..).unwrap_or_default())
    }

    /// The length of a domain that stands, when `text` begins with one and it ends there.
    pub(super) fn domain_at(&self, text: &str) -> Option<usize> {
        let fits = |domain: &&String| {
            let same = text.get(..domain.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(domain));
            let mut behind = text.get(domain.len()..).unwrap_or_default().chars();
            let ends = match behind.next() {
                Some('.') => !behind.next().is_some_and(is_word),
                Some(c) => !is_word(c) && c != '-' && c != '@',
                None => true,
            };
            same && ends
        };
        self.domains.iter().find(fits).map(String::len)
    }

    /// Whether four numbers are the address of a host, and no version.
    fn is_host(&self, ip: Ipv4Addr, voice: Voice) -> bool {
        voice == Voice::Content || ip.is_private() || ip.is_loopback() || self.names.contains(&ip.to_string())
    }

    /// Another address whose numbers have as many digits; that of the machine itself says nothing and stands.
    pub(super) fn ipv4(&mut self, ip: Ipv4Addr) -> String {
        let text = ip.to_string();
        if ip.is_loopback() {
            return text;
        }
        if self.pass == Pass::Learn {
            self.names.insert(text.clone());
            return text;
        }
        self.count(Kind::Ip, &text);
        let parts = ip.octets().map(u32::from);
        let draws = self.salt.draws(u32::MAX, &parts);
        let numbers: Vec<String> = parts
            .iter()
            .zip(draws)
            .map(|(part, draw)| match part {
                0..=9 => (1 + draw % 9).to_string(),
                10..=99 => (10 + draw % 90).to_string(),
                _ => (100 + draw % 124).to_string(),
            })
            .collect();
        let new = numbers.join(".");
        self.enter(Kind::Ip, &text, &new);
        new
    }

    /// A text in bytes, rewritten in place; what is no text becomes filler.
    pub(super) fn content(&mut self, bytes: &mut [u8], charset: Option<&str>, kind: Kind) {
        self.with_text(bytes, charset, kind, |scrubber, text| scrubber.text(text, Voice::Content));
    }

    /// Rewrites bytes that are a text in a charset; what is none becomes filler.
    pub(super) fn with_text(
        &mut self,
        bytes: &mut [u8],
        charset: Option<&str>,
        kind: Kind,
        change: impl FnOnce(&mut Self, &str) -> String,
    ) {
        if bytes.is_empty() {
            return;
        }
        // A text that was cut may end inside a character.
        let whole = match std::str::from_utf8(bytes) {
            Err(error) if error.error_len().is_none() && charset.is_none_or(is_utf8) => error.valid_up_to(),
            _ => bytes.len(),
        };
        let (text, rest) = bytes.split_at_mut(whole);
        let charset = Charset::of(charset, text);
        let decoded =
            charset.decode(text).filter(|decoded| !decoded.contains("\nbegin ") && !decoded.starts_with("begin "));
        let Some(decoded) = decoded else { return self.fill(bytes) };
        let changed = change(self, &decoded);
        if changed != decoded {
            self.count(kind, &decoded);
            match charset.encode(&changed).filter(|changed| changed.len() == text.len()) {
                Some(changed) => text.copy_from_slice(&changed),
                None => self.salt.fill(text),
            }
        }
        if !rest.is_empty() {
            self.salt.fill(rest);
        }
    }

    /// Overwrites what is no text.
    pub(super) fn fill(&mut self, bytes: &mut [u8]) {
        if !bytes.is_empty() {
            self.count_bytes(Kind::Bytes, bytes);
            self.salt.fill(bytes);
        }
    }

    /// Overwrites a credential.
    pub(super) fn stars(&mut self, bytes: &mut [u8]) {
        if bytes.iter().any(|byte| *byte != b'*') {
            self.note(&String::from_utf8_lossy(bytes));
            self.count_bytes(Kind::Credential, bytes);
            bytes.fill(b'*');
        }
    }
}

fn is_utf8(charset: &str) -> bool {
    charset.eq_ignore_ascii_case("utf-8")
}

/// Whether a character belongs to a word: punctuation that every language shares does not.
pub(super) fn is_word(c: char) -> bool {
    let sign = matches!(u32::from(c), 0xA0 | 0x2000..=0x206F | 0x3000..=0x303F | 0xFEFF);
    c.is_ascii_alphanumeric() || (!c.is_ascii() && !sign)
}

/// What stands up to the next blank or bracket; nothing when that is far away.
fn token(text: &str) -> &str {
    let ends = |c: char| c.is_whitespace() || "<>()[]{}\",;:/\\?&=|'*`".contains(c);
    let near = text.get(..text.floor_char_boundary(LONGEST_ADDRESS)).unwrap_or(text);
    let token = match near.find(ends) {
        Some(end) => near.get(..end).unwrap_or_default(),
        None if near.len() == text.len() => near,
        None => "",
    };
    token.trim_end_matches(['.', '!', '-'])
}

fn is_address(token: &str) -> bool {
    token.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.starts_with(is_word))
}

/// A date of the standard (`2024-01-01T00:00:00.000Z`, `20240101T000000Z`), or a number of a few digits.
pub(super) fn is_number_or_date(text: &str) -> bool {
    let text = text.trim();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b"TZ:.-".contains(&b));
    let years = text.starts_with("19") || text.starts_with("20") || text.starts_with("16") || text.starts_with("0001");
    let date = (14..=17).contains(&digits) && text.contains('T') || (digits == 8 && text.matches('-').count() == 2);
    let number = digits == text.len() && (digits <= LONGEST_NUMBER || LIMITS.contains(&text));
    plain && (number || years && date && text.len() <= 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubber() -> Scrubber {
        Scrubber::new([5; 32]).keep_domain("kept.example")
    }

    #[test]
    fn a_person_is_the_same_in_a_name_an_address_and_another_case() {
        let mut scrubber = scrubber();
        let full = scrubber.text("\"Bob Miller\" <bob.MILLER@corp.example>", Voice::Content);
        let (name, address) = full.split_once('<').unwrap();
        let words =
            |text: &str| text.to_lowercase().split(|c: char| !is_word(c)).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(name)[1..3], words(address)[..2], "{full}");
        assert_ne!(words(name)[1], "bob");
        assert_eq!(full.len(), "\"Bob Miller\" <bob.MILLER@corp.example>".len());
    }

    #[test]
    fn a_domain_to_keep_stands_where_it_is_one() {
        let mut scrubber = scrubber();
        for stands in ["bob@kept.example", "see mail.kept.example, please", "https://kept.example/x", "kept.example"] {
            let new = scrubber.text(stands, Voice::Content);
            assert!(new.contains("kept.example") && (new != stands || stands == "kept.example"), "{new}");
        }
        for goes in ["kept.example.evil.test", "nkept.example", "bob.kept.example@x.test", "kept.example-corp.test"] {
            assert!(!scrubber.text(goes, Voice::Content).contains("kept.example"), "{goes}");
        }
    }

    #[test]
    fn protocol_stands_and_what_is_none_goes() {
        let mut scrubber = scrubber();
        for stands in ["IPM.Note.SMIME.MultipartSigned", "text/plain", "Mon, 01 Jan 2024 00:00:00 GMT", "14.1,16.1"] {
            assert_eq!(scrubber.text(stands, Voice::Protocol), stands);
        }
        assert_eq!(scrubber.text("{4b7d}42", Voice::Id).get(5..), Some("}42"));
        assert_eq!(scrubber.text("2024-01-01T00:00:00.000Z", Voice::Id), "2024-01-01T00:00:00.000Z");
        assert_ne!(scrubber.text("IPM.Note.Acme", Voice::Protocol), "IPM.Note.Acme");
        assert_ne!(scrubber.text("+49 151 2345678", Voice::Protocol), "");
        assert!(!is_number_or_date("4915123456789") && !is_number_or_date("+49 151 2345678"));
    }

    #[test]
    fn a_telephone_number_is_the_same_in_every_spelling() {
        let mut scrubber = scrubber();
        let mut number = |text: &str| {
            let new = scrubber.text(text, Voice::Content);
            let form = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
            assert_eq!(form(&new), form(text));
            let digits: String = new.replace("(0)", "").chars().filter(char::is_ascii_digit).collect();
            digits
        };
        let national = number("Tel. (030) 1234");
        let national = national.strip_prefix('0').unwrap();
        assert_ne!(national, "301234");
        for spelling in ["+49 30 1234", "0049301234", "+49 (0)30 12-34", "tel:+49-30-1234", "030/12 34"] {
            let spelled = number(spelling);
            assert!(spelled.ends_with(national), "{spelling}: {spelled} does not end with {national}");
        }
        assert_eq!(number("0049 30 1234"), format!("00{}", number("+49301234")));
        assert!(!number("+49 40 1234").ends_with(national));
        assert_eq!(number("(555) 123-4567"), number("5551234567"));
    }

    #[test]
    fn an_address_is_the_same_however_it_is_written() {
        let mut scrubber = scrubber();
        let plain = scrubber.text("bob.miller@corp.example", Voice::Content);
        for form in [
            "Bob.Miller@CORP.example",
            "<bob.miller@corp.example>",
            "SMTP:BOB.MILLER@Corp.Example",
            "'bob.miller@corp.example' <BOB.Miller@corp.example>",
        ] {
            let new = scrubber.text(form, Voice::Content).to_lowercase();
            assert_eq!(new.matches(&plain).count(), form.matches('@').count(), "{form}: {new}");
        }
        let name = scrubber.text("Miller, Bob (Corp)", Voice::Content).to_lowercase();
        let words: Vec<&str> = plain.split(['.', '@']).collect();
        assert!(name.starts_with(words[1]) && name.contains(words[0]) && name.contains(words[2]), "{name} {plain}");
    }

    #[test]
    fn addresses_of_hosts_stay_such() {
        let mut scrubber = scrubber();
        let new = scrubber.text("from 192.168.1.20:443", Voice::Content);
        let ip = new.split(' ').nth(1).unwrap().split(':').next().unwrap();
        assert!(ip.parse::<Ipv4Addr>().is_ok() && ip != "192.168.1.20", "{new}");
        assert_eq!(scrubber.text("127.0.0.1", Voice::Content).split('.').next(), Some("127"));
    }
}

use easrig_eas::{
    Version,
    command::{BodyPartPreference, BodyPreference},
};

use super::View;
use crate::{Note, Switch, Switches};

/// How a client wants an item.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) version: Version,
    /// From 12.0.
    pub(crate) preferences: &'a [BodyPreference],
    /// From 14.1.
    pub(crate) part: Option<&'a BodyPartPreference>,
    /// 0 never, 1 signed and encrypted messages only, 2 all messages as MIME.
    pub(crate) mime_support: u32,
    /// The cut of bodies in 2.5.
    pub(crate) truncation: Option<u32>,
    /// The cut of MIME in 2.5.
    pub(crate) mime_truncation: Option<u32>,
    pub(crate) switches: &'a Switches,
}

/// A body as it goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) body_type: u32,
    /// The size of the whole, in bytes.
    pub(crate) whole: usize,
    pub(crate) truncated: bool,
    /// Missing when all or none was asked for and all is too much.
    pub(crate) data: Option<Vec<u8>>,
    pub(crate) preview: Option<String>,
}

const TEXT: u32 = 1;
const HTML: u32 = 2;
const MIME: u32 = 4;

impl Wanted<'_> {
    /// The body of a message in the best form the client takes (MS-ASAIRS 2.2.2.12).
    pub(crate) fn mail_body(&self, view: &View<'_>, mime: &[u8]) -> Body {
        let native = if view.is_html() { HTML } else { TEXT };
        let as_mime = self.mime_support == 2 || (self.mime_support == 1 && view.is_smime());
        let mime_wanted = self.preferences.iter().find(|one| one.body_type == MIME);
        if (as_mime && mime_wanted.is_some()) || self.switches.has(Switch::MimeAlways) {
            let none = BodyPreference { body_type: MIME, ..BodyPreference::default() };
            return self.fit(mime_wanted.unwrap_or(&none), mime, view.text());
        }
        let data = |body_type| match body_type {
            HTML => view.html(),
            _ => view.text(),
        };
        self.best(native, data, || view.text())
    }

    /// The text of an appointment, contact, task or note.
    pub(crate) fn note_body(&self, note: &Note) -> Body {
        let html = note.body_type == HTML;
        let data = |body_type| match (body_type, html) {
            (HTML, false) => mail_parser::decoders::html::text_to_html(&note.data),
            (TEXT, true) => mail_parser::decoders::html::html_to_text(&note.data),
            _ => note.data.clone(),
        };
        self.best(if html { HTML } else { TEXT }, data, || data(TEXT))
    }

    /// The first preference that can be met, the native type before others; without any, the native type whole.
    fn best(&self, native: u32, data: impl Fn(u32) -> String, text: impl Fn() -> String) -> Body {
        let mut fitting: Vec<&BodyPreference> =
            self.preferences.iter().filter(|one| matches!(one.body_type, TEXT | HTML)).collect();
        fitting.sort_by_key(|one| one.body_type != native);
        let fallback = BodyPreference { body_type: native, ..BodyPreference::default() };
        if self.switches.has(Switch::BodyTypeIgnored) {
            return self.fit(&fallback, data(native).as_bytes(), text());
        }
        let whole = |one: &BodyPreference| {
            let most = one.truncation_size.map_or(usize::MAX, |most| most as usize);
            one.all_or_none != Some(true) || data(one.body_type).len() <= most
        };
        let chosen = fitting.iter().find(|one| whole(one)).or(fitting.first()).copied().unwrap_or(&fallback);
        if self.switches.has(Switch::HtmlFlattened) {
            let flat = BodyPreference { body_type: TEXT, ..chosen.clone() };
            return self.fit(&flat, data(TEXT).as_bytes(), text());
        }
        self.fit(chosen, data(chosen.body_type).as_bytes(), text())
    }

    fn fit(&self, preference: &BodyPreference, data: &[u8], text: String) -> Body {
        let most = match preference.truncation_size {
            Some(most) if !self.switches.has(Switch::TruncationIgnored) => most as usize,
            _ => usize::MAX,
        };
        let truncated = data.len() > most;
        let preview = preference.preview.filter(|_| self.version >= Version::V14_0);
        Body {
            body_type: preference.body_type,
            whole: data.len(),
            truncated: truncated && !self.switches.has(Switch::TruncatedFlagMissing),
            data: match truncated && preference.all_or_none == Some(true) {
                true => None,
                false => Some(cut_at(data, most).to_vec()),
            },
            preview: preview.map(|most| text.chars().take(most.min(255) as usize).collect()),
        }
    }
}

/// The first `most` bytes, without the half of a UTF-8 character at the end.
pub(crate) fn cut_at(data: &[u8], most: usize) -> &[u8] {
    let Some(mut head) = data.get(..most) else { return data };
    if data.get(most).is_some_and(|byte| byte & 0xC0 == 0x80) {
        while let [rest @ .., last] = head {
            head = rest;
            if last & 0xC0 != 0x80 {
                break;
            }
        }
    }
    head
}

/// The bytes of text that `Truncation` allows in 2.5; `None` is all of it.
pub(crate) fn old_text_limit(truncation: Option<u32>) -> Option<usize> {
    const LIMITS: [usize; 9] = [0, 512, 1024, 2048, 5120, 10240, 20480, 51200, 102_400];
    truncation.and_then(|number| LIMITS.get(number as usize).copied())
}

/// The bytes of MIME that `MIMETruncation` allows; `None` is all of it.
pub(crate) fn old_mime_limit(truncation: Option<u32>) -> Option<usize> {
    const LIMITS: [usize; 8] = [0, 4096, 5120, 7168, 10240, 20480, 51200, 102_400];
    truncation.and_then(|number| LIMITS.get(number as usize).copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: &[u8] = b"Subject: x\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>rich text</p>\r\n--b--\r\n";

    fn wanted<'a>(preferences: &'a [BodyPreference], mime_support: u32, switches: &'a Switches) -> Wanted<'a> {
        Wanted {
            version: Version::V14_1,
            preferences,
            part: None,
            mime_support,
            truncation: None,
            mime_truncation: None,
            switches,
        }
    }

    fn preference(body_type: u32, truncation_size: Option<u32>, all_or_none: Option<bool>) -> BodyPreference {
        BodyPreference { body_type, truncation_size, all_or_none, preview: None }
    }

    fn body(preferences: &[BodyPreference], mime_support: u32) -> Body {
        let switches = Switches::default();
        wanted(preferences, mime_support, &switches).mail_body(&View::parse(BOTH).unwrap(), BOTH)
    }

    #[test]
    fn the_native_type_is_preferred_and_the_other_one_is_converted() {
        assert_eq!(body(&[preference(1, None, None), preference(2, None, None)], 0).body_type, HTML);
        let text = body(&[preference(1, None, None)], 0);
        assert_eq!((text.body_type, text.data.as_deref()), (TEXT, Some(&b"plain"[..])));
    }

    #[test]
    fn mime_needs_both_the_preference_and_the_support() {
        assert_eq!(body(&[preference(4, None, None)], 2).body_type, MIME);
        assert_eq!(body(&[preference(4, None, None)], 1).body_type, HTML);
        assert_eq!(body(&[preference(1, None, None)], 2).body_type, TEXT);
    }

    #[test]
    fn a_cut_body_says_so_and_keeps_the_size_of_the_whole() {
        let cut = body(&[preference(2, Some(4), None)], 0);
        assert!(cut.truncated && cut.data.as_deref() == Some(b"<p>r") && cut.whole == 16);
    }

    #[test]
    fn all_or_none_goes_on_to_the_next_preference() {
        let next = body(&[preference(2, Some(4), Some(true)), preference(1, Some(40), None)], 0);
        assert_eq!((next.body_type, next.truncated), (TEXT, false));
        let none = body(&[preference(2, Some(4), Some(true))], 0);
        assert_eq!((none.truncated, none.data), (true, None));
    }

    #[test]
    fn no_character_is_cut_in_half() {
        assert_eq!(cut_at("aé".as_bytes(), 2), b"a");
        assert_eq!(cut_at("aé".as_bytes(), 3), "aé".as_bytes());
        assert_eq!(cut_at("a€b".as_bytes(), 3), b"a");
    }
}

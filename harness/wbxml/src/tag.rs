//! The identity of an element: its code page and its token, with the names the standard gives them.

use std::fmt;

/// An element's code page and token; it may have a name or not.
///
/// The content and attribute bits of the wire byte are no part of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(u16);

impl Tag {
    /// The tag with this code page and token.
    ///
    /// # Panics
    ///
    /// When `token` is outside `0x05..=0x3F`: such a byte is no tag on the wire. In a constant this is a compile error;
    /// for numbers that come from outside there is [`Tag::from_numbers`].
    #[must_use]
    pub const fn new(page: u8, token: u8) -> Tag {
        match Tag::from_numbers(page, token) {
            Some(tag) => tag,
            None => panic!("a tag's token lies between 0x05 and 0x3F"),
        }
    }

    /// The tag with this code page and token, or `None` when `token` is outside `0x05..=0x3F`.
    #[must_use]
    pub const fn from_numbers(page: u8, token: u8) -> Option<Tag> {
        if token < FIRST_TOKEN || token > LAST_TOKEN { None } else { Some(Tag((page as u16) << 6 | token as u16)) }
    }

    /// The code page; 0 to 25 have names.
    #[inline]
    #[must_use]
    pub const fn page(self) -> u8 {
        (self.0 >> 6) as u8
    }

    /// The token inside the page, `0x05..=0x3F`.
    #[inline]
    #[must_use]
    pub const fn token(self) -> u8 {
        (self.0 & 0x3F) as u8
    }

    /// The element's name, when the table has one.
    #[inline]
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        NAMES.get(usize::from(self.0)).copied().filter(|name| !name.is_empty())
    }

    /// The page's XML namespace as the schemas write it, without colon, when the page has one.
    #[inline]
    #[must_use]
    pub fn namespace(self) -> Option<&'static str> {
        NAMESPACES.get(usize::from(self.page())).copied()
    }

    /// The first and the last protocol version that use the tag, as in `("2.5", "16.1")`.
    ///
    /// `None` for unnamed tags and for those whose versions no source gives.
    #[must_use]
    pub fn versions(self) -> Option<(&'static str, &'static str)> {
        VERSIONS.get(usize::from(self.0)).copied().filter(|(first, _)| !matches!(*first, "" | "-"))
    }

    /// The tag of an element in XML.
    ///
    /// The namespace is compared without case and may carry the trailing colon of older examples; the name is exact.
    /// An unnamed page is written `page-26`, an unnamed token `token-3F` (hexadecimal).
    #[must_use]
    pub fn lookup(namespace: &str, name: &str) -> Option<Tag> {
        let page = lookup_page(namespace)?;
        let start = usize::from(page) * TOKENS;
        let named = NAMES.get(start..start + TOKENS).and_then(|names| names.iter().position(|known| *known == name));
        match named {
            Some(token) if !name.is_empty() => Tag::from_numbers(page, u8::try_from(token).ok()?),
            _ => Tag::from_numbers(page, hex_byte(name.strip_prefix("token-")?)?),
        }
    }

    /// The tag of a wire byte whose attribute bit is clear and which is no global token.
    #[inline]
    pub(crate) const fn from_wire(page: u8, byte: u8) -> Tag {
        Tag((page as u16) << 6 | (byte & 0x3F) as u16)
    }
}

/// `AirSync:Sync`; without a name `AirSync:0x3F?`, without a namespace `page-26:0x05?`.
impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace() {
            Some(namespace) => f.write_str(namespace)?,
            None => write!(f, "page-{}", self.page())?,
        }
        match self.name() {
            Some(name) => write!(f, ":{name}"),
            None => write!(f, ":0x{:02X}?", self.token()),
        }
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn lookup_page(namespace: &str) -> Option<u8> {
    let bare = namespace.strip_suffix(':').unwrap_or(namespace);
    match NAMESPACES.iter().position(|known| known.eq_ignore_ascii_case(bare)) {
        Some(page) => u8::try_from(page).ok(),
        None => bare.strip_prefix("page-").filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?.parse().ok(),
    }
}

fn hex_byte(digits: &str) -> Option<u8> {
    if digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        u8::from_str_radix(digits, 16).ok()
    } else {
        None
    }
}

/// A named tag as the table has it; the tests compare the table file with it.
pub(crate) struct NamedTag {
    pub(crate) tag: Tag,
    pub(crate) name: &'static str,
    pub(crate) first: &'static str,
    pub(crate) last: &'static str,
}

/// Turns the table into one module of constants a page, `PAGES` and `NAMED`.
macro_rules! pages {
    ($( $page:literal $module:ident $namespace:literal {
        $( $token:literal $constant:ident $name:literal $first:literal $last:literal; )*
    } )*) => {
        $(
            #[doc = concat!("Tags of code page ", stringify!($page), ", namespace `", $namespace, "`.")]
            pub mod $module {
                use crate::Tag;
                $(
                    #[doc = concat!("`", $name, "`, token ", stringify!($token), ".")]
                    pub const $constant: Tag = Tag::new($page, $token);
                )*
            }
        )*
        /// The namespaces by page number.
        pub(crate) const PAGES: &[&str] = &[$($namespace),*];
        /// Every named tag, page by page.
        pub(crate) const NAMED: &[crate::tag::NamedTag] = &[$($(crate::tag::NamedTag {
            tag: $module::$constant,
            name: $name,
            first: $first,
            last: $last,
        }),*),*];
    };
}
pub(crate) use pages;

const FIRST_TOKEN: u8 = 0x05;
const LAST_TOKEN: u8 = 0x3F;
const TOKENS: usize = 64;
const PAGE_COUNT: usize = crate::tags::PAGES.len();

/// Namespaces by page.
static NAMESPACES: [&str; PAGE_COUNT] = {
    let mut namespaces = [""; PAGE_COUNT];
    let mut page = 0;
    while page < PAGE_COUNT {
        namespaces[page] = crate::tags::PAGES[page];
        page += 1;
    }
    namespaces
};

/// Names by `page * 64 + token`; empty where there is none.
static NAMES: [&str; PAGE_COUNT * TOKENS] = {
    let mut names = [""; PAGE_COUNT * TOKENS];
    let mut row = 0;
    while row < crate::tags::NAMED.len() {
        names[crate::tags::NAMED[row].tag.0 as usize] = crate::tags::NAMED[row].name;
        row += 1;
    }
    names
};

/// First and last version by `page * 64 + token`.
static VERSIONS: [(&str, &str); PAGE_COUNT * TOKENS] = {
    let mut versions = [("", ""); PAGE_COUNT * TOKENS];
    let mut row = 0;
    while row < crate::tags::NAMED.len() {
        let named = &crate::tags::NAMED[row];
        versions[named.tag.0 as usize] = (named.first, named.last);
        row += 1;
    }
    versions
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags;

    #[test]
    fn the_constants_equal_the_table_file() {
        let rows: Vec<(u8, u8, &str, &str, &str, &str)> = include_str!("../data/code-pages.tsv")
            .lines()
            .filter(|line| !line.starts_with('#') && !line.starts_with("page\t"))
            .map(|line| {
                let cells: Vec<&str> = line.split('\t').collect();
                let token = hex_byte(cells[2].strip_prefix("0x").unwrap()).unwrap();
                (cells[0].parse().unwrap(), token, cells[1], cells[3], cells[4], cells[5])
            })
            .collect();
        assert_eq!(rows.len(), 656);
        assert_eq!(rows.len(), tags::NAMED.len());
        for ((page, token, namespace, name, first, last), named) in rows.into_iter().zip(tags::NAMED) {
            assert_eq!(named.tag, Tag::new(page, token));
            assert_eq!(named.tag.namespace(), Some(namespace));
            assert_eq!(named.tag.name(), Some(name));
            assert_eq!(named.tag.versions(), (first != "-").then_some((first, last)), "{}", named.tag);
            assert_eq!(Tag::lookup(namespace, name), Some(named.tag), "names are unique in their page");
        }
    }

    #[test]
    fn known_tags_have_the_numbers_of_the_standard() {
        assert_eq!(tags::air_sync::SYNC, Tag::new(0, 0x05));
        assert_eq!(tags::move_items::MOVE_ITEMS, Tag::new(5, 0x05));
        assert_eq!(tags::folder_hierarchy::SYNC_KEY, Tag::new(7, 0x12));
        assert_eq!(tags::email2::CONVERSATION_ID, Tag::new(22, 0x09));
        assert_eq!(tags::find::MAX_PICTURES, Tag::new(25, 0x20));
    }

    #[test]
    fn a_tag_prints_its_namespace_and_name_or_its_numbers() {
        assert_eq!(tags::air_sync::SYNC.to_string(), "AirSync:Sync");
        assert_eq!(Tag::new(0, 0x3F).to_string(), "AirSync:0x3F?");
        assert_eq!(Tag::new(26, 0x05).to_string(), "page-26:0x05?");
    }

    #[test]
    fn namespaces_are_found_without_case_and_with_a_colon() {
        assert_eq!(Tag::lookup("airsync:", "Sync"), Some(tags::air_sync::SYNC));
        assert_eq!(Tag::lookup("Gal", "DisplayName"), Some(tags::gal::DISPLAY_NAME));
        assert_eq!(Tag::lookup("AirSync", "sync"), None);
        assert_eq!(Tag::lookup("AirSync", ""), None);
        assert_eq!(Tag::lookup("Nowhere", "Sync"), None);
    }

    #[test]
    fn unnamed_tokens_and_pages_are_found_by_number() {
        assert_eq!(Tag::lookup("AirSync", "token-3F"), Some(Tag::new(0, 0x3F)));
        assert_eq!(Tag::lookup("page-26", "token-05"), Some(Tag::new(26, 0x05)));
        assert_eq!(Tag::lookup("page-255", "token-3f"), Some(Tag::new(255, 0x3F)));
        for (namespace, name) in
            [("page-256", "token-05"), ("page-+1", "token-05"), ("page-26", "token-04"), ("AirSync", "token-40")]
        {
            assert_eq!(Tag::lookup(namespace, name), None, "{namespace} {name}");
        }
    }

    #[test]
    fn numbers_outside_the_tag_range_are_no_tag() {
        assert_eq!(Tag::from_numbers(0, 0x04), None);
        assert_eq!(Tag::from_numbers(0, 0x40), None);
        assert_eq!(Tag::from_numbers(255, 0x3F).map(Tag::page), Some(255));
    }
}

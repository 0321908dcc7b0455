//! A census of devices as one page.

use std::collections::BTreeMap;

use askama::Template;

/// What a census page shows of a phone, each in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Phone {
    /// DeviceId.
    pub id: String,
    /// DeviceType.
    pub kind: String,
    /// Its owners.
    pub owner: String,
    /// Model and system, else how it introduces itself.
    pub system: String,
    /// The highest protocol version it was seen to speak; empty when none was seen.
    pub highest: String,
    /// Every protocol version.
    pub versions: String,
    /// Requests by command.
    pub requests: String,
    /// Answers by HTTP status.
    pub statuses: String,
    /// What went wrong by the server's own word.
    pub troubles: String,
    /// Access state.
    pub access: String,
    /// Policies, and how far they are applied.
    pub policies: String,
    /// Day of the first sign of life.
    pub first: String,
    /// Day of the last sign of life.
    pub last: String,
    /// Day of the last synchronisation that succeeded.
    pub last_success: String,
    /// Why somebody should look at it before a change.
    pub concerns: Vec<String>,
}

/// A page with every phone, those with concerns first, else in the order given; `sources` says where they were seen.
///
/// It is one file that needs nothing else: no network, and no script but for sorting by another column.
pub fn census_page(phones: &[Phone], sources: &str) -> String {
    let mut devices: Vec<&Phone> = phones.iter().collect();
    devices.sort_by_key(|phone| std::cmp::Reverse(phone.concerns.len()));
    let concerned = phones.iter().filter(|phone| !phone.concerns.is_empty()).count();
    let page = Page { groups: groups(phones), devices, concerned, sources, heads: HEADS };
    page.render().expect("every value of the page is text in memory")
}

const HEADS: [&str; 14] = [
    "Worth a look",
    "Device",
    "Kind",
    "Owner",
    "System",
    "Versions",
    "Requests",
    "HTTP",
    "Trouble",
    "Access",
    "Policy",
    "First seen",
    "Last seen",
    "Last success",
];

#[derive(Template)]
#[template(path = "census.html")]
struct Page<'p> {
    groups: Vec<Group<'p>>,
    devices: Vec<&'p Phone>,
    concerned: usize,
    sources: &'p str,
    heads: [&'static str; 14],
}

/// Phones that a change hits alike.
struct Group<'p> {
    kind: &'p str,
    system: &'p str,
    version: &'p str,
    phones: usize,
    concerned: usize,
}

/// The largest group first.
fn groups(phones: &[Phone]) -> Vec<Group<'_>> {
    let mut counts: BTreeMap<(&str, &str, &str), (usize, usize)> = BTreeMap::new();
    for phone in phones {
        let version = if phone.highest.is_empty() { "unknown" } else { &phone.highest };
        let (all, concerned) = counts.entry((&phone.kind, &phone.system, version)).or_default();
        *all += 1;
        *concerned += usize::from(!phone.concerns.is_empty());
    }
    let group = |((kind, system, version), (phones, concerned))| Group { kind, system, version, phones, concerned };
    let mut groups: Vec<_> = counts.into_iter().map(group).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.phones));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(id: &str, concerns: &[&str]) -> Phone {
        let concerns = concerns.iter().map(|concern| (*concern).to_owned()).collect();
        Phone { id: id.into(), kind: "iPhone".into(), highest: "16.1".into(), concerns, ..Phone::default() }
    }

    #[test]
    fn phones_with_concerns_stand_on_top_and_are_counted() {
        let page = census_page(&[phone("AAA", &[]), phone("BBB", &["access: Blocked"])], "from x.csv");
        assert!(page.contains("<title>2 phones, 1 worth a look</title>"), "{page}");
        assert!(page.find("BBB").unwrap() < page.find("AAA").unwrap());
        assert!(page.contains("<td>16.1</td><td class=\"n\">2</td><td class=\"n\">1</td>"), "{page}");
    }

    #[test]
    fn whatever_a_phone_says_is_text() {
        let page = census_page(&[phone("<script>alert(1)</script>\"&", &["<b>"])], "<i>");
        assert!(!page.contains("<script>alert") && !page.contains("<b>") && !page.contains("<i>"), "{page}");
    }

    #[test]
    fn the_page_needs_no_network() {
        let page = census_page(&[phone("A", &[])], "");
        assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("url("), "{page}");
        assert!(page.contains("default-src 'none'"));
    }
}

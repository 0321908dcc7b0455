use std::borrow::Cow;
use std::collections::HashSet;

use easrig_scenario::difference::{Owned, Renamed};

use super::binding::Bindings;

/// A user of the recording with the address that stands in for it.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// As the recording names it; an address, or a name before `@`.
    pub(super) user: String,
    /// The address of the account that plays it.
    pub(super) address: String,
}

/// What a device and its people are called now.
pub(super) struct Names<'b> {
    pub(super) bindings: &'b Bindings,
    pub(super) people: &'b [Person],
    pub(super) sent: &'b HashSet<String>,
    pub(super) sends_filler: bool,
}

impl Renamed for Names<'_> {
    fn now(&self, owned: Owned, folder: &str, before: &str) -> Option<String> {
        self.bindings.now(owned, folder, before)
    }

    fn people<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match readdressed(text, self.people) {
            changed if changed.len() <= MAX_NAMES => Cow::Owned(renamed(&changed, self.people)),
            changed => changed,
        }
    }

    fn has_other_people(&self) -> bool {
        self.people.iter().any(|person| !person.address.to_lowercase().starts_with(&person.user.to_lowercase()))
    }

    fn made_from_filler(&self, _: Owned, now: &str) -> bool {
        self.sends_filler && self.bindings.has_made(now)
    }

    fn sent_as_filler(&self, text: &str) -> bool {
        self.sends_filler && is_sent(self.sent, text)
    }
}

/// The most bytes of a text in which names are looked for that are no addresses: fields of people are short.
const MAX_NAMES: usize = 512;

/// The text with the names before `@` replaced too, where they stand as words: servers without an address book call
/// people by them.
fn renamed(text: &str, people: &[Person]) -> String {
    let is_word = |c: char| c.is_alphanumeric() || "._-+@".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match is_word(first) {
            true => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (word, behind) = rest.split_at(end);
        let person = people.iter().find(|person| person.user.eq_ignore_ascii_case(word));
        let name = person.and_then(|person| person.address.split('@').next());
        match name {
            Some(name) if word.starts_with(char::is_uppercase) => {
                let mut letters = name.chars();
                out.extend(letters.next().into_iter().flat_map(char::to_uppercase).chain(letters));
            }
            Some(name) => out.push_str(name),
            None => out.push_str(word),
        }
        rest = behind;
    }
    out
}

/// Whether a subject is one that was sent, perhaps with the prefix of a reply.
pub(super) fn is_sent(sent: &HashSet<String>, subject: &str) -> bool {
    !subject.is_empty()
        && (sent.contains(subject)
            || subject.split_once(": ").is_some_and(|(_, rest)| sent.contains(rest))
            || sent.iter().any(|one| one.len() >= 8 && subject.contains(one.as_str())))
}

/// The text with the addresses of the accounts of this replay in place of those of the recording.
pub(super) fn readdressed<'a>(text: &'a str, people: &[Person]) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    for person in people {
        if let Some(changed) = replaced(&text, person) {
            text = Cow::Owned(changed);
        }
    }
    text
}

fn replaced(text: &str, person: &Person) -> Option<String> {
    let wanted = person.user.to_ascii_lowercase();
    let lower = text.to_ascii_lowercase();
    let (mut out, mut at, mut changed) = (String::new(), 0, false);
    while let Some(found) = lower.get(at..).and_then(|rest| rest.find(&wanted)).map(|found| at + found) {
        let behind = found + wanted.len();
        let is_part = |c: char| c.is_alphanumeric() || "._-+".contains(c);
        let begins = !lower.get(..found).unwrap_or_default().ends_with(is_part);
        let rest = text.get(behind..).unwrap_or_default();
        let domain: usize = match rest.strip_prefix('@') {
            Some(host) if !wanted.contains('@') => {
                1 + host.find(|c: char| !c.is_alphanumeric() && c != '.' && c != '-').unwrap_or(host.len())
            }
            _ => 0,
        };
        let whole = if wanted.contains('@') { !rest.starts_with(is_part) } else { domain > 1 };
        out.push_str(text.get(at..found).unwrap_or_default());
        at = behind + if begins && whole { domain } else { 0 };
        let there = text.get(found..at).unwrap_or_default();
        if begins && whole && !there.eq_ignore_ascii_case(&person.address) {
            out.push_str(&person.address);
            changed = true;
        } else {
            out.push_str(there);
        }
    }
    out.push_str(text.get(at..).unwrap_or_default());
    changed.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_where_they_stand_as_words() {
        let people = [Person { user: "owner1".into(), address: "alice@corp.example".into() }];
        assert_eq!(
            renamed("\"Owner1\" <alice@corp.example>; owner12", &people),
            "\"Alice\" <alice@corp.example>; owner12"
        );
    }

    #[test]
    fn addresses_are_replaced_as_a_whole_and_nothing_else_is() {
        let people = [Person { user: "owner1".into(), address: "alice@corp.example".into() }];
        let text = "\"Owner1\" <owner1@easrig.test>, cowner1@easrig.test, owner12@easrig.test";
        assert_eq!(
            readdressed(text, &people),
            "\"Owner1\" <alice@corp.example>, cowner1@easrig.test, owner12@easrig.test"
        );
        let people = [Person { user: "Bob@old.test".into(), address: "bob@new.test".into() }];
        assert_eq!(readdressed("bob@old.test; bob@old.test.evil", &people), "bob@new.test; bob@old.test.evil");
    }
}

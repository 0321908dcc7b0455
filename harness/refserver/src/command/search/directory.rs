use easrig_eas::command::Item;
use easrig_wbxml::{Tag, tags::gal};

use crate::{Account, State, Switch};

/// Nobody here has a photo (MS-ASCMD 173 NoPicture).
const NO_PICTURE: &str = "173";

/// Somebody of the address list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) display_name: String,
    pub(crate) alias: String,
    pub(crate) address: String,
}

impl From<&Account> for Person {
    fn from(account: &Account) -> Self {
        let alias = account.address.split('@').next().unwrap_or_default().to_owned();
        Self { display_name: account.display_name.clone(), alias, address: account.address.clone() }
    }
}

impl Person {
    /// Whether a name, the alias or the address begins with `words`, in any letter case.
    pub(crate) fn matches(&self, words: &str) -> bool {
        let words = words.trim().trim_matches('"').to_lowercase();
        let begins = |text: &str| text.to_lowercase().starts_with(&words);
        let name = begins(&self.display_name) || self.display_name.split_whitespace().any(begins);
        !words.is_empty() && (name || begins(&self.alias) || begins(&self.address))
    }
}

/// The people of the address list whom `words` may mean, by name.
pub(crate) fn people(state: &State, words: &str) -> Vec<Person> {
    if state.switches.has(Switch::GalSearchEmpty) {
        return Vec::new();
    }
    let mut found: Vec<Person> = state.accounts().map(Person::from).filter(|person| person.matches(words)).collect();
    found.sort_by(|a, b| (&a.display_name, &a.address).cmp(&(&b.display_name, &b.address)));
    found
}

/// Somebody as the content of a result.
pub(crate) fn write_person(person: &Person, root: Tag, wants_picture: bool) -> Item {
    Item::build(root, |out| {
        let (first, last) = person.display_name.split_once(' ').unwrap_or((&person.display_name, ""));
        out.leaf(gal::DISPLAY_NAME, &person.display_name).leaf(gal::ALIAS, &person.alias).leaf(gal::FIRST_NAME, first);
        if !last.is_empty() {
            out.leaf(gal::LAST_NAME, last);
        }
        out.leaf(gal::EMAIL_ADDRESS, &person.address);
        if wants_picture {
            out.open(gal::PICTURE).leaf(gal::STATUS, NO_PICTURE).close();
        }
    })
}

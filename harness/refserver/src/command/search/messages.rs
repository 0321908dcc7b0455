use std::collections::BTreeSet;

use easrig_eas::{
    CollectionId, ServerId,
    command::{
        Class, Item,
        search::{Criteria, Operator, Options},
    },
    date::EasDate,
};
use easrig_wbxml::Tag;
use jiff::Timestamp;

use crate::{
    Caller, Mail, Mailbox, State, Switch,
    mime::{View, Wanted, write_mail},
    store::class_of,
};

/// The most messages that are looked for.
const FOUND_MOST: usize = 10_000;

/// What messages are looked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    /// Each has to be there.
    pub(crate) words: Vec<String>,
    /// The folders; none is all.
    pub(crate) folders: Vec<CollectionId>,
    /// Whether the folders below count.
    pub(crate) deep: bool,
    pub(crate) conversation: Option<Vec<u8>>,
    pub(crate) after: Option<Timestamp>,
    pub(crate) before: Option<Timestamp>,
    /// Whether messages are wanted at all.
    pub(crate) mail: bool,
}

/// A message that was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) folder: CollectionId,
    pub(crate) id: ServerId,
    pub(crate) class: Class,
    mail: Box<Mail>,
}

impl Wish {
    /// The wish of a Search; `None` for a query of a kind that is not supported.
    pub(crate) fn of_search(criteria: &Criteria, options: &Options) -> Option<Self> {
        if criteria.operator == Operator::Or {
            return None;
        }
        let time = |text: &Option<String>| text.as_deref().map(|text| text.parse::<EasDate>().map(|date| date.at).ok());
        let (after, before) = (time(&criteria.received_after), time(&criteria.received_before));
        if after == Some(None) || before == Some(None) {
            return None;
        }
        Some(Self {
            words: words(criteria.free_text.as_deref().unwrap_or_default()),
            folders: criteria.collection_ids.clone(),
            deep: options.deep_traversal.is_some_and(|flag| flag.is_on()),
            conversation: criteria.conversation_id.clone(),
            after: after.flatten(),
            before: before.flatten(),
            mail: criteria.classes.is_empty() || criteria.classes.contains(&Class::Email),
        })
    }

    /// The folders meant, the mail folders of the mailbox among them.
    fn places(&self, mailbox: &Mailbox) -> BTreeSet<CollectionId> {
        let all = self.folders.iter().all(|folder| folder.as_str() == "0" || folder.as_str().is_empty());
        let mut meant: BTreeSet<CollectionId> = self.folders.iter().cloned().collect();
        if self.deep {
            meant.extend(self.folders.iter().flat_map(|folder| mailbox.below(folder)));
        }
        let mail = mailbox.folders().filter(|folder| class_of(folder.folder_type) == Class::Email);
        mail.map(|folder| folder.server_id.clone()).filter(|id| all || meant.contains(id)).collect()
    }

    fn holds(&self, mail: &Mail) -> bool {
        let time = self.after.is_none_or(|after| mail.received > after)
            && self.before.is_none_or(|before| mail.received < before);
        let conversation = self.conversation.as_ref().is_none_or(|id| mail.conversation_id.as_slice() == id.as_slice());
        time && conversation && (self.words.is_empty() || self.has_words(mail))
    }

    fn has_words(&self, mail: &Mail) -> bool {
        let Some(view) = View::parse(&mail.mime) else { return false };
        let text =
            [view.subject().to_owned(), view.from(), view.to(), view.cc(), view.text()].join("\n").to_lowercase();
        self.words.iter().all(|word| text.contains(word))
    }
}

/// The words of a text in lower case; a quoted text is one word.
pub(crate) fn words(text: &str) -> Vec<String> {
    let parts = text.split('"').enumerate().flat_map(|(at, part)| match at % 2 {
        0 => part.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>(),
        _ => vec![part.to_lowercase()],
    });
    parts.filter(|word| !word.is_empty()).take(64).collect()
}

/// The messages of the caller that are meant, newest first.
pub(crate) fn find(state: &State, caller: &Caller, wish: &Wish) -> Vec<Found> {
    let Some(account) = state.account(&caller.user).filter(|_| wish.mail) else { return Vec::new() };
    let mailbox = &account.mailbox;
    let mut found: Vec<Found> = Vec::new();
    for folder in wish.places(mailbox) {
        let mails = mailbox.items(&folder).filter_map(|item| Some((item, item.mail()?)));
        found.extend(mails.filter(|(_, mail)| wish.holds(mail)).take(FOUND_MOST).map(|(item, mail)| Found {
            folder: folder.clone(),
            id: item.id.clone(),
            class: Class::Email,
            mail: Box::new(mail.clone()),
        }));
    }
    found.sort_by(|a, b| (b.mail.received, &b.id).cmp(&(a.mail.received, &a.id)));
    if state.switches.has(Switch::MailboxSearchMisses) && !found.is_empty() {
        found.remove(0);
    }
    found
}

impl Found {
    /// The name ItemOperations takes.
    pub(crate) fn long_id(&self) -> String {
        Mailbox::long_id(&self.folder, &self.id)
    }

    /// The message, as the device wants it.
    pub(crate) fn properties(&self, root: Tag, caller: &Caller, options: &Options, state: &State) -> Item {
        let wanted = Wanted {
            version: caller.version,
            preferences: &options.body_preferences,
            part: options.body_part_preference.as_ref(),
            mime_support: options.mime_support.unwrap_or(0),
            truncation: None,
            mime_truncation: None,
            switches: &state.switches,
        };
        Item::build(root, |out| write_mail(&self.mail, &self.id, &wanted, None, out))
    }
}

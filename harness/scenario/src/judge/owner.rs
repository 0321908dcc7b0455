use crate::{
    model::{OwnerExpect, OwnerKind},
    owner::{OwnerItem, OwnerView},
};

use super::Bench;

impl Bench<'_> {
    pub(super) fn owner(&mut self, expect: &OwnerExpect) {
        let Some(view) = self.evidence.owner else {
            self.seen.inconclusive = Some("nobody looked at the device's screen".to_owned());
            return;
        };
        let Some(wanted) = self.wanted(expect) else { return };
        if expect.if_synced && wanted.folder.as_deref().is_some_and(|word| !view.synchronises(word)) {
            return;
        }
        let seen = match expect.kind {
            OwnerKind::Folder => folders(&wanted, view),
            _ => items(&wanted, expect, view).len(),
        };
        let holds = match (expect.absent, expect.count) {
            (true, _) => seen == 0,
            (false, Some(count)) => seen == count,
            (false, None) => seen > 0,
        };
        if holds {
            return;
        }
        let what = words(expect, &wanted);
        let expected = match (expect.absent, expect.count) {
            (true, _) => format!("the owner sees no {what}"),
            (false, Some(count)) => format!("the owner sees {what}, {count} times"),
            (false, None) => format!("the owner sees {what}"),
        };
        let actual = match seen {
            0 => near_miss(expect, &wanted, view),
            n => format!("the owner sees it {}", if n == 1 { "once".to_owned() } else { format!("{n} times") }),
        };
        self.find(None, None, expected, actual);
    }

    fn wanted(&mut self, expect: &OwnerExpect) -> Option<Wanted> {
        let mut text = |template: &Option<String>| match template {
            None => Some(None),
            Some(template) => self.text(template).map(Some),
        };
        Some(Wanted {
            folder: text(&expect.folder)?,
            subject: text(&expect.subject)?,
            from: text(&expect.from)?,
            body: text(&expect.body_contains)?,
            carried: text(&expect.carries)?,
            attachment: text(&expect.attachment)?,
        })
    }
}

#[derive(Default)]
struct Wanted {
    folder: Option<String>,
    subject: Option<String>,
    from: Option<String>,
    body: Option<String>,
    carried: Option<String>,
    attachment: Option<String>,
}

fn folders(wanted: &Wanted, view: &dyn OwnerView) -> usize {
    let named = |name: &Option<String>, word: &str| name.as_deref().is_none_or(|name| name == word);
    view.folders()
        .iter()
        .filter(|folder| named(&wanted.subject, &folder.name))
        .filter(|folder| wanted.folder.as_deref().is_none_or(|word| folder.is_called(word)))
        .count()
}

fn items(wanted: &Wanted, expect: &OwnerExpect, view: &dyn OwnerView) -> Vec<OwnerItem> {
    let mut items = alike(wanted, expect, view);
    items.retain(|item| {
        expect.read.is_none_or(|read| item.read == read)
            && expect.flagged.is_none_or(|flagged| item.flagged == flagged)
            && has_format(expect, item)
            && wanted.from.as_deref().is_none_or(|from| contains(&item.from, from))
            && wanted.body.as_deref().is_none_or(|body| item.body.contains(body))
            && wanted.carried.as_deref().is_none_or(|text| carries(item, text))
            && wanted.attachment.as_ref().is_none_or(|name| item.attachments.contains(name))
    });
    items
}

/// The items of this kind, folder and subject, whatever else they are.
fn alike(wanted: &Wanted, expect: &OwnerExpect, view: &dyn OwnerView) -> Vec<OwnerItem> {
    let folders = view.folders();
    let in_folder = |item: &OwnerItem, word: &str| {
        item.folder == word || folders.iter().any(|folder| folder.id == item.folder && folder.is_called(word))
    };
    let mut items = view.items();
    items.retain(|item| {
        item.kind == expect.kind
            && wanted.subject.as_deref().is_none_or(|subject| item.subject == subject)
            && wanted.folder.as_deref().is_none_or(|word| in_folder(item, word))
    });
    items
}

/// A device that never asks for formatted mail shows none, and nobody misses it.
fn has_format(expect: &OwnerExpect, item: &OwnerItem) -> bool {
    expect.formatted.is_none_or(|wanted| item.formatted.is_none_or(|formatted| formatted == wanted))
}

/// Whether a text is on the screen, in the mail itself or in one attached to it.
fn carries(item: &OwnerItem, text: &str) -> bool {
    item.body.contains(text) || item.enclosed.iter().any(|mail| mail.contains(text))
}

fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

/// Why nothing fits: the item is there, but otherwise than wanted, or elsewhere, or not at all.
fn near_miss(expect: &OwnerExpect, wanted: &Wanted, view: &dyn OwnerView) -> String {
    if let Some(item) = alike(wanted, expect, view).first() {
        let mut ways = Vec::new();
        if expect.read.is_some_and(|read| read != item.read) {
            ways.push(if item.read { "it is read".to_owned() } else { "it is unread".to_owned() });
        }
        if expect.flagged.is_some_and(|flagged| flagged != item.flagged) {
            ways.push(if item.flagged { "it is flagged".to_owned() } else { "it has no flag".to_owned() });
        }
        if !has_format(expect, item) {
            ways.push(if item.formatted == Some(true) { "it is formatted" } else { "it is plain text" }.to_owned());
        }
        if wanted.from.as_deref().is_some_and(|from| !contains(&item.from, from)) {
            ways.push(format!("it is from `{}`", item.from));
        }
        if wanted.body.as_deref().is_some_and(|body| !item.body.contains(body)) {
            ways.push("its body does not have that text".to_owned());
        }
        if wanted.carried.as_deref().is_some_and(|text| !carries(item, text)) {
            ways.push("neither its body nor a mail attached to it has that text".to_owned());
        }
        if wanted.attachment.as_ref().is_some_and(|name| !item.attachments.contains(name)) {
            ways.push(match item.attachments.as_slice() {
                [] => "it has no attachment".to_owned(),
                names => format!("its attachments are {}", names.join(", ")),
            });
        }
        return ways.join(", ");
    }
    let anywhere = Wanted { subject: wanted.subject.clone(), ..Wanted::default() };
    let elsewhere = alike(&anywhere, expect, view);
    match (wanted.subject.is_some(), elsewhere.first()) {
        (true, Some(item)) => {
            let folders = view.folders();
            let name =
                folders.iter().find(|folder| folder.id == item.folder).map_or("another folder", |f| f.name.as_str());
            format!("it is in {name}")
        }
        _ => "it is not on the device".to_owned(),
    }
}

fn words(expect: &OwnerExpect, wanted: &Wanted) -> String {
    let mut words = expect.kind.to_string();
    if let Some(subject) = &wanted.subject {
        words += &format!(" `{subject}`");
    }
    if let Some(folder) = &wanted.folder {
        words += &format!(" in {folder}");
    }
    if let Some(from) = &wanted.from {
        words += &format!(" from {from}");
    }
    match expect.read {
        Some(true) => words += ", read",
        Some(false) => words += ", unread",
        None => {}
    }
    match expect.flagged {
        Some(true) => words += ", flagged",
        Some(false) => words += ", without a flag",
        None => {}
    }
    if let Some(body) = &wanted.body {
        words += &format!(", with `{body}` in its body");
    }
    if let Some(text) = &wanted.carried {
        words += &format!(", with `{text}` in it or in a mail attached to it");
    }
    if let Some(attachment) = &wanted.attachment {
        words += &format!(", with the attachment {attachment}");
    }
    words
}

use std::collections::BTreeMap;

use easrig_eas::{
    CollectionId, ServerId,
    command::{Class, Item, sync::ServerCommand},
};
use easrig_wbxml::{Builder, tags::air_sync};

use super::{filter::Filter, state::wanted};
use crate::{
    Caller, Content, Stamps, StoredItem, Switch, Switches,
    core::Desk,
    mime::{Wanted, write_changed, write_fields, write_mail},
    store::class_of,
};

/// Something a device has yet to hear of.
#[derive(Clone, Debug)]
pub(super) enum Pending {
    Delete(ServerId),
    /// It fell out of the filter.
    Leave(ServerId),
    Change(ServerId, Stamps),
    Add(ServerId, Stamps),
}

impl Pending {
    /// Notes that the device has heard of it.
    pub(super) fn settle(&self, known: &mut BTreeMap<ServerId, Stamps>) {
        match self {
            Self::Delete(id) | Self::Leave(id) => {
                known.remove(id);
            }
            Self::Change(id, stamps) | Self::Add(id, stamps) => {
                known.insert(id.clone(), *stamps);
            }
        }
    }
}

/// What the device has yet to hear of: removals first, then changes, then new items, the newest mail before older.
pub(super) fn pending(
    desk: &Desk<'_>,
    folder: &CollectionId,
    known: &BTreeMap<ServerId, Stamps>,
    filter: Filter,
) -> Vec<Pending> {
    let switches = desk.switches;
    let filter = if switches.has(Switch::FilterIgnored) { Filter::All } else { filter };
    let mut found: Vec<Pending> = Vec::new();
    for id in known.keys() {
        match desk.mailbox.item(folder, id) {
            None if !switches.has(Switch::DeleteNotPropagated) => found.push(Pending::Delete(id.clone())),
            Some(item) if !filter.lets_in(item) => found.push(Pending::Leave(id.clone())),
            _ => {}
        }
    }
    let is_mail = class_of_folder(desk, folder) == Class::Email;
    let visible = desk.mailbox.items(folder).filter(|item| item.mail().is_some() == is_mail && filter.lets_in(item));
    let mut new: Vec<&StoredItem> = Vec::new();
    for item in visible {
        match known.get(&item.id) {
            None => new.push(item),
            Some(stamps) if *stamps != item.stamps && !switches.has(Switch::ChangeNotPropagated) => {
                found.push(Pending::Change(item.id.clone(), item.stamps));
            }
            Some(_) => {}
        }
    }
    new.sort_by_key(|item| {
        let received = item.mail().map(|mail| mail.received);
        (std::cmp::Reverse(received), item.stamps.content)
    });
    found.extend(new.into_iter().map(|item| Pending::Add(item.id.clone(), item.stamps)));
    found
}

/// How many changes the device has yet to hear of in a folder it has synchronised before.
pub(crate) fn count_pending(
    desk: &Desk<'_>,
    caller: &Caller,
    folder: &CollectionId,
    known: &BTreeMap<ServerId, Stamps>,
    filter_type: u32,
) -> usize {
    let class = class_of_folder(desk, folder);
    let filter = Filter::of(&class, filter_type, caller.now).unwrap_or(Filter::All);
    pending(desk, folder, known, filter).len()
}

/// The class of the items in a folder.
pub(super) fn class_of_folder(desk: &Desk<'_>, folder: &CollectionId) -> Class {
    desk.mailbox.folder(folder).map_or(Class::Email, |folder| class_of(folder.folder_type))
}

/// Writes one change; `known` is what the device has of it.
pub(super) fn describe(
    desk: &Desk<'_>,
    folder: &CollectionId,
    change: &Pending,
    known: Option<Stamps>,
    wanted: &Wanted<'_>,
) -> Option<ServerCommand> {
    let class = class_of_folder(desk, folder);
    Some(match change {
        Pending::Delete(id) => ServerCommand::Delete { server_id: id.clone(), class: None },
        Pending::Leave(id) => ServerCommand::SoftDelete { server_id: id.clone() },
        Pending::Change(id, stamps) => {
            let item = desk.mailbox.item(folder, id)?;
            let application_data = changed(item, &class, known.unwrap_or_default(), *stamps, wanted);
            ServerCommand::Change { server_id: id.clone(), class: None, application_data }
        }
        Pending::Add(id, _) => {
            let item = desk.mailbox.item(folder, id)?;
            let application_data = whole(item, &class, wanted);
            ServerCommand::Add { server_id: id.clone(), class: None, application_data }
        }
    })
}

fn changed(item: &StoredItem, class: &Class, known: Stamps, now: Stamps, wanted: &Wanted<'_>) -> Item {
    if let Content::Mail(mail) = &item.content {
        let mut out = Builder::new(air_sync::APPLICATION_DATA);
        if write_changed(mail, known, now, wanted.version, &mut out) {
            return Item(out.finish());
        }
    }
    whole(item, class, wanted)
}

/// Everything about an item.
pub(super) fn whole(item: &StoredItem, class: &Class, wanted: &Wanted<'_>) -> Item {
    Item::build(air_sync::APPLICATION_DATA, |out| match &item.content {
        Content::Mail(mail) => write_mail(mail, &item.id, wanted, None, out),
        Content::Fields(fields) => write_fields(fields, class, wanted, None, out),
    })
}

/// Everything about an item, as a Sync Fetch gives it: the whole body.
pub(super) fn fetched(
    item: &StoredItem,
    class: &Class,
    caller: &Caller,
    options: Option<&easrig_eas::command::sync::Options>,
    switches: &Switches,
) -> Item {
    let mut options = options.cloned().unwrap_or_default();
    options.truncation = None;
    options.mime_truncation = None;
    options.body_preferences.iter_mut().for_each(|one| one.truncation_size = None);
    whole(item, class, &wanted(Some(&options), caller.version, switches))
}

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use easrig_eas::{Command, Status, Version, command::provision};
use easrig_scenario::{
    Content, Decoded,
    difference::{Owned, Pair, owned, owned_value},
};
use easrig_transport::Session;
use easrig_wbxml::Element;

use super::binding::{Bindings, Withheld};
use super::compose::folder_of;
use super::heartbeat::Memory;
use super::ledger::Ledger;
use super::rename::is_sent;

/// One recorded device.
pub(super) struct Device {
    pub(super) session: Arc<Session>,
    pub(super) bindings: Bindings,
    pub(super) ledger: Ledger,
    pub(super) cookies: Vec<(String, String)>,
    pub(super) waits: Memory,
    /// The last key that the target gave for each of its folders, and for the list of folders (an empty name).
    pub(super) latest: HashMap<String, String>,
}

/// Whether the recording's server said that it does not know the key.
pub(super) fn is_refused_key(decoded: &Decoded) -> bool {
    let status = decoded.status.map(|(_, status)| status.0);
    matches!((decoded.command(), status), (Some(Command::Sync), Some(3)) | (Some(Command::FolderSync), Some(9)))
}

/// Whether a key that was out of date in the recording is the last one that the target gave: sent there, it is none.
pub(super) fn is_latest(device: &Device, before: &Decoded, after: &Decoded) -> bool {
    is_refused_key(before)
        && keys_of(after, &after.request).iter().any(|(folder, key)| device.latest.get(folder) == Some(key))
}

/// Remembers the keys of an answer.
pub(super) fn note_keys(device: &mut Device, after: &Decoded) {
    device.latest.extend(keys_of(after, &after.answer));
}

/// The keys in a document of either side.
fn keys_of(decoded: &Decoded, content: &Content) -> Vec<(String, String)> {
    match decoded.command() {
        Some(Command::Sync) => keys(content),
        Some(Command::FolderSync | Command::FolderCreate | Command::FolderUpdate | Command::FolderDelete) => {
            let children = content.root().into_iter().flat_map(Element::children);
            let keys = children.filter(|e| e.tag().name() == Some("SyncKey"));
            keys.map(|key| (String::new(), owned_value(key))).collect()
        }
        _ => Vec::new(),
    }
}

/// A key that no answer gave and that was refused is a wrong key of the device's own, and stays one.
pub(super) fn keep_wrong_keys(bindings: &mut Bindings, decoded: &Decoded) {
    for (folder, value) in wrong_keys(decoded) {
        for owned in [Owned::SyncKey, Owned::HierarchyKey] {
            if bindings.now(owned, &folder, &value).is_none() {
                let (before, after, folder) = (value.clone(), value.clone(), folder.clone());
                bindings.bind(&Pair { path: String::new(), owned, folder, before, after });
            }
        }
    }
}

/// The keys of a request, with the folder they are for.
fn wrong_keys(decoded: &Decoded) -> Vec<(String, String)> {
    keys_of(decoded, &decoded.request)
}

/// Keys of a Sync that only one side answered with nothing: where nothing changed, the key of the request goes on.
pub(super) fn carry_keys(bindings: &mut Bindings, before: &Decoded, after: &Decoded) {
    let both = before.command() == Some(Command::Sync) && (before.http, after.http) == (Some(200), Some(200));
    let (known, now) = match (&before.answer, &after.answer) {
        (Content::Document(_), Content::Empty) if both => (keys(&before.answer), keys(&after.request)),
        (Content::Empty, Content::Document(_)) if both => (keys(&before.request), keys(&after.answer)),
        _ => return,
    };
    for (folder, key) in known {
        let place = bindings.now(Owned::Folder, "", &folder);
        if let Some((_, new)) = now.iter().find(|(other, _)| Some(other) == place.as_ref()) {
            bindings.bind(&Pair {
                path: String::new(),
                owned: Owned::SyncKey,
                folder,
                before: key,
                after: new.clone(),
            });
        }
    }
}

/// What a server says in a policy's place when there is none for the device.
const NO_POLICY: Status = Status(2);

/// A target that has no policy for the device hands out no key: from then on the device sends none, which is to say 0.
pub(super) fn forget_policy(bindings: &mut Bindings, before: &Decoded, after: &Decoded) {
    let no_policy = |decoded: &Decoded| {
        let read = |document| provision::Response::from_document(document, Version::V14_1).ok();
        let answer = decoded.answer.document().filter(|_| decoded.command() == Some(Command::Provision)).and_then(read);
        answer.is_some_and(|answer| {
            answer.policies.iter().any(|policy| policy.status == Some(NO_POLICY) && policy.policy_key.is_none())
        })
    };
    if no_policy(after) && !no_policy(before) {
        drop_policy_keys(bindings, before);
    }
}

/// Every policy key that the answer gives stands for none on the target.
pub(super) fn drop_policy_keys(bindings: &mut Bindings, before: &Decoded) {
    let elements = before.answer.root().into_iter().flat_map(Element::descendants);
    for key in elements.filter(|e| owned(e.tag()) == Some(Owned::PolicyKey)).map(owned_value) {
        let (path, folder) = (String::new(), String::new());
        bindings.bind(&Pair { path, owned: Owned::PolicyKey, folder, before: key, after: "0".to_owned() });
    }
}

/// Whether the request acknowledges a policy that the target does not have.
pub(super) fn acknowledges_nothing(bindings: &Bindings, decoded: &Decoded) -> bool {
    let elements = decoded.request.root().into_iter().flat_map(Element::descendants);
    let mut keys = elements.filter(|e| owned(e.tag()) == Some(Owned::PolicyKey)).map(owned_value);
    let is_none = |key: String| key != "0" && bindings.now(Owned::PolicyKey, "", &key).as_deref() == Some("0");
    decoded.command() == Some(Command::Provision) && keys.any(is_none)
}

/// The key of each folder in a Sync.
fn keys(content: &Content) -> Vec<(String, String)> {
    let collections = content.root().into_iter().flat_map(Element::descendants);
    let key = |e: Element<'_>| {
        let key = e.children().find(|child| child.tag().name() == Some("SyncKey"))?;
        Some((folder_of(e)?, owned_value(key)))
    };
    collections.filter_map(key).collect()
}

/// Everything that a recorded answer handed out and that has no counterpart.
pub(super) fn withhold(bindings: &mut Bindings, decoded: &Decoded, why: &Withheld) {
    for element in decoded.answer.root().into_iter().flat_map(Element::descendants).filter(|e| e.is_leaf()) {
        if let Some(owned) = owned(element.tag()) {
            bindings.withhold(owned, &owned_value(element), why);
        }
    }
}

/// A collection that starts over brings everything again.
pub(super) fn restart(device: &mut Device, before: &Decoded, after: &Decoded) {
    for decoded in [before, after] {
        let elements = decoded.request.root().into_iter().flat_map(Element::descendants);
        for element in elements {
            let starts = element.children().any(|e| e.tag().name() == Some("SyncKey") && e.text() == "0");
            if let Some(folder) = folder_of(element).filter(|_| starts) {
                device.ledger.restart(&folder);
            }
        }
    }
}

/// Remembers the ids of what this replay made on the target.
pub(super) fn note_made(bindings: &mut Bindings, answer: &Decoded, sent: &HashSet<String>) {
    let Some(root) = answer.answer.root() else { return };
    if root.tag().name() == Some("FolderCreate") {
        let ids = root.children().filter(|e| e.tag().name() == Some("ServerId"));
        ids.for_each(|id| bindings.note_made(owned_value(id)));
    }
    let is_item = |e: &Element<'_>| matches!(e.tag().name(), Some("Add" | "Fetch" | "Result")) && !e.is_leaf();
    for item in root.descendants().filter(is_item) {
        let subject = |e: &Element<'_>| e.tag().name() == Some("Subject") && is_sent(sent, e.text().trim());
        let is_response = item.children().any(|e| e.tag().name() == Some("ClientId"));
        if is_response || item.descendants().any(|e| subject(&e)) {
            let ids = item.descendants().filter(|e| e.is_leaf());
            let ids = ids.filter(|e| matches!(owned(e.tag()), Some(Owned::Item | Owned::File | Owned::LongId)));
            ids.for_each(|id| bindings.note_made(owned_value(id)));
        }
    }
}

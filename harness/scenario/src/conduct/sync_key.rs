//! A device goes on from the key that it was given last (MS-ASCMD 2.2.3.181).
//!
//! The key before the last is taken as well: a phone that never got an answer sends its request again.

use std::collections::BTreeMap;

use easrig_eas::Command;
use easrig_exchange::Timestamp;
use easrig_wbxml::{
    Element,
    tags::{air_sync, folder_hierarchy as hierarchy},
};

use super::{Conduct, Remark, Seen, Watch};
use crate::Level;

pub(super) const CONDUCT: Conduct = Conduct {
    name: "sync-key",
    title: "A device goes on from the key that it was given last, or begins again with 0",
    why: "With an old or invented key the server sends everything again, or refuses: items come twice or not at all.",
    watch: || Box::new(Keys::default()),
};

/// The most keys of one folder that are remembered; older ones are as good as unknown.
const MOST_KEYS: usize = 256;

/// The most folders that are followed.
const MOST_FOLDERS: usize = 4096;

/// The keys given, by folder; the list of folders has the empty name.
#[derive(Debug, Default)]
struct Keys(BTreeMap<String, Vec<(String, Timestamp)>>);

impl Watch for Keys {
    fn look(&mut self, seen: &Seen<'_>, out: &mut Vec<Remark>) {
        for (folder, key) in keys(seen, seen.decoded.request.root()) {
            out.extend(self.judge(seen, &folder, &key));
        }
        if seen.whole {
            for (folder, key) in keys(seen, seen.decoded.answer.root()) {
                self.learn(seen, folder, key);
            }
        }
    }
}

impl Keys {
    fn judge(&mut self, seen: &Seen<'_>, folder: &str, key: &str) -> Option<Remark> {
        if key == "0" || key.is_empty() {
            return Some(Remark::Kept);
        }
        let what = if folder.is_empty() { "the folder list".to_owned() } else { format!("collection {folder}") };
        let Some(given) = self.0.get(folder) else {
            let why = format!("the key of {what} was given before the recording begins");
            self.learn(seen, folder.to_owned(), key.to_owned());
            return Some(Remark::Unclear(why));
        };
        let Some(place) = given.iter().rposition(|(known, _)| known == key) else {
            let expected = format!("a key that the server gave for {what}");
            let remark = match seen.excuse() {
                Some(why) => Remark::Unclear(format!("`{key}` was not seen as a key of {what}, and {why}")),
                None => Remark::broken(Level::Must, expected, format!("SyncKey `{key}`")),
            };
            self.learn(seen, folder.to_owned(), key.to_owned());
            return Some(remark);
        };
        // Stale is what two later keys had replaced before the request left.
        let replaced = given.iter().skip(place + 1).filter(|(_, at)| *at <= seen.sent()).count();
        Some(match (replaced, seen.gap) {
            (0 | 1, _) => Remark::Kept,
            (_, Some(gap)) => Remark::Unclear(format!("`{key}` of {what} is old, and exchange {} is not whole", gap.0)),
            (_, None) => Remark::broken(
                Level::Should,
                format!("the last key of {what}"),
                format!("SyncKey `{key}`, after which {replaced} others were given"),
            ),
        })
    }

    fn learn(&mut self, seen: &Seen<'_>, folder: String, key: String) {
        if key == "0" || key.is_empty() || self.0.len() >= MOST_FOLDERS && !self.0.contains_key(&folder) {
            return;
        }
        let given = self.0.entry(folder).or_default();
        if given.last().is_some_and(|(last, _)| *last == key) {
            return;
        }
        if given.len() >= MOST_KEYS {
            given.remove(0);
        }
        given.push((key, seen.done()));
    }
}

/// Folder and key of every key in a document.
fn keys(seen: &Seen<'_>, root: Option<Element<'_>>) -> Vec<(String, String)> {
    let Some(root) = root else { return Vec::new() };
    match seen.decoded.command() {
        Some(Command::Sync) => {
            let collections = root.all(air_sync::COLLECTIONS).flat_map(|all| all.all(air_sync::COLLECTION));
            let read = |collection: Element<'_>| {
                let folder = collection.child_text(air_sync::COLLECTION_ID)?;
                Some((folder.trim().to_owned(), collection.child_text(air_sync::SYNC_KEY)?.trim().to_owned()))
            };
            collections.filter_map(read).collect()
        }
        Some(Command::FolderSync | Command::FolderCreate | Command::FolderDelete | Command::FolderUpdate) => {
            let key = root.child_text(hierarchy::SYNC_KEY);
            key.map(|key| (String::new(), key.trim().to_owned())).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

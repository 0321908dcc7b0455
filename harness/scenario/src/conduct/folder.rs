//! A device names only folders that it was told of.

use std::collections::BTreeSet;

use easrig_eas::{
    Command, Version,
    command::folder_sync::{Change, Request, Response},
};
use easrig_wbxml::tags::{air_sync, folder_hierarchy as hierarchy, get_item_estimate as estimate, move_items, ping};

use super::{Conduct, Remark, Seen, Watch};
use crate::Level;

pub(super) const CONDUCT: Conduct = Conduct {
    name: "folder-id",
    title: "A device names only folders that FolderSync told it of",
    why: "The server does not know the folder and asks for FolderSync; the phone shows an empty folder.",
    watch: || Box::new(Folders::default()),
};

/// The most folders that are remembered; a longer list is not judged.
const MOST_FOLDERS: usize = 20_000;

/// The folders of a list that was seen from its beginning; `None` while there is none.
#[derive(Debug, Default)]
struct Folders(Option<BTreeSet<String>>);

impl Watch for Folders {
    fn look(&mut self, seen: &Seen<'_>, out: &mut Vec<Remark>) {
        if let Some(known) = &self.0 {
            for id in named(seen) {
                out.push(match (known.contains(&id), seen.gap) {
                    (true, _) => Remark::Kept,
                    (false, Some(gap)) => {
                        Remark::Unclear(format!("folder `{id}` was not told of, and exchange {} is not whole", gap.0))
                    }
                    (false, None) => {
                        Remark::broken(Level::Must, "a folder that FolderSync told of", format!("folder `{id}`"))
                    }
                });
            }
        }
        self.learn(seen);
    }
}

impl Folders {
    fn learn(&mut self, seen: &Seen<'_>) {
        let (request, answer) = (seen.decoded.request.document(), seen.decoded.answer.document());
        match (seen.decoded.command(), answer.filter(|_| seen.whole)) {
            (Some(Command::FolderSync), Some(answer)) => {
                let first = request.and_then(|document| Request::from_document(document, Version::V14_1).ok());
                let Ok(said) = Response::from_document(answer, Version::V14_1) else { return };
                if said.status.0 != 1 {
                    return;
                }
                if first.is_some_and(|request| request.sync_key.is_initial()) {
                    self.0 = Some(BTreeSet::new());
                }
                let Some(known) = &mut self.0 else { return };
                for change in said.changes.into_iter().flat_map(|changes| changes.changes) {
                    // A folder that is gone may still be named by a request that was under way.
                    if let Change::Add(folder) | Change::Update(folder) = change {
                        known.insert(folder.server_id.0);
                    }
                }
                if known.len() > MOST_FOLDERS {
                    self.0 = None;
                }
            }
            // A list that changed unseen is no list any more.
            (Some(Command::FolderSync), None) => self.0 = None,
            (Some(Command::FolderCreate), Some(answer)) => {
                if let (Some(known), Some(id)) = (&mut self.0, answer.root().child_text(hierarchy::SERVER_ID)) {
                    known.insert(id.trim().to_owned());
                }
            }
            _ => {}
        }
    }
}

/// The folders that a request names.
fn named(seen: &Seen<'_>) -> Vec<String> {
    let Some(root) = seen.decoded.request.root() else { return Vec::new() };
    let (tag, parent) = match seen.decoded.command() {
        Some(Command::Sync) => (air_sync::COLLECTION_ID, air_sync::COLLECTION),
        Some(Command::Ping) => (ping::ID, ping::FOLDER),
        Some(Command::GetItemEstimate) => (estimate::COLLECTION_ID, estimate::COLLECTION),
        Some(Command::MoveItems) => (move_items::DST_FLD_ID, move_items::MOVE),
        _ => return Vec::new(),
    };
    let parents = root.descendants().filter(|element| element.tag() == parent);
    let ids = parents.filter_map(|parent| parent.child_text(tag));
    let ids: BTreeSet<String> = ids.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect();
    ids.into_iter().collect()
}

use std::collections::HashSet;

use easrig_scenario::difference::{Comparison, Kind, Owned, Rule, Stray, Terms, compare_strays, owned, owned_value};
use easrig_scenario::{Content, Decoded};
use easrig_wbxml::Element;

/// Items of one device that only one side has brought so far: they may have come in other windows.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    lost: Vec<(usize, Stray)>,
    extra: Vec<(usize, Stray)>,
    /// Items that the target has brought, by its folder and id.
    delivered: HashSet<(String, String)>,
    /// Folders of the target of which more was promised than was asked for.
    unfinished: HashSet<String>,
    /// The same in the recording, by its folder.
    unfinished_before: HashSet<String>,
}

/// An item that only one side has brought.
pub(super) struct Alone {
    /// The row of the answer that one side has it in.
    pub(super) row: usize,
    pub(super) stray: Stray,
    /// Whether it may still be on its way: the target has more for its folder than was asked for.
    pub(super) has_more: bool,
}

impl Ledger {
    /// Takes the strays of the answer to row `index`.
    pub(super) fn take(&mut self, index: usize, comparison: &mut Comparison) {
        self.lost.extend(comparison.lost.drain(..).map(|stray| (index, stray)));
        for mut stray in comparison.extra.drain(..) {
            let id = id_of(stray.document.root());
            if id.is_some_and(|id| self.delivered.contains(&(stray.folder.clone(), id))) && stray.path.ends_with("/Add")
            {
                stray.difference.kind = Kind::ItemDoubled;
            }
            self.extra.push((index, stray));
        }
    }

    /// Remembers what an answer of the target has brought.
    pub(super) fn remember(&mut self, answer: &Decoded) {
        quiet(answer).for_each(|folder| {
            self.unfinished.remove(&folder);
        });
        for collection in answer.answer.root().into_iter().flat_map(Element::descendants).filter(is_collection) {
            let folder = super::compose::folder_of(collection).unwrap_or_default();
            match promises_more(collection) {
                true => self.unfinished.insert(folder.clone()),
                false => self.unfinished.remove(&folder),
            };
            let commands = collection.children().filter(|e| e.tag().name() == Some("Commands"));
            for command in commands.flat_map(Element::children) {
                let Some(id) = id_of(command) else { continue };
                match command.tag().name() {
                    Some("Add") => self.delivered.insert((folder.clone(), id)),
                    Some("Delete" | "SoftDelete") => self.delivered.remove(&(folder.clone(), id)),
                    _ => continue,
                };
            }
        }
    }

    /// Remembers of which folders the recording was promised more.
    pub(super) fn note_promises(&mut self, answer: &Decoded) {
        quiet(answer).for_each(|folder| {
            self.unfinished_before.remove(&folder);
        });
        for collection in answer.answer.root().into_iter().flat_map(Element::descendants).filter(is_collection) {
            let folder = super::compose::folder_of(collection).unwrap_or_default();
            match promises_more(collection) {
                true => self.unfinished_before.insert(folder),
                false => self.unfinished_before.remove(&folder),
            };
        }
    }

    /// A folder that is synchronised from the beginning brings everything again.
    pub(super) fn restart(&mut self, folder: &str) {
        self.delivered.retain(|(known, _)| known != folder);
    }

    /// Joins what was lost in one answer and came in another; gives what comparing them brought, with the later row.
    pub(super) fn join(&mut self, terms: Terms<'_>) -> Vec<(usize, Comparison)> {
        let mut joined = Vec::new();
        let mut at = 0;
        while let Some((lost_in, lost)) = self.lost.get(at) {
            let folder = terms.renamed.now(Owned::Folder, "", &lost.folder).unwrap_or_default();
            let found = self.extra.iter().enumerate().find_map(|(place, (came_in, extra))| {
                let elsewhere =
                    came_in != lost_in && extra.folder == folder && extra.difference.kind != Kind::ItemDoubled;
                let comparison = elsewhere.then(|| compare_strays(lost, extra, terms)).flatten()?;
                Some((place, (*came_in).max(*lost_in), comparison))
            });
            match found {
                Some((place, row, mut comparison)) => {
                    comparison.allowed.count(Rule::OtherWindow);
                    self.lost.remove(at);
                    self.extra.remove(place);
                    joined.push((row, comparison));
                }
                None => at += 1,
            }
        }
        joined
    }

    /// What stayed alone.
    pub(super) fn close(&mut self, now: &dyn Fn(&str) -> Option<String>) -> Vec<Alone> {
        let Self { lost, extra, unfinished, unfinished_before, .. } = self;
        let lost = lost.drain(..).map(|(row, stray)| {
            let is_open = now(&stray.folder).is_some_and(|folder| unfinished.contains(&folder));
            // Where the recording was not at its end either, both have come equally far.
            let has_more = is_open && !unfinished_before.contains(&stray.folder);
            Alone { row, stray, has_more }
        });
        lost.chain(extra.drain(..).map(|(row, stray)| Alone { row, stray, has_more: false })).collect()
    }
}

fn is_collection(element: &Element<'_>) -> bool {
    element.tag().namespace() == Some("AirSync") && element.tag().name() == Some("Collection")
}

/// The folders of a Sync that was answered with nothing: there is no more of them.
fn quiet(answer: &Decoded) -> impl Iterator<Item = String> {
    let is_quiet = answer.http == Some(200) && matches!(answer.answer, Content::Empty);
    let asked = answer.request.root().filter(|_| is_quiet).into_iter().flat_map(Element::descendants);
    asked.filter(is_collection).filter_map(super::compose::folder_of)
}

fn promises_more(collection: Element<'_>) -> bool {
    collection.children().any(|e| e.tag().name() == Some("MoreAvailable"))
}

fn id_of(element: Element<'_>) -> Option<String> {
    element.children().find(|child| owned(child.tag()) == Some(Owned::Item)).map(owned_value)
}

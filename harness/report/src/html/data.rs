//! What the script of the page needs to know: the words of every language, and what there is to say of cells that have no
//! place of their own in the page.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use easrig_scenario::{Level, Requirement, Verdict};
use serde::Serialize;

use super::Maker;
use crate::{Language, safe, safe::steers, terminal::word, told::Told, words::Entry};

#[derive(Serialize)]
struct Data<'r> {
    words: BTreeMap<&'r str, &'r BTreeMap<String, Entry>>,
    /// What a command that shows a cell begins with; empty when there is no folder.
    show: String,
    scenarios: BTreeMap<&'r str, Card<'r>>,
    requirements: BTreeMap<&'r str, &'static str>,
    /// The texts that cells have in common.
    texts: Vec<Told>,
    /// What is worth knowing of a cell: its reason, then its notes, as places in `texts`.
    cells: BTreeMap<&'r str, BTreeMap<String, Vec<usize>>>,
}

/// A scenario: title, why it matters, level, requirements.
#[derive(Serialize)]
struct Card<'r>(Cow<'r, str>, Option<Cow<'r, str>>, &'static str, &'r [String]);

/// As JSON that can stand in a `script` element, whatever is in it.
pub(super) fn data(maker: &Maker<'_>) -> String {
    let run = maker.run;
    let mut texts = Texts::default();
    let mut cells: BTreeMap<&str, BTreeMap<String, Vec<usize>>> = BTreeMap::new();
    // Those that stand in the page by themselves too: the script shows a cell the same way wherever it is asked for.
    for cell in &run.cells {
        let said: Vec<&str> =
            std::iter::once(cell.reason.as_str()).chain(cell.notes.iter().map(String::as_str)).collect();
        if said.iter().all(|text| text.is_empty()) {
            continue;
        }
        let version = cell.id.version.map(|version| version.to_string()).unwrap_or_default();
        let column = format!("{}~{version}", cell.id.persona);
        let places = said.into_iter().map(|text| texts.place(text)).collect();
        cells.entry(&cell.id.scenario).or_default().insert(column, places);
    }
    let level = |level| match level {
        Level::Must => "level.must",
        Level::Should => "level.should",
        Level::Robust => "level.robust",
    };
    let shown = run.cells.iter().filter(|cell| cell.verdict != Verdict::Skipped);
    let shown: BTreeSet<&str> = shown.map(|cell| cell.id.scenario.as_str()).collect();
    let cards = run.scenarios.iter().map(|(id, card)| {
        (id.as_str(), Card(safe(&card.title), card.why.as_deref().map(safe), level(card.level), &card.requirements))
    });
    let requirements =
        run.scenarios.iter().filter(|(id, _)| shown.contains(id.as_str())).flat_map(|(_, card)| &card.requirements);
    let data = Data {
        words: Language::all().iter().map(|language| (language.code(), language.entries())).collect(),
        show: if maker.of.folder.is_empty() {
            String::new()
        } else {
            format!("easrig show {} --cell ", word(maker.of.folder))
        },
        scenarios: cards.collect(),
        requirements: requirements.filter_map(|id| Some((id.as_str(), Requirement::find(id)?.paraphrase))).collect(),
        texts: texts.all.into_iter().map(|text| maker.words.told(&safe(text))).collect(),
        cells,
    };
    // Nothing in it has keys other than strings, which is all that can fail.
    in_html(&serde_json::to_string(&data).unwrap_or_default())
}

/// Each text once.
#[derive(Default)]
struct Texts<'r> {
    all: Vec<&'r str>,
    places: HashMap<&'r str, usize>,
}

impl<'r> Texts<'r> {
    fn place(&mut self, text: &'r str) -> usize {
        *self.places.entry(text).or_insert_with(|| {
            self.all.push(text);
            self.all.len() - 1
        })
    }
}

/// `<` would end the element, and what steers a reader's eye is written as `safe` writes it.
pub(super) fn in_html(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            c if steers(c) => out.push_str(&format!("\\\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

//! Which requirements of the standard were judged, and what became of them.

use std::collections::{BTreeMap, BTreeSet};

use easrig_scenario::{Requirement, Verdict};

use crate::{html::Maker, words::Text};

pub(in crate::html) struct Coverage {
    pub(in crate::html) sum: Text,
    pub(in crate::html) documents: Vec<Document>,
    /// Every one that was judged: id, what it says, whether it was broken.
    pub(in crate::html) rows: Vec<(String, &'static str, bool)>,
}

/// A document of the standard.
pub(in crate::html) struct Document {
    pub(in crate::html) name: String,
    pub(in crate::html) judged: usize,
    pub(in crate::html) kept: usize,
    pub(in crate::html) broken: usize,
    pub(in crate::html) known: usize,
}

impl Coverage {
    pub(super) fn of(maker: &Maker<'_>) -> Option<Self> {
        let run = maker.run;
        let mut judged: BTreeSet<&str> = BTreeSet::new();
        let mut broken: BTreeSet<&str> = BTreeSet::new();
        let told = |verdict| !matches!(verdict, Verdict::Skipped | Verdict::Inconclusive | Verdict::Blocked);
        let scenarios: BTreeSet<&str> =
            run.cells.iter().filter(|cell| told(cell.verdict)).map(|cell| cell.id.scenario.as_str()).collect();
        for id in scenarios {
            judged.extend(run.scenarios.get(id).iter().flat_map(|card| &card.requirements).map(String::as_str));
        }
        for finding in run.cells.iter().flat_map(|cell| &cell.findings) {
            broken.insert(&finding.requirement);
        }
        judged.extend(&broken);
        judged.retain(|id| Requirement::find(id).is_some());
        broken.retain(|id| Requirement::find(id).is_some());
        if judged.is_empty() {
            return None;
        }
        let mut documents: BTreeMap<&str, Document> = BTreeMap::new();
        for id in &judged {
            let document = documents.entry(document(id)).or_insert_with_key(|name| Document {
                name: (*name).to_owned(),
                judged: 0,
                kept: 0,
                broken: 0,
                known: Requirement::all().iter().filter(|row| self::document(row.id) == *name).count(),
            });
            document.judged += 1;
            if broken.contains(id) {
                document.broken += 1;
            } else {
                document.kept += 1;
            }
        }
        let row = |id: &&str| {
            let says = Requirement::find(id).map_or("", |row| row.paraphrase);
            ((*id).to_owned(), says, broken.contains(id))
        };
        let sum = vec![
            ("n", judged.len().into()),
            ("kept", (judged.len() - broken.len()).into()),
            ("broken", broken.len().into()),
            // How many the table of requirements has.
            ("known", Requirement::all().len().into()),
        ];
        let sum = maker.words.with("coverage.sum", sum);
        Some(Self { sum, documents: documents.into_values().collect(), rows: judged.iter().map(row).collect() })
    }
}

/// `MS-ASCMD` of `MS-ASCMD_R115`.
fn document(id: &str) -> &str {
    id.rsplit_once("_R").map_or(id, |(document, _)| document)
}

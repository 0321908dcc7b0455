//! The requirement ids of the standard, each with a paraphrase in a line.

use std::{collections::HashMap, sync::LazyLock};

/// One statement of the standard that can be kept or broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Its id, such as `MS-ASCMD_R4771`; section numbers move, ids do not.
    pub id: &'static str,
    /// The section it stands in.
    pub section: &'static str,
    /// What it says, in our words.
    pub paraphrase: &'static str,
    /// `MUST`, `SHOULD`, or nothing when the text uses neither word.
    pub modal: Option<&'static str>,
    /// `behaviour` or `shape`.
    pub kind: &'static str,
    /// The id it was derived from, if any.
    pub derived_from: Option<&'static str>,
}

impl Requirement {
    /// Every requirement, in the table's order.
    pub fn all() -> &'static [Requirement] {
        &TABLE
    }

    /// The requirement of this id; case matters.
    pub fn find(id: &str) -> Option<&'static Requirement> {
        BY_ID.get(id).and_then(|index| TABLE.get(*index))
    }

    /// The id most like `id`, when one is like it at all.
    pub fn suggest(id: &str) -> Option<&'static str> {
        let wanted = id.trim().to_ascii_uppercase();
        if let Some(row) = Self::find(&wanted) {
            return Some(row.id);
        }
        // A number that is not in its document is no slip of spelling: any id offered would be a guess.
        let (document, number) = wanted.rsplit_once("_R")?;
        if TABLE.iter().any(|row| row.id.rsplit_once("_R").is_some_and(|(known, _)| known == document)) {
            return None;
        }
        TABLE
            .iter()
            .filter(|row| row.id.rsplit_once("_R").is_some_and(|(_, known)| known == number))
            .map(|row| (strsim::jaro_winkler(row.id, &wanted), row.id))
            .filter(|(likeness, _)| *likeness > 0.85)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, id)| id)
    }
}

const DATA: &str = include_str!("../data/requirements.tsv");

static TABLE: LazyLock<Vec<Requirement>> = LazyLock::new(|| DATA.lines().skip(1).filter_map(read_row).collect());

static BY_ID: LazyLock<HashMap<&'static str, usize>> =
    LazyLock::new(|| TABLE.iter().enumerate().map(|(index, row)| (row.id, index)).collect());

fn read_row(line: &'static str) -> Option<Requirement> {
    let mut cells = line.split('\t');
    let mut next = || cells.next().map(str::trim);
    Some(Requirement {
        id: next().filter(|id| !id.is_empty())?,
        section: next()?,
        paraphrase: next()?,
        modal: next().filter(|modal| matches!(*modal, "MUST" | "SHOULD")),
        kind: next()?,
        derived_from: next().filter(|id| !id.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_is_there_and_every_id_is_found() {
        assert_eq!(Requirement::all().len(), 4242);
        assert_eq!(BY_ID.len(), 4242);
        for row in Requirement::all() {
            assert_eq!(Requirement::find(row.id), Some(row));
        }
    }

    #[test]
    fn a_row_is_read_cell_by_cell() {
        let row = Requirement::find("MS-ASCMD_R3836").expect("in the table");
        assert_eq!(row.section, "2.2.3.154");
        assert_eq!(row.paraphrase, "A Responses node is never empty");
        assert_eq!((row.modal, row.kind, row.derived_from), (Some("MUST"), "shape", None));
    }

    #[test]
    fn a_misspelt_id_brings_a_suggestion() {
        assert_eq!(Requirement::suggest("MS-ASCDM_R3836"), Some("MS-ASCMD_R3836"));
        assert_eq!(Requirement::suggest("ms-ascmd_r3836"), Some("MS-ASCMD_R3836"));
        assert_eq!(Requirement::suggest("hello"), None);
        assert_eq!(Requirement::suggest("MS-ASPROV_R411"), None);
        assert_eq!(Requirement::find("MS-ASCMD_R0"), None);
    }
}

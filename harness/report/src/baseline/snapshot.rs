use std::{collections::BTreeMap, fmt};

use easrig_scenario::CellId;

use crate::safe;

/// One snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Where it stands.
    pub path: SnapshotPath,
    /// The cell it is about; `None` for the one that is about all.
    pub cell: Option<CellId>,
    /// What it is about, in a line.
    pub title: String,
    /// What `easrig compare` wants to know of it beside that; no part of what is approved.
    pub about: BTreeMap<String, String>,
    /// What it says; lines, the last one ended as well.
    pub contents: String,
}

/// Where a snapshot stands below the folder of its baseline, with `/` between folders; never outside of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotPath(String);

/// A snapshot file, taken apart.
pub(super) struct Head<'t> {
    pub(super) expression: Option<String>,
    pub(super) about: BTreeMap<String, String>,
    pub(super) contents: &'t str,
}

impl Snapshot {
    /// The file as insta writes it: a header in YAML, then the contents.
    pub fn to_text(&self) -> String {
        let mut out = "---\n".to_owned();
        if let Some(cell) = &self.cell {
            out.push_str(&format!("source: {}\n", quoted(&format!("scenarios/{}.toml", cell.scenario))));
        }
        if !self.title.is_empty() {
            out.push_str(&format!("description: {}\n", quoted(&self.title)));
        }
        let of = self.cell.as_ref().map_or_else(|| "verdicts".to_owned(), ToString::to_string);
        out.push_str(&format!("expression: {}\n", quoted(&of)));
        if !self.about.is_empty() {
            let safe = |(key, value): (&String, &String)| (safe(key).into_owned(), safe(value).into());
            let about: serde_json::Map<String, serde_json::Value> = self.about.iter().map(safe).collect();
            out.push_str(&format!("info: {}\n", serde_json::Value::Object(about)));
        }
        out.push_str(&format!("---\n{}", self.contents));
        out
    }

    /// What a snapshot file says, without its header; `None` when it has none.
    pub fn contents_of(text: &str) -> Option<&str> {
        Self::head_of(text).map(|head| head.contents)
    }

    /// What a snapshot file says, with what its header says; `None` when it has none.
    pub(super) fn head_of(text: &str) -> Option<Head<'_>> {
        let behind = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n"))?;
        let mut head = Head { expression: None, about: BTreeMap::new(), contents: "" };
        let (mut at, mut inside) = (0_usize, "");
        for line in behind.split_inclusive('\n') {
            at = at.saturating_add(line.len());
            let line = line.trim_end();
            if line == "---" {
                head.contents = behind.get(at..).unwrap_or_default();
                return Some(head);
            }
            let Some((key, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match key {
                "expression" => head.expression = Some(scalar(value)),
                // We write it in one line; insta, when somebody accepts a snapshot with it, in several.
                "info" => head.about = serde_json::from_str(value).unwrap_or_default(),
                _ if key.starts_with(' ') && inside == "info" => {
                    head.about.insert(scalar(key.trim()), scalar(value));
                }
                _ => {}
            }
            if !key.starts_with(' ') {
                inside = key;
            }
        }
        None
    }

    /// Whether a file says what this snapshot says. Line ends and those at the end of the text do not count.
    pub fn is_in(&self, text: &str) -> bool {
        Self::contents_of(text).is_some_and(|said| Self::same(said, &self.contents))
    }

    /// Whether two snapshots say the same. Line ends and those at the end of the text do not count.
    pub(super) fn same(one: &str, other: &str) -> bool {
        one.trim_end().lines().eq(other.trim_end().lines())
    }
}

impl SnapshotPath {
    /// That of the one about all cells.
    pub fn overview() -> Self {
        Self("verdicts.snap".to_owned())
    }

    pub(super) fn of_cell(scenario: &str, persona: &str, version: Option<&str>) -> Self {
        let folders: Vec<String> = scenario.split('/').map(component).collect();
        let version = version.map(|version| format!("@{version}")).unwrap_or_default();
        Self(format!("{}/{}.snap", folders.join("/"), component(&format!("{persona}{version}"))))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SnapshotPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One name of a path; a run file is not trusted to hold only names.
fn component(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '@') { c } else { '_' };
    let name: String = name.chars().take(120).map(plain).collect();
    if name.is_empty() || name.starts_with('.') { format!("_{name}") } else { name }
}

/// The text of a YAML scalar, plain or quoted.
fn scalar(text: &str) -> String {
    let single = || text.strip_prefix('\'')?.strip_suffix('\'').map(|text| text.replace("''", "'"));
    let double = || serde_json::from_str(text).ok();
    if text.starts_with('"') { double() } else { single() }.unwrap_or_else(|| text.to_owned())
}

/// A YAML scalar: JSON's strings are a subset of YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(safe(text)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_never_leaves_its_folder() {
        for (scenario, persona, path) in [
            ("sync/a", "wp7.5", "sync/a/wp7.5.snap"),
            ("../../etc", "/root", "_../_../etc/_root.snap"),
            ("", "..", "_/_...snap"),
            ("a//b", "c\\d e", "a/_/b/c_d_e.snap"),
        ] {
            assert_eq!(SnapshotPath::of_cell(scenario, persona, None).as_str(), path);
        }
        assert_eq!(SnapshotPath::of_cell("sync/a", "wp7", Some("14.1")).as_str(), "sync/a/wp7@14.1.snap");
    }

    #[test]
    fn the_header_and_line_ends_do_not_count() {
        let snapshot = Snapshot {
            path: SnapshotPath::overview(),
            cell: None,
            title: "all: \"quoted\"".into(),
            about: BTreeMap::new(),
            contents: "a\nb\n".into(),
        };
        let text = snapshot.to_text();
        assert!(snapshot.is_in(&text) && snapshot.is_in(&text.replace('\n', "\r\n")));
        assert!(snapshot.is_in("---\nsource: x\nassertion_line: 7\n---\na\nb"));
        assert!(!snapshot.is_in("---\n---\na\n") && !snapshot.is_in("a\nb\n"));
    }
}

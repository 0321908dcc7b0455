//! Scenarios, personas and profiles: those in the binary, and those in folders that the user named.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use easrig_persona::Persona;
use easrig_scenario::Scenario;
use include_dir::{Dir, include_dir};
use miette::{Diagnostic, IntoDiagnostic as _, WrapErr as _, miette};
use thiserror::Error;

use crate::suggest;

static BUILT_IN: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../scenarios");

/// The deepest folder that is looked into, and the most files that are read.
const MAX_DEPTH: usize = 8;
const MAX_FILES: usize = 20_000;

/// Texts by id; nothing is parsed before it is asked for, so that `--help` and `decode` start at once.
pub(crate) struct Library {
    scenarios: BTreeMap<String, Text>,
    personas: BTreeMap<String, Text>,
    profiles: BTreeMap<String, Text>,
}

/// One file: where it is, for people, and what it says.
#[derive(Clone)]
struct Text {
    name: String,
    text: String,
}

/// A name that nobody has.
#[derive(Debug, Error, Diagnostic)]
#[error("there is no {kind} `{name}`")]
#[diagnostic(code(library::unknown))]
pub(crate) struct Unknown {
    kind: &'static str,
    name: String,
    #[help]
    help: String,
}

impl Library {
    /// The built-in files, with those of the folders added or in their place.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub(crate) fn open(scenarios: Option<&Path>, personas: Option<&Path>) -> miette::Result<Self> {
        let mut library = Self::built_in();
        if let Some(dir) = scenarios {
            for (id, text) in files_below(dir)? {
                match id.split_once('/') {
                    Some(("personas", id)) => library.personas.insert(id.to_owned(), text),
                    Some(("profiles", id)) => library.profiles.insert(id.to_owned(), text),
                    _ => library.scenarios.insert(id, text),
                };
            }
        }
        if let Some(dir) = personas {
            library.personas.extend(files_below(dir)?);
        }
        Ok(library)
    }

    fn built_in() -> Self {
        let mut library = Self { scenarios: BTreeMap::new(), personas: BTreeMap::new(), profiles: BTreeMap::new() };
        let mut folders = vec![&BUILT_IN];
        while let Some(folder) = folders.pop() {
            folders.extend(folder.dirs());
            for file in folder.files() {
                let path = file.path().to_string_lossy().replace('\\', "/");
                let (Some(id), Some(text)) = (path.strip_suffix(".toml"), file.contents_utf8()) else { continue };
                let (place, id) = match id.split_once('/') {
                    Some(("personas", id)) => (&mut library.personas, id),
                    Some(("profiles", id)) => (&mut library.profiles, id),
                    _ => (&mut library.scenarios, id),
                };
                place.insert(id.to_owned(), Text { name: format!("scenarios/{path}"), text: text.to_owned() });
            }
        }
        library
    }

    /// The ids of all scenarios, in the order of the alphabet.
    pub(crate) fn scenario_ids(&self) -> impl Iterator<Item = &str> {
        self.scenarios.keys().map(String::as_str)
    }

    /// The ids of all personas, in the order of the alphabet.
    pub(crate) fn persona_ids(&self) -> impl Iterator<Item = &str> {
        self.personas.keys().map(String::as_str)
    }

    /// Names and texts of all profiles.
    pub(crate) fn profiles(&self) -> impl Iterator<Item = (&str, &str)> {
        self.profiles.iter().map(|(id, file)| (id.as_str(), file.text.as_str()))
    }

    /// The scenario of this id.
    ///
    /// # Errors
    /// When there is none, and when its file is wrong.
    pub(crate) fn scenario(&self, id: &str) -> miette::Result<Scenario> {
        let Some(file) = self.scenarios.get(id) else {
            let help = suggest::help(id, self.scenario_ids(), "easrig list scenarios");
            return Err(Unknown { kind: "scenario", name: id.to_owned(), help }.into());
        };
        Ok(Scenario::parse(&file.name, &file.text)?)
    }

    /// Every scenario whose id begins with one of `prefixes`; all of them when there are none.
    ///
    /// # Errors
    /// When a prefix fits nothing, and when a file is wrong.
    pub(crate) fn scenarios(&self, prefixes: &[String]) -> miette::Result<Vec<Arc<Scenario>>> {
        let fits = |id: &str| prefixes.is_empty() || prefixes.iter().any(|prefix| is_prefix(prefix, id));
        self.scenario_ids().filter(|id| fits(id)).map(|id| self.scenario(id).map(Arc::new)).collect()
    }

    /// The persona of this id, or of a file that is named by its path.
    ///
    /// # Errors
    /// When there is none, and when its file is wrong.
    pub(crate) fn persona(&self, id: &str) -> miette::Result<Persona> {
        if id.ends_with(".toml") {
            let path = Path::new(id);
            let (id, file) = read_file(path.parent().unwrap_or(Path::new("")), path)?;
            return persona(&id, &file);
        }
        let Some(file) = self.personas.get(id) else {
            let help = suggest::help(id, self.persona_ids(), "easrig list personas");
            return Err(Unknown { kind: "persona", name: id.to_owned(), help }.into());
        };
        persona(id, file)
    }

    /// The personas of these ids, in this order; every one when the list holds `all`.
    ///
    /// # Errors
    /// As [`Library::persona`].
    pub(crate) fn personas(&self, ids: &[String]) -> miette::Result<Vec<Arc<Persona>>> {
        if ids.iter().any(|id| id == "all") {
            return self.persona_ids().map(|id| self.persona(id).map(Arc::new)).collect();
        }
        let mut chosen: Vec<Arc<Persona>> = Vec::new();
        for id in ids {
            let persona = self.persona(id.trim())?;
            if chosen.iter().all(|known| known.id() != persona.id()) {
                chosen.push(Arc::new(persona));
            }
        }
        Ok(chosen)
    }
}

fn persona(id: &str, file: &Text) -> miette::Result<Persona> {
    let persona = Persona::parse(&file.name, &file.text)?;
    if persona.id() != id {
        return Err(miette!("`{}` says `id = \"{}\"`, and its name says `{id}`", file.name, persona.id()));
    }
    Ok(persona)
}

/// Whether a selector chooses a scenario: the id itself, a folder, or any beginning.
pub(crate) fn is_prefix(selector: &str, id: &str) -> bool {
    id.starts_with(selector.trim_end_matches(".toml").trim_start_matches("scenarios/"))
}

fn files_below(dir: &Path) -> miette::Result<Vec<(String, Text)>> {
    let mut found = Vec::new();
    let mut folders = vec![(dir.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let named = || format!("the folder `{}` cannot be read", folder.display());
        for entry in fs::read_dir(&folder).into_diagnostic().wrap_err_with(named)? {
            let path = entry.into_diagnostic().wrap_err_with(named)?.path();
            if path.is_dir() && depth < MAX_DEPTH {
                folders.push((path, depth + 1));
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                found.push(read_file(dir, &path)?);
                if found.len() > MAX_FILES {
                    return Err(miette!("`{}` has more than {MAX_FILES} files", dir.display()));
                }
            }
        }
    }
    Ok(found)
}

fn read_file(dir: &Path, path: &Path) -> miette::Result<(String, Text)> {
    let below = path.strip_prefix(dir).unwrap_or(path).to_string_lossy().replace('\\', "/");
    let text = fs::read_to_string(path).into_diagnostic().wrap_err_with(|| format!("`{}`", path.display()))?;
    let id = below.strip_suffix(".toml").unwrap_or(&below).to_owned();
    Ok((id, Text { name: below, text }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_file_is_sound() {
        let library = Library::built_in();
        assert!(library.scenarios(&[]).unwrap().len() > 10);
        assert!(library.personas(&["all".into()]).unwrap().len() >= 8);
    }

    #[test]
    fn a_file_of_the_user_stands_in_for_a_built_in_one() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("mine")).unwrap();
        let text = "id = \"mine/own\"\ntitle = \"t\"\nreq = []\neffects = \"reads\"\n\n[[step]]\nsend = \"OPTIONS\"\n[step.expect]\nhttp = 200\n";
        fs::write(dir.path().join("mine/own.toml"), text).unwrap();
        let library = Library::open(Some(dir.path()), None).unwrap();
        assert!(library.scenario_ids().any(|id| id == "mine/own"));
        assert!(library.scenario_ids().any(|id| id.starts_with("journeys/")));
    }

    #[test]
    fn an_unknown_name_brings_a_suggestion() {
        let error = Library::built_in().persona("wp-7").unwrap_err();
        assert!(error.help().unwrap().to_string().contains("wp7"), "{error:?}");
    }
}

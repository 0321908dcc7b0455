//! Reading a persona file key by key, so that every complaint points at its place.

use std::{cell::RefCell, ops::Range, sync::Arc};

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{Confidence, Sourced};

/// What is wrong with a persona file, and where.
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
#[diagnostic(code(persona::file))]
pub struct PersonaError {
    message: String,
    #[source_code]
    file: Arc<NamedSource<String>>,
    #[label("{label}")]
    at: SourceSpan,
    label: String,
    #[help]
    help: Option<String>,
}

/// A value that a file can hold.
pub(super) trait FromToml: Sized {
    /// The value, or what was expected instead.
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Wrong>;
}

/// A value of the wrong kind.
pub(super) struct Wrong {
    expected: String,
    words: Vec<&'static str>,
}

impl Wrong {
    pub(super) fn expected(what: &str) -> Self {
        Self { expected: what.to_owned(), words: Vec::new() }
    }

    pub(super) fn one_of(words: &[&'static str]) -> Self {
        Self { expected: format!("one of `{}`", words.join("`, `")), words: words.to_vec() }
    }
}

/// The file, for complaints and defaults.
pub(super) struct File {
    name: String,
    text: String,
    evidence: String,
    confidence: Confidence,
    /// Stands for tables that are not there.
    nothing: DeTable<'static>,
    /// Every key that was asked for, with its table.
    #[cfg(test)]
    asked: RefCell<std::collections::BTreeSet<String>>,
}

impl File {
    pub(super) fn new(name: &str, text: &str) -> Self {
        let (name, text) = (name.to_owned(), text.to_owned());
        Self {
            name,
            text,
            evidence: String::new(),
            confidence: Confidence::Unverified,
            nothing: DeTable::new(),
            #[cfg(test)]
            asked: RefCell::default(),
        }
    }

    /// Sets what a plain value rests on.
    pub(super) fn defaults(&mut self, evidence: String, confidence: Confidence) {
        (self.evidence, self.confidence) = (evidence, confidence);
    }

    /// Every key that was asked for, with its tables.
    #[cfg(test)]
    pub(super) fn asked(&self) -> std::collections::BTreeSet<String> {
        self.asked.borrow().clone()
    }

    pub(super) fn evidence(&self) -> &str {
        &self.evidence
    }

    pub(super) fn confidence(&self) -> Confidence {
        self.confidence
    }

    pub(super) fn syntax(&self, error: &toml::de::Error) -> PersonaError {
        self.error(error.message().to_owned(), "here", error.span().unwrap_or_default(), None)
    }

    pub(super) fn error(&self, message: String, label: &str, at: Range<usize>, help: Option<String>) -> PersonaError {
        let file = Arc::new(NamedSource::new(&self.name, self.text.clone()));
        PersonaError { message, file, at: at.into(), label: label.to_owned(), help }
    }
}

/// One table of the file.
pub(super) struct Section<'f> {
    file: &'f File,
    name: String,
    table: &'f DeTable<'f>,
    at: Range<usize>,
    known: RefCell<Vec<&'static str>>,
}

impl<'f> Section<'f> {
    pub(super) fn root(file: &'f File, table: &'f Spanned<DeTable<'f>>) -> Self {
        Self { file, name: String::new(), table: table.get_ref(), at: 0..1, known: RefCell::default() }
    }

    /// The table `key`.
    pub(super) fn section(&self, key: &'static str) -> Result<Option<Section<'f>>, PersonaError> {
        let Some(found) = self.raw(key) else { return Ok(None) };
        let table = found.get_ref().as_table().ok_or_else(|| self.wrong(key, found, &Wrong::expected("a table")))?;
        Ok(Some(self.inner(self.path(key), table, found.span())))
    }

    /// The table `key`, which must be there.
    pub(super) fn need_section(&self, key: &'static str) -> Result<Section<'f>, PersonaError> {
        self.section(key)?.ok_or_else(|| self.missing(key))
    }

    /// The table `key`, or an empty one.
    pub(super) fn or_empty(&self, key: &'static str) -> Result<Section<'f>, PersonaError> {
        Ok(self.section(key)?.unwrap_or_else(|| self.inner(self.path(key), &self.file.nothing, self.at.clone())))
    }

    /// Whether there is a value for `key`.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.raw(key).is_some()
    }

    /// The tables of the list `key`.
    pub(super) fn sections(&self, key: &'static str) -> Result<Vec<Section<'f>>, PersonaError> {
        let Some(found) = self.raw(key) else { return Ok(Vec::new()) };
        let expected = || Wrong::expected("a list of tables");
        let rows = found.get_ref().as_array().ok_or_else(|| self.wrong(key, found, &expected()))?;
        rows.iter()
            .map(|row| {
                let table = row.get_ref().as_table().ok_or_else(|| self.wrong(key, row, &expected()))?;
                Ok(self.inner(self.path(key), table, row.span()))
            })
            .collect()
    }

    /// The plain value of `key`.
    pub(super) fn plain<T: FromToml>(&self, key: &'static str) -> Result<Option<T>, PersonaError> {
        let Some(found) = self.raw(key) else { return Ok(None) };
        self.read(key, found).map(Some)
    }

    /// The plain value of `key`, which must be there.
    pub(super) fn need_plain<T: FromToml>(&self, key: &'static str) -> Result<T, PersonaError> {
        self.plain(key)?.ok_or_else(|| self.missing(key))
    }

    /// The value of `key` with its evidence: plain, or a table of `value`, `evidence` and `confidence`.
    pub(super) fn value<T: FromToml>(&self, key: &'static str) -> Result<Option<Sourced<T>>, PersonaError> {
        let Some(found) = self.raw(key) else { return Ok(None) };
        let name = self.path(key);
        let Some(table) = found.get_ref().as_table() else {
            let (evidence, confidence) = (self.file.evidence.clone(), self.file.confidence);
            return Ok(Some(Sourced { value: self.read(key, found)?, evidence, confidence, key: name }));
        };
        let inner = self.inner(name.clone(), table, found.span());
        let value = inner.need_plain("value")?;
        let evidence = inner.plain("evidence")?.unwrap_or_else(|| self.file.evidence.clone());
        let confidence = inner.plain("confidence")?.unwrap_or(self.file.confidence);
        inner.finish()?;
        Ok(Some(Sourced { value, evidence, confidence, key: name }))
    }

    /// The value of `key`, which must be there.
    pub(super) fn need<T: FromToml>(&self, key: &'static str) -> Result<Sourced<T>, PersonaError> {
        self.value(key)?.ok_or_else(|| self.missing(key))
    }

    /// The value of `key`, or an assumption.
    pub(super) fn or<T: FromToml>(&self, key: &'static str, assumed: T) -> Result<Sourced<T>, PersonaError> {
        Ok(self.value(key)?.unwrap_or_else(|| Sourced::assumed(self.path(key), assumed)))
    }

    /// Refuses keys that nobody asked for.
    pub(super) fn finish(self) -> Result<(), PersonaError> {
        let known = self.known.borrow();
        let Some((key, _)) = self.table.iter().find(|(key, _)| !known.contains(&key.get_ref().as_ref())) else {
            return Ok(());
        };
        let name: &str = key.get_ref();
        Err(self.file.error(
            format!("unknown key `{name}`{}", self.place()),
            UNKNOWN,
            key.span(),
            nearest(name, &known),
        ))
    }

    /// A complaint about the value of `key`.
    pub(super) fn complain(&self, key: &'static str, message: String, help: Option<String>) -> PersonaError {
        let at = self.raw(key).map_or(self.at.clone(), Spanned::span);
        self.file.error(message, "this value", at, help)
    }

    fn inner(&self, name: String, table: &'f DeTable<'f>, at: Range<usize>) -> Section<'f> {
        Section { file: self.file, name, table, at, known: RefCell::default() }
    }

    fn raw(&self, key: &'static str) -> Option<&'f Spanned<DeValue<'f>>> {
        self.known.borrow_mut().push(key);
        #[cfg(test)]
        self.file.asked.borrow_mut().insert(self.path(key));
        self.table.iter().find(|(name, _)| name.get_ref().as_ref() == key).map(|(_, value)| value)
    }

    fn read<T: FromToml>(&self, key: &str, found: &Spanned<DeValue<'_>>) -> Result<T, PersonaError> {
        T::from_toml(found.get_ref()).map_err(|wrong| self.wrong(key, found, &wrong))
    }

    fn wrong(&self, key: &str, found: &Spanned<DeValue<'_>>, wrong: &Wrong) -> PersonaError {
        let shown = match found.get_ref().as_str() {
            Some(text) => format!("`{}`", text.chars().take(64).collect::<String>()),
            None => format!("of type {}", found.get_ref().type_str()),
        };
        let message = format!("`{}` is {shown}, expected {}", self.path(key), wrong.expected);
        let help = found.get_ref().as_str().and_then(|text| nearest(text, &wrong.words));
        self.file.error(message, "this value", found.span(), help)
    }

    /// A key that is not there; most often it is there under a name that is a slip.
    fn missing(&self, key: &'static str) -> PersonaError {
        let known = self.known.borrow();
        let mut unasked = self.table.keys().filter(|name| !known.contains(&name.get_ref().as_ref()));
        let slip = unasked.find_map(|name| Some((name, nearest(name.get_ref(), &[key])?)));
        if let Some((name, help)) = slip {
            let message = format!("unknown key `{}`{}", name.get_ref(), self.place());
            return self.file.error(message, UNKNOWN, name.span(), Some(help));
        }
        let message = format!("key `{key}` is missing{}", self.place());
        self.file.error(message, "in this table", self.at.clone(), None)
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    fn place(&self) -> String {
        if self.name.is_empty() { String::new() } else { format!(" in `{}`", self.name) }
    }
}

/// What stands under a key that nobody asked for.
const UNKNOWN: &str = "not a key of persona files";

fn nearest(found: &str, words: &[&'static str]) -> Option<String> {
    words
        .iter()
        .map(|word| (strsim::damerau_levenshtein(found, word), word))
        .filter(|(distance, word)| *distance <= word.len().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| format!("did you mean `{word}`?"))
}

impl FromToml for String {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Wrong> {
        value.as_str().map(str::to_owned).ok_or_else(|| Wrong::expected("a text"))
    }
}

impl FromToml for bool {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Wrong> {
        value.as_bool().ok_or_else(|| Wrong::expected("true or false"))
    }
}

impl FromToml for u32 {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Wrong> {
        value
            .as_integer()
            .and_then(|number| u32::from_str_radix(number.as_str(), number.radix()).ok())
            .ok_or_else(|| Wrong::expected("a whole number from 0 to 4294967295"))
    }
}

impl<T: FromToml> FromToml for Vec<T> {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let list = value.as_array().ok_or_else(|| Wrong::expected("a list"))?;
        list.iter().map(|item| T::from_toml(item.get_ref())).collect()
    }
}

impl FromToml for Confidence {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let words = Self::WORDS.map(|(word, _)| word);
        let found = value.as_str().and_then(|text| Self::WORDS.iter().find(|(word, _)| *word == text));
        found.map(|(_, confidence)| *confidence).ok_or_else(|| Wrong::one_of(&words))
    }
}

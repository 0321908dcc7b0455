//! The catalogue: every word of the pages that does not come from a run, and what becomes of phones after an upgrade, in
//! each language (`words/*.toml`).

use std::{borrow::Borrow, collections::BTreeMap, fmt, sync::LazyLock};

use icu_locale_core::Locale;
use icu_plurals::{PluralCategory, PluralRules};
use include_dir::{Dir, include_dir};
use serde::{Serialize, ser::SerializeMap as _};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/words");

static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| {
    let files = FILES.files().filter(|file| file.path().extension().is_some_and(|ending| ending == "toml"));
    let mut all: Vec<Language> = files.filter_map(|file| read(file.path().file_stem()?.to_str()?, file)).collect();
    all.sort_by(|a, b| a.code.cmp(&b.code));
    all
});

/// A language that reports are written in: a file of the catalogue.
pub struct Language {
    code: String,
    name: String,
    entries: BTreeMap<String, Entry>,
    /// The rules of its plural forms are CLDR's.
    locale: Locale,
}

impl Language {
    /// Every language there is, by its code.
    pub fn all() -> &'static [Self] {
        &LANGUAGES
    }

    /// The language of this code (`en`, `fr`).
    pub fn find(code: &str) -> Option<&'static Self> {
        LANGUAGES.iter().find(|language| language.code == code)
    }

    /// Its code: `en`, `fr`.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What it calls itself.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its words for scripts: texts by key, and texts by plural form where a number decides.
    pub(crate) fn entries(&self) -> &BTreeMap<String, Entry> {
        &self.entries
    }

    /// CLDR's name of the plural form for a number.
    fn form(&self, count: u64) -> &'static str {
        match PluralRules::try_new_cardinal((&self.locale).into()) {
            Ok(rules) => name(rules.category_for(count)),
            Err(_) => "other",
        }
    }

    fn say(&self, key: &str, arguments: &[(&'static str, Argument)]) -> String {
        let text = match self.entries.get(key) {
            Some(Entry::Plain(text)) => text,
            Some(Entry::Plural(forms)) => {
                let count = arguments.iter().find_map(|(_, argument)| argument.count());
                forms.get(self.form(count.unwrap_or(0))).or_else(|| forms.get("other")).unwrap_or(&self.code)
            }
            None => return format!("⟦{key}⟧"),
        };
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        // Once through: what is put in may have such brackets itself.
        while let Some((own, (name, behind))) =
            rest.split_once('{').and_then(|(own, rest)| Some((own, rest.split_once('}')?)))
        {
            out.push_str(own);
            match arguments.iter().find(|(known, _)| *known == name) {
                Some((_, argument)) => out.push_str(&argument.text()),
                None => out.push_str(&format!("{{{name}}}")),
            }
            rest = behind;
        }
        out + rest
    }
}

impl PartialEq for Language {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Eq for Language {}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)
    }
}

/// A text of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Entry {
    Plain(String),
    /// By CLDR's names of the plural forms; `other` is always there.
    Plural(BTreeMap<String, String>),
}

/// What stands where a text says `{name}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    /// A number; the first one decides the plural form.
    Count(u64),
    /// As it is, in whatever language it came.
    Given(String),
    /// A text of the catalogue itself.
    Said(Text),
}

impl Argument {
    /// Whether nothing is there to be said.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Given(text) if text.is_empty())
    }

    fn count(&self) -> Option<u64> {
        if let Self::Count(count) = self { Some(*count) } else { None }
    }

    fn text(&self) -> String {
        match self {
            Self::Count(count) => count.to_string(),
            Self::Given(text) => text.clone(),
            Self::Said(text) => text.plain(),
        }
    }
}

impl From<usize> for Argument {
    fn from(count: usize) -> Self {
        Self::Count(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

impl From<String> for Argument {
    fn from(text: String) -> Self {
        Self::Given(text)
    }
}

impl From<Text> for Argument {
    fn from(text: Text) -> Self {
        Self::Said(text)
    }
}

impl From<&str> for Argument {
    fn from(text: &str) -> Self {
        Self::Given(text.to_owned())
    }
}

/// Says things in the language of the page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words(pub(crate) &'static Language);

impl Words {
    /// Those of terminals, files and pull requests.
    pub(crate) fn english() -> Self {
        Self(Language::find("en").expect("English is what the other languages are tested against"))
    }

    /// The text of a key.
    pub(crate) fn say(self, key: &str) -> Text {
        self.with(key, Vec::new())
    }

    /// A text that depends on a number, its `{n}`.
    pub(crate) fn count(self, key: &str, count: impl Borrow<usize>) -> Text {
        self.with(key, vec![("n", (*count.borrow()).into())])
    }

    /// A text with one thing in it.
    pub(crate) fn one(self, key: &str, name: &'static str, given: &str) -> Text {
        self.with(key, vec![(name, given.into())])
    }

    /// A list of names; with how many more there are, where those are only the first.
    pub(crate) fn list(self, names: &[&str], most: usize) -> Text {
        let head = names.iter().take(most).copied().collect::<Vec<_>>().join(", ");
        match names.len().saturating_sub(most) {
            0 => self.one("list.all", "names", &head),
            more => self.with("list.first", vec![("names", head.into()), ("n", more.into())]),
        }
    }

    /// A text with something in it.
    pub(crate) fn with(self, key: &str, arguments: Vec<(&'static str, Argument)>) -> Text {
        Text { language: self.0, key: key.to_owned(), arguments }
    }

    /// An attribute that is read aloud: `aria-label="…"`.
    pub(crate) fn label(self, key: &str) -> Label {
        Label(self.say(key))
    }
}

/// A text in the language of the page that a script can say again in another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    language: &'static Language,
    key: String,
    arguments: Vec<(&'static str, Argument)>,
}

impl Text {
    /// The same in the language of `words`.
    pub(crate) fn spoken(mut self, words: Words) -> Self {
        self.language = words.0;
        for (_, argument) in &mut self.arguments {
            if let Argument::Said(text) = argument {
                *text = text.clone().spoken(words);
            }
        }
        self
    }

    /// Only the words, without what lets a script say them again.
    pub(crate) fn plain(&self) -> String {
        self.language.say(&self.key, &self.arguments)
    }
}

impl Text {
    /// What lets a script say it again, for an element that holds nothing else.
    pub(crate) fn attributes(&self) -> Attributes<'_> {
        Attributes(self)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<span{}>{}</span>", self.attributes(), escaped(&self.plain()))
    }
}

/// A text's key and arguments, as attributes.
pub(crate) struct Attributes<'t>(&'t Text);

impl fmt::Display for Attributes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = self;
        write!(f, " data-w=\"{}\"", escaped(&text.key))?;
        if !text.arguments.is_empty() {
            let arguments = serde_json::to_string(&Arguments(&text.arguments)).map_err(|_| fmt::Error)?;
            write!(f, " data-a=\"{}\"", escaped(&arguments))?;
        }
        Ok(())
    }
}

impl askama::filters::HtmlSafe for Attributes<'_> {}

impl askama::filters::HtmlSafe for Text {}

/// A text as an attribute.
#[derive(Clone, Debug)]
pub(crate) struct Label(Text);

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = self;
        write!(f, "aria-label=\"{}\" data-w-label=\"{}\"", escaped(&text.plain()), escaped(&text.key))
    }
}

impl askama::filters::HtmlSafe for Label {}

struct Arguments<'a>(&'a [(&'static str, Argument)]);

impl Serialize for Arguments<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, argument) in self.0 {
            match argument {
                Argument::Count(count) => map.serialize_entry(name, count)?,
                Argument::Given(text) => map.serialize_entry(name, text)?,
                Argument::Said(text) => map.serialize_entry(name, &Nested::of(text))?,
            }
        }
        map.end()
    }
}

/// A text by its key, for the script.
#[derive(Serialize)]
pub(crate) struct Nested<'a> {
    w: &'a str,
    a: Arguments<'a>,
}

impl<'a> Nested<'a> {
    pub(crate) fn of(text: &'a Text) -> Self {
        Self { w: &text.key, a: Arguments(&text.arguments) }
    }
}

fn escaped(text: &str) -> String {
    askama::filters::escape(text, askama::filters::Html).map(|text| text.to_string()).unwrap_or_default()
}

fn name(form: PluralCategory) -> &'static str {
    match form {
        PluralCategory::Zero => "zero",
        PluralCategory::One => "one",
        PluralCategory::Two => "two",
        PluralCategory::Few => "few",
        PluralCategory::Many => "many",
        PluralCategory::Other => "other",
    }
}

/// A file of the catalogue; tests prove that each can be read, so that none is left out here.
fn read(code: &str, file: &include_dir::File<'_>) -> Option<Language> {
    let table: toml::Table = file.contents_utf8()?.parse().ok()?;
    let locale = code.parse().ok()?;
    let mut entries = BTreeMap::new();
    gather(&table, "", &mut entries);
    let name = table.get("language")?.as_str()?.to_owned();
    Some(Language { code: code.to_owned(), name, entries, locale })
}

fn gather(table: &toml::Table, path: &str, entries: &mut BTreeMap<String, Entry>) {
    for (key, value) in table {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            toml::Value::String(text) => {
                entries.insert(path, Entry::Plain(text.clone()));
            }
            toml::Value::Table(forms) if forms.contains_key("other") => {
                let text = |(form, text): (&String, &toml::Value)| Some((form.clone(), text.as_str()?.to_owned()));
                entries.insert(path, Entry::Plural(forms.iter().filter_map(text).collect()));
            }
            toml::Value::Table(below) => gather(below, &path, entries),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn holes(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect()
    }

    fn of_entry(entry: &Entry) -> BTreeSet<&str> {
        match entry {
            Entry::Plain(text) => holes(text),
            Entry::Plural(forms) => forms.get("other").map(|text| holes(text)).unwrap_or_default(),
        }
    }

    #[test]
    fn every_file_is_a_language_and_says_everything_that_english_says() {
        assert_eq!(Language::all().len(), FILES.files().count());
        let english = Language::find("en").unwrap();
        for language in Language::all() {
            let keys = |language: &'static Language| language.entries.keys().collect::<BTreeSet<_>>();
            let apart: Vec<_> = keys(english).symmetric_difference(&keys(language)).copied().collect();
            assert!(apart.is_empty(), "{language:?} and en differ: {apart:?}");
            for (key, entry) in &language.entries {
                assert_eq!(of_entry(entry), of_entry(&english.entries[key]), "what stands in {key} of {language:?}");
                let same_kind = matches!(entry, Entry::Plain(_)) == matches!(english.entries[key], Entry::Plain(_));
                assert!(same_kind, "{key} of {language:?} has a plural, or has none");
            }
        }
    }

    #[test]
    fn every_language_has_the_plural_forms_that_its_grammar_asks_for() {
        for language in Language::all() {
            let wanted: BTreeSet<&str> = (0..200).map(|n| language.form(n)).collect();
            for (key, entry) in &language.entries {
                if let Entry::Plural(forms) = entry {
                    let missing: Vec<_> = wanted.iter().filter(|form| !forms.contains_key(**form)).collect();
                    assert!(missing.is_empty(), "{key} of {language:?} lacks {missing:?}");
                }
            }
        }
    }

    #[test]
    fn nought_is_plural_in_english_and_singular_in_french() {
        let says = |code, n| Words(Language::find(code).unwrap()).count("n.cell", n).plain();
        assert_eq!([says("en", 0), says("en", 1), says("en", 2)], ["0 cells", "1 cell", "2 cells"]);
        assert_eq!([says("fr", 0), says("fr", 1), says("fr", 2)], ["0 cellule", "1 cellule", "2 cellules"]);
    }

    #[test]
    fn what_is_put_into_a_text_is_escaped() {
        let words = Words(Language::find("en").unwrap());
        let text = words.with("lead.target", vec![("target", "\"><script>".into())]).to_string();
        assert!(!text.contains("<script"), "{text}");
    }
}

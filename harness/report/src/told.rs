//! What the record says in English, said again in the language of a page.
//!
//! Reasons, findings, notes and remedies are sentences in the run file, so that it can be read, and so that a file of any
//! version can be rendered. The catalogue lists them under `said`, as English has them, with `{holes}` for what is put in; a
//! sentence that is none of them stays as it is and is marked as English. A hole `{told…}` holds one of these sentences, a
//! hole `{why…}` one of them or anything, one of [`NUMBERS`] a number, every other hole anything that is not empty.

use std::{collections::HashMap, fmt, sync::LazyLock};

use serde::Serialize;

use crate::{
    Language,
    words::{Argument, Entry, Nested, Text, Words},
};

/// The longest sentence that is looked at, in bytes; what a server sends may stand inside.
const SENTENCE_MOST: usize = 4096;

/// How deep sentences are looked for in each other.
const DEPTH_MOST: usize = 8;

/// The most places where a piece of a pattern is tried, for one sentence.
const TRIES_MOST: usize = 20_000;

/// How holes begin that hold a sentence of the catalogue, and those that may.
const SENTENCE: &str = "told";
const SENTENCE_OR_NOT: &str = "why";

/// Holes that hold digits, as in `1.2`.
const NUMBERS: [&str; 10] = ["n", "all", "byte", "bytes", "count", "http", "index", "number", "seconds", "status"];

static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let english = Language::find("en").map(Language::entries).into_iter().flatten();
    let said = english.filter(|(key, _)| key.starts_with("said."));
    let mut all: Vec<Pattern> = said
        .filter_map(|(key, entry)| match entry {
            Entry::Plain(text) => Some(Pattern::of(key, text)),
            Entry::Plural(_) => None,
        })
        .collect();
    // A sentence of sentences is the surest reading; then what says most by itself.
    all.sort_by_key(|pattern| std::cmp::Reverse((pattern.sentences(), pattern.own())));
    all
});

/// A sentence of the record on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// The catalogue has it.
    Known(Text),
    /// It has to stay as it is: English, or whatever it quotes.
    Foreign(String),
}

impl Told {
    /// As a part of a text in a drawing, where HTML has no place.
    pub(crate) fn drawn(&self) -> Drawn<'_> {
        Drawn(self)
    }

    /// Whether there is nothing to say.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Foreign(text) if text.is_empty())
    }
}

impl Default for Told {
    fn default() -> Self {
        Self::Foreign(String::new())
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(text) => text.fmt(f),
            Self::Foreign(text) => {
                let text = askama::filters::escape(text, askama::filters::Html).map_err(|_| fmt::Error)?;
                write!(f, "<span lang=\"en\">{text}</span>")
            }
        }
    }
}

impl askama::filters::HtmlSafe for Told {}

/// A sentence of the record in a drawing.
pub(crate) struct Drawn<'t>(&'t Told);

impl fmt::Display for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The elements of drawings have other names, and the script finds a text by its attributes.
        f.write_str(&self.0.to_string().replacen("<span", "<tspan", 1).replace("</span>", "</tspan>"))
    }
}

impl askama::filters::HtmlSafe for Drawn<'_> {}

impl From<Told> for Argument {
    fn from(told: Told) -> Self {
        match told {
            Told::Known(text) => Self::Said(text),
            Told::Foreign(text) => Self::Given(text),
        }
    }
}

/// For the script: a text with its key, or a string.
impl Serialize for Told {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(text) => Nested::of(text).serialize(serializer),
            Self::Foreign(text) => serializer.serialize_str(text),
        }
    }
}

impl Words {
    /// A sentence of the record, in the language of these words where the catalogue has it.
    pub(crate) fn told(self, sentence: &str) -> Told {
        let fits = sentence.len() <= SENTENCE_MOST;
        let known = fits.then(|| Search { words: self, seen: HashMap::new(), tries: TRIES_MOST }.sentence(sentence, 0));
        known.flatten().map_or_else(|| Told::Foreign(sentence.to_owned()), Told::Known)
    }
}

/// An English sentence of the catalogue, in pieces.
struct Pattern {
    key: String,
    pieces: Vec<Piece>,
}

enum Piece {
    Own(String),
    Hole(String),
}

impl Pattern {
    fn of(key: &str, text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((own, (hole, behind))) =
            rest.split_once('{').and_then(|(own, rest)| Some((own, rest.split_once('}')?)))
        {
            if !own.is_empty() {
                pieces.push(Piece::Own(own.to_owned()));
            }
            pieces.push(Piece::Hole(hole.to_owned()));
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Own(rest.to_owned()));
        }
        Self { key: key.to_owned(), pieces }
    }

    /// How many of its holes hold nothing but sentences.
    fn sentences(&self) -> usize {
        self.pieces.iter().filter(|piece| matches!(piece, Piece::Hole(hole) if hole.starts_with(SENTENCE))).count()
    }

    /// How much of it is no hole.
    fn own(&self) -> usize {
        self.pieces.iter().map(|piece| if let Piece::Own(own) = piece { own.len() } else { 0 }).sum()
    }
}

/// The search for one sentence.
struct Search<'t> {
    words: Words,
    /// What was looked for before, with what it came to.
    seen: HashMap<&'t str, Option<Text>>,
    tries: usize,
}

impl<'t> Search<'t> {
    fn sentence(&mut self, sentence: &'t str, depth: usize) -> Option<Text> {
        if depth > DEPTH_MOST {
            return None;
        }
        if let Some(known) = self.seen.get(sentence) {
            return known.clone();
        }
        let words = self.words;
        let found = PATTERNS.iter().find_map(|pattern| {
            let arguments = self.fit(&pattern.pieces, sentence, depth)?;
            Some(words.with(&pattern.key, arguments))
        });
        self.seen.insert(sentence, found.clone());
        found
    }

    /// What stands in the holes, in their order; `None` when the sentence is another one.
    fn fit(&mut self, pieces: &'static [Piece], rest: &'t str, depth: usize) -> Option<Vec<(&'static str, Argument)>> {
        match pieces {
            [] => rest.is_empty().then(Vec::new),
            [Piece::Own(own), others @ ..] => self.fit(others, rest.strip_prefix(own.as_str())?, depth),
            [Piece::Hole(hole)] => Some(vec![(hole, self.held(hole, rest, depth)?)]),
            [Piece::Hole(hole), others @ ..] => {
                let Some(Piece::Own(own)) = others.first() else { return None };
                rest.match_indices(own.as_str()).find_map(|(at, _)| {
                    self.tries = self.tries.checked_sub(1)?;
                    let (before, behind) = rest.split_at(at);
                    let mut arguments = self.fit(others, behind, depth)?;
                    arguments.insert(0, (hole, self.held(hole, before, depth)?));
                    Some(arguments)
                })
            }
        }
    }

    fn held(&mut self, hole: &str, text: &'t str, depth: usize) -> Option<Argument> {
        // What is quoted is not taken apart.
        if text.is_empty() || text.matches('`').count() % 2 == 1 {
            None
        } else if hole.starts_with(SENTENCE) {
            self.sentence(text, depth + 1).map(Argument::Said)
        } else if hole.starts_with(SENTENCE_OR_NOT) {
            // What is quoted in English stands out in another language.
            let words = self.words;
            let quoted = || words.one("quoted.text", "text", text);
            Some(Argument::Said(self.sentence(text, depth + 1).unwrap_or_else(quoted)))
        } else if NUMBERS.contains(&hole) {
            let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            is_number.then(|| text.into())
        } else {
            Some(text.into())
        }
    }
}

#[cfg(test)]
mod tests;

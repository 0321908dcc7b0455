//! What is around every page: its language, its style, its script, and the rule that nothing else may run.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::data::in_html;
use crate::{Language, words::Entry};

const STYLE: &str = include_str!("../../templates/report.css");

pub(crate) struct Frame<'r> {
    /// The language it opens in.
    pub(crate) language: &'static Language,
    pub(crate) languages: &'static [Language],
    /// The Content-Security-Policy: this very script and style, and nothing from anywhere.
    pub(crate) policy: String,
    pub(crate) style: &'static str,
    pub(crate) script: &'static str,
    /// The version of easrig that made the run.
    pub(crate) easrig: &'r str,
}

impl<'r> Frame<'r> {
    pub(crate) fn of(language: &'static Language, script: &'static str, easrig: &'r str) -> Self {
        Self { language, languages: Language::all(), policy: policy(script), style: STYLE, script, easrig }
    }
}

/// The words of every language, as JSON that can stand in a `script` element.
pub(crate) fn page_data() -> String {
    #[derive(Serialize)]
    struct Data {
        words: BTreeMap<&'static str, &'static BTreeMap<String, Entry>>,
    }
    let words = Language::all().iter().map(|language| (language.code(), language.entries())).collect();
    // Nothing in it has keys other than strings, which is all that can fail.
    in_html(&serde_json::to_string(&Data { words }).unwrap_or_default())
}

fn policy(script: &str) -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(script),
        hash(STYLE)
    )
}

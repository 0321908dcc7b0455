use std::ops::Range;

use easrig_scenario::{Requirement, Verdict};
use miette::{Diagnostic, NamedSource, SourceSpan};
use serde::Deserialize;
use thiserror::Error;
use toml::Spanned;

use super::{Deviation, Known, Pattern, pattern};

/// A `known.toml` that cannot be used, with every slip that could be found in one pass.
#[derive(Clone, Debug, Error, Diagnostic)]
#[error("`{name}` is no list of known deviations")]
#[diagnostic(code(known::invalid), help("docs/baselines.md says what stands in it"))]
pub struct KnownError {
    /// The file, as it was named to [`Known::parse`].
    pub name: String,
    #[source_code]
    file: NamedSource<String>,
    /// The slips, in the order of the file.
    #[related]
    pub problems: Vec<KnownProblem>,
}

/// One slip.
#[derive(Clone, Debug, PartialEq, Eq, Error, Diagnostic)]
#[error("{what}")]
#[diagnostic(code(known::invalid))]
pub struct KnownProblem {
    what: String,
    #[label("here")]
    at: SourceSpan,
    #[help]
    help: Option<String>,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Syntax {
    #[serde(default)]
    known: Vec<DeviationSyntax>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviationSyntax {
    pattern: Spanned<String>,
    verdict: Spanned<String>,
    because: Spanned<String>,
    link: Option<Spanned<String>>,
    code: Option<Spanned<String>>,
    #[serde(default)]
    req: Vec<Spanned<String>>,
}

impl Known {
    /// Reads a `known.toml`; `name` is its name for people.
    ///
    /// # Errors
    /// Everything that is wrong with the text: TOML, unknown keys, verdicts, requirements, patterns, empty reasons.
    pub fn parse(name: &str, text: &str) -> Result<Self, KnownError> {
        let fail = |problems| KnownError {
            name: name.to_owned(),
            file: NamedSource::new(name, text.to_owned()).with_language("toml"),
            problems,
        };
        let syntax: Syntax = toml::from_str(text).map_err(|error| fail(vec![from_toml(&error, text)]))?;
        let mut check = Check { text, problems: Vec::new() };
        let deviations = syntax.known.iter().filter_map(|syntax| check.deviation(syntax)).collect();
        if check.problems.is_empty() { Ok(Self { deviations }) } else { Err(fail(check.problems)) }
    }
}

struct Check<'t> {
    text: &'t str,
    problems: Vec<KnownProblem>,
}

impl Check<'_> {
    /// `None` when there is a slip in it.
    fn deviation(&mut self, syntax: &DeviationSyntax) -> Option<Deviation> {
        let before = self.problems.len();
        let verdict = self.verdict(&syntax.verdict);
        let pattern = match syntax.pattern.get_ref().parse::<Pattern>() {
            Ok(pattern) => Some(pattern),
            Err(error) => self.slip(&error.to_string(), syntax.pattern.span(), None),
        };
        if syntax.because.get_ref().trim().is_empty() {
            self.slip::<()>("`because` is empty: say why this is accepted", syntax.because.span(), None);
        }
        if let Some(link) = syntax.link.as_ref().filter(|link| !is_link(link.get_ref())) {
            self.slip::<()>("`link` is no http:// or https:// address", link.span(), None);
        }
        if let Some(code) = syntax.code.as_ref().filter(|_| verdict.is_some_and(|verdict| verdict != Verdict::Blocked))
        {
            let help = Some("only an owner who is `blocked` sees a code".to_owned());
            self.slip::<()>("`code` goes with `verdict = \"blocked\"` only", code.span(), help);
        }
        for id in &syntax.req {
            self.requirement(id);
        }
        let line = self.line(syntax.pattern.span());
        (self.problems.len() == before).then_some(())?;
        Some(Deviation {
            pattern: pattern?,
            verdict: verdict?,
            code: syntax.code.as_ref().map(|code| code.get_ref().trim().to_owned()),
            requirements: syntax.req.iter().map(|id| id.get_ref().clone()).collect(),
            because: syntax.because.get_ref().trim().to_owned(),
            link: syntax.link.as_ref().map(|link| link.get_ref().clone()),
            line,
        })
    }

    fn verdict(&mut self, word: &Spanned<String>) -> Option<Verdict> {
        if let Some((_, verdict)) = DEVIATING.iter().find(|(name, _)| name == word.get_ref()) {
            return Some(*verdict);
        }
        let found = word.get_ref();
        let known = DEVIATING.iter().map(|(name, _)| *name);
        let help = match (found.as_str(), pattern::nearest(found, known)) {
            ("pass" | "skipped", _) => {
                "only what deviates can be known: fail, blocked, inconclusive or degraded".to_owned()
            }
            (_, Some(near)) => format!("did you mean `{near}`?"),
            (_, None) => "one of fail, blocked, inconclusive, degraded".to_owned(),
        };
        self.slip(&format!("`{found}` is no verdict that deviates"), word.span(), Some(help))
    }

    /// Ids of requirements, and what stands where one would.
    fn requirement(&mut self, id: &Spanned<String>) {
        let found = id.get_ref();
        // What is not of the standard is an invariant, or a scenario of the user's own.
        let help = Requirement::suggest(found).map(|near| format!("did you mean `{near}`?"));
        if Requirement::find(found).is_none() && (found.starts_with("MS-") || help.is_some()) {
            self.slip::<()>(&format!("there is no requirement `{found}`"), id.span(), help);
        }
    }

    fn slip<T>(&mut self, what: &str, at: Range<usize>, help: Option<String>) -> Option<T> {
        self.problems.push(KnownProblem { what: what.to_owned(), at: at.into(), help });
        None
    }

    fn line(&self, at: Range<usize>) -> usize {
        self.text.get(..at.start).unwrap_or_default().matches('\n').count().saturating_add(1)
    }
}

/// What a target can be known for.
const DEVIATING: [(&str, Verdict); 4] = [
    ("fail", Verdict::Fail),
    ("blocked", Verdict::Blocked),
    ("inconclusive", Verdict::Inconclusive),
    ("degraded", Verdict::Degraded),
];

/// The keys of a `[[known]]`.
const KEYS: [&str; 6] = ["pattern", "verdict", "because", "link", "code", "req"];

fn is_link(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

fn from_toml(error: &toml::de::Error, text: &str) -> KnownProblem {
    let at = error.span().unwrap_or(0..0);
    let what = error.message().lines().next().unwrap_or_default().to_owned();
    let wrong = what.starts_with("unknown field").then(|| text.get(at.clone())).flatten();
    let near = wrong.and_then(|wrong| pattern::nearest(wrong.trim_matches('"'), KEYS.into_iter().chain(["known"])));
    KnownProblem { what, at: at.into(), help: near.map(|near| format!("did you mean `{near}`?")) }
}

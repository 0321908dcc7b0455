use std::{fmt, ops::Range};

use easrig_eas::{Command, Version};
use miette::{Diagnostic, LabeledSpan, Severity, SourceSpan};
use thiserror::Error;

use crate::{
    ARRANGEMENTS, HABITS, Requirement,
    model::{Need, Role},
    path::PathErrorKind,
};

/// One slip in a scenario file, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    at: SourceSpan,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What is wrong with a scenario file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProblemKind {
    /// TOML, an unknown key, a value of the wrong type.
    #[error("{message}")]
    Toml {
        /// What the reader says.
        message: String,
        /// A name most like the one found.
        suggestion: Option<String>,
    },
    /// `id` and path differ.
    #[error("the id `{found}` is not the path of the file")]
    WrongId {
        /// As written.
        found: String,
        /// As the path has it.
        expected: String,
    },
    /// Not `folder/behaviour` in kebab-case.
    #[error("`{found}` is not an id")]
    BadId {
        /// As written.
        found: String,
    },
    /// A text that says nothing.
    #[error("`{key}` is empty")]
    EmptyText {
        /// Its key.
        key: &'static str,
    },
    /// Not in the table of requirements.
    #[error("unknown requirement `{found}`")]
    UnknownRequirement {
        /// As written.
        found: String,
    },
    /// Not a protocol version.
    #[error("unknown protocol version `{found}`")]
    UnknownVersion {
        /// As written.
        found: String,
    },
    /// Not a command.
    #[error("unknown command `{found}`")]
    UnknownCommand {
        /// As written.
        found: String,
    },
    /// Not a habit.
    #[error("unknown habit `{found}`")]
    UnknownHabit {
        /// As written.
        found: String,
    },
    /// Not an arrangement.
    #[error("unknown arrangement `{found}`")]
    UnknownArrangement {
        /// As written.
        found: String,
    },
    /// A file without steps.
    #[error("the scenario has no steps")]
    NoSteps,
    /// A step that does nothing.
    #[error("the step does nothing")]
    NoDeed,
    /// A step that does two things.
    #[error("the step has both `{first}` and `{second}`")]
    TwoDeeds {
        /// One key.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A key that means nothing here.
    #[error("`{key}` means nothing in {place}")]
    Misplaced {
        /// The key.
        key: &'static str,
        /// Where it stands.
        place: String,
        /// What may stand there.
        allowed: Vec<&'static str>,
    },
    /// A parameter that is not there.
    #[error("{place} needs `{key}`")]
    Missing {
        /// The key.
        key: &'static str,
        /// Where it is missing.
        place: String,
    },
    /// Two bodies.
    #[error("a request has one body, this step gives `{first}` and `{second}`")]
    TwoBodies {
        /// One key.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A command that takes a body has none.
    #[error("{command} needs a body")]
    NoBody {
        /// The command.
        command: Command,
    },
    /// A variable that cannot have a value here.
    #[error("unknown variable `{name}`")]
    UnknownVariable {
        /// As written, without braces.
        name: String,
        /// The name most like it, or why it has no value yet.
        help: Option<String>,
    },
    /// Not the form of a variable.
    #[error("`{{{text}}}` is not a variable")]
    BadVariable {
        /// As written, without braces.
        text: String,
    },
    /// A brace that is never closed.
    #[error("`{{` is never closed")]
    OpenBrace,
    /// Not hexadecimal.
    #[error("`raw` is not hexadecimal: {why}")]
    BadHex {
        /// Why not.
        why: String,
    },
    /// Not a document in the standard's notation.
    #[error("{message}")]
    BadXml {
        /// What the reader says.
        message: String,
        /// A name most like the one found.
        suggestion: Option<String>,
    },
    /// Not a path.
    #[error("{0}")]
    BadPath(PathErrorKind),
    /// Not a regular expression.
    #[error("not a regular expression: {message}")]
    BadRegex {
        /// What the reader says.
        message: String,
    },
    /// A value outside what is allowed.
    #[error("`{found}` is not a value of `{key}`")]
    BadValue {
        /// The key.
        key: &'static str,
        /// As written.
        found: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// Keys that exclude each other.
    #[error("`{first}` and `{second}` exclude each other")]
    Contradiction {
        /// One key.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A role or arrangement that the file does not announce.
    #[error("this needs `{need}`, which the file does not announce")]
    NeedMissing {
        /// What is needed.
        need: Need,
    },
    /// Waits for something that is not under way.
    #[error("no step is in the background as `{found}`")]
    NotInBackground {
        /// As written.
        found: String,
    },
    /// A background step that nobody waits for.
    #[error("nobody awaits `{name}`")]
    NeverAwaited {
        /// Its name.
        name: String,
    },
    /// A background name used again before it is awaited.
    #[error("`{name}` is already in the background")]
    AlreadyInBackground {
        /// Its name.
        name: String,
    },
}

impl Problem {
    pub(super) fn new(span: Range<usize>, kind: ProblemKind) -> Self {
        Self { at: span.into(), kind }
    }

    pub(super) fn from_toml(error: &toml::de::Error, text: &str) -> Self {
        let message = error.message().trim().to_owned();
        let suggestion = suggestion_of(&message);
        let span = error.span().unwrap_or(0..text.len().min(1));
        // Names that the reader lists are for the help text, not for the headline.
        let headline = match message.split_once(", expected one of") {
            Some((headline, _)) => headline.to_owned(),
            None => message,
        };
        Self::new(span, ProblemKind::Toml { message: headline, suggestion })
    }

    /// Where it begins, in bytes.
    pub fn offset(&self) -> usize {
        self.at.offset()
    }

    fn label(&self) -> &'static str {
        match &self.kind {
            ProblemKind::Toml { .. } => "here",
            ProblemKind::WrongId { .. } | ProblemKind::BadId { .. } => "not the id of this file",
            ProblemKind::EmptyText { .. } => "says nothing",
            ProblemKind::UnknownRequirement { .. } => "not in the requirement tables",
            ProblemKind::UnknownVersion { .. } => "not a protocol version",
            ProblemKind::UnknownCommand { .. } => "not an ActiveSync command",
            ProblemKind::UnknownHabit { .. } => "no persona can do this",
            ProblemKind::UnknownArrangement { .. } => "no server can be told this",
            ProblemKind::NoSteps => "no `[[step]]` in this file",
            ProblemKind::NoDeed => "neither `send`, `do`, `arrange` nor `await`",
            ProblemKind::TwoDeeds { .. } | ProblemKind::TwoBodies { .. } => "one too many",
            ProblemKind::Misplaced { .. } => "not here",
            ProblemKind::Missing { .. } => "incomplete",
            ProblemKind::NoBody { .. } => "no body given",
            ProblemKind::UnknownVariable { .. } => "cannot have a value here",
            ProblemKind::BadVariable { .. } | ProblemKind::OpenBrace => "here",
            ProblemKind::BadHex { .. } => "not bytes",
            ProblemKind::BadXml { .. } => "in this document",
            ProblemKind::BadPath(_) => "in this path",
            ProblemKind::BadRegex { .. } => "in this expression",
            ProblemKind::BadValue { .. } => "not one of its values",
            ProblemKind::Contradiction { .. } => "cannot both hold",
            ProblemKind::NeedMissing { .. } => "asked for here",
            ProblemKind::NotInBackground { .. } => "not under way at this point",
            ProblemKind::NeverAwaited { .. } | ProblemKind::AlreadyInBackground { .. } => "started here",
        }
    }

    fn help_text(&self) -> Option<String> {
        let mean = |name: &str| format!("did you mean `{name}`?");
        match &self.kind {
            ProblemKind::Toml { suggestion, .. } | ProblemKind::BadXml { suggestion, .. } => {
                suggestion.as_deref().map(mean)
            }
            ProblemKind::WrongId { expected, .. } => Some(format!("write `id = \"{expected}\"`, or move the file")),
            ProblemKind::BadId { .. } => {
                Some("an id is `folder/behaviour`: small letters, digits, hyphens and dots".to_owned())
            }
            ProblemKind::UnknownRequirement { found } => Requirement::suggest(found).map(mean),
            ProblemKind::UnknownVersion { .. } => {
                Some(format!("the versions are {}", listed(Version::ALL.iter().map(ToString::to_string))))
            }
            ProblemKind::UnknownCommand { found } => {
                nearest(found, Command::all().map(Command::name).chain(["OPTIONS"])).map(mean)
            }
            ProblemKind::UnknownHabit { found } => {
                Some(nearest(found, HABITS.iter().map(|h| h.name)).map_or_else(
                    || format!("the habits are {}", listed(HABITS.iter().map(|h| h.name.to_owned()))),
                    mean,
                ))
            }
            ProblemKind::UnknownArrangement { found } => {
                Some(nearest(found, ARRANGEMENTS.iter().map(|a| a.name)).map_or_else(
                    || format!("the arrangements are {}", listed(ARRANGEMENTS.iter().map(|a| a.name.to_owned()))),
                    mean,
                ))
            }
            ProblemKind::NoDeed => Some("say what happens: `send = \"Sync\"`, `do = \"connect\"` …".to_owned()),
            ProblemKind::TwoDeeds { .. } => Some("make two steps of it".to_owned()),
            ProblemKind::Misplaced { allowed, .. } if allowed.is_empty() => Some("it takes no parameters".to_owned()),
            ProblemKind::Misplaced { allowed, .. } => {
                Some(format!("it takes {}", listed(allowed.iter().map(|key| (*key).to_owned()))))
            }
            ProblemKind::NoBody { .. } => {
                Some("give `body`, `raw` or `mail`; write `empty = true` when it is meant to have none".to_owned())
            }
            ProblemKind::UnknownVariable { help, .. } => help.clone(),
            ProblemKind::BadVariable { .. } => {
                Some("variables look like `{inbox}`, `{partner.inbox}` or `{now+1d:long}`; `{{` is a brace".to_owned())
            }
            ProblemKind::OpenBrace => Some("write `{{` for a brace".to_owned()),
            ProblemKind::BadPath(PathErrorKind::UnknownName { suggestion, .. }) => suggestion.as_deref().map(mean),
            ProblemKind::BadValue { allowed, .. } => Some(format!("allowed: {allowed}")),
            ProblemKind::NeedMissing { need } => Some(format!("add `needs = [\"{need}\"]` at the top of the file")),
            ProblemKind::NeverAwaited { name } => Some(format!("add a step with `await = \"{name}\"`")),
            ProblemKind::AlreadyInBackground { .. } => Some("await it first, or use another name".to_owned()),
            _ => None,
        }
    }

    fn code_text(&self) -> &'static str {
        match &self.kind {
            ProblemKind::Toml { .. } => "scenario::toml",
            ProblemKind::WrongId { .. } | ProblemKind::BadId { .. } => "scenario::id",
            ProblemKind::UnknownRequirement { .. } => "scenario::unknown_requirement",
            ProblemKind::UnknownVersion { .. } => "scenario::unknown_version",
            ProblemKind::UnknownCommand { .. } => "scenario::unknown_command",
            ProblemKind::UnknownHabit { .. } => "scenario::unknown_habit",
            ProblemKind::UnknownArrangement { .. } => "scenario::unknown_arrangement",
            ProblemKind::EmptyText { .. } | ProblemKind::NoSteps => "scenario::empty",
            ProblemKind::NoDeed | ProblemKind::TwoDeeds { .. } => "scenario::deed",
            ProblemKind::Misplaced { .. } | ProblemKind::Missing { .. } => "scenario::parameter",
            ProblemKind::TwoBodies { .. } | ProblemKind::NoBody { .. } => "scenario::body",
            ProblemKind::UnknownVariable { .. } | ProblemKind::BadVariable { .. } | ProblemKind::OpenBrace => {
                "scenario::variable"
            }
            ProblemKind::BadHex { .. } => "scenario::hex",
            ProblemKind::BadXml { .. } => "scenario::xml",
            ProblemKind::BadPath(_) => "scenario::path",
            ProblemKind::BadRegex { .. } => "scenario::regex",
            ProblemKind::BadValue { .. } | ProblemKind::Contradiction { .. } => "scenario::value",
            ProblemKind::NeedMissing { .. } => "scenario::need",
            ProblemKind::NotInBackground { .. }
            | ProblemKind::NeverAwaited { .. }
            | ProblemKind::AlreadyInBackground { .. } => "scenario::background",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code_text()))
    }

    fn severity(&self) -> Option<Severity> {
        Some(Severity::Error)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help_text().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some(self.label().to_owned()), self.at))))
    }
}

/// The name most like `found`, when one is like it at all.
pub(super) fn nearest<'n>(found: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let wanted = found.to_ascii_lowercase();
    names
        .map(|name| (strsim::jaro_winkler(&name.to_ascii_lowercase(), &wanted), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// The name most like an unknown one, out of the message of the TOML reader.
fn suggestion_of(message: &str) -> Option<String> {
    let (headline, expected) = message.split_once(", expected ")?;
    let found = headline.split('`').nth(1)?;
    nearest(found, expected.split('`').skip(1).step_by(2)).map(str::to_owned)
}

/// `one slip`, `3 slips`.
pub(super) fn amount(count: usize) -> String {
    if count == 1 { "one slip".to_owned() } else { format!("{count} slips") }
}

fn listed(names: impl Iterator<Item = String>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// `role` words for messages.
pub(super) fn roles() -> String {
    listed(Role::ALL.iter().map(ToString::to_string))
}

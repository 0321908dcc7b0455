use easrig_wbxml::Tag;
use thiserror::Error;

use crate::Version;

/// One element that is not as the standard has it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{path}` {kind} (byte {offset})")]
pub struct Problem {
    /// The elements from the root down to the one that is wrong or missing, with `/` between them.
    pub path: String,
    /// Where it, or the element that lacks it, begins in the document.
    pub offset: usize,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What is wrong with an element.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProblemKind {
    /// No code page has it.
    #[error("is no element of any code page")]
    UnknownElement,
    /// It belongs elsewhere.
    #[error("does not belong inside `{parent}`")]
    WrongParent {
        /// Where it was found; for a root, the root that was expected.
        parent: Tag,
    },
    /// Its name belongs here, but from another code page.
    #[error("is from the wrong code page, expected `{expected}`")]
    WrongPage {
        /// The element of that name that belongs here.
        expected: Tag,
    },
    /// There is more than one.
    #[error("is there {found} times, at most once is allowed")]
    TooMany {
        /// How many there are.
        found: usize,
    },
    /// It is not there.
    #[error("is missing")]
    Missing,
    /// Its text is not of its type.
    #[error("holds `{found}`, expected {expected}")]
    BadValue {
        /// What it holds, cut to 64 characters.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// The version of the request does not have it here.
    #[error("does not exist in this version (it is there from {first} to {last})")]
    NotInVersion {
        /// The first version that has it.
        first: Version,
        /// The last version that has it.
        last: Version,
    },
}

//! The shape of every document as data, so that an answer can be judged against the standard: right page, parent, number,
//! type and version of every element.
//!
//! A wrong verdict about somebody's server is the worst mistake, so an element that is not positively known to be wrong is
//! accepted: rows that nobody could confirm carry `?` and yield nothing, containers that take any element are open, and an
//! empty element never has a bad value.

mod check;
mod problem;
mod table;
#[cfg(test)]
mod tests;
mod value;

pub use check::{Direction, MAX_PROBLEMS, check};
pub use problem::{Problem, ProblemKind};

//! Search: the mailbox, the address list, document libraries (MS-ASCMD 2.2.1.16).

mod directory;
mod messages;

use easrig_eas::{
    Version,
    command::{
        Range,
        search::{Options, Query, Request, Response, SearchResult, Store, StoreResponse},
    },
    status::Status,
};
use easrig_wbxml::Document;

use crate::{Answer, Caller, State};

pub(crate) use directory::{people, write_person};
pub(crate) use messages::{Found, Wish, find, words};

/// A parameter is not allowed.
const INVALID_REQUEST: Status = Status(2);

/// There is no document library that could be reached.
const CONNECTION_FAILED: Status = Status(7);

/// The query is of a kind that is not supported.
const TOO_COMPLEX: Status = Status(8);

/// The range begins behind the last result.
const END_OF_RANGE: Status = Status(12);

/// The results of a request that names no range.
const DEFAULT_RANGE: Range = Range { first: 0, last: 99 };

/// The most results of one answer.
pub(crate) const RESULTS_MOST: u32 = 1000;

/// Looks where the device wants.
pub(crate) fn run(state: &mut State, caller: &Caller, document: Option<&Document>) -> Answer {
    let store = match document.map(|document| Request::from_document(document, caller.version)) {
        Some(Ok(request)) => look(state, caller, &request).unwrap_or_else(refused),
        _ => refused(INVALID_REQUEST),
    };
    let response = Response { status: Some(Status::SUCCESS), store: Some(store) };
    Answer::wbxml(&response.to_document(caller.version))
}

fn look(state: &State, caller: &Caller, request: &Request) -> Result<StoreResponse, Status> {
    let options = request.options.clone().unwrap_or_default();
    match (&request.store, &request.query) {
        (Store::Gal, Query::Text(words)) => gal(state, caller, words, &options),
        (Store::Mailbox, Query::Criteria(criteria)) if caller.version >= Version::V12_0 => {
            let wish = Wish::of_search(criteria, &options).ok_or(TOO_COMPLEX)?;
            let found = find(state, caller, &wish);
            let results = found.into_iter().map(|one| SearchResult {
                class: Some(one.class.clone()),
                long_id: Some(one.long_id()),
                collection_id: Some(one.folder.clone()),
                properties: Some(one.properties(easrig_wbxml::tags::search::PROPERTIES, caller, &options, state)),
            });
            page(results.collect(), options.range)
        }
        (Store::DocumentLibrary, _) => Err(CONNECTION_FAILED),
        _ => Err(INVALID_REQUEST),
    }
}

fn gal(state: &State, caller: &Caller, words: &str, options: &Options) -> Result<StoreResponse, Status> {
    if words.trim().is_empty() {
        return Err(INVALID_REQUEST);
    }
    let wants_picture = options.picture.is_some() && caller.version >= Version::V14_1;
    let results = people(state, words).into_iter().map(|person| SearchResult {
        properties: Some(write_person(&person, easrig_wbxml::tags::search::PROPERTIES, wants_picture)),
        ..SearchResult::default()
    });
    page(results.collect(), options.range)
}

/// The results of a range. Nothing found is one empty result, and neither range nor total.
fn page(results: Vec<SearchResult>, range: Option<Range>) -> Result<StoreResponse, Status> {
    let status = Some(Status::SUCCESS);
    if results.is_empty() {
        return Ok(StoreResponse { status, results: vec![SearchResult::default()], range: None, total: None });
    }
    let total = u32::try_from(results.len()).unwrap_or(u32::MAX);
    let range = slice(total, range).ok_or(END_OF_RANGE)?;
    let (first, last) = (range.first as usize, range.last as usize);
    let results = results.into_iter().enumerate().filter(|(at, _)| (first..=last).contains(at)).map(|(_, one)| one);
    Ok(StoreResponse { status, results: results.collect(), range: Some(range), total: Some(total) })
}

/// The part of `total` results that `range` names; `None` when it begins behind them.
pub(crate) fn slice(total: u32, range: Option<Range>) -> Option<Range> {
    let range = range.unwrap_or(DEFAULT_RANGE);
    let last = range.last.min(range.first.saturating_add(RESULTS_MOST - 1)).min(total.checked_sub(1)?);
    (range.first <= last).then_some(Range { first: range.first, last })
}

fn refused(status: Status) -> StoreResponse {
    StoreResponse { status: Some(status), ..StoreResponse::default() }
}

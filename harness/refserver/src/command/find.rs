//! Find: the search of 16.1 (MS-ASCMD 2.2.1.2).

use easrig_eas::{
    command::{
        Class,
        find::{Criterion, FindResult, Options, Request, Response, StoreResponse},
        search,
    },
    status::Status,
};
use easrig_wbxml::{Document, tags::find as tag};

use super::search::{Wish, find, people, slice, words, write_person};
use crate::{Answer, Caller, State};

/// A parameter is not allowed.
const INVALID_REQUEST: u16 = 2;

/// The first page of a search has to begin with its first result.
const START_WITH_ZERO: u16 = 4;

/// Looks where the device wants.
pub(crate) fn run(state: &mut State, caller: &Caller, document: Option<&Document>) -> Answer {
    let Some(Ok(request)) = document.map(|document| Request::from_document(document, caller.version)) else {
        return caller.status(INVALID_REQUEST);
    };
    let first = options(&request.criterion).and_then(|options| options.range).map_or(0, |range| range.first);
    if !remember(state, caller, &request.search_id) && first != 0 {
        return caller.status(START_WITH_ZERO);
    }
    let Some(response) = look(state, caller, &request.criterion) else { return caller.status(INVALID_REQUEST) };
    let response = Response { status: Some(Status::SUCCESS), response: Some(response) };
    Answer::wbxml(&response.to_document(caller.version))
}

/// Notes the search of this device; whether it is the one it had.
fn remember(state: &mut State, caller: &Caller, search_id: &str) -> bool {
    let device = state.account_mut(&caller.user).and_then(|account| account.partnerships.get_mut(&caller.device));
    let Some(device) = device else { return false };
    let last = device.dossier.last_find.replace(search_id.chars().take(64).collect());
    last.is_some_and(|last| last == search_id)
}

fn options(criterion: &Criterion) -> Option<&Options> {
    match criterion {
        Criterion::Mailbox { options, .. } | Criterion::Gal { options, .. } => options.as_ref(),
    }
}

fn look(state: &State, caller: &Caller, criterion: &Criterion) -> Option<StoreResponse> {
    let (store, results): (_, Vec<FindResult>) = match criterion {
        Criterion::Gal { query, options } => {
            let picture = options.as_ref().is_some_and(|options| options.picture.is_some());
            let result = |person| FindResult {
                properties: Some(write_person(&person, tag::PROPERTIES, picture)),
                ..FindResult::default()
            };
            ("GAL", people(state, query).into_iter().map(result).collect())
        }
        Criterion::Mailbox { class, collection_id, free_text, options } => {
            let text = free_text.as_deref().filter(|text| !text.trim().is_empty())?;
            let wish = Wish {
                words: words(text),
                folders: collection_id.iter().cloned().collect(),
                deep: options.as_ref().and_then(|options| options.deep_traversal).is_some_and(|flag| flag.is_on()),
                mail: class.as_ref().is_none_or(|class| *class == Class::Email),
                ..Wish::default()
            };
            let shape = search::Options::default();
            let result = |one: super::search::Found| FindResult {
                class: Some(one.class.clone()),
                server_id: Some(one.id.clone()),
                collection_id: Some(one.folder.clone()),
                properties: Some(one.properties(tag::PROPERTIES, caller, &shape, state)),
            };
            ("Mailbox", find(state, caller, &wish).into_iter().map(result).collect())
        }
    };
    let total = u32::try_from(results.len()).ok()?;
    let range = slice(total, options(criterion).and_then(|options| options.range));
    let wanted = |at: usize| range.is_some_and(|range| (range.first as usize..=range.last as usize).contains(&at));
    Some(StoreResponse {
        store: Some(store.to_owned()),
        status: Some(Status::SUCCESS),
        results: results.into_iter().enumerate().filter(|(at, _)| wanted(*at)).map(|(_, one)| one).collect(),
        range,
        total: Some(total),
    })
}

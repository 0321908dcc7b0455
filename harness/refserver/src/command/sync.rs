//! Sync: what each device has of each folder, and what it has yet to hear of (MS-ASCMD 2.2.1.21).

mod apply;
mod changes;
mod collection;
mod draft;
mod filter;
mod instance;
mod state;

use easrig_eas::{
    Version,
    command::sync::{Collection, Request, Response},
    status::Status,
};
use easrig_wbxml::Document;

use super::{Waiting, send_mail};
use crate::{Answer, Caller, Reply, State, WaiterId, core::Desk};

pub(crate) use changes::count_pending;
pub(crate) use collection::known_items;
pub(crate) use filter::Filter;
pub(crate) use state::CollectionState;

/// A request that breaks a rule.
const PROTOCOL_ERROR: u16 = 4;

/// An empty or partial request without one to complete it from.
const INCOMPLETE: u16 = 13;

/// A `Wait` or `HeartbeatInterval` out of bounds.
const BAD_WAIT: u16 = 14;

/// More collections than allowed.
const TOO_MANY: u16 = 15;

/// Synchronises; without changes it may wait for some.
pub(crate) fn run(state: &mut State, caller: &Caller, document: Option<&Document>) -> Reply {
    let Some(mut desk) = state.desk(caller) else { return Reply::Now(caller.refuse(Status::SERVER_ERROR)) };
    let earlier = desk.device.waiting_sync.take();
    let request = match read(&desk, caller, document) {
        Ok(request) => request,
        Err(status) => return Reply::Now(caller.status(status)),
    };
    if let Some(limit) = broken_limit(&desk, &request) {
        return Reply::Now(Answer::wbxml(&limit.to_document(caller.version)));
    }
    let outcome = collection::run_all(&mut desk, caller, &request);
    let failed = outcome.responses.iter().any(|one| one.status != Some(Status::SUCCESS));
    if !failed {
        desk.device.last_sync = Some(without_commands(&request));
    }
    let silent = outcome.responses.is_empty();
    send_mail::submit_all(state, caller, outcome.outgoing);
    if earlier.is_some() {
        state.disturb(&caller.user);
    }
    match wait_seconds(&request) {
        Some(seconds) if silent => wait(state, caller, seconds, &request),
        _ => Reply::Now(answer(caller, &request, outcome.responses)),
    }
}

fn wait(state: &mut State, caller: &Caller, seconds: u32, request: &Request) -> Reply {
    let reply = state.park(caller, seconds, Waiting::Sync(Box::new(without_commands(request))));
    if let (Reply::Wait { waiter, .. }, Some(desk)) = (&reply, state.desk(caller)) {
        desk.device.waiting_sync = Some(*waiter);
    }
    reply
}

/// Asks a waiting Sync whether there is something now; one that a newer Sync replaced is over, since its keys may be.
pub(crate) fn wake(state: &mut State, caller: &Caller, request: &Request, id: WaiterId, over: bool) -> Option<Answer> {
    let Some(mut desk) = state.desk(caller) else { return Some(caller.refuse(Status::SERVER_ERROR)) };
    if desk.device.waiting_sync != Some(id) {
        return Some(Answer::empty());
    }
    let outcome = collection::run_all(&mut desk, caller, request);
    (over || !outcome.responses.is_empty()).then(|| answer(caller, request, outcome.responses))
}

/// An empty body says that nothing changed; before 12.1 every collection answers with its key.
fn answer(
    caller: &Caller,
    request: &Request,
    mut responses: Vec<easrig_eas::command::sync::CollectionResponse>,
) -> Answer {
    if caller.version < Version::V12_1 {
        let quiet = request
            .collections
            .iter()
            .filter(|asked| !responses.iter().any(|told| told.collection_id.as_ref() == Some(&asked.collection_id)));
        let quiet: Vec<_> = quiet.map(collection::nothing_new).collect();
        responses.extend(quiet);
    }
    if responses.is_empty() {
        return Answer::empty();
    }
    Answer::wbxml(&Response { status: None, limit: None, collections: responses }.to_document(caller.version))
}

/// The request as meant: an empty one is the last one again, a partial one is completed from it.
fn read(desk: &Desk<'_>, caller: &Caller, document: Option<&Document>) -> Result<Request, u16> {
    let Some(document) = document else {
        let last = desk.device.last_sync.as_ref().filter(|_| caller.version >= Version::V12_1);
        let mut request = last.ok_or(INCOMPLETE)?.clone();
        request.collections.iter_mut().for_each(|collection| take_current_key(desk, collection));
        return Ok(request);
    };
    let mut request = Request::from_document(document, caller.version).map_err(|_| PROTOCOL_ERROR)?;
    if request.partial {
        complete(desk, &mut request)?;
    }
    let both = request.wait.is_some() && request.heartbeat_interval.is_some();
    let mut ids: Vec<_> = request.collections.iter().map(|collection| &collection.collection_id).collect();
    ids.sort();
    ids.dedup();
    if both || ids.is_empty() || ids.len() != request.collections.len() {
        return Err(PROTOCOL_ERROR);
    }
    Ok(request)
}

fn complete(desk: &Desk<'_>, request: &mut Request) -> Result<(), u16> {
    let last = desk.device.last_sync.as_ref().ok_or(INCOMPLETE)?;
    for known in &last.collections {
        if !request.collections.iter().any(|asked| asked.collection_id == known.collection_id) {
            let mut known = known.clone();
            take_current_key(desk, &mut known);
            request.collections.push(known);
        }
    }
    if request.heartbeat_interval.is_none() && request.wait.is_none() {
        (request.wait, request.heartbeat_interval) = (last.wait, last.heartbeat_interval);
    }
    request.window_size = request.window_size.or(last.window_size);
    request.partial = false;
    Ok(())
}

fn take_current_key(desk: &Desk<'_>, collection: &mut Collection) {
    if let Some(state) = desk.device.collections.get(&collection.collection_id) {
        collection.sync_key = state.current.key.clone();
    }
}

fn without_commands(request: &Request) -> Request {
    let mut request = request.clone();
    request.collections.iter_mut().for_each(|collection| collection.commands.clear());
    request
}

/// The answer to a request that asks for more than the server allows.
fn broken_limit(desk: &Desk<'_>, request: &Request) -> Option<Response> {
    let refuse =
        |status, limit| Some(Response { status: Some(Status(status)), limit: Some(limit), collections: vec![] });
    let behaviour = desk.behaviour;
    for (asked, allowed) in
        [(request.wait, &behaviour.sync_wait), (request.heartbeat_interval, &behaviour.sync_heartbeat)]
    {
        if let Some(asked) = asked.filter(|asked| !allowed.contains(asked)) {
            return refuse(BAD_WAIT, asked.clamp(*allowed.start(), *allowed.end()));
        }
    }
    let most = behaviour.sync_collections;
    if request.collections.len() > most {
        return refuse(TOO_MANY, u32::try_from(most).unwrap_or(u32::MAX));
    }
    None
}

fn wait_seconds(request: &Request) -> Option<u32> {
    request.heartbeat_interval.or(request.wait.map(|minutes| minutes.saturating_mul(60)))
}

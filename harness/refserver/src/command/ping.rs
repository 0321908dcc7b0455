use std::collections::BTreeMap;

use easrig_eas::{
    CollectionId,
    command::ping::{Request, Response},
    status::Status,
};
use easrig_wbxml::Document;

use super::{Waiting, folder_sync, sync};
use crate::{
    Answer, Caller, Kind, Reply, State, Switch, WaiterId, core::Desk, partnership::PingMemory, store::class_of,
};

/// Nothing happened in the time that was asked for.
const EXPIRED: u16 = 1;

/// Interval or folders are missing and none are remembered.
const MISSING: u16 = 3;

/// The body is malformed.
const SYNTAX: u16 = 4;

/// The folder list of the device is out of date.
const HIERARCHY: u16 = 7;

/// A Ping that waits.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    folders: Vec<CollectionId>,
    /// Where folders stood that the device has never synchronised.
    baseline: BTreeMap<CollectionId, u64>,
}

/// Waits until a folder changes or the time is up.
pub(crate) fn run(state: &mut State, caller: &Caller, document: Option<&Document>) -> Reply {
    let Some(mut desk) = state.desk(caller) else { return Reply::Now(caller.refuse(Status::SERVER_ERROR)) };
    let (interval, folders) = match read(&mut desk, caller, document) {
        Ok(asked) => asked,
        Err(response) => return Reply::Now(Answer::wbxml(&response.to_document(caller.version))),
    };
    let baseline = folders.iter().map(|id| (id.clone(), desk.mailbox.changed(id))).collect();
    let watch = Watch { folders, baseline };
    if let Some(response) = look(&desk, caller, &watch) {
        return Reply::Now(Answer::wbxml(&response.to_document(caller.version)));
    }
    let earlier = desk.device.waiting_ping.take();
    let reply = state.park(caller, interval, Waiting::Ping(watch));
    if let (Reply::Wait { waiter, .. }, Some(desk)) = (&reply, state.desk(caller)) {
        desk.device.waiting_ping = Some(*waiter);
    }
    if earlier.is_some() {
        state.disturb(&caller.user);
    }
    reply
}

/// Asks a waiting Ping whether a folder has changed; one that a newer Ping replaced is over.
pub(crate) fn wake(state: &mut State, caller: &Caller, watch: &Watch, id: WaiterId, over: bool) -> Option<Answer> {
    let Some(desk) = state.desk(caller) else { return Some(caller.refuse(Status::SERVER_ERROR)) };
    let replaced = desk.device.waiting_ping != Some(id);
    let news = if replaced { None } else { look(&desk, caller, watch) };
    let expired = (over || replaced).then(|| response(EXPIRED));
    let response = news.or(expired)?;
    if !replaced {
        desk.device.waiting_ping = None;
    }
    Some(Answer::wbxml(&response.to_document(caller.version)))
}

/// What is asked, completed from the last Ping; an error is answered at once.
fn read(
    desk: &mut Desk<'_>,
    caller: &Caller,
    document: Option<&Document>,
) -> Result<(u32, Vec<CollectionId>), Response> {
    let request = match document {
        Some(document) => Request::from_document(document, caller.version).map_err(|_| response(SYNTAX))?,
        None => Request::default(),
    };
    let memory = desk.device.last_ping.clone().unwrap_or_default();
    let interval = request.heartbeat_interval.or(memory.interval).ok_or_else(|| response(MISSING))?;
    let mut folders: Vec<CollectionId> = request.folders.into_iter().map(|folder| folder.id).collect();
    if folders.is_empty() {
        folders = memory.folders;
    }
    if folders.is_empty() {
        return Err(response(MISSING));
    }
    let allowed = &desk.behaviour.ping_heartbeat;
    if !allowed.contains(&interval) && !desk.switches.has(Switch::PingHeartbeatLimitIgnored) {
        let nearest = interval.clamp(*allowed.start(), *allowed.end());
        return Err(Response { heartbeat_interval: Some(nearest), ..response(5) });
    }
    let most = desk.behaviour.ping_folders;
    if folders.len() > most {
        return Err(Response { max_folders: u32::try_from(most).ok(), ..response(6) });
    }
    desk.device.last_ping = Some(PingMemory { interval: Some(interval), folders: folders.clone() });
    Ok((interval, folders))
}

/// What there is to say now, if anything.
fn look(desk: &Desk<'_>, caller: &Caller, watch: &Watch) -> Option<Response> {
    if desk.switches.has(Switch::PingNeverWakes) {
        return None;
    }
    let gone = watch.folders.iter().any(|id| desk.mailbox.folder(id).is_none());
    if gone || folder_sync::is_stale(desk) {
        return Some(response(HIERARCHY));
    }
    let mut changed: Vec<CollectionId> =
        watch.folders.iter().filter(|id| has_news(desk, caller, watch, id)).cloned().collect();
    if changed.is_empty() {
        return None;
    }
    if desk.switches.has(Switch::PingWrongFolder) {
        changed = desk.mailbox.built_in(Kind::Outbox).cloned().into_iter().collect();
    }
    Some(Response { folders: changed, ..response(2) })
}

/// Whether the device has yet to hear of something in a folder.
fn has_news(desk: &Desk<'_>, caller: &Caller, watch: &Watch, id: &CollectionId) -> bool {
    match (desk.device.collections.get(id), desk.mailbox.folder(id)) {
        (Some(state), Some(folder)) => {
            let filter_type = state.filter_type(&class_of(folder.folder_type));
            sync::count_pending(desk, caller, id, &state.current.items, filter_type) > 0
        }
        _ => watch.baseline.get(id).is_some_and(|before| desk.mailbox.changed(id) > *before),
    }
}

fn response(status: u16) -> Response {
    Response { status: Status(status), ..Response::default() }
}

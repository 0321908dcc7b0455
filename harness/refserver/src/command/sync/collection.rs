use std::collections::BTreeMap;

use easrig_eas::{
    CollectionId, ServerId, SyncKey, Version,
    command::{
        Class,
        sync::{Collection, CollectionResponse, CommandResponse, Request},
    },
    status::Status,
};

use super::{
    PROTOCOL_ERROR, apply,
    changes::{self, Pending, class_of_folder},
    filter::Filter,
    state::{CollectionState, Known, Step, wanted},
};
use crate::{Caller, Stamps, Switch, command::send_mail::Outgoing, core::Desk};

/// A key that is wrong or of a lost state.
const BAD_KEY: u16 = 3;

/// A message part in another type than HTML.
const BAD_PART_TYPE: u16 = 164;

/// A folder that was never there.
const NOT_FOUND: u16 = 8;

/// A folder the device knows and that is gone.
const HIERARCHY_CHANGED: u16 = 12;

/// What a Sync led to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The collections that have something to say.
    pub(crate) responses: Vec<CollectionResponse>,
    /// The messages to send.
    pub(crate) outgoing: Vec<Outgoing>,
}

/// Runs every collection of a request.
pub(super) fn run_all(desk: &mut Desk<'_>, caller: &Caller, request: &Request) -> Outcome {
    let mut outcome = Outcome::default();
    let most = desk.behaviour.window_most;
    let mut budget = request.window_size.filter(|size| *size != 0).unwrap_or(most).min(most) as usize;
    for asked in &request.collections {
        let response = match run(desk, caller, asked, budget, &mut outcome.outgoing) {
            Ok(response) => response,
            Err(status) => Some(failure(asked, status)),
        };
        if let Some(mut response) = response {
            budget = budget.saturating_sub(response.commands.len());
            if caller.version < Version::V14_0 {
                response.class = Some(class_of_folder(desk, &asked.collection_id));
            }
            outcome.responses.push(response);
        }
    }
    outcome
}

/// The answer of a collection in which nothing happened.
pub(super) fn nothing_new(asked: &Collection) -> CollectionResponse {
    CollectionResponse {
        class: asked.class.clone(),
        sync_key: Some(asked.sync_key.clone()),
        collection_id: Some(asked.collection_id.clone()),
        status: Some(Status::SUCCESS),
        ..CollectionResponse::default()
    }
}

fn failure(asked: &Collection, status: u16) -> CollectionResponse {
    let key = if status == BAD_KEY { SyncKey::initial() } else { asked.sync_key.clone() };
    CollectionResponse { sync_key: Some(key), status: Some(Status(status)), ..nothing_new(asked) }
}

fn run(
    desk: &mut Desk<'_>,
    caller: &Caller,
    asked: &Collection,
    budget: usize,
    outgoing: &mut Vec<Outgoing>,
) -> Result<Option<CollectionResponse>, u16> {
    let id = &asked.collection_id;
    if desk.mailbox.folder(id).is_none() {
        let was_there = desk.device.hierarchy.current.as_ref().is_some_and(|known| known.folders.contains_key(id));
        return Err(if was_there { HIERARCHY_CHANGED } else { NOT_FOUND });
    }
    let class = class_of_folder(desk, id);
    check_options(asked, &class)?;
    if asked.sync_key.is_initial() {
        return prime(desk, caller, asked, &class).map(Some);
    }
    let state = Box::new(desk.device.collections.get(id).ok_or(BAD_KEY)?.clone());
    let turn = Turn::begin(desk, state, asked)?;
    match turn {
        Turn::Again(response) => Ok(Some(response)),
        Turn::On { mut state, base, added } => {
            if !asked.options.is_empty() {
                state.options.clone_from(&asked.options);
            }
            let filter = Filter::of(&class, state.filter_type(&class), caller.now).ok_or(PROTOCOL_ERROR)?;
            Ok(advance(desk, caller, asked, Moving { state, base, added, class, filter, budget }, outgoing))
        }
    }
}

/// One block of options per class, conversations only for mail, message parts only as HTML.
fn check_options(asked: &Collection, class: &Class) -> Result<(), u16> {
    let mut classes: Vec<Option<&Class>> = asked.options.iter().map(|options| options.class.as_ref()).collect();
    classes.sort();
    classes.dedup();
    let conversations = asked.conversation_mode.is_some_and(|flag| flag.is_on());
    if classes.len() != asked.options.len() || (conversations && *class != Class::Email) {
        return Err(PROTOCOL_ERROR);
    }
    let mut parts = asked.options.iter().filter_map(|options| options.body_part_preference.as_ref());
    if parts.any(|part| part.body_type != 2) { Err(BAD_PART_TYPE) } else { Ok(()) }
}

/// A request with key 0 gives a key and nothing else.
fn prime(desk: &mut Desk<'_>, caller: &Caller, asked: &Collection, class: &Class) -> Result<CollectionResponse, u16> {
    let wants_changes = asked.get_changes.is_some_and(|flag| flag.is_on());
    if wants_changes || !asked.commands.is_empty() {
        return Err(PROTOCOL_ERROR);
    }
    let key = desk.device.keys.sync_key();
    let mut state = CollectionState::primed(key.clone());
    state.options.clone_from(&asked.options);
    state.supported.clone_from(&asked.supported);
    Filter::of(class, state.filter_type(class), caller.now).ok_or(PROTOCOL_ERROR)?;
    desk.device.collections.insert(asked.collection_id.clone(), state);
    Ok(CollectionResponse { sync_key: Some(key), ..nothing_new(asked) })
}

/// How a request with a key goes on.
enum Turn {
    /// It repeats the last one, whose answer may be lost: the same answer again.
    Again(CollectionResponse),
    /// It goes on from what `base` stands for.
    On { state: Box<CollectionState>, base: Known, added: Vec<(easrig_eas::ClientId, ServerId)> },
}

impl Turn {
    fn begin(desk: &Desk<'_>, state: Box<CollectionState>, asked: &Collection) -> Result<Self, u16> {
        let key = &asked.sync_key;
        if state.current.key == *key || desk.switches.has(Switch::StaleSyncKeyAccepted) {
            let base = state.current.clone();
            return Ok(Self::On { state, base, added: Vec::new() });
        }
        let base = state.previous.clone().filter(|previous| previous.key == *key).ok_or(BAD_KEY)?;
        match &state.step {
            Some(step) if step.commands == asked.commands => Ok(Self::Again(step.response.clone())),
            step => {
                let added = step.as_ref().map(|step| step.added.clone()).unwrap_or_default();
                Ok(Self::On { state, base, added })
            }
        }
    }
}

struct Moving {
    state: Box<CollectionState>,
    base: Known,
    added: Vec<(easrig_eas::ClientId, ServerId)>,
    class: Class,
    filter: Filter,
    budget: usize,
}

/// Applies the client's changes, collects the server's, and moves on to a new key if there were any.
fn advance(
    desk: &mut Desk<'_>,
    caller: &Caller,
    asked: &Collection,
    moving: Moving,
    outgoing: &mut Vec<Outgoing>,
) -> Option<CollectionResponse> {
    let Moving { mut state, base, mut added, class, filter, budget } = moving;
    let id = &asked.collection_id;
    let mut items = base.items.clone();
    let mut responses = Vec::new();
    for command in &asked.commands {
        let mut hand = apply::Hand { desk, caller, asked, class: &class, state: &state, known: &mut items };
        let mut done = hand.take(command, &added);
        responses.extend(done.response.take());
        added.extend(done.added.take());
        outgoing.append(&mut done.outgoing);
    }
    let get_changes = asked.get_changes.is_none_or(|flag| flag.is_on());
    let waiting = if get_changes { changes::pending(desk, id, &items, filter) } else { Vec::new() };
    if waiting.is_empty() && asked.commands.is_empty() {
        desk.device.collections.insert(id.clone(), *state);
        return None;
    }
    let window = window(desk, asked).min(budget);
    let more = waiting.len() > window;
    let commands = {
        let wanted = wanted(state.options_for(&class), caller.version, desk.switches);
        let sent = waiting.iter().take(window);
        let told = sent.filter_map(|change| {
            let known = id_of(change).and_then(|id| items.get(id).copied());
            changes::describe(desk, id, change, known, &wanted)
        });
        told.collect()
    };
    settle(desk, &waiting, window, &mut items);
    let key = if desk.switches.has(Switch::SyncKeyNotAdvanced) {
        asked.sync_key.clone()
    } else {
        desk.device.keys.sync_key()
    };
    let response = CollectionResponse {
        sync_key: Some(key.clone()),
        more_available: more && !desk.switches.has(Switch::MoreAvailableDropped),
        commands,
        responses: in_order(responses),
        ..nothing_new(asked)
    };
    state.step = Some(Step { commands: asked.commands.clone(), response: response.clone(), added });
    state.previous = Some(base);
    state.current = Known { key, items };
    desk.device.collections.insert(id.clone(), *state);
    Some(response)
}

/// Notes what the device now has.
fn settle(desk: &Desk<'_>, waiting: &[Pending], window: usize, items: &mut BTreeMap<ServerId, Stamps>) {
    let sent = waiting.iter().take(window);
    let next = waiting.get(window);
    sent.for_each(|change| change.settle(items));
    if let Some(next) = next.filter(|_| desk.switches.has(Switch::ItemLostBetweenWindows)) {
        next.settle(items);
    }
    let doubled = next.is_some() && desk.switches.has(Switch::ItemDoubledBetweenWindows);
    let last = window.checked_sub(1).and_then(|last| waiting.get(last));
    if let Some(Pending::Add(id, _)) = last.filter(|_| doubled) {
        items.remove(id);
    }
}

fn window(desk: &Desk<'_>, asked: &Collection) -> usize {
    let behaviour = desk.behaviour;
    let size = match asked.window_size {
        None => behaviour.window_default,
        Some(0) => behaviour.window_most,
        Some(size) => size.min(behaviour.window_most),
    };
    size as usize
}

fn id_of(change: &Pending) -> Option<&ServerId> {
    match change {
        Pending::Change(id, _) => Some(id),
        _ => None,
    }
}

/// Changes, additions and fetches in the order the schema has them.
fn in_order(mut responses: Vec<CommandResponse>) -> Vec<CommandResponse> {
    responses.sort_by_key(|response| match response {
        CommandResponse::Change { .. } => 0,
        CommandResponse::Add { .. } => 1,
        CommandResponse::Delete { .. } => 2,
        CommandResponse::Fetch { .. } => 3,
    });
    responses
}

/// What the device has of a folder; nothing for a key that is not the current one.
pub(crate) fn known_items<'d>(
    desk: &'d Desk<'_>,
    folder: &CollectionId,
    key: &SyncKey,
) -> Option<&'d BTreeMap<ServerId, Stamps>> {
    let current = &desk.device.collections.get(folder)?.current;
    (current.key == *key).then_some(&current.items)
}

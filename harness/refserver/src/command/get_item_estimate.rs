use easrig_eas::{
    Version,
    command::{
        Class,
        get_item_estimate::{Collection, EstimateResponse, Request, Response},
    },
    status::Status,
};
use easrig_wbxml::Document;

use super::sync;
use crate::{Answer, Caller, State, Switch, core::Desk, store::class_of};

/// The folder is not there.
const BAD_COLLECTION: u16 = 2;

/// The folder was never synchronised.
const NOT_PRIMED: u16 = 3;

/// The key is not the current one.
const BAD_KEY: u16 = 4;

/// Says how many changes a Sync would bring, without bringing them.
pub(crate) fn run(state: &mut State, caller: &Caller, document: Option<&Document>) -> Answer {
    let Some(Ok(request)) = document.map(|document| Request::from_document(document, caller.version)) else {
        return caller.refuse(Status(103));
    };
    let Some(desk) = state.desk(caller) else { return caller.refuse(Status::SERVER_ERROR) };
    if request.collections.iter().any(|asked| asks_the_impossible(&desk, caller, asked)) {
        return caller.refuse(Status(103));
    }
    let responses = request.collections.iter().map(|asked| respond(&desk, caller, asked)).collect();
    Answer::wbxml(&Response { status: None, responses }.to_document(caller.version))
}

/// A filter that the class does not have, or conversations of something else than mail.
fn asks_the_impossible(desk: &Desk<'_>, caller: &Caller, asked: &Collection) -> bool {
    let Some(folder) = desk.mailbox.folder(&asked.collection_id) else { return false };
    let class = class_of(folder.folder_type);
    let mut filters = asked.options.iter().filter_map(|options| options.filter_type);
    let conversations = asked.conversation_mode.is_some_and(|flag| flag.is_on());
    filters.any(|number| number > 8 || sync::Filter::of(&class, number, caller.now).is_none())
        || (conversations && class != Class::Email)
}

fn respond(desk: &Desk<'_>, caller: &Caller, asked: &Collection) -> EstimateResponse {
    let estimate = estimate(desk, caller, asked);
    let class = desk.mailbox.folder(&asked.collection_id).map(|folder| class_of(folder.folder_type));
    EstimateResponse {
        status: Some(Status(estimate.err().unwrap_or(1))),
        class: class.filter(|_| caller.version < Version::V14_0 && estimate.is_ok()),
        collection_id: Some(asked.collection_id.clone()),
        estimate: estimate.ok(),
    }
}

fn estimate(desk: &Desk<'_>, caller: &Caller, asked: &Collection) -> Result<u32, u16> {
    let id = &asked.collection_id;
    let folder = desk.mailbox.folder(id).ok_or(BAD_COLLECTION)?;
    let state = desk.device.collections.get(id).ok_or(NOT_PRIMED)?;
    if asked.sync_key.is_initial() {
        return Err(NOT_PRIMED);
    }
    let known = sync::known_items(desk, id, &asked.sync_key).ok_or(BAD_KEY)?;
    let asked_filter = asked.options.iter().find_map(|options| options.filter_type);
    let filter_type = asked_filter.unwrap_or_else(|| state.filter_type(&class_of(folder.folder_type)));
    let count = sync::count_pending(desk, caller, id, known, filter_type);
    let count = count + usize::from(desk.switches.has(Switch::EstimateWrong));
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

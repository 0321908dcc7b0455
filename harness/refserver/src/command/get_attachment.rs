use crate::{Answer, Call, Caller, Mail, State, Switch, mime::View};

/// Gives the bytes of an attachment, up to 12.1 (MS-ASCMD 2.2.1.8).
pub(crate) fn run(state: &mut State, caller: &Caller, call: &Call) -> Answer {
    let name = call.query.attachment_name.as_deref().unwrap_or_default();
    match attachment(state, caller, name) {
        Some((content_type, bytes)) => Answer::body(&content_type, bytes),
        None => Answer::http(404),
    }
}

/// The type and bytes of an attachment.
pub(super) fn attachment(state: &mut State, caller: &Caller, reference: &str) -> Option<(String, Vec<u8>)> {
    let (id, index) = Mail::resolve_reference(reference)?;
    let desk = state.desk(caller)?;
    let (_, item) = desk.mailbox.find(&id)?;
    let view = View::parse(&item.mail()?.mime)?;
    let file = view.attachments().into_iter().nth(index)?;
    let mut bytes = file.bytes.to_vec();
    if desk.switches.has(Switch::AttachmentCorrupted) {
        bytes.pop();
    }
    Some((file.content_type, bytes))
}

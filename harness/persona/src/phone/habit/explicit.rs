//! One request with given contents.

use easrig_eas::{
    Command, PolicyKey, Version,
    command::{
        provision,
        send_mail::{self, Verb},
    },
};

use crate::{
    Body, ExplicitSend, MailBody,
    answer::Answer,
    phone::{
        line::{Line, Stop},
        request::Call,
    },
};

/// Sends exactly one request; whatever comes back, the task is done.
pub(super) async fn run(line: &Line, send: ExplicitSend) -> Result<(), Stop> {
    line.endpoint().await?;
    let (request, patience) = line.with(|core| {
        let call = call(line_version(core), &send, core.stamp());
        let request = core.explicit(&call, &send).map_err(Stop::GaveUp)?;
        Ok((request, send.patience.unwrap_or_else(|| core.patience())))
    })?;
    if let Ok(response) = line.http(request, patience).await? {
        line.with(|core| core.keep_cookies(&response.headers));
        if send.command == Some(Command::Provision) {
            keep_final_key(line, &send, &Answer::of(response));
        }
    }
    Ok(())
}

fn line_version(core: &crate::phone::memory::Core) -> Version {
    core.spoken()
}

fn call(version: Version, send: &ExplicitSend, stamp: crate::letter::Stamp) -> Call {
    let mut call = Call { command: send.command, ..Call::default() };
    match &send.body {
        Body::None => {}
        Body::Raw(bytes) => call.body.clone_from(bytes),
        Body::Wbxml(document) => call.body = document.encode(),
        Body::Mail(mail) => write_mail(&mut call, mail, version, stamp),
    }
    call
}

fn write_mail(call: &mut Call, mail: &MailBody, version: Version, stamp: crate::letter::Stamp) {
    let verb = match call.command {
        Some(Command::SmartReply) => Verb::Reply,
        Some(Command::SmartForward) => Verb::Forward,
        _ => Verb::Send,
    };
    call.save_in_sent = mail.save_in_sent;
    let request = send_mail::Request {
        verb,
        client_id: mail.client_id.clone().or_else(|| Some(stamp.id.clone())),
        save_in_sent_items: mail.save_in_sent,
        source: mail.source.as_ref().map(|source| send_mail::Source {
            folder_id: source.folder.clone(),
            item_id: source.item.clone(),
            long_id: source.long_id.clone(),
            instance_id: source.instance.clone(),
        }),
        replace_mime: mail.replace_mime,
        mime: mail.letter.to_mime(&stamp),
        ..send_mail::Request::default()
    };
    call.fill(request, version);
}

impl Call {
    /// The body and the parameters of a message at `version`.
    pub(super) fn fill(&mut self, request: send_mail::Request, version: Version) {
        if let Some(source) = request.source.as_ref().filter(|_| version < Version::V14_0) {
            self.collection_id.clone_from(&source.folder_id);
            self.item_id.clone_from(&source.item_id);
            self.long_id.clone_from(&source.long_id);
            self.occurrence.clone_from(&source.instance_id);
        }
        match request.body(version) {
            send_mail::Body::Wbxml(document) => self.body = document.encode(),
            send_mail::Body::Mime(bytes) => (self.body, self.is_mime) = (bytes, true),
        }
    }
}

/// An explicit acknowledgement that brings a final key makes it the phone's.
fn keep_final_key(line: &Line, send: &ExplicitSend, answer: &Answer) {
    let version = line.with(|core| core.spoken());
    let Body::Wbxml(sent) = &send.body else { return };
    let acknowledges = provision::Request::from_document(sent, version)
        .is_ok_and(|sent| sent.policies.iter().any(|policy| policy.policy_key.is_some()));
    let said = answer.document.as_ref().and_then(|document| provision::Response::from_document(document, version).ok());
    let key: Option<PolicyKey> = said.and_then(|said| said.policies.first().and_then(|policy| policy.policy_key));
    if let Some(key) = key.filter(|_| acknowledges) {
        line.with(|core| core.policy_key = Some(key));
    }
}

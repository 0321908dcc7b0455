//! Reading mail: receive, open, mark, flag, move, delete.

use std::time::Duration;

use easrig_eas::{
    CollectionId, Command, ServerId,
    command::{
        BodyPreference, Item,
        item_operations::{self, Fetch, FetchResponse, Operation, OperationResponse},
        move_items, sync,
        sync::CommandResponse,
    },
};
use easrig_wbxml::{
    Builder,
    tags::{air_sync, email, item_operations as operations},
};

use super::sync::Changes;
use crate::{
    Condition, FolderKind, FolderRef, ItemKind, OwnerItem,
    answer::Answer,
    persona::word::{AttachmentFetch, FullBody},
    phone::{
        line::{Line, Stop},
        memory::Core,
        request::Call,
    },
};

/// The time between two Syncs while a message is waited for.
const PAUSE: Duration = Duration::from_secs(1);

/// The kind of the inbox.
const INBOX: FolderKind = FolderKind(2);

/// The most attachments that are opened with a message.
const MOST_OPENED: usize = 8;

/// Where an item is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) folder: CollectionId,
    pub(super) item: ServerId,
}

impl Line {
    /// Synchronises until a message with this subject is there.
    pub(super) async fn receive(&self, subject: &str, folder: &FolderRef, within: Duration) -> Result<(), Stop> {
        let until = self.with(|core| core.now.after(within));
        loop {
            {
                let _hold = self.hold().await;
                self.sync_named(folder).await?;
            }
            let id = self.folder(folder)?;
            let there =
                |core: &mut Core| core.owner.items.iter().any(|item| item.folder == id && item.subject == subject);
            if self.with(there) {
                return Ok(());
            }
            if self.with(|core| core.now >= until) {
                let seconds = within.as_secs();
                return Err(Stop::GaveUp(format!("no mail `{subject}` arrived in `{}` within {seconds} s", folder.0)));
            }
            self.pause(PAUSE).await;
        }
    }

    /// Opens a message: its whole text, its attachments, its mark.
    pub(super) async fn read_mail(&self, subject: &str) -> Result<(), Stop> {
        let place = self.find_mail(subject).await?;
        self.fetch_text(&place).await?;
        self.fetch_attachments(&place).await?;
        self.change_mail(&place, |out| {
            out.leaf(email::READ, "1");
        })
        .await
    }

    pub(super) async fn mark_read(&self, subject: &str, read: bool) -> Result<(), Stop> {
        let place = self.find_mail(subject).await?;
        self.change_mail(&place, |out| {
            out.leaf(email::READ, if read { "1" } else { "0" });
        })
        .await
    }

    pub(super) async fn flag(&self, subject: &str) -> Result<(), Stop> {
        let place = self.find_mail(subject).await?;
        self.change_mail(&place, |out| {
            out.open(email::FLAG).leaf(email::STATUS, "2").leaf(email::FLAG_TYPE, "for Follow Up").close();
        })
        .await
    }

    pub(super) async fn delete_mail(&self, subject: &str) -> Result<(), Stop> {
        let place = self.find_mail(subject).await?;
        let command = sync::Command::Delete { server_id: place.item.clone(), instance_id: None };
        self.change(&place.folder, command).await?;
        self.with(|core| core.drop_item(&place));
        Ok(())
    }

    /// Moves a message, then looks at both folders.
    pub(super) async fn move_mail(&self, subject: &str, to: &FolderRef) -> Result<(), Stop> {
        let version = self.version().await?;
        let place = self.find_mail(subject).await?;
        let target = self.folder(to)?;
        let request = move_items::Request {
            moves: vec![move_items::Move {
                src_msg_id: place.item.clone(),
                src_fld_id: place.folder.clone(),
                dst_fld_id: target.clone(),
            }],
        };
        let answer = self.command(Call::new(Command::MoveItems, request.to_document(version).encode())).await?;
        let document = answer.document.as_ref().ok_or_else(|| self.stop(&Condition::BadAnswer))?;
        let said = move_items::Response::from_document(document, version)
            .map_err(|error| Stop::GaveUp(format!("the answer to MoveItems: {error}")))?;
        match said.responses.first().and_then(|response| response.status).or(said.status) {
            Some(status) if status.0 == 3 => {}
            Some(status) => return Err(Stop::GaveUp(format!("MoveItems was answered with Status {status}"))),
            None => return Err(Stop::GaveUp("MoveItems was answered without a status".to_owned())),
        }
        self.with(|core| core.drop_item(&place));
        let _hold = self.hold().await;
        self.sync(vec![place.folder], None).await?;
        self.sync(vec![target], None).await.map(drop)
    }

    /// The message with this subject; looked for once more in the inbox if the phone does not have it.
    pub(super) async fn find_mail(&self, subject: &str) -> Result<Place, Stop> {
        if let Some(place) = self.with(|core| core.mail(subject)) {
            return Ok(place);
        }
        {
            let _hold = self.hold().await;
            self.sync_named(&FolderRef::from("inbox")).await?;
        }
        self.with(|core| core.mail(subject)).ok_or_else(|| Stop::GaveUp(format!("the phone has no mail `{subject}`")))
    }

    async fn change_mail(&self, place: &Place, write: impl FnOnce(&mut Builder)) -> Result<(), Stop> {
        let content = Item::build(air_sync::APPLICATION_DATA, write);
        let command = sync::Command::Change {
            server_id: place.item.clone(),
            instance_id: None,
            application_data: content.clone(),
        };
        self.change(&place.folder, command).await?;
        self.with(|core| core.learn(&place.folder, &place.item, &content));
        Ok(())
    }

    /// Sends one change; its outcome must be success, which a server may leave unsaid.
    pub(super) async fn change(
        &self,
        folder: &CollectionId,
        command: sync::Command,
    ) -> Result<Vec<CommandResponse>, Stop> {
        let _hold = self.hold().await;
        let changes = Changes { folder: folder.clone(), commands: vec![command], deletes_as_moves: None };
        let outcomes = self.send_changes(changes).await?;
        let failed = outcomes.iter().filter_map(outcome).find(|status| *status != 1);
        failed.map_or(Ok(outcomes), |status| Err(Stop::GaveUp(format!("the change was answered with Status {status}"))))
    }

    /// The whole text, the way this device fetches it.
    async fn fetch_text(&self, place: &Place) -> Result<(), Stop> {
        let truncated = self.with(|core| core.item(place).is_some_and(|item| item.truncated || item.body.is_empty()));
        match self.with(|core| core.persona.mail.full_body.value) {
            FullBody::ItemOperations if truncated => self.fetch_whole(place).await,
            FullBody::SyncFetch if truncated => self.fetch_in_sync(place).await,
            _ => Ok(()),
        }
    }

    async fn fetch_whole(&self, place: &Place) -> Result<(), Stop> {
        let habits = self.with(|core| core.persona.mail.clone());
        let preference = habits.full_body_type.map(|body_type| BodyPreference {
            body_type: body_type.value,
            truncation_size: habits.full_body_truncation.map(|size| size.value),
            ..BodyPreference::default()
        });
        let mime_support = preference.as_ref().filter(|preference| preference.body_type == 4).map(|_| 2);
        let fetch = Fetch {
            server_id: Some(place.item.clone()),
            collection_id: Some(place.folder.clone()),
            options: Some(item_operations::Options {
                mime_support,
                body_preferences: preference.into_iter().collect(),
                ..item_operations::Options::default()
            }),
            ..Fetch::default()
        };
        let (said, answer) = self.fetch(fetch).await?;
        let Some(mut content) = said.properties else { return Ok(()) };
        content = with_parts(content, &answer);
        self.with(|core| core.learn(&place.folder, &place.item, &content));
        Ok(())
    }

    async fn fetch_in_sync(&self, place: &Place) -> Result<(), Stop> {
        let outcomes = self.change(&place.folder, sync::Command::Fetch { server_id: place.item.clone() }).await?;
        for outcome in outcomes {
            if let CommandResponse::Fetch { application_data: Some(content), .. } = outcome {
                self.with(|core| core.learn(&place.folder, &place.item, &content));
            }
        }
        Ok(())
    }

    async fn fetch_attachments(&self, place: &Place) -> Result<(), Stop> {
        let listed = self.with(|core| core.item(place).map(|item| item.attachments.clone())).unwrap_or_default();
        let version = self.version().await?;
        for attachment in listed.iter().filter(|attachment| !attachment.reference.is_empty()).take(MOST_OPENED) {
            let way = self.with(|core| core.persona.mail.attachments.value.at(version));
            let content = match way.unwrap_or(AttachmentFetch::ItemOperations) {
                AttachmentFetch::GetAttachment => {
                    let mut call = Call::new(Command::GetAttachment, Vec::new());
                    call.attachment_name = Some(attachment.reference.clone());
                    self.command(call).await?.body
                }
                AttachmentFetch::ItemOperations => {
                    let reference = Some(attachment.reference.clone());
                    let (said, answer) = self.fetch(Fetch { file_reference: reference, ..Fetch::default() }).await?;
                    said.properties.map(|content| data_of(&content, &answer)).unwrap_or_default()
                }
            };
            self.with(|core| core.keep_attachment(place, &attachment.reference, content));
        }
        Ok(())
    }

    async fn fetch(&self, fetch: Fetch) -> Result<(FetchResponse, Answer), Stop> {
        let version = self.version().await?;
        let request = item_operations::Request { operations: vec![Operation::Fetch(Box::new(fetch))] };
        let mut call = Call::new(Command::ItemOperations, request.to_document(version).encode());
        call.multipart = self.with(|core| core.persona.protocol.multipart.value);
        let answer = self.command(call).await?;
        let document = answer.document.as_ref().ok_or_else(|| self.stop(&Condition::BadAnswer))?;
        let said = item_operations::Response::from_document(document, version)
            .map_err(|error| Stop::GaveUp(format!("the answer to ItemOperations: {error}")))?;
        let first = said.responses.into_iter().find_map(|response| match response {
            OperationResponse::Fetch(fetched) => Some(*fetched),
            _ => None,
        });
        let fetched =
            first.ok_or_else(|| Stop::GaveUp("ItemOperations was answered without what was fetched".into()))?;
        match fetched.status.or(said.status).filter(|status| status.0 != 1) {
            Some(status) => Err(Stop::GaveUp(format!("ItemOperations was answered with Status {status}"))),
            None => Ok((fetched, answer)),
        }
    }
}

impl Core {
    /// The newest message with this subject, in the inbox rather than elsewhere.
    fn mail(&self, subject: &str) -> Option<Place> {
        let named =
            || self.owner.items.iter().rev().filter(|item| item.kind == ItemKind::Mail && item.subject == subject);
        let found = named().find(|item| self.kind(&item.folder) == INBOX).or_else(|| named().next())?;
        Some(Place { folder: found.folder.clone(), item: found.server_id.clone() })
    }

    pub(super) fn item(&self, place: &Place) -> Option<&OwnerItem> {
        self.owner.items.iter().find(|item| item.folder == place.folder && item.server_id == place.item)
    }

    pub(super) fn drop_item(&mut self, place: &Place) {
        self.owner().items.retain(|item| item.folder != place.folder || item.server_id != place.item);
    }

    fn keep_attachment(&mut self, place: &Place, reference: &str, content: Vec<u8>) {
        let item = |item: &&mut OwnerItem| item.folder == place.folder && item.server_id == place.item;
        let Some(item) = self.owner().items.iter_mut().find(item) else { return };
        if let Some(known) = item.attachments.iter_mut().find(|known| known.reference == reference) {
            known.content = Some(content);
        }
    }
}

/// The status of an outcome, where it has one.
pub(super) fn outcome(response: &CommandResponse) -> Option<u16> {
    let status = match response {
        CommandResponse::Add { status, .. }
        | CommandResponse::Change { status, .. }
        | CommandResponse::Delete { status, .. }
        | CommandResponse::Fetch { status, .. } => status,
    };
    status.map(|status| status.0)
}

/// The data of an attachment: inside as base64 text, or in the part that stands for it.
fn data_of(content: &Item, answer: &Answer) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    if let Some(part) = part_of(content, answer) {
        return part;
    }
    let Some(data) = content.child(operations::DATA) else { return Vec::new() };
    let text: Vec<u8> = data.bytes().iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(&text).unwrap_or(text)
}

fn part_of(content: &Item, answer: &Answer) -> Option<Vec<u8>> {
    let number = content.root().descendants().find(|element| element.tag() == operations::PART)?;
    let number = number.text().trim().parse::<usize>().ok()?.checked_sub(1)?;
    answer.parts.get(number).cloned()
}

/// A body that stands in a part of its own, put where it belongs.
fn with_parts(content: Item, answer: &Answer) -> Item {
    use easrig_wbxml::tags::air_sync_base as base;
    let (Some(part), Some(body)) = (part_of(&content, answer), content.child(base::BODY)) else { return content };
    let kind = body.child_text(base::TYPE).unwrap_or_default();
    let text = String::from_utf8_lossy(&part);
    Item::build(operations::PROPERTIES, |out| {
        content.root().children().filter(|child| child.tag() != base::BODY).for_each(|child| {
            out.append(child);
        });
        out.open(base::BODY).leaf(base::TYPE, &kind).leaf(base::DATA, &text).close();
    })
}

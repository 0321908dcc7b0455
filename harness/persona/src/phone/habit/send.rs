//! Sending: new messages, answers, forwards (MS-ASCMD 2.2.1.17, 2.2.1.19, 2.2.1.20).

use easrig_eas::{
    Command,
    command::send_mail::{self, Verb},
};
use sha2::{Digest, Sha256};

use super::mail::Place;
use crate::{
    Letter,
    letter::Stamp,
    phone::{
        line::{Line, Stop},
        memory::Core,
        request::Call,
    },
};

impl Line {
    pub(super) async fn send_letter(&self, letter: Letter) -> Result<(), Stop> {
        self.send_as(Verb::Send, letter, None).await
    }

    pub(super) async fn reply_to(&self, subject: &str, text: String) -> Result<(), Stop> {
        let place = self.find_mail(subject).await?;
        let to = self.with(|core| core.item(&place).map(|item| item.from.clone())).unwrap_or_default();
        let letter = Letter { to: vec![to], subject: format!("Re: {subject}"), text: Some(text), ..Letter::default() };
        self.send_as(Verb::Reply, letter, Some(place)).await
    }

    pub(super) async fn forward(&self, subject: &str, to: String, text: String) -> Result<(), Stop> {
        let place = self.find_mail(subject).await?;
        let letter = Letter { to: vec![to], subject: format!("Fwd: {subject}"), text: Some(text), ..Letter::default() };
        self.send_as(Verb::Forward, letter, Some(place)).await
    }

    async fn send_as(&self, verb: Verb, letter: Letter, source: Option<Place>) -> Result<(), Stop> {
        let version = self.version().await?;
        let command = match verb {
            Verb::Send => Command::SendMail,
            Verb::Reply => Command::SmartReply,
            Verb::Forward => Command::SmartForward,
        };
        let (stamp, save) = self.with(|core| (core.stamp(), core.persona.mail.save_in_sent.value));
        let request = send_mail::Request {
            verb,
            client_id: Some(stamp.id.clone()),
            save_in_sent_items: save,
            source: source.map(|place| send_mail::Source {
                folder_id: Some(place.folder.0),
                item_id: Some(place.item.0),
                ..send_mail::Source::default()
            }),
            mime: letter.to_mime(&stamp),
            ..send_mail::Request::default()
        };
        let mut call = Call { save_in_sent: save, ..Call::new(command, Vec::new()) };
        call.fill(request, version);
        let answer = self.command(call).await?;
        match answer.status() {
            Some(status) => Err(Stop::GaveUp(format!("{command} was answered with Status {status}"))),
            None => Ok(()),
        }
    }
}

impl Core {
    /// The next stamp: its id follows from the seed and the count of what this phone has made.
    pub(super) fn stamp(&mut self) -> Stamp {
        let setup = &self.setup;
        let from = setup.address.clone().unwrap_or_else(|| setup.user.clone());
        Stamp {
            from,
            at: self.now,
            id: self.fresh(),
            mailer: self.persona.mail.mailer.as_ref().map(|mailer| mailer.value.clone()),
        }
    }

    /// A text of 24 hexadecimal digits that this run has not used before.
    pub(super) fn fresh(&mut self) -> String {
        self.made += 1;
        let seed = format!("{}\0{}\0{}\0{}", self.setup.seed, self.setup.device_id, self.setup.role, self.made);
        Sha256::digest(seed.as_bytes()).iter().take(12).map(|byte| format!("{byte:02x}")).collect()
    }
}

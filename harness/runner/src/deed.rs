//! From what a scenario file says to what a phone is asked to do.

use std::time::Duration;

use easrig_exchange::Secret;
use easrig_persona::{
    Attachment, Body, ExplicitSend, FolderRef, Habit, Letter, Login, MailBody, MeetingAnswer, Patience, QueryHabit,
    Source, Task,
};
use easrig_scenario::{
    Role, UnknownVariable, Variables,
    model::{Answer, Body as Template, HabitParams, LoginKind, Mail, QueryForm, Send, Verb},
};
use easrig_wbxml::Document;
use mail_builder::MessageBuilder;
use thiserror::Error;

/// Why a step cannot be turned into a deed.
#[derive(Debug, Error)]
pub(crate) enum DeedError {
    #[error(transparent)]
    Variable(#[from] UnknownVariable),
    #[error("the body is not a document once its variables are filled in: {0}")]
    Xml(#[from] easrig_wbxml::XmlError),
}

/// Fills in the variables of one role.
pub(crate) struct Fill<'v> {
    pub(crate) vars: &'v Variables,
    pub(crate) role: Role,
}

impl Fill<'_> {
    pub(crate) fn text(&self, text: &str) -> Result<String, UnknownVariable> {
        self.vars.substitute(self.role, text)
    }

    fn some(&self, text: Option<&String>) -> Result<Option<String>, UnknownVariable> {
        text.map(|text| self.text(text)).transpose()
    }

    fn or_empty(&self, text: Option<&String>) -> Result<String, UnknownVariable> {
        Ok(self.some(text)?.unwrap_or_default())
    }

    fn pairs(&self, pairs: &[(String, String)]) -> Result<Vec<(String, String)>, UnknownVariable> {
        pairs.iter().map(|(name, value)| Ok((name.clone(), self.text(value)?))).collect()
    }

    /// A message.
    pub(crate) fn letter(&self, mail: &Mail) -> Result<Letter, UnknownVariable> {
        Ok(Letter {
            to: self
                .some(mail.to.as_ref())?
                .map(|to| to.split(',').map(|a| a.trim().to_owned()).collect())
                .unwrap_or_default(),
            subject: self.or_empty(mail.subject.as_ref())?,
            text: self.some(mail.text.as_ref())?,
            html: self.some(mail.html.as_ref())?,
            attachment: mail.attachment.as_ref().map(file),
            calendar: self.some(mail.calendar.as_ref())?,
        })
    }

    /// A message from somebody outside, as the server would receive it.
    pub(crate) fn outside_mail(&self, mail: &Mail) -> Result<Vec<u8>, UnknownVariable> {
        let letter = self.letter(mail)?;
        let owner = self.text("{address}")?;
        let mut message = MessageBuilder::new()
            .message_id(format!("{}@outside.example", self.text("{unique}")?))
            .from(self.some(mail.from.as_ref())?.unwrap_or_else(|| "stranger@outside.example".into()))
            .to(letter.to.into_iter().next().unwrap_or(owner))
            .subject(letter.subject);
        let mut text = letter.text.unwrap_or_default();
        let size = usize::try_from(mail.size.unwrap_or(0)).unwrap_or(usize::MAX).min(MAX_OUTSIDE_MAIL);
        while text.len() < size {
            text.push_str("A line that makes the message as long as it has to be.\r\n");
        }
        message = message.text_body(text);
        if let Some(html) = letter.html {
            message = message.html_body(html);
        }
        if let Some(file) = letter.attachment {
            message = message.attachment("application/octet-stream", file.name, file.content);
        }
        // Writing into memory cannot fail.
        Ok(message.write_to_vec().unwrap_or_default())
    }

    /// An explicit request; `wrong` are credentials that are good for nothing.
    pub(crate) fn explicit(&self, send: &Send, wrong: impl Fn(LoginKind) -> Login) -> Result<Task, DeedError> {
        let command = match send.command {
            Verb::Options => None,
            Verb::Command(command) => Some(command),
        };
        let headers = self.pairs(&send.headers)?;
        Ok(Task::Send(Box::new(ExplicitSend {
            command,
            body: self.body(&send.body)?,
            params: self.pairs(&send.params)?,
            headers: headers.into_iter().map(|(n, v)| (n, Some(v).filter(|v| !v.is_empty()))).collect(),
            login: send.login.map(wrong),
            query: send.query.map(|form| match form {
                QueryForm::Plain => QueryHabit::Plain,
                QueryForm::Base64 => QueryHabit::Base64,
            }),
            patience: send.timeout.map(|time| Patience {
                connect: CONNECT_WITHIN,
                handshake: CONNECT_WITHIN,
                first_byte: time,
                body: time,
            }),
        })))
    }

    fn body(&self, body: &Template) -> Result<Body, DeedError> {
        Ok(match body {
            Template::Empty => Body::None,
            Template::Raw(bytes) => Body::Raw(bytes.clone()),
            Template::Xml(text) => Body::Wbxml(Document::from_xml(&self.vars.substitute_xml(self.role, text)?)?),
            Template::Mail(mail) => Body::Mail(MailBody {
                letter: self.letter(mail)?,
                client_id: self.some(mail.client_id.as_ref())?,
                save_in_sent: mail.save_in_sent.unwrap_or(false),
                source: match &mail.source {
                    Some(source) => Some(Source {
                        folder: self.some(source.folder.as_ref())?,
                        item: self.some(source.item.as_ref())?,
                        long_id: self.some(source.long_id.as_ref())?,
                        instance: self.some(source.instance.as_ref())?,
                    }),
                    None => None,
                },
                replace_mime: mail.replace_mime,
            }),
        })
    }

    /// Something the device does in its own way.
    ///
    /// # Panics
    /// On a name that is not in `easrig_scenario::HABITS`; a test keeps that list and this function together.
    pub(crate) fn habit(&self, name: &str, params: &HabitParams) -> Result<Task, UnknownVariable> {
        let folder = |text: Option<&String>| -> Result<FolderRef, UnknownVariable> {
            Ok(FolderRef(self.some(text)?.unwrap_or_else(|| "inbox".into())))
        };
        let subject = || self.or_empty(params.subject.as_ref());
        let text = || self.or_empty(params.text.as_ref());
        let to = || self.or_empty(params.to.as_ref());
        let habit = match name {
            "discover" => Habit::Discover,
            "options" => Habit::Options,
            "provision" => Habit::Provision,
            "folder_sync" => Habit::FolderSync,
            "first_sync" => Habit::FirstSync {
                folders: params.folders.iter().map(|f| self.text(f).map(FolderRef)).collect::<Result<_, _>>()?,
            },
            "sync" => Habit::Sync { folder: folder(params.folder.as_ref())? },
            "connect" => Habit::Connect,
            "receive" => Habit::Receive {
                subject: subject()?,
                folder: folder(params.folder.as_ref())?,
                within: params.within.unwrap_or(RECEIVE_WITHIN),
            },
            "read_mail" => Habit::ReadMail { subject: subject()? },
            "send_mail" => Habit::SendMail(Letter {
                to: vec![to()?],
                subject: subject()?,
                text: self.some(params.text.as_ref())?,
                html: self.some(params.html.as_ref())?,
                attachment: params.attachment.as_ref().map(file),
                calendar: None,
            }),
            "reply" => Habit::Reply { subject: subject()?, text: text()? },
            "forward" => Habit::Forward { subject: subject()?, to: to()?, text: text()? },
            "move" => Habit::Move { subject: subject()?, to: FolderRef(to()?) },
            "delete" => Habit::Delete { subject: subject()? },
            "mark_read" => Habit::MarkRead { subject: subject()?, read: params.read.unwrap_or(true) },
            "flag" => Habit::Flag { subject: subject()? },
            "ping" => Habit::Ping { within: params.within.unwrap_or(PING_WITHIN) },
            "search" => Habit::Search { text: text()? },
            "meeting" => Habit::Meeting {
                subject: subject()?,
                answer: match params.answer {
                    Some(Answer::Tentative) => MeetingAnswer::Tentative,
                    Some(Answer::Decline) => MeetingAnswer::Decline,
                    Some(Answer::Accept) | None => MeetingAnswer::Accept,
                },
            },
            "invite" => Habit::Invite { to: to()?, subject: subject()? },
            "create_event" => Habit::CreateEvent { subject: subject()? },
            "create_contact" => Habit::CreateContact { name: self.or_empty(params.name.as_ref())? },
            "set_oof" => Habit::SetOof { text: text()? },
            "tidy" => Habit::Tidy { tag: self.text("{tag}")? },
            other => unreachable!("habit `{other}` passed the scenario's check and is not known here"),
        };
        Ok(Task::Habit(habit))
    }
}

/// A file of `size` bytes that differ from place to place, so that a shifted or cut copy is noticed.
pub(crate) fn file(attachment: &easrig_scenario::model::Attachment) -> Attachment {
    let content = (0..attachment.size).map(|i| (i.wrapping_mul(167) ^ (i >> 8)) as u8).collect();
    Attachment { name: attachment.name.clone(), content }
}

/// Credentials that are wrong without risk: a user that does not exist, unless a lockout of the real one is allowed.
pub(crate) fn wrong_login(kind: LoginKind, user: &str, tag: &str, lockout: bool) -> Login {
    let secret = Secret::new(format!("not-the-password-{tag}"));
    match kind {
        LoginKind::WrongPassword if lockout => Login { user: user.to_owned(), secret },
        LoginKind::WrongPassword | LoginKind::WrongUser => {
            let domain = user.split_once('@').map(|(_, domain)| format!("@{domain}")).unwrap_or_default();
            Login { user: format!("nobody-{tag}{domain}"), secret }
        }
    }
}

/// How long a device goes on when the file does not say.
const RECEIVE_WITHIN: Duration = Duration::from_secs(30);
const PING_WITHIN: Duration = Duration::from_secs(60);
/// How long easrig waits for a connection and a handshake of an explicit request with a time of its own.
const CONNECT_WITHIN: Duration = Duration::from_secs(20);

/// The longest message that `deliver` makes, in bytes.
const MAX_OUTSIDE_MAIL: usize = 32 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenario_and_persona_know_the_same_habits() {
        let named: Vec<_> = easrig_scenario::HABITS.iter().map(|habit| habit.name).collect();
        let mut known = Habit::NAMES.to_vec();
        known.sort_unstable();
        let mut sorted = named.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, known);
        let vars = Variables::new("easrig-00000000", easrig_exchange::Timestamp(0));
        for name in named {
            let fill = Fill { vars: &vars, role: Role::Phone };
            let Ok(Task::Habit(habit)) = fill.habit(name, &HabitParams::default()) else { panic!("{name}") };
            assert_eq!(habit.name(), name);
        }
    }

    #[test]
    fn a_wrong_password_is_tried_on_nobody_unless_lockout_is_allowed() {
        let login = wrong_login(LoginKind::WrongPassword, "alice@lab.test", "t1", false);
        assert_eq!(login.user, "nobody-t1@lab.test");
        assert_eq!(wrong_login(LoginKind::WrongPassword, "alice", "t1", true).user, "alice");
        assert_eq!(wrong_login(LoginKind::WrongUser, "alice", "t1", true).user, "nobody-t1");
    }
}

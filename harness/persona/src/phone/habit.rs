//! What a phone does for its owner, each habit in the device's own way.

use super::line::{Line, Stop};
use crate::{Habit, Task};

mod account;
mod calendar;
mod discover;
mod explicit;
mod folders;
mod mail;
mod provision;
mod push;
mod search;
mod send;
mod sync;
mod tidy;
mod view;

/// Runs a task to its end.
pub(super) async fn run(line: Line, task: Task) -> Result<(), Stop> {
    match task {
        Task::Send(send) => explicit::run(&line, *send).await,
        Task::Habit(habit) => {
            able(&line, habit.name())?;
            line.ready(&habit).await?;
            perform(&line, habit).await
        }
    }
}

async fn perform(line: &Line, habit: Habit) -> Result<(), Stop> {
    match habit {
        Habit::Discover => line.discover_anew().await,
        Habit::Options => line.options().await.map(drop),
        Habit::Provision => line.provision_for_itself().await,
        Habit::FolderSync => {
            let _hold = line.hold().await;
            line.folder_sync().await
        }
        Habit::FirstSync { folders } => {
            let _hold = line.hold().await;
            line.first_sync(&folders).await
        }
        Habit::Sync { folder } => {
            let _hold = line.hold().await;
            line.sync_named(&folder).await
        }
        Habit::Connect => {
            let _hold = line.hold().await;
            line.connect().await
        }
        Habit::Receive { subject, folder, within } => line.receive(&subject, &folder, within).await,
        Habit::ReadMail { subject } => line.read_mail(&subject).await,
        Habit::SendMail(letter) => line.send_letter(letter).await,
        Habit::Reply { subject, text } => line.reply_to(&subject, text).await,
        Habit::Forward { subject, to, text } => line.forward(&subject, to, text).await,
        Habit::Move { subject, to } => line.move_mail(&subject, &to).await,
        Habit::Delete { subject } => line.delete_mail(&subject).await,
        Habit::MarkRead { subject, read } => line.mark_read(&subject, read).await,
        Habit::Flag { subject } => line.flag(&subject).await,
        Habit::Ping { within } => line.await_change(within).await,
        Habit::Search { text } => line.search(text).await,
        Habit::Meeting { subject, answer } => line.answer_meeting(&subject, answer).await,
        Habit::Invite { to, subject } => line.invite(to, subject).await,
        Habit::CreateEvent { subject } => line.create_event(subject).await,
        Habit::CreateContact { name } => line.create_contact(name).await,
        Habit::SetOof { text } => line.set_oof(text).await,
        Habit::Tidy { tag } => line.tidy(&tag).await,
    }
}

/// Notes what the facts say about an ability, and stops where they deny it.
fn able(line: &Line, habit: &'static str) -> Result<(), Stop> {
    match line.rest_on(&line.with(|core| core.persona.ability(habit))) {
        true => Ok(()),
        false => Err(Stop::Cannot(habit.to_owned())),
    }
}

impl Line {
    /// Brings about what a habit builds on: a server, a version, folders, a synchronised inbox.
    async fn ready(&self, habit: &Habit) -> Result<(), Stop> {
        match habit {
            Habit::Discover | Habit::Connect => return Ok(()),
            Habit::Options => return self.endpoint().await,
            _ => self.version().await?,
        };
        let needs_folders = !matches!(
            habit,
            Habit::Provision | Habit::FolderSync | Habit::SendMail(_) | Habit::SetOof { .. } | Habit::Search { .. }
        );
        if needs_folders && self.with(|core| core.owner.folders.is_empty()) {
            let _hold = self.hold().await;
            self.folder_sync().await?;
        }
        Ok(())
    }
}

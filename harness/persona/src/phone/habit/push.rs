//! Waiting for changes: Ping, or a Sync that the server holds back (MS-ASCMD 2.2.1.13, 2.2.3.94).

use std::time::Duration;

use easrig_eas::{
    CollectionId, Command,
    command::{ping, sync},
};

use super::sync::class;
use crate::{
    Condition, Patience,
    answer::Answer,
    persona::word::{OnLimit, Push},
    phone::{
        line::{Line, Stop},
        memory::Core,
        request::Call,
    },
};

/// The most rounds of one wait.
const MOST_ROUNDS: u32 = 500;

/// What one round of waiting came to.
enum Round {
    /// These folders have changes.
    Changed(Vec<CollectionId>),
    /// The heartbeat ended without a change.
    Quiet,
    /// The list of folders has to be brought up to date first.
    Folders,
    /// Once more with another heartbeat.
    Again,
}

impl Line {
    /// Waits for a change and fetches it.
    pub(super) async fn await_change(&self, within: Duration) -> Result<(), Stop> {
        let until = self.with(|core| core.now.after(within));
        for _ in 0..MOST_ROUNDS {
            let left = self.with(|core| u64::try_from(until.0.saturating_sub(core.now.0)).unwrap_or_default());
            let folders = self.with(|core| core.watched());
            if folders.is_empty() {
                return Err(Stop::GaveUp("the phone has synchronised no folder it could watch".to_owned()));
            }
            let round = match self.with(|core| core.persona.push.mode.value) {
                Push::Ping => self.ping(&folders, Duration::from_micros(left)).await?,
                Push::HangingSync => self.hanging_sync(&folders, Duration::from_micros(left)).await?,
            };
            match round {
                None => return Err(Stop::GaveUp(format!("no change was announced within {} s", within.as_secs()))),
                Some(Round::Changed(changed)) => {
                    let _hold = self.hold().await;
                    return self.sync(changed, None).await.map(drop);
                }
                Some(Round::Quiet) => self.with(Core::longer),
                Some(Round::Folders) => {
                    let _hold = self.hold().await;
                    self.folder_sync().await?;
                }
                Some(Round::Again) => {}
            }
        }
        Err(Stop::GaveUp("the server keeps ending the wait without a change".to_owned()))
    }

    /// One Ping; `None` when the time was over first.
    async fn ping(&self, folders: &[CollectionId], left: Duration) -> Result<Option<Round>, Stop> {
        let version = self.version().await?;
        let heartbeat = self.with(|core| core.heartbeat());
        let request = ping::Request {
            heartbeat_interval: Some(heartbeat),
            folders: self.with(|core| {
                let watched = |id: &CollectionId| {
                    let class = class(core.kind(id).items());
                    ping::Folder { id: id.clone(), class: Some(class) }
                };
                folders.iter().map(watched).collect()
            }),
        };
        let call = Call::new(Command::Ping, request.to_document(version).encode());
        let Some(answer) = self.wait_for(call, heartbeat, left).await? else { return Ok(None) };
        if let Some(condition) = answer.trouble() {
            return self.after_challenge(&condition).await;
        }
        let document = answer.document.as_ref().ok_or_else(|| self.stop(&Condition::BadAnswer))?;
        let said = ping::Response::from_document(document, version)
            .map_err(|error| Stop::GaveUp(format!("the answer to Ping: {error}")))?;
        self.read_ping(&said, folders).map(Some)
    }

    fn read_ping(&self, said: &ping::Response, folders: &[CollectionId]) -> Result<Round, Stop> {
        match said.status.0 {
            1 => Ok(Round::Quiet),
            2 => {
                let known: Vec<_> = said.folders.iter().filter(|id| folders.contains(id)).cloned().collect();
                Ok(Round::Changed(if known.is_empty() { folders.to_vec() } else { known }))
            }
            5 => self.other_heartbeat(said.heartbeat_interval),
            7 => Ok(Round::Folders),
            status => Err(Stop::GaveUp(format!("Ping was answered with Status {status}"))),
        }
    }

    /// The server wants another heartbeat (Status 5 of Ping, 14 of Sync).
    fn other_heartbeat(&self, named: Option<u32>) -> Result<Round, Stop> {
        let asked = self.with(|core| core.heartbeat());
        let named = named.filter(|named| *named != asked && (1..=3540).contains(named));
        match (self.rest(|core| &core.persona.push.on_limit), named) {
            (OnLimit::TakeServerValue, Some(named)) => {
                self.with(|core| core.heartbeat = Some(named));
                Ok(Round::Again)
            }
            _ => Err(Stop::GaveUp(format!("the server refused the heartbeat of {asked} s"))),
        }
    }

    /// One Sync of all folders that the server holds back.
    async fn hanging_sync(&self, folders: &[CollectionId], left: Duration) -> Result<Option<Round>, Stop> {
        let version = self.version().await?;
        let heartbeat = self.with(|core| core.heartbeat());
        let mut request = self.with(|core| core.sync_request(folders, &mut None, version));
        match version >= easrig_eas::Version::V14_0 {
            true => request.heartbeat_interval = Some(heartbeat.clamp(60, 3540)),
            false => request.wait = Some((heartbeat / 60).clamp(1, 59)),
        }
        let call = Call::new(Command::Sync, request.to_document(version).encode());
        let Some(answer) = self.wait_for(call, heartbeat, left).await? else { return Ok(None) };
        if let Some(condition) = answer.trouble() {
            return self.after_challenge(&condition).await;
        }
        let Some(said) = self.read_sync(&answer, version)? else { return Ok(Some(Round::Quiet)) };
        match said.status.map_or(1, |status| status.0) {
            1 => {}
            12 => return Ok(Some(Round::Folders)),
            14 => return self.other_heartbeat(said.limit).map(Some),
            status => return Err(Stop::GaveUp(format!("Sync was answered with Status {status}"))),
        }
        let changed = self.with(|core| core.take_pushed(&request, &said));
        Ok(Some(if changed.is_empty() { Round::Quiet } else { Round::Changed(changed) }))
    }

    /// Sends a request that the server may hold for `heartbeat` seconds, and gives it up after `left`.
    async fn wait_for(&self, call: Call, heartbeat: u32, left: Duration) -> Result<Option<Answer>, Stop> {
        let (request, patience) = self.with(|core| {
            let request = core.request(&call).map_err(Stop::GaveUp)?;
            let held = Duration::from_secs(heartbeat.into()) + core.persona.timeouts.push_extra.value;
            Ok((request, Patience { first_byte: held, ..core.patience() }))
        })?;
        match self.http_within(request, patience, left).await? {
            None => Ok(None),
            Some(Ok(response)) => Ok(Some(Answer::of(response))),
            Some(Err(failure)) => Err(self.stop(&Condition::of_failure(&failure))),
        }
    }

    /// A challenge in the middle of a wait: the device provisions, and the next round shows whether that helped.
    async fn after_challenge(&self, condition: &Condition) -> Result<Option<Round>, Stop> {
        if !self.is_challenge(condition) {
            return Err(self.stop(condition));
        }
        match self.provision().await? {
            Some(settings) => Err(self.stop(&Condition::PolicyNotApplicable { settings })),
            None => Ok(Some(Round::Again)),
        }
    }
}

impl Core {
    /// The folders that were synchronised and are still there.
    fn watched(&self) -> Vec<CollectionId> {
        let synced = self.collections.iter().filter(|(_, folder)| !folder.key.is_initial() && !folder.key.0.is_empty());
        synced.map(|(id, _)| id.clone()).filter(|id| self.owner.folders.iter().any(|known| known.id == *id)).collect()
    }

    fn heartbeat(&self) -> u32 {
        self.heartbeat.unwrap_or(self.persona.push.start.value)
    }

    /// A wait that ended quietly lets the device wait longer the next time.
    fn longer(&mut self) {
        let push = &self.persona.push;
        let next = self.heartbeat().saturating_add(push.step.value);
        self.heartbeat = Some(next.clamp(push.min.value, push.max.value.max(push.min.value)));
    }

    /// Applies what a held Sync brought; the folders that have or may have more.
    ///
    /// Other tasks go on while the server holds the answer: what they brought on meanwhile is not touched.
    fn take_pushed(&mut self, asked: &sync::Request, said: &sync::Response) -> Vec<CollectionId> {
        let mut changed = Vec::new();
        for collection in &said.collections {
            let Some(id) = collection.collection_id.clone() else { continue };
            let mine = asked.collections.iter().find(|asked| asked.collection_id == id);
            let stale = mine.is_none_or(|asked| asked.sync_key != self.sync_key(&id));
            if stale || collection.status.is_some_and(|status| status.0 != 1) {
                changed.push(id);
                continue;
            }
            if let Some(key) = collection.sync_key.clone().filter(|key| !key.is_initial()) {
                self.collections.entry(id.clone()).or_default().key = key;
            }
            self.apply(&id, &collection.commands);
            if collection.more_available || !collection.commands.is_empty() {
                changed.push(id);
            }
        }
        changed
    }
}

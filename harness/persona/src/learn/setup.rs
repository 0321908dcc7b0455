//! How a device sets up its account, what sends it to Provision, and what it does with a policy.

use std::collections::{BTreeMap, BTreeSet};

use easrig_eas::{
    Command, Version,
    command::{
        provision::{Request, Response},
        settings,
    },
};
use easrig_exchange::ExchangeNumber;
use easrig_wbxml::Document;

use super::{
    Seen,
    facts::{Facts, Row},
    sync::FirstFolders,
};
use crate::{
    Condition, Confidence,
    persona::{CHALLENGES, binding_settings},
};

/// Setting up and provisioning, as far as it was seen.
#[derive(Debug, Default)]
pub(super) struct SettingUp {
    life: Life,
    /// Whole settings up: the same one is counted.
    setups: Vec<(Setup, u64)>,
    /// What sent the device to Provision before the account was set up, and what only later.
    challenges: BTreeMap<String, ExchangeNumber>,
    challenges_later: BTreeMap<String, ExchangeNumber>,
    /// Settings of policies that were acknowledged as applied, and where first.
    applied: BTreeMap<String, ExchangeNumber>,
    /// Policies that the device did not say it applies.
    unapplied: Vec<(BTreeSet<String>, ExchangeNumber)>,
}

/// What has happened since the device last began to set up its account.
#[derive(Debug, Default)]
struct Life {
    order: Vec<&'static str>,
    parts: Vec<String>,
    at: Option<ExchangeNumber>,
    /// The list of folders was asked for from its beginning.
    from_zero: bool,
    challenge: Option<Challenge>,
    /// Times that one command sent the device to Provision without being served.
    rounds: u32,
    provision: Provision,
}

/// An answer that may send the device to Provision.
#[derive(Debug)]
struct Challenge {
    when: String,
    command: Command,
    at: ExchangeNumber,
    done: i64,
    later: bool,
}

/// Where a Provision stands.
#[derive(Debug, Default)]
enum Provision {
    /// None is under way.
    #[default]
    Idle,
    /// The policy is here and not acknowledged.
    Policy {
        settings: BTreeSet<String>,
        at: ExchangeNumber,
        done: i64,
        by: Option<Command>,
        undescribed: Option<Version>,
    },
    /// It is over; `undescribed` when the device has not described itself in it.
    Over {
        at: ExchangeNumber,
        done: i64,
        by: Option<Command>,
        undescribed: Option<Version>,
        refused: Option<ExchangeNumber>,
    },
}

/// One whole setting up.
#[derive(Clone, Debug, PartialEq)]
struct Setup {
    order: Vec<&'static str>,
    parts: Vec<String>,
    folders: Vec<String>,
    at: ExchangeNumber,
    folders_at: ExchangeNumber,
}

/// The most different settings up that are remembered.
const MOST_SETUPS: usize = 64;

/// The most settings of policies, and policies, that are remembered.
const MOST_SETTINGS: usize = 256;

impl SettingUp {
    /// OPTIONS, after which a device that has set up its account may be doing so anew. Whether it is.
    pub(super) fn options(&mut self, at: ExchangeNumber, folders: FirstFolders) -> bool {
        let anew = self.life.order.iter().any(|step| *step != "options");
        if anew {
            self.close(folders);
        }
        self.life.step("options", at);
        anew
    }

    /// The end of a setting up.
    pub(super) fn close(&mut self, folders: FirstFolders) {
        let life = std::mem::take(&mut self.life);
        let whole = life.from_zero && life.order.last() == Some(&"first-sync");
        let (Some(at), true) = (life.at, whole) else { return };
        let folders_at = folders.at.unwrap_or(at);
        let setup = Setup { order: life.order, parts: life.parts, folders: folders.words, at, folders_at };
        let same = |known: &&mut (Setup, u64)| {
            (&known.0.order, &known.0.parts, &known.0.folders) == (&setup.order, &setup.parts, &setup.folders)
        };
        let has_room = self.setups.len() < MOST_SETUPS;
        match self.setups.iter_mut().find(same) {
            Some((_, times)) => *times = times.saturating_add(1),
            None if has_room => self.setups.push((setup, 1)),
            None => {}
        }
    }

    /// A command that is no Provision.
    pub(super) fn command(&mut self, seen: &Seen<'_>, command: Command, facts: &mut Facts) {
        let describes = (command == Command::Settings).then(|| described(seen)).flatten();
        let own = self.after_provision(seen, command, describes.is_some(), facts);
        match command {
            Command::Settings if !own => {
                if let Some(parts) = describes.or_else(|| asked(seen)) {
                    self.life.step("settings", seen.at);
                    if self.life.parts.is_empty() && !self.is_set_up() {
                        self.life.parts = parts;
                    }
                }
            }
            Command::FolderSync => {
                self.life.from_zero |= asks_from_zero(seen);
                self.life.step("folder-sync", seen.at);
            }
            Command::Sync if seen.starts_folder() => self.life.step("first-sync", seen.at),
            _ => {}
        }
        self.unanswered(seen, facts);
        let Some(answer) = &seen.answer else { return };
        let when = match answer.trouble() {
            Some(Condition::Http(status @ (403 | 449))) => format!("http:{status}"),
            Some(Condition::Status(status @ 140..=144)) => format!("status:{status}"),
            _ => {
                self.life.rounds = 0;
                return;
            }
        };
        let later = self.is_set_up();
        self.life.challenge = Some(Challenge { when, command, at: seen.at, done: seen.done(), later });
    }

    pub(super) fn provision(&mut self, seen: &Seen<'_>, facts: &mut Facts) {
        let request = seen.request.as_ref().and_then(|it| Request::from_document(it, seen.version()).ok());
        let Some(asked) = request else { return };
        if let Some(status) = asked.policies.first().and_then(|policy| policy.status) {
            self.acknowledge(seen, status.0, facts);
            return;
        }
        let challenge = self.life.challenge.take();
        let by = challenge.as_ref().map(|challenge| challenge.command);
        match challenge {
            Some(challenge) => {
                let list = if challenge.later { &mut self.challenges_later } else { &mut self.challenges };
                list.entry(challenge.when).or_insert(challenge.at);
                self.life.rounds = self.life.rounds.saturating_add(1);
            }
            None if matches!(self.life.provision, Provision::Idle) => self.life.step("provision", seen.at),
            None => {}
        }
        let mut undescribed = None;
        if asked.device_information.is_some() {
            let key = "provisioning.device_information";
            facts.by_version(key, seen.version(), "provision", seen.at, Confidence::High);
        } else {
            undescribed = Some(seen.version());
        }
        let Some(said) = answered(seen) else { return };
        let (at, done) = (seen.at, seen.done());
        let policy = said.policies.first();
        let bound = policy.and_then(|policy| policy.data.as_ref());
        let settings = bound.map(|data| binding_settings(data).into_iter().map(|(name, _)| name).collect());
        self.life.provision = match (settings, policy.and_then(|policy| policy.policy_key)) {
            (Some(settings), Some(_)) => Provision::Policy { settings, at, done, by, undescribed },
            _ => Provision::Over { at, done, by, undescribed, refused: None },
        };
    }

    fn acknowledge(&mut self, seen: &Seen<'_>, status: u16, facts: &mut Facts) {
        let before = std::mem::take(&mut self.life.provision);
        let Provision::Policy { settings, by, undescribed, .. } = before else { return };
        let mut refused = None;
        if status == 1 {
            for name in settings {
                if self.applied.len() < MOST_SETTINGS {
                    self.applied.entry(name).or_insert(seen.at);
                }
            }
        } else {
            if (2..=3).contains(&status) {
                facts.seen("provisioning.cannot", format!("status:{status}"), seen.at);
            }
            self.leave(settings, seen.at);
            let key = answered(seen).and_then(|said| said.policies.first().and_then(|policy| policy.policy_key));
            refused = key.is_none().then_some(seen.at);
        }
        self.life.provision = Provision::Over { at: seen.at, done: seen.done(), by, undescribed, refused };
    }

    /// What a command tells about the Provision before it; whether it is a part of it.
    fn after_provision(&mut self, seen: &Seen<'_>, command: Command, describes: bool, facts: &mut Facts) -> bool {
        let key = "provisioning.device_information";
        match std::mem::take(&mut self.life.provision) {
            Provision::Idle => false,
            // What was under way already says nothing.
            pending @ (Provision::Policy { done, .. } | Provision::Over { done, .. }) if seen.started() < done => {
                self.life.provision = pending;
                false
            }
            Provision::Policy { settings, at, undescribed, .. } => {
                if !settings.is_empty() {
                    facts.seen("provisioning.cannot", "silent", at);
                    self.leave(settings, at);
                }
                if let Some(version) = undescribed {
                    facts.by_version(key, version, "nowhere", at, Confidence::Med);
                }
                false
            }
            Provision::Over { at, by, undescribed, refused, .. } => {
                if let Some(refused) = refused {
                    facts.seen("provisioning.key_required", false, refused);
                }
                let Some(version) = undescribed else { return false };
                // A Settings that was sent to Provision is sent again, and tells nothing.
                let own = describes && by.is_some_and(|by| by != command);
                let (word, at) = if own { ("settings-after", seen.at) } else { ("nowhere", at) };
                facts.by_version(key, version, word, at, Confidence::High);
                own
            }
        }
    }

    /// A challenge that the device did not answer with Provision.
    fn unanswered(&mut self, seen: &Seen<'_>, facts: &mut Facts) {
        let Some(challenge) = self.life.challenge.take_if(|challenge| challenge.done <= seen.started()) else { return };
        let rounds = std::mem::take(&mut self.life.rounds);
        if rounds > 0 {
            facts.note("provisioning.rounds", i64::from(rounds.min(10)), challenge.at, Confidence::Med);
        } else {
            let text = format!("{} in exchange {} was not answered with Provision", challenge.when, challenge.at.0);
            facts.aside("onboarding.challenges", text);
        }
    }

    fn is_set_up(&self) -> bool {
        self.life.order.last() == Some(&"first-sync")
    }

    fn leave(&mut self, settings: BTreeSet<String>, at: ExchangeNumber) {
        let known = self.unapplied.iter().any(|(known, _)| *known == settings);
        if !known && !settings.is_empty() && self.unapplied.len() < MOST_SETTINGS {
            self.unapplied.push((settings, at));
        }
    }

    /// What follows from everything that was seen.
    pub(super) fn row(&self, key: &str) -> Option<Row> {
        match key {
            "onboarding.order" => {
                let setup = self.fullest()?;
                let begins = setup.order.first() == Some(&"options");
                let confidence = if begins { Confidence::Med } else { Confidence::Low };
                Some(Row { value: list(&setup.order), evidence: after(setup.at), confidence })
            }
            "onboarding.settings" => {
                let setup = self.fullest().filter(|setup| !setup.parts.is_empty())?;
                Some(Row { value: list(&setup.parts), evidence: after(setup.at), confidence: Confidence::High })
            }
            "sync.folders" => {
                let setup = self.fullest().filter(|setup| !setup.folders.is_empty())?;
                let evidence = after(setup.folders_at);
                Some(Row { value: list(&setup.folders), evidence, confidence: Confidence::Med })
            }
            "onboarding.challenges" => {
                // What the standard asks of every device is no matter of how far the account is set up.
                let later = self.challenges_later.iter().filter(|(when, _)| CHALLENGES.contains(&when.as_str()));
                let seen = later.chain(&self.challenges).map(|(when, at)| (when.clone(), *at)).collect();
                listed(&seen, &CHALLENGES)
            }
            "onboarding.challenges_later" => {
                let own = |when: &str| !CHALLENGES.contains(&when) && !self.challenges.contains_key(when);
                let seen = self.challenges_later.iter().filter(|(when, _)| own(when));
                listed(&seen.map(|(when, at)| (when.clone(), *at)).collect(), &[])
            }
            "provisioning.enforces" => {
                let first = self.applied.values().min()?;
                let names: Vec<&String> = self.applied.keys().collect();
                let evidence =
                    format!("exchange {} and after: said to be applied; whether they are does not show", first.0);
                Some(Row { value: list(&names), evidence, confidence: Confidence::Med })
            }
            "provisioning.refuses" => self.refuses(),
            _ => None,
        }
    }

    /// The setting up in which the device took up most folders: others were cut short, or not by its own habit.
    fn fullest(&self) -> Option<&Setup> {
        self.setups.iter().rev().max_by_key(|(setup, times)| (setup.folders.len(), *times)).map(|(setup, _)| setup)
    }

    /// Settings of policies that were not applied, without those that were acknowledged elsewhere.
    fn refuses(&self) -> Option<Row> {
        let mut names = BTreeSet::new();
        let mut evidence = Vec::new();
        let mut confidence = Confidence::Med;
        for (settings, at) in &self.unapplied {
            let suspects: Vec<&String> = settings.iter().filter(|name| !self.applied.contains_key(*name)).collect();
            if suspects.len() > 1 {
                confidence = Confidence::Low;
            }
            let which = if suspects.len() > 1 { ": one of these at least" } else { "" };
            evidence.push(format!("exchange {}{which}", at.0));
            names.extend(suspects);
        }
        let names: Vec<&String> = names.into_iter().collect();
        (!names.is_empty()).then(|| Row { value: list(&names), evidence: evidence.join("; "), confidence })
    }
}

impl Life {
    fn step(&mut self, step: &'static str, at: ExchangeNumber) {
        if !self.order.contains(&step) && self.order.last() != Some(&"first-sync") {
            self.order.push(step);
            self.at.get_or_insert(at);
        }
    }
}

/// What was seen first, then what the standard asks of every device.
fn listed(seen: &BTreeMap<String, ExchangeNumber>, others: &[&str]) -> Option<Row> {
    if seen.is_empty() {
        return None;
    }
    let words = seen.keys().map(String::as_str);
    let others: Vec<&str> = others.iter().copied().filter(|word| !seen.contains_key(*word)).collect();
    let mut evidence: Vec<String> = seen.iter().map(|(word, at)| format!("exchange {} ({word})", at.0)).collect();
    if !others.is_empty() {
        evidence.push("the others as MS-ASPROV has it".to_owned());
    }
    let value: Vec<&str> = words.chain(others).collect();
    Some(Row { value: list(&value), evidence: evidence.join("; "), confidence: Confidence::Med })
}

fn list<T: ToString>(words: &[T]) -> toml::Value {
    words.iter().map(ToString::to_string).collect::<Vec<_>>().into()
}

fn after(at: ExchangeNumber) -> String {
    format!("exchange {} and after", at.0)
}

fn answered(seen: &Seen<'_>) -> Option<Response> {
    let document = seen.answer.as_ref()?.document.as_ref()?;
    Response::from_document(document, seen.version()).ok()
}

fn request(seen: &Seen<'_>) -> Option<settings::Request> {
    let document: &Document = seen.request.as_ref()?;
    settings::Request::from_document(document, seen.version()).ok()
}

/// The parts of a Settings in which a device describes itself.
fn described(seen: &Seen<'_>) -> Option<Vec<String>> {
    request(seen)?.device_information.as_ref()?;
    asked(seen)
}

/// The parts of a Settings that belong to setting up.
fn asked(seen: &Seen<'_>) -> Option<Vec<String>> {
    let asked = request(seen)?;
    let parts =
        [(asked.device_information.is_some(), "device-information"), (asked.user_information, "user-information")];
    let parts: Vec<String> = parts.iter().filter(|(there, _)| *there).map(|(_, name)| (*name).to_owned()).collect();
    (!parts.is_empty()).then_some(parts)
}

fn asks_from_zero(seen: &Seen<'_>) -> bool {
    let asked = seen.request.as_ref();
    let asked = asked.and_then(|it| easrig_eas::command::folder_sync::Request::from_document(it, seen.version()).ok());
    asked.is_some_and(|asked| asked.sync_key.is_initial())
}

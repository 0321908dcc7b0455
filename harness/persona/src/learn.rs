//! A persona file, proposed from what a recorded device was seen to do.
//!
//! What was seen stands there with the exchange it was seen in. What was not seen is taken from the persona that the device
//! is most like, and says so: it is assumed, and unverified.

mod facts;
mod headers;
mod render;
mod sync;

use easrig_eas::{
    Command, Version,
    command::{provision, settings},
    headers as names,
    query::{DeviceIdForm, QueryForm, QueryLine},
};
use easrig_exchange::{Exchange, ExchangeNumber};
use easrig_wbxml::{Document, Limits};
use toml::Value;

use crate::{Condition, Confidence, answer::Answer};
use facts::Facts;
use headers::Lines;
use sync::Folders;

pub use render::{LearnError, Nearest};

/// Gathers what one device does, exchange by exchange.
#[derive(Debug, Default)]
pub struct Learner {
    facts: Facts,
    headers: Lines,
    folders: Folders,
    offered: Vec<Version>,
    spoken: Option<(Version, ExchangeNumber)>,
    /// The steps of setting up, in the order they came, while the device is setting up.
    order: Vec<&'static str>,
    order_at: Option<ExchangeNumber>,
    /// The last answer sent the device to Provision.
    challenged: bool,
    provisioned: bool,
    heartbeat: Option<u32>,
}

impl Learner {
    /// Takes the next exchange of the device in.
    pub fn look(&mut self, exchange: &Exchange) {
        let line = QueryLine::parse(exchange.request.query()).ok();
        let command = line.as_ref().and_then(|line| line.command.known());
        let is_options = exchange.request.method.eq_ignore_ascii_case("OPTIONS");
        if let Some(line) = &line {
            self.identity(exchange, line);
        }
        self.authorization(exchange);
        if is_options {
            self.options(exchange, line.as_ref());
            return;
        }
        let Some((command, line)) = command.zip(line) else {
            self.headers.autodiscover(exchange, &mut self.facts);
            return;
        };
        let header = || exchange.request.headers.get(names::PROTOCOL_VERSION)?.trim().parse().ok();
        let version = line.version.or_else(header);
        if let Some(version) = version {
            self.spoken.get_or_insert((version, exchange.number));
        }
        self.speech(exchange, &line, command);
        self.headers.post(exchange, line.form == QueryForm::Base64, command, &mut self.facts);
        self.ability(command, exchange.number);
        if !matches!(command, Command::Sync | Command::Provision) {
            self.folders.turn_away();
        }
        let version = version.unwrap_or(Version::V14_1);
        let request = document(&exchange.request.body);
        let answer = exchange.response().map(|response| Answer::of(response.clone()));
        self.setting_up(exchange, command, request.as_ref());
        if let Some(request) = &request {
            match command {
                Command::Provision => self.provision(exchange, request, version),
                Command::Settings => self.settings(exchange, request, version),
                Command::Ping => self.ping(exchange, request),
                Command::FolderSync | Command::Sync => {
                    let said = answer.as_ref().and_then(|answer| answer.document.as_ref());
                    self.folders.look(exchange.number, version, request, said, &mut self.facts);
                }
                Command::Search | Command::Find => {
                    let word = if command == Command::Search { "search" } else { "find" };
                    self.facts.by_version("search.by", version, word, exchange.number);
                }
                _ => {}
            }
        }
        // The rounds of one Provision belong together.
        if command != Command::Provision {
            self.challenged = answer.is_some_and(|answer| is_challenge(&answer));
        }
    }

    fn identity(&mut self, exchange: &Exchange, line: &QueryLine) {
        let at = exchange.number;
        if !line.device_type.is_empty() {
            self.facts.seen("identity.device_type", line.device_type.clone(), at);
        }
        let id = line.device_id.to_string();
        if !id.is_empty() {
            self.facts.seen("identity.device_id", id, at);
        }
        if let Some(agent) = exchange.request.headers.get("User-Agent") {
            self.facts.seen("identity.user_agent", agent.to_owned(), at);
        }
    }

    fn authorization(&mut self, exchange: &Exchange) {
        let scheme = exchange.request.headers.get("Authorization").and_then(|value| value.split(' ').next());
        let scheme =
            scheme.map(str::to_ascii_lowercase).filter(|scheme| ["basic", "bearer"].contains(&scheme.as_str()));
        if let Some(scheme) = scheme {
            self.facts.seen("auth.schemes", vec![scheme], exchange.number);
        }
    }

    fn options(&mut self, exchange: &Exchange, line: Option<&QueryLine>) {
        let query = exchange.request.query();
        let word = match line {
            _ if query.is_empty() => "absent",
            Some(line) if line.command == easrig_eas::query::CommandName::Absent => "device",
            _ => "cmd-options",
        };
        self.facts.seen("protocol.options_query", word, exchange.number);
        self.headers.options(exchange, &mut self.facts);
        self.step("options", exchange.number);
        self.facts.seen("abilities.options", true, exchange.number);
        let list = exchange.response().and_then(|response| response.headers.get(names::PROTOCOL_VERSIONS));
        if let Some(list) = list {
            self.offered = names::list(list).filter_map(|version| version.parse().ok()).collect();
        }
    }

    /// How requests are written.
    fn speech(&mut self, exchange: &Exchange, line: &QueryLine, command: Command) {
        let (facts, at) = (&mut self.facts, exchange.number);
        let base64 = line.form == QueryForm::Base64;
        facts.seen("protocol.query", if base64 { "base64" } else { "plain" }, at);
        if base64 {
            let form = match line.device_id {
                DeviceIdForm::Guid(_) => "bytes",
                DeviceIdForm::Text(_) | DeviceIdForm::Bytes(_) => "text",
            };
            facts.seen("protocol.base64_device_id", form, at);
            if let Some(locale) = line.locale {
                facts.seen("protocol.locale", i64::from(locale), at);
            }
        } else {
            plain(exchange.request.query(), at, facts);
        }
        let header = exchange.request.headers.get(names::POLICY_KEY).and_then(|key| key.trim().parse::<u32>().ok());
        let key = if base64 { line.policy_key.map(|key| key.0) } else { header };
        if !self.provisioned && command != Command::Provision && key.is_none_or(|key| key == 0) {
            facts.seen("protocol.empty_key", if key == Some(0) { "zero" } else { "absent" }, at);
        }
        let kind = exchange.request.headers.get("Content-Type").filter(|kind| kind.contains("ms-sync"));
        if let Some(kind) = kind {
            facts.seen("protocol.content_type", kind.to_owned(), at);
        }
        let header = exchange.request.headers.get(names::ACCEPT_MULTIPART) == Some("T");
        if header || line.accept_multipart == Some(true) {
            facts.seen("protocol.multipart", true, at);
        }
    }

    fn ability(&mut self, command: Command, at: ExchangeNumber) {
        let habit = match command {
            Command::Provision => "provision",
            Command::FolderSync => "folder_sync",
            Command::Sync => "sync",
            Command::Ping => "ping",
            Command::SendMail => "send_mail",
            Command::SmartReply => "reply",
            Command::SmartForward => "forward",
            Command::Search | Command::Find => "search",
            Command::MeetingResponse => "meeting",
            Command::MoveItems => "move",
            _ => return,
        };
        self.facts.seen(&format!("abilities.{habit}"), true, at);
    }

    /// A step of setting up the account.
    fn step(&mut self, step: &'static str, at: ExchangeNumber) {
        if !self.order.contains(&step) && self.order.last() != Some(&"first-sync") {
            self.order.push(step);
            self.order_at.get_or_insert(at);
        }
    }

    fn setting_up(&mut self, exchange: &Exchange, command: Command, request: Option<&Document>) {
        let at = exchange.number;
        match command {
            Command::Provision if !self.challenged && !self.provisioned => self.step("provision", at),
            Command::Settings => self.step("settings", at),
            Command::FolderSync => self.step("folder-sync", at),
            Command::Sync => self.step("first-sync", at),
            _ => {}
        }
        if let (Command::Settings, Some(request)) = (command, request)
            && let Ok(asked) = settings::Request::from_document(request, Version::V14_1)
        {
            let parts = [
                (asked.device_information.is_some(), "device-information"),
                (asked.user_information, "user-information"),
            ];
            let parts: Vec<String> =
                parts.iter().filter(|(there, _)| *there).map(|(_, name)| (*name).to_owned()).collect();
            if !parts.is_empty() {
                self.facts.seen("onboarding.settings", parts, at);
            }
        }
    }

    fn provision(&mut self, exchange: &Exchange, request: &Document, version: Version) {
        let at = exchange.number;
        let Ok(asked) = provision::Request::from_document(request, version) else { return };
        match asked.policies.first().and_then(|policy| policy.status) {
            Some(status) => {
                if (2..=3).contains(&status.0) {
                    self.facts.seen("provisioning.cannot", format!("status:{}", status.0), at);
                }
                self.provisioned = true;
            }
            None => {
                let word = if asked.device_information.is_some() { "provision" } else { "nowhere" };
                self.facts.by_version("provisioning.device_information", version, word, at);
            }
        }
        if let Some(device) = &asked.device_information {
            self.describe(device, at);
        }
    }

    fn settings(&mut self, exchange: &Exchange, request: &Document, version: Version) {
        let Ok(asked) = settings::Request::from_document(request, version) else { return };
        if let Some(device) = &asked.device_information {
            self.describe(device, exchange.number);
        }
    }

    /// What a device says of itself; its owner's number, IMEI and the name given to it stay out.
    fn describe(&mut self, device: &settings::DeviceInformation, at: ExchangeNumber) {
        let said = [
            ("model", &device.model),
            ("os", &device.os),
            ("os_language", &device.os_language),
            ("user_agent", &device.user_agent),
            ("mobile_operator", &device.mobile_operator),
        ];
        for (key, value) in said {
            if let Some(value) = value {
                self.facts.seen(&format!("identity.device_information.{key}"), value.clone(), at);
            }
        }
        if let Some(sms) = device.enable_outbound_sms {
            self.facts.seen("identity.device_information.enable_outbound_sms", sms, at);
        }
    }

    fn ping(&mut self, exchange: &Exchange, request: &Document) {
        let Ok(asked) = easrig_eas::command::ping::Request::from_document(request, Version::V14_1) else { return };
        self.facts.seen("push.mode", "ping", exchange.number);
        let Some(seconds) = asked.heartbeat_interval else { return };
        self.facts.seen("push.start", i64::from(seconds), exchange.number);
        if let Some(step) = self.heartbeat.and_then(|before| seconds.checked_sub(before)).filter(|step| *step > 0) {
            self.facts.note("push.step", i64::from(step), exchange.number, Confidence::Med);
        }
        self.heartbeat = Some(seconds);
    }
}

/// Order and escaping of a plain query.
fn plain(query: &str, at: ExchangeNumber, facts: &mut Facts) {
    let known = ["Cmd", "User", "DeviceId", "DeviceType"];
    let order: Vec<String> = query
        .split('&')
        .filter_map(|pair| pair.split('=').next())
        .filter_map(|name| known.iter().find(|known| known.eq_ignore_ascii_case(name)))
        .map(|name| (*name).to_owned())
        .collect();
    if order.len() == known.len() {
        facts.seen("protocol.query_order", order, at);
    }
    if query.contains('@') || query.contains("%40") {
        facts.seen("protocol.escape", if query.contains('@') { "lenient" } else { "all" }, at);
    }
}

fn document(body: &[u8]) -> Option<Document> {
    Document::decode_prefix(body, Limits::default()).ok().map(|(document, _)| document)
}

/// Whether an answer sends a device to Provision, in any of the usual ways.
fn is_challenge(answer: &Answer) -> bool {
    matches!(answer.trouble(), Some(Condition::Http(403 | 449) | Condition::Status(140..=144)))
}

/// A value of a persona file.
fn value(value: impl Into<Value>) -> Value {
    value.into()
}

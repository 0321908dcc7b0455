//! A persona file, proposed from what a recorded device was seen to do.
//!
//! What was seen stands there with the exchange it was seen in. What was not seen stands there as a comment that says why:
//! nothing is taken from anywhere else.

mod facts;
mod fields;
mod headers;
mod mail;
mod patience;
mod places;
mod protocol;
mod push;
mod render;
mod setup;
mod sync;

use easrig_eas::{
    Command, Version,
    command::{provision, settings, sync as sync_command},
    headers as names,
    query::{QueryForm, QueryLine},
};
use easrig_exchange::{Exchange, ExchangeNumber, Origin};
use easrig_wbxml::{Document, Limits};

use crate::{Confidence, answer::Answer, recorded::question};
use facts::Facts;
use headers::Lines;
use mail::Mail;
use patience::Waiting;
use places::Places;
use protocol::Speech;
use push::Waits;
use setup::SettingUp;
use sync::Synchronising;

pub use render::{LearnError, Proposal};

/// Gathers what one device does, exchange by exchange.
#[derive(Debug, Default)]
pub struct Learner {
    facts: Facts,
    headers: Lines,
    speech: Speech,
    setup: SettingUp,
    sync: Synchronising,
    mail: Mail,
    waits: Waits,
    waiting: Waiting,
    places: Places,
}

/// An exchange of the device, read once for everybody who learns from it.
struct Seen<'e> {
    exchange: &'e Exchange,
    at: ExchangeNumber,
    line: Option<QueryLine>,
    /// The version of the request, where it says one.
    spoken: Option<Version>,
    request: Option<Document>,
    answer: Option<Answer>,
}

impl Learner {
    /// Takes the next exchange of the device in.
    pub fn look(&mut self, exchange: &Exchange) {
        let seen = Seen::of(exchange);
        if let Some(line) = &seen.line {
            self.identity(&seen, line);
        }
        self.authorization(exchange);
        self.tls(exchange);
        let command = seen.line.as_ref().and_then(|line| line.command.known());
        if exchange.request.method.eq_ignore_ascii_case("OPTIONS") {
            self.options(&seen);
        } else if let (Some(command), Some(line)) = (command, &seen.line) {
            self.command(&seen, line, command);
        } else if let Some(question) = question(exchange) {
            self.headers.autodiscover(exchange);
            let follows = self.places.look(&seen, "Autodiscover");
            self.places.autodiscover(&seen, question, follows, &mut self.facts);
        }
    }

    fn options(&mut self, seen: &Seen<'_>) {
        self.headers.options(seen.exchange);
        self.places.look(seen, "OPTIONS");
        self.places.over();
        self.facts.seen("abilities.options", true, seen.at);
        self.speech.options(seen, &mut self.facts);
        self.waiting.look("timeouts.command", 0, seen);
        if seen.is_first_leg() {
            return;
        }
        if self.setup.options(seen.at, self.sync.first()) {
            self.sync.begin_anew();
            self.waits.begin_anew();
            self.speech.begin_anew();
        }
    }

    fn command(&mut self, seen: &Seen<'_>, line: &QueryLine, command: Command) {
        self.headers.post(seen.exchange, line.form == QueryForm::Base64, command);
        self.places.over();
        if seen.is_first_leg() {
            return;
        }
        self.speech.command(seen, line, command, &mut self.facts);
        let sync = (command == Command::Sync).then(|| seen.sync()).flatten();
        self.mail.look(seen, command, &mut self.sync, &mut self.facts);
        if push::may_wait(command, sync.as_ref()) {
            let held = match &sync {
                Some(asked) => self.waits.sync(seen, asked, &mut self.facts),
                None => self.waits.ping(seen, &mut self.facts),
            };
            self.waiting.look("timeouts.push_extra", held.unwrap_or_default(), seen);
            if let Some(asked) = &sync {
                self.sync.sync(seen, asked, &mut self.facts);
            }
            // What waits goes on beside everything else, and is no step of anything.
            return;
        }
        self.waits.pass();
        self.places.look(seen, command.name());
        let first = sync.as_ref().is_some_and(begins);
        self.waiting.look(if first { "timeouts.first_sync" } else { "timeouts.command" }, 0, seen);
        self.waiting.command(seen, command, &mut self.facts);
        if !matches!(command, Command::Sync | Command::Provision) {
            self.sync.turn_away();
        }
        match command {
            Command::Provision => {
                let asked = seen.request.as_ref();
                let asked = asked.and_then(|it| provision::Request::from_document(it, seen.version()).ok());
                self.describe(asked.and_then(|asked| asked.device_information), seen.at);
                self.setup.provision(seen, &mut self.facts);
                return;
            }
            Command::Settings => {
                let asked = seen.request.as_ref();
                let asked = asked.and_then(|it| settings::Request::from_document(it, seen.version()).ok());
                self.describe(asked.and_then(|asked| asked.device_information), seen.at);
            }
            Command::FolderSync => self.sync.folder_sync(seen),
            _ => {}
        }
        if let Some(asked) = &sync {
            self.mail.changes(seen, asked, &self.sync, &mut self.facts);
            self.sync.sync(seen, asked, &mut self.facts);
        }
        self.setup.command(seen, command, &mut self.facts);
    }

    fn identity(&mut self, seen: &Seen<'_>, line: &QueryLine) {
        if !line.device_type.is_empty() {
            self.facts.seen("identity.device_type", line.device_type.clone(), seen.at);
        }
        let id = line.device_id.to_string();
        if !id.is_empty() {
            self.facts.seen("identity.device_id", id, seen.at);
        }
        if let Some(agent) = seen.exchange.request.headers.get("User-Agent") {
            self.facts.seen("identity.user_agent", agent.to_owned(), seen.at);
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

    /// What the device said of its TLS; what easrig sends itself is under easrig's own.
    fn tls(&mut self, exchange: &Exchange) {
        let Some(tls) = &exchange.tls else { return };
        if exchange.origin != Origin::Imported || !exchange.sender.persona.is_empty() {
            self.facts.aside("tls.versions", "easrig sent this itself, under its own TLS".to_owned());
        } else if let Some(hello) = &tls.hello {
            // Up to TLS 1.2 a ClientHello names the highest version alone.
            let confidence = if hello.versions.len() > 1 { Confidence::High } else { Confidence::Med };
            let versions: Vec<String> = hello.versions.iter().map(|version| version.name().to_owned()).collect();
            self.facts.note("tls.versions", versions, exchange.number, confidence);
            let suites: Vec<String> = hello.cipher_suites.iter().map(|suite| format!("{suite:04X}")).collect();
            let name =
                if hello.names_server { "with the server's name (SNI)" } else { "without the server's name (SNI)" };
            let agreed = format!("{} with {}", tls.version, tls.cipher_suite);
            let text = format!("offered {name} and the suites {}; agreed on {agreed}", suites.join(" "));
            self.facts.aside("tls.hello", format!("{text} (exchange {})", exchange.number.0));
        } else {
            let text = format!(
                "exchange {} agreed on {}; what was offered is not in the recording",
                exchange.number.0, tls.version
            );
            self.facts.aside("tls.versions", text);
        }
    }

    /// What a device says of itself; its owner's number, IMEI and the name given to it stay out.
    fn describe(&mut self, device: Option<settings::DeviceInformation>, at: ExchangeNumber) {
        let Some(device) = device else { return };
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
}

impl<'e> Seen<'e> {
    fn of(exchange: &'e Exchange) -> Self {
        let line = QueryLine::parse(exchange.request.query()).ok();
        let header = || exchange.request.headers.get(names::PROTOCOL_VERSION)?.trim().parse().ok();
        Self {
            exchange,
            at: exchange.number,
            spoken: line.as_ref().and_then(|line| line.version).or_else(header),
            line,
            request: document(&exchange.request.body),
            answer: exchange.response().map(|response| Answer::of(response.clone())),
        }
    }

    /// The version to read the documents by; most are the same at every one.
    fn version(&self) -> Version {
        self.spoken.unwrap_or(Version::V14_1)
    }

    /// When the request began, in microseconds since 1970.
    fn started(&self) -> i64 {
        self.exchange.started.0
    }

    /// When the answer was there, or the request given up.
    fn done(&self) -> i64 {
        self.started().saturating_add(i64::try_from(self.exchange.times.done).unwrap_or(i64::MAX))
    }

    /// A request that was sent without credentials to learn which are wanted.
    fn is_first_leg(&self) -> bool {
        let refused = self.answer.as_ref().is_some_and(|answer| answer.http == 401);
        refused && self.exchange.request.headers.get("Authorization").is_none()
    }

    fn sync(&self) -> Option<sync_command::Request> {
        sync_command::Request::from_document(self.request.as_ref()?, self.version()).ok()
    }

    /// Whether this is the first Sync of a folder.
    fn starts_folder(&self) -> bool {
        self.sync().is_some_and(|asked| begins(&asked))
    }
}

fn begins(asked: &sync_command::Request) -> bool {
    asked.collections.iter().any(|collection| collection.sync_key.is_initial())
}

fn document(body: &[u8]) -> Option<Document> {
    Document::decode_prefix(body, Limits::default()).ok().map(|(document, _)| document)
}

#[cfg(test)]
mod tests;

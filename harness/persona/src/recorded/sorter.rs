use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
};

use easrig_eas::query::{DeviceIdForm, QueryLine};
use easrig_exchange::Exchange;

/// The most exchanges that wait for their device to say its name.
const MOST_WAITING: usize = 256;

/// The most User-Agents that are remembered.
const MOST_AGENTS: usize = 4096;

/// How much of a User-Agent stands for a device, in characters.
const LONGEST_AGENT: usize = 80;

/// A device, by the DeviceId of its requests; letter case does not count.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceName(String);

impl DeviceName {
    /// The name as it stands in a query or on a command line.
    pub fn new(id: &str) -> Self {
        Self(id.trim().to_ascii_lowercase())
    }

    /// The device that a request names itself.
    pub fn of(exchange: &Exchange) -> Option<Self> {
        let line = QueryLine::parse(exchange.request.query()).ok()?;
        let named = match &line.device_id {
            DeviceIdForm::Text(text) => !text.trim().is_empty(),
            DeviceIdForm::Guid(_) => true,
            DeviceIdForm::Bytes(bytes) => !bytes.is_empty(),
        };
        named.then(|| Self::new(&line.device_id.to_string()))
    }

    /// What stands for a device that no request names, as one whose search for a server found none: its User-Agent.
    pub fn of_agent(exchange: &Exchange) -> Option<Self> {
        let agent = exchange.request.headers.get("User-Agent")?;
        let agent: String = agent.chars().filter(|c| !c.is_control()).take(LONGEST_AGENT).collect();
        Some(Self(format!("no device id, {agent}")))
    }

    /// In lower case, but for what [`DeviceName::of_agent`] gives.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Says which device each exchange of a recording belongs to.
///
/// OPTIONS and Autodiscover often name no device. Such a request belongs to the device that last used its User-Agent, or to
/// the first that will; in a recording of easrig, to the phone of that role.
#[derive(Debug, Default)]
pub struct Sorter {
    agents: BTreeMap<String, DeviceName>,
    waiting: VecDeque<(String, Exchange)>,
}

impl Sorter {
    /// Takes the next exchange; hands on those whose device is known now, oldest first. Without a device: nobody's.
    pub fn push(&mut self, exchange: Exchange) -> Vec<(Option<DeviceName>, Exchange)> {
        let agent = agent(&exchange);
        let Some(device) = DeviceName::of(&exchange) else { return self.nameless(agent, exchange) };
        let mut out = Vec::new();
        if let Some(agent) = agent {
            let mut rest = VecDeque::new();
            for (waiting, exchange) in self.waiting.drain(..) {
                if waiting == agent {
                    out.push((Some(device.clone()), exchange));
                } else {
                    rest.push_back((waiting, exchange));
                }
            }
            self.waiting = rest;
            if self.agents.len() < MOST_AGENTS || self.agents.contains_key(&agent) {
                self.agents.insert(agent, device.clone());
            }
        }
        out.push((Some(device), exchange));
        out
    }

    /// What nobody has claimed.
    pub fn finish(self) -> Vec<(Option<DeviceName>, Exchange)> {
        self.waiting.into_iter().map(|(_, exchange)| (None, exchange)).collect()
    }

    fn nameless(&mut self, agent: Option<String>, exchange: Exchange) -> Vec<(Option<DeviceName>, Exchange)> {
        let Some(agent) = agent else { return vec![(None, exchange)] };
        if let Some(device) = self.agents.get(&agent) {
            return vec![(Some(device.clone()), exchange)];
        }
        self.waiting.push_back((agent, exchange));
        let overflow = (self.waiting.len() > MOST_WAITING).then(|| self.waiting.pop_front()).flatten();
        overflow.map(|(_, exchange)| (None, exchange)).into_iter().collect()
    }
}

/// What requests of one device have in common when they do not name it.
fn agent(exchange: &Exchange) -> Option<String> {
    let sender = &exchange.sender;
    if !sender.persona.is_empty() {
        return Some(format!("{}\n{}", sender.persona, sender.role));
    }
    exchange.request.headers.get("User-Agent").map(str::to_owned)
}

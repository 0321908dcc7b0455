use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

use easrig_eas::{
    Command,
    query::{CommandName, QueryLine},
};
use easrig_transport::ServerRequest;
use thiserror::Error;

use super::ENDPOINT;

/// How much later than it could a server answers, as one far away or under load does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    all: Duration,
    of: BTreeMap<Command, Duration>,
}

/// A delay of every answer, or of the answers to one command: `200`, `Sync=200`, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    command: Option<Command>,
    by: Duration,
}

/// The longest delay, in milliseconds: beyond it phones give up.
const MOST: u64 = 60_000;

/// Why a text is no delay.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DelayError {
    /// No number of milliseconds.
    #[error("`{0}` is no number of milliseconds from 0 to {MOST}")]
    Number(String),
    /// No command.
    #[error("`{0}` is no command of ActiveSync; as in `Sync=200`")]
    Command(String),
}

impl FromStr for Delay {
    type Err = DelayError;

    fn from_str(text: &str) -> Result<Self, DelayError> {
        let (command, number) = match text.split_once('=') {
            None => (None, text),
            Some((name, number)) => (Some(name.parse().map_err(|_| DelayError::Command(name.to_owned()))?), number),
        };
        let by = number.parse().ok().filter(|by| *by <= MOST).ok_or_else(|| DelayError::Number(number.to_owned()))?;
        Ok(Self { command, by: Duration::from_millis(by) })
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let command = self.command.map(|command| format!("{command}=")).unwrap_or_default();
        write!(f, "{command}{}", self.by.as_millis())
    }
}

/// The last delay of a command, or of everything, holds; that of a command comes before that of everything.
impl FromIterator<Delay> for Latency {
    fn from_iter<I: IntoIterator<Item = Delay>>(delays: I) -> Self {
        let mut latency = Self::default();
        for Delay { command, by } in delays {
            match command {
                Some(command) => _ = latency.of.insert(command, by),
                None => latency.all = by,
            }
        }
        latency
    }
}

impl Latency {
    /// How long the answer to a request waits.
    pub(super) fn before(&self, request: &ServerRequest) -> Duration {
        if self.of.is_empty() {
            return self.all;
        }
        asked(request).and_then(|command| self.of.get(&command)).copied().unwrap_or(self.all)
    }
}

/// The command of a request.
fn asked(request: &ServerRequest) -> Option<Command> {
    let (path, query) = request.path_and_query.split_once('?')?;
    let is_ours = request.method == "POST" && path.to_ascii_lowercase().ends_with(&ENDPOINT.to_ascii_lowercase());
    match QueryLine::parse(query).ok().filter(|_| is_ours)?.command {
        CommandName::Known(command) => Some(command),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_of_everything_or_of_one_command() {
        for text in ["0", "200", "Sync=60000"] {
            assert_eq!(text.parse::<Delay>().unwrap().to_string(), text);
        }
        for text in ["", "-1", "60001", "Sync=", "Synk=1", "=1", "1=Sync"] {
            assert!(text.parse::<Delay>().is_err(), "{text}");
        }
    }

    #[test]
    fn that_of_a_command_comes_before_that_of_everything() {
        let delays = ["5", "Sync=80", "7", "Sync=90"].map(|text| text.parse::<Delay>().unwrap());
        let latency: Latency = delays.into_iter().collect();
        let request = |method: &str, path: &str| ServerRequest {
            method: method.into(),
            path_and_query: path.into(),
            headers: Default::default(),
            body: Vec::new(),
            peer: ([127, 0, 0, 1], 1).into(),
        };
        let query = "User=a&DeviceId=b&DeviceType=c";
        for (method, path, expected) in [
            ("POST", format!("/Microsoft-Server-ActiveSync?Cmd=Sync&{query}"), 90),
            ("POST", format!("/microsoft-server-activesync?Cmd=Ping&{query}"), 7),
            ("OPTIONS", "/Microsoft-Server-ActiveSync".into(), 7),
            ("POST", format!("/other?Cmd=Sync&{query}"), 7),
        ] {
            assert_eq!(latency.before(&request(method, &path)), Duration::from_millis(expected), "{method} {path}");
        }
    }
}

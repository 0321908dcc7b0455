use std::io::{Read, Seek};

use easrig_exchange::{EascapError, EascapFile, Exchange, ExchangeNumber, Failure, Outcome, Sender};
use easrig_scenario::Decoded;
use easrig_wbxml::Element;

use super::heartbeat::Wait;

/// Elements whose text is somebody's own and one piece: in a record without contents it is nothing but filler.
const TELLING: [&str; 5] = ["Subject", "DisplayName", "FileAs", "FirstName", "LastName"];

/// A recording that can be read by number, and when each of its exchanges happened.
///
/// The bytes stay in the file; what is held is one [`Entry`] for each exchange.
pub struct Recording<R: Read + Seek> {
    file: EascapFile<R>,
    entries: Vec<Entry>,
    has_contents: bool,
}

/// One exchange of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the file.
    pub number: ExchangeNumber,
    /// When it began, in microseconds since 1970.
    pub started: i64,
    /// When it was over, on the same clock.
    pub done: i64,
    /// Who sent it, where the recording knows.
    pub sender: Sender,
    /// The user that its request line names.
    pub user: Option<String>,
    /// The device that its request line names.
    pub device: Option<String>,
    /// Whether the device gave it up itself.
    pub is_given_up: bool,
    /// How it waits, when it is a Ping or a Sync.
    pub(super) wait: Option<Wait>,
}

impl<R: Read + Seek> Recording<R> {
    /// Reads the recording once, and keeps what `takes` wants in the order of time.
    ///
    /// # Errors
    /// When it is no file of exchanges, or is damaged.
    pub fn read(input: R, takes: &mut dyn FnMut(&Exchange) -> bool) -> Result<Self, EascapError> {
        let mut file = EascapFile::open(input)?;
        let numbers: Vec<ExchangeNumber> = file.offsets().keys().copied().collect();
        let (mut entries, mut has_contents) = (Vec::new(), false);
        for number in numbers {
            let Some(exchange) = file.get(number)? else { continue };
            let decoded = Decoded::of(&exchange);
            has_contents = has_contents || holds_contents(&decoded);
            if takes(&exchange) {
                entries.push(Entry::of(&exchange, &decoded));
            }
        }
        entries.sort_by_key(|entry| (entry.started, entry.number));
        Ok(Self { file, entries, has_contents })
    }

    /// Its exchanges in the order of time.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether subjects, names and bodies are in it, and not filler in their place.
    pub fn has_contents(&self) -> bool {
        self.has_contents
    }

    /// How many pairs of mailboxes it was made with, as far as can be seen.
    pub fn pairs(&self) -> usize {
        let mut owners: Vec<&str> = self.entries.iter().map(|entry| entry.sender.persona.as_str()).collect();
        owners.sort_unstable();
        owners.dedup();
        owners.len().max(1)
    }

    /// The exchange of this number.
    ///
    /// # Errors
    /// When the file cannot be read there.
    pub fn get(&mut self, number: ExchangeNumber) -> Result<Option<Exchange>, EascapError> {
        self.file.get(number)
    }
}

impl Entry {
    fn of(exchange: &Exchange, decoded: &Decoded) -> Self {
        let started = exchange.started.0;
        let took = i64::try_from(exchange.times.done).unwrap_or(i64::MAX);
        let query = decoded.query.as_ref();
        Self {
            number: exchange.number,
            started,
            done: started.saturating_add(took),
            sender: exchange.sender.clone(),
            user: query.and_then(|query| query.user.clone()).filter(|user| !user.is_empty()),
            device: query.map(|query| query.device_id.to_string()).filter(|device| !device.is_empty()),
            is_given_up: exchange.outcome == Outcome::Failed(Failure::Cancelled),
            wait: Wait::of(decoded),
        }
    }
}

/// Whether anything that must be filler in a record without contents is not.
fn holds_contents(decoded: &Decoded) -> bool {
    let roots = decoded.request.root().into_iter().chain(decoded.answer.root());
    let telling = |e: &Element<'_>| e.is_leaf() && e.tag().name().is_some_and(|name| TELLING.contains(&name));
    let is_filler = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'\r' | b'\n'));
    roots.flat_map(Element::descendants).filter(telling).any(|e| !is_filler(&e.text()))
}

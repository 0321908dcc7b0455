//! No sequence of calls panics the core of the reference server, and every answer it gives is a document, a message or
//! nothing. An input is a list of calls, `\n--\n` between them; the first line of a call is `Command Version User Query`,
//! the rest is its body, sent as WBXML if it reads as XML in the standard's notation. `$KEY`, `$ID`, `$LONG` and `$FILE`
//! stand for the last sync key, server id, long id and file reference of an answer, `$INBOX`, `$TRASH` and `$CALENDAR`
//! for folders of the user.
#![no_main]

use std::collections::BTreeMap;

use easrig_eas::{Version, headers::ContentType, multipart::Multipart, query::QueryLine};
use easrig_exchange::{Headers, Secret};
use easrig_refserver::{Account, Answer, Call, Credentials, Kind, Reply, State, UserName, WaiterId, handle, wake};
use easrig_wbxml::Document;
use jiff::{SignedDuration, Timestamp};
use libfuzzer_sys::fuzz_target;

const CALLS_MOST: usize = 24;
const MAIL: &[u8] = b"From: carol@else.test\r\nTo: alice@easrig.test\r\nSubject: seed\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>hello</p>\r\n--b\r\n\
    Content-Type: text/plain; name=a.txt\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nattached\r\n--b--\r\n";

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut world = World::new();
    for call in text.split("\n--\n").take(CALLS_MOST) {
        world.call(call);
    }
    world.close();
});

struct World {
    state: State,
    now: Timestamp,
    seen: BTreeMap<&'static str, String>,
    waiting: Vec<(WaiterId, Timestamp)>,
}

impl World {
    fn new() -> Self {
        let now = Timestamp::from_second(1_719_835_200).expect("a time in 2024");
        let mut state = State::new(7, "easrig.test");
        for user in ["alice", "bob"] {
            let account = Account::new(user, &format!("{user}@easrig.test"), Secret::new("s"), now);
            let name = account.user.clone();
            state.add_account(account);
            state.deliver(&name, MAIL.to_vec(), now).expect("an account takes mail");
        }
        Self { state, now, seen: BTreeMap::new(), waiting: Vec::new() }
    }

    fn call(&mut self, text: &str) {
        let (line, body) = text.split_once('\n').unwrap_or((text, ""));
        let mut words = line.splitn(4, ' ');
        let (command, version, user, more) = (
            words.next().unwrap_or_default(),
            words.next(),
            words.next().unwrap_or("alice"),
            words.next().unwrap_or_default(),
        );
        let query = format!("Cmd={command}&User={user}&DeviceId=FUZZ1&DeviceType=Test&{}", self.filled(user, more));
        let Ok(query) = QueryLine::parse(&query) else { return };
        let version = version.and_then(|version| version.parse().ok()).unwrap_or(Version::V14_1);
        let body = self.filled(user, body);
        let body = Document::from_xml(&body).map_or_else(|_| body.into_bytes(), |document| document.encode());
        let credentials = Some(Credentials::Basic { user: user.to_owned(), secret: Secret::new("s") });
        let call = Call { credentials, query, version, headers: Headers::new(), body };
        match handle(&mut self.state, call, self.now) {
            Reply::Now(answer) => self.learn(&answer),
            Reply::Wait { waiter, until, .. } => self.waiting.push((waiter, until)),
        }
        self.now = self.now.checked_add(SignedDuration::from_secs(7)).unwrap_or(Timestamp::MAX);
        self.wake(false);
    }

    /// Lets every waiting call come to its end.
    fn close(&mut self) {
        self.now = self.waiting.iter().map(|(_, until)| *until).max().unwrap_or(self.now).max(self.now);
        self.wake(true);
        assert!(self.waiting.is_empty(), "a call waits beyond its time");
    }

    fn wake(&mut self, all: bool) {
        if self.state.take_changed().is_empty() && !all {
            return;
        }
        for (waiter, until) in std::mem::take(&mut self.waiting) {
            match wake(&mut self.state, waiter, self.now) {
                Some(answer) => self.learn(&answer),
                None => self.waiting.push((waiter, until)),
            }
        }
    }

    fn filled(&self, user: &str, text: &str) -> String {
        let text = self.seen.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
        let Some(account) = self.state.account(&UserName::from(user)) else { return text };
        let folders = [("$INBOX", Kind::Inbox), ("$TRASH", Kind::Deleted), ("$CALENDAR", Kind::Calendar)];
        folders.iter().fold(text, |text, (name, kind)| match account.mailbox.built_in(*kind) {
            Some(id) => text.replace(name, id.as_str()),
            None => text,
        })
    }

    fn learn(&mut self, answer: &Answer) {
        assert!((100..600).contains(&answer.status));
        let body = match answer.headers.get("Content-Type").map(ContentType::parse) {
            Some(ContentType::Multipart) => {
                Multipart::parse(&answer.body).expect("a multipart answer has its table").answer()
            }
            Some(kind) if kind.is_wbxml() => &answer.body,
            _ => return,
        };
        let document = Document::decode(body).expect("an answer is a document");
        for element in document.root().descendants() {
            let name = match element.tag().name() {
                Some("SyncKey") => "$KEY",
                Some("ServerId") => "$ID",
                Some("LongId") => "$LONG",
                Some("FileReference") => "$FILE",
                _ => continue,
            };
            let text = element.text();
            if !text.is_empty() && text.len() < 512 && !text.contains(['<', '&', '$']) {
                self.seen.insert(name, text.into_owned());
            }
        }
    }
}

//! What the tests share: personas in a hurry, small scenarios, a server in the way of a good one, and runs read back.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use easrig_eas::query::QueryLine;
use easrig_exchange::{Content, EascapReader, Exchange, Headers, Outcome, Request, Secret};
use easrig_persona::Persona;
use easrig_refserver::{AccountConfig, Profile, Server, ServerConfig};
use easrig_runner::{Account, Allowed, Observer, Orders, RunFolder, Target, Unfinished, Versions};
use easrig_scenario::{Cell, Scenario, Strictness, event::Event};
use easrig_transport::{
    Client, ClientConfig, Patience, ServerHandle, ServerRequest, ServerResponse, Service, Session, serve,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, time::timeout};

/// No run here may take longer.
const LONGEST: Duration = Duration::from_secs(60);

/// The password of every account, so that it can be searched for.
pub(crate) const SECRET: &str = "Canary-7f3a91";

const SCENARIOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios");

/// A shipped persona whose patience is two seconds.
pub(crate) fn persona(id: &str) -> Arc<Persona> {
    hurried(id, "")
}

/// The same from a file that somebody has touched.
pub(crate) fn edited(id: &str) -> Arc<Persona> {
    hurried(id, "# edited\n")
}

fn hurried(id: &str, end: &str) -> Arc<Persona> {
    let path = format!("{SCENARIOS}/personas/{id}.toml");
    let text = fs::read_to_string(&path).unwrap();
    let mut times = false;
    let lines = text.lines().map(|line| {
        if line.starts_with('[') {
            times = line == "[timeouts]";
        }
        let key = line.split('=').next().unwrap_or_default().trim();
        match times && ["connect", "command", "first_sync", "push_extra", "busy_wait"].contains(&key) {
            true => format!("{key} = {}\n", if key == "busy_wait" { 1 } else { 2 }),
            false => format!("{line}\n"),
        }
    });
    Arc::new(Persona::parse(&path, &(lines.collect::<String>() + end)).unwrap())
}

/// A shipped scenario.
pub(crate) fn shipped(id: &str) -> Arc<Scenario> {
    let text = fs::read_to_string(format!("{SCENARIOS}/{id}.toml")).unwrap();
    Arc::new(Scenario::parse(&format!("scenarios/{id}.toml"), &text).unwrap())
}

/// A scenario of the test's own; `head` and `steps` are TOML.
pub(crate) fn scenario(id: &str, head: &str, steps: &str) -> Arc<Scenario> {
    let text = format!("id = \"{id}\"\ntitle = \"{id}\"\nreq = [\"MS-ASCMD_R4771\"]\n{head}\n\n{steps}\n");
    Arc::new(Scenario::parse(&format!("scenarios/{id}.toml"), &text).unwrap_or_else(|error| panic!("{error:?}")))
}

/// FolderSync as the standard writes it, from a phone that has not said anything before.
pub(crate) fn explicit(id: &str) -> Arc<Scenario> {
    scenario(
        id,
        "effects = \"reads\"",
        r#"[[step]]
send = "FolderSync"
body = '''<FolderSync xmlns="FolderHierarchy"><SyncKey>0</SyncKey></FolderSync>'''
[step.expect]
http = 200
status = 1"#,
    )
}

/// The same from a phone that asked for versions before, whatever the server says to devices without a policy.
pub(crate) fn explicit_set_up(id: &str) -> Arc<Scenario> {
    scenario(
        id,
        "effects = \"reads\"\nstart = \"foldered\"",
        r#"[[step]]
send = "FolderSync"
body = '''<FolderSync xmlns="FolderHierarchy"><SyncKey>0</SyncKey></FolderSync>'''
[step.expect]
status = 1"#,
    )
}

/// A phone that sets itself up and looks for its folders again.
pub(crate) fn habit(id: &str) -> Arc<Scenario> {
    scenario(id, "effects = \"reads\"\nstart = \"options\"", "[[step]]\ndo = \"folder_sync\"")
}

/// A phone that gets as far as its folders, and does nothing more.
pub(crate) fn ladder(id: &str) -> Arc<Scenario> {
    scenario(id, "effects = \"reads\"\nstart = \"foldered\"", "[[step]]\nsend = \"OPTIONS\"\n[step.expect]\nhttp = 200")
}

/// Orders for one hurried Android against `target`.
pub(crate) fn orders(target: &str, scenarios: Vec<Arc<Scenario>>) -> Orders {
    Orders {
        target: Target::Url(target.parse().unwrap()),
        server: easrig_runner::Server::Foreign,
        target_name: target.to_owned(),
        accounts: vec![account("alice"), account("bob")],
        personas: vec![persona("android-4")],
        scenarios,
        versions: Versions::Own,
        allowed: Allowed { writes: true, ..Allowed::default() },
        jobs: 1,
        repeat: 1,
        strictness: Strictness::Musts,
        seed: 7,
        content: Content::Masked,
        client: client(ClientConfig::default()),
        trust: Vec::new(),
        outage: Duration::from_secs(10),
    }
}

pub(crate) fn account(user: &str) -> Account {
    format!("{user}={user}@easrig.test:{SECRET}").parse().unwrap()
}

/// A client that never asks the system for a root or a name.
pub(crate) fn client(config: ClientConfig) -> Client {
    Client::new(ClientConfig { system_roots: false, system_names: false, ..config }).unwrap()
}

/// A finished run, read back from its folder.
pub(crate) struct Record {
    pub(crate) events: Vec<Event>,
    pub(crate) exchanges: Vec<Exchange>,
    pub(crate) folder: TempDir,
}

struct Silent;

impl Observer for Silent {}

/// Runs to the end, in a few seconds, and reads everything back.
pub(crate) async fn run(orders: Orders) -> Record {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let fresh = RunFolder::create(&path).unwrap();
    go(orders, fresh, None).await;
    read(folder)
}

/// Goes on with what is in `folder`.
pub(crate) async fn resume(orders: Orders, folder: TempDir) -> Record {
    let (opened, unfinished) = RunFolder::resume(&folder.path().join("run"), &orders.started()).unwrap();
    go(orders, opened, Some(unfinished)).await;
    read(folder)
}

async fn go(orders: Orders, folder: RunFolder, unfinished: Option<Unfinished>) {
    let run = easrig_runner::run(orders, Arc::new(folder), unfinished, Arc::new(Silent));
    timeout(LONGEST, run).await.expect("no run hangs").expect("the folder can be written");
}

pub(crate) fn read(folder: TempDir) -> Record {
    let path = folder.path().join("run");
    let text = fs::read_to_string(path.join("run.jsonl")).unwrap();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let tape = fs::File::open(path.join("exchanges.eascap")).unwrap();
    let exchanges = EascapReader::new(tape).unwrap().collect::<Result<_, _>>().unwrap();
    Record { events, exchanges, folder }
}

impl Record {
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    /// Every finished cell but those of invariants, in order.
    pub(crate) fn cells(&self) -> Vec<&Cell> {
        let finished = self.events.iter().filter_map(|event| match event {
            Event::CellFinished(cell) if !cell.id.scenario.starts_with("invariant/") => Some(cell),
            _ => None,
        });
        finished.collect()
    }

    pub(crate) fn cell(&self, scenario: &str) -> &Cell {
        let cells = self.cells();
        cells.into_iter().find(|cell| cell.id.scenario == scenario).unwrap_or_else(|| panic!("no cell `{scenario}`"))
    }

    /// Verdict by scenario and persona.
    pub(crate) fn verdicts(&self) -> BTreeMap<(String, String), String> {
        let cells = self.cells().into_iter();
        cells.map(|c| ((c.id.scenario.clone(), c.id.persona.clone()), c.verdict.to_string())).collect()
    }

    pub(crate) fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|event| wanted(event)).count()
    }

    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.events.last(), Some(Event::RunFinished { .. }))
    }

    /// The bytes of everything that was written.
    pub(crate) fn written(&self) -> Vec<u8> {
        let read = |name: &str| fs::read(self.path().join(name)).unwrap();
        [read("run.jsonl"), read("exchanges.eascap")].concat()
    }
}

/// Copies the run folder, so that the copy can be cut.
pub(crate) fn copy(record: &Record) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    fs::create_dir(&path).unwrap();
    for name in ["run.jsonl", "exchanges.eascap"] {
        fs::copy(record.path().join(name), path.join(name)).unwrap();
    }
    folder
}

/// Cuts a file of the run to its first `length` bytes.
pub(crate) fn cut(folder: &Path, name: &str, length: u64) {
    let file = fs::OpenOptions::new().write(true).open(folder.join("run").join(name)).unwrap();
    file.set_len(length).unwrap();
}

/// The reference server without TLS, for alice and bob.
pub(crate) async fn good(change: impl FnOnce(&mut ServerConfig)) -> Server {
    let account = |user: &str| AccountConfig {
        user: user.to_owned(),
        address: Some(format!("{user}@easrig.test")),
        secret: Secret::new(SECRET),
    };
    let mut config = ServerConfig {
        profile: "exchange-2010-sp1".parse::<Profile>().unwrap(),
        tls: false,
        accounts: ["alice", "bob", "carol", "dave"].map(account).to_vec(),
        ..ServerConfig::default()
    };
    change(&mut config);
    Server::start(config).await.unwrap()
}

/// What stands in the way does with a request.
pub(crate) enum Deed {
    /// Lets it through to the server behind.
    Pass,
    /// Answers in its place.
    Say(ServerResponse),
    /// Lets it through, late.
    Late(Duration),
    /// Never answers.
    Hang,
}

/// A request that came by.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) query: String,
    pub(crate) authorization: String,
}

type Rule = Box<dyn Fn(&ServerRequest) -> Deed + Send + Sync>;

/// Stands in front of a good server, counts, and spoils what its rule says.
pub(crate) struct Way {
    shared: Arc<Shared>,
    handle: Option<ServerHandle>,
    pub(crate) url: String,
}

struct Shared {
    behind: String,
    session: Session,
    rule: Rule,
    seen: Mutex<Vec<Seen>>,
    busy: AtomicUsize,
    busiest: AtomicUsize,
}

impl Way {
    pub(crate) async fn to(server: &Server, rule: impl Fn(&ServerRequest) -> Deed + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared {
            behind: server.url().to_owned(),
            session: client(ClientConfig::default()).session(),
            rule: Box::new(rule),
            seen: Mutex::default(),
            busy: AtomicUsize::new(0),
            busiest: AtomicUsize::new(0),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let handle = serve(listener, None, Guard(Arc::clone(&shared))).unwrap();
        let url = format!("http://{}/Microsoft-Server-ActiveSync", handle.address());
        Self { shared, handle: Some(handle), url }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// The most requests that were under way at one time.
    pub(crate) fn busiest(&self) -> usize {
        self.shared.busiest.load(Ordering::SeqCst)
    }

    /// Closes the port.
    pub(crate) async fn die(&mut self) {
        if let Some(handle) = self.handle.take() {
            handle.shutdown().await;
        }
    }

    /// Opens it again.
    pub(crate) async fn come_back(&mut self) {
        let address = self.url.split('/').nth(2).unwrap();
        let listener = TcpListener::bind(address).await.unwrap();
        self.handle = Some(serve(listener, None, Guard(Arc::clone(&self.shared))).unwrap());
    }
}

struct Guard(Arc<Shared>);

impl Service for Guard {
    async fn call(&self, request: ServerRequest) -> ServerResponse {
        let shared = &self.0;
        shared.seen.lock().unwrap().push(Seen {
            query: request.path_and_query.clone(),
            authorization: request.headers.get("Authorization").unwrap_or_default().to_owned(),
        });
        match (shared.rule)(&request) {
            Deed::Pass => {}
            Deed::Say(answer) => return answer,
            Deed::Late(time) => tokio::time::sleep(time).await,
            Deed::Hang => std::future::pending().await,
        }
        shared.busiest.fetch_max(shared.busy.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let answer = shared.pass(request).await;
        shared.busy.fetch_sub(1, Ordering::SeqCst);
        answer
    }
}

impl Shared {
    async fn pass(&self, request: ServerRequest) -> ServerResponse {
        let request = Request {
            method: request.method,
            url: format!("{}{}", self.behind, request.path_and_query).parse().unwrap(),
            headers: request.headers,
            body: request.body,
        };
        match self.session.send(&request, &Patience::default()).await.outcome {
            Outcome::Answered(answer) => {
                ServerResponse { status: answer.status, headers: answer.headers, body: answer.body }
            }
            Outcome::Failed(why) => panic!("the good server is good: {why}"),
        }
    }
}

/// An answer of this status, type and body.
pub(crate) fn says(status: u16, kind: &str, body: &[u8]) -> Deed {
    let headers = match kind {
        "" => Headers::new(),
        kind => Headers::from_iter([("Content-Type", kind)]),
    };
    Deed::Say(ServerResponse { status, headers, body: body.to_vec() })
}

/// The same as bytes of a whole HTTP answer.
pub(crate) fn http(head: &str, body: &[u8]) -> Vec<u8> {
    [head.replace('\n', "\r\n").as_bytes(), b"\r\n\r\n", body].concat()
}

/// The command of a request line, in either form of its query; empty when it has none.
pub(crate) fn command(path_and_query: &str) -> String {
    let query = path_and_query.split_once('?').map_or("", |(_, query)| query);
    QueryLine::parse(query).map(|line| line.command.to_string()).unwrap_or_default()
}

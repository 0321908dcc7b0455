use easrig_eas::{Command, Version, headers::basic};
use easrig_exchange::{Headers, Outcome, Request, Response, Secret};
use easrig_refserver::{AccountConfig, Policy, Server, ServerConfig};
use easrig_transport::{Client, ClientConfig, Patience, Session, read_certificates};
use easrig_wbxml::Document;

/// A server with alice and bob.
pub(crate) async fn server(change: impl FnOnce(&mut ServerConfig)) -> Server {
    let account =
        |user: &str, secret: &str| AccountConfig { user: user.to_owned(), address: None, secret: Secret::new(secret) };
    let mut config = ServerConfig {
        accounts: vec![account("alice", "wonderland"), account("bob", "builder")],
        policy: None,
        ..ServerConfig::default()
    };
    change(&mut config);
    Server::start(config).await.unwrap()
}

pub(crate) fn strict(config: &mut ServerConfig) {
    config.policy = Some(Policy { allow_non_provisionable: false, ..Policy::default() });
}

pub(crate) fn lenient(config: &mut ServerConfig) {
    config.policy = Some(Policy::default());
}

/// A raw client: says exactly what it is told.
pub(crate) struct Phone {
    pub(crate) session: Session,
    pub(crate) base: String,
    pub(crate) authorization: Option<String>,
    pub(crate) version: Version,
    pub(crate) policy_key: Option<u32>,
    pub(crate) device: &'static str,
    pub(crate) path: &'static str,
}

impl Phone {
    pub(crate) fn of(server: &Server, user: &str, secret: &str) -> Self {
        let roots = server.ca_pem().map(|pem| read_certificates(pem.as_bytes()).unwrap()).unwrap_or_default();
        let config =
            ClientConfig { extra_roots: roots, system_roots: false, system_names: false, ..ClientConfig::default() };
        Self {
            session: Client::new(config).unwrap().session(),
            base: server.url().to_owned(),
            authorization: Some(basic(user, secret, Default::default()).unwrap()),
            version: Version::V14_1,
            policy_key: None,
            device: "PHONE1",
            path: "/Microsoft-Server-ActiveSync",
        }
    }

    pub(crate) fn alice(server: &Server) -> Self {
        Self::of(server, "alice", "wonderland")
    }

    pub(crate) async fn http(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let url: url::Url = format!("{}{path}", self.base).parse().unwrap();
        let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        let mut all = Headers::new();
        all.push("Host", host);
        if let Some(authorization) = &self.authorization {
            all.push("Authorization", authorization);
        }
        headers.iter().for_each(|(name, value)| all.push(*name, *value));
        all.push("Content-Length", body.len().to_string());
        let request = Request { method: method.to_owned(), url, headers: all, body: body.to_vec() };
        match self.session.send(&request, &Patience::default()).await.outcome {
            Outcome::Answered(response) => response,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn options(&self) -> Response {
        self.http("OPTIONS", self.path, &[], b"").await
    }

    /// Posts a command with its version and key in headers.
    pub(crate) async fn post(&self, command: &str, body: &[u8]) -> Response {
        let (version, key) = (self.version.to_string(), self.policy_key.map(|key| key.to_string()));
        let mut headers = vec![("MS-ASProtocolVersion", version.as_str())];
        if let Some(key) = &key {
            headers.push(("X-MS-PolicyKey", key));
        }
        if !body.is_empty() {
            headers.push(("Content-Type", "application/vnd.ms-sync.wbxml"));
        }
        let path = format!("{}?Cmd={command}&User=alice&DeviceId={}&DeviceType=Phone", self.path, self.device);
        self.http("POST", &path, &headers, body).await
    }

    /// Posts a document in the notation of the standard; gives the answer in the same.
    pub(crate) async fn say(&self, command: Command, xml: &str) -> String {
        let response = self.post(command.name(), &Document::from_xml(xml).unwrap().encode()).await;
        assert_eq!(response.status, 200, "{command}: {response:?}");
        if response.body.is_empty() { String::new() } else { Document::decode(&response.body).unwrap().to_xml() }
    }

    /// The first folder list: HTTP status, and the Status inside.
    pub(crate) async fn folders(&self) -> (u16, Option<String>) {
        let body = Document::from_xml(FOLDERS).unwrap().encode();
        let response = self.post("FolderSync", &body).await;
        let status = Document::decode(&response.body).ok().and_then(|document| text(&document.to_xml(), "Status"));
        (response.status, status)
    }

    /// The id of the folder of a type.
    pub(crate) async fn folder(&self, folder_type: u8) -> String {
        let xml = self.say(Command::FolderSync, FOLDERS).await;
        let adds = xml.split("<Add>").skip(1);
        let add = adds.into_iter().find(|add| text(add, "Type") == Some(folder_type.to_string())).unwrap();
        text(add, "ServerId").unwrap()
    }
}

pub(crate) const FOLDERS: &str = "<FolderSync xmlns=\"FolderHierarchy\"><SyncKey>0</SyncKey></FolderSync>";

/// The text of the first element of a name, whatever its namespace.
pub(crate) fn text(xml: &str, name: &str) -> Option<String> {
    let begins = |rest: &&str| rest.strip_prefix(name).is_some_and(|rest| rest.starts_with(['>', ' ']));
    let (_, rest) = xml.split('<').find(begins)?.split_once('>')?;
    Some(rest.to_owned())
}

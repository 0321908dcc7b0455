//! Autodiscover: from the owner's address to the server (MS-ASCMD 2.2.1.1, and the JSON form).

use easrig_eas::{
    autodiscover::{
        JsonAnswer, JsonForm, JsonRequest, POX_PATH, PoxAction, PoxRequest, PoxResponse, SrvRecord, Trail, domain_of,
        https_target, srv_targets,
    },
    encoding::ContentEncoding,
    headers,
};
use easrig_exchange::{Headers, Request, Response};
use url::Url;

use crate::{
    Condition, Server,
    persona::word::{Candidate, Situation, Which},
    phone::{
        line::{Line, Stop},
        memory::{Core, with_path},
        request::host,
    },
};

/// The most bytes of an Autodiscover answer that are read.
const MOST_BYTES: usize = 1 << 20;

/// What one place brought.
enum Found {
    /// The endpoint.
    Endpoint(Url),
    /// Another address to begin again with.
    Address(String),
    /// Nothing, and why.
    Nothing(Condition),
    /// A document of the right kind at another place.
    Elsewhere(Url),
}

impl Line {
    /// Finds the server even if the phone already knows one.
    pub(super) async fn discover_anew(&self) -> Result<(), Stop> {
        self.with(|core| core.endpoint = None);
        self.discover().await
    }

    /// Tries the device's places one after another.
    pub(super) async fn discover(&self) -> Result<(), Stop> {
        let known = self.with(|core| match &core.setup.server {
            Server::Discover { address } => Some(address.clone()),
            Server::Url(_) => core.setup.address.clone(),
        });
        let mut address =
            known.ok_or_else(|| Stop::GaveUp("the phone has no address to find its server with".to_owned()))?;
        let candidates = self.rest(|core| &core.persona.autodiscover.candidates);
        let mut addresses = Trail::default();
        let mut worst = Condition::AutodiscoverFailed;
        'address: while addresses.visit(&address).is_ok() {
            let domain = domain_of(&address).map_err(|error| Stop::GaveUp(error.to_string()))?.to_owned();
            for candidate in &candidates {
                match self.attempt(*candidate, &domain, &address).await? {
                    Found::Endpoint(url) => {
                        self.with(|core| core.endpoint = Some(with_path(url)));
                        return Ok(());
                    }
                    Found::Address(other) => {
                        address = other;
                        continue 'address;
                    }
                    Found::Nothing(condition @ Condition::Http(456 | 457)) => return Err(self.stop(&condition)),
                    Found::Nothing(condition) if weight(&condition) > weight(&worst) => worst = condition,
                    Found::Nothing(_) | Found::Elsewhere(_) => {}
                }
            }
            return Err(self.stop(&worst));
        }
        Err(self.stop(&Condition::TooManyRedirects))
    }

    async fn attempt(&self, candidate: Candidate, domain: &str, address: &str) -> Result<Found, Stop> {
        let url = |host: String, path: &str| Url::parse(&format!("https://{host}{path}")).ok();
        let nowhere = Found::Nothing(Condition::Dns);
        match candidate {
            Candidate::Domain => match url(domain.to_owned(), POX_PATH) {
                Some(url) => self.post(url, address).await,
                None => Ok(nowhere),
            },
            Candidate::Subdomain => match url(format!("autodiscover.{domain}"), POX_PATH) {
                Some(url) => self.post(url, address).await,
                None => Ok(nowhere),
            },
            Candidate::HttpRedirect => self.by_plain_redirect(domain, address).await,
            Candidate::Srv => self.by_name_service(domain, address).await,
            Candidate::JsonDomain | Candidate::JsonSubdomain => {
                let host = match candidate {
                    Candidate::JsonDomain => domain.to_owned(),
                    _ => format!("autodiscover.{domain}"),
                };
                match url(host, &JsonRequest::active_sync(address).path_and_query(JsonForm::Query)) {
                    Some(url) => self.by_json(url).await,
                    None => Ok(nowhere),
                }
            }
        }
    }

    /// Posts the request, and again wherever a redirect over https leads.
    async fn post(&self, first: Url, address: &str) -> Result<Found, Stop> {
        let body = PoxRequest::mobile_sync(address).to_string().into_bytes();
        let mut trail = Trail::default();
        let mut url = first;
        while trail.visit(url.as_str()).is_ok() {
            let request = || self.with(|core| core.autodiscover("POST", &url, body.clone(), true));
            let (used, found) = (self.with(|core| core.sign_in), self.look(request(), &url, read_pox).await?);
            // A place that wants another way to sign in is asked once more.
            let turned = self.with(|core| core.sign_in) != used;
            let found = if turned { self.look(request(), &url, read_pox).await? } else { found };
            match found {
                Found::Elsewhere(next) => url = next,
                found => return Ok(found),
            }
        }
        Ok(Found::Nothing(Condition::TooManyRedirects))
    }

    async fn by_plain_redirect(&self, domain: &str, address: &str) -> Result<Found, Stop> {
        let Ok(url) = Url::parse(&format!("http://autodiscover.{domain}{POX_PATH}")) else {
            return Ok(Found::Nothing(Condition::Dns));
        };
        // Over plain HTTP the device names nobody: only the way to an https place counts.
        let request = self.with(|core| core.autodiscover("GET", &url, Vec::new(), false));
        match self.look(request, &url, |_| Found::Nothing(Condition::BadAnswer)).await? {
            Found::Elsewhere(next) => self.post(next, address).await,
            found => Ok(found),
        }
    }

    async fn by_name_service(&self, domain: &str, address: &str) -> Result<Found, Stop> {
        let said = self.srv(domain).await;
        let records = said.into_iter().take(16).map(|target| SrvRecord {
            priority: target.priority,
            weight: target.weight,
            port: target.port,
            target: target.host,
        });
        let mut last = Found::Nothing(Condition::Dns);
        for url in srv_targets(records.collect()).iter().filter_map(SrvRecord::url) {
            last = self.post(url, address).await?;
            if !matches!(last, Found::Nothing(_)) {
                break;
            }
        }
        Ok(last)
    }

    async fn by_json(&self, first: Url) -> Result<Found, Stop> {
        let mut trail = Trail::default();
        let mut url = first;
        while trail.visit(url.as_str()).is_ok() {
            let request = self.with(|core| core.autodiscover("GET", &url, Vec::new(), false));
            match self.look(request, &url, read_json).await? {
                Found::Elsewhere(next) => url = next,
                found => return Ok(found),
            }
        }
        Ok(Found::Nothing(Condition::TooManyRedirects))
    }

    async fn look(&self, request: Request, url: &Url, read: impl Fn(&Response) -> Found) -> Result<Found, Stop> {
        let patience = self.with(|core| core.patience());
        let response = match self.http(request, patience).await? {
            Ok(response) => response,
            Err(failure) => return Ok(Found::Nothing(Condition::of_failure(&failure))),
        };
        let header = match response.status {
            200 => return Ok(read(&response)),
            301 | 302 | 307 | 308 => "Location",
            451 => headers::LOCATION,
            status => {
                if status == 401 {
                    self.with(|core| core.sign_in_otherwise(&response.headers));
                }
                return Ok(Found::Nothing(Condition::Http(status)));
            }
        };
        let follows = self.with(|core| {
            let rules = &core.persona.redirects;
            let rules = if response.status == 451 { &rules.moved.value } else { &rules.http.value };
            Which::covers(rules, Which::Autodiscover)
        });
        let target = response.headers.get(header).filter(|_| follows);
        let target = target.and_then(|target| https_target(url, target).ok());
        Ok(target.map_or(Found::Nothing(Condition::Http(response.status)), Found::Elsewhere))
    }
}

impl Core {
    fn autodiscover(&self, method: &str, url: &Url, body: Vec<u8>, credentials: bool) -> Request {
        let mut headers = Headers::new();
        for line in &self.persona.headers.autodiscover.value {
            let value = match line.value.as_str() {
                "{host}" => host(url),
                "{authorization}" => self.authorization(None).filter(|_| credentials),
                "{user_agent}" => self.user_agent(Situation::Autodiscover),
                "{content_type}" => (!body.is_empty()).then(|| "text/xml".to_owned()),
                "{content_length}" => (!body.is_empty()).then(|| body.len().to_string()),
                "{version}" | "{policy_key}" | "{multipart}" => None,
                fixed => Some(fixed.to_owned()),
            };
            if let Some(value) = value {
                headers.push(&line.name, value);
            }
        }
        Request { method: method.to_owned(), url: url.clone(), headers, body }
    }
}

/// How much a failure tells the owner more than that nothing was found.
fn weight(condition: &Condition) -> u8 {
    match condition {
        Condition::Http(401) => 3,
        Condition::Tls(_) => 2,
        Condition::AutodiscoverFailed => 1,
        _ => 0,
    }
}

fn body(response: &Response) -> Vec<u8> {
    let coding = response.headers.get("Content-Encoding").unwrap_or("identity");
    ContentEncoding::parse(coding).decode(&response.body, MOST_BYTES).unwrap_or_default()
}

fn read_pox(response: &Response) -> Found {
    let Ok(said) = PoxResponse::parse(&body(response)) else { return Found::Nothing(Condition::BadAnswer) };
    match &said.action {
        PoxAction::Redirect(address) => Found::Address(address.clone()),
        PoxAction::Settings(_) => endpoint(said.mobile_sync_url()),
        PoxAction::Error(_) | PoxAction::Framework(_) | PoxAction::Nothing => {
            Found::Nothing(Condition::AutodiscoverFailed)
        }
    }
}

fn read_json(response: &Response) -> Found {
    match JsonAnswer::parse(&body(response)) {
        Ok(JsonAnswer::Found { url, .. }) => endpoint(Some(&url)),
        Ok(JsonAnswer::Refused { .. }) => Found::Nothing(Condition::AutodiscoverFailed),
        Err(_) => Found::Nothing(Condition::BadAnswer),
    }
}

/// An endpoint the device would send its password to: over https.
fn endpoint(url: Option<&str>) -> Found {
    let url = url.and_then(|url| Url::parse(url.trim()).ok()).filter(|url| url.scheme() == "https" && url.has_host());
    url.map_or(Found::Nothing(Condition::AutodiscoverFailed), Found::Endpoint)
}

//! Autodiscover: from the owner's address to the server (MS-ASCMD 2.2.1.1, and the JSON form).

use easrig_eas::autodiscover::{JsonForm, JsonRequest, POX_PATH, PoxRequest, SrvRecord, Trail, domain_of, srv_targets};
use easrig_exchange::{Headers, Request};
use url::Url;

use crate::{
    Condition, Server,
    discovery::{Found, Fruitless, Question, ends_the_search},
    persona::word::{Candidate, Situation},
    phone::{
        line::{Line, Stop},
        memory::{Core, with_path},
        request::host,
    },
};

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
        let mut fruitless = Fruitless::default();
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
                    Found::Nothing(condition) if ends_the_search(&condition) => return Err(self.stop(&condition)),
                    Found::Nothing(condition) => fruitless.add(condition),
                    Found::Elsewhere(_) => {}
                }
            }
            return Err(self.stop(&fruitless.condition()));
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
            let (used, found) = (self.with(|core| core.sign_in), self.look(request(), &url, Question::Document).await?);
            // A place that wants another way to sign in is asked once more.
            let turned = self.with(|core| core.sign_in) != used;
            let found = if turned { self.look(request(), &url, Question::Document).await? } else { found };
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
        match self.look(request, &url, Question::Way).await? {
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
            match self.look(request, &url, Question::Json).await? {
                Found::Elsewhere(next) => url = next,
                found => return Ok(found),
            }
        }
        Ok(Found::Nothing(Condition::TooManyRedirects))
    }

    async fn look(&self, request: Request, url: &Url, question: Question) -> Result<Found, Stop> {
        let patience = self.with(|core| core.patience());
        let response = match self.http(request, patience).await? {
            Ok(response) => response,
            Err(failure) => return Ok(Found::Nothing(Condition::of_failure(&failure))),
        };
        if response.status == 401 {
            self.with(|core| core.sign_in_otherwise(&response.headers));
        }
        Ok(self.with(|core| core.persona.found(question, url, &response)))
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

use base64::{Engine as _, prelude::BASE64_STANDARD};
use easrig_eas::query::{QueryForm, QueryLine};
use easrig_exchange::{Exchange, Failure, Headers, Origin, Outcome, Response, Sender, Times, Timestamp};
use easrig_persona::Sight;
use easrig_report::Reading;
use easrig_scenario::{CellId, Content, Decoded};
use serde::Serialize;

/// An exchange for machines: what went over the wire, and what it means.
#[derive(Debug, Serialize)]
pub(crate) struct Entry<'e> {
    pub(crate) number: u64,
    pub(crate) origin: Origin,
    /// The cell that sent it, in a run.
    pub(crate) cell: Option<&'e CellId>,
    pub(crate) sender: &'e Sender,
    /// Microseconds since 1970.
    pub(crate) started: Timestamp,
    /// The same in words, UTC.
    pub(crate) time: Option<String>,
    /// The ActiveSync command, or `OPTIONS`; null for other requests.
    pub(crate) command: Option<String>,
    /// The protocol version of the request.
    pub(crate) version: Option<String>,
    /// The answer in a few words.
    pub(crate) summary: String,
    pub(crate) request: Request<'e>,
    /// Null when there was no answer; then `failure` says why.
    pub(crate) response: Option<Answer<'e>>,
    pub(crate) failure: Option<NoAnswer<'e>>,
    /// Microseconds since `started`.
    pub(crate) times: Times,
    pub(crate) tls: Option<Tls<'e>>,
    #[serde(flatten)]
    pub(crate) reading: Reading,
    /// What the device's owner saw because of it.
    pub(crate) owner_saw: Vec<Saw>,
}

/// What stood on the screen of a recorded device.
#[derive(Debug, Serialize)]
pub(crate) struct Saw {
    /// The code; null when the device shows none, or nobody knows.
    pub(crate) code: Option<String>,
    /// The text; null when nobody knows.
    pub(crate) message: Option<String>,
    pub(crate) remedy: Option<String>,
    /// What was on the wire.
    pub(crate) condition: String,
    /// The persona as which the device was read; null when none fits.
    pub(crate) persona: Option<String>,
    pub(crate) confidence: &'static str,
    /// Earlier exchanges that it rests on.
    pub(crate) because: Vec<u64>,
    /// What keeps it from being certain.
    pub(crate) doubt: Option<String>,
}

impl Saw {
    fn of(sight: &Sight) -> Self {
        let error = sight.error.as_ref();
        Self {
            code: error.map(|error| error.code.clone()).filter(|code| !code.is_empty()),
            message: error.map(|error| error.message.clone()),
            remedy: error.map(|error| error.remedy.trim_end().to_owned()),
            condition: sight.condition.to_string(),
            persona: sight.persona.clone(),
            confidence: sight.confidence.as_str(),
            because: sight.because.iter().map(|number| number.0).collect(),
            doubt: sight.doubt.clone(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Request<'e> {
    pub(crate) method: &'e str,
    pub(crate) url: &'e str,
    pub(crate) headers: &'e Headers,
    pub(crate) query: Option<Query>,
    pub(crate) body: Body,
}

#[derive(Debug, Serialize)]
pub(crate) struct Answer<'e> {
    pub(crate) status: u16,
    pub(crate) reason: &'e str,
    pub(crate) headers: &'e Headers,
    pub(crate) body: Body,
    /// Why the body is not whole, if it is not.
    pub(crate) cut: Option<&'e str>,
}

#[derive(Debug, Serialize)]
pub(crate) struct NoAnswer<'e> {
    pub(crate) words: String,
    pub(crate) cause: &'e Failure,
}

#[derive(Debug, Serialize)]
pub(crate) struct Tls<'e> {
    pub(crate) version: &'e str,
    pub(crate) cipher_suite: &'e str,
    pub(crate) verified: bool,
}

/// A request line, taken apart.
#[derive(Debug, Serialize)]
pub(crate) struct Query {
    pub(crate) form: &'static str,
    pub(crate) command: String,
    pub(crate) version: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) device_id: String,
    pub(crate) device_type: String,
    pub(crate) policy_key: Option<u32>,
    /// Everything in it, a line for each part.
    pub(crate) words: Vec<String>,
}

/// A body without its content coding.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Body {
    /// How long it is. Of a body that cannot be unpacked, as it came.
    pub(crate) bytes: usize,
    pub(crate) kind: Kind,
    /// The document, as `easrig decode` prints it.
    pub(crate) xml: Option<String>,
    pub(crate) text: Option<String>,
    /// What is neither document nor text.
    pub(crate) base64: Option<String>,
    /// Why it is no document although it should be.
    pub(crate) problem: Option<String>,
    /// The parts of a multipart answer behind its document.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<Body>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    #[default]
    Empty,
    Wbxml,
    Text,
    Binary,
}

impl<'e> Entry<'e> {
    pub(crate) fn of(exchange: &'e Exchange, cell: Option<&'e CellId>) -> Self {
        Self::of_decoded(exchange, &Decoded::of(exchange), cell)
    }

    /// As [`Entry::of`], of an exchange that was decoded already.
    pub(crate) fn of_decoded(exchange: &'e Exchange, decoded: &Decoded, cell: Option<&'e CellId>) -> Self {
        let request = &exchange.request;
        let (response, failure) = match &exchange.outcome {
            Outcome::Answered(response) => (Some(answer(response, decoded)), None),
            Outcome::Failed(cause) => (None, Some(NoAnswer { words: cause.to_string(), cause })),
        };
        Self {
            number: exchange.number.0,
            origin: exchange.origin,
            cell,
            sender: &exchange.sender,
            started: exchange.started,
            time: jiff::Timestamp::from_microsecond(exchange.started.0).ok().map(|at| at.to_string()),
            command: decoded.verb.map(|verb| verb.to_string()),
            version: decoded.version.map(|version| version.to_string()),
            summary: decoded.words(),
            request: Request {
                method: &request.method,
                url: request.url.as_str(),
                headers: &request.headers,
                query: decoded.query.as_ref().map(Query::of),
                body: Body::of(&decoded.request, &request.body),
            },
            response,
            failure,
            times: exchange.times,
            tls: exchange.tls.as_ref().map(|tls| Tls {
                version: &tls.version,
                cipher_suite: &tls.cipher_suite,
                verified: tls.verified,
            }),
            reading: Reading::of(decoded),
            owner_saw: Vec::new(),
        }
    }

    /// With what the device's owner saw because of it.
    pub(crate) fn seen(self, sights: &[Sight]) -> Self {
        Self { owner_saw: sights.iter().map(Saw::of).collect(), ..self }
    }
}

fn answer<'e>(response: &'e Response, decoded: &Decoded) -> Answer<'e> {
    // A body that cannot be unpacked is shown packed.
    let packed = matches!(decoded.answer, Content::Broken(_)) && decoded.body.is_empty();
    let mut body = Body::of(&decoded.answer, if packed { &response.body } else { &decoded.body });
    body.parts = decoded.parts.iter().skip(1).map(|part| Body::of(&Content::Other, part)).collect();
    Answer {
        status: response.status,
        reason: &response.reason,
        headers: &response.headers,
        body,
        cut: response.cut.as_deref(),
    }
}

impl Query {
    fn of(line: &QueryLine) -> Self {
        let squeeze = |line: &str| line.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        Self {
            form: match line.form {
                QueryForm::Plain => "plain",
                QueryForm::Base64 => "base64",
            },
            command: line.command.to_string(),
            version: line.version.map(|version| version.to_string()),
            user: line.user.clone(),
            device_id: line.device_id.to_string(),
            device_type: line.device_type.clone(),
            policy_key: line.policy_key.map(|key| key.0),
            words: line.describe().lines().map(squeeze).collect(),
        }
    }
}

impl Body {
    fn of(content: &Content, bytes: &[u8]) -> Self {
        let whole = Self { bytes: bytes.len(), ..Self::default() };
        match content {
            Content::Missing | Content::Empty => whole,
            Content::Document(document) => Self { kind: Kind::Wbxml, xml: Some(document.to_xml()), ..whole },
            Content::Undecodable(error) => Self { problem: Some(error.to_string()), ..whole.binary(bytes) },
            Content::Broken(why) => Self { problem: Some(why.clone()), ..whole.binary(bytes) },
            Content::Other if bytes.is_empty() => whole,
            Content::Other => match std::str::from_utf8(bytes) {
                Ok(text) => Self { kind: Kind::Text, text: Some(text.to_owned()), ..whole },
                Err(_) => whole.binary(bytes),
            },
        }
    }

    fn binary(self, bytes: &[u8]) -> Self {
        Self { kind: Kind::Binary, base64: Some(BASE64_STANDARD.encode(bytes)), ..self }
    }
}

//! From what is to be sent to the request this device would write.

use easrig_eas::{
    Command, Version,
    headers::{self, BasicCharset},
    query::{CommandName, DeviceIdForm, Escape, PlainField, QueryLine},
};
use easrig_exchange::{Headers, Request};
use url::Url;

use super::memory::Core;
use crate::{
    ExplicitSend, Patience, QueryHabit,
    persona::word::{Charset, EmptyKey, Escaping, HeaderLine, IdForm, OptionsQuery, Query, Scheme, Situation, Which},
};

/// A request to the endpoint, before the device's habits are applied.
#[derive(Clone, Debug, Default)]
pub(super) struct Call {
    /// The command; `None` is the OPTIONS method.
    pub(super) command: Option<Command>,
    pub(super) body: Vec<u8>,
    /// Whether the body is a message and not a document.
    pub(super) is_mime: bool,
    /// A key other than the phone's own: the temporary one of an acknowledgement.
    pub(super) policy_key: Option<easrig_eas::PolicyKey>,
    pub(super) attachment_name: Option<String>,
    pub(super) collection_id: Option<String>,
    pub(super) item_id: Option<String>,
    pub(super) long_id: Option<String>,
    pub(super) occurrence: Option<String>,
    pub(super) save_in_sent: bool,
    pub(super) multipart: bool,
    pub(super) patience: Option<Patience>,
}

/// Why a request cannot be written.
pub(super) type CannotWrite = String;

impl Call {
    pub(super) fn new(command: Command, body: Vec<u8>) -> Self {
        Self { command: Some(command), body, ..Self::default() }
    }

    pub(super) fn which(&self) -> Which {
        self.command.map_or(Which::Options, Which::Command)
    }
}

impl Core {
    /// The version of the next request: chosen, or the device's first choice before there was a choice.
    pub(super) fn spoken(&self) -> Version {
        let first = || self.persona.protocol.versions.value.first().copied();
        self.version.or_else(first).unwrap_or(Version::V14_1)
    }

    /// The device's patience for a command.
    pub(super) fn patience(&self) -> Patience {
        let times = &self.persona.timeouts;
        let (connect, command) = (times.connect.value, times.command.value);
        Patience { connect, handshake: connect, first_byte: command, body: command }
    }

    /// The request for `call`, as this device writes it.
    pub(super) fn request(&self, call: &Call) -> Result<Request, CannotWrite> {
        self.write(call, None)
    }

    /// The same with the wishes of an explicit step applied.
    pub(super) fn explicit(&self, call: &Call, wishes: &ExplicitSend) -> Result<Request, CannotWrite> {
        let mut request = self.write(call, Some(wishes))?;
        for (name, value) in &wishes.headers {
            request.headers = set(&request.headers, name, value.as_deref());
        }
        Ok(request)
    }

    fn write(&self, call: &Call, wishes: Option<&ExplicitSend>) -> Result<Request, CannotWrite> {
        let mut url = self.endpoint.clone().ok_or("the phone does not know its server")?;
        let base64 = self.has_base64(wishes) && call.command.is_some();
        let query = self.query(call, wishes, base64)?;
        url.set_query(query.as_deref());
        let lines = match call.command {
            None => &self.persona.headers.options.value,
            Some(Command::Ping) => &self.persona.headers.ping.value,
            Some(_) => &self.persona.headers.post.value,
        };
        let situation = match call.command {
            None => Situation::Options,
            Some(_) if base64 => Situation::Base64Post,
            Some(_) => Situation::PlainPost,
        };
        let mut headers = Headers::new();
        for line in lines {
            if let Some(value) = self.header(line, call, wishes, situation, &url) {
                headers.push(&line.name, value);
            }
        }
        self.cookies.iter().take(1).for_each(|_| headers.push("Cookie", self.cookie()));
        let method = if call.command.is_some() { "POST" } else { "OPTIONS" };
        Ok(Request { method: method.to_owned(), url, headers, body: call.body.clone() })
    }

    fn has_base64(&self, wishes: Option<&ExplicitSend>) -> bool {
        match wishes.and_then(|wishes| wishes.query) {
            Some(form) => form == QueryHabit::Base64,
            None => self.persona.protocol.query.value == Query::Base64 && self.spoken() > Version::V2_5,
        }
    }

    fn query(&self, call: &Call, wishes: Option<&ExplicitSend>, base64: bool) -> Result<Option<String>, CannotWrite> {
        let protocol = &self.persona.protocol;
        let name = match (call.command, protocol.options_query.value) {
            (Some(command), _) => CommandName::Known(command),
            (None, OptionsQuery::Absent) => return Ok(None),
            (None, OptionsQuery::Device) => CommandName::Absent,
            (None, OptionsQuery::CmdOptions) => CommandName::Unknown("Options".to_owned()),
        };
        let mut line = QueryLine::new(name, self.setup.device_id.as_str(), &self.persona.identity.device_type.value);
        line.attachment_name.clone_from(&call.attachment_name);
        line.collection_id.clone_from(&call.collection_id);
        line.item_id.clone_from(&call.item_id);
        line.long_id.clone_from(&call.long_id);
        line.occurrence.clone_from(&call.occurrence);
        line.save_in_sent = (call.save_in_sent && call.is_mime).then_some(true);
        for (name, value) in wishes.map(|wishes| wishes.params.as_slice()).unwrap_or_default() {
            parameter(&mut line, name, value);
        }
        if !base64 {
            let user = wishes.and_then(|wishes| wishes.login.as_ref()).map_or(&self.setup.user, |login| &login.user);
            line.user = Some(user.clone());
            let escape = match protocol.escape.value {
                Escaping::All => Escape::All,
                Escaping::Lenient => Escape::Lenient,
            };
            let order: Vec<PlainField> = match line.command {
                CommandName::Unknown(_) => PlainField::STANDARD.to_vec(),
                _ => protocol.query_order.value.clone(),
            };
            return Ok(Some(line.to_plain(&order, escape)));
        }
        if protocol.base64_device_id.value == IdForm::Bytes
            && let Some(guid) = hex_bytes(self.setup.device_id.as_str())
        {
            line.device_id = DeviceIdForm::Guid(guid);
        }
        line.version = Some(self.spoken());
        line.locale = u16::try_from(protocol.locale.value).ok();
        line.policy_key = self.key(call);
        line.accept_multipart = call.multipart.then_some(true);
        line.to_base64().map(Some).map_err(|error| error.to_string())
    }

    /// The key of this request; `None` where none is to be seen.
    fn key(&self, call: &Call) -> Option<easrig_eas::PolicyKey> {
        let protocol = &self.persona.protocol;
        if Which::covers(&protocol.policy_key_not_on.value, call.which()) {
            return None;
        }
        let zero = match protocol.empty_key.value {
            EmptyKey::Zero => Some(easrig_eas::PolicyKey(0)),
            EmptyKey::Absent => None,
        };
        call.policy_key.or(self.policy_key).or(zero)
    }

    fn header(
        &self,
        line: &HeaderLine,
        call: &Call,
        wishes: Option<&ExplicitSend>,
        situation: Situation,
        url: &Url,
    ) -> Option<String> {
        match line.value.as_str() {
            // The base64 query says these itself (MS-ASHTTP 2.2.1.1.1.1).
            "{version}" | "{policy_key}" | "{multipart}" if situation == Situation::Base64Post => None,
            "{host}" => host(url),
            "{authorization}" => self.authorization(wishes),
            "{user_agent}" => self.user_agent(situation),
            "{version}" => Some(self.spoken().to_string()),
            "{policy_key}" => self.key(call).map(|key| key.to_string()),
            "{content_type}" if call.is_mime && !call.body.is_empty() => Some("message/rfc822".to_owned()),
            "{content_type}" => (!call.body.is_empty()).then(|| self.persona.protocol.content_type.value.clone()),
            "{content_length}" => Some(call.body.len().to_string()),
            "{multipart}" => call.multipart.then(|| "T".to_owned()),
            fixed => Some(fixed.to_owned()),
        }
    }

    pub(super) fn user_agent(&self, situation: Situation) -> Option<String> {
        let identity = &self.persona.identity;
        identity.user_agent_on.value.contains(&situation).then(|| identity.user_agent.value.clone())
    }

    pub(super) fn authorization(&self, wishes: Option<&ExplicitSend>) -> Option<String> {
        let auth = &self.persona.auth;
        let login = wishes.and_then(|wishes| wishes.login.as_ref());
        if login.is_none() && self.sign_in == Scheme::Bearer {
            return self.setup.bearer.as_ref().map(|token| headers::bearer(token.expose()));
        }
        // Without a password there is nothing to say, and never a token in its place.
        let (user, secret) = match login {
            Some(login) => (&login.user, &login.secret),
            None => (&self.setup.user, self.setup.secret.as_ref()?),
        };
        let charset = match auth.charset.value {
            Charset::Utf8 => BasicCharset::Utf8,
            Charset::Latin1 => BasicCharset::Latin1,
        };
        headers::basic(user, secret.expose(), charset)
            .or_else(|_| headers::basic(user, secret.expose(), BasicCharset::Utf8))
            .ok()
    }

    /// Keeps the cookies of an answer: 16.0 and later must bring them back (MS-ASHTTP 2.2.1.1.2).
    pub(super) fn keep_cookies(&mut self, answer: &Headers) {
        const MOST: usize = 16;
        for value in answer.all("Set-Cookie") {
            let pair = value.split(';').next().unwrap_or_default().trim();
            let Some((name, value)) = pair.split_once('=').filter(|_| pair.len() <= 4096) else { continue };
            self.cookies.retain(|(known, _)| known != name);
            if self.cookies.len() < MOST {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    fn cookie(&self) -> String {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }
}

/// Host and, unless it is the usual one, port.
pub(super) fn host(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

fn parameter(line: &mut QueryLine, name: &str, value: &str) {
    let slot = match name {
        "AttachmentName" => &mut line.attachment_name,
        "CollectionId" => &mut line.collection_id,
        "ItemId" => &mut line.item_id,
        "LongId" => &mut line.long_id,
        "Occurrence" => &mut line.occurrence,
        "SaveInSent" => {
            line.save_in_sent = Some(value == "T");
            return;
        }
        _ => {
            line.extra.push(easrig_eas::query::Extra::Named { name: name.to_owned(), value: value.to_owned() });
            return;
        }
    };
    *slot = Some(value.to_owned());
}

fn hex_bytes(text: &str) -> Option<[u8; 16]> {
    let digits = text.as_bytes();
    let mut bytes = [0; 16];
    if digits.len() != 32 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// Sets a header where it stands, adds it at the end, or leaves it out.
fn set(headers: &Headers, name: &str, value: Option<&str>) -> Headers {
    let mut out = Headers::new();
    let mut done = false;
    for (known, old) in headers.iter() {
        match (known.eq_ignore_ascii_case(name), value) {
            (false, _) => out.push(known, old),
            (true, Some(new)) if !done => {
                out.push(known, new);
                done = true;
            }
            (true, _) => {}
        }
    }
    if let Some(new) = value.filter(|_| !done) {
        out.push(name, new);
    }
    out
}

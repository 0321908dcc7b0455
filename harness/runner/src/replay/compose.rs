use std::borrow::Cow;

use easrig_eas::{
    PolicyKey,
    headers::{self, BasicCharset},
    query::{DeviceIdForm, QueryForm, QueryLine},
};
use easrig_exchange::{Exchange, Headers, Request};
use easrig_scenario::{
    Content, Decoded,
    difference::{Owned, owned, owned_value},
};
use easrig_wbxml::{Builder, Content as Part, Document, Element};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::Mode;
use super::binding::{Bindings, Unbound, lookalike};
use super::heartbeat::Span;
use super::rename::{Person, readdressed};
use crate::Account;

/// Headers that belong to the transfer of the recorded bytes, ask for another protocol than the replay speaks, or held a
/// credential of the recording.
const LEFT_OUT: [&str; 7] = [
    "transfer-encoding",
    "content-encoding",
    "upgrade",
    "http2-settings",
    "cookie",
    "proxy-authorization",
    "proxy-connection",
];

/// What stands where the tap removed a credential.
const REMOVED: &str = "[removed]";

/// What the standard's plain queries percent-encode.
const QUERY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.').remove(b'~').remove(b'{').remove(b'}');

/// Turns requests of one recorded device into requests to the target.
pub(super) struct Composer<'c> {
    pub(super) endpoint: &'c Url,
    pub(super) account: &'c Account,
    pub(super) mode: Mode,
    pub(super) bindings: &'c mut Bindings,
    pub(super) people: &'c [Person],
    pub(super) cookies: &'c [(String, String)],
    /// Drawn for each replay: what a device makes must not look like a repetition to the target.
    pub(super) seed: &'c str,
    /// How long the request asks the target to wait, when that is not what it says already.
    pub(super) wait: Option<Span>,
}

impl Composer<'_> {
    /// The request as it goes to the target.
    ///
    /// # Errors
    /// The first value whose counterpart on the target is not known.
    pub(super) fn request(&mut self, recorded: &Exchange, decoded: &Decoded) -> Result<Request, Unbound> {
        let mut url = self.endpoint.clone();
        if let Some(query) = recorded.request.url.query() {
            let query = self.query(query, decoded.query.as_ref())?;
            url.set_query(Some(&query));
        }
        let body = self.body(recorded, decoded)?;
        let headers = self.headers(&recorded.request.headers, &url, body.len())?;
        Ok(Request { method: recorded.request.method.clone(), url, headers, body })
    }

    fn query(&mut self, query: &str, line: Option<&QueryLine>) -> Result<String, Unbound> {
        match line {
            Some(line) if line.form == QueryForm::Base64 => self.packed(query, line),
            _ => {
                let parts = query.split('&').map(|part| self.parameter(part, line));
                Ok(parts.collect::<Result<Vec<_>, _>>()?.join("&"))
            }
        }
    }

    /// One `name=value`, in the recorded spelling unless its value has to be another.
    fn parameter(&mut self, part: &str, line: Option<&QueryLine>) -> Result<String, Unbound> {
        let Some((name, _)) = part.split_once('=') else { return Ok(part.to_owned()) };
        let Some(line) = line else { return Ok(part.to_owned()) };
        let folder = line.collection_id.clone().unwrap_or_default();
        let key = name.to_ascii_lowercase();
        let value = match key.as_str() {
            "user" => Some(self.account.user.clone()),
            _ if self.mode == Mode::AsRecorded => None,
            "deviceid" => Some(self.device(&line.device_id.to_string())),
            "collectionid" => self.known(Owned::Folder, "", line.collection_id.as_deref())?,
            "itemid" => self.known(Owned::Item, &folder, line.item_id.as_deref())?,
            "longid" => self.known(Owned::LongId, "", line.long_id.as_deref())?,
            "attachmentname" => self.known(Owned::File, "", line.attachment_name.as_deref())?,
            "occurrence" => line.occurrence.as_deref().and_then(|date| self.bindings.date(date)),
            _ => None,
        };
        Ok(match value {
            Some(value) => format!("{name}={}", utf8_percent_encode(&value, QUERY)),
            None => part.to_owned(),
        })
    }

    fn packed(&mut self, query: &str, line: &QueryLine) -> Result<String, Unbound> {
        let mut now = line.clone();
        if now.user.is_some() {
            now.user = Some(self.account.user.clone());
        }
        if self.mode == Mode::Rebound {
            let folder = line.collection_id.clone().unwrap_or_default();
            now.device_id = self.device_form(&line.device_id);
            now.collection_id = self.known(Owned::Folder, "", line.collection_id.as_deref())?;
            now.item_id = self.known(Owned::Item, &folder, line.item_id.as_deref())?;
            now.long_id = self.known(Owned::LongId, "", line.long_id.as_deref())?;
            now.attachment_name = self.known(Owned::File, "", line.attachment_name.as_deref())?;
            if let Some(key) = line.policy_key {
                let bound = self.bindings.need(Owned::PolicyKey, "", &key.to_string())?;
                // A target whose keys are no numbers cannot be told by this form; the recorded key shows what it makes of it.
                now.policy_key = Some(bound.parse().map_or(key, PolicyKey));
            }
        }
        // What cannot be packed again goes out as it was.
        Ok(if now == *line { query.to_owned() } else { now.to_base64().unwrap_or_else(|_| query.to_owned()) })
    }

    fn known(&self, owned: Owned, folder: &str, value: Option<&str>) -> Result<Option<String>, Unbound> {
        value.map(|value| self.bindings.need(owned, folder, value)).transpose()
    }

    /// The device id for this account: always the same for one recorded device.
    fn device(&self, recorded: &str) -> String {
        lookalike(recorded, &["device", &self.account.user])
    }

    fn device_form(&self, recorded: &DeviceIdForm) -> DeviceIdForm {
        match recorded {
            DeviceIdForm::Text(text) => DeviceIdForm::Text(self.device(text)),
            DeviceIdForm::Guid(bytes) => {
                let digits = self.device(&recorded.to_string());
                let draws: Vec<u8> =
                    digits.bytes().zip(bytes.iter().cycle()).map(|(digit, byte)| digit ^ byte).collect();
                let mut guid = *bytes;
                guid.iter_mut().zip(draws).for_each(|(byte, draw)| *byte = draw);
                DeviceIdForm::Guid(guid)
            }
            DeviceIdForm::Bytes(_) => recorded.clone(),
        }
    }

    fn headers(&mut self, recorded: &Headers, url: &Url, length: usize) -> Result<Headers, Unbound> {
        let mut out = Headers::new();
        let mut has_length = false;
        for (name, value) in recorded.iter() {
            let lower = name.to_ascii_lowercase();
            let value: Cow<'_, str> = match lower.as_str() {
                "host" => Cow::Owned(host(url)),
                "content-length" => {
                    has_length = true;
                    Cow::Owned(length.to_string())
                }
                "authorization" => Cow::Owned(self.authorization(value)),
                "cookie" if !self.cookies.is_empty() => {
                    let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
                    Cow::Owned(pairs.collect::<Vec<_>>().join("; "))
                }
                _ if LEFT_OUT.contains(&lower.as_str()) || value.contains(REMOVED) => continue,
                "x-ms-policykey" if self.mode == Mode::Rebound => {
                    Cow::Owned(self.bindings.need(Owned::PolicyKey, "", value.trim())?)
                }
                _ => Cow::Borrowed(value),
            };
            out.push(name, value);
        }
        if length > 0 && !has_length {
            out.push("Content-Length", length.to_string());
        }
        Ok(out)
    }

    /// The account's own credentials, in the scheme of the recorded device where the account has what it takes.
    fn authorization(&self, recorded: &str) -> String {
        let is_bearer = recorded.split(' ').next().is_some_and(|scheme| scheme.eq_ignore_ascii_case("Bearer"));
        let token = self.account.token.as_ref().map(|token| headers::bearer(token.expose()));
        let basic = || {
            let secret = self.account.secret.as_ref()?;
            headers::basic(&self.account.user, secret.expose(), BasicCharset::Utf8).ok()
        };
        let proof = if is_bearer { token.or_else(basic) } else { basic().or(token) };
        proof.unwrap_or_default()
    }

    fn body(&mut self, recorded: &Exchange, decoded: &Decoded) -> Result<Vec<u8>, Unbound> {
        let body = &recorded.request.body;
        if self.mode == Mode::AsRecorded {
            return Ok(body.clone());
        }
        match &decoded.request {
            Content::Document(document) => {
                let now = self.document(document.root())?;
                // The recorded bytes say more than the document: how it was packed.
                Ok(if now == **document { body.clone() } else { now.encode() })
            }
            Content::Other => Ok(match std::str::from_utf8(body) {
                Ok(text) => readdressed(text, self.people).into_owned().into_bytes(),
                Err(_) => body.clone(),
            }),
            _ => Ok(body.clone()),
        }
    }

    fn document(&mut self, root: Element<'_>) -> Result<Document, Unbound> {
        if !root.has_content() {
            return Ok(Builder::empty_root(root.tag()));
        }
        let mut builder = Builder::new(root.tag());
        self.contents(&mut builder, root, &folder_of(root).unwrap_or_default())?;
        Ok(builder.finish())
    }

    /// Copies what is inside an element. Depth is bounded by the decoder.
    fn contents(&mut self, builder: &mut Builder, element: Element<'_>, folder: &str) -> Result<(), Unbound> {
        for part in element.contents() {
            match part {
                Part::Text(text) => {
                    builder.text(&readdressed(text, self.people));
                }
                Part::Opaque(bytes) => {
                    let now = std::str::from_utf8(bytes).map(|text| readdressed(text, self.people));
                    builder.bytes(now.as_deref().map_or(bytes, str::as_bytes));
                }
                Part::Element(child) => self.element(builder, child, folder)?,
            }
        }
        Ok(())
    }

    fn element(&mut self, builder: &mut Builder, element: Element<'_>, folder: &str) -> Result<(), Unbound> {
        let tag = element.tag();
        if !element.has_content() {
            builder.empty(tag);
            return Ok(());
        }
        if element.is_leaf()
            && let Some(value) = self.value(element, folder)?
        {
            match element.is_opaque() {
                true => builder.opaque(tag, &value),
                false => builder.leaf(tag, &String::from_utf8_lossy(&value)),
            };
            return Ok(());
        }
        let inside = folder_of(element);
        builder.open(tag);
        self.contents(builder, element, inside.as_deref().unwrap_or(folder))?;
        builder.close();
        Ok(())
    }

    /// The value that an element must have on the target, when it is one that the target owns.
    fn value(&mut self, element: Element<'_>, folder: &str) -> Result<Option<Vec<u8>>, Unbound> {
        let name = element.tag().name().unwrap_or_default();
        if matches!(name, "InstanceId" | "ExceptionStartTime") {
            return Ok(self.bindings.date(&element.text()).map(String::into_bytes));
        }
        if let Some(wait) = self.wait.filter(|wait| wait.tag == element.tag()) {
            return Ok(Some(wait.value.to_string().into_bytes()));
        }
        let Some(owned) = owned(element.tag()) else { return Ok(None) };
        let before = owned_value(element);
        let folder = if owned.is_in_folder() { folder } else { "" };
        let now = match owned {
            // A meeting's UID is the device's own where it makes the meeting.
            Owned::Meeting => self.bindings.now(owned, folder, &before).unwrap_or_else(|| before.clone()),
            Owned::Client => self.client_id(&before),
            _ => self.bindings.need(owned, folder, &before)?,
        };
        Ok((now != before).then(|| bytes(element, now)))
    }

    fn client_id(&mut self, before: &str) -> String {
        if let Some(known) = self.bindings.now(Owned::Client, "", before) {
            return known;
        }
        let now = lookalike(before, &["client", self.seed]);
        self.bindings.bind(&easrig_scenario::difference::Pair {
            path: String::new(),
            owned: Owned::Client,
            folder: String::new(),
            before: before.to_owned(),
            after: now.clone(),
        });
        now
    }
}

/// The folder whose items an element names, as the recording calls it.
pub(super) fn folder_of(element: Element<'_>) -> Option<String> {
    let is_folder = |child: &Element<'_>| matches!(child.tag().name(), Some("CollectionId" | "SrcFldId" | "FolderId"));
    element.children().find(is_folder).map(|child| owned_value(child))
}

/// A value in the form of the element: opaque ones are kept as hexadecimal digits.
fn bytes(element: Element<'_>, value: String) -> Vec<u8> {
    if !element.is_opaque() {
        return value.into_bytes();
    }
    let digits: Vec<u8> = value.chars().filter_map(|c| c.to_digit(16)).filter_map(|d| u8::try_from(d).ok()).collect();
    digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |sum: u8, digit| sum << 4 | digit)).collect()
}

fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}

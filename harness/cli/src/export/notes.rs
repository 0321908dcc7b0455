use easrig_exchange::{Origin, Sender};
use easrig_report::Reading;
use easrig_scenario::CellId;
use serde::Serialize;

use crate::show::Entry;

/// What an exchange means, for the field `_easrig` of an HTTP archive.
#[derive(Serialize)]
pub(super) struct Notes<'e> {
    number: u64,
    origin: Origin,
    cell: Option<&'e CellId>,
    sender: &'e Sender,
    command: Option<&'e str>,
    version: Option<&'e str>,
    /// The answer in a few words.
    summary: &'e str,
    /// The request line in words, a line for each part.
    query: Option<&'e [String]>,
    request_xml: Option<&'e str>,
    response_xml: Option<&'e str>,
    #[serde(flatten)]
    reading: &'e Reading,
}

impl<'e> Notes<'e> {
    pub(super) fn of(entry: &'e Entry<'e>) -> Self {
        Self {
            number: entry.number,
            origin: entry.origin,
            cell: entry.cell,
            sender: entry.sender,
            command: entry.command.as_deref(),
            version: entry.version.as_deref(),
            summary: &entry.summary,
            query: entry.request.query.as_ref().map(|query| query.words.as_slice()),
            request_xml: entry.request.body.xml.as_deref(),
            response_xml: entry.response.as_ref().and_then(|answer| answer.body.xml.as_deref()),
            reading: &entry.reading,
        }
    }
}

/// Who sent it: its device, else its persona.
pub(super) fn device(entry: &Entry<'_>) -> String {
    match &entry.request.query {
        Some(query) => query.device_id.to_ascii_lowercase(),
        None => format!("{}/{}", entry.sender.persona, entry.sender.role),
    }
}

/// The comment at the first packet of an exchange.
pub(super) fn comment(entry: &Entry<'_>) -> String {
    let cell = entry.cell.map(ToString::to_string);
    let role = Some(&entry.sender.role).filter(|role| !role.is_empty()).cloned();
    let command = entry.command.as_deref().unwrap_or(entry.request.method);
    let meaning = match &entry.failure {
        Some(failure) => format!("{command}: {}", failure.words),
        None => format!("{command}: {}", entry.summary),
    };
    let tls = entry.tls.as_ref().map(|tls| format!("was {} with {}", tls.version, tls.cipher_suite));
    let cut = entry.response.as_ref().and_then(|answer| answer.cut).map(|cut| format!("cut: {cut}"));
    let parts = [Some(format!("exchange {}", entry.number)), cell, role, Some(meaning), tls, cut];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

use easrig_scenario::{Confidence, Verdict};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Server, Servers, Spot};
use crate::summary::VerdictWord;

/// The number in every table of servers.
const FORMAT: u32 = 1;

/// The table as one JSON document.
pub fn servers_json(servers: &Servers<'_>) -> String {
    let document = Document {
        format: FORMAT,
        servers: servers.servers.iter().map(|server| server_row(servers, server)).collect(),
    };
    // Nothing in it has a map with keys other than strings, which is all that can fail.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// The JSON Schema of a table of servers, as published.
pub fn servers_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Document)).unwrap_or_default();
    text.push('\n');
    text
}

/// Several runs of easrig side by side.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Servers")]
struct Document<'r> {
    /// 1; a reader refuses any other number.
    format: u32,
    /// A run each, in the order given.
    servers: Vec<ServerRow<'r>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Server")]
struct ServerRow<'r> {
    /// The folder of the run.
    run: &'r str,
    /// The target as given on the command line.
    given: &'r str,
    /// When the run began, microseconds since 1970-01-01T00:00:00Z.
    started: i64,
    /// The phones of the run.
    personas: Vec<SpotRow<'r>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Phone")]
struct SpotRow<'r> {
    /// Persona id.
    persona: &'r str,
    /// The family it belongs to.
    family: &'r str,
    /// The worst that any of its cells came to.
    #[schemars(with = "VerdictWord")]
    worst: Verdict,
    /// The newest version that it spoke.
    version: Option<String>,
    pass: usize,
    fail: usize,
    blocked: usize,
    degraded: usize,
    skipped: usize,
    inconclusive: usize,
    /// What its owner sees in most of the cells that are blocked.
    device_error: Option<ErrorRow<'r>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ShownError")]
struct ErrorRow<'r> {
    /// The code on the screen; empty when there is only text.
    code: &'r str,
    /// The text on the screen.
    message: &'r str,
    /// What to change on the server.
    remedy: &'r str,
    /// How well the facts support code and text.
    confidence: Confidence,
}

fn server_row<'r>(servers: &'r Servers<'_>, server: &'r Server<'_>) -> ServerRow<'r> {
    let phones = servers.personas.iter().zip(&server.spots);
    let phone = |((persona, family), spot): (&(&'r str, &'r str), &'r Option<Spot<'_>>)| {
        spot.as_ref().map(|spot| spot_row(persona, family, spot))
    };
    let started = &server.run.started;
    ServerRow {
        run: server.folder,
        given: &started.target,
        started: started.at.0,
        personas: phones.filter_map(phone).collect(),
    }
}

fn spot_row<'r>(persona: &'r str, family: &'r str, spot: &'r Spot<'_>) -> SpotRow<'r> {
    let totals = spot.totals;
    let error = |error: &'r easrig_scenario::DeviceError| ErrorRow {
        code: &error.code,
        message: &error.message,
        remedy: &error.remedy,
        confidence: error.confidence,
    };
    SpotRow {
        persona,
        family,
        worst: spot.worst,
        version: spot.version.map(|version| version.to_string()),
        pass: totals.pass,
        fail: totals.fail,
        blocked: totals.blocked,
        degraded: totals.degraded,
        skipped: totals.skipped,
        inconclusive: totals.inconclusive,
        device_error: spot.error.map(error),
    }
}

#[cfg(test)]
mod tests {
    use super::servers_schema;

    #[test]
    fn the_published_schema_is_the_one_of_this_build() {
        let published = include_str!("../../../../docs/schema/matrix.schema.json");
        assert_eq!(
            published,
            servers_schema(),
            "write the new one: cargo run -p easrig-report --example matrix_schema"
        );
    }
}

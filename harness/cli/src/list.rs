//! `easrig list`.

use easrig_refserver::Switch;
use easrig_report::Exit;
use easrig_scenario::Requirement;
use miette::IntoDiagnostic as _;
use serde_json::{Value, json};

use crate::{
    args::{ListArgs, ListFormat, ListWhat},
    embedded,
    library::Library,
    output::Output,
};

pub(crate) fn list(args: &ListArgs, library: &Library, output: &Output) -> miette::Result<Exit> {
    let rows = match args.what {
        ListWhat::Scenarios => scenarios(library)?,
        ListWhat::Personas => personas(library)?,
        ListWhat::Profiles => profiles(library)?,
        ListWhat::Requirements => requirements(),
        ListWhat::Switches => switches(),
    };
    let text = match args.format {
        ListFormat::Json => {
            let values: Vec<Value> = rows.into_iter().map(|row| row.json).collect();
            serde_json::to_string_pretty(&values).into_diagnostic()? + "\n"
        }
        ListFormat::Human => table(&rows),
    };
    output.write(text.as_bytes())?;
    Ok(Exit::Well)
}

/// One thing of a list: what people read of it, and everything.
struct Row {
    cells: Vec<String>,
    json: Value,
}

fn scenarios(library: &Library) -> miette::Result<Vec<Row>> {
    let row = |scenario: std::sync::Arc<easrig_scenario::Scenario>| Row {
        cells: vec![
            scenario.id.clone(),
            level(scenario.level).to_owned(),
            scenario.effects.to_string(),
            scenario.title.clone(),
        ],
        json: json!({
            "id": scenario.id,
            "title": scenario.title,
            "why": scenario.why,
            "fix": scenario.fix,
            "requirements": scenario.requirements,
            "level": scenario.level,
            "versions": scenario.versions.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "start": scenario.start,
            "effects": scenario.effects,
            "needs": scenario.needs,
            "commands": scenario.commands.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "hash": scenario.hash(),
        }),
    };
    Ok(library.scenarios(&[])?.into_iter().map(row).collect())
}

fn personas(library: &Library) -> miette::Result<Vec<Row>> {
    let row = |persona: std::sync::Arc<easrig_persona::Persona>| {
        let versions: Vec<_> = persona.versions().iter().map(ToString::to_string).collect();
        Row {
            cells: vec![persona.id().to_owned(), versions.join(" "), persona.title().to_owned()],
            json: json!({
                "id": persona.id(),
                "title": persona.title(),
                "versions": versions,
                "device_type": persona.device_type(),
                "user_agent": persona.user_agent(),
                "plain_query": persona.has_plain_query(),
            }),
        }
    };
    Ok(library.personas(&["all".to_owned()])?.into_iter().map(row).collect())
}

fn profiles(library: &Library) -> miette::Result<Vec<Row>> {
    let row = |(id, text): (&str, &str)| {
        let profile = embedded::profile(id, text)?;
        let versions: Vec<_> = profile.versions.iter().map(ToString::to_string).collect();
        let json = json!({ "id": id, "title": profile.title, "versions": versions, "commands": profile.commands });
        Ok(Row { cells: vec![id.to_owned(), versions.join(" "), profile.title], json })
    };
    library.profiles().map(row).collect()
}

fn requirements() -> Vec<Row> {
    let row = |requirement: &Requirement| Row {
        cells: vec![
            requirement.id.to_owned(),
            requirement.modal.unwrap_or("-").to_owned(),
            requirement.section.to_owned(),
            requirement.paraphrase.to_owned(),
        ],
        json: json!({
            "id": requirement.id,
            "section": requirement.section,
            "modal": requirement.modal,
            "kind": requirement.kind,
            "derived_from": requirement.derived_from,
            "paraphrase": requirement.paraphrase,
        }),
    };
    Requirement::all().iter().map(row).collect()
}

fn switches() -> Vec<Row> {
    let row = |switch: &Switch| {
        let risk = switch.risk();
        Row {
            cells: vec![switch.name().to_owned(), risk.suffers.to_owned()],
            json: json!({
                "name": switch.name(),
                "suffers": risk.suffers,
                "requirements": risk.requirements,
                "scenarios": risk.scenarios,
            }),
        }
    };
    Switch::ALL.iter().map(row).collect()
}

/// The word of a level.
pub(crate) fn level(level: easrig_scenario::Level) -> &'static str {
    match level {
        easrig_scenario::Level::Must => "must",
        easrig_scenario::Level::Should => "should",
        easrig_scenario::Level::Robust => "robust",
    }
}

/// Columns as wide as their widest cell; the last one is free.
fn table(rows: &[Row]) -> String {
    let columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.cells.get(column)).map(|c| c.chars().count()).max();
    let widths: Vec<usize> = (0..columns.saturating_sub(1)).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Row| {
        let cells = row.cells.iter().enumerate().map(|(column, cell)| match widths.get(column) {
            Some(width) => format!("{cell:<width$}  "),
            None => cell.clone(),
        });
        cells.collect::<String>().trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

//! `easrig explain`: what a name or a number means, and what to do about it.

mod code;

use easrig_eas::status::{self, Meaning, Status, StatusScope};
use easrig_persona::Persona;
use easrig_refserver::{Profile, Switch};
use easrig_report::Exit;
use easrig_scenario::{Requirement, Scenario};
use miette::{Diagnostic, miette};
use thiserror::Error;

use crate::{args::ExplainArgs, embedded, library::Library, list::level, output::Output, suggest};

/// Something nobody has heard of.
#[derive(Debug, Error, Diagnostic)]
#[error("`{name}` is no scenario, requirement, status, error code, switch or persona")]
#[diagnostic(code(explain::unknown))]
struct UnknownName {
    name: String,
    #[help]
    help: String,
}

pub(crate) fn explain(args: &ExplainArgs, library: &Library, output: &Output) -> miette::Result<Exit> {
    let text = meaning(args.what.trim(), library)?;
    output.write(text.as_bytes())?;
    Ok(Exit::Well)
}

fn meaning(what: &str, library: &Library) -> miette::Result<String> {
    if let Some(rest) = what.strip_prefix("status:") {
        return of_status(rest);
    }
    if what.len() < 6
        && let Some(status) = Status::parse(what)
    {
        return every_scope(status);
    }
    let scenario = what.trim_start_matches("scenarios/").trim_end_matches(".toml");
    if library.scenario_ids().any(|id| id == scenario) {
        return Ok(of_scenario(&library.scenario(scenario)?));
    }
    if library.persona_ids().any(|id| id == what) {
        return Ok(of_persona(&library.persona(what)?));
    }
    if let Some((id, text)) = library.profiles().find(|(id, _)| *id == what) {
        return Ok(of_profile(&embedded::profile(id, text)?));
    }
    if let Some(requirement) = Requirement::find(&what.to_ascii_uppercase()) {
        return of_requirement(requirement, library);
    }
    if let Ok(switch) = what.parse::<Switch>() {
        return Ok(of_switch(switch));
    }
    if let Some(text) = code::explain(what, library)? {
        return Ok(text);
    }
    Err(unknown(what, library).into())
}

fn unknown(what: &str, library: &Library) -> UnknownName {
    let ids = library.scenario_ids().chain(library.persona_ids()).chain(library.profiles().map(|(id, _)| id));
    let known = ids.chain(Switch::ALL.iter().map(|switch| switch.name()));
    let found = Requirement::suggest(what).or_else(|| suggest::nearest(what, known));
    let help = match found {
        Some(name) => format!("did you mean `{name}`?"),
        None => "`easrig list scenarios` (or personas, requirements, switches) names them all".to_owned(),
    };
    UnknownName { name: what.to_owned(), help }
}

fn of_status(rest: &str) -> miette::Result<String> {
    let (scope, value) = rest.rsplit_once(':').map_or((None, rest), |(scope, value)| (Some(scope), value));
    let status =
        Status::parse(value).ok_or_else(|| miette!("`{value}` is no status: a number below 65536 expected"))?;
    let Some(scope) = scope else { return every_scope(status) };
    let Some(known) = StatusScope::from_name(scope) else {
        let help = suggest::nearest(scope, StatusScope::all().map(StatusScope::name));
        let help = help.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        return Err(miette!("`{scope}` has no statuses of its own{help}"));
    };
    let row = status::meaning(known, status).ok_or_else(|| miette!("nobody has named status {status} of {scope}"))?;
    Ok(of_meaning(row))
}

/// A bare number means something else in every place; the common values come first.
fn every_scope(status: Status) -> miette::Result<String> {
    let rows: Vec<_> = status::all().iter().filter(|row| row.value == Some(status)).map(of_meaning).collect();
    if rows.is_empty() { Err(miette!("nobody has named status {status}")) } else { Ok(rows.join("\n")) }
}

fn of_meaning(row: &Meaning) -> String {
    let value = row.value.map_or_else(|| "(none)".to_owned(), |value| value.to_string());
    let mut text = format!("status {value} of {}: {}\n", row.scope, row.name);
    let mut line = |label: &str, said: &str| {
        if !said.is_empty() {
            text.push_str(&format!("  {label:<14}{said}\n"));
        }
    };
    line("means", row.meaning);
    line("client does", row.client_action);
    line("versions", row.versions);
    line("before 14.0", row.http_equivalent);
    line("requirements", &row.requirements.join(" "));
    text
}

fn of_scenario(scenario: &Scenario) -> String {
    let mut text = format!("scenario {}: {}\n", scenario.id, scenario.title);
    let mut line = |label: &str, said: &str| {
        if !said.is_empty() {
            text.push_str(&format!("  {label:<14}{said}\n"));
        }
    };
    let versions: Vec<_> = scenario.versions.iter().map(ToString::to_string).collect();
    let needs: Vec<_> = scenario.needs.iter().map(ToString::to_string).collect();
    line("matters", scenario.why.as_deref().unwrap_or_default());
    line("fix", scenario.fix.as_deref().unwrap_or_default());
    line("level", level(scenario.level));
    line("versions", &versions.join(" "));
    line("starts", &scenario.start.to_string());
    line("effects", &scenario.effects.to_string());
    line("needs", &needs.join(" "));
    for id in &scenario.requirements {
        let says = Requirement::find(id).map(|row| format!(": {}", row.paraphrase)).unwrap_or_default();
        line("requirement", &format!("{id}{says}"));
    }
    for (number, step) in scenario.steps.iter().enumerate() {
        line(if number == 0 { "steps" } else { "" }, &format!("{}. {} ({})", number + 1, step.title, step.role));
    }
    text
}

fn of_requirement(requirement: &Requirement, library: &Library) -> miette::Result<String> {
    let mut text = format!("requirement {}: {}\n", requirement.id, requirement.paraphrase);
    text.push_str(&format!("  section       {}\n  kind          {}\n", requirement.section, requirement.kind));
    if let Some(modal) = requirement.modal {
        text.push_str(&format!("  word          {modal}\n"));
    }
    if let Some(from) = requirement.derived_from {
        text.push_str(&format!("  derived from  {from}\n"));
    }
    let scenarios = library.scenarios(&[])?;
    let tested = scenarios.iter().filter(|scenario| scenario.requirements.iter().any(|id| id == requirement.id));
    let tested: Vec<_> = tested.map(|scenario| scenario.id.as_str()).collect();
    let tested = if tested.is_empty() { "by no scenario".to_owned() } else { tested.join(", ") };
    text.push_str(&format!("  tested        {tested}\n"));
    Ok(text)
}

fn of_profile(profile: &Profile) -> String {
    let versions: Vec<_> = profile.versions.iter().map(ToString::to_string).collect();
    format!(
        "profile {}: {}\n  versions      {}\n  commands      {}\n  try it        easrig serve --profile {}\n",
        profile.id,
        profile.title,
        versions.join(" "),
        profile.commands.join(" "),
        profile.id
    )
}

fn of_switch(switch: Switch) -> String {
    let about = switch.risk();
    let mut text = format!("dishonest switch {switch}: {}\n", about.suffers);
    if !about.requirements.is_empty() {
        text.push_str(&format!("  may break     {}\n", about.requirements.join(" ")));
    }
    if !about.scenarios.is_empty() {
        text.push_str(&format!("  scenarios     {}\n", about.scenarios.join(" ")));
    }
    text.push_str(&format!("  try it        easrig serve --dishonest {switch}\n"));
    text
}

fn of_persona(persona: &Persona) -> String {
    let versions: Vec<_> = persona.versions().iter().map(ToString::to_string).collect();
    let query = if persona.has_plain_query() { "plain" } else { "packed (base64)" };
    let mut text = format!(
        "persona {}: {}\n  versions      {}\n  device type   {}\n  user agent    {}\n  query         {query}\n",
        persona.id(),
        persona.title(),
        versions.join(" "),
        persona.device_type(),
        persona.user_agent(),
    );
    text.push_str("  errors its owner may see:\n");
    let mut said = Vec::new();
    for (code, message, _, _) in persona.error_rows() {
        let code = match code {
            "" => "(text)".to_owned(),
            // The number of the status goes there, less 101 and in hexadecimal.
            code => code.replace("{status-101:hex2}", "nn"),
        };
        let line = format!("    {code:<10}{message}\n");
        if !said.contains(&line) {
            said.push(line);
        }
    }
    text.push_str(&said.concat());
    text
}

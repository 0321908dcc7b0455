use easrig_scenario::Verdict;

use super::{Server, Servers, Spot, names, title};
use crate::{
    View,
    compare::screen,
    safe,
    terminal::layout::{cut, hang, pad, width},
};

/// The fewest columns for a server; with less room each has a list of its own.
const ROOM_LEAST: usize = 18;

/// The whole table for a terminal.
pub fn servers_terminal(servers: &Servers<'_>, view: View<'_>) -> String {
    let view = View { width: view.width.max(40), ..view };
    let names: Vec<String> = names(servers).iter().map(|name| safe(name).into_owned()).collect();
    let mut out = table(servers, &names, view).unwrap_or_else(|| lists(servers, &names, view));
    let strong = view.palette.strong;
    for (server, name) in servers.servers.iter().zip(&names) {
        let lines = seen(servers, server);
        if !lines.is_empty() {
            out.push_str(&format!("\n{strong}what owners see on {name}{strong:#}\n"));
            out.extend(lines.iter().map(|line| hang("- ", &safe(line), 0, view.width)));
        }
    }
    out
}

/// A row for each phone; `None` when there is not enough room.
fn table(servers: &Servers<'_>, names: &[String], view: View<'_>) -> Option<String> {
    let first = servers.personas.iter().map(|(persona, _)| width(&safe(title(servers, persona)))).max().unwrap_or(0);
    let room = view.width.saturating_sub(first) / names.len().max(1);
    let room = room.saturating_sub(2).min(36);
    if room < ROOM_LEAST {
        return None;
    }
    let strong = view.palette.strong;
    let heads: String = names.iter().map(|name| format!("  {}", pad(&cut(name, room), room))).collect();
    let mut out = format!("{}{strong}{}{strong:#}\n", pad("", first), heads.trim_end());
    for (number, (persona, _)) in servers.personas.iter().enumerate() {
        let mut row = pad(&safe(title(servers, persona)), first);
        for server in &servers.servers {
            let spot = server.spots.get(number).and_then(Option::as_ref);
            let text = cut(&spot.map_or_else(|| "·".to_owned(), words), room);
            let style = spot.map(|spot| view.palette.of(spot.worst)).unwrap_or_default();
            row.push_str(&format!("  {style}{text}{style:#}{}", " ".repeat(room.saturating_sub(width(&text)))));
        }
        out.push_str(&format!("{}\n", row.trim_end()));
    }
    Some(out)
}

fn lists(servers: &Servers<'_>, names: &[String], view: View<'_>) -> String {
    let strong = view.palette.strong;
    let mut out = String::new();
    for (server, name) in servers.servers.iter().zip(names) {
        out.push_str(&format!("{strong}{name}{strong:#}\n"));
        for ((persona, _), spot) in servers.personas.iter().zip(&server.spots) {
            let Some(spot) = spot else { continue };
            let style = view.palette.of(spot.worst);
            out.push_str(&format!("  {}  {style}{}{style:#}\n", safe(title(servers, persona)), words(spot)));
        }
    }
    out
}

/// The worst verdict with the code on the screen, and how many of the cells came to it: `blocked 86000C2B (4/93)`.
pub(super) fn words(spot: &Spot<'_>) -> String {
    let code = spot.error.filter(|_| spot.worst == Verdict::Blocked).map(|error| error.code.as_str());
    let code = code.filter(|code| !code.is_empty()).map(|code| format!(" {}", safe(code))).unwrap_or_default();
    match spot.worst {
        Verdict::Skipped => "skipped".to_owned(),
        worst => format!("{worst}{code} ({}/{})", spot.times(), spot.tried()),
    }
}

/// What the owners of which phones see, each error once, with what helps.
pub(super) fn seen<'s>(servers: &'s Servers<'_>, server: &'s Server<'_>) -> Vec<String> {
    let mut told: Vec<(String, &str, Vec<&str>)> = Vec::new();
    for ((persona, _), spot) in servers.personas.iter().zip(&server.spots) {
        let Some(error) = spot.as_ref().and_then(|spot| spot.error) else { continue };
        let text = screen(error);
        match told.iter_mut().find(|(known, remedy, _)| *known == text && *remedy == error.remedy) {
            Some((_, _, phones)) => phones.push(title(servers, persona)),
            None => told.push((text, &error.remedy, vec![title(servers, persona)])),
        }
    }
    let line = |(text, remedy, phones): (String, &str, Vec<&str>)| {
        let remedy = remedy.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{}: {text}. {remedy}", phones.join("; ")).trim_end().to_owned()
    };
    told.into_iter().map(line).collect()
}

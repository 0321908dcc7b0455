use super::{
    Servers,
    human::{seen, words},
    names, title,
};
use crate::markdown::text::{code, inline, table_cell};

/// The table in Markdown.
pub fn servers_markdown(servers: &Servers<'_>) -> String {
    let names = names(servers);
    let heads: String = names.iter().map(|name| format!(" {} |", table_cell(name))).collect();
    let mut out = format!("| phone |{heads}\n|---|{}\n", "---|".repeat(names.len()));
    for (number, (persona, _)) in servers.personas.iter().enumerate() {
        let spots = servers.servers.iter().map(|server| server.spots.get(number).and_then(Option::as_ref));
        let cells: String = spots.map(|spot| format!(" {} |", spot.map(words).unwrap_or_default())).collect();
        out.push_str(&format!("| {} |{cells}\n", table_cell(title(servers, persona))));
    }
    for (server, name) in servers.servers.iter().zip(&names) {
        let lines = seen(servers, server);
        if !lines.is_empty() {
            out.push_str(&format!("\nWhat owners see on {}:\n\n", code(name)));
            out.extend(lines.iter().map(|line| format!("- {}\n", inline(line))));
        }
    }
    out
}

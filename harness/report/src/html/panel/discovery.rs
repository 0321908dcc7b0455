//! The way by which a phone found its server, hop by hop.

use std::collections::BTreeMap;

use easrig_exchange::{Exchange, Outcome};
use easrig_scenario::{CellId, Decoded};

use crate::{
    Exchanged,
    html::{Maker, exchange::milliseconds},
    told::Told,
    words::Words,
};

/// The way of one phone.
pub(in crate::html) struct Path {
    pub(in crate::html) phones: String,
    pub(in crate::html) hosts: Vec<Lane>,
    pub(in crate::html) hops: Vec<Hop>,
    pub(in crate::html) width: usize,
    pub(in crate::html) height: usize,
}

/// A host in the drawing.
pub(in crate::html) struct Lane {
    pub(in crate::html) name: String,
    pub(in crate::html) x: usize,
}

/// A request on the way, and what came back.
pub(in crate::html) struct Hop {
    pub(in crate::html) number: usize,
    pub(in crate::html) asked: String,
    pub(in crate::html) url: String,
    pub(in crate::html) answered: Told,
    /// The same as it is drawn, and cut visibly where it is long.
    pub(in crate::html) drawn: Told,
    /// It led on.
    pub(in crate::html) good: bool,
    pub(in crate::html) took: String,
    /// Where its arrows stand in the drawing: down, from the phone to its host.
    pub(in crate::html) y: usize,
    pub(in crate::html) x: usize,
}

/// The most hops that are drawn of one way.
const HOPS_MOST: usize = 24;

/// The most exchanges of a cell among which the way is looked for.
const LOOKED_AT: usize = 32;

/// The first lane, and how far the others are from each other.
const FIRST: usize = 330;
const APART: usize = 230;

/// How wide a letter is drawn, rather too wide for another language may need more; and the most of one answer.
const LETTER: usize = 9;
const DRAWN_MOST: usize = 100;

/// What a way is told by (what was asked, where, what came back), who went it, and its exchanges.
struct Way<'r> {
    told: Vec<[String; 3]>,
    phones: Vec<&'r str>,
    hops: Vec<Exchange>,
}

/// Phones that went the same way are one.
pub(super) fn paths(maker: &Maker<'_>) -> Vec<Path> {
    let mut ways: Vec<Way<'_>> = Vec::new();
    let mut done: BTreeMap<&str, ()> = BTreeMap::new();
    for (cell, asked) in by_cell(maker) {
        let Some(hops) = way(&asked, maker).filter(|_| !done.contains_key(cell.persona.as_str())) else { continue };
        done.insert(&cell.persona, ());
        let told: Vec<[String; 3]> = hops.iter().map(|hop| [asks(hop), place(hop), answers(hop)]).collect();
        let phone = maker.phone(&cell.persona);
        match ways.iter_mut().find(|way| way.told == told) {
            Some(way) => way.phones.push(phone),
            None => ways.push(Way { told, phones: vec![phone], hops }),
        }
    }
    ways.into_iter().map(|way| path(&way.phones, &way.hops, maker.words)).collect()
}

/// The exchanges of each cell that begins with something that is no ActiveSync, in the order of the run.
fn by_cell<'r>(maker: &Maker<'r>) -> Vec<(&'r CellId, Vec<&'r Exchanged>)> {
    let mut cells: Vec<(&CellId, Vec<&Exchanged>)> = Vec::new();
    let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for exchange in &maker.run.exchanges {
        let place = *places.entry((&exchange.cell.persona, &exchange.cell.scenario)).or_insert_with(|| {
            cells.push((&exchange.cell, Vec::new()));
            cells.len() - 1
        });
        if let Some((_, exchanges)) = cells.get_mut(place).filter(|(_, exchanges)| exchanges.len() < LOOKED_AT) {
            exchanges.push(exchange);
        }
    }
    cells.retain(|(_, exchanges)| exchanges.first().is_some_and(|first| is_plain(&first.command)));
    cells
}

/// Up to the first request of ActiveSync itself, which shows where the way ended.
fn way(exchanges: &[&Exchanged], maker: &Maker<'_>) -> Option<Vec<Exchange>> {
    let before = exchanges.iter().take_while(|exchange| is_plain(&exchange.command)).count();
    let numbers = exchanges.iter().take((before + 1).min(HOPS_MOST)).map(|exchange| exchange.number);
    let hops: Vec<Exchange> = numbers.filter_map(|number| (maker.find)(number)).collect();
    (hops.len() > 1).then_some(hops)
}

/// Whether it is HTTP without ActiveSync: a method in place of a command.
fn is_plain(command: &str) -> bool {
    command != "OPTIONS" && !command.chars().any(|c| c.is_ascii_lowercase())
}

fn path(phones: &[&str], exchanges: &[Exchange], words: Words) -> Path {
    let mut hosts: Vec<Lane> = Vec::new();
    let mut hops = Vec::new();
    let mut longest = 0;
    for (place, exchange) in exchanges.iter().enumerate() {
        let host = exchange.request.url.host_str().unwrap_or("?").to_owned();
        let x = hosts.iter().find(|lane| lane.name == host).map(|lane| lane.x).unwrap_or_else(|| {
            let x = FIRST + hosts.len() * APART;
            hosts.push(Lane { name: host, x });
            x
        });
        let answer = answers(exchange);
        let short = cut(&answer);
        longest = longest.max(short.chars().count());
        hops.push(Hop {
            number: usize::try_from(exchange.number.0).unwrap_or(usize::MAX),
            asked: asks(exchange),
            url: exchange.request.url.to_string(),
            answered: words.told(&answer),
            drawn: words.told(&short),
            good: exchange.response().is_some_and(|response| (200..400).contains(&response.status)),
            took: milliseconds(exchange.times.done),
            y: 66 + place * 58,
            x,
        });
    }
    let width = (hosts.last().map_or(FIRST, |lane| lane.x) + APART / 2).max(FIRST / 4 + longest * LETTER);
    Path { phones: phones.join(", "), width, height: 60 + exchanges.len() * 58, hosts, hops }
}

/// What there is room for in the drawing; the list below it has the rest.
fn cut(text: &str) -> String {
    match text.char_indices().nth(DRAWN_MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Where it was asked; what else stands in the address tells phones apart, not ways.
fn place(exchange: &Exchange) -> String {
    let url = &exchange.request.url;
    format!("{}{}", url.authority(), url.path())
}

fn asks(exchange: &Exchange) -> String {
    let decoded = Decoded::of(exchange);
    let command = decoded.verb.filter(|verb| verb.to_string() != exchange.request.method);
    let what = command.map_or_else(|| exchange.request.url.path().to_owned(), |verb| verb.to_string());
    format!("{} {what}", exchange.request.method)
}

fn answers(exchange: &Exchange) -> String {
    match &exchange.outcome {
        Outcome::Failed(failure) => failure.to_string(),
        Outcome::Answered(response) => {
            let to = response.headers.get("Location").or_else(|| response.headers.get("X-MS-Location"));
            let to = to.map(|to| format!(" → {to}")).unwrap_or_default();
            format!("HTTP {}{to}", response.status)
        }
    }
}

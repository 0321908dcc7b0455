//! Several servers as one page: phones by servers, and what owners see on each.

use std::collections::BTreeSet;

use askama::Template;
use easrig_scenario::Verdict;

use super::{Server, Servers, Spot, names, title};
use crate::{
    Language,
    compare::screen,
    html::{Frame, Line, Mark, moment, page_data, remedy},
    safe,
    told::Told,
    words::{Text, Words},
};

const SCRIPT: &str = concat!(include_str!("../../templates/frame.js"), include_str!("../../templates/list.js"));

/// The table as one page, which needs neither network nor script.
pub fn servers_html(servers: &Servers<'_>, language: &'static Language) -> String {
    let words = Words(language);
    let columns: Vec<Column> =
        servers.servers.iter().zip(names(servers)).map(|(server, name)| column(servers, server, name, words)).collect();
    let easrig = servers.servers.first().map_or("", |server| &server.run.started.easrig);
    let page = Page {
        w: words,
        frame: Frame::of(language, SCRIPT, easrig),
        sentence: sentence(servers, words),
        marks: marks(servers),
        families: families(servers),
        columns,
        data: page_data(),
    };
    // Nothing in the template can fail, and writing into memory cannot either.
    let text = page.render().unwrap_or_default();
    safe(&text).into_owned()
}

#[derive(Template)]
#[template(path = "servers.html")]
struct Page<'r> {
    w: Words,
    frame: Frame<'r>,
    sentence: Text,
    /// The verdicts that are in the table.
    marks: Vec<Mark>,
    families: Vec<FamilyView>,
    columns: Vec<Column>,
    data: String,
}

/// A server: what it is, and what owners see there.
struct Column {
    name: String,
    folder: String,
    when: String,
    software: Vec<String>,
    versions: String,
    /// How many phones get an error, of how many.
    sum: Text,
    seen: Vec<Seen>,
}

/// What some owners see on a server.
struct Seen {
    phones: Vec<String>,
    screen: Told,
    remedy: Vec<Line>,
}

struct FamilyView {
    name: String,
    phones: Vec<PhoneView>,
}

struct PhoneView {
    title: String,
    id: String,
    /// The classes of its verdicts, for the script.
    marks: String,
    spots: Vec<Option<SpotView>>,
}

struct SpotView {
    mark: Mark,
    code: String,
    /// How many cells came to it, of how many that were tried; `None` where nothing was.
    count: Option<(usize, usize)>,
    version: String,
}

/// What an owner would call an error.
fn is_shut_out(spot: &Spot<'_>) -> bool {
    spot.worst == Verdict::Blocked || spot.totals.blocked > 0
}

fn sentence(servers: &Servers<'_>, words: Words) -> Text {
    let all = servers.personas.len();
    let here = |place: usize| servers.servers.iter().filter_map(move |server| server.spots.get(place)?.as_ref());
    let out = (0..all).filter(|place| here(*place).any(is_shut_out)).count();
    let everywhere = (0..all).filter(|place| here(*place).count() > 0 && here(*place).all(is_shut_out)).count();
    let with = |key: &str, n: usize| words.with(key, vec![("n", n.into()), ("all", all.into())]);
    match (out, everywhere) {
        (0, _) => with("servers.none", all),
        (out, 0) => with("servers.some", out),
        (out, everywhere) => {
            words.with("servers.both", vec![("n", out.into()), ("all", all.into()), ("everywhere", everywhere.into())])
        }
    }
}

fn marks(servers: &Servers<'_>) -> Vec<Mark> {
    let spots = servers.servers.iter().flat_map(|server| server.spots.iter().flatten());
    let worst: BTreeSet<Verdict> = spots.map(|spot| spot.worst).collect();
    worst.into_iter().rev().map(Mark::from).collect()
}

fn families(servers: &Servers<'_>) -> Vec<FamilyView> {
    let mut families: Vec<FamilyView> = Vec::new();
    for (place, (persona, family)) in servers.personas.iter().enumerate() {
        let spots: Vec<Option<SpotView>> =
            servers.servers.iter().map(|server| server.spots.get(place)?.as_ref().map(spot)).collect();
        let classes: BTreeSet<&str> = spots.iter().flatten().map(|spot| spot.mark.class).collect();
        let phone = PhoneView {
            title: title(servers, persona).to_owned(),
            id: (*persona).to_owned(),
            marks: classes.into_iter().collect::<Vec<_>>().join(" "),
            spots,
        };
        match families.last_mut().filter(|last| last.name == *family) {
            Some(last) => last.phones.push(phone),
            None => families.push(FamilyView { name: (*family).to_owned(), phones: vec![phone] }),
        }
    }
    families
}

fn spot(spot: &Spot<'_>) -> SpotView {
    let error = spot.error.filter(|_| spot.worst == Verdict::Blocked);
    SpotView {
        mark: spot.worst.into(),
        code: error.map(|error| error.code.clone()).unwrap_or_default(),
        count: (spot.worst != Verdict::Skipped).then(|| (spot.times(), spot.tried())),
        version: spot.version.map(|version| version.to_string()).unwrap_or_default(),
    }
}

fn column(servers: &Servers<'_>, server: &Server<'_>, name: String, words: Words) -> Column {
    let run = server.run;
    let software: BTreeSet<String> =
        run.seen.iter().flat_map(|seen| &seen.software).map(|(name, value)| format!("{name}: {value}")).collect();
    let versions: BTreeSet<_> = run.seen.iter().flat_map(|seen| seen.versions.iter().copied()).collect();
    let spots = || server.spots.iter().flatten();
    let out = spots().filter(|spot| is_shut_out(spot)).count();
    let sum = vec![("n", out.into()), ("all", spots().count().into())];
    Column {
        name,
        folder: server.folder.to_owned(),
        when: moment(run.started.at),
        software: software.into_iter().collect(),
        versions: versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        sum: words.with("servers.sum", sum),
        seen: seen(servers, server, words),
    }
}

fn seen(servers: &Servers<'_>, server: &Server<'_>, words: Words) -> Vec<Seen> {
    let mut told: Vec<(String, &str, Vec<String>)> = Vec::new();
    for ((persona, _), spot) in servers.personas.iter().zip(&server.spots) {
        let Some(error) = spot.as_ref().and_then(|spot| spot.error) else { continue };
        let (text, phone) = (screen(error), title(servers, persona).to_owned());
        match told.iter_mut().find(|(known, remedy, _)| *known == text && *remedy == error.remedy) {
            Some((_, _, phones)) => phones.push(phone),
            None => told.push((text, &error.remedy, vec![phone])),
        }
    }
    told.into_iter()
        .map(|(screen, text, phones)| Seen { phones, screen: words.told(&screen), remedy: remedy(text, words) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::{blocked, cell, run_of};

    #[test]
    fn every_phone_stands_beside_every_server_with_what_its_owner_sees() {
        let good = run_of(vec![cell("sync/a", "wp7", Verdict::Pass), cell("sync/a", "ios-17", Verdict::Pass)]);
        let bad = run_of(vec![blocked("sync/a", "wp7", "86000C2B")]);
        let servers = Servers::of([("runs/good", &good), ("runs/bad", &bad)]);
        for language in Language::all() {
            let page = servers_html(&servers, language);
            assert!(!page.contains('⟦'), "{language:?}");
        }
        let page = servers_html(&servers, Language::find("en").unwrap());
        assert!(page.contains("1 of 2 phones gets an error on some server."), "{page}");
        assert!(page.contains("<b class=\"code\">86000C2B</b>") && page.contains("not in this run"));
        assert!(page.contains("runs/good") && page.contains("runs/bad"), "servers of one name have their folders");
    }

    #[test]
    fn what_a_server_says_cannot_become_part_of_the_page() {
        let hostile = "</script><script>alert(1)</script><img src=x>\u{202e}\u{1b}[0m";
        let mut run = run_of(vec![blocked("sync/a", hostile, hostile)]);
        run.started.target = hostile.into();
        let page = servers_html(&Servers::of([(hostile, &run)]), Language::find("en").unwrap());
        assert_eq!((page.matches("<script").count(), page.matches("<img").count()), (2, 0));
        assert!(!page.contains(['\u{202e}', '\u{1b}']));
    }
}

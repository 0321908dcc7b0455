//! Two runs as one page: what becomes of each kind of phone, why, and both exchanges of what changed side by side.

mod cell;

use std::cell::Cell as Counter;

use askama::Template;
use easrig_exchange::{Exchange, ExchangeNumber, Redactor};

use super::{Both, Cause, CauseKind, Class, Comparison, Family, Fate, Standing};
use crate::{
    Contents, Language, Run,
    html::{CELLS_MOST, FindingView, Frame, Line, Mark, PAGE_MOST, moment, page_data, remedy},
    safe,
    told::Told,
    words::{Text, Words},
};
use cell::ChangeView;

const SCRIPT: &str = concat!(include_str!("../../templates/frame.js"), include_str!("../../templates/list.js"));

/// How the page of a comparison is made.
#[derive(Clone, Copy, Debug)]
pub struct CompareHtml<'h> {
    /// The language it opens in; the others are in it too.
    pub language: &'static Language,
    /// Whether contents (subjects, bodies, addresses) are shown that the runs have kept.
    pub content: Contents,
    /// Where the exchanges of both runs are.
    pub both: Both<'h>,
}

/// The comparison as one page, which needs neither network nor script.
pub fn compare_html(comparison: &Comparison<'_>, of: CompareHtml<'_>) -> String {
    let words = Words(of.language);
    let maker = Maker {
        comparison,
        of,
        words,
        hidden: (of.content == Contents::Hidden).then(Redactor::hiding),
        bytes: Counter::new(PAGE_MOST),
        cells: Counter::new(CELLS_MOST),
        causes: Counter::new(comparison.causes.len()),
    };
    let (calm, told): (Vec<&Family<'_>>, Vec<&Family<'_>>) =
        comparison.families.iter().partition(|family| family.fate == Fate::Same);
    let page = Page {
        w: words,
        frame: Frame::of(of.language, SCRIPT, &comparison.after.started.easrig),
        sentence: comparison.said(words),
        mark: hero(comparison),
        sides: [before(comparison, words), side(comparison.after)],
        tally: tally(comparison),
        same: comparison.same,
        families: families(&told, &maker),
        calm: calm.into_iter().map(|family| family.name.clone()).collect(),
        names: comparison.families.iter().map(|family| family.name.clone()).collect(),
        target: target(comparison, words),
        causes: comparison.causes.iter().map(|cause| CauseView::of(cause, &maker)).collect(),
        paces: comparison.paces.iter().map(|pace| PaceView::of(pace, comparison)).collect(),
        unexpected: comparison.unexpected.iter().map(|(cell, because)| maker.unexpected(cell, because)).collect(),
        cautions: comparison.cautions().iter().map(|text| words.told(text)).collect(),
        data: page_data(),
    };
    // Nothing in the template can fail, and writing into memory cannot either.
    let text = page.render().unwrap_or_default();
    safe(&text).into_owned()
}

#[derive(Template)]
#[template(path = "compare.html")]
struct Page<'r> {
    w: Words,
    frame: Frame<'r>,
    sentence: Text,
    mark: &'static str,
    sides: [SideView; 2],
    /// How many cells changed in which way, of the ways there are.
    tally: Vec<(Mark, usize)>,
    same: usize,
    families: Vec<FamilyView>,
    /// Kinds of phones for which nothing changed.
    calm: Vec<String>,
    names: Vec<String>,
    target: Vec<TargetRow>,
    causes: Vec<CauseView>,
    paces: Vec<PaceView>,
    unexpected: Vec<UnexpectedView>,
    cautions: Vec<Told>,
    data: String,
}

/// What every part of the page is made from.
struct Maker<'c, 'r> {
    comparison: &'c Comparison<'r>,
    of: CompareHtml<'c>,
    words: Words,
    hidden: Option<Redactor>,
    /// How many bytes of exchanges the page may still hold.
    bytes: Counter<usize>,
    /// How many changed cells may still be drawn each by itself.
    cells: Counter<usize>,
    /// How many causes are still to be drawn.
    causes: Counter<usize>,
}

impl Maker<'_, '_> {
    fn phone(&self, id: &str) -> String {
        self.comparison.phone(id).to_owned()
    }

    /// The family of a phone, as [`Comparison::families`] has it.
    fn family(&self, id: &str) -> &str {
        let of = |family: &&Family<'_>| family.members.iter().any(|member| member.persona == id);
        self.comparison.families.iter().find(of).map_or("", |family| &family.name)
    }

    fn scenario(&self, id: &str) -> String {
        let card = |run: &Run| run.scenarios.get(id).map(|card| card.title.clone());
        card(self.comparison.after).or_else(|| card(self.comparison.before)).unwrap_or_default()
    }

    fn unexpected(&self, cell: &easrig_scenario::Cell, because: &str) -> UnexpectedView {
        let version = cell.id.version.map(|version| format!(" [{version}]")).unwrap_or_default();
        UnexpectedView {
            phone: format!("{}{version}", self.phone(&cell.id.persona)),
            scenario: cell.id.scenario.clone(),
            because: because.to_owned(),
        }
    }

    /// The exchanges of both runs, without contents where those are not to be shown.
    fn fetch(&self, [was, is]: [Option<ExchangeNumber>; 2]) -> [Option<Exchange>; 2] {
        let both = self.of.both;
        [(both.before.0, was), (both.after.0, is)].map(|(sources, number)| {
            let exchange = (sources.exchange)(number?)?;
            Some(match &self.hidden {
                Some(redactor) => redactor.redact(exchange),
                None => exchange,
            })
        })
    }
}

/// A cell that is well although a deviation is known.
struct UnexpectedView {
    phone: String,
    scenario: String,
    because: String,
}

struct SideView {
    target: String,
    /// When the run began; empty of a baseline.
    when: String,
    /// What the baseline is called.
    baseline: Option<Text>,
}

fn before(comparison: &Comparison<'_>, words: Words) -> SideView {
    match comparison.approved {
        None => side(comparison.before),
        // It has no time; what it is called stands in its place.
        Some(approved) => {
            let target = &approved.run.started.target;
            let target = if target.is_empty() { &approved.name } else { target };
            let baseline = Some(words.one("upgrade.baseline", "name", &approved.name));
            SideView { target: target.clone(), when: String::new(), baseline }
        }
    }
}

fn side(run: &Run) -> SideView {
    SideView { target: run.started.target.clone(), when: moment(run.started.at), baseline: None }
}

impl From<Class> for Mark {
    fn from(class: Class) -> Self {
        let (class, key) = match class {
            Class::Regression => ("f", "class.regression"),
            Class::Unclear => ("i", "class.unclear"),
            Class::Improvement => ("p", "class.improvement"),
            Class::News => ("s", "class.news"),
        };
        Self { class, key }
    }
}

impl From<Fate> for Mark {
    fn from(fate: Fate) -> Self {
        let class = match fate {
            Fate::CutOff | Fate::PartlyCutOff | Fate::StillOut => "b",
            Fate::Hurt => "f",
            Fate::Unclear | Fate::Gone => "i",
            Fate::LetIn | Fate::Better => "p",
            Fate::New | Fate::Same => "s",
        };
        Self { class, key: fate.key() }
    }
}

impl From<Standing> for Mark {
    fn from(standing: Standing) -> Self {
        let (class, key) = match standing {
            Standing::Works => ("p", "standing.works"),
            Standing::CutOff => ("b", "standing.cut_off"),
            Standing::Untold => ("i", "standing.untold"),
            Standing::Absent => ("s", "standing.absent"),
        };
        Self { class, key }
    }
}

fn hero(comparison: &Comparison<'_>) -> &'static str {
    let worst = [Class::Regression, Class::Unclear, Class::Improvement, Class::News];
    if comparison.count(Class::Regression) == 0 && !comparison.unexpected.is_empty() {
        return Mark::from(Class::Unclear).class;
    }
    worst.into_iter().find(|class| comparison.count(*class) > 0).map_or("p", |class| Mark::from(class).class)
}

fn tally(comparison: &Comparison<'_>) -> Vec<(Mark, usize)> {
    let all = [Class::Regression, Class::Unclear, Class::Improvement, Class::News];
    let counted = all.into_iter().map(|class| (class.into(), comparison.count(class)));
    counted.filter(|(_, count)| *count > 0).collect()
}

struct FamilyView {
    name: String,
    mark: Mark,
    /// The sentence, its first part as a heading.
    head: Text,
    rest: Vec<Text>,
    remedy: Vec<Line>,
    /// The family whose remedy is the same and stands above.
    as_for: String,
    members: Vec<MemberView>,
}

struct MemberView {
    title: String,
    id: String,
    before: Mark,
    after: Mark,
    versions: Option<(String, String)>,
    counts: Vec<(Mark, usize)>,
}

fn families(families: &[&Family<'_>], maker: &Maker<'_, '_>) -> Vec<FamilyView> {
    let mut told: Vec<(&str, &str)> = Vec::new();
    let mut out = Vec::new();
    for family in families {
        let text = family.remedy.as_deref().unwrap_or_default();
        let first = told.iter().find(|(known, _)| *known == text).map(|(_, name)| *name);
        if first.is_none() && !text.is_empty() {
            told.push((text, &family.name));
        }
        let mut said = family.said.iter().map(|text| text.clone().spoken(maker.words));
        let Some(head) = said.next() else { continue };
        out.push(FamilyView {
            name: family.name.clone(),
            mark: family.fate.into(),
            head,
            rest: said.collect(),
            remedy: if first.is_none() { remedy(text, maker.words) } else { Vec::new() },
            as_for: first.unwrap_or_default().to_owned(),
            members: family.members.iter().map(|member| self::member(member, maker)).collect(),
        });
    }
    out
}

fn member(member: &super::Member<'_>, maker: &Maker<'_, '_>) -> MemberView {
    let counts = [
        (Class::Regression, member.regressions),
        (Class::Unclear, member.unclear),
        (Class::Improvement, member.improvements),
        (Class::News, member.news),
    ];
    MemberView {
        title: maker.phone(member.persona),
        id: member.persona.to_owned(),
        before: member.before.into(),
        after: member.after.into(),
        versions: member.versions.map(|(was, is)| (was.to_string(), is.to_string())),
        counts: counts.into_iter().filter(|(_, n)| *n > 0).map(|(class, n)| (class.into(), n)).collect(),
    }
}

/// Something that the target says of itself.
struct TargetRow {
    what: Text,
    before: String,
    after: String,
}

fn target(comparison: &Comparison<'_>, words: Words) -> Vec<TargetRow> {
    let change = &comparison.target;
    let software = change.software.iter().map(|one| TargetRow {
        what: words.one("list.all", "names", &one.name),
        before: one.before.join(", "),
        after: one.after.join(", "),
    });
    let mut rows: Vec<TargetRow> = software.collect();
    let mut list = |key: &str, lost: Vec<String>, won: Vec<String>| {
        if !lost.is_empty() || !won.is_empty() {
            rows.push(TargetRow { what: words.say(key), before: lost.join(", "), after: won.join(", ") });
        }
    };
    let texts = |versions: &[easrig_eas::Version]| versions.iter().map(ToString::to_string).collect();
    list("target.versions", texts(&change.versions_lost), texts(&change.versions_won));
    let tls = |versions: &[easrig_exchange::TlsVersion]| versions.iter().map(ToString::to_string).collect();
    list("target.tls", tls(&change.tls_lost), tls(&change.tls_won));
    list("target.commands", change.commands_lost.clone(), change.commands_won.clone());
    rows.extend(change.limits.iter().map(|limit| {
        let [before, after] = limit.values();
        TargetRow {
            what: words.with("list.all", vec![("names", words.told(&limit.of.to_string()).into())]),
            before,
            after,
        }
    }));
    rows
}

struct CauseView {
    mark: Mark,
    title: Text,
    phones: Vec<String>,
    scenarios: usize,
    known: Vec<String>,
    finding: Option<FindingView>,
    why: Option<String>,
    remedy: Vec<Line>,
    /// A cell that shows it: one with the exchanges of both runs, where there is one.
    example: Option<ChangeView>,
    /// The others.
    cells: Vec<ChangeView>,
    /// How many cells are not drawn.
    more: usize,
}

impl CauseView {
    fn of(cause: &Cause<'_>, maker: &Maker<'_, '_>) -> Self {
        let after = maker.comparison.after;
        let why = match cause.scenarios()[..] {
            [scenario] if cause.class == Class::Regression => after.scenarios.get(scenario),
            _ => None,
        };
        maker.causes.set(maker.causes.get().saturating_sub(1));
        let drawn = cause.changes.len().min(maker.cells.get());
        maker.cells.set(maker.cells.get() - drawn);
        let mut cells: Vec<ChangeView> =
            cause.changes.iter().take(drawn).map(|change| ChangeView::of(change, maker)).collect();
        let place = cells.iter().position(|cell| !cell.rows.is_empty()).unwrap_or(0);
        let mut example = (place < cells.len()).then(|| cells.remove(place));
        if let Some(cell) = &mut example {
            cell.open = matches!(cause.class, Class::Regression | Class::Unclear);
        }
        Self {
            mark: cause.class.into(),
            title: cause.said(maker.words),
            phones: cause.personas().into_iter().map(|id| maker.phone(id)).collect(),
            scenarios: cause.scenarios().len(),
            known: cause.known().into_iter().map(str::to_owned).collect(),
            finding: match &cause.kind {
                CauseKind::Finding(finding) => Some(FindingView::of(finding, maker.words)),
                _ => None,
            },
            why: why.and_then(|card| card.why.clone()),
            remedy: cause.remedy(after).map(|text| remedy(&text, maker.words)).unwrap_or_default(),
            more: cause.changes.len() - drawn,
            example,
            cells,
        }
    }
}

struct PaceView {
    command: String,
    phone: String,
    word: &'static str,
    before: u64,
    after: u64,
    half_before: [u64; 2],
    half_after: [u64; 2],
    scenarios: usize,
    times: usize,
}

impl PaceView {
    fn of(pace: &super::Pace<'_>, comparison: &Comparison<'_>) -> Self {
        let milliseconds = |micros: u64| micros.saturating_add(500) / 1000;
        Self {
            command: pace.command.to_owned(),
            phone: comparison.phone(pace.persona).to_owned(),
            word: if pace.is_slower() { "pace.slower" } else { "pace.faster" },
            before: milliseconds(pace.before),
            after: milliseconds(pace.after),
            half_before: pace.half_before.map(milliseconds),
            half_after: pace.half_after.map(milliseconds),
            scenarios: pace.scenarios,
            times: pace.times,
        }
    }
}

#[cfg(test)]
mod tests;

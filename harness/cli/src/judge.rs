//! `easrig judge`: what the server did wrong in recorded traffic, and what the devices did.

use std::{collections::BTreeMap, io, path::Path};

use easrig_exchange::{Exchange, ExchangeNumber, Redactor, Timestamp};
use easrig_persona::{DeviceName, Onlooker, Sorter};
use easrig_report::{Exit, Run, RunBuilder, exit, html};
use easrig_runner::{RunFolder, policy_met};
use easrig_scenario::{
    Cell, CellId, Decoded,
    event::{Event, ExchangeCard, PolicyMet, RunStarted, TargetSeen},
    recording::{DEVICE, Judge, Party, Sender},
};
use miette::{IntoDiagnostic as _, WrapErr as _};

use crate::{
    args::{JudgeArgs, PageArgs, strictness},
    import::{
        self,
        source::{self, Kind, Seen, Source, SourceError},
    },
    library::Library,
    output::Output,
    report::{Recorded, picture},
    show::{Cells, Steps},
};

mod cards;
mod draw;
mod owner;

use owner::Owner;

/// The device of requests that name none and that nobody claims.
const NOBODY: &str = "no device id";

/// What stands for the recording as a whole.
const RECORDING: &str = "recording";

pub(crate) fn judge(args: &JudgeArgs, library: &Library, output: &Output) -> miette::Result<Exit> {
    let source = Source::open(&args.capture)?;
    let name = source.name();
    let cells = match source.kind() {
        Kind::Run => Some(Cells::read(&args.capture, None)?),
        _ => None,
    };
    let folder = args.out.as_deref().map(RunFolder::create).transpose().into_diagnostic()?;
    // What is written is redacted, and what is told has the same names.
    let redactor = (folder.is_some() && matches!(source.kind(), Kind::Capture | Kind::Other))
        .then(|| import::redactor(args.keep_content));
    let party = if args.strict_devices { Party::Devices } else { Party::Server };
    let mut court = Court {
        judge: Judge::new(strictness(args.strict), party),
        onlooker: Onlooker::new(library.personas(&["all".to_owned()])?),
        steps: cells.as_ref().map(|cells| Steps::of(cells, library)),
        only: args.device.as_deref().map(DeviceName::new),
        record: Record { folder: folder.as_ref(), events: RunBuilder::default() },
        redactor,
        devices: BTreeMap::new(),
        span: None,
        taken: 0,
        name: name.clone(),
        allowed: allowed(args),
    };
    let mut sorter = Sorter::default();
    let options = source::options(&args.keys)?;
    let read = source.read(&options, &mut |exchange| {
        sorter.push(exchange).into_iter().try_for_each(|(device, exchange)| court.take(device, exchange))
    });
    let seen = read.map_err(|error| refused(&name, args.out.as_deref(), error))?;
    let rest = sorter.finish().into_iter().try_for_each(|(device, exchange)| court.take(device, exchange));
    rest.into_diagnostic().wrap_err("cannot write the run folder")?;
    let told = seen.words(&name);
    if !told.is_empty() {
        output.say(&told);
    }
    if court.taken == 0 {
        output.say("nothing was selected: no exchange fits");
        return Ok(Exit::Nothing);
    }
    let run = court.finish(&seen).into_diagnostic().wrap_err("cannot write the run folder")?;
    let page = PageArgs::default();
    let mut recorded = None;
    if let Some(folder) = &folder {
        let written = Recorded::read(folder.path())?;
        written.write(&page)?;
        recorded = Some(written);
    }
    let place = args.out.as_deref().unwrap_or(&args.capture);
    let in_page = |run: &Run| match &recorded {
        Some(recorded) => recorded.page(&page),
        // Without a folder the exchanges are where they came from.
        None => html(run, page.of(""), &|_| None),
    };
    let text = picture(&run, args.format, |run| draw::draw(run, place, &options, output), in_page);
    output.write(text.as_bytes())?;
    Ok(exit(&counted(run, party), strictness(args.strict)))
}

/// The run as its exit code sees it: what a device did is nobody's fault but the device's.
fn counted(mut run: Run, party: Party) -> Run {
    if party == Party::Server {
        let of_devices = run.cells.iter_mut().filter(|cell| cell.id.scenario.starts_with(DEVICE));
        of_devices.for_each(|cell| cell.findings.clear());
    }
    run
}

fn refused(input: &str, out: Option<&Path>, error: SourceError) -> miette::Report {
    let place = match (&error, out) {
        (SourceError::Sink(_), Some(out)) => format!("cannot write `{}`", out.display()),
        _ => format!("cannot read `{input}`"),
    };
    Err::<(), _>(error).into_diagnostic().wrap_err(place).expect_err("made from an error")
}

/// Where exchanges are judged.
struct Court<'c> {
    judge: Judge,
    onlooker: Onlooker,
    /// Of a run: which steps a phone did by itself.
    steps: Option<Steps<'c>>,
    only: Option<DeviceName>,
    record: Record<'c>,
    redactor: Option<Redactor>,
    devices: BTreeMap<String, Defendant>,
    /// From the first to the last exchange.
    span: Option<(Timestamp, Timestamp)>,
    taken: u64,
    /// How the recording is named to people.
    name: String,
    allowed: Vec<String>,
}

/// One device.
#[derive(Default)]
struct Defendant {
    name: Option<DeviceName>,
    exchanges: u64,
    owner: Owner,
    seen: Option<TargetSeen>,
    /// The policies it met, each once.
    policies: Vec<PolicyMet>,
    life: String,
    words: String,
    likeness: String,
}

/// What is told so far; kept in a folder where there is one.
struct Record<'c> {
    folder: Option<&'c RunFolder>,
    events: RunBuilder,
}

impl Record<'_> {
    fn tell(&mut self, event: Event) -> io::Result<()> {
        if let Some(folder) = self.folder {
            folder.record(&event).map_err(io::Error::other)?;
        }
        self.events.push(event).map_err(io::Error::other)
    }
}

/// The most policies that are told of one device.
const POLICIES_MOST: usize = 64;

impl Defendant {
    fn met(&mut self, policy: PolicyMet) {
        let known = self.policies.iter().any(|known| known.settings == policy.settings);
        if !policy.settings.is_empty() && !known && self.policies.len() < POLICIES_MOST {
            self.policies.push(policy);
        }
    }
}

impl Court<'_> {
    fn take(&mut self, device: Option<DeviceName>, exchange: Exchange) -> io::Result<()> {
        if self.only.is_some() && device != self.only {
            return Ok(());
        }
        // In a run the cell is known by the number that the exchange has there.
        let (life, scripted) = match &self.steps {
            Some(steps) => (steps.life(&exchange), steps.is_scripted(exchange.number)),
            None => (String::new(), exchange.origin == easrig_exchange::Origin::Live),
        };
        let explicit = self.steps.as_ref().is_some_and(|steps| steps.is_explicit(exchange.number));
        let (device, exchange) = self.kept(device, exchange)?;
        // One that found no server never says its name, and has an owner all the same.
        let device = device.or_else(|| DeviceName::of_agent(&exchange));
        self.taken += 1;
        let end = exchange.started.after(std::time::Duration::from_micros(exchange.times.done));
        self.span = Some(
            self.span.map_or((exchange.started, end), |(first, last)| (first.min(exchange.started), last.max(end))),
        );
        let decoded = Decoded::of(&exchange);
        let label = device.as_ref().map_or_else(|| NOBODY.to_owned(), ToString::to_string);
        let sender = match scripted {
            true => Sender::Scripted { life: &life },
            false => Sender::Device { life: &life },
        };
        self.judge.judge(&label, sender, &exchange);
        let defendant = self.devices.entry(label.clone()).or_default();
        defendant.exchanges += 1;
        defendant.seen = TargetSeen::of(&label, &exchange).or(defendant.seen.take());
        if let Some(device) = device {
            let sight = self.onlooker.watch(&device, &life, &exchange);
            // A run says itself what its owners saw, and what was expected.
            if self.steps.is_none() {
                defendant.owner.look(&exchange, sight);
            }
            if !explicit {
                defendant.met(policy_met(&label, decoded.version, self.onlooker.policy(&device, &life)));
            }
            (defendant.name, defendant.life) = (Some(device), life);
        }
        // The first line of a run file comes first, whatever is known of the rest.
        if self.taken == 1 {
            let started = self.started();
            self.record.tell(Event::RunStarted(started))?;
        }
        let cell = CellId { scenario: RECORDING.to_owned(), persona: label, version: decoded.version };
        let card = ExchangeCard::of(&exchange, &decoded);
        self.record.tell(Event::Exchanged { cell, exchange: exchange.number, card })
    }

    /// The exchange as it is judged: with an output folder, as it is written there.
    fn kept(&self, device: Option<DeviceName>, exchange: Exchange) -> io::Result<(Option<DeviceName>, Exchange)> {
        let Some(folder) = self.record.folder else { return Ok((device, exchange)) };
        let (device, mut exchange) = match &self.redactor {
            Some(redactor) => {
                let exchange = redactor.redact(exchange);
                let named = |device: DeviceName| {
                    DeviceName::of(&exchange).unwrap_or_else(|| DeviceName::new(&redactor.device_id(device.as_str())))
                };
                (device.map(named), exchange)
            }
            None => (device, exchange),
        };
        exchange.number = folder.keep(exchange.clone()).map_err(io::Error::other)?;
        Ok((device, exchange))
    }

    fn started(&self) -> RunStarted {
        let at = self.span.map_or(Timestamp(0), |(first, _)| first);
        cards::started(&self.name, at, self.allowed.clone())
    }

    /// The run that the judgement is.
    fn finish(mut self, seen: &Seen) -> io::Result<Run> {
        for (device, sight) in self.onlooker_finish() {
            if let Some(defendant) = self.devices.get_mut(device.as_str()) {
                defendant.owner.end(sight);
            }
        }
        if let Some(why) = seen.lacks() {
            self.judge.missing(RECORDING, ExchangeNumber(self.taken), why);
        }
        let owners = self.devices.iter().filter_map(|(label, defendant)| defendant.owner.cell(label));
        let owners: Vec<Cell> = owners.collect();
        let to = self.span.map_or(Timestamp(0), |(_, last)| last);
        let people = self.devices.iter().map(|(label, defendant)| cards::device(label, defendant));
        self.record.tell(Event::Described { scenarios: cards::scenarios(), personas: people.collect() })?;
        for defendant in std::mem::take(&mut self.devices).into_values() {
            let seen = defendant.seen.into_iter().map(Event::TargetSeen);
            let policies = defendant.policies.into_iter().map(Event::PolicyMet);
            seen.chain(policies).try_for_each(|event| self.record.tell(event))?;
        }
        let cells = owners.into_iter().chain(self.judge.cells());
        cells.map(Event::CellFinished).try_for_each(|event| self.record.tell(event))?;
        self.record.tell(Event::RunFinished { at: to })?;
        self.record.events.finish().map_err(io::Error::other)
    }

    /// What owners saw last, and what each device was read as.
    fn onlooker_finish(&mut self) -> Vec<(DeviceName, easrig_persona::Sight)> {
        for defendant in self.devices.values_mut() {
            let Some(name) = &defendant.name else { continue };
            if let Some(traits) = self.onlooker.traits(name, &defendant.life) {
                defendant.words = traits.words();
            }
            defendant.likeness = match self.onlooker.likeness(name, &defendant.life) {
                Some(likeness) => {
                    format!("read as {}: {}", likeness.persona.id(), likeness.evidence.join("; "))
                }
                None => "no persona fits".to_owned(),
            };
        }
        match self.steps {
            Some(_) => Vec::new(),
            None => self.onlooker.finish(),
        }
    }
}

fn allowed(args: &JudgeArgs) -> Vec<String> {
    let said = [(args.strict, "--strict"), (args.strict_devices, "--strict-devices")];
    said.into_iter().filter(|(set, _)| *set).map(|(_, flag)| flag.to_owned()).collect()
}

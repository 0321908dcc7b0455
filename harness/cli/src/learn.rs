//! `easrig persona learn`: a persona file from a recorded device.

use std::{collections::BTreeMap, fmt::Write as _, io::Write as _, path::PathBuf};

use easrig_persona::{DeviceName, Learner, Likeness, Proposal, Sorter, Traits};
use easrig_report::{Exit, safe};
use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use crate::{
    args::LearnArgs,
    import::source::{self, Source},
    library::Library,
    output::Output,
    output_file::OutputFile,
};

/// The most devices that are told apart when none is named.
const MOST_DEVICES: usize = 1000;

pub(crate) fn learn(args: &LearnArgs, library: &Library, output: &Output) -> miette::Result<Exit> {
    let wanted = args.device.as_deref().map(DeviceName::new);
    let source = Source::open(&args.capture)?;
    let (name, options) = (source.name(), source::options(&args.keys)?);
    let mut sorter = Sorter::default();
    let mut pupils = Pupils { wanted, all: BTreeMap::new() };
    let read = source.read(&options, &mut |exchange| {
        sorter.push(exchange).iter().for_each(|(device, exchange)| pupils.look(device.as_ref(), exchange));
        Ok(())
    });
    let seen = read.into_diagnostic().wrap_err_with(|| format!("cannot read `{name}`"))?.words(&name);
    sorter.finish().iter().for_each(|(device, exchange)| pupils.look(device.as_ref(), exchange));
    if !seen.is_empty() {
        output.say(&seen);
    }
    let Some((device, pupil)) = pupils.only()? else {
        output.say("nothing was selected: there is no such device");
        return Ok(Exit::Nothing);
    };
    let personas = library.personas(&["all".to_owned()])?;
    let likenesses = pupil.traits.likenesses(&personas);
    let nearest = likenesses.first().filter(|nearest| nearest.fits());
    let likeness = likeness(nearest, &pupil.traits);
    let Proposal { text, seen, unseen } =
        pupil.learner.propose(&id(args, &pupil.traits), &likeness).into_diagnostic()?;
    match &args.output {
        Some(path) => {
            let mut file = OutputFile::begin(path, std::slice::from_ref(&args.capture))?;
            let named = || format!("cannot write `{}`", path.display());
            file.write_all(text.as_bytes()).into_diagnostic().wrap_err_with(named)?;
            file.finish()?;
        }
        None => output.write(text.as_bytes())?,
    }
    output.say(&safe(&format!(
        "device {device}: {seen} values were seen, {unseen} were not; {likeness}. What stands on the screen is never on the \
         wire: see [[error]] in docs/personas.md"
    )));
    Ok(Exit::Well)
}

/// Which known persona the device is most like.
fn likeness(nearest: Option<&Likeness>, traits: &Traits) -> String {
    match nearest {
        Some(nearest) => format!("most like {}: {}", nearest.persona.id(), nearest.evidence.join("; ")),
        None => format!("no known persona fits {}", traits.words()),
    }
}

/// The name of the persona: the one given, that of its file, or its DeviceType.
fn id(args: &LearnArgs, traits: &Traits) -> String {
    let of_file = |path: &PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let given = args.id.clone().or_else(|| args.output.as_ref().and_then(of_file));
    let kind = || traits.device_type().map(str::to_ascii_lowercase);
    let plain = |kind: &String| kind.chars().all(|c| c.is_ascii_alphanumeric()) && !kind.is_empty();
    given.or_else(|| kind().filter(plain)).unwrap_or_else(|| "learned".to_owned())
}

/// The devices of a recording, as far as anything is learned of them.
struct Pupils {
    wanted: Option<DeviceName>,
    all: BTreeMap<DeviceName, Pupil>,
}

#[derive(Default)]
struct Pupil {
    learner: Learner,
    traits: Traits,
    exchanges: u64,
}

impl Pupils {
    fn look(&mut self, device: Option<&DeviceName>, exchange: &easrig_exchange::Exchange) {
        let Some(device) = device.filter(|device| self.wanted.as_ref().is_none_or(|wanted| wanted == *device)) else {
            return;
        };
        if self.all.len() >= MOST_DEVICES && !self.all.contains_key(device) {
            return;
        }
        let pupil = self.all.entry(device.clone()).or_default();
        pupil.learner.look(exchange);
        pupil.traits.learn(exchange);
        pupil.exchanges += 1;
    }

    /// The one device.
    fn only(mut self) -> miette::Result<Option<(DeviceName, Pupil)>> {
        if self.all.len() > 1 {
            let mut names = String::new();
            for (device, pupil) in self.all.iter().take(20) {
                // Writing to a String cannot fail.
                let _ = write!(names, "\n--device {device}  {} exchanges, {}", pupil.exchanges, pupil.traits.words());
            }
            let names = safe(&names).into_owned();
            return Err(miette!(help = names, "there are {} devices in the recording: name one", self.all.len()));
        }
        Ok(self.all.pop_first())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_file_is_the_name_of_the_persona() {
        let args = |id: Option<&str>, output: Option<&str>| LearnArgs {
            capture: PathBuf::from("x"),
            device: None,
            id: id.map(str::to_owned),
            output: output.map(PathBuf::from),
            keys: crate::args::KeyArgs { keylog: None, server_key: Vec::new() },
        };
        let traits = Traits::default();
        assert_eq!(id(&args(None, None), &traits), "learned");
        assert_eq!(id(&args(None, Some("dir/n9.toml")), &traits), "n9");
        assert_eq!(id(&args(Some("mine"), Some("dir/n9.toml")), &traits), "mine");
    }
}

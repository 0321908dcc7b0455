//! From the text of a scenario file to the checked [`Scenario`], or to everything that is wrong with it.

mod expect;
mod problem;
mod scope;
mod step;

use std::ops::Range;

use easrig_eas::{Command, Version};
use miette::{Diagnostic, NamedSource};
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use problem::{Problem, ProblemKind};

use crate::{
    Level, Requirement,
    model::{Need, Role, Scenario, Verb},
    syntax::{At, ScenarioSyntax},
};
use scope::Scope;

/// A scenario file that cannot be run, with every slip that could be found in one pass.
#[derive(Clone, Debug, Error, Diagnostic)]
#[error("scenario `{name}` has {}", problem::amount(problems.len()))]
#[diagnostic(code(scenario::invalid))]
pub struct ScenarioError {
    /// The file, as it was named to [`Scenario::parse`].
    pub name: String,
    #[source_code]
    file: NamedSource<String>,
    /// The slips, in the order of the file.
    #[related]
    pub problems: Vec<Problem>,
}

impl Scenario {
    /// Reads and checks a scenario file.
    ///
    /// `path_name` is its path as people know it, such as `scenarios/sync/more-available.toml`; what follows
    /// `scenarios/` (or the whole, if that is not in it), without `.toml`, must equal `id`.
    ///
    /// # Errors
    /// Everything that is wrong with the text: TOML, unknown keys, names, variables, paths, XML. Nothing of this kind is
    /// left to be found while the scenario runs.
    pub fn parse(path_name: &str, text: &str) -> Result<Self, ScenarioError> {
        let fail = |mut problems: Vec<Problem>| {
            problems.sort_by_key(|problem| problem.offset());
            ScenarioError {
                name: path_name.to_owned(),
                file: NamedSource::new(path_name, text.to_owned()).with_language("toml"),
                problems,
            }
        };
        let syntax: ScenarioSyntax =
            toml::from_str(text).map_err(|error| fail(vec![Problem::from_toml(&error, text)]))?;
        let mut check = Check::new(text, &syntax);
        let scenario = check.scenario(path_name, &syntax);
        if check.problems.is_empty() { Ok(scenario) } else { Err(fail(check.problems)) }
    }
}

/// The pass over one file: what was found wrong so far, and which variables can have a value here.
struct Check<'t> {
    text: &'t str,
    problems: Vec<Problem>,
    level: Level,
    needs: Vec<Need>,
    scope: Scope,
    /// Who acts in the step at hand.
    role: Role,
    folders: Vec<(Role, &'static str)>,
}

impl<'t> Check<'t> {
    fn new(text: &'t str, syntax: &ScenarioSyntax) -> Self {
        Self {
            text,
            problems: Vec::new(),
            level: syntax.level.unwrap_or(Level::Must),
            needs: syntax.needs.clone(),
            scope: Scope::new(syntax.start.unwrap_or_default(), &syntax.needs),
            role: Role::Phone,
            folders: Vec::new(),
        }
    }

    fn scenario(&mut self, path_name: &str, syntax: &ScenarioSyntax) -> Scenario {
        self.id(path_name, &syntax.id);
        if syntax.title.get().trim().is_empty() {
            self.problem(&syntax.title, ProblemKind::EmptyText { key: "title" });
        }
        for id in &syntax.req {
            self.requirement(id);
        }
        if syntax.step.is_empty() {
            self.problem(&syntax.id, ProblemKind::NoSteps);
        }
        let steps: Vec<_> = syntax.step.iter().filter_map(|step| self.step(step)).collect();
        self.forgotten_backgrounds(&syntax.step);
        self.scope.enter_cleanup();
        let cleanup: Vec<_> = syntax.cleanup.iter().filter_map(|step| self.step(step)).collect();
        let commands = match &syntax.commands {
            Some(named) => named.iter().filter_map(|name| self.command(name)).collect(),
            None => sent_commands(&steps),
        };
        Scenario {
            id: syntax.id.get().clone(),
            title: syntax.title.get().trim().to_owned(),
            why: syntax.why.as_deref().map(flow),
            fix: syntax.fix.as_deref().map(flow),
            requirements: syntax.req.iter().map(|id| id.get().clone()).collect(),
            level: self.level,
            versions: self.versions(syntax.versions.as_deref()),
            start: syntax.start.unwrap_or_default(),
            effects: syntax.effects,
            needs: syntax.needs.clone(),
            commands,
            steps,
            cleanup,
            folders: std::mem::take(&mut self.folders),
            hash: hex(&Sha256::digest(self.text.as_bytes())),
        }
    }

    fn id(&mut self, path_name: &str, id: &At<String>) {
        let path = path_name.replace('\\', "/");
        let below = path.rsplit_once("scenarios/").map_or(path.as_str(), |(_, below)| below);
        let expected = below.strip_suffix(".toml").unwrap_or(below).to_owned();
        let well_formed = |id: &str| {
            id.contains('/')
                && id.split('/').all(|part| {
                    !part.is_empty()
                        && part
                            .bytes()
                            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'))
                })
        };
        if *id.get() != expected {
            self.problem(id, ProblemKind::WrongId { found: id.get().clone(), expected });
        } else if !well_formed(id.get()) {
            self.problem(id, ProblemKind::BadId { found: id.get().clone() });
        }
    }

    fn versions(&mut self, named: Option<&[At<String>]>) -> Vec<Version> {
        let Some(named) = named else { return DEFAULT_VERSIONS.to_vec() };
        let mut versions = Vec::new();
        for name in named {
            match name.get().parse::<Version>().ok().filter(|version| Version::ALL.contains(version)) {
                Some(version) => versions.push(version),
                None => self.problem(name, ProblemKind::UnknownVersion { found: name.get().clone() }),
            }
        }
        versions.sort_unstable();
        versions.dedup();
        versions
    }

    fn requirement(&mut self, id: &At<String>) {
        if Requirement::find(id.get()).is_none() {
            self.problem(id, ProblemKind::UnknownRequirement { found: id.get().clone() });
        }
    }

    fn command(&mut self, name: &At<String>) -> Option<Command> {
        let command = name.get().parse().ok();
        if command.is_none() && name.get() != OPTIONS {
            self.problem(name, ProblemKind::UnknownCommand { found: name.get().clone() });
        }
        command
    }

    fn verb(&mut self, name: &At<String>) -> Option<Verb> {
        if name.get() == OPTIONS { Some(Verb::Options) } else { self.command(name).map(Verb::Command) }
    }

    fn needs(&mut self, at: &Range<usize>, need: Need) {
        if !self.needs.contains(&need) {
            self.problem_at(at.clone(), ProblemKind::NeedMissing { need });
        }
    }

    fn role(&mut self, role: Option<&At<Role>>) -> Role {
        let Some(role) = role else { return Role::Phone };
        match role.get() {
            Role::Phone => {}
            Role::Tablet => self.needs(&role.span(), Need::Tablet),
            Role::Partner => self.needs(&role.span(), Need::Partner),
        }
        *role.get()
    }

    fn problem<T>(&mut self, at: &At<T>, kind: ProblemKind) {
        self.problem_at(at.span(), kind);
    }

    fn problem_at(&mut self, span: Range<usize>, kind: ProblemKind) {
        self.problems.push(Problem::new(span, kind));
    }

    /// The place in the file of a range inside a string value, when the value stands there letter by letter.
    fn inside(&self, whole: &Range<usize>, value: &str, part: Range<usize>) -> Range<usize> {
        let written = self.text.get(whole.clone()).unwrap_or_default();
        match written.find(value) {
            Some(start) => {
                let end = whole.start + start + part.end.min(value.len());
                whole.start + start + part.start.min(value.len())..end
            }
            None => whole.clone(),
        }
    }
}

const OPTIONS: &str = "OPTIONS";

const DEFAULT_VERSIONS: [Version; 5] = [Version::V12_1, Version::V14_0, Version::V14_1, Version::V16_0, Version::V16_1];

fn sent_commands(steps: &[crate::model::Step]) -> Vec<Command> {
    let mut commands = Vec::new();
    for step in steps {
        if let crate::model::StepKind::Send(crate::model::Send { command: Verb::Command(command), .. }) = &step.kind
            && !commands.contains(command)
        {
            commands.push(*command);
        }
    }
    commands
}

/// A text of several lines as one paragraph.
fn flow(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;

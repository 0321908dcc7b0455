//! What is happening now, on stderr, for people only.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal as _},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use easrig_report::safe;
use easrig_runner::Observer;
use easrig_scenario::{CellId, Verdict, event::Event};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A line per persona while it is busy; nothing at all off a terminal.
pub(crate) struct Progress {
    lines: MultiProgress,
    personas: Mutex<BTreeMap<String, Line>>,
    shown: bool,
}

struct Line {
    bar: ProgressBar,
    bad: u64,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let shown = io::stderr().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { lines: MultiProgress::with_draw_target(target), personas: Mutex::default(), shown }
    }

    /// Takes the lines away, so that the report stands alone.
    pub(crate) fn clear(&self) {
        // A terminal that cannot be cleared is no reason to lose the report.
        let _ = self.lines.clear();
    }

    fn with(&self, persona: &str, change: impl FnOnce(&mut Line)) {
        if !self.shown {
            return;
        }
        let mut personas = self.personas.lock().unwrap_or_else(PoisonError::into_inner);
        let line = personas.entry(persona.to_owned()).or_insert_with(|| self.line(persona));
        change(line);
    }

    fn line(&self, persona: &str) -> Line {
        let bar = self.lines.add(ProgressBar::new(0));
        let style = ProgressStyle::with_template("{spinner} {prefix:16} {pos:>4}/{len:4} {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(safe(persona).into_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Line { bar, bad: 0 }
    }

    fn finished(&self, cell: &CellId, verdict: Verdict) {
        self.with(&cell.persona, |line| {
            line.bar.inc(1);
            line.bad += u64::from(matches!(verdict, Verdict::Fail | Verdict::Blocked));
            if Some(line.bar.position()) == line.bar.length() {
                let bad = line.bad;
                line.bar.finish_with_message(if bad == 0 { "done".to_owned() } else { format!("done, {bad} bad") });
            }
        });
    }
}

impl Observer for Progress {
    fn event(&self, event: &Event) {
        match event {
            Event::Planned { cells } => {
                for cell in cells {
                    self.with(&cell.persona, |line| line.bar.inc_length(1));
                }
            }
            Event::CellFinished(cell) if !cell.id.scenario.starts_with("invariant/") => {
                self.finished(&cell.id, cell.verdict);
            }
            Event::StepStarted { cell, title, .. } => {
                let now = format!("{}: {title}", cell.scenario);
                self.with(&cell.persona, |line| line.bar.set_message(safe(&now).into_owned()));
            }
            Event::TargetLost { cause, .. } => {
                let _ = self.lines.println(format!("the target does not answer any more: {}", safe(cause)));
            }
            Event::TargetBack { .. } => {
                let _ = self.lines.println("the target answers again");
            }
            _ => {}
        }
    }

    fn doing(&self, persona: &str, what: &str) {
        self.with(persona, |line| line.bar.set_message(safe(what).into_owned()));
    }
}

use anstyle::{AnsiColor, Style};
use easrig_scenario::Verdict;

/// What colours mean. Every colour stands beside a word, so that none is needed to read a report.
#[derive(Clone, Debug)]
pub struct Palette {
    pub(crate) pass: Style,
    pub(crate) fail: Style,
    pub(crate) blocked: Style,
    pub(crate) degraded: Style,
    pub(crate) inconclusive: Style,
    pub(crate) dim: Style,
    pub(crate) strong: Style,
}

impl Palette {
    /// No colours: `NO_COLOR`, and anything that is no terminal.
    pub const fn plain() -> Self {
        let plain = Style::new();
        Self {
            pass: plain,
            fail: plain,
            blocked: plain,
            degraded: plain,
            inconclusive: plain,
            dim: plain,
            strong: plain,
        }
    }

    /// Green is well, red is the target's fault, magenta is an error on a device, yellow is a loss or a doubt.
    pub fn coloured() -> Self {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        Self {
            pass: colour(AnsiColor::Green),
            fail: colour(AnsiColor::Red).bold(),
            blocked: colour(AnsiColor::Magenta).bold(),
            degraded: colour(AnsiColor::Yellow),
            inconclusive: colour(AnsiColor::Yellow),
            dim: Style::new().dimmed(),
            strong: Style::new().bold(),
        }
    }

    pub(crate) fn of(&self, verdict: Verdict) -> Style {
        match verdict {
            Verdict::Pass => self.pass,
            Verdict::Fail => self.fail,
            Verdict::Blocked => self.blocked,
            Verdict::Degraded => self.degraded,
            Verdict::Inconclusive => self.inconclusive,
            Verdict::Skipped => self.dim,
        }
    }
}

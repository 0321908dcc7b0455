//! Where text goes, and whether it may have colours.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use easrig_report::{Palette, View};
use miette::{IntoDiagnostic as _, WrapErr as _};

/// When colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The two streams of the process.
pub(crate) struct Output {
    palette: Palette,
    color_errors: bool,
}

impl Output {
    pub(crate) fn new(color: Color) -> Self {
        let wanted = |terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && welcome(),
        };
        let palette = if wanted(io::stdout().is_terminal()) { Palette::coloured() } else { Palette::plain() };
        Self { palette, color_errors: wanted(io::stderr().is_terminal()) }
    }

    /// Diagnostics in the same colours as everything else; drawn with lines on a terminal, plain off it.
    pub(crate) fn install_diagnostics(&self) {
        let (color, fancy) = (self.color_errors, io::stderr().is_terminal());
        // Refused only when there is a hook already, and this is the first.
        let _ = miette::set_hook(Box::new(move |_| {
            let options = miette::MietteHandlerOpts::new().color(color).unicode(fancy).terminal_links(false);
            let options = if fancy { options } else { options.width(100) };
            Box::new(options.build())
        }));
    }

    /// Writes to stdout. A reader that goes away early (`| head`) is no error.
    pub(crate) fn write(&self, bytes: &[u8]) -> miette::Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(error).into_diagnostic().wrap_err("the result could not be written to stdout")
            }
            _ => Ok(()),
        }
    }

    /// How reports are drawn on stdout.
    pub(crate) fn view<'v>(&'v self, folder: &'v str) -> View<'v> {
        View { palette: &self.palette, width: width(), folder }
    }

    /// The colours of stdout.
    pub(crate) fn palette(&self) -> &Palette {
        &self.palette
    }

    /// Says something to people, beside the result.
    pub(crate) fn say(&self, text: &str) {
        // Whoever closed stderr does not want to hear it.
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// Whether the result goes to a person's screen.
    pub(crate) fn is_screen(&self) -> bool {
        io::stdout().is_terminal()
    }
}

/// The columns of the terminal, 100 off one; a report is not drawn wider than 200.
fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse::<usize>().ok());
    let seen = || terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
    columns.or_else(seen).unwrap_or(100).clamp(40, 200)
}

fn welcome() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

use clap::{Args, ValueEnum};
use easrig_report::{Contents, Embed, Html, Language};

/// Which language a page opens in.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Page")]
pub(crate) struct LanguageArgs {
    /// The language that the page opens in: en or fr
    ///
    /// The others are in the page too, and a click away where scripts run. Example: --lang fr
    #[arg(long, value_name = "LANGUAGE", default_value = "en", value_parser = language)]
    pub(crate) lang: &'static Language,
}

/// How report.html is made.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Page")]
pub(crate) struct PageArgs {
    #[command(flatten)]
    language: LanguageArgs,

    /// Whose exchanges are in report.html: not-passing or all
    ///
    /// `not-passing` keeps the page small enough for a mail, and names the command that shows the others; `all` puts the
    /// exchanges of every cell into it, however big it gets. Example: --embed all
    #[arg(long, value_enum, default_value_t, value_name = "WHOSE", hide_possible_values = true)]
    embed: Whose,

    /// Show subjects, bodies and addresses in report.html
    ///
    /// Only a run with --keep-content has them; without this flag the page has filler of the same length in their place.
    /// Example: --with-content
    #[arg(long)]
    with_content: bool,
}

/// Whose exchanges are in a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Whose {
    #[default]
    NotPassing,
    All,
}

impl PageArgs {
    /// The page of the run in `folder`.
    pub(crate) fn of<'f>(&self, folder: &'f str) -> Html<'f> {
        Html {
            language: self.language.lang,
            embed: match self.embed {
                Whose::NotPassing => Embed::NotPassing,
                Whose::All => Embed::All,
            },
            content: if self.with_content { Contents::Shown } else { Contents::Hidden },
            folder,
        }
    }
}

impl Default for PageArgs {
    fn default() -> Self {
        let lang = Language::find("en").expect("English is what the other languages are tested against");
        LanguageArgs { lang }.into()
    }
}

impl From<LanguageArgs> for PageArgs {
    fn from(language: LanguageArgs) -> Self {
        Self { language, embed: Whose::default(), with_content: false }
    }
}

fn language(code: &str) -> Result<&'static Language, String> {
    let known = || Language::all().iter().map(Language::code).collect::<Vec<_>>().join(", ");
    Language::find(code).ok_or_else(|| format!("there is no report in that language; there are {}", known()))
}

//! Codes on a phone's screen.

use easrig_eas::status::{self, Status, StatusScope};

use crate::library::Library;

/// What is publicly known of each code: code, platform, text, condition, remedy, source, confidence.
const TABLE: &str = include_str!("../../data/device-error-codes.tsv");

/// Everything known of a code; `None` when it is no code that anybody knows.
pub(super) fn explain(what: &str, library: &Library) -> miette::Result<Option<String>> {
    let code = what.trim_start_matches("0x").trim_start_matches("0X").to_ascii_uppercase();
    if code.len() < 4 || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(None);
    }
    let mut parts: Vec<String> =
        rows().filter(|row| row.code.eq_ignore_ascii_case(&code)).map(|row| row.draw()).collect();
    for persona in library.personas(&["all".to_owned()])? {
        let mut seen = Vec::new();
        for (shown, message, remedy, confidence) in persona.error_rows() {
            if shown.eq_ignore_ascii_case(&code) && !seen.contains(&message) {
                seen.push(message);
                parts.push(format!(
                    "persona {} shows it\n  text          {message}\n  remedy        {}\n  confidence    {}\n",
                    persona.id(),
                    unfilled(remedy),
                    confidence.as_str()
                ));
            }
        }
    }
    parts.extend(by_rule(&code));
    if parts.is_empty() {
        return Ok(None);
    }
    Ok(Some(format!("error code {code}\n\n{}", parts.join("\n"))))
}

/// A remedy whose blanks only a run can fill, without them.
fn unfilled(remedy: &str) -> String {
    let text = remedy.replace("{settings}", "a run names them").replace("{cmdlets}", "");
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n                ")
}

/// `86000Cnn` stands for the common status 101 + nn.
fn by_rule(code: &str) -> Option<String> {
    let low = u16::from_str_radix(code.strip_prefix("86000C")?, 16).ok().filter(|low| *low <= 0xff)?;
    let value = Status(101 + low);
    let row = status::meaning(StatusScope::Common, value)?;
    Some(format!(
        "by the rule 86000Cnn it stands for status {value}: {}\n  means         {}\n  client does   {}\n",
        row.name, row.meaning, row.client_action
    ))
}

struct CodeRow {
    code: &'static str,
    cells: Vec<&'static str>,
}

impl CodeRow {
    fn draw(&self) -> String {
        let labels = ["on", "text", "when", "remedy", "source", "confidence"];
        let lines = labels.iter().zip(&self.cells).filter(|(_, cell)| !cell.is_empty());
        lines.map(|(label, cell)| format!("  {label:<14}{cell}\n")).collect()
    }
}

fn rows() -> impl Iterator<Item = CodeRow> {
    TABLE.lines().skip(1).filter_map(|line| {
        let mut cells = line.split('\t').map(str::trim);
        Some(CodeRow { code: cells.next()?, cells: cells.collect() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_whole() {
        assert_eq!(rows().count(), TABLE.lines().count() - 1);
        assert!(
            rows().all(|row| row.cells.len() == 6),
            "{:?}",
            rows().find(|row| row.cells.len() != 6).map(|r| r.code)
        );
    }

    #[test]
    fn the_rule_names_the_status() {
        assert!(by_rule("86000C2B").unwrap().contains("status 144"));
        assert_eq!(by_rule("86000CZZ"), None);
        assert_eq!(by_rule("86000C"), None);
    }
}

//! No scenario file panics, neither while it is read nor while its complaints are drawn.
#![no_main]

use easrig_scenario::Scenario;
use libfuzzer_sys::fuzz_target;
use miette::{GraphicalReportHandler, GraphicalTheme};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // The id must equal the path, so the path follows the id.
    let id = text.lines().find_map(|line| line.strip_prefix("id")).and_then(|rest| rest.split('"').nth(1));
    match Scenario::parse(&format!("scenarios/{}.toml", id.unwrap_or("fuzz/file")), text) {
        Ok(scenario) => {
            let _ = (scenario.hash(), scenario.roles());
            for step in &scenario.steps {
                let _ = (step.subject(), step.expects_error());
            }
        }
        Err(error) => {
            assert!(!error.problems.is_empty());
            let mut drawn = String::new();
            GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
                .render_report(&mut drawn, &error)
                .expect("a complaint can be drawn");
        }
    }
});

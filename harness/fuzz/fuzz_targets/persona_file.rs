//! No persona file panics, neither while it is read, nor while it is asked, nor while its complaint is drawn.
#![no_main]

use easrig_persona::{Habit, Persona};
use libfuzzer_sys::fuzz_target;
use miette::{GraphicalReportHandler, GraphicalTheme};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Persona::parse("fuzz.toml", text) {
        Ok(persona) => {
            let device = persona.device_id("phone", "alice@easrig.test");
            assert!((1..=32).contains(&device.as_str().len()));
            let _ = Habit::NAMES.map(|habit| persona.ability(habit));
            let _ = (persona.title(), persona.user_agent(), persona.device_type(), persona.error_rows().count());
            assert!(!persona.versions().is_empty());
        }
        Err(error) => {
            let mut drawn = String::new();
            GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
                .render_report(&mut drawn, &error)
                .expect("a complaint can be drawn");
        }
    }
});

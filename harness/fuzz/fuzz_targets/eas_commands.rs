//! No document panics a command or the judge of shapes, and a command reads again what it wrote. The first byte chooses
//! the version, the rest is WBXML or XML.
#![no_main]

use easrig_eas::{
    Command, Version,
    command::{
        find, folder_create, folder_delete, folder_sync, folder_update, get_item_estimate, item_operations,
        meeting_response, move_items, ping, provision, resolve_recipients, search, send_mail, settings, sync,
        validate_cert,
    },
    schema::{Direction, check},
};
use easrig_wbxml::Document;
use libfuzzer_sys::fuzz_target;

macro_rules! reads_what_it_wrote {
    ($document:expr, $version:expr, $($module:ident),+) => {$(
        if let Ok(request) = $module::Request::from_document($document, $version) {
            let written = request.to_document($version);
            let again = $module::Request::from_document(&written, $version);
            assert_eq!(again.map(|again| again.to_document($version)), Ok(written));
        }
        if let Ok(response) = $module::Response::from_document($document, $version) {
            let written = response.to_document($version);
            let again = $module::Response::from_document(&written, $version);
            assert_eq!(again.map(|again| again.to_document($version)), Ok(written));
        }
    )+};
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let version = Version::ALL[usize::from(*choice) % Version::ALL.len()];
    let read = |text| Document::from_xml(text).ok();
    let Some(document) = Document::decode(bytes).ok().or_else(|| std::str::from_utf8(bytes).ok().and_then(read)) else {
        return;
    };
    reads_what_it_wrote!(
        &document,
        version,
        find,
        folder_create,
        folder_delete,
        folder_sync,
        folder_update,
        get_item_estimate,
        item_operations,
        meeting_response,
        move_items,
        ping,
        provision,
        resolve_recipients,
        search,
        send_mail,
        settings,
        sync,
        validate_cert
    );
    for command in Command::all() {
        for direction in [Direction::Request, Direction::Answer] {
            for problem in check(&document, command, direction, version) {
                let _ = problem.to_string();
            }
        }
    }
});

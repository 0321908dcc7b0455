//! No Autodiscover document panics; what was read is written and read back with the same meaning.
#![no_main]

use easrig_eas::autodiscover::{JsonAnswer, JsonForm, JsonRequest, PoxRequest, PoxResponse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Characters that XML cannot hold are read all the same, and not written.
    let holds_odd = |text: &str| text.contains("&#") || text.chars().any(|c| c.is_control() || c > '\u{ff00}');
    let odd = std::str::from_utf8(bytes).is_ok_and(holds_odd);
    if let Ok(request) = PoxRequest::parse(bytes) {
        let again = PoxRequest::parse(request.to_string().as_bytes()).expect("what was written can be read");
        assert!(odd || again.email == request.email, "{again:?}");
        assert!(odd || again.acceptable_response_schema == request.acceptable_response_schema, "{again:?}");
    }
    if let Ok(response) = PoxResponse::parse(bytes) {
        let again = PoxResponse::parse(response.to_string().as_bytes()).expect("what was written can be read");
        if !odd {
            assert_eq!(again.to_string(), response.to_string());
            assert_eq!(again.action, response.action);
            assert_eq!(again.mobile_sync_url(), response.mobile_sync_url());
        }
    }
    if let Ok(answer) = JsonAnswer::parse(bytes) {
        assert_eq!(JsonAnswer::parse(answer.to_json().as_bytes()), Ok(answer));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(request) = JsonRequest::parse(text) {
        let _ = request.path_and_query(JsonForm::Path);
        assert_eq!(JsonRequest::parse(&request.path_and_query(JsonForm::Query)), Some(request));
    }
});

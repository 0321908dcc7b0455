//! No header value, date, zone or status text panics; dates are written and read back the same.
#![no_main]

use easrig_eas::{
    DeviceId, Status, Version,
    date::{EasDate, ZoneBlob},
    encoding::ContentEncoding,
    headers::{self, BasicCharset, ContentType, Offer, RetryAfter},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (first, second) = text.split_once('\n').unwrap_or((text, text));
    let offer = Offer::parse(first, second);
    let _ = (offer.highest_common(&Version::ALL), offer.versions_header(), offer.commands_header());
    let _ = (RetryAfter::parse(text), headers::location(text), headers::challenges(text));
    let _ = (ContentEncoding::parse(text), ContentType::parse(text).is_wbxml());
    let _ = (Status::parse(text), DeviceId::try_from(text), text.parse::<Version>());
    if let Ok(value) = headers::basic(first, second, BasicCharset::Utf8)
        && !first.contains(':')
    {
        assert_eq!(headers::read_basic(&value), Some((first.to_owned(), second.to_owned())));
    }
    let _ = (headers::basic(first, second, BasicCharset::Latin1), headers::read_basic(text));
    if let Ok(date) = text.parse::<EasDate>() {
        let again: EasDate = date.to_string().parse().expect("what was written can be read");
        assert_eq!(again.to_string(), date.to_string());
    }
    if let Ok(zone) = ZoneBlob::parse(text) {
        assert_eq!(ZoneBlob::parse(&zone.to_string()), Ok(zone));
    }
});

use easrig_capture::census::{Census, Device};
use easrig_eas::Version;
use easrig_report::{Phone, census_page};

use super::{about, counted, day, joined, tally};

/// The census as one HTML page, the phones seen last on top.
pub(super) fn page(census: &Census, sources: &str) -> String {
    let mut devices: Vec<&Device> = census.devices.iter().collect();
    devices.sort_by_key(|device| std::cmp::Reverse(device.last.max(device.last_success)));
    let phones: Vec<Phone> = devices.into_iter().map(phone).collect();
    census_page(&phones, &format!("{}; from {sources}", tally(census)))
}

fn phone(device: &Device) -> Phone {
    let date = |at: Option<_>| at.map(day).unwrap_or_default();
    let highest = highest(device);
    Phone {
        id: if device.id.is_empty() { "(none)".to_owned() } else { device.id.clone() },
        kind: device.kind.clone(),
        owner: joined(&device.users),
        system: about(device),
        highest: highest.map(|version| version.to_string()).unwrap_or_default(),
        versions: joined(&device.versions),
        requests: counted(&device.commands),
        statuses: counted(&device.statuses),
        troubles: counted(&device.troubles()),
        access: joined(&device.access),
        policies: joined(&device.policies),
        first: date(device.first),
        last: date(device.last),
        last_success: date(device.last_success),
        concerns: concerns(device, highest),
    }
}

fn highest(device: &Device) -> Option<Version> {
    device.versions.iter().filter_map(|version| version.parse::<Version>().ok()).max()
}

/// What the sources themselves say against a phone; nothing is guessed from its kind.
fn concerns(device: &Device, highest: Option<Version>) -> Vec<String> {
    let mut concerns = Vec::new();
    let says = |word: &str, any: &[&str]| {
        let word = word.to_ascii_lowercase();
        any.iter().any(|part| word.contains(part))
    };
    let held = device.access.iter().filter(|state| says(state, &["block", "quarantin", "wipe", "denied"]));
    concerns.extend(held.map(|state| format!("access: {state}")));
    let policies = device.policies.iter().filter(|state| says(state, &["notapplied", "partial", "notconform"]));
    concerns.extend(policies.map(|state| format!("policy: {state}")));
    if let Some(version) = highest.filter(|version| *version < Version::V14_0) {
        concerns.push(format!("speaks {version} at most"));
    }
    let refused = [401, 403, 449];
    for (status, count) in device.statuses.iter().filter(|(status, _)| refused.contains(*status)) {
        // Nearly every phone begins with a 401, and a policy with a 449: only when nothing else came of it is it news.
        if device.last_success.is_none() {
            concerns.push(format!("{count} × HTTP {status} and no synchronisation that succeeded"));
        }
    }
    if device.last_success.is_none() {
        let troubles = device.troubles().into_iter();
        concerns
            .extend(troubles.map(|(what, count)| format!("{count} × {what} and no synchronisation that succeeded")));
    }
    concerns
}

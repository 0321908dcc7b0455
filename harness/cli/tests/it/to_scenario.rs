use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::easrig::{Ended, easrig};

#[test]
fn a_recorded_sequence_becomes_a_scenario_that_passes_where_it_was_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (run, file) = (at("run"), at("mine/recorded/onboarding.toml"));
    fs::create_dir_all(dir.path().join("mine/recorded")).unwrap();
    let target = ["--target", "embedded:exchange-2019", "--persona", "ios-17", "--allow", "writes"];
    let journey = [&["run", "journeys/onboarding-by-server-name", "--out", &run], &target[..]].concat();
    assert_eq!(easrig(&journey).code, 0);
    let written = easrig(&["to-scenario", &run, "-o", &file]);
    assert_eq!(written.code, 0, "{}", written.stderr);
    assert!(written.stderr.contains("Provision is part of the ladder"), "{}", written.stderr);
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("id       = \"recorded/onboarding\"") && text.contains("save = \"inbox_recorded\""),
        "{text}"
    );
    let (mine, out) = (at("mine"), at("again"));
    let again = [&["run", "recorded", "--scenarios", &mine, "--out", &out], &target[..]].concat();
    let ended = easrig(&again);
    assert_eq!(ended.code, 0, "{text}\n{}{}", ended.text(), ended.stderr);
    assert!(ended.text().contains(" pass"), "{}", ended.text());

    assert_eq!(easrig(&["to-scenario", &run, "-o", &file, "--exchanges", "9-x"]).code, 2);
    assert_eq!(easrig(&["to-scenario", &run, "-o", &file, "--exchanges", "999999"]).code, 4);
}

/// The built-in scenarios, recorded one by one, in one folder of what was written from them.
struct Workshop {
    dir: tempfile::TempDir,
    persona: &'static str,
    target: &'static str,
    version: Option<&'static str>,
    library: Option<PathBuf>,
}

/// What came of writing a scenario.
struct Written {
    kept: usize,
    left_out: Vec<String>,
}

impl Workshop {
    fn new(persona: &'static str, target: &'static str) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), persona, target, version: None, library: None }
    }

    fn at(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// The words of a command, with what every run here needs.
    fn run(&self, words: &[&str]) -> Ended {
        let target = ["--target", self.target, "--persona", self.persona, "--allow", "writes", "--allow", "destroys"];
        let disposable = ["--disposable", "localhost"];
        let version: Vec<&str> = self.version.into_iter().flat_map(|version| ["--version", version]).collect();
        let words = [&["run"], words, &target[..], &disposable[..], &version[..]].concat();
        easrig(&words)
    }

    fn record(&self, id: &str) {
        let out = self.at(&format!("{}.run", flat(id)));
        let library = self.library.as_ref().map(|library| library.to_str().unwrap());
        let library: Vec<&str> = library.into_iter().flat_map(|library| ["--scenarios", library]).collect();
        let recorded = self.run(&[&[id, "--out", &out], &library[..]].concat());
        assert_eq!(recorded.code, 0, "{id}: {}{}", recorded.text(), recorded.stderr);
    }

    /// Writes `mine/recorded/ID.toml` from a recording, `from` an exchange on; nothing when there is nothing to write.
    fn write(&self, id: &str, from: Option<u64>) -> Option<Written> {
        let (run, file) = (self.at(&format!("{}.run", flat(id))), self.at(&format!("mine/recorded/{}.toml", flat(id))));
        fs::create_dir_all(Path::new(&file).parent().unwrap()).unwrap();
        let range = from.map(|from| format!("{from}-999999"));
        let range: Vec<&str> = range.iter().flat_map(|range| ["--exchanges", range.as_str()]).collect();
        let written = easrig(&[&["to-scenario", &run, "-o", &file], &range[..]].concat());
        if written.code == 4 {
            return None;
        }
        assert_eq!(written.code, 0, "{id}: {}", written.stderr);
        let reasons = written.stderr.lines().filter_map(|line| line.strip_prefix("left out: exchange "));
        let left_out = reasons.filter_map(|line| Some(without_numbers(line.split_once(": ")?.1))).collect();
        let kept = written.stderr.lines().find_map(|line| line.split_once(" request")?.0.parse().ok()).unwrap();
        Some(Written { kept, left_out })
    }

    /// The number of the `nth` exchange of a command in a recording.
    fn exchange(&self, id: &str, command: &str, nth: usize) -> u64 {
        let run = self.at(&format!("{}.run", flat(id)));
        let shown = easrig(&["show", &run, "--command", command]);
        let mut numbers =
            shown.text().lines().filter_map(|line| line.strip_prefix("exchange ")?.split(' ').next()?.parse().ok());
        numbers.nth(nth - 1).unwrap()
    }

    fn text(&self, id: &str) -> String {
        fs::read_to_string(self.at(&format!("mine/recorded/{}.toml", flat(id)))).unwrap()
    }

    /// Runs what was written: everything, or one.
    fn again(&self, id: Option<&str>, switch: Option<&str>) -> Ended {
        let chosen = id.map_or("recorded".to_owned(), |id| format!("recorded/{}", flat(id)));
        let name = format!("again-{}-{}", flat(&chosen), switch.unwrap_or("honest"));
        let (mine, out) = (self.at("mine"), self.at(&name));
        let switch: Vec<&str> = switch.into_iter().flat_map(|switch| ["--dishonest", switch]).collect();
        self.run(&[&[chosen.as_str(), "--scenarios", &mine, "--out", &out], &switch[..]].concat())
    }

    #[track_caller]
    fn passes_again(&self) {
        let honest = self.again(None, None);
        assert_eq!(honest.code, 0, "{}{}", honest.text(), honest.stderr);
        assert!(honest.text().contains(" pass"), "{}", honest.text());
    }
}

fn flat(id: &str) -> String {
    id.replace(['/', '.'], "-")
}

fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' if out.ends_with('N') => {}
            '0'..='9' => out.push('N'),
            c => out.push(c),
        }
    }
    out
}

/// The ids of the built-in scenarios.
fn built_in() -> Vec<String> {
    let listed = easrig(&["list", "scenarios", "--format", "json"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    listed.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

/// Does something with each, four at a time.
fn at_once<T: Sync, R: Send>(all: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = work(one);
                    done.lock().unwrap().push(result);
                }
            });
        }
    });
    done.into_inner().unwrap()
}

/// Why exchanges of the built-in scenarios become no step: a reason that is not here is a command lost.
const REASONS: &[&str] = &[
    "OPTIONS is part of the ladder",
    "Provision is part of the ladder",
    "another device had changed the item in between",
    "it is no ActiveSync command",
    "it repeats a request that the recording does not have",
    "it was not served (HTTP N with Status N (Periodic policy refresh is due))",
    "it was not served (HTTP N with Status N (Policy in force and the device has not provisioned))",
    "it was not served (HTTP N with Status N (Policy in force and the device sent no policy key))",
    "it was not served (HTTP N with Status N (User may sync only listed devices and this is not one))",
    "it was not served (HTTP N without a body)",
];

/// The defects that a scenario written from a recording notices, with the scenario that was recorded.
const NOTICED: &[(&str, &str)] = &[
    ("accepted-meeting-missing", "meeting-response/accepted-is-in-calendar"),
    ("contact-ghost-wiped", "sync/ghosted-contact-fields"),
    ("contact-number-lost", "sync/contact-fields-survive"),
    ("delete-ignores-deletes-as-moves", "sync/delete-moves-to-bin"),
    ("event-reminder-lost", "sync/event-fields-survive-16"),
    ("fetch-wrong-item", "item-operations/fetch-mail-and-attachment"),
    ("flag-lost", "sync/flag-travels-alone"),
    ("folder-create-duplicate", "folder-create/name-clash"),
    ("folder-delete-builtin", "folder-delete/built-in-refused"),
    ("folder-ids-change-on-resync", "folder-delete/built-in-refused"),
    ("folder-rename-lost", "folder-update/rename"),
    ("gal-search-empty", "search/gal"),
    ("gal-search-empty", "find/gal"),
    ("item-lost-between-windows", "sync/paging-ends"),
    ("mailbox-search-misses", "search/mailbox"),
    ("move-loses-item", "move-items/move"),
    ("ping-heartbeat-limit-ignored", "ping/heartbeat-limits"),
    ("ping-wrong-folder", "ping/new-mail-wakes"),
    ("policy-key-late", "provision/changed-policy-is-asked-for"),
    ("read-flag-lost", "sync/read-mark-travels-alone"),
    ("resolve-ambiguous-hidden", "resolve-recipients/ambiguous"),
    ("sent-items-empty", "journeys/send"),
    ("sent-mail-doubled", "send-mail/duplicate-caught"),
    ("stale-folder-key-accepted", "folder-sync/bad-key"),
    ("stale-sync-key-accepted", "sync/bad-key"),
    ("status-missing", "settings/user-information"),
];

#[track_caller]
fn everything_again(workshop: &Workshop, at_least: usize) {
    let ids = built_in();
    let written = at_once(&ids, |id| {
        workshop.record(id);
        workshop.write(id, None)
    });
    let written: Vec<Written> = written.into_iter().flatten().collect();
    let reasons: BTreeSet<String> = written.iter().flat_map(|one| one.left_out.clone()).collect();
    let strange: Vec<_> = reasons.iter().filter(|reason| !REASONS.contains(&reason.as_str())).collect();
    assert!(strange.is_empty(), "left out for other reasons than before: {strange:#?}");
    // What the ladder does anyway is no loss.
    let lost = written.iter().flat_map(|one| &one.left_out).filter(|why| !why.ends_with("of the ladder"));
    let lost = lost.filter(|why| !why.contains("has not provisioned") && !why.contains("without a body")).count();
    let kept: usize = written.iter().map(|one| one.kept).sum();
    assert!(lost <= 8, "{lost} requests were left out, {kept} kept");
    assert!(kept > at_least, "{kept} requests were kept, {lost} left out");
    workshop.passes_again();
}

#[test]
fn whatever_is_recorded_passes_as_it_was_written_and_notices_what_the_original_noticed() {
    let workshop = Workshop::new("ios-17", "embedded:exchange-2019");
    everything_again(&workshop, 1600);
    let unnoticed = at_once(NOTICED, |(switch, id)| {
        let ended = workshop.again(Some(id), Some(switch));
        let cell = format!("FAIL  recorded/{}", flat(id));
        let is_noticed = ended.code == 1 && ended.text().contains(&cell);
        (!is_noticed).then(|| format!("{switch} goes unnoticed by\n{}\n{}", workshop.text(id), ended.text()))
    });
    let unnoticed: Vec<String> = unnoticed.into_iter().flatten().collect();
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
}

#[test]
fn a_phone_of_another_family_is_written_down_as_well() {
    everything_again(&Workshop::new("wp7.5", "embedded:exchange-2019"), 1600);
}

/// What was recorded, the command and its number behind which the recording is read, and what then stands in the file.
type Kind = (&'static str, Option<(&'static str, usize)>, &'static [&'static str]);

/// Scenarios about what the built-in ones do not send.
fn kinds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded")
}

#[test]
fn what_phones_send_now_and_then_becomes_steps() {
    let mut workshop = Workshop::new("ios-17", "embedded:exchange-2019");
    workshop.library = Some(kinds());
    let all: [Kind; 11] = [
        ("kinds/cached-ping", None, &["send = \"Ping\"\nempty = true"]),
        ("kinds/cached-sync", None, &["send = \"Sync\"\nempty = true", "<Partial/>"]),
        ("kinds/certificate", None, &["send = \"ValidateCert\"", "not = 1, each = true"]),
        ("kinds/conversation", Some(("Sync", 3)), &["<?opaque {conversation_", "MoveAlways"]),
        ("kinds/emptied", None, &["<EmptyFolderContents>", "word that the mail in it is gone"]),
        ("kinds/hits", None, &["source = { long_id = \"{hit_", "{now-10080m:long}", "html = "]),
        ("kinds/notes", Some(("Sync", 2)), &["IPM.StickyNote", "<Delete>"]),
        (
            "kinds/odds",
            None,
            &["client_id = \"{tag}-mail-1\"", "status = 118", "replace_mime = true", "send = \"OPTIONS\""],
        ),
        ("kinds/other-folders-wake", None, &["needs    = [\"tablet\"]", "role = \"tablet\""]),
        ("kinds/owners-folders", Some(("FolderCreate", 1)), &["a folder like the one", "status = 2", "status = 4"]),
        ("kinds/tasks", Some(("Sync", 2)), &["<i:Complete>0</i:Complete>", "<Delete>"]),
    ];
    at_once(&all, |(id, behind, holds)| {
        workshop.record(id);
        let from = behind.map(|(command, nth)| workshop.exchange(id, command, nth) + 1);
        let written = workshop.write(id, from).unwrap();
        let strange: Vec<_> = written.left_out.iter().filter(|why| !REASONS.contains(&why.as_str())).collect();
        assert!(strange.is_empty(), "{id}: {strange:?}");
        let text = workshop.text(id);
        for part in *holds {
            assert!(text.contains(part), "{id}: {part} is not in\n{text}");
        }
    });
    workshop.passes_again();
}

#[test]
fn a_phone_of_2005_is_written_down_in_its_own_version() {
    for version in ["2.5", "12.0"] {
        let mut workshop = Workshop::new("wp7.5", "embedded:exchange-2010-sp1");
        let library = workshop.dir.path().join("library");
        let ids = [
            "journeys/calendar-and-contacts",
            "journeys/delete",
            "journeys/move",
            "journeys/onboarding-by-server-name",
            "journeys/read-mail",
            "journeys/reply",
            "journeys/send",
            "folder-create/name-clash",
            "folder-update/rename",
            "sync/delete-moves-to-bin",
            "ping/new-mail-wakes",
        ];
        for id in ids {
            declare(&library, id, version);
        }
        fs::create_dir_all(library.join("kinds")).unwrap();
        fs::copy(kinds().join("kinds/owners-folders.toml"), library.join("kinds/owners-folders.toml")).unwrap();
        (workshop.version, workshop.library) = (Some(version), Some(library));
        at_once(&[&ids[..], &["kinds/owners-folders"]].concat(), |id| {
            workshop.record(id);
            let written = workshop.write(id, None).unwrap();
            assert!(written.kept > 2, "{id} at {version}: {}", written.kept);
            assert!(workshop.text(id).contains(&format!("versions = [\"{version}\"]")), "{}", workshop.text(id));
        });
        workshop.passes_again();
    }
}

/// A built-in scenario, for an older version than it is declared for.
fn declare(library: &Path, id: &str, version: &str) {
    let path = format!("{id}.toml");
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios").join(&path)).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("versions"));
    let head = |line: &str| match line.starts_with("effects") {
        true => format!("versions = [\"{version}\"]\n{line}\n"),
        false => format!("{line}\n"),
    };
    fs::create_dir_all(library.join(&path).parent().unwrap()).unwrap();
    fs::write(library.join(path), lines.map(head).collect::<String>()).unwrap();
}

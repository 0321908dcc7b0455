use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::easrig::{Ended, easrig};

fn words(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn run(out: &Path, more: &[&str]) -> Ended {
    let args = [
        "run",
        "sync/more-available",
        "folder-sync",
        "--target",
        "embedded:exchange-2019",
        "--persona",
        "ios-17,wp7.5",
    ];
    easrig(&[&args[..], &["--out", words(out)], more].concat())
}

fn baseline(what: &str, run: &Path, dir: &Path, more: &[&str]) -> Ended {
    easrig(&[&["baseline", what, words(run), "--name", "mail", "--dir", words(dir)], more].concat())
}

/// Every file below a folder that ends so, by its path in there.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if words(&entry).ends_with(ending) {
                found.push(entry);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn an_unchanged_server_differs_in_nothing_and_a_changed_one_in_what_changed() {
    let temp = tempfile::tempdir().unwrap();
    let (dir, approved) = (temp.path().join("baselines"), temp.path().join("approved"));
    assert_eq!(run(&approved, &[]).code, 0);
    let ended = baseline("approve", &approved, &dir, &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let snaps = files(&dir, ".snap");
    assert!(ended.text().contains(&format!("0 as before, 0 changed, {} new, 0 gone", snaps.len())), "{}", ended.text());

    // Three runs here; twenty of the whole suite in `just stability`.
    for turn in 0..3 {
        let again = temp.path().join(format!("again-{turn}"));
        assert_eq!(run(&again, &[]).code, 0);
        let ended = baseline("check", &again, &dir, &[]);
        assert_eq!(ended.code, 0, "turn {turn}: {}{}", ended.text(), ended.stderr);
        assert_eq!(ended.text(), format!("{} as approved, 0 changed, 0 new, 0 gone\n", snaps.len()));
        assert!(files(&dir, ".new").is_empty());
    }

    let changed = temp.path().join("changed");
    assert_eq!(run(&changed, &["--dishonest", "more-available-dropped"]).code, 1);
    let ended = baseline("check", &changed, &dir, &[]);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    let heads: Vec<&str> = ended.text().lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(
        heads[..2],
        [
            "changed  sync/more-available × ios-17 × 16.1: pass → fail",
            "changed  sync/more-available × wp7.5 × 14.1: pass → fail"
        ],
        "{}",
        ended.text()
    );
    assert_eq!(heads.len(), 3, "{}", ended.text());
    assert!(ended.text().contains("    -          MoreAvailable\n"), "{}", ended.text());
    assert!(ended.stderr.contains("easrig baseline approve "), "{}", ended.stderr);
    let pending = files(&dir, ".snap.new");
    assert_eq!(pending.len(), 3, "{pending:?}");
    for path in &pending {
        // insta reads both sides of what it would show.
        let (new, old) = (insta::Snapshot::from_file(path).unwrap(), path.with_extension(""));
        assert!(!new.contents().eq(insta::Snapshot::from_file(&old).unwrap().contents()), "{}", path.display());
    }

    let known = temp.path().join("known.toml");
    let entry = "[[known]]\npattern = \"sync/more-available\"\nverdict = \"fail\"\nbecause = \"ticket 7\"\n";
    fs::write(&known, entry).unwrap();
    let ended = baseline("check", &changed, &dir, &["--known", words(&known)]);
    assert_eq!(ended.code, 0, "{}{}", ended.text(), ended.stderr);
    assert!(ended.text().contains("pass → fail (known: ticket 7)"), "{}", ended.text());

    assert_eq!(baseline("approve", &changed, &dir, &[]).code, 0);
    assert!(files(&dir, ".new").is_empty());
    assert_eq!(baseline("check", &changed, &dir, &[]).code, 0, "what was approved is well, also when it fails");
}

#[test]
fn what_is_gone_is_not_clear_and_what_was_not_recorded_is_no_baseline() {
    let temp = tempfile::tempdir().unwrap();
    let (dir, all, fewer) = (temp.path().join("baselines"), temp.path().join("all"), temp.path().join("fewer"));
    let ended = baseline("check", &all, &dir, &[]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert_eq!(run(&all, &[]).code, 0);
    let ended = baseline("check", &all, &dir, &[]);
    assert!(ended.code == 2 && ended.stderr.contains("easrig baseline approve"), "{}", ended.stderr);
    assert_eq!(baseline("approve", &all, &dir, &[]).code, 0);
    let before = files(&dir, ".snap").len();
    let args = ["run", "folder-sync", "--target", "embedded:exchange-2019", "--persona", "ios-17,wp7.5", "--out"];
    assert_eq!(easrig(&[&args[..], &[words(&fewer)]].concat()).code, 0);
    let ended = baseline("check", &fewer, &dir, &[]);
    assert_eq!(ended.code, 3, "{}", ended.text());
    assert!(ended.text().contains("gone     sync/more-available/ios-17.snap"), "{}", ended.text());
    assert_eq!(baseline("approve", &fewer, &dir, &[]).code, 0);
    assert_eq!(files(&dir, ".snap").len(), before - 2);
    assert!(!dir.join("mail/sync").exists(), "a folder without snapshots goes");

    fs::remove_file(fewer.join("exchanges.eascap")).unwrap();
    for what in ["approve", "check"] {
        let ended = baseline(what, &fewer, &dir, &[]);
        assert!(ended.code == 2 && ended.stderr.contains("exchanges.eascap"), "{}", ended.stderr);
    }
    let log = fs::read_to_string(all.join("run.jsonl")).unwrap();
    fs::write(all.join("run.jsonl"), &log[..log.len() / 2]).unwrap();
    let ended = baseline("approve", &all, &dir, &[]);
    assert!(ended.code == 2 && ended.stderr.contains("cut short"), "{}", ended.stderr);
    for name in ["", "../mail", "a/b", ".hidden"] {
        assert_eq!(easrig(&["baseline", "approve", words(&all), "--name", name]).code, 2, "{name}");
    }
}

#[test]
fn no_snapshot_holds_a_secret_or_what_was_written() {
    let temp = tempfile::tempdir().unwrap();
    let (dir, out) = (temp.path().join("baselines"), temp.path().join("run"));
    assert_eq!(run(&out, &["--keep-content"]).code, 0);
    assert_eq!(baseline("approve", &out, &dir, &[]).code, 0);
    let text: String = files(&dir, ".snap").iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    for word in ["easrig-", "@easrig.test", "127.0.0.1", "Basic ", "DeviceId"] {
        assert!(!text.contains(word), "{word}");
    }
}

use std::{fs, path::Path};

use crate::easrig::{Ended, command, easrig};

const FORMATS: [&str; 8] = ["human", "html", "json", "junit", "markdown", "tap", "github", "prometheus"];

/// A run in which one scenario fails on both phones.
const DISHONEST: [&str; 8] = [
    "sync/more-available",
    "options",
    "--target",
    "embedded:exchange-2019",
    "--persona",
    "ios-17,wp7.5",
    "--dishonest",
    "more-available-dropped",
];

const KNOWN: &str = "[[known]]\npattern = \"sync/more-available\"\nverdict = \"fail\"\nbecause = \"fixed in 5.9\"\nreq = [\"MS-ASCMD_R4771\"]\n";

fn run(out: &str, more: &[&str]) -> Ended {
    easrig(&[&["run", "--out", out], &DISHONEST[..], more].concat())
}

fn words(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn every_report_is_the_same_bytes_later_and_from_the_run_file_alone() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("run");
    let out = words(&folder);
    assert_eq!(run(out, &[]).code, 1);
    for format in FORMATS {
        let now = run(out, &["--resume", "--format", format]);
        let later = easrig(&["report", out, "--format", format]);
        assert_eq!((now.code, later.code), (1, 1), "{format}: {}{}", now.stderr, later.stderr);
        assert!(now.text() == later.text(), "{format}: {}\n---\n{}", now.text(), later.text());
    }
    for format in FORMATS {
        let file = dir.path().join(format);
        assert_eq!(easrig(&["report", out, "--format", format, "-o", words(&file)]).text(), "");
        assert!(fs::read_to_string(&file).unwrap() == easrig(&["report", out, "--format", format]).text(), "{format}");
    }
    assert!(
        fs::read_to_string(folder.join("report.html")).unwrap() == easrig(&["report", out, "--format", "html"]).text()
    );
    let french = easrig(&["report", out, "--format", "html", "--lang", "fr"]);
    let french = french.text();
    assert!(french.contains("<html lang=\"fr\"") && french.contains("le serveur enfreint la norme"));
    let unknown = easrig(&["report", out, "--format", "html", "--lang", "tlh"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("there are en, fr"), "{}", unknown.stderr);
    for name in ["exchanges.eascap", "summary.json", "junit.xml", "report.html"] {
        fs::remove_file(folder.join(name)).unwrap();
    }
    for format in FORMATS {
        let alone = easrig(&["report", out, "--format", format]);
        assert_eq!(alone.code, 1, "{format}: {}", alone.stderr);
        let before = fs::read_to_string(dir.path().join(format)).unwrap();
        if format == "human" {
            assert!(before.contains("    > POST ") && !alone.text().contains("    > POST "), "{}", alone.text());
            assert!(alone.text().contains("  should    "), "what a scenario is about stands in the run file");
        } else if format == "html" {
            assert!(before.contains("class=\"exchange\"") && !alone.text().contains("class=\"exchange\""));
            assert!(alone.text().contains("easrig show "), "the cells that fail are there all the same");
        } else {
            assert!(alone.text() == before, "{format}");
        }
    }
    let log = folder.join("run.jsonl");
    assert_eq!(
        easrig(&["report", words(&log), "--format", "tap"]).text(),
        fs::read_to_string(dir.path().join("tap")).unwrap()
    );
}

#[test]
fn a_run_cut_short_has_every_report_and_none_calls_it_well() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("run");
    let out = words(&folder);
    let ended = easrig(&["run", "options", "--target", "embedded:exchange-2019", "--persona", "ios-17", "--out", out]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let log = fs::read_to_string(folder.join("run.jsonl")).unwrap();
    let end = log.find("\"event\":\"cell_finished\"").unwrap();
    fs::write(folder.join("run.jsonl"), &log[..end + 40]).unwrap();
    for format in FORMATS {
        let ended = easrig(&["report", out, "--format", format]);
        assert_eq!(ended.code, 3, "{format}: {}", ended.stderr);
        assert!(!ended.text().contains("Well:"), "{}", ended.text());
    }
    assert!(easrig(&["report", out, "--format", "tap"]).text().ends_with("Bail out! the run was cut short\n"));
}

#[test]
fn what_is_known_fails_no_run_and_everything_else_does() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, known) = (dir.path().join("run"), dir.path().join("known.toml"));
    let (out, known_file) = (words(&folder), words(&known));
    fs::write(&known, KNOWN).unwrap();
    let ended = run(out, &["--known", known_file]);
    assert_eq!(ended.code, 0, "{}{}", ended.text(), ended.stderr);
    assert!(ended.text().contains("known to be fail: fixed in 5.9"), "{}", ended.text());
    let summary = fs::read_to_string(folder.join("summary.json")).unwrap();
    assert!(summary.contains("\"kind\": \"known_deviation\""), "{summary}");

    let report = |known: &str| {
        fs::write(dir.path().join("known.toml"), known).unwrap();
        easrig(&["report", out, "--known", known_file])
    };
    assert_eq!(report("").code, 1);
    assert_eq!(report(&KNOWN.replace("sync/more-available", "sync/more-available,wp7*")).code, 1);
    assert_eq!(report(&KNOWN.replace("R4771", "R3836")).code, 1);
    let gone = report(&KNOWN.replace("sync/more-available", "*").replace("req", "# req"));
    assert!(gone.code == 1 && gone.text().contains("UNEXPECTED PASS"), "{}", gone.text());
    let idle = report(&format!("{KNOWN}{}", KNOWN.replace("more-available", "more-avialable")));
    assert_eq!(idle.code, 0, "{}", idle.stderr);
    assert!(
        idle.stderr.contains("line 7") && idle.stderr.contains("did you mean `sync/more-available`"),
        "{}",
        idle.stderr
    );
    let wrong = report(&KNOWN.replace("because", "becuase"));
    assert_eq!((wrong.code, wrong.text()), (2, ""));
    assert!(wrong.stderr.contains("did you mean `because`"), "{}", wrong.stderr);
}

#[test]
fn github_is_told_beside_the_result() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, summary) = (dir.path().join("run"), dir.path().join("summary.md"));
    let args = [&["run", "--format", "json", "--out", words(&folder)], &DISHONEST[..]].concat();
    fs::write(&summary, "# before\n").unwrap();
    let ended = command(&args).env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary).output().unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert!(stderr.contains("\n::error title=sync/more-available breaks::ios-17, wp7.5: "), "{stderr}");
    assert_eq!(ended.stdout, fs::read(folder.join("summary.json")).unwrap());
    let text = fs::read_to_string(&summary).unwrap();
    let markdown = easrig(&["report", words(&folder), "--format", "markdown"]);
    assert_eq!(text, format!("# before\n{}", markdown.text()));
}

#[test]
fn what_cannot_be_reported_is_wrong_input() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("run.jsonl"), "nonsense\n").unwrap();
    for args in [
        &["report", "/nowhere/at/all"][..],
        &["report", words(dir.path())],
        &["report", words(dir.path()), "--format", "yaml"],
        &["run", "--target", "x.test", "--account", "a:b", "--known", "/nowhere"],
    ] {
        let ended = easrig(args);
        assert_eq!((ended.code, ended.text()), (2, ""), "{args:?}: {}", ended.stderr);
    }
}

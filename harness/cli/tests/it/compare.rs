use std::{fs, path::Path};

use serde_json::Value;

use crate::easrig::{Ended, command, easrig, ended};

/// A run of two journeys on every phone.
fn run(out: &Path, profile: &str, more: &[&str]) {
    let target = format!("embedded:{profile}");
    let journeys = ["journeys/onboarding-by-server-name", "journeys/read-mail"];
    let args = ["run", "--target", &target, "--seed", "1", "--out", out.to_str().unwrap()];
    let ended = easrig(&[&args[..], &journeys, more].concat());
    assert!(matches!(ended.code, 0 | 1), "{}{}", ended.text(), ended.stderr);
}

fn compare(before: &Path, after: &Path, more: &[&str]) -> Ended {
    easrig(&[&["compare", before.to_str().unwrap(), after.to_str().unwrap()], more].concat())
}

/// What it prints, without the times of both runs, their folders and the numbers of exchanges, which phones that run at
/// the same time share out by chance.
fn told(ended: &Ended, dir: &Path) -> String {
    let text = ended.text().replace(dir.to_str().unwrap(), "DIR");
    let (text, _) = text.split_once("keep in mind").unwrap_or((&text, ""));
    let line = |line: &str| match line.split_once("embedded:") {
        Some((side @ ("before  " | "after   "), rest)) => {
            format!("{side}embedded:{}\n", rest.split("  ").next().unwrap_or_default())
        }
        _ => format!("{}\n", line.split_inclusive("--exchange ").next().unwrap_or_default()),
    };
    text.lines().map(line).collect()
}

#[test]
fn every_step_of_an_upgrade_says_who_is_cut_off_and_what_to_change() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let policy = at("strict.toml");
    fs::write(&policy, "[policy]\nRequireDeviceEncryption = true\nAllowNonProvisionableDevices = false\n").unwrap();
    for profile in ["exchange-2010-sp1", "exchange-2019", "exchange-online"] {
        run(&at(profile), profile, &[]);
    }
    run(&at("strict"), "exchange-2019", &["--policy", policy.to_str().unwrap()]);

    let newer = compare(&at("exchange-2010-sp1"), &at("exchange-2019"), &[]);
    assert_eq!(newer.code, 0, "{}", newer.text());
    insta::assert_snapshot!("exchange_2010_to_2019", told(&newer, dir.path()));
    let stricter = compare(&at("exchange-2019"), &at("strict"), &[]);
    assert_eq!(stricter.code, 1, "{}", stricter.text());
    insta::assert_snapshot!("exchange_2019_to_a_strict_policy", told(&stricter, dir.path()));
    let online = compare(&at("exchange-2019"), &at("exchange-online"), &[]);
    assert_eq!(online.code, 1, "{}", online.text());
    insta::assert_snapshot!("exchange_2019_to_online", told(&online, dir.path()));

    // The way back is an improvement, and the same run again is nothing at all.
    assert_eq!(compare(&at("strict"), &at("exchange-2019"), &[]).code, 0);
    let same = compare(&at("strict"), &at("strict"), &[]);
    assert_eq!(same.code, 0);
    assert!(same.text().contains("Nothing changed"), "{}", same.text());

    // Every form says the same.
    let json: Value =
        serde_json::from_str(compare(&at("exchange-2019"), &at("strict"), &["--format", "json"]).text()).unwrap();
    assert_eq!((&json["format"], &json["exit"]), (&Value::from(1), &Value::from(1)));
    assert_eq!(json["families"].as_array().unwrap().len(), 5);
    let junit = compare(&at("exchange-2019"), &at("strict"), &["--format", "junit"]);
    assert_eq!(junit.code, 1);
    let failures = json["totals"]["regression"].as_u64().unwrap();
    assert!(junit.text().contains(&format!("failures=\"{failures}\"")), "{}", junit.text());
    let markdown = compare(&at("exchange-2019"), &at("strict"), &["--format", "markdown"]);
    assert!(markdown.text().contains("| Windows Phone | **cut off** |"), "{}", markdown.text());
}

#[test]
fn an_upgrade_and_several_servers_are_pages_too() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for profile in ["exchange-2019", "exchange-online"] {
        run(&at(profile), profile, &["--persona", "wp7,ios-17"]);
    }
    let file = at("upgrade.html");
    let written =
        compare(&at("exchange-2019"), &at("exchange-online"), &["--format", "html", "-o", file.to_str().unwrap()]);
    assert_eq!((written.code, written.text()), (1, ""), "{}", written.stderr);
    let page = fs::read_to_string(&file).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("1 of 2 kinds of phones is cut off"), "{page}");
    let french = compare(&at("exchange-2019"), &at("exchange-online"), &["--format", "html", "--lang", "fr"]);
    assert!(french.text().contains("1 type de téléphone sur 2 est coupé"), "{}", french.text());
    let odd = compare(&at("exchange-2019"), &at("exchange-online"), &["--format", "html", "--lang", "xx"]);
    assert_eq!(odd.code, 2, "{}", odd.stderr);

    let folders = ["exchange-2019", "exchange-online"].map(|name| at(name).to_str().unwrap().to_owned());
    let file = at("servers.html");
    let matrix = ["matrix", &folders[0], &folders[1], "--format", "html", "-o", file.to_str().unwrap()];
    let ended = easrig(&matrix);
    assert_eq!((ended.code, ended.text()), (0, ""), "{}", ended.stderr);
    let page = fs::read_to_string(&file).unwrap();
    assert!(page.contains("1 of 2 phones gets an error on some server."), "{page}");
}

#[test]
fn what_is_no_run_is_wrong_input() {
    let dir = tempfile::tempdir().unwrap();
    let ended = compare(dir.path(), dir.path(), &[]);
    assert_eq!((ended.code, ended.text()), (2, ""));
    assert!(ended.stderr.contains("run.jsonl"), "{}", ended.stderr);
}

#[test]
fn what_is_known_of_the_later_server_is_no_regression() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let args = ["run", "sync/more-available", "--target", "embedded:exchange-2019", "--persona", "ios-17", "--out"];
    let honest = easrig(&[&args[..], &[at("honest").to_str().unwrap()]].concat());
    assert_eq!(honest.code, 0, "{}", honest.stderr);
    let more = [at("odd").to_str().unwrap().to_owned(), "--dishonest".into(), "more-available-dropped".into()];
    assert_eq!(easrig(&[&args[..], &more.each_ref().map(String::as_str)].concat()).code, 1);
    assert_eq!(compare(&at("honest"), &at("odd"), &[]).code, 1);
    let known = at("known.toml");
    let text = "[[known]]\npattern = \"sync/more-available\"\nverdict = \"fail\"\nbecause = \"the vendor knows\"\n";
    fs::write(&known, text).unwrap();
    let told = compare(&at("honest"), &at("odd"), &["--known", known.to_str().unwrap()]);
    assert_eq!(told.code, 0, "{}{}", told.text(), told.stderr);
    assert!(told.text().contains("the vendor knows"), "{}", told.text());

    let matrix = easrig(&["matrix", at("honest").to_str().unwrap(), at("odd").to_str().unwrap()]);
    assert_eq!(matrix.code, 0, "{}", matrix.stderr);
    assert!(matrix.text().contains("pass (") && matrix.text().contains("fail (1/"), "{}", matrix.text());
    let both = [at("honest"), at("odd")];
    let json = easrig(&["matrix", both[0].to_str().unwrap(), both[1].to_str().unwrap(), "--format", "json"]);
    let json: Value = serde_json::from_str(json.text()).unwrap();
    assert_eq!(json["servers"][1]["personas"][0]["worst"], "fail");
}

/// Runs in `dir`, where names of baselines are looked for.
fn easrig_in(dir: &Path, args: &[&str]) -> Ended {
    ended(command(args).current_dir(dir).output().unwrap())
}

#[test]
fn a_baseline_stands_for_what_was_before_by_its_folder_or_its_name() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let args = [
        "run",
        "sync/more-available",
        "folder-sync/bad-key",
        "--target",
        "embedded:exchange-2019",
        "--persona",
        "ios-17",
    ];
    assert_eq!(easrig_in(dir, &[&args[..], &["--out", "honest"]].concat()).code, 0);
    assert_eq!(
        easrig_in(dir, &[&args[..], &["--out", "odd", "--dishonest", "more-available-dropped"]].concat()).code,
        1
    );
    assert_eq!(easrig_in(dir, &["baseline", "approve", "honest", "--name", "mail"]).code, 0);

    let same = easrig_in(dir, &["compare", "mail", "honest"]);
    assert_eq!(same.code, 0, "{}{}", same.text(), same.stderr);
    assert!(
        same.text().contains("Nothing changed") && same.text().contains("a baseline has no times"),
        "{}",
        same.text()
    );
    let told = easrig_in(dir, &["compare", "mail", "odd"]);
    assert_eq!(told.code, 1, "{}{}", told.text(), told.stderr);
    let text = told.text();
    for words in [
        "baseline reports/baselines/mail (embedded:exchange-2019)",
        "MS-ASCMD_R4771 is broken",
        "iPhone, iOS 17",
        "reports/baselines/mail/sync/more-available/ios-17.snap",
        "easrig show odd --cell sync/more-available,ios-17",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(text.lines().any(|line| line.starts_with("  ≠           MoreAvailable")), "{text}");

    let path = "reports/baselines/mail";
    let json = easrig_in(dir, &["compare", path, "odd", "--format", "json"]);
    let json: Value = serde_json::from_str(json.text()).unwrap();
    assert_eq!((&json["before"]["baseline"], &json["before"]["started"]), (&path.into(), &Value::Null));
    assert_eq!(
        json["causes"][0]["changes"][0]["said"]["before"].as_array().unwrap().last().unwrap(),
        "          MoreAvailable"
    );
    for (format, words) in
        [("junit", "failures=\"1\""), ("markdown", "-           MoreAvailable"), ("html", "ios-17.snap")]
    {
        let told = easrig_in(dir, &["compare", path, "odd", "--format", format]);
        assert!(told.code == 1 && told.text().contains(words), "{format}: {}{}", told.text(), told.stderr);
    }

    for (args, words) in [
        (&["compare", "odd", "mail"][..], "`mail` is a baseline; the later side is a run"),
        (&["compare", path, path], "easrig compare reports/baselines/mail RUN"),
        (&["matrix", "odd", path], "is a baseline, not the folder of a run"),
        (&["compare", "post", "odd"], "there is neither a run nor a baseline `post`"),
    ] {
        let ended = easrig_in(dir, args);
        assert!(ended.code == 2 && ended.stderr.contains(words), "{args:?}: {}", ended.stderr);
    }
    fs::write(dir.join(path).join("sync/more-available/ios-17.snap"), "cut").unwrap();
    let broken = easrig_in(dir, &["compare", "mail", "odd"]);
    assert!(
        broken.code == 2 && broken.stderr.contains("`sync/more-available/ios-17.snap` is no snapshot"),
        "{}",
        broken.stderr
    );
    fs::remove_file(dir.join("odd/exchanges.eascap")).unwrap();
    let bare = easrig_in(dir, &["compare", "mail", "odd"]);
    assert!(bare.code == 2, "{}", bare.stderr);
}

#[test]
fn what_is_well_although_it_is_listed_is_news() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let args = ["run", "sync/more-available", "--target", "embedded:exchange-2019", "--persona", "ios-17", "--out"];
    assert_eq!(easrig_in(dir, &[&args[..], &["honest"]].concat()).code, 0);
    let text = "[[known]]\npattern = \"sync/more-available\"\nverdict = \"fail\"\nbecause = \"the vendor knows\"\n";
    fs::write(dir.join("known.toml"), text).unwrap();
    for args in [&["report", "honest"][..], &["compare", "honest", "honest"]] {
        let ended = easrig_in(dir, &[args, &["--known", "known.toml"]].concat());
        assert_eq!(ended.code, 1, "{args:?}: {}", ended.text());
        assert!(ended.text().contains("the vendor knows"), "{}", ended.text());
    }
}

#[test]
fn what_a_server_answers_later_is_slower_and_nothing_else_is() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let args =
        ["run", "journeys/read-mail", "--target", "embedded:exchange-2019", "--persona", "ios-17", "--repeat", "5"];
    assert_eq!(easrig_in(dir, &[&args[..], &["--out", "quick"]].concat()).code, 0);
    // A second and a half is more than any machine needs by itself.
    assert_eq!(easrig_in(dir, &[&args[..], &["--latency", "FolderSync=1500", "--out", "slow"]].concat()).code, 0);
    for (before, after, word) in [("quick", "slow", "slower"), ("slow", "quick", "faster")] {
        let json: Value =
            serde_json::from_str(easrig_in(dir, &["compare", before, after, "--format", "json"]).text()).unwrap();
        let time = json["times"].as_array().unwrap().iter().find(|time| time["command"] == "FolderSync").unwrap();
        let [was, is] = ["before_us", "after_us"].map(|key| time[key].as_u64().unwrap());
        assert!(was.abs_diff(is) > 1_000_000, "{time}");
        let told = easrig_in(dir, &["compare", before, after]);
        assert_eq!(told.code, 0, "{}", told.text());
        assert!(told.text().contains(&format!("FolderSync on iPhone, iOS 17 is {word}")), "{}", told.text());
    }
    assert_eq!(easrig_in(dir, &["run", "--target", "https://mail.example.test/", "--latency", "5"]).code, 2);
    assert_eq!(easrig_in(dir, &["serve", "--latency", "Synk=5"]).code, 2);
}

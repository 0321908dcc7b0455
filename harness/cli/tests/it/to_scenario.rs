use std::fs;

use crate::easrig::easrig;

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

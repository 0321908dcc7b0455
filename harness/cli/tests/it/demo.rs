use std::fs;

use crate::easrig::easrig;

#[test]
fn the_demo_shows_what_it_promises() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("demo");
    let ended = easrig(&["demo", "--out", out.to_str().unwrap(), "--lang", "fr"]);
    assert_eq!(ended.code, 0, "{}\n{}", ended.text(), ended.stderr);
    for said in ["86000C2B", "RequireDeviceEncryption", "AllowNonProvisionableDevices", "blocked (86000C2B) → pass"] {
        assert!(ended.text().contains(said), "{said}\n{}", ended.text());
    }
    for run in ["strict", "remedy"] {
        for file in ["run.jsonl", "exchanges.eascap", "summary.json", "junit.xml"] {
            assert!(fs::metadata(out.join(run).join(file)).unwrap().len() > 0, "{run}/{file}");
        }
    }
    let page = fs::read_to_string(out.join("strict/report.html")).unwrap();
    assert!(
        page.contains("<html lang=\"fr\"") && page.contains(">refusé</span>"),
        "what phones do with the policy is told"
    );
    let data = page.split("id=\"data\">").nth(1).and_then(|rest| rest.split("</script>").next()).unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    let texts = data["texts"].as_array().unwrap();
    let english: Vec<_> = texts.iter().filter(|text| text.as_str().is_some_and(|text| !text.is_empty())).collect();
    assert!(texts.len() > 5 && english.is_empty(), "reasons and notes that have no French: {english:?}");
    assert!(!page.contains("<span lang=\"en\">Relax ") && page.contains(">Assouplissez les réglages "));
    let summary = fs::read_to_string(out.join("strict/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    let cells = summary["cells"].as_array().unwrap();
    let wp7 = cells.iter().find(|c| c["persona"] == "wp7" && c["scenario"] == "journeys/onboarding-by-server-name");
    assert_eq!(wp7.unwrap()["device_error"]["code"], "86000C2B");
    // A folder that holds a run is not written over.
    assert_eq!(easrig(&["demo", "--out", out.to_str().unwrap()]).code, 2);
}

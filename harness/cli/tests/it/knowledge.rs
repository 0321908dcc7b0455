use crate::easrig::{Ended, easrig};

fn json(ended: &Ended) -> serde_json::Value {
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    serde_json::from_str(ended.text()).unwrap()
}

#[test]
fn everything_can_be_listed_both_ways() {
    for (what, least) in [("scenarios", 20), ("personas", 8), ("profiles", 4), ("requirements", 4000), ("switches", 25)]
    {
        let listed = json(&easrig(&["list", what, "--format", "json"]));
        let rows = listed.as_array().unwrap().len();
        assert!(rows >= least, "{what}: {rows}");
        assert_eq!(easrig(&["list", what]).text().lines().count(), rows, "{what}");
    }
}

#[test]
fn what_is_listed_can_be_explained() {
    for (what, name) in [("scenarios", "id"), ("personas", "id"), ("profiles", "id"), ("switches", "name")] {
        let listed = json(&easrig(&["list", what, "--format", "json"]));
        for row in listed.as_array().unwrap() {
            let name = row[name].as_str().unwrap();
            let ended = easrig(&["explain", name]);
            assert_eq!(ended.code, 0, "{name}: {}", ended.stderr);
            assert!(ended.text().contains(name), "{name}");
        }
    }
}

#[test]
fn numbers_and_codes_are_explained() {
    for (what, said) in [
        ("142", "DeviceNotProvisioned"),
        ("status:Sync:3", "InvalidSyncKey"),
        ("status:MoveItems:3", "Success"),
        ("86000c2b", "status 144"),
        ("0x86000C4C", "too many"),
        ("MS-ASCMD_R3836", "never empty"),
        ("ms-ascmd_r3836", "never empty"),
    ] {
        let ended = easrig(&["explain", what]);
        assert_eq!(ended.code, 0, "{what}: {}", ended.stderr);
        assert!(ended.text().contains(said), "{what}: {}", ended.text());
    }
}

#[test]
fn an_unknown_name_is_wrong_input_with_a_suggestion() {
    for (what, near) in [
        ("ios17", "ios-17"),
        ("onboarding-by-adress", "onboarding-by-address"),
        ("ping-never-wake", "ping-never-wakes"),
    ] {
        let ended = easrig(&["explain", what]);
        assert_eq!((ended.code, ended.text()), (2, ""), "{what}");
        assert!(ended.stderr.contains(near), "{what}: {}", ended.stderr);
    }
}

#[test]
fn a_slip_in_a_scenario_of_ones_own_is_drawn_where_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    let text = "id = \"mine\"\ntitle = \"t\"\nreq = []\neffects = \"reads\"\n\n[[step]]\nsend = \"FolderSynk\"\n";
    std::fs::write(dir.path().join("mine.toml"), text).unwrap();
    let ended = easrig(&["--scenarios", dir.path().to_str().unwrap(), "explain", "mine"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("FolderSync") && ended.stderr.contains("mine.toml:7"), "{}", ended.stderr);
}

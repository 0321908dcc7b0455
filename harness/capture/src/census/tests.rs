use super::*;

fn census(text: &str) -> Census {
    let mut census = Census::default();
    census.add(text.as_bytes()).unwrap();
    census
}

const IIS: &str = "#Software: Microsoft Internet Information Services 10.0
#Fields: date time cs-method cs-uri-stem cs-uri-query cs-username cs(User-Agent) sc-status
2026-01-02 03:04:05 POST /Microsoft-Server-ActiveSync/default.eas Cmd=Sync&User=alice&DeviceId=ABC123&DeviceType=WP8&Log=V141_Fc1_ CONTOSO\\alice MSFT-WP/8.0.10211 200
2026-01-02 03:05:05 POST /Microsoft-Server-ActiveSync/default.eas Cmd=Ping&User=alice&DeviceId=abc123&DeviceType=WP8 CONTOSO\\alice Some+Phone/1.0 503
2026-01-02 03:05:06 GET /owa/ - - Mozilla/5.0 200
2026-01-02 03:06:05 OPTIONS /Microsoft-Server-ActiveSync/default.eas - - - 401
";

#[test]
fn an_iis_log_tells_devices_apart_and_counts_what_they_did() {
    let census = census(IIS);
    let [phone, unknown] = census.devices.as_slice() else { panic!("{census:?}") };
    assert_eq!((phone.id.as_str(), phone.kind.as_str()), ("ABC123", "WP8"));
    assert_eq!(
        phone.commands.iter().map(|(name, count)| (name.as_str(), *count)).collect::<Vec<_>>(),
        [("Ping", 1), ("Sync", 1)]
    );
    assert_eq!(phone.statuses.keys().collect::<Vec<_>>(), [&200, &503]);
    assert_eq!(phone.versions.iter().collect::<Vec<_>>(), ["14.1"]);
    assert!(phone.agents.contains("Some Phone/1.0"));
    assert_eq!(phone.last_success, Some(Timestamp(1_767_323_045_000_000)));
    assert_eq!(unknown.commands.keys().collect::<Vec<_>>(), ["OPTIONS"]);
    assert_eq!((census.lines, census.other, census.unreadable), (4, 1, 0));
}

#[test]
fn what_exchange_adds_to_the_query_counts_and_a_sync_that_failed_is_no_success() {
    let line = |second: u8, added: &str| {
        format!(
            "2026-01-02 03:04:0{second} POST /Microsoft-Server-ActiveSync/default.eas \
             Cmd=Sync&User=erin&DeviceId=E1&DeviceType=iPhone&Log={added} - - 200\n"
        )
    };
    let head = "#Fields: date time cs-method cs-uri-stem cs-uri-query cs-username cs(User-Agent) sc-status\n";
    let refused = line(1, "V141_DevOS:iOS+9.2_S142_Error:DeviceNotProvisioned_As:BlockedP_Mbx:M");
    let census = census(&(head.to_owned() + &refused));
    let [phone] = census.devices.as_slice() else { panic!("{census:?}") };
    assert_eq!(phone.last_success, None);
    assert!(phone.systems.contains("iOS 9.2") && phone.versions.contains("14.1"));
    assert_eq!(phone.access.iter().collect::<Vec<_>>(), ["Blocked", "Policy"]);
    let troubles = BTreeMap::from([("DeviceNotProvisioned".to_owned(), 1), ("Sync:142".to_owned(), 1)]);
    assert_eq!(phone.troubles(), troubles);
    let well = self::census(&(head.to_owned() + &refused + &line(2, "SC1:1_Ver1:161_As:AllowedG")));
    let [phone] = well.devices.as_slice() else { panic!("{well:?}") };
    assert_eq!(phone.last_success, Some(Timestamp(1_767_323_042_000_000)));
    assert_eq!(phone.troubles(), troubles);
}

#[test]
fn a_base64_query_names_its_device_too() {
    let query =
        QueryLine { version: Some(Version::V14_1), ..QueryLine::new(easrig_eas::Command::FolderSync, "ABC123", "WP8") };
    let query = query.to_base64().unwrap();
    let line = format!(
        "10.0.0.1 - bob [02/Jan/2026:04:04:05 +0100] \"POST /Microsoft-Server-ActiveSync?{query} HTTP/1.1\" 449 0 \"-\" \"Phone/1\"\n"
    );
    let census = census(&line);
    let [phone] = census.devices.as_slice() else { panic!("{census:?}") };
    assert_eq!((phone.id.as_str(), phone.statuses.get(&449)), ("ABC123", Some(&1)));
    assert!(phone.versions.contains("14.1") && phone.users.contains("bob") && phone.agents.contains("Phone/1"));
    assert_eq!(phone.first, Some(Timestamp(1_767_323_045_000_000)));
}

#[test]
fn a_log_of_haproxy_tells_devices_apart() {
    let line = "Nov 22 05:00:00 lb haproxy[812]: 10.0.0.9:51234 [02/Jan/2026:03:04:05.678] https~ exch/mbx01 0/0/1/2/600003 \
        200 1234 - - ---- 1/1/1/0/0 0/0 {Apple-iPhone9C1/1402.100} \
        \"POST /Microsoft-Server-ActiveSync?Cmd=Sync&User=erin&DeviceId=E1&DeviceType=iPhone HTTP/1.1\"\n";
    let cut = line.replace("0/0/1/2/600003 200", "0/0/1/-1/+600003 -1");
    let census = census(&(line.to_owned() + &cut + "Nov 22 05:00:00 lb haproxy[812]: Proxy started.\n"));
    let [phone] = census.devices.as_slice() else { panic!("{census:?}") };
    assert_eq!((phone.id.as_str(), phone.statuses.get(&200), phone.statuses.len()), ("E1", Some(&1), 1));
    assert_eq!(phone.last_success, Some(Timestamp(1_767_323_045_678_000)));
    assert_eq!((census.lines, census.unreadable), (3, 1));
}

#[test]
fn a_table_of_devices_says_how_they_fare() {
    let text = "#TYPE Selected.System.Management.Automation.PSCustomObject\r\n\
        \"DeviceId\";\"DeviceType\";\"DeviceOS\";\"DeviceModel\";\"DeviceAccessState\";\"LastSuccessSync\"\r\n\
        \"ABC123\";\"WP8\";\"Windows Phone 8.0\";\"Lumia; red\";\"Quarantined\";\"02.01.2026 03:04:05\"\r\n\
        ;;;;;\r\n";
    let census = census(text);
    let [phone] = census.devices.as_slice() else { panic!("{census:?}") };
    assert!(phone.models.contains("Lumia; red") && phone.access.contains("Quarantined"));
    assert_eq!(phone.last_success, Some(Timestamp(1_767_323_045_000_000)));
    assert_eq!((census.lines, census.unreadable), (2, 1));
}

#[test]
fn what_knows_no_devices_is_refused() {
    let mut census = Census::default();
    assert!(matches!(census.add(b"hello\nworld\n".as_slice()), Err(CensusError::Unknown)));
    assert!(matches!(census.add(b"".as_slice()), Err(CensusError::Unknown)));
}

use easrig_exchange::{
    Exchange, ExchangeNumber, Headers, Origin, Outcome, Request, Response, Sender, Times, Timestamp,
};

use super::*;

/// A Sync of folder 5 with `asked` as its key, answered with this in its collection.
fn sync(asked: &str, answer: &str) -> Exchange {
    let sync = |inside: &str| {
        let xml = format!(
            "<Sync xmlns=\"AirSync\"><Collections><Collection>{inside}<CollectionId>5</CollectionId>\
             </Collection></Collections></Sync>"
        );
        Document::from_xml(&xml).unwrap().encode()
    };
    exchange("Sync", sync(&format!("<SyncKey>{asked}</SyncKey>")), sync(answer))
}

fn exchange(command: &str, request: Vec<u8>, answer: Vec<u8>) -> Exchange {
    let url = format!("https://a.test/Microsoft-Server-ActiveSync?Cmd={command}&User=a&DeviceId=d&DeviceType=t");
    let kind = || Headers::from_iter([("Content-Type", "application/vnd.ms-sync.wbxml")]);
    Exchange {
        number: ExchangeNumber(1),
        origin: Origin::Live,
        sender: Sender::default(),
        started: Timestamp(0),
        request: Request { method: "POST".into(), url: url.parse().unwrap(), headers: kind(), body: request },
        outcome: Outcome::Answered(Response {
            status: 200,
            reason: "OK".into(),
            headers: kind(),
            body: answer,
            cut: None,
        }),
        times: Times::default(),
        tls: None,
    }
}

fn mail(id: &str, subject: &str, rest: &str) -> String {
    format!(
        "<Add><ServerId>{id}</ServerId><ApplicationData><Subject xmlns=\"Email\">{subject}</Subject>{rest}\
         </ApplicationData></Add>"
    )
}

fn page(key: &str, items: &[String], more: &str) -> String {
    format!("<SyncKey>{key}</SyncKey><Status>1</Status>{more}<Commands>{}</Commands>", items.concat())
}

fn terms(contents: Contents) -> Terms<'static> {
    Terms { contents, later: (-120, 120), renamed: &Unknown }
}

fn compared(before: &Exchange, after: &Exchange) -> (Vec<Kind>, Comparison) {
    let comparison = compare(before, after, terms(Contents::Quoted));
    (comparison.all().map(|difference| difference.kind).collect(), comparison)
}

#[test]
fn items_are_matched_by_what_they_say_whatever_their_ids_and_order() {
    let before = sync("1", &page("2", &[mail("5:1", "Canteen", ""), mail("5:2", "Welcome", "")], ""));
    let after = sync("k", &page("l", &[mail("x", "Welcome", ""), mail("y", "Canteen", "")], ""));
    let (kinds, comparison) = compared(&before, &after);
    assert_eq!(kinds, []);
    let allowed: Vec<_> = comparison.allowed.iter().collect();
    assert_eq!(allowed, [(Rule::Keys, 1), (Rule::Ids, 2), (Rule::Order, 1)]);
    let item = comparison.pairs.iter().find(|pair| pair.before == "5:1").unwrap();
    assert_eq!((item.owned, item.folder.as_str(), item.after.as_str()), (Owned::Item, "5", "y"));
}

#[test]
fn a_lost_a_new_and_a_doubled_item_are_told_apart() {
    let two = [mail("5:1", "Canteen", ""), mail("5:2", "Welcome", "")];
    let before = sync("1", &page("2", &two, ""));
    assert_eq!(compared(&before, &sync("1", &page("2", &two[..1], ""))).0, [Kind::ItemLost]);
    let three = [two.as_slice(), &[mail("5:3", "Third", "")]].concat();
    assert_eq!(compared(&before, &sync("1", &page("2", &three, ""))).0, [Kind::ItemAdded]);
    let again = [two.as_slice(), &[mail("5:4", "Welcome", "")]].concat();
    assert_eq!(compared(&before, &sync("1", &page("2", &again, ""))).0, [Kind::ItemDoubled]);
}

#[test]
fn mails_of_the_same_words_are_one_that_came_twice_only_when_they_came_at_the_same_time() {
    let at = |id: &str, day: &str| {
        mail(id, "Backup done", &format!("<DateReceived xmlns=\"Email\">2026-11-{day}.000Z</DateReceived>"))
    };
    let before = sync("1", &page("2", &[at("5:1", "20T07:00:00")], ""));
    let kinds = |items: &[String]| compared(&before, &sync("1", &page("2", items, ""))).0;
    assert_eq!(kinds(&[at("5:1", "20T07:00:00"), at("5:2", "20T07:00:01")]), [Kind::ItemDoubled]);
    assert_eq!(kinds(&[at("5:1", "20T07:00:00"), at("5:2", "21T07:00:00")]), [Kind::ItemAdded]);
    // Where there was none, there are two new ones.
    let none = sync("1", &page("2", &[mail("5:9", "Welcome", "")], ""));
    let two = page("2", &[mail("5:9", "Welcome", ""), at("5:1", "20T07:00:00"), at("5:2", "20T07:00:00")], "");
    assert_eq!(compared(&none, &sync("1", &two)).0, [Kind::ItemAdded, Kind::ItemAdded]);
}

/// Item 5:1 is called x now.
struct One;

impl Renamed for One {
    fn now(&self, _: Owned, _: &str, before: &str) -> Option<String> {
        (before == "5:1").then(|| "x".to_owned())
    }
}

#[test]
fn a_deletion_of_one_item_is_not_the_deletion_of_another() {
    let delete = |id: &str| sync("1", &page("2", &[format!("<Delete><ServerId>{id}</ServerId></Delete>")], ""));
    let terms = Terms { renamed: &One, ..terms(Contents::Quoted) };
    let kinds = |after: &Exchange| -> Vec<Kind> {
        compare(&delete("5:1"), after, terms).all().map(|difference| difference.kind).collect()
    };
    assert_eq!(kinds(&delete("x")), []);
    assert_eq!(kinds(&delete("y")), [Kind::ItemLost, Kind::ItemAdded]);
    let strays = compare(&delete("5:1"), &delete("y"), terms);
    assert!(compare_strays(&strays.lost[0], &strays.extra[0], terms).is_none());
}

#[test]
fn a_colleague_is_found_by_the_address() {
    let found = |person: &str| {
        let xml = format!(
            "<Search xmlns=\"Search\" xmlns:g=\"GAL\"><Status>1</Status><Response><Store><Status>1</Status><Result>\
             <Properties>{person}<g:EmailAddress>bob@x.test</g:EmailAddress></Properties></Result><Result><Properties>\
             <g:EmailAddress>eve@x.test</g:EmailAddress></Properties></Result></Store></Response></Search>"
        );
        exchange("Search", Vec::new(), Document::from_xml(&xml).unwrap().encode())
    };
    let (long, short) =
        ("<g:DisplayName>Bob</g:DisplayName><g:Alias>bob</g:Alias>", "<g:LastName>Example</g:LastName>");
    let (kinds, _) = compared(&found(long), &found(short));
    assert!(!kinds.contains(&Kind::ItemLost) && kinds.contains(&Kind::ItemChanged), "{kinds:?}");
}

#[test]
fn what_phones_depend_on_is_named() {
    let body = |kind: &str, data: &str, cut: &str| {
        let body = format!(
            "<Body xmlns=\"AirSyncBase\"><Type>{kind}</Type>{cut}<Data>{data}</Data></Body><Read xmlns=\"Email\">0</Read>"
        );
        page("2", &[mail("5:1", "Welcome", &body)], "")
    };
    let cut = "<Truncated>1</Truncated>";
    let before = sync("1", &body("1", "Hello", cut));
    let kinds = |answer: &str| compared(&before, &sync("1", answer)).0;
    assert_eq!(kinds(&body("2", "Hello", cut)), [Kind::BodyType]);
    assert_eq!(kinds(&body("1", "Hello", "")), [Kind::Truncation]);
    assert_eq!(kinds(&body("1", "Hello, and more", cut)), [Kind::Truncation]);
    assert_eq!(kinds(&body("1", "Hallo", cut)), [Kind::ItemChanged]);
    // A server may estimate otherwise what it does not cut.
    let size = |size: u32| format!("<EstimatedDataSize>{size}</EstimatedDataSize>{cut}");
    let sized = sync("1", &body("1", "Hello", &size(22)));
    assert_eq!(compared(&sized, &sync("1", &body("1", "Hello", &size(30)))).0, [Kind::ItemChanged]);
    let read = body("1", "Hello", cut).replace("<Read xmlns=\"Email\">0", "<Read xmlns=\"Email\">1");
    assert_eq!(kinds(&read), [Kind::ItemChanged]);
    let more = page("2", &[], "<MoreAvailable/>");
    assert_eq!(compared(&sync("1", &page("2", &[], "")), &sync("1", &more)).0, [Kind::MoreAvailableChanged]);
    let stale = sync("1", &page("1", &[], ""));
    assert_eq!(compared(&sync("1", &page("2", &[], "")), &stale).0, [Kind::KeyNotAdvanced]);
    let refused = sync("1", "<SyncKey>2</SyncKey><Status>3</Status>");
    let quiet = sync("1", "<SyncKey>2</SyncKey><Status>1</Status>");
    let (kinds, comparison) = compared(&quiet, &refused);
    assert_eq!(kinds, [Kind::StatusChanged]);
    assert!(comparison.differences[0].after.starts_with("3 ("), "{:?}", comparison.differences);
}

#[test]
fn a_date_may_move_with_the_clock_and_no_further() {
    let at = |time: &str| {
        let date = format!("<DateReceived xmlns=\"Email\">2026-11-22T{time}.000Z</DateReceived>");
        sync("1", &page("2", &[mail("5:1", "Welcome", &date)], ""))
    };
    assert_eq!(compared(&at("05:00:00"), &at("05:01:30")).0, []);
    assert_eq!(compared(&at("05:00:00"), &at("06:00:00")).0, [Kind::ItemChanged]);
}

#[test]
fn filler_is_compared_by_length_and_never_quoted() {
    let before = sync("1", &page("2", &[mail("5:1", "3f9c01d2", "")], ""));
    let same = sync("1", &page("2", &[mail("5:1", "Welcome!", "")], ""));
    let comparison = compare(&before, &same, terms(Contents::Filler));
    assert!(comparison.is_same() && comparison.fillers.len() == 1);
    assert_eq!(comparison.allowed.iter().collect::<Vec<_>>(), [(Rule::Filler, 1)]);
    let longer = sync("1", &page("2", &[mail("5:1", "Welcome home", "")], ""));
    let comparison = compare(&before, &longer, terms(Contents::Filler));
    let told: Vec<String> = comparison.all().map(ToString::to_string).collect();
    assert!(!told.is_empty() && !told.concat().contains("Welcome"), "{told:?}");
}

#[test]
fn a_quiet_sync_may_say_so_with_or_without_a_body() {
    let said = sync("1", "<SyncKey>2</SyncKey><Status>1</Status>");
    let mut silent = said.clone();
    if let Outcome::Answered(response) = &mut silent.outcome {
        response.body.clear();
        response.headers = Headers::new();
    }
    assert_eq!(compared(&said, &silent).0, []);
    let news = sync("1", &page("2", &[mail("5:1", "Welcome", "")], ""));
    assert_eq!(compared(&news, &silent).0, [Kind::ItemLost]);
    assert_eq!(compared(&silent, &news).0, [Kind::ItemAdded]);
}

#[test]
fn a_folder_of_another_type_and_one_that_is_gone_are_named() {
    let list = |folders: &[(&str, &str)]| {
        let add = |(name, kind): &(&str, &str)| {
            format!(
                "<Add><ServerId>{name}-id</ServerId><ParentId>0</ParentId><DisplayName>{name}</DisplayName>\
                 <Type>{kind}</Type></Add>"
            )
        };
        let xml = format!(
            "<FolderSync xmlns=\"FolderHierarchy\"><Status>1</Status><SyncKey>1</SyncKey><Changes>{}</Changes></FolderSync>",
            folders.iter().map(add).collect::<String>()
        );
        exchange("FolderSync", Vec::new(), Document::from_xml(&xml).unwrap().encode())
    };
    let before = list(&[("Inbox", "2"), ("Notes", "10")]);
    assert_eq!(compared(&before, &list(&[("Inbox", "2"), ("Notes", "12")])).0, [Kind::FolderTypeChanged]);
    assert_eq!(compared(&before, &list(&[("Inbox", "2")])).0, [Kind::FolderLost]);
}

#[test]
fn a_built_in_folder_is_the_same_under_another_name() {
    let list = |name: &str, kind: u8| {
        let xml = format!(
            "<FolderSync xmlns=\"FolderHierarchy\"><Status>1</Status><SyncKey>1</SyncKey><Changes><Count>1</Count><Add>\
             <ServerId>{name}-id</ServerId><ParentId>0</ParentId><DisplayName>{name}</DisplayName><Type>{kind}</Type>\
             </Add></Changes></FolderSync>"
        );
        exchange("FolderSync", Vec::new(), Document::from_xml(&xml).unwrap().encode())
    };
    let (kinds, comparison) = compared(&list("Sent Items", 5), &list("Sent", 5));
    assert_eq!(kinds, [Kind::ItemChanged]);
    assert!(comparison.pairs.iter().any(|pair| pair.owned == Owned::Folder && pair.after == "Sent-id"));
}

#[test]
fn a_list_of_changes_that_only_one_answer_has_is_told_item_by_item() {
    let none = sync("1", "<SyncKey>2</SyncKey><Status>1</Status>");
    let one = sync("1", &page("2", &[mail("5:1", "Welcome", "")], ""));
    let (kinds, comparison) = compared(&one, &none);
    assert_eq!((kinds, comparison.lost.len()), (vec![Kind::ItemLost], 1));
}

#[test]
fn a_status_is_named_by_its_place() {
    let answer = |status: &str| {
        let xml = format!(
            "<Provision xmlns=\"Provision\"><Status>1</Status><Policies><Policy><PolicyType>x</PolicyType>\
             <Status>{status}</Status></Policy></Policies></Provision>"
        );
        exchange("Provision", Vec::new(), Document::from_xml(&xml).unwrap().encode())
    };
    let (_, comparison) = compared(&answer("1"), &answer("2"));
    assert!(comparison.differences.iter().any(|found| found.after.contains("No policy")), "{comparison:?}");
}

#[test]
fn headers_that_devices_read_are_told_from_those_about_machines() {
    let with = |headers: &[(&str, &str)]| {
        let mut exchange = sync("1", "<SyncKey>2</SyncKey><Status>1</Status>");
        if let Outcome::Answered(response) = &mut exchange.outcome {
            headers.iter().for_each(|(name, value)| response.headers.push(*name, *value));
        }
        exchange
    };
    let before = with(&[("Server", "a"), ("X-MS-RP", "14.1,16.1"), ("MS-ASProtocolVersions", "14.1,16.1")]);
    let after = with(&[("Server", "b"), ("MS-ASProtocolVersions", "16.1")]);
    let (kinds, comparison) = compared(&before, &after);
    assert_eq!(kinds, [Kind::VersionGone, Kind::HeaderVanished]);
    assert_eq!(comparison.allowed.iter().collect::<Vec<_>>(), [(Rule::MachineHeaders, 1)]);
}

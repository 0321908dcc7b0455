use easrig_exchange::ExchangeNumber;

use super::*;
use crate::{
    Scenario,
    decoded::tests::{answer, exchange},
    model::{Effects, Need},
};

/// A recording, looked at from its first exchange on.
struct Recording {
    author: Author,
    number: u64,
}

impl Recording {
    /// A phone of this version that has the folder list: 2 is the inbox, 3 the bin, 5 Sent Items, 7 tasks, 8 the calendar, 9
    /// contacts, 10 notes, 12 a folder of the owner, 19 the recipient cache.
    fn of(version: &'static str) -> (Self, &'static str) {
        let mut recording = Self { author: Author::default(), number: 0 };
        let folder = |(id, kind, name): (&str, u16, &str)| {
            format!(
                "<Add><ServerId>{id}</ServerId><ParentId>0</ParentId><DisplayName>{name}</DisplayName>\
                 <Type>{kind}</Type></Add>"
            )
        };
        let folders = [
            ("2", 2, "Inbox"),
            ("3", 4, "Deleted Items"),
            ("5", 5, "Sent Items"),
            ("7", 7, "Tasks"),
            ("8", 8, "Calendar"),
            ("9", 9, "Contacts"),
            ("10", 10, "Notes"),
            ("12", 12, "Projects"),
            ("19", 19, "RecipientInfo"),
        ];
        let adds: String = folders.into_iter().map(folder).collect();
        let answer = format!(
            "<FolderSync xmlns=\"FolderHierarchy\"><Status>1</Status><SyncKey>1</SyncKey><Changes><Count>9</Count>{adds}\
             </Changes></FolderSync>"
        );
        let asked = "<FolderSync xmlns=\"FolderHierarchy\"><SyncKey>0</SyncKey></FolderSync>";
        recording.hear("FolderSync", version, asked, &answer);
        (recording, version)
    }

    /// What comes before the sequence.
    fn hear(&mut self, command: &str, version: &str, asked: &str, answer: &str) {
        self.take(command, version, asked, answer, false);
    }

    /// The next exchange of the sequence.
    fn see(&mut self, command: &str, version: &str, asked: &str, answer: &str) {
        self.take(command, version, asked, answer, true);
    }

    fn take(&mut self, command: &str, version: &str, asked: &str, answer: &str, chosen: bool) {
        self.number += 1;
        let mut taken = exchange(command, version, asked, answer);
        taken.number = ExchangeNumber(self.number);
        self.author.look(&taken, chosen);
    }

    /// The written file, which can be loaded.
    #[track_caller]
    fn file(self) -> (String, Scenario) {
        let authored = self.author.finish();
        assert_eq!(authored.left_out(), [], "nothing is left out");
        let text = authored.file("recorded/it");
        let scenario = Scenario::parse("recorded/it.toml", &text);
        (text.clone(), scenario.unwrap_or_else(|error| panic!("{error:?}\n{text}")))
    }

    /// Why the last exchange became no step.
    #[track_caller]
    fn reason(self) -> String {
        let authored = self.author.finish();
        let (_, why) = authored.left_out().last().expect("something is left out").clone();
        why
    }
}

/// A Sync of one folder.
fn sync(folder: &str, key: &str, more: &str) -> String {
    format!(
        "<Sync xmlns=\"AirSync\"><Collections><Collection><SyncKey>{key}</SyncKey><CollectionId>{folder}</CollectionId>\
         {more}</Collection></Collections></Sync>"
    )
}

/// Its answer.
fn synced(folder: &str, key: &str, more: &str) -> String {
    format!(
        "<Sync xmlns=\"AirSync\"><Collections><Collection><SyncKey>{key}</SyncKey><CollectionId>{folder}</CollectionId>\
         <Status>1</Status>{more}</Collection></Collections></Sync>"
    )
}

/// An item as the server tells of it.
fn told(id: &str, namespace: &str, subject: &str, more: &str) -> String {
    format!(
        "<Commands><Add><ServerId>{id}</ServerId><ApplicationData><Subject xmlns=\"{namespace}\">{subject}</Subject>{more}\
         </ApplicationData></Add></Commands>"
    )
}

#[track_caller]
fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn an_empty_sync_follows_the_request_that_it_repeats() {
    let (mut phone, version) = Recording::of("14.1");
    phone.see("Sync", version, &sync("2", "0", ""), &synced("2", "1", ""));
    phone.see("Sync", version, &sync("2", "1", "<WindowSize>9</WindowSize>"), "");
    phone.see("Sync", version, "", "");
    let (text, _) = phone.file();
    assert_eq!(text.matches("send = \"Sync\"").count(), 3, "nothing comes between them: {text}");
    holds(&text, &["send = \"Sync\"\nempty = true\n[step.expect]"]);
}

#[test]
fn what_an_empty_sync_repeats_is_brought_to_the_servers_mind_first() {
    let (mut phone, version) = Recording::of("14.1");
    phone.hear("Sync", version, &sync("2", "0", ""), &synced("2", "1", ""));
    phone.hear("Sync", version, &sync("2", "1", "<WindowSize>9</WindowSize>"), "");
    phone.see("Sync", version, "", &synced("2", "2", ""));
    let (text, _) = phone.file();
    holds(&text, &["the server is told what later requests leave out", "<WindowSize>9</WindowSize>"]);
    let (_, last) = text.rsplit_once("[[step]]").expect("a step");
    holds(last, &["empty = true", "min_count = 0, save = \"inbox_recorded\""]);
}

#[test]
fn a_partial_sync_is_completed_from_the_one_before() {
    let (mut phone, version) = Recording::of("14.1");
    phone.see("Sync", version, &sync("2", "0", ""), &synced("2", "1", ""));
    phone.see("Sync", version, &sync("2", "1", ""), "");
    let part = "<Sync xmlns=\"AirSync\"><WindowSize>5</WindowSize><Partial/></Sync>";
    phone.see("Sync", version, part, &synced("2", "2", ""));
    phone.see("Sync", version, "", "");
    let (text, _) = phone.file();
    assert_eq!(text.matches("send = \"Sync\"").count(), 4, "{text}");
    holds(&text, &["<Partial/>", "empty = true"]);
}

#[test]
fn a_wait_for_nothing_is_shortened_and_kept_once() {
    let (mut phone, version) = Recording::of("14.1");
    let ping = "<Ping xmlns=\"Ping\"><HeartbeatInterval>900</HeartbeatInterval><Folders><Folder><Id>2</Id>\
                <Class>Email</Class></Folder></Folders></Ping>";
    let nothing = "<Ping xmlns=\"Ping\"><Status>1</Status></Ping>";
    phone.see("Ping", version, ping, nothing);
    phone.see("Ping", version, "", nothing);
    phone.see("Ping", version, "", nothing);
    let authored = phone.author.finish();
    assert_eq!(authored.left_out(), [(4, "it waits for nothing once more".to_owned())]);
    let text = authored.file("recorded/it");
    holds(&text, &["<HeartbeatInterval>60</HeartbeatInterval>", "status = [1, 5]", "send = \"Ping\"\nempty = true"]);
}

#[test]
fn an_empty_ping_that_is_woken_waits_in_the_background() {
    let (mut phone, version) = Recording::of("14.1");
    let ping = "<Ping xmlns=\"Ping\"><HeartbeatInterval>900</HeartbeatInterval><Folders><Folder><Id>8</Id>\
                <Class>Calendar</Class></Folder></Folders></Ping>";
    let news = "<Ping xmlns=\"Ping\"><Status>2</Status><Folders><Folder>8</Folder></Folders></Ping>";
    phone.see("Ping", version, ping, news);
    phone.see("Ping", version, "", news);
    let (text, scenario) = phone.file();
    assert!(scenario.needs(Need::Tablet), "the calendar changes on another device");
    assert_eq!(text.matches("background = ").count(), 2, "{text}");
    holds(&text, &["role = \"tablet\"", "Ping/Folders[Folder={calendar}]", "send = \"Ping\"\nempty = true"]);
}

#[test]
fn a_server_that_forgot_is_left_out() {
    let (mut phone, version) = Recording::of("14.1");
    phone.see("Sync", version, &sync("2", "0", ""), &synced("2", "1", ""));
    phone.see("Sync", version, "", "<Sync xmlns=\"AirSync\"><Status>13</Status></Sync>");
    assert_eq!(phone.reason(), FORGOTTEN);
    let (mut phone, version) = Recording::of("14.1");
    phone.see("Sync", version, "", "");
    assert_eq!(phone.reason(), NOT_RECORDED);
}

#[test]
fn a_folder_of_the_owner_has_one_of_the_scenarios_in_its_place() {
    let (mut phone, version) = Recording::of("14.1");
    phone.see("Sync", version, &sync("12", "0", ""), &synced("12", "1", ""));
    let rename = "<FolderUpdate xmlns=\"FolderHierarchy\"><SyncKey>1</SyncKey><ServerId>12</ServerId><ParentId>0</ParentId>\
                  <DisplayName>Done</DisplayName></FolderUpdate>";
    let renamed = "<FolderUpdate xmlns=\"FolderHierarchy\"><Status>1</Status><SyncKey>2</SyncKey></FolderUpdate>";
    phone.see("FolderUpdate", version, rename, renamed);
    let (text, scenario) = phone.file();
    assert_eq!(scenario.effects, Effects::Writes);
    holds(
        &text,
        &["<DisplayName>{tag} folder 1</DisplayName><Type>12</Type>", "<ServerId>{folder_1}</ServerId>", "[[cleanup]]"],
    );
    assert!(!text.contains("Projects") && !text.contains("Done"), "{text}");
}

#[test]
fn a_taken_name_is_taken_again() {
    let (mut phone, version) = Recording::of("14.1");
    let asked = "<FolderCreate xmlns=\"FolderHierarchy\"><SyncKey>1</SyncKey><ParentId>0</ParentId>\
                 <DisplayName>Projects</DisplayName><Type>12</Type></FolderCreate>";
    let refused = "<FolderCreate xmlns=\"FolderHierarchy\"><Status>2</Status></FolderCreate>";
    phone.see("FolderCreate", version, asked, refused);
    let (text, _) = phone.file();
    assert_eq!(text.matches("<DisplayName>{tag} folder 1</DisplayName>").count(), 2, "{text}");
    holds(&text, &["status = 2"]);
}

#[test]
fn the_recipient_cache_is_left_out() {
    let (mut phone, version) = Recording::of("14.1");
    phone.see("Sync", version, &sync("19", "0", ""), &synced("19", "1", ""));
    assert_eq!(phone.reason(), "it is about a folder of a kind that scenarios do not know");
}

#[test]
fn tasks_and_notes_are_made_before_they_are_deleted() {
    for (folder, namespace, part) in [("7", "Tasks", "<i:Complete>0</i:Complete>"), ("10", "Notes", "IPM.StickyNote")] {
        let (mut phone, version) = Recording::of("14.1");
        phone.hear("Sync", version, &sync(folder, "0", ""), &synced(folder, "1", ""));
        phone.hear("Sync", version, &sync(folder, "1", ""), &synced(folder, "2", &told("7:1", namespace, "Milk", "")));
        let delete = "<Commands><Delete><ServerId>7:1</ServerId></Delete></Commands>";
        phone.see("Sync", version, &sync(folder, "2", delete), &synced(folder, "3", ""));
        let (text, _) = phone.file();
        holds(&text, &[part, "{tag} item", "<Delete>"]);
        assert!(!text.contains("Milk"), "{text}");
    }
}

#[test]
fn an_emptied_folder_is_never_the_owners() {
    let (mut phone, version) = Recording::of("14.1");
    let empty = "<ItemOperations xmlns=\"ItemOperations\"><EmptyFolderContents><CollectionId xmlns=\"AirSync\">3\
                 </CollectionId></EmptyFolderContents></ItemOperations>";
    let emptied = "<ItemOperations xmlns=\"ItemOperations\"><Status>1</Status><Response><EmptyFolderContents>\
                   <Status>1</Status><CollectionId xmlns=\"AirSync\">3</CollectionId></EmptyFolderContents></Response>\
                   </ItemOperations>";
    phone.see("ItemOperations", version, empty, emptied);
    let (text, scenario) = phone.file();
    assert_eq!(scenario.effects, Effects::Writes);
    let (_, step) = text.split_once("<EmptyFolderContents>").expect("the step");
    let (step, _) = step.split_once("</EmptyFolderContents>").expect("its end");
    holds(step, &["{folder_1}"]);
    holds(&text, &["Commands/*[ServerId={item_2}]"]);
}

#[test]
fn a_conversation_is_named_by_its_bytes() {
    let (mut phone, version) = Recording::of("14.1");
    let talk = "<ConversationId xmlns=\"Email2\"><?opaque ff00?></ConversationId>";
    phone.hear("Sync", version, &sync("2", "0", ""), &synced("2", "1", ""));
    phone.hear("Sync", version, &sync("2", "1", ""), &synced("2", "2", &told("2:1", "Email", "Talk", talk)));
    let asked = "<ItemOperations xmlns=\"ItemOperations\"><Move><ConversationId><?opaque ff00?></ConversationId>\
                 <DstFldId>3</DstFldId><Options><MoveAlways/></Options></Move></ItemOperations>";
    let moved = "<ItemOperations xmlns=\"ItemOperations\"><Status>1</Status><Response><Move><Status>1</Status>\
                 <ConversationId><?opaque ff00?></ConversationId></Move></Response></ItemOperations>";
    phone.see("ItemOperations", version, asked, moved);
    let (text, _) = phone.file();
    holds(
        &text,
        &[
            "<?opaque {conversation_1}?>",
            "ApplicationData/ConversationId\", save = \"conversation_1\"",
            "<DstFldId>{deleted}",
        ],
    );
}

#[test]
fn only_a_certificate_that_was_not_trusted_is_checked_again() {
    let asked = "<ValidateCert xmlns=\"ValidateCert\"><Certificates><Certificate>AAAA</Certificate></Certificates></ValidateCert>";
    let said = |status: u16| {
        format!(
            "<ValidateCert xmlns=\"ValidateCert\"><Status>1</Status><Certificate><Status>{status}</Status></Certificate>\
             </ValidateCert>"
        )
    };
    let (mut phone, version) = Recording::of("14.1");
    phone.see("ValidateCert", version, asked, &said(4));
    let (text, scenario) = phone.file();
    assert_eq!(scenario.effects, Effects::Reads);
    holds(&text, &["<Certificate>MII", "not = 1, each = true"]);
    let (mut phone, version) = Recording::of("14.1");
    phone.see("ValidateCert", version, asked, &said(1));
    assert_eq!(phone.reason(), "the certificate in it is the recorded person's own");
}

#[test]
fn namesakes_are_looked_up_without_a_choice() {
    let (mut phone, version) = Recording::of("14.1");
    let asked = "<ResolveRecipients xmlns=\"ResolveRecipients\"><To>Doe</To></ResolveRecipients>";
    let several = "<ResolveRecipients xmlns=\"ResolveRecipients\"><Status>1</Status><Response><To>Doe</To><Status>2</Status>\
                   <RecipientCount>2</RecipientCount></Response></ResolveRecipients>";
    phone.see("ResolveRecipients", version, asked, several);
    let (text, _) = phone.file();
    holds(
        &text,
        &[
            "one@example.org",
            "two@example.org",
            "ResolveRecipients/Response[1]/Status\", not = 1",
            "<To>{tag} item 1</To>",
        ],
    );
    assert!(!text.contains("Doe"), "{text}");
}

#[test]
fn a_reply_names_a_search_hit_and_what_it_consists_of() {
    let (mut phone, version) = Recording::of("14.1");
    let mime = "Subject: Re: hello\nContent-Type: text/html\n\n<p>Hi</p>";
    let reply = format!(
        "<SmartReply xmlns=\"ComposeMail\"><ClientId>c1</ClientId><Source><LongId>RgAA</LongId></Source><ReplaceMime/>\
         <Mime>{}</Mime></SmartReply>",
        mime.replace('<', "&lt;")
    );
    phone.see("SmartReply", version, &reply, "");
    let duplicate = "<SmartReply xmlns=\"ComposeMail\"><Status>118</Status></SmartReply>";
    phone.see("SmartReply", version, &reply, duplicate);
    let (text, _) = phone.file();
    holds(
        &text,
        &["source = { long_id = \"{hit_2}\" }", "replace_mime = true", "html = \"<p>Recorded.</p>\"", "status = 118"],
    );
    assert_eq!(text.matches("client_id = \"{tag}-mail-3\"").count(), 2, "{text}");
}

#[test]
fn dates_of_a_search_are_as_far_from_now_as_they_were() {
    // 2026-01-08T00:00:00Z
    let at = Some(easrig_exchange::Timestamp(1_767_830_400_000_000));
    assert_eq!(asked::moment("2026-01-01T00:00:00.000Z", at).as_deref(), Some("{now-10080m:long}"));
    assert_eq!(asked::moment("2026-01-08T01:00:00.000Z", at).as_deref(), Some("{now+60m:long}"));
    assert_eq!(asked::moment("a word", at), None);
}

#[test]
fn a_key_that_is_long_past_is_refused_again_and_a_good_one_is_left_out() {
    let refused = "<Sync xmlns=\"AirSync\"><Collections><Collection><SyncKey>0</SyncKey><CollectionId>2</CollectionId>\
                   <Status>3</Status></Collection></Collections></Sync>";
    let begun = |phone: &mut Recording, version| {
        phone.see("Sync", version, &sync("2", "0", ""), &synced("2", "1", ""));
        phone.see("Sync", version, &sync("2", "1", ""), &synced("2", "2", ""));
        phone.see("Sync", version, &sync("2", "2", ""), &synced("2", "3", ""));
    };
    let (mut phone, version) = Recording::of("14.1");
    begun(&mut phone, version);
    phone.see("Sync", version, &sync("2", "1", ""), refused);
    holds(&phone.file().0, &["{inbox_recorded}77", "status = 3"]);
    let (mut phone, version) = Recording::of("14.1");
    begun(&mut phone, version);
    phone.see("Sync", version, &sync("2", "3", ""), refused);
    assert_eq!(phone.reason(), KEY_REFUSED);
}

#[test]
fn what_was_written_is_expected_where_it_came_back() {
    let (mut phone, version) = Recording::of("14.1");
    phone.see("Sync", version, &sync("8", "0", ""), &synced("8", "1", ""));
    let data = "<Subject xmlns=\"Calendar\">Dentist</Subject><Reminder xmlns=\"Calendar\">15</Reminder>\
                <BusyStatus xmlns=\"Calendar\">2</BusyStatus>";
    let add =
        format!("<Commands><Add><ClientId>c1</ClientId><ApplicationData>{data}</ApplicationData></Add></Commands>");
    let taken = "<Responses><Add><ClientId>c1</ClientId><ServerId>8:1</ServerId><Status>1</Status></Add></Responses>";
    phone.see("Sync", version, &sync("8", "1", &add), &synced("8", "2", taken));
    phone.see("Sync", version, &sync("8", "0", ""), &synced("8", "3", ""));
    let back = "<Reminder xmlns=\"Calendar\">15</Reminder><BusyStatus xmlns=\"Calendar\">0</BusyStatus>";
    phone.see("Sync", version, &sync("8", "3", ""), &synced("8", "4", &told("8:1", "Calendar", "Dentist", back)));
    let (text, _) = phone.file();
    holds(&text, &["ApplicationData/Reminder\", equals = \"15\""]);
    assert!(!text.contains("ApplicationData/BusyStatus\""), "that did not come back: {text}");
}

#[test]
fn what_another_device_did_is_not_expected_of_the_scenario() {
    let (mut phone, version) = Recording::of("14.1");
    phone.see("Sync", version, &sync("9", "0", ""), &synced("9", "1", ""));
    let change = "<Commands><Change><ServerId>9:1</ServerId><ApplicationData><FileAs xmlns=\"Contacts\">A</FileAs>\
                  </ApplicationData></Change></Commands>";
    let lost = "<Responses><Change><ServerId>9:1</ServerId><Status>7</Status></Change></Responses>";
    phone.see("Sync", version, &sync("9", "1", change), &synced("9", "2", lost));
    assert_eq!(phone.reason(), "another device had changed the item in between");
}

#[test]
fn the_version_is_that_of_most_steps() {
    let (mut phone, _) = Recording::of("14.1");
    phone.see("Sync", "14.1", &sync("2", "0", ""), &synced("2", "1", ""));
    phone.see("Sync", "2.5", &sync("2", "0", ""), &synced("2", "1", ""));
    phone.see("Sync", "2.5", &sync("2", "1", ""), &synced("2", "2", ""));
    let authored = phone.author.finish();
    assert_eq!(authored.left_out(), [(2, "it speaks 14.1, most of the sequence another version".to_owned())]);
    assert_eq!(authored.written(), 2);
    holds(&authored.file("recorded/it"), &["versions = [\"2.5\"]"]);
}

#[test]
fn nothing_but_the_ladder_is_a_scenario_of_its_own() {
    let mut options = exchange("Sync", "14.1", "", "");
    options.request.method = "OPTIONS".to_owned();
    let mut author = Author::default();
    author.look(&options, true);
    let authored = author.finish();
    assert_eq!(authored.written(), 1);
    let text = authored.file("recorded/it");
    assert!(Scenario::parse("recorded/it.toml", &text).is_ok(), "{text}");
    holds(&text, &["start    = \"none\"", "send = \"OPTIONS\""]);
}

#[test]
fn what_was_not_served_is_left_out_with_what_was_said() {
    let (mut phone, version) = Recording::of("14.1");
    let mut busy = exchange("Sync", version, &sync("2", "0", ""), "");
    answer(&mut busy).status = 503;
    phone.author.look(&busy, true);
    assert_eq!(phone.reason(), "it was not served (HTTP 503 without a body)");
}

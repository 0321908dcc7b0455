use super::rig::*;

#[test]
fn mail_is_sent_as_a_message_up_to_12_1_and_in_a_document_from_14_0() {
    let letter =
        crate::Letter { to: vec!["bob@easrig.test".to_owned()], subject: "hi".to_owned(), ..Default::default() };
    let mut table = Table::new("android-4", Version::V12_1);
    table.begin(Habit::SendMail(letter.clone()));
    let sent = table.expect(Command::SendMail);
    assert_eq!(sent.request.headers.get("Content-Type"), Some("message/rfc822"));
    assert!(sent.request.query().contains("SaveInSent=T"), "{}", sent.request.query());
    assert!(sent.request.body.starts_with(b"From: alice@easrig.test\r\n"));
    table.reply(&sent, 200, Vec::new());
    assert_eq!(table.ended().end, End::Finished);

    let mut table = Table::new("android-4", Version::V14_0);
    table.begin(Habit::SendMail(letter));
    let sent = table.expect(Command::SendMail);
    assert_eq!(sent.request.headers.get("Content-Type"), Some("application/vnd.ms-sync.wbxml"));
    let document = Document::decode(&sent.request.body).unwrap();
    assert!(document.root().child(tags::compose_mail::SAVE_IN_SENT_ITEMS).is_some());
    table.reply(&sent, 200, Vec::new());
    assert_eq!(table.ended().end, End::Finished);
}

#[test]
fn tidying_deletes_for_good_what_carries_the_mark_and_nothing_else() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[("easrig-abcdef12 hi", "5:1"), ("mine", "5:2")]);
    table.begin(Habit::Tidy { tag: "easrig-abcdef12".to_owned() });
    let sent = table.expect(Command::FolderSync);
    let unchanged = folder_sync::Response { status: Status(1), sync_key: Some("f1".into()), changes: None };
    table.answer(&sent, &unchanged.to_document(Version::V14_1));
    let look = table.expect(Command::Sync);
    table.reply(&look, 200, Vec::new());
    let delete = table.expect(Command::Sync);
    let document = Document::decode(&delete.request.body).unwrap();
    let asked = sync::Request::from_document(&document, Version::V14_1).unwrap();
    let deleted = sync::Command::Delete { server_id: "5:1".into(), instance_id: None };
    assert_eq!(asked.collections[0].commands, [deleted]);
    assert_eq!(asked.collections[0].deletes_as_moves, Some(easrig_eas::command::Flag::Value(false)));
}

#[test]
fn a_short_mark_is_never_deleted_by() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[("a", "5:1")]);
    table.begin(Habit::Tidy { tag: "a".to_owned() });
    assert!(matches!(table.ended().end, End::GaveUp(_)));
}

#[test]
fn a_reader_opens_text_and_attachment_and_marks_the_mail_read() {
    let mut table = Table::with_inbox("ios-11", Version::V14_1, &[]);
    table.begin(Habit::ReadMail { subject: "hi".to_owned() });
    let sent = table.expect(Command::Sync);
    let xml = r#"<ApplicationData xmlns="AirSync"><Subject xmlns="Email">hi</Subject><Read xmlns="Email">0</Read>
        <Body xmlns="AirSyncBase"><Type>1</Type><Truncated>1</Truncated><Data>he</Data></Body>
        <Attachments xmlns="AirSyncBase"><Attachment><DisplayName>a.bin</DisplayName>
        <FileReference>5:1:0</FileReference><EstimatedDataSize>3</EstimatedDataSize></Attachment></Attachments>
        </ApplicationData>"#;
    let content = easrig_eas::command::Item(Document::from_xml(xml).unwrap());
    let add = sync::ServerCommand::Add { server_id: "5:1".into(), class: None, application_data: content };
    let page = table.synced("s3", false, vec![add]);
    table.answer(&sent, &page);
    let fetch = |inner: &str| {
        let xml = format!(
            r#"<ItemOperations xmlns="ItemOperations"><Status>1</Status><Response><Fetch><Status>1</Status>{inner}
            </Fetch></Response></ItemOperations>"#
        );
        Document::from_xml(&xml).unwrap()
    };
    let text = table.expect(Command::ItemOperations);
    let mime = "Subject: hi\r\nContent-Type: text/plain\r\n\r\nhello";
    let body =
        format!(r#"<Properties><Body xmlns="AirSyncBase"><Type>4</Type><Data>{mime}</Data></Body></Properties>"#);
    table.answer(&text, &fetch(&body));
    let file = table.expect(Command::ItemOperations);
    table.answer(&file, &fetch("<Properties><Data>AQID</Data></Properties>"));
    let mark = table.expect(Command::Sync);
    let page = table.synced("s4", false, Vec::new());
    table.answer(&mark, &page);
    assert_eq!(table.ended().end, End::Finished);
    let item = &table.phone.owner().items[0];
    assert_eq!((item.body.trim(), item.read), ("hello", true));
    assert_eq!(item.attachments[0].content.as_deref(), Some(&[1, 2, 3][..]));
}

#[test]
fn a_moved_message_leaves_its_folder_and_both_folders_are_looked_at() {
    let mut table = Table::with_inbox("ios-11", Version::V14_1, &[("hi", "5:1")]);
    table.begin(Habit::Move { subject: "hi".to_owned(), to: FolderRef::from("Trash") });
    let sent = table.expect(Command::MoveItems);
    let xml = r#"<MoveItems xmlns="Move"><Response><SrcMsgId>5:1</SrcMsgId><Status>3</Status><DstMsgId>7:1</DstMsgId>
        </Response></MoveItems>"#;
    table.answer(&sent, &Document::from_xml(xml).unwrap());
    assert!(table.phone.owner().items.is_empty());
    let inbox = table.expect(Command::Sync);
    table.reply(&inbox, 200, Vec::new());
    let trash = table.expect(Command::Sync);
    let asked = sync::Request::from_document(&Document::decode(&trash.request.body).unwrap(), Version::V14_1).unwrap();
    assert_eq!((asked.collections[0].collection_id.as_str(), asked.collections[0].sync_key.is_initial()), ("7", true));
}

#[test]
fn an_organiser_is_told_by_the_device_where_the_device_does_it() {
    let mut table = Table::with_inbox("android-4", Version::V14_1, &[]);
    table.begin(Habit::Meeting { subject: "plan".to_owned(), answer: crate::MeetingAnswer::Accept });
    let sent = table.expect(Command::Sync);
    let id: Vec<u8> = [0; 40].into_iter().chain(*b"vCal-Uid\x01\0\0\0uid-7\0").collect();
    let id = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, id);
    let content = easrig_eas::command::Item::build(tags::air_sync::APPLICATION_DATA, |out| {
        out.leaf(tags::email::SUBJECT, "plan").leaf(tags::email::FROM, "\"Bob\" <bob@easrig.test>");
        out.open(tags::email::MEETING_REQUEST).leaf(tags::email::GLOBAL_OBJ_ID, &id).close();
    });
    let add = sync::ServerCommand::Add { server_id: "5:1".into(), class: None, application_data: content };
    let page = table.synced("s3", false, vec![add]);
    table.answer(&sent, &page);
    let respond = table.expect(Command::MeetingResponse);
    let xml = r#"<MeetingResponse xmlns="MeetingResponse"><Result><RequestId>5:1</RequestId><Status>1</Status></Result>
        </MeetingResponse>"#;
    table.answer(&respond, &Document::from_xml(xml).unwrap());
    let told = table.expect(Command::SendMail);
    let document = Document::decode(&told.request.body).unwrap();
    let mime = document.root().child(tags::compose_mail::MIME).unwrap().bytes().into_owned();
    let message = mail_parser::MessageParser::default().parse(&mime).unwrap();
    assert_eq!(message.subject(), Some("Accepted: plan"));
    let calendar = message.parts.iter().find_map(|part| part.text_contents().filter(|text| text.contains("VEVENT")));
    let calendar = calendar.unwrap();
    assert!(calendar.contains("METHOD:REPLY") && calendar.contains("UID:uid-7"), "{calendar}");
    assert!(calendar.contains("PARTSTAT=ACCEPTED:mailto:alice@easrig.test"), "{calendar}");
}

#[test]
fn a_new_event_stands_in_the_calendar_under_the_name_the_server_gives() {
    for (version, uid) in [(Version::V14_1, tags::calendar::UID), (Version::V16_1, tags::calendar::CLIENT_UID)] {
        let mut table = Table::new("ios-17", version);
        table.begin(Habit::CreateEvent { subject: "plan".to_owned() });
        let sent = table.expect(Command::FolderSync);
        let folder = folder_sync::Folder {
            server_id: "5".into(),
            parent_id: "0".into(),
            display_name: "Calendar".to_owned(),
            folder_type: folder_sync::FolderType(8),
        };
        let changes = folder_sync::Changes { count: Some(1), changes: vec![folder_sync::Change::Add(folder)] };
        let said = folder_sync::Response { status: Status(1), sync_key: Some("f1".into()), changes: Some(changes) };
        table.answer(&sent, &said.to_document(version));
        for key in ["s1", "s2"] {
            let sent = table.expect(Command::Sync);
            let page = table.synced(key, false, Vec::new());
            table.answer(&sent, &page);
        }
        let sent = table.expect(Command::Sync);
        let document = Document::decode(&sent.request.body).unwrap();
        let mut asked = sync::Request::from_document(&document, version).unwrap();
        let Some(sync::Command::Add { client_id, application_data, .. }) = asked.collections[0].commands.pop() else {
            panic!("{document:?}")
        };
        assert!(application_data.child(uid).is_some(), "{version}: {application_data:?}");
        let response = sync::CommandResponse::Add {
            client_id: Some(client_id),
            server_id: Some("5:77".into()),
            class: None,
            status: Some(Status(1)),
            application_data: None,
        };
        let collection = sync::CollectionResponse {
            sync_key: Some("s3".into()),
            collection_id: Some("5".into()),
            status: Some(Status(1)),
            responses: vec![response],
            ..Default::default()
        };
        let said = sync::Response { collections: vec![collection], ..Default::default() };
        table.answer(&sent, &said.to_document(version));
        assert_eq!(table.ended().end, End::Finished);
        let item = &table.phone.owner().items[0];
        assert_eq!((item.subject.as_str(), item.server_id.as_str()), ("plan", "5:77"));
    }
}

use super::rig::*;

#[test]
fn a_busy_server_is_given_the_time_it_asks_for() {
    let mut table = Table::new("ios-11", Version::V14_1);
    table.begin(Habit::FolderSync);
    let sent = table.expect(Command::FolderSync);
    table.reply_with(&sent, 503, Headers::from_iter([("Retry-After", "7")]), Vec::new());
    let (timer, time) = table.timer();
    assert_eq!(time, Duration::from_secs(7));
    table.step(Input::TimerFired(timer));
    let again = table.expect(Command::FolderSync);
    table.reply(&again, 503, Vec::new());
    assert!(matches!(table.ended().end, End::OwnerSees(_)));
}

#[test]
fn windows_phone_names_what_went_wrong_on_the_way() {
    let host = "mail.easrig.test".to_owned();
    let unknown_ca = Failure::Tls { host: host.clone(), kind: easrig_exchange::TlsFailure::UnknownIssuer };
    let refused = Failure::Refused { host: host.clone(), port: 443 };
    let dns = Failure::Dns { host, detail: String::new() };
    for (failure, code) in [(unknown_ca, "80072F0D"), (refused, "80072EFD"), (dns, "80072EE7")] {
        let mut table = Table::new("wp7", Version::V14_0);
        table.begin(Habit::FolderSync);
        let sent = table.expect(Command::FolderSync);
        table.step(Input::Failed(sent.id, failure));
        let End::OwnerSees(error) = table.ended().end else { panic!("no error") };
        assert_eq!(error.code, code);
    }
}

#[test]
fn a_web_page_instead_of_a_document_is_an_error_of_the_device() {
    let mut table = Table::with_inbox("wp7.5", Version::V14_1, &[]);
    table.begin(Habit::Sync { folder: FolderRef::from("inbox") });
    let sent = table.expect(Command::Sync);
    table.reply(&sent, 200, b"<html><body>login</body></html>".to_vec());
    assert!(matches!(table.ended().end, End::OwnerSees(_)));
}

/// Whatever a server sends, every task ends, and nothing panics.
#[test]
fn hostile_answers_end_every_task() {
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below as u64).unwrap()
    };
    let inbox = || FolderRef::from("inbox");
    let tag = || "easrig-abcdef12".to_owned();
    for persona in ["wp7.5", "ios-17", "android-4", "outlook-mobile"] {
        for version in [Version::V2_5, Version::V12_1, Version::V14_1, Version::V16_1] {
            for habit in [
                Habit::Discover,
                Habit::Connect,
                Habit::Sync { folder: inbox() },
                Habit::Receive { subject: tag(), folder: inbox(), within: Duration::from_secs(3) },
                Habit::ReadMail { subject: tag() },
                Habit::Ping { within: Duration::from_secs(30) },
                Habit::Search { text: tag() },
                Habit::Invite { to: "bob@easrig.test".to_owned(), subject: tag() },
                Habit::Meeting { subject: tag(), answer: crate::MeetingAnswer::Decline },
                Habit::CreateContact { name: tag() },
                Habit::SetOof { text: tag() },
                Habit::Move { subject: tag(), to: FolderRef::from("deleted") },
                Habit::Tidy { tag: tag() },
            ] {
                let mut table = Table::new(persona, version);
                table.begin(habit);
                let mut ended = false;
                for _ in 0..20_000 {
                    let Some(output) = table.outputs.pop_front() else { break };
                    match output {
                        Output::Send { id, request, .. } => table.step(answer_badly(id, &request, version, &mut next)),
                        Output::LookUpSrv { id, .. } => {
                            let host = ".".to_owned();
                            let target = crate::SrvTarget { priority: 1, weight: 1, port: 443, host };
                            table.step(Input::SrvFound(id, vec![target]));
                        }
                        Output::Wait(id, time) => {
                            table.now = table.now.after(time);
                            table.step(Input::TimerFired(id));
                        }
                        Output::Done(..) => ended = true,
                        Output::Cancel(_) | Output::ShowOwner(_) => {}
                    }
                }
                assert!(ended, "{persona} at {version}");
            }
        }
    }
}

fn answer_badly(id: RequestId, request: &Request, version: Version, next: &mut impl FnMut(usize) -> usize) -> Input {
    let table = Table::new("ios-11", version);
    let body = match next(12) {
        0 => Vec::new(),
        1 => b"<html>".to_vec(),
        2 => request.body.clone(),
        3 => table.folders().encode(),
        4 => table.synced("s", next(2) == 0, vec![Table::mail("easrig-abcdef12", "5:1")]).encode(),
        5 => table.provisioned(3, None).encode(),
        6 => folder_status(u16::try_from(next(200)).unwrap()).encode(),
        7 => (0..next(64)).map(|_| u8::try_from(next(256)).unwrap()).collect(),
        8 => [3, 1, 106, 0].into_iter().chain((0..next(40)).map(|_| u8::try_from(next(256)).unwrap())).collect(),
        9 => status_only(tags::air_sync::SYNC, tags::air_sync::STATUS, u16::try_from(next(200)).unwrap()).encode(),
        10 => table.policy(&[Setting::RequireDeviceEncryption, Setting::RequireSignedSmimeMessages]).encode(),
        _ => status_only(tags::ping::PING, tags::ping::STATUS, u16::try_from(next(9)).unwrap()).encode(),
    };
    if next(40) == 0 {
        return Input::Failed(id, Failure::Closed);
    }
    let status = [200, 200, 200, 200, 200, 200, 449, 451, 302, 401, 403, 500, 503][next(13)];
    let headers = Headers::from_iter([
        ("X-MS-Location", "https://other.easrig.test/x"),
        ("Location", "/again"),
        ("Retry-After", "99999999999999999999"),
        ("MS-ASProtocolVersions", "2.5,,x,99.9,14.1"),
        ("Content-Type", ["application/vnd.ms-sync.multipart", "application/vnd.ms-sync.wbxml"][next(2)]),
        ("Content-Encoding", ["", "gzip"][usize::from(next(8) == 0)]),
        ("Set-Cookie", "a=b; Path=/"),
    ]);
    let cut = (next(30) == 0).then(|| "cut".to_owned());
    Input::Answered(id, Box::new(Response { status, reason: String::new(), headers, body, cut }))
}

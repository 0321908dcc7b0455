use easrig_eas::{Command, Version};
use easrig_refserver::{AccountConfig, Arrangement, ServerConfig, Switch};

use crate::phone::{Phone, server, text};

const SET_OOF: &str = "<Settings xmlns=\"Settings\"><Oof><Set><OofState>1</OofState><OofMessage><AppliesToInternal/>\
    <Enabled>1</Enabled><ReplyMessage>at sea</ReplyMessage><BodyType>Text</BodyType></OofMessage></Set></Oof></Settings>";
const GET_OOF: &str = "<Settings xmlns=\"Settings\"><Oof><Get><BodyType>Text</BodyType></Get></Oof></Settings>";
const WHO_AM_I: &str = "<Settings xmlns=\"Settings\"><UserInformation><Get/></UserInformation></Settings>";

#[tokio::test]
async fn out_of_office_is_kept() {
    let server = server(|_| {}).await;
    let phone = Phone::alice(&server);
    assert_eq!(text(&phone.say(Command::Settings, GET_OOF).await, "OofState").as_deref(), Some("0"));
    phone.say(Command::Settings, SET_OOF).await;
    let answer = phone.say(Command::Settings, GET_OOF).await;
    assert_eq!(text(&answer, "OofState").as_deref(), Some("1"));
    assert_eq!(text(&answer, "ReplyMessage").as_deref(), Some("at sea"));
    let timed = SET_OOF.replace("<OofState>1<", "<OofState>2<");
    let refused = phone.say(Command::Settings, &timed).await;
    assert!(refused.contains("<Oof><Status>6</Status>"), "times are missing: {refused}");
}

#[tokio::test]
async fn the_owner_has_an_address_in_the_layout_of_the_version() {
    let server = server(|_| {}).await;
    let mut phone = Phone::alice(&server);
    let new = phone.say(Command::Settings, WHO_AM_I).await;
    assert_eq!(text(&new, "PrimarySmtpAddress").as_deref(), Some("alice@easrig.test"));
    phone.version = Version::V12_1;
    let old = phone.say(Command::Settings, WHO_AM_I).await;
    assert_eq!(text(&old, "SMTPAddress").as_deref(), Some("alice@easrig.test"));
    assert!(!old.contains("Accounts"));
}

#[tokio::test]
async fn a_recovery_password_needs_the_policy() {
    let server = server(|_| {}).await;
    let phone = Phone::alice(&server);
    let xml =
        "<Settings xmlns=\"Settings\"><DevicePassword><Set><Password>1234</Password></Set></DevicePassword></Settings>";
    assert!(phone.say(Command::Settings, xml).await.contains("<DevicePassword><Status>7<"));
    let policy = vec![
        ("PasswordRecoveryEnabled".to_owned(), "1".to_owned()),
        ("AllowNonProvisionableDevices".to_owned(), "1".to_owned()),
    ];
    server.arrange("alice", None, Arrangement::Policy(policy)).unwrap();
    phone.folders().await;
    assert!(phone.say(Command::Settings, xml).await.contains("<DevicePassword><Status>1<"));
    let long = xml.replace("1234", &"x".repeat(257));
    assert!(phone.say(Command::Settings, &long).await.contains("<DevicePassword><Status>5<"));
}

fn mailbox_search(words: &str, options: &str) -> String {
    format!(
        "<Search xmlns=\"Search\"><Store><Name>Mailbox</Name><Query><And><Class xmlns=\"AirSync\">Email</Class>\
         <FreeText>{words}</FreeText></And></Query><Options>{options}</Options></Store></Search>"
    )
}

#[tokio::test]
async fn the_mailbox_is_searched_and_what_is_found_can_be_fetched() {
    let server = server(|_| {}).await;
    let phone = Phone::alice(&server);
    let one = phone.say(Command::Search, &mailbox_search("annual committee", "<Range>0-9</Range>")).await;
    assert_eq!((text(&one, "Total").as_deref(), text(&one, "Range").as_deref()), (Some("1"), Some("0-0")), "{one}");
    let long_id = text(&one, "LongId").unwrap();
    let fetch = format!(
        "<ItemOperations xmlns=\"ItemOperations\"><Fetch><Store>Mailbox</Store><LongId xmlns=\"Search\">{long_id}</LongId>\
         </Fetch></ItemOperations>"
    );
    let fetched = phone.say(Command::ItemOperations, &fetch).await;
    assert_eq!(text(&fetched, "Subject").as_deref(), Some("Minutes of the annual meeting"), "{fetched}");
    let all = phone.say(Command::Search, &mailbox_search("front office", "<Range>1-2</Range>")).await;
    assert_eq!((text(&all, "Total").as_deref(), text(&all, "Range").as_deref()), (Some("5"), Some("1-2")));
    assert_eq!(all.matches("<Result>").count(), 2);
    let behind = phone.say(Command::Search, &mailbox_search("front office", "<Range>9-12</Range>")).await;
    assert!(behind.contains("<Store><Status>12</Status>"), "{behind}");
    let none = phone.say(Command::Search, &mailbox_search("zeppelin", "<Range>0-9</Range>")).await;
    assert!(none.contains("<Status>1</Status><Result/>") && !none.contains("Total"), "{none}");
}

fn gal(words: &str) -> String {
    format!(
        "<Search xmlns=\"Search\"><Store><Name>GAL</Name><Query>{words}</Query><Options><Range>0-9</Range></Options></Store></Search>"
    )
}

#[tokio::test]
async fn the_address_list_knows_everybody_here() {
    let server = server(|_| {}).await;
    let mut phone = Phone::alice(&server);
    let bob = phone.say(Command::Search, &gal("bo")).await;
    assert_eq!(text(&bob, "EmailAddress").as_deref(), Some("bob@easrig.test"));
    assert!(phone.say(Command::Search, &gal("nobody")).await.contains("<Result/>"));
    let library = gal("x")
        .replace("GAL", "DocumentLibrary")
        .replace("<Query>x", "<Query><LinkId xmlns=\"DocumentLibrary\">\\\\x\\y</LinkId>");
    assert!(phone.say(Command::Search, &library).await.contains("<Store><Status>7<"));
    phone.version = Version::V16_1;
    let find = "<Find xmlns=\"Find\"><SearchId>1</SearchId><ExecuteSearch><GalSearchCriterion><Query>bo</Query><Options>\
        <Range>0-9</Range><Picture/></Options></GalSearchCriterion></ExecuteSearch></Find>";
    let found = phone.say(Command::Find, find).await;
    assert_eq!(text(&found, "EmailAddress").as_deref(), Some("bob@easrig.test"));
    assert!(found.contains(">173</"), "no picture: {found}");
}

#[tokio::test]
async fn find_begins_at_the_beginning() {
    let server = server(|_| {}).await;
    let phone = Phone { version: Version::V16_1, ..Phone::alice(&server) };
    let find = |id: &str, range: &str| {
        format!(
            "<Find xmlns=\"Find\"><SearchId>{id}</SearchId><ExecuteSearch><MailBoxSearchCriterion><Query>\
             <Class xmlns=\"AirSync\">Email</Class><FreeText>office</FreeText></Query><Options><Range>{range}</Range>\
             </Options></MailBoxSearchCriterion></ExecuteSearch></Find>"
        )
    };
    assert_eq!(text(&phone.say(Command::Find, &find("a", "2-3")).await, "Status").as_deref(), Some("4"));
    let first = phone.say(Command::Find, &find("b", "0-1")).await;
    assert_eq!((text(&first, "Total").as_deref(), first.matches("<Result>").count()), (Some("5"), 2), "{first}");
    let next = phone.say(Command::Find, &find("b", "2-3")).await;
    assert_eq!(text(&next, "Range").as_deref(), Some("2-3"));
}

fn resolve(name: &str, options: &str) -> String {
    format!(
        "<ResolveRecipients xmlns=\"ResolveRecipients\"><To>{name}</To><Options>{options}</Options></ResolveRecipients>"
    )
}

fn add_bobby(config: &mut ServerConfig) {
    let secret = easrig_exchange::Secret::new("x");
    config.accounts.push(AccountConfig { user: "bobby".into(), address: None, secret });
}

#[tokio::test]
async fn names_are_resolved_from_the_list_and_the_contacts() {
    let server = server(add_bobby).await;
    let phone = Phone::alice(&server);
    let certain = phone
        .say(Command::ResolveRecipients, &resolve("bob@easrig.test", "<CertificateRetrieval>2</CertificateRetrieval>"))
        .await;
    assert!(certain.contains("<Certificates><Status>7</Status>"), "{certain}");
    let both = phone.say(Command::ResolveRecipients, &resolve("bob", "")).await;
    assert!(both.contains("<To>bob</To><Status>2</Status><RecipientCount>2<"), "{both}");
    let some = phone
        .say(Command::ResolveRecipients, &resolve("bob", "<MaxAmbiguousRecipients>1</MaxAmbiguousRecipients>"))
        .await;
    assert!(some.contains("<Status>3</Status>") && some.matches("<Recipient>").count() == 1, "{some}");
    let own = phone.say(Command::ResolveRecipients, &resolve("Carter", "")).await;
    assert!(own.contains("<Type>2</Type>") && own.contains("carol@easrig.test"), "{own}");
    assert!(phone.say(Command::ResolveRecipients, &resolve("zoe", "")).await.contains("<To>zoe</To><Status>4<"));
    let bad = phone.say(Command::ResolveRecipients, &resolve("bob", "<MaxCertificates>10000</MaxCertificates>")).await;
    assert_eq!(text(&bad, "Status").as_deref(), Some("5"));
}

#[tokio::test]
async fn free_and_busy_are_those_of_the_calendar() {
    let at = jiff::Timestamp::from_second(1_700_000_000).unwrap();
    let server = server(|config| config.clock = easrig_refserver::Clock::new(move || at)).await;
    let phone = Phone::alice(&server);
    // The furnished appointment is on the next day, from ten to eleven.
    let period = "<Availability><StartTime>2023-11-15T09:30:00.000Z</StartTime>\
        <EndTime>2023-11-15T11:30:00.000Z</EndTime></Availability>";
    let answer = phone.say(Command::ResolveRecipients, &resolve("bob@easrig.test", period)).await;
    assert_eq!(text(&answer, "MergedFreeBusy").as_deref(), Some("0220"), "{answer}");
}

#[tokio::test]
async fn a_certificate_that_is_none_is_told_so() {
    let server = server(|_| {}).await;
    let xml = "<ValidateCert xmlns=\"ValidateCert\"><Certificates><Certificate>YQ==</Certificate></Certificates></ValidateCert>";
    let answer = Phone::alice(&server).say(Command::ValidateCert, xml).await;
    assert!(answer.contains("<Certificate><Status>10</Status></Certificate>"), "{answer}");
}

#[tokio::test]
async fn dishonest_answers_show() {
    let with = |switch: Switch| server(move |config| config.switches.turn_on(switch));
    let lying = with(Switch::GalSearchEmpty).await;
    assert!(Phone::alice(&lying).say(Command::Search, &gal("bo")).await.contains("<Result/>"));
    let lying = with(Switch::MailboxSearchMisses).await;
    let found = Phone::alice(&lying).say(Command::Search, &mailbox_search("office", "<Range>0-9</Range>")).await;
    assert_eq!(text(&found, "Total").as_deref(), Some("4"));
    let lying = with(Switch::OofNotStored).await;
    let phone = Phone::alice(&lying);
    phone.say(Command::Settings, SET_OOF).await;
    assert_eq!(text(&phone.say(Command::Settings, GET_OOF).await, "OofState").as_deref(), Some("0"));
    let lying = with(Switch::UserInformationEmpty).await;
    assert!(!Phone::alice(&lying).say(Command::Settings, WHO_AM_I).await.contains("alice@"));
    let lying = with(Switch::StatusMissing).await;
    assert!(
        !Phone::alice(&lying)
            .say(Command::Settings, WHO_AM_I)
            .await
            .starts_with("<Settings xmlns=\"Settings\"><Status>")
    );
    let lying = server(|config| {
        add_bobby(config);
        config.switches.turn_on(Switch::ResolveAmbiguousHidden);
    })
    .await;
    let both = Phone::alice(&lying).say(Command::ResolveRecipients, &resolve("bob", "")).await;
    assert!(both.contains("<To>bob</To><Status>1</Status><RecipientCount>1<"), "{both}");
}

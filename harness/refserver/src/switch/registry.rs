//! What each dishonest switch does to a user and which requirements and scenarios it may break: one row a switch.

use super::Switch;

/// What a switch does to a user, and what may break by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Risk {
    /// What the user suffers.
    pub suffers: &'static str,
    /// The requirements it may break.
    pub requirements: &'static [&'static str],
    /// The scenarios it may break: ids, or a whole folder of them with its `/`.
    pub scenarios: &'static [&'static str],
}

impl Risk {
    /// Whether a scenario may break.
    pub fn may_break(&self, scenario: &str) -> bool {
        self.scenarios.iter().any(|one| *one == scenario || (one.ends_with('/') && scenario.starts_with(one)))
    }
}

macro_rules! risks {
    ($($switch:ident: $suffers:literal, [$($requirement:literal),*], [$($scenario:literal),*];)*) => {
        impl Switch {
            /// What it does to a user, and what may break by it.
            pub fn risk(self) -> Risk {
                match self {
                    $(Self::$switch => Risk {
                        suffers: $suffers,
                        requirements: &[$($requirement),*],
                        scenarios: &[$($scenario),*],
                    },)*
                }
            }
        }
    };
}

risks! {
    SyncKeyNotAdvanced: "Mail comes twice, or the phone starts over again and again.",
        ["MS-ASCMD_R648", "MS-ASCMD_R654", "MS-ASCMD_R749", "MS-ASCMD_R4423", "MS-ASCMD_R4771", "MS-ASCMD_R4764",
         "MS-ASCMD_R3456", "MS-ASCMD_R4425", "MS-ASCMD_R957", "MS-ASCMD_R748", "MS-ASCMD_R4602"],
        ["sync/mail-prime-download-commit", "sync/more-available", "sync/paging-ends", "sync/bad-key",
         "sync/contact-round-trip", "sync/", "journeys/", "invariant/new-sync-key"];
    MoreAvailableDropped: "The phone stops after the first page: old mail is missing.",
        ["MS-ASCMD_R4771", "MS-ASCMD_R4764", "MS-ASCMD_R3456"],
        ["sync/more-available", "sync/paging-ends"];
    ItemLostBetweenWindows: "One message of every page never reaches the phone.",
        ["MS-ASCMD_R3456", "MS-ASCMD_R4771", "MS-ASCMD_R4764"],
        ["sync/paging-ends", "sync/more-available"];
    ItemDoubledBetweenWindows: "A message stands twice in the inbox.",
        ["MS-ASCMD_R3456", "MS-ASCMD_R4771", "MS-ASCMD_R4764"],
        ["sync/paging-ends", "sync/more-available"];
    ReadFlagLost: "Mail that was read on the phone is unread on the desk.",
        ["MS-ASEMAIL_R75", "MS-ASCMD_R5825", "MS-ASEMAIL_R640"],
        ["sync/read-mark-travels-alone", "journeys/read-mail", "journeys/two-devices"];
    FlagLost: "A follow-up flag set on the phone is gone.",
        ["MS-ASEMAIL_R76", "MS-ASCMD_R873"],
        ["sync/flag-travels-alone"];
    DeleteNotPropagated: "What was deleted on one device stays on the other.",
        ["MS-ASCMD_R4423", "MS-ASCMD_R4599", "MS-ASEMAIL_R640", "MS-ASCMD_R5874", "MS-ASCMD_R289"],
        ["sync/delete-reaches-other-device", "journeys/two-devices", "journeys/delete", "move-items/move"];
    DeleteIgnoresDeletesAsMoves: "Deleted mail is gone for good instead of in the bin.",
        ["MS-ASCMD_R5874", "MS-ASCMD_R2160"],
        ["sync/delete-moves-to-bin", "journeys/delete", "sync/delete-for-good"];
    ChangeNotPropagated: "What was changed on one device stays old on the other.",
        ["MS-ASCMD_R4423", "MS-ASCMD_R4599", "MS-ASEMAIL_R75", "MS-ASCMD_R5825", "MS-ASEMAIL_R76", "MS-ASCMD_R873",
         "MS-ASEMAIL_R640", "MS-ASCMD_R5032"],
        ["sync/flag-travels-alone", "sync/change-reaches-other-device", "sync/read-mark-travels-alone",
         "journeys/two-devices", "journeys/calendar-and-contacts"];
    StaleSyncKeyAccepted: "A phone that lost an answer misses mail without noticing.",
        ["MS-ASCMD_R4425"],
        ["sync/bad-key"];
    StaleFolderKeyAccepted: "A phone with an old folder list never learns that it is old.",
        ["MS-ASCMD_R4581", "MS-ASCMD_R4083", "MS-ASCMD_R4086"],
        ["folder-sync/bad-key", "folder-sync/empty-key"];
    FolderIdsChangeOnResync: "After a resync every folder is new, and all mail is fetched again.",
        ["MS-ASCMD_R5012", "MS-ASCMD_R4011", "MS-ASCMD_R4045", "MS-ASCMD_R4046", "MS-ASCMD_R4100", "MS-ASCMD_R4456"],
        ["folder-sync/stable-ids", "sync/", "invariant/client-traps", "folder-delete/built-in-refused", "folder-delete/delete", "folder-update/rename",
         "folder-create/create"];
    PingNeverWakes: "New mail comes only when the owner looks.",
        ["MS-ASCMD_R4235", "MS-ASCMD_R4236", "MS-ASCMD_R5032"],
        ["ping/new-mail-wakes", "journeys/ping-wakes-on-new-mail", "ping/without-body"];
    PingWrongFolder: "The phone wakes and looks into the wrong folder.",
        ["MS-ASCMD_R4235", "MS-ASCMD_R4236", "MS-ASCMD_R5032", "MS-ASCMD_R335"],
        ["ping/new-mail-wakes", "journeys/ping-wakes-on-new-mail", "ping/without-body"];
    PingHeartbeatLimitIgnored: "The phone waits longer than the network keeps its connection.",
        ["MS-ASCMD_R4249", "MS-ASCMD_R5690"],
        ["ping/heartbeat-limits"];
    TruncationIgnored: "A cheap contract is eaten up by bodies nobody asked for.",
        ["MS-ASAIRS_R276", "MS-ASAIRS_R378", "MS-ASAIRS_R180"],
        ["sync/body-truncated", "invariant/body-size"];
    TruncatedFlagMissing: "Mail ends in mid-sentence and the phone offers no rest.",
        ["MS-ASAIRS_R276", "MS-ASAIRS_R378", "MS-ASAIRS_R180"],
        ["sync/body-truncated", "invariant/body-size"];
    BodyTypeIgnored: "Mail shows raw HTML.",
        ["MS-ASAIRS_R112", "MS-ASAIRS_R2412", "MS-ASAIRS_R305", "MS-ASAIRS_R2411", "MS-ASEMAIL_R640",
         "MS-ASAIRS_R276", "MS-ASAIRS_R378"],
        ["sync/body-type-fallback", "sync/html-body", "journeys/read-mail", "sync/body-truncated",
         "invariant/body-size"];
    MimeAlways: "Mail shows its headers and boundaries.",
        ["MS-ASCMD_R3409", "MS-ASAIRS_R307", "MS-ASAIRS_R305", "MS-ASAIRS_R2411", "MS-ASAIRS_R112",
         "MS-ASAIRS_R2412", "MS-ASAIRS_R276", "MS-ASAIRS_R378", "MS-ASAIRS_R180", "MS-ASEMAIL_R640",
         "MS-ASCMD_R4153", "MS-ASCMD_R463"],
        ["sync/html-body", "sync/mime-on-request", "sync/body-type-fallback", "sync/body-truncated",
         "journeys/read-mail", "item-operations/fetch-mail-and-attachment", "send-mail/delivered"];
    HtmlFlattened: "Tables and pictures are gone from every mail.",
        ["MS-ASAIRS_R305", "MS-ASAIRS_R2411", "MS-ASAIRS_R112", "MS-ASAIRS_R2412", "MS-ASEMAIL_R640"],
        ["sync/html-body", "journeys/read-formatted-mail"];
    AttachmentsHidden: "Mail comes without its attachments, and nobody knows that it had any.",
        ["MS-ASAIRS_R211", "MS-ASAIRS_R220", "MS-ASAIRS_R225", "MS-ASEMAIL_R640", "MS-ASCMD_R4153", "MS-ASCMD_R2301",
         "MS-ASCMD_R234", "MS-ASHTTP_R154", "MS-ASCMD_R443", "MS-ASCMD_R568"],
        ["sync/attachment-reference", "journeys/read-formatted-mail", "item-operations/fetch-mail-and-attachment",
         "item-operations/multipart", "journeys/send", "smart-forward/keeps-original"];
    TasksFolderMissing: "Tasks stay on the desk and never come to the phone.",
        ["MS-ASCMD_R113"],
        ["journeys/onboarding-by-server-name", "journeys/onboarding-by-address"];
    AttachmentCorrupted: "Attachments do not open.",
        ["MS-ASCMD_R4153", "MS-ASCMD_R2301", "MS-ASCMD_R234", "MS-ASHTTP_R154", "MS-ASCMD_R236", "MS-ASCMD_R5505",
         "MS-ASAIRS_R244"],
        ["item-operations/fetch-mail-and-attachment", "item-operations/multipart"];
    FetchWrongItem: "The owner opens one message and sees another.",
        ["MS-ASCMD_R4153", "MS-ASCMD_R2301", "MS-ASCMD_R234", "MS-ASHTTP_R154", "MS-ASCMD_R236", "MS-ASCMD_R5505",
         "MS-ASAIRS_R244", "MS-ASCMD_R3846", "MS-ASCMD_R420", "MS-ASCMD_R4327", "MS-ASCMD_R463", "MS-ASCMD_R568",
         "MS-ASCMD_R580", "MS-ASCMD_R605"],
        ["item-operations/fetch-mail-and-attachment", "item-operations/multipart", "search/mailbox",
         "send-mail/delivered", "smart-forward/keeps-original", "smart-reply/arrives"];
    // Every scenario that begins with a mail to the owner: they cannot tell anything any more.
    SentMailLost: "Sent mail never arrives.",
        ["MS-ASCMD_R463", "MS-ASCMD_R4379", "MS-ASCMD_R605", "MS-ASCMD_R580", "MS-ASCMD_R5776", "MS-ASCMD_R568",
         "MS-ASCMD_R532", "MS-ASCMD_R4407", "MS-ASCMD_R4235", "MS-ASCMD_R4236", "MS-ASCMD_R113", "MS-ASCMD_R443",
         "MS-ASEMAIL_R640"],
        ["send-mail/delivered", "smart-reply/arrives", "smart-forward/keeps-original", "ping/new-mail-wakes",
         "sync/", "meeting-response/", "journeys/", "item-operations/fetch-mail-and-attachment",
         "item-operations/multipart", "move-items/move", "get-item-estimate/estimate", "search/mailbox",
         "ping/without-body"];
    SentMailDoubled: "The partner gets every mail twice.",
        ["MS-ASCMD_R4848"],
        ["send-mail/duplicate-caught"];
    ReplyWithoutOriginal: "Replies and forwards come without what they are about.",
        ["MS-ASCMD_R605", "MS-ASCMD_R580", "MS-ASCMD_R5776", "MS-ASCMD_R568", "MS-ASCMD_R532", "MS-ASCMD_R4407",
         "MS-ASCMD_R569"],
        ["smart-reply/arrives", "smart-forward/keeps-original", "journeys/reply", "journeys/forward"];
    MoveLosesItem: "A message that was filed away is gone.",
        ["MS-ASCMD_R4217", "MS-ASCMD_R289", "MS-ASCMD_R290", "MS-ASCMD_R285", "MS-ASCMD_R4764", "MS-ASCMD_R4771"],
        ["move-items/move", "journeys/move", "sync/more-available", "sync/paging-ends"];
    FolderCreateDuplicate: "There are two folders of one name.",
        ["MS-ASCMD_R4013", "MS-ASCMD_R3904", "MS-ASCMD_R4570"],
        ["folder-create/name-clash"];
    FolderDeleteBuiltin: "The phone drops its inbox, which the server still has.",
        ["MS-ASCMD_R4046", "MS-ASCMD_R4047", "MS-ASCMD_R5785", "MS-ASCMD_R4045"],
        ["folder-delete/built-in-refused"];
    FolderRenameLost: "A folder has its old name again.",
        ["MS-ASCMD_R4100"],
        ["folder-update/rename"];
    BlockNotEnforced: "A lost phone that was blocked goes on reading mail.",
        ["MS-ASCMD_R113"],
        ["journeys/blocked-device"];
    ContactNumberLost: "A new contact has no mobile number.",
        ["MS-ASCNTC_R492", "MS-ASCMD_R957", "MS-ASCNTC_R499"],
        ["sync/contact-fields-survive", "sync/ghosted-contact-fields"];
    EventReminderLost: "Nobody is reminded of an appointment made on the phone.",
        ["MS-ASCAL_R537", "MS-ASCMD_R957", "MS-ASCAL_R2223"],
        ["sync/event-fields-survive", "sync/event-fields-survive-16"];
    SeriesFlattened: "A weekly meeting takes place once.",
        ["MS-ASCAL_R537", "MS-ASCAL_R455", "MS-ASCAL_R204112", "MS-ASCAL_R541", "MS-ASCAL_R542"],
        ["sync/weekly-series-survives", "sync/exception-survives-change"];
    ContactGhostWiped: "Editing a contact on the phone wipes what the phone does not show.",
        ["MS-ASCNTC_R499", "MS-ASCMD_R5911"],
        ["sync/ghosted-contact-fields"];
    EventExceptionLost: "Moved appointments of a series jump back.",
        ["MS-ASCAL_R541", "MS-ASCAL_R542"],
        ["sync/exception-survives-change"];
    AllDayShifted: "Birthdays last two days.",
        ["MS-ASCAL_R86", "MS-ASCAL_R85", "MS-ASCAL_R235"],
        ["sync/all-day-survives"];
    FilterIgnored: "The phone fills up with years of mail.",
        ["MS-ASCMD_R3036", "MS-ASCMD_R2987", "MS-ASCMD_R3041"],
        ["sync/calendar-age-filter", "sync/mail-age-filters"];
    EstimateWrong: "The phone promises mail that does not come.",
        ["MS-ASCMD_R4134", "MS-ASCMD_R2289"],
        ["get-item-estimate/estimate"];
    OwnChangeEchoed: "What was edited on the phone comes back to it, and flickers.",
        ["MS-ASEMAIL_R81", "MS-ASCMD_R957", "MS-ASCMD_R748", "MS-ASCMD_R4423", "MS-ASEMAIL_R75", "MS-ASCMD_R5825",
         "MS-ASEMAIL_R76", "MS-ASCMD_R873"],
        ["sync/contact-round-trip", "sync/no-change-no-echo", "sync/read-mark-travels-alone",
         "sync/flag-travels-alone"];
    ConflictUnreported: "An edit that lost is gone, and nobody says so.",
        ["MS-ASCMD_R2069", "MS-ASCMD_R4444"],
        ["sync/conflict-server-wins"];
    AcceptedMeetingMissing: "An accepted meeting is not in the calendar.",
        ["MS-ASCMD_R830", "MS-ASCMD_R4180", "MS-ASCMD_R831", "MS-ASEMAIL_R17"],
        ["meeting-response/accepted-is-in-calendar", "meeting-response/accept-gives-calendar-id"];
    SentItemsEmpty: "Sent mail is not in Sent Items.",
        ["MS-ASCMD_R463", "MS-ASCMD_R4379", "MS-ASCMD_R443"],
        ["journeys/send", "send-mail/delivered"];
    PolicyKeyZero: "A phone that takes key 0 for none asks for the policy again and again.",
        ["MS-ASCMD_R4990", "MS-ASCMD_R5028", "MS-ASPROV_R378", "MS-ASPROV_R601", "MS-ASPROV_R662", "MS-ASPROV_R509",
         "MS-ASPROV_R458", "MS-ASCMD_R4912", "MS-ASHTTP_R486"],
        ["provision/policy-handshake", "provision/policy-handshake-before-14-1", "provision/asked-for-until-done",
         "provision/key-accepted-in-both-forms"];
    PolicyKeyLate: "A new phone is refused although it took the policy; one that does not ask twice shows an error.",
        ["MS-ASPROV_R509", "MS-ASCMD_R4990"],
        ["provision/asked-for-until-done", "provision/changed-policy-is-asked-for", "provision/policy-handshake",
         "provision/policy-handshake-before-14-1"];
    PolicyKeyNotChecked: "A phone without PIN reads the company's mail.",
        ["MS-ASPROV_R509", "MS-ASPROV_R458", "MS-ASCMD_R4912"],
        ["provision/strict-refuses-without-key", "provision/asked-for-until-done", "journeys/policy-refresh",
         "journeys/strict-under-a-connected-phone", "provision/changed-policy-is-asked-for"];
    PolicyRefreshNeverAsked: "A stricter policy reaches new phones only.",
        ["MS-ASPROV_R509"],
        ["provision/changed-policy-is-asked-for", "journeys/policy-refresh"];
    UnknownPolicyTypeAccepted: "A phone is handed rules it cannot read.",
        ["MS-ASPROV_R380", "MS-ASPROV_R502"],
        ["provision/unknown-policy-type", "provision/unknown-policy-type-before-14-1"];
    // Phones that choose for themselves fall for the version, and with them every scenario.
    OptionsVersionsOverstated: "The phone picks a version that is refused.",
        ["MS-ASHTTP_R296", "MS-ASHTTP_R249", "MS-ASHTTP_R1107", "MS-ASHTTP_R244", "MS-ASHTTP_R247", "MS-ASCMD_R113",
         "MS-ASCMD_R4990", "MS-ASPROV_R380", "MS-ASPROV_R458", "MS-ASPROV_R509"],
        ["options/offered-version-served", "options/versions-and-commands", "journeys/", "invariant/advertised-is-served",
         "find/", "folder-create/", "folder-delete/", "folder-sync/", "folder-update/", "get-item-estimate/",
         "item-operations/", "meeting-response/", "move-items/", "ping/", "provision/", "resolve-recipients/", "search/",
         "send-mail/", "settings/", "smart-forward/", "smart-reply/", "sync/"];
    OptionsCommandMissing: "The phone believes that there are no folders and sets up no account.",
        ["MS-ASHTTP_R1107", "MS-ASHTTP_R244", "MS-ASHTTP_R247", "MS-ASHTTP_R249"],
        ["options/versions-and-commands"];
    WrongContentType: "Strict phones refuse every answer.",
        ["MS-ASHTTP_R219", "MS-ASHTTP_R218", "MS-ASHTTP_R522"],
        ["folder-sync/content-type", "invariant/headers", "journeys/"];
    HtmlErrorPage: "The phone takes a refusal for an answer and shows nonsense.",
        ["MS-ASHTTP_R523", "MS-ASWBXML_R8"],
        ["folder-sync/unknown-user-refused", "folder-sync/wrong-password-refused", "journeys/password-changed",
         "journeys/blocked-device", "invariant/document"];
    GalSearchEmpty: "Colleagues are not found.",
        ["MS-ASCMD_R4609", "MS-ASCMD_R4268", "MS-ASCMD_R5309", "MS-ASCMD_R99910"],
        ["search/gal", "find/gal", "resolve-recipients/lookup"];
    MailboxSearchMisses: "The newest match is not found.",
        ["MS-ASCMD_R3846", "MS-ASCMD_R420", "MS-ASCMD_R4327"],
        ["search/mailbox"];
    OofNotStored: "The owner is away and nobody is told.",
        ["MS-ASCMD_R1748"],
        ["settings/oof"];
    UserInformationEmpty: "The phone does not know its owner's address and sends without sender.",
        ["MS-ASCMD_R4387", "MS-ASCMD_R5854", "MS-ASCMD_R1596"],
        ["settings/user-information"];
    AutodiscoverWrongNamespace: "The account cannot be set up by address alone.",
        ["MS-ASCMD_R113"],
        ["journeys/onboarding-by-address", "invariant/autodiscover-namespace"];
    AutodiscoverHttpUrl: "Password and mail would travel in the clear; phones refuse.",
        ["MS-ASCMD_R2883", "MS-ASCMD_R113"],
        ["journeys/onboarding-by-address"];
    ResolveAmbiguousHidden: "A mail to one of two namesakes goes to the wrong one.",
        ["MS-ASCMD_R4279", "MS-ASCMD_R4609", "MS-ASCMD_R4268", "MS-ASCMD_R5309"],
        ["resolve-recipients/ambiguous", "resolve-recipients/lookup"];
    PasswordNotChecked: "Anybody reads anybody's mail.",
        ["MS-ASHTTP_R178", "MS-ASHTTP_R523"],
        ["folder-sync/wrong-password-refused", "journeys/password-changed", "folder-sync/unknown-user-refused"];
    StatusMissing: "The phone cannot tell whether it worked.",
        ["MS-ASCMD_R4387", "MS-ASCMD_R5854", "MS-ASCMD_R1596", "MS-ASCMD_R4382", "MS-ASCMD_R1748"],
        ["settings/user-information", "settings/oof", "invariant/one-status"];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_switch_hurts_somebody_and_may_break_something() {
        for switch in Switch::ALL {
            let risk = switch.risk();
            assert!(
                !risk.suffers.is_empty() && !risk.scenarios.is_empty() && !risk.requirements.is_empty(),
                "{switch}"
            );
            let wrong = |id: &&&str| !id.starts_with("MS-") || !id.contains("_R");
            assert_eq!(risk.requirements.iter().find(wrong), None, "{switch}");
        }
    }

    #[test]
    fn a_folder_stands_for_all_in_it() {
        let risk = Risk { suffers: "", requirements: &[], scenarios: &["sync/", "ping/without-body"] };
        assert!(risk.may_break("sync/bad-key") && risk.may_break("ping/without-body"));
        assert!(!risk.may_break("ping/without-body-2") && !risk.may_break("synchrotron"));
    }
}

use std::collections::HashMap;
use std::sync::LazyLock;

use easrig_wbxml::Tag;

/// What happens to the text of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// It stands: statuses, options, the words of the standard.
    Keep,
    /// It stands: keys and ids that a server or a client chose.
    Id,
    /// It stands: what a device or a program is, in words of its maker.
    Product,
    /// It stands when it is a number, a date or a time; else it is content.
    Plain,
    /// It becomes filler word by word; the test accounts stand.
    Words,
    /// It becomes filler: the rule of every element that has no other.
    Fill,
    /// It is a whole message, if it begins like one.
    Message,
    /// It is overwritten, whatever else is kept.
    Secret,
    /// It becomes the pseudonym of a policy key.
    PolicyKey,
    /// It becomes the pseudonym of a device.
    Device,
    /// It is Base64 and stays so.
    Base64,
}

/// The rule for the text of `tag`.
pub(crate) fn rule(tag: Tag) -> Rule {
    static RULES: LazyLock<HashMap<Tag, Rule>> = LazyLock::new(|| {
        let tags = TABLE.iter().flat_map(|(namespace, rule, names)| {
            names.split_whitespace().filter_map(|name| Some((Tag::lookup(namespace, name)?, *rule)))
        });
        tags.collect()
    });
    RULES.get(&tag).copied().unwrap_or(Rule::Fill)
}

/// What the tap does to the text of an element in a record without contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Masking {
    /// It stands: a key, an id, a status, an option.
    Stands,
    /// It stands when it is a number, a date or a time ([`crate::is_plain`]), else it becomes filler.
    StandsWhenPlain,
    /// It becomes filler of as many bytes.
    Filler,
    /// It becomes a pseudonym of as many characters, also where contents are kept.
    Pseudonym,
    /// It is overwritten, also where contents are kept.
    Removed,
}

/// What the tap does to the text of `tag`.
pub fn masking(tag: Tag) -> Masking {
    match rule(tag) {
        Rule::Keep | Rule::Id | Rule::Product => Masking::Stands,
        Rule::Plain => Masking::StandsWhenPlain,
        Rule::Secret => Masking::Removed,
        Rule::PolicyKey | Rule::Device => Masking::Pseudonym,
        Rule::Words | Rule::Fill | Rule::Message | Rule::Base64 => Masking::Filler,
    }
}

/// What is known to be protocol, by namespace.
const TABLE: &[(&str, Rule, &str)] = &[
    (
        "AirSync",
        Rule::Keep,
        "Status Class Version GetChanges WindowSize FilterType Truncation RtfTruncation \
        Conflict DeletesAsMoves MIMESupport MIMETruncation Wait Limit ConversationMode MaxItems HeartbeatInterval",
    ),
    ("AirSync", Rule::Id, "SyncKey ClientId ServerId CollectionId"),
    ("Contacts", Rule::Plain, "BodySize BodyTruncated WeightedRank"),
    ("Email", Rule::Keep, "MessageClass ContentClass Status"),
    (
        "Email",
        Rule::Plain,
        "AttSize AttMethod AttRemoved BodySize BodyTruncated DateReceived Importance Read AllDayEvent \
        DtStamp EndTime InstanceType BusyStatus RecurrenceId Reminder ResponseRequested Type Until Occurrences Interval \
        DayOfWeek DayOfMonth WeekOfMonth MonthOfYear StartTime Sensitivity MIMETruncated MIMESize InternetCPID \
        CompleteTime DisallowNewTimeProposal",
    ),
    ("Email", Rule::Words, "To Cc From ReplyTo DisplayTo Organizer"),
    ("Email", Rule::Message, "MIMEData"),
    ("Email", Rule::Base64, "GlobalObjId"),
    ("Email", Rule::Keep, "TimeZone"),
    ("AirNotify", Rule::Keep, "Version LifeTime Status Expiry Enable"),
    ("AirNotify", Rule::Id, "ServerId"),
    ("AirNotify", Rule::Device, "Id"),
    ("Calendar", Rule::Keep, "Timezone"),
    (
        "Calendar",
        Rule::Plain,
        "AllDayEvent BodyTruncated BusyStatus DtStamp EndTime Deleted ExceptionStartTime MeetingStatus \
        Type Until Occurrences Interval DayOfWeek DayOfMonth WeekOfMonth MonthOfYear Reminder Sensitivity StartTime \
        AttendeeStatus AttendeeType AttSize AttMethod AttRemoved DisallowNewTimeProposal ResponseRequested \
        AppointmentReplyTime ResponseType CalendarType IsLeapMonth FirstDayOfWeek",
    ),
    ("Calendar", Rule::Words, "Email OrganizerEmail UID ClientUid"),
    ("Move", Rule::Keep, "Status"),
    ("Move", Rule::Id, "SrcMsgId SrcFldId DstFldId DstMsgId"),
    ("GetItemEstimate", Rule::Keep, "Version Class DateTime Estimate Status"),
    ("GetItemEstimate", Rule::Id, "CollectionId"),
    ("FolderHierarchy", Rule::Keep, "Type Status ContentClass Count Version"),
    ("FolderHierarchy", Rule::Id, "ServerId ParentId SyncKey"),
    ("MeetingResponse", Rule::Keep, "Status UserResponse Version InstanceId"),
    ("MeetingResponse", Rule::Id, "CalendarId CollectionId RequestId"),
    ("MeetingResponse", Rule::Plain, "ProposedStartTime ProposedEndTime"),
    (
        "Tasks",
        Rule::Plain,
        "BodySize BodyTruncated Complete DateCompleted DueDate UtcDueDate Importance Type Start Until \
        Occurrences Interval DayOfMonth DayOfWeek WeekOfMonth MonthOfYear Regenerate DeadOccur ReminderSet ReminderTime \
        Sensitivity StartDate UtcStartDate OrdinalDate CalendarType IsLeapMonth FirstDayOfWeek",
    ),
    (
        "ResolveRecipients",
        Rule::Plain,
        "Status Type CertificateRetrieval RecipientCount MaxCertificates \
        MaxAmbiguousRecipients CertificateCount StartTime EndTime MergedFreeBusy MaxSize MaxPictures",
    ),
    ("ResolveRecipients", Rule::Words, "To EmailAddress"),
    ("ResolveRecipients", Rule::Base64, "Certificate MiniCertificate"),
    ("ValidateCert", Rule::Plain, "CheckCRL Status"),
    ("ValidateCert", Rule::Base64, "Certificate"),
    ("Ping", Rule::Keep, "AutdState Status HeartbeatInterval Class MaxFolders Version"),
    ("Ping", Rule::Id, "Folder Id"),
    (
        "Provision",
        Rule::Keep,
        "PolicyType Data Status DevicePasswordEnabled AlphanumericDevicePasswordRequired \
        RequireStorageCardEncryption PasswordRecoveryEnabled DocumentBrowseEnabled AttachmentsEnabled \
        MinDevicePasswordLength MaxInactivityTimeDeviceLock MaxDevicePasswordFailedAttempts MaxAttachmentSize \
        AllowSimpleDevicePassword DevicePasswordExpiration DevicePasswordHistory AllowStorageCard AllowCamera \
        RequireDeviceEncryption AllowUnsignedApplications AllowUnsignedInstallationPackages \
        MinDevicePasswordComplexCharacters AllowWiFi AllowTextMessaging AllowPOPIMAPEmail AllowBluetooth AllowIrDA \
        RequireManualSyncWhenRoaming AllowDesktopSync MaxCalendarAgeFilter AllowHTMLEmail MaxEmailAgeFilter \
        MaxEmailBodyTruncationSize MaxEmailHTMLBodyTruncationSize RequireSignedSMIMEMessages \
        RequireEncryptedSMIMEMessages RequireSignedSMIMEAlgorithm RequireEncryptionSMIMEAlgorithm \
        AllowSMIMEEncryptionAlgorithmNegotiation AllowSMIMESoftCerts AllowBrowser AllowConsumerEmail AllowRemoteDesktop \
        AllowInternetSharing ApplicationName Hash",
    ),
    ("Provision", Rule::PolicyKey, "PolicyKey"),
    ("Search", Rule::Keep, "Name Range Status Total Schema"),
    ("Search", Rule::Id, "LongId ConversationId"),
    ("Search", Rule::Plain, "MaxSize MaxPictures Value"),
    ("Search", Rule::Secret, "Password"),
    ("Search", Rule::Words, "UserName Query"),
    ("GAL", Rule::Words, "EmailAddress"),
    ("GAL", Rule::Plain, "Status"),
    ("AirSyncBase", Rule::Keep, "InstanceId ContentType"),
    ("AirSyncBase", Rule::Id, "FileReference ClientId"),
    (
        "AirSyncBase",
        Rule::Plain,
        "Type TruncationSize AllOrNone EstimatedDataSize Truncated Method IsInline NativeBodyType \
        Status",
    ),
    ("AirSyncBase", Rule::Words, "ContentId"),
    ("AirSyncBase", Rule::Message, "Data"),
    ("Settings", Rule::Keep, "Status BodyType"),
    ("Settings", Rule::Id, "AccountId"),
    ("Settings", Rule::Product, "Model OS OSLanguage UserAgent MobileOperator"),
    ("Settings", Rule::Plain, "OofState StartTime EndTime Enabled EnableOutboundSMS SendDisabled"),
    ("Settings", Rule::Words, "SMTPAddress PrimarySmtpAddress"),
    ("Settings", Rule::Secret, "Password DevicePassword"),
    ("Settings", Rule::Device, "IMEI"),
    ("DocumentLibrary", Rule::Plain, "IsFolder CreationDate LastModifiedDate IsHidden ContentLength"),
    ("ItemOperations", Rule::Keep, "Store Range Total Status Version Schema Part"),
    ("ItemOperations", Rule::Id, "DstFldId ConversationId"),
    ("ItemOperations", Rule::Base64, "Data"),
    ("ItemOperations", Rule::Secret, "Password"),
    ("ItemOperations", Rule::Words, "UserName"),
    ("ComposeMail", Rule::Keep, "InstanceId Status Type"),
    ("ComposeMail", Rule::Id, "FolderId ItemId LongId ClientId AccountId"),
    ("ComposeMail", Rule::Message, "Mime"),
    ("ComposeMail", Rule::Words, "Email"),
    ("Email2", Rule::Id, "ConversationId ConversationIndex AccountId"),
    (
        "Email2",
        Rule::Plain,
        "UmAttDuration UmAttOrder LastVerbExecuted LastVerbExecutionTime ReceivedAsBcc CalendarType \
        IsLeapMonth FirstDayOfWeek MeetingMessageType IsDraft",
    ),
    ("Email2", Rule::Words, "Sender Bcc"),
    ("Notes", Rule::Keep, "MessageClass"),
    ("Notes", Rule::Plain, "LastModifiedDate"),
    (
        "RightsManagement",
        Rule::Plain,
        "RightsManagementSupport EditAllowed ReplyAllowed ReplyAllAllowed ForwardAllowed \
        ModifyRecipientsAllowed ExtractAllowed PrintAllowed ExportAllowed ProgrammaticAccessAllowed Owner \
        ContentExpiryDate",
    ),
    ("RightsManagement", Rule::Id, "TemplateID"),
    ("Find", Rule::Keep, "Status Range Total"),
    ("Find", Rule::Id, "SearchId"),
    ("Find", Rule::Plain, "HasAttachments MaxPictures MaxSize"),
    ("Find", Rule::Words, "DisplayCc DisplayBcc Query"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_table_is_an_element_and_stands_once() {
        let mut seen = HashMap::new();
        for (namespace, rule, names) in TABLE {
            for name in names.split_whitespace() {
                let tag = Tag::lookup(namespace, name);
                let tag = tag.unwrap_or_else(|| panic!("{namespace}:{name} is no element"));
                assert_eq!(seen.insert(tag, *rule), None, "{namespace}:{name} stands twice");
            }
        }
    }

    #[test]
    fn what_nobody_has_named_is_content() {
        assert_eq!(rule(Tag::lookup("Email", "Subject").unwrap()), Rule::Fill);
        assert_eq!(rule(Tag::new(25, 0x3F)), Rule::Fill);
    }
}

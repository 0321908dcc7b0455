//! From the tables of the file to the persona.

use std::time::Duration;

use easrig_eas::query::PlainField;
use toml::{Spanned, de::DeTable};

use super::{
    section::{File, FromToml, Section},
    word::{ByVersion, Cannot, Charset, Escaping, FullBody, OnLimit, Replies, Scheme, SearchBy, Spelling, Treatment},
    *,
};
use crate::device_error::ErrorKind;

pub(super) fn defaults(file: &mut File, table: &Spanned<DeTable<'_>>) -> Result<(), FileError> {
    let (evidence, confidence) = {
        let root = Section::root(file, table);
        (root.plain("evidence")?.unwrap_or_default(), root.plain("confidence")?.unwrap_or(Confidence::Unverified))
    };
    file.defaults(evidence, confidence);
    Ok(())
}

pub(super) fn persona(file: &File, table: &Spanned<DeTable<'_>>, hash: String) -> Result<Persona, FileError> {
    let root = Section::root(file, table);
    let _: (Option<String>, Option<Confidence>) = (root.plain("evidence")?, root.plain("confidence")?);
    let persona = Persona {
        id: root.need_plain("id")?,
        hash,
        title: root.need_plain("title")?,
        family: root.need_plain("family")?,
        identity: identity(root.need_section("identity")?)?,
        protocol: protocol(root.need_section("protocol")?)?,
        headers: headers(root.or_empty("headers")?)?,
        onboarding: onboarding(root.or_empty("onboarding")?)?,
        provisioning: provisioning(root.or_empty("provisioning")?)?,
        sync: sync(root.or_empty("sync")?)?,
        mail: mail(root.or_empty("mail")?)?,
        push: push(root.or_empty("push")?)?,
        timeouts: timeouts(root.or_empty("timeouts")?)?,
        autodiscover: discovery(root.or_empty("autodiscover")?)?,
        auth: auth(root.or_empty("auth")?)?,
        redirects: redirects(root.or_empty("redirects")?)?,
        tls: tls(root.or_empty("tls")?)?,
        search: search(root.or_empty("search")?)?,
        abilities: root.section("abilities")?.map_or(Ok(Vec::new()), abilities)?,
        errors: root.sections("error")?.into_iter().map(|row| error(file, row)).collect::<Result<_, _>>()?,
    };
    root.finish()?;
    Ok(persona)
}

fn identity(table: Section<'_>) -> Result<Identity, FileError> {
    let device_id: Sourced<String> = table.need("device_id")?;
    identity::check(&device_id.value).map_err(|why| table.complain("device_id", why, None))?;
    // Without a text there is none to send.
    let user_agent_on = if table.has("user_agent") { assumed::EVERYWHERE.to_vec() } else { Vec::new() };
    let identity = Identity {
        device_type: table.need("device_type")?,
        device_id,
        user_agent: table.or("user_agent", String::new())?,
        user_agent_on: table.or("user_agent_on", user_agent_on)?,
        device_information: table.section("device_information")?.map_or(Ok(Default::default()), description)?,
    };
    table.finish()?;
    Ok(identity)
}

fn description(table: Section<'_>) -> Result<DeviceDescription, FileError> {
    let description = DeviceDescription {
        model: table.value("model")?,
        imei: table.value("imei")?,
        friendly_name: table.value("friendly_name")?,
        os: table.value("os")?,
        os_language: table.value("os_language")?,
        phone_number: table.value("phone_number")?,
        user_agent: table.value("user_agent")?,
        enable_outbound_sms: table.value("enable_outbound_sms")?,
        mobile_operator: table.value("mobile_operator")?,
    };
    table.finish()?;
    Ok(description)
}

fn protocol(table: Section<'_>) -> Result<Protocol, FileError> {
    let versions: Sourced<Vec<Version>> = table.need("versions")?;
    if versions.value.is_empty() {
        return Err(table.complain("versions", "a device speaks at least one version".to_owned(), None));
    }
    let protocol = Protocol {
        versions,
        pick: table.or("pick", Pick::HighestCommon)?,
        fallback: table.value("fallback")?,
        query: table.need("query")?,
        base64_device_id: table.or("base64_device_id", IdForm::Text)?,
        query_order: table.or("query_order", PlainField::STANDARD.to_vec())?,
        escape: table.or("escape", Escaping::All)?,
        locale: table.or("locale", 0x0409)?,
        empty_key: table.or("empty_key", EmptyKey::Zero)?,
        policy_key_not_on: table.or("policy_key_not_on", Vec::new())?,
        content_type: table.or("content_type", "application/vnd.ms-sync.wbxml".to_owned())?,
        options_query: table.or("options_query", OptionsQuery::Absent)?,
        multipart: table.or("multipart", false)?,
    };
    table.finish()?;
    Ok(protocol)
}

fn headers(table: Section<'_>) -> Result<HeaderHabits, FileError> {
    let post = table.or("post", assumed::post())?;
    let habits = HeaderHabits {
        options: table.or("options", assumed::options())?,
        ping: table.value("ping")?.unwrap_or_else(|| post.clone()),
        post,
        autodiscover: table.or("autodiscover", assumed::autodiscover())?,
    };
    table.finish()?;
    Ok(habits)
}

fn onboarding(table: Section<'_>) -> Result<OnboardingHabits, FileError> {
    let habits = OnboardingHabits {
        order: table.or("order", assumed::ORDER.to_vec())?,
        settings: table.or("settings", Vec::new())?,
        challenges: table.or("challenges", assumed::challenges())?,
        challenges_later: table.or("challenges_later", Vec::new())?,
    };
    table.finish()?;
    Ok(habits)
}

fn provisioning(table: Section<'_>) -> Result<Provisioning, FileError> {
    let settings = |key: &'static str| -> Result<Sourced<Vec<String>>, FileError> {
        let listed: Sourced<Vec<String>> = table.or(key, Vec::new())?;
        match listed.value.iter().find(|name| !policy::is_setting(name)) {
            Some(name) => {
                let message = format!("`{name}` is not a setting of EASProvisionDoc");
                Err(table.complain(key, message, policy::nearest(name).map(|near| format!("did you mean `{near}`?"))))
            }
            None => Ok(listed),
        }
    };
    let habits = Provisioning {
        enforces: settings("enforces")?,
        ignores: settings("ignores")?,
        refuses: settings("refuses")?,
        device_information: table.or("device_information", assumed::device_information())?,
        others: table.or("others", Treatment::Enforce)?,
        cannot: table.or("cannot", Cannot::Partial)?,
        key_required: table.or("key_required", true)?,
        rounds: table.or("rounds", 3)?,
    };
    if !(1..=10).contains(&habits.rounds.value) {
        return Err(table.complain("rounds", "a device provisions from 1 to 10 times for a command".to_owned(), None));
    }
    table.finish()?;
    Ok(habits)
}

fn sync(table: Section<'_>) -> Result<SyncHabits, FileError> {
    let mut classes = Vec::new();
    for name in ["email", "calendar", "contacts", "tasks", "notes"] {
        if let Some(inner) = table.section(name)? {
            classes.push((name, class(inner)?));
        }
    }
    let habits = SyncHabits {
        folders: table.or("folders", vec!["inbox".to_owned()])?,
        multi_collection: table.or("multi_collection", false)?,
        class_up_to: table.or("class_up_to", Version::V12_1)?,
        deletes_as_moves: table.or("deletes_as_moves", Spelling::On)?,
        get_changes: table.or("get_changes", Spelling::On)?,
        first_with_options: table.or("first_with_options", false)?,
        window_size: table.value("window_size")?,
        classes,
    };
    table.finish()?;
    Ok(habits)
}

fn class(table: Section<'_>) -> Result<ClassHabits, FileError> {
    let habits = ClassHabits {
        window_size: table.value("window_size")?,
        filter_type: table.value("filter_type")?,
        body_type: table.value("body_type")?,
        truncation_size: table.value("truncation_size")?,
        all_or_none: table.value("all_or_none")?,
        preview: table.value("preview")?,
        mime_support: table.value("mime_support")?,
        old_mime_support: table.value("old_mime_support")?,
        mime_truncation: table.value("mime_truncation")?,
        truncation: table.value("truncation")?,
        conflict: table.value("conflict")?,
    };
    table.finish()?;
    Ok(habits)
}

fn mail(table: Section<'_>) -> Result<MailHabits, FileError> {
    let habits = MailHabits {
        full_body: table.or("full_body", FullBody::ItemOperations)?,
        full_body_type: table.value("full_body_type")?,
        full_body_truncation: table.value("full_body_truncation")?,
        attachments: table.or("attachments", ByVersion::always(AttachmentFetch::ItemOperations))?,
        save_in_sent: table.or("save_in_sent", true)?,
        mailer: table.value("mailer")?,
        meeting_replies: table.or("meeting_replies", ByVersion::always(Replies::Device))?,
        invitations: table.or("invitations", ByVersion::always(Replies::Device))?,
    };
    table.finish()?;
    Ok(habits)
}

fn push(table: Section<'_>) -> Result<PushHabits, FileError> {
    let habits = PushHabits {
        mode: table.or("mode", Push::Ping)?,
        start: table.or("start", 480)?,
        min: table.or("min", 60)?,
        max: table.or("max", 3540)?,
        step: table.or("step", 0)?,
        on_limit: table.or("on_limit", OnLimit::TakeServerValue)?,
    };
    table.finish()?;
    Ok(habits)
}

fn timeouts(table: Section<'_>) -> Result<Timeouts, FileError> {
    let seconds = Duration::from_secs;
    let habits = Timeouts {
        connect: table.or("connect", seconds(30))?,
        command: table.or("command", seconds(60))?,
        first_sync: table.or("first_sync", seconds(120))?,
        push_extra: table.or("push_extra", seconds(30))?,
        busy_retries: table.or("busy_retries", 1)?,
        busy_wait: table.or("busy_wait", seconds(5))?,
    };
    table.finish()?;
    Ok(habits)
}

fn discovery(table: Section<'_>) -> Result<Discovery, FileError> {
    let habits = Discovery { candidates: table.or("candidates", assumed::CANDIDATES.to_vec())? };
    table.finish()?;
    Ok(habits)
}

fn auth(table: Section<'_>) -> Result<Auth, FileError> {
    let habits =
        Auth { schemes: table.or("schemes", vec![Scheme::Basic])?, charset: table.or("charset", Charset::Utf8)? };
    table.finish()?;
    Ok(habits)
}

fn redirects(table: Section<'_>) -> Result<Redirects, FileError> {
    let habits = Redirects {
        http: table.or("http", vec![Which::Any, Which::Autodiscover])?,
        moved: table.or("moved", vec![Which::Any])?,
    };
    table.finish()?;
    Ok(habits)
}

fn tls(table: Section<'_>) -> Result<Tls, FileError> {
    let habits = Tls { versions: table.value("versions")?, roots: table.value("roots")? };
    table.finish()?;
    Ok(habits)
}

fn search(table: Section<'_>) -> Result<SearchHabits, FileError> {
    let habits = SearchHabits {
        by: table.or("by", ByVersion::always(SearchBy::Search))?,
        collection: table.value("collection")?,
        last: table.or("last", 49)?,
        truncation_size: table.value("truncation_size")?,
    };
    table.finish()?;
    Ok(habits)
}

fn abilities(table: Section<'_>) -> Result<Vec<(&'static str, Sourced<bool>)>, FileError> {
    let mut known = Vec::new();
    for name in Habit::NAMES {
        if let Some(value) = table.value(name)? {
            known.push((name, value));
        }
    }
    table.finish()?;
    Ok(known)
}

fn error(file: &File, table: Section<'_>) -> Result<ErrorRow, FileError> {
    let row = ErrorRow {
        kind: table.need_plain("kind")?,
        when: table.need_plain("when")?,
        code: table.plain("code")?.unwrap_or_default(),
        message: table.need_plain("message")?,
        remedy: table.need_plain("remedy")?,
        evidence: table.plain("evidence")?.unwrap_or_else(|| file.evidence().to_owned()),
        confidence: table.plain("confidence")?.unwrap_or(file.confidence()),
    };
    table.finish()?;
    Ok(row)
}

impl FromToml for ErrorKind {
    fn from_toml(value: &toml::de::DeValue<'_>) -> Result<Self, section::Wrong> {
        match value.as_str() {
            Some("wire") => Ok(Self::Wire),
            Some("local") => Ok(Self::Local),
            _ => Err(section::Wrong::one_of(&["wire", "local"])),
        }
    }
}

use easrig_wbxml::{Builder, Document, Tag, tags::settings as tag};

use super::{Audience, DeviceInformation, DevicePassword, OofMessage, OofRequest, OofSettings, OofState, Request};
use crate::{
    Version,
    command::{
        ShapeError,
        shape::{Reader, Write},
    },
};

impl Request {
    /// The document; rights policy templates are left out before 14.1.
    pub fn to_document(&self, version: Version) -> Document {
        let mut out = Builder::new(tag::SETTINGS);
        if self.rights_management_information && version >= Version::V14_1 {
            out.open(tag::RIGHTS_MANAGEMENT_INFORMATION).empty(tag::GET).close();
        }
        match &self.oof {
            Some(OofRequest::Get { body_type }) => {
                out.open(tag::OOF).open(tag::GET).leaf(tag::BODY_TYPE, body_type).close().close();
            }
            Some(OofRequest::Set(settings)) => {
                out.open(tag::OOF);
                settings.write(&mut out, tag::SET);
                out.close();
            }
            None => {}
        }
        if let Some(password) = &self.device_password {
            out.open(tag::DEVICE_PASSWORD).open(tag::SET);
            match password {
                DevicePassword::Set(password) => out.leaf(tag::PASSWORD, password),
                DevicePassword::Clear => out.empty(tag::PASSWORD),
            };
            out.close().close();
        }
        if let Some(device) = &self.device_information {
            device.write(&mut out);
        }
        if self.user_information {
            out.open(tag::USER_INFORMATION).empty(tag::GET).close();
        }
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another, out of office is neither asked for nor set, or a number is none.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::SETTINGS, "Settings:Settings")?;
        let password = match root.child(tag::DEVICE_PASSWORD) {
            Some(at) => Some(match at.need(tag::SET)?.text::<String>(tag::PASSWORD).unwrap_or_default() {
                empty if empty.is_empty() => DevicePassword::Clear,
                password => DevicePassword::Set(password),
            }),
            None => None,
        };
        Ok(Self {
            rights_management_information: root.has(tag::RIGHTS_MANAGEMENT_INFORMATION),
            oof: root.child(tag::OOF).map(|at| OofRequest::read(&at)).transpose()?,
            device_password: password,
            device_information: DeviceInformation::read(&root)?,
            user_information: root.has(tag::USER_INFORMATION),
        })
    }
}

impl OofRequest {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        match at.child(tag::SET) {
            Some(at) => OofSettings::read(&at).map(Self::Set),
            None => Ok(Self::Get { body_type: at.need(tag::GET)?.text(tag::BODY_TYPE).unwrap_or_default() }),
        }
    }
}

impl OofSettings {
    pub(super) fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            state: at.number(tag::OOF_STATE)?.map(OofState),
            start_time: at.text(tag::START_TIME),
            end_time: at.text(tag::END_TIME),
            messages: at.all(tag::OOF_MESSAGE).map(|at| OofMessage::read(&at)).collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn write(&self, out: &mut Builder, direction: Tag) {
        out.open(direction)
            .maybe(tag::OOF_STATE, self.state.map(|state| state.0))
            .maybe(tag::START_TIME, self.start_time.as_ref())
            .maybe(tag::END_TIME, self.end_time.as_ref());
        for message in &self.messages {
            out.open(tag::OOF_MESSAGE);
            if let Some(audience) = message.audience {
                out.empty(audience.tag());
            }
            out.switch(tag::ENABLED, message.enabled)
                .maybe(tag::REPLY_MESSAGE, message.reply_message.as_ref())
                .maybe(tag::BODY_TYPE, message.body_type.as_ref())
                .close();
        }
        out.close();
    }
}

impl OofMessage {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            audience: Audience::ALL.into_iter().find(|audience| at.has(audience.tag())),
            enabled: at.switch(tag::ENABLED)?,
            reply_message: at.text(tag::REPLY_MESSAGE),
            body_type: at.text(tag::BODY_TYPE),
        })
    }
}

impl Audience {
    /// Every audience, in the order of the standard.
    pub const ALL: [Self; 3] = [Self::Internal, Self::ExternalKnown, Self::ExternalUnknown];

    fn tag(self) -> Tag {
        match self {
            Self::Internal => tag::APPLIES_TO_INTERNAL,
            Self::ExternalKnown => tag::APPLIES_TO_EXTERNAL_KNOWN,
            Self::ExternalUnknown => tag::APPLIES_TO_EXTERNAL_UNKNOWN,
        }
    }
}

impl DeviceInformation {
    /// Reads it where it is set: in Settings or in Provision.
    pub(in crate::command) fn read(at: &Reader<'_, '_>) -> Result<Option<Self>, ShapeError> {
        let Some(at) = at.child(tag::DEVICE_INFORMATION) else { return Ok(None) };
        let Some(at) = at.child(tag::SET) else { return Ok(None) };
        Ok(Some(Self {
            model: at.text(tag::MODEL),
            imei: at.text(tag::IMEI),
            friendly_name: at.text(tag::FRIENDLY_NAME),
            os: at.text(tag::OS),
            os_language: at.text(tag::OS_LANGUAGE),
            phone_number: at.text(tag::PHONE_NUMBER),
            user_agent: at.text(tag::USER_AGENT),
            enable_outbound_sms: at.switch(tag::ENABLE_OUTBOUND_SMS)?,
            mobile_operator: at.text(tag::MOBILE_OPERATOR),
        }))
    }

    pub(in crate::command) fn write(&self, out: &mut Builder) {
        out.open(tag::DEVICE_INFORMATION)
            .open(tag::SET)
            .maybe(tag::MODEL, self.model.as_ref())
            .maybe(tag::IMEI, self.imei.as_ref())
            .maybe(tag::FRIENDLY_NAME, self.friendly_name.as_ref())
            .maybe(tag::OS, self.os.as_ref())
            .maybe(tag::OS_LANGUAGE, self.os_language.as_ref())
            .maybe(tag::PHONE_NUMBER, self.phone_number.as_ref())
            .maybe(tag::USER_AGENT, self.user_agent.as_ref())
            .switch(tag::ENABLE_OUTBOUND_SMS, self.enable_outbound_sms)
            .maybe(tag::MOBILE_OPERATOR, self.mobile_operator.as_ref())
            .close()
            .close();
    }
}

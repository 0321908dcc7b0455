//! Setting up: OPTIONS, Settings, and everything a new phone does in its own order.

use easrig_eas::{
    Command, Version,
    command::settings::{self, DeviceInformation, OofMessage, OofRequest, OofSettings, OofState},
    headers::{self, Offer},
};

use crate::{
    Condition,
    persona::word::{Onboarding, Pick, SettingsPart},
    phone::{
        line::{Line, Stop},
        memory::Core,
        request::Call,
    },
};

impl Line {
    /// Makes sure that the phone knows its server.
    pub(super) async fn endpoint(&self) -> Result<(), Stop> {
        match self.with(|core| core.endpoint.is_some()) {
            true => Ok(()),
            false => self.discover().await,
        }
    }

    /// The version it speaks; asks for the server's list first if it must.
    pub(in crate::phone) async fn version(&self) -> Result<Version, Stop> {
        self.endpoint().await?;
        match self.with(|core| core.version) {
            Some(version) => Ok(version),
            None => self.options().await,
        }
    }

    /// Asks for versions and commands, and picks a version unless one is forced.
    pub(super) async fn options(&self) -> Result<Version, Stop> {
        let answer = self.transfer(&Call::default()).await?;
        if let Some(condition) = answer.trouble() {
            return Err(self.stop(&condition));
        }
        let Some(versions) = answer.headers.get(headers::PROTOCOL_VERSIONS) else {
            return Err(self.stop(&Condition::BadAnswer));
        };
        let offer = Offer::parse(versions, answer.headers.get(headers::PROTOCOL_COMMANDS).unwrap_or_default());
        let forced = self.with(|core| core.setup.version);
        let picked = match forced {
            Some(version) => Some(version),
            None => self.pick(&offer),
        };
        let version =
            picked.ok_or_else(|| Stop::GaveUp(format!("no common version: the server offers `{versions}`")))?;
        self.with(|core| (core.version, core.offer) = (Some(version), Some(offer)));
        Ok(version)
    }

    fn pick(&self, offer: &Offer) -> Option<Version> {
        let (known, pick) = self.with(|core| {
            let protocol = &core.persona.protocol;
            (protocol.versions.value.clone(), protocol.pick.value)
        });
        let common = |version: &&Version| offer.versions.contains(version);
        let picked = match pick {
            Pick::HighestCommon => known.iter().filter(common).max().copied(),
            Pick::FirstPreferred => known.iter().find(common).copied(),
            Pick::LastExactToken => offer.versions.iter().rfind(|version| known.contains(version)).copied(),
        };
        // A version that both know must be served, however well the choice is evidenced; without one it matters.
        picked.or_else(|| {
            self.rest(|core| &core.persona.protocol.versions);
            self.with(|core| core.persona.protocol.fallback.clone()).map(|fallback| self.rest_on(&fallback))
        })
    }

    /// Everything a new phone does, in its own order.
    pub(super) async fn connect(&self) -> Result<(), Stop> {
        self.endpoint().await?;
        for step in self.with(|core| core.persona.onboarding.order.value.clone()) {
            match step {
                Onboarding::Options => drop(self.options().await?),
                Onboarding::Settings => self.introduce().await?,
                Onboarding::Provision => self.provision_for_itself().await?,
                Onboarding::FolderSync => self.folder_sync().await?,
                Onboarding::FirstSync => self.first_sync(&[]).await?,
            }
        }
        self.with(|core| core.set_up = true);
        Ok(())
    }

    /// The Settings of setting up.
    async fn introduce(&self) -> Result<(), Stop> {
        let version = self.version().await?;
        if !Command::Settings.exists_in(version) {
            return Ok(());
        }
        let parts = self.with(|core| core.persona.onboarding.settings.value.clone());
        let request = settings::Request {
            device_information: parts
                .contains(&SettingsPart::DeviceInformation)
                .then(|| self.with(|core| core.describe(version))),
            user_information: parts.contains(&SettingsPart::UserInformation),
            ..settings::Request::default()
        };
        self.settings(request).await
    }

    pub(super) async fn set_oof(&self, text: String) -> Result<(), Stop> {
        let message = |audience| OofMessage {
            audience: Some(audience),
            enabled: Some(true),
            reply_message: Some(text.clone()),
            body_type: Some("Text".to_owned()),
        };
        let oof = OofSettings {
            state: Some(OofState(1)),
            messages: [
                settings::Audience::Internal,
                settings::Audience::ExternalKnown,
                settings::Audience::ExternalUnknown,
            ]
            .map(message)
            .to_vec(),
            ..OofSettings::default()
        };
        self.settings(settings::Request { oof: Some(OofRequest::Set(oof)), ..settings::Request::default() }).await
    }

    /// Sends Settings and looks at every status in the answer.
    pub(super) async fn settings(&self, request: settings::Request) -> Result<(), Stop> {
        let version = self.version().await?;
        let answer = self.command(Call::new(Command::Settings, request.to_document(version).encode())).await?;
        let document = answer.document.as_ref().ok_or_else(|| self.stop(&Condition::BadAnswer))?;
        let said = settings::Response::from_document(document, version)
            .map_err(|error| Stop::GaveUp(format!("the answer to Settings: {error}")))?;
        let oof = said.oof.as_ref().and_then(|oof| oof.status);
        for (what, status) in [("Settings", said.status), ("Oof", oof), ("DeviceInformation", said.device_information)]
        {
            if let Some(status) = status.filter(|status| status.0 != 1) {
                return Err(Stop::GaveUp(format!("{what} was answered with Status {status}")));
            }
        }
        Ok(())
    }
}

impl Core {
    /// The device as it describes itself at `version`.
    pub(in crate::phone) fn describe(&self, version: Version) -> DeviceInformation {
        let known = &self.persona.identity.device_information;
        let text = |value: &Option<crate::Sourced<String>>| value.as_ref().map(|value| value.value.clone());
        let from = |first: Version| version >= first;
        DeviceInformation {
            model: text(&known.model),
            imei: text(&known.imei),
            friendly_name: text(&known.friendly_name),
            os: text(&known.os),
            os_language: text(&known.os_language),
            phone_number: text(&known.phone_number),
            user_agent: text(&known.user_agent).filter(|_| from(Version::V12_1)),
            enable_outbound_sms: known
                .enable_outbound_sms
                .as_ref()
                .map(|value| value.value)
                .filter(|_| from(Version::V14_0)),
            mobile_operator: text(&known.mobile_operator).filter(|_| from(Version::V14_0)),
        }
    }
}

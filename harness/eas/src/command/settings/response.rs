use easrig_wbxml::{
    Builder, Document, Tag,
    tags::{rights_management as rights, settings as tag},
};

use super::{
    Account, OofResponse, OofSettings, Response, RightsManagementInformation, RightsManagementTemplate, UserInformation,
};
use crate::{
    Version,
    command::{
        ShapeError,
        shape::{Reader, Write},
    },
    status::Status,
};

impl Response {
    /// The document. Up to 14.0 the owner's addresses stand alone, later inside accounts.
    pub fn to_document(&self, version: Version) -> Document {
        let mut out = Builder::new(tag::SETTINGS);
        out.maybe(tag::STATUS, self.status);
        if let Some(oof) = &self.oof {
            out.open(tag::OOF).maybe(tag::STATUS, oof.status);
            if let Some(settings) = &oof.settings {
                settings.write(&mut out, tag::GET);
            }
            out.close();
        }
        outcome(&mut out, tag::DEVICE_INFORMATION, self.device_information);
        outcome(&mut out, tag::DEVICE_PASSWORD, self.device_password);
        if let Some(user) = &self.user_information {
            user.write(&mut out, version);
        }
        if let Some(information) = self.rights_management_information.as_ref().filter(|_| version >= Version::V14_1) {
            information.write(&mut out);
        }
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another or a number is none.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::SETTINGS, "Settings:Settings")?;
        let outcome = |wanted| root.child(wanted).map(|at| at.status(tag::STATUS)).transpose().map(Option::flatten);
        Ok(Self {
            status: root.status(tag::STATUS)?,
            oof: root.child(tag::OOF).map(|at| OofResponse::read(&at)).transpose()?,
            device_password: outcome(tag::DEVICE_PASSWORD)?,
            device_information: outcome(tag::DEVICE_INFORMATION)?,
            user_information: root.child(tag::USER_INFORMATION).map(|at| UserInformation::read(&at)).transpose()?,
            rights_management_information: root
                .child(tag::RIGHTS_MANAGEMENT_INFORMATION)
                .map(|at| RightsManagementInformation::read(&at))
                .transpose()?,
        })
    }
}

fn outcome(out: &mut Builder, of: Tag, status: Option<Status>) {
    if let Some(status) = status {
        out.open(of).value(tag::STATUS, status).close();
    }
}

impl OofResponse {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        let settings = at.child(tag::GET).map(|at| OofSettings::read(&at)).transpose()?;
        Ok(Self { status: at.status(tag::STATUS)?, settings })
    }
}

impl UserInformation {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        let status = at.status(tag::STATUS)?;
        let Some(at) = at.child(tag::GET) else { return Ok(Self { status, accounts: Vec::new() }) };
        let accounts = match at.child(tag::ACCOUNTS) {
            Some(at) => at.all(tag::ACCOUNT).map(|at| Account::read(&at)).collect::<Result<_, _>>()?,
            None if at.has(tag::EMAIL_ADDRESSES) => vec![Account::read(&at)?],
            None => Vec::new(),
        };
        Ok(Self { status, accounts })
    }

    fn write(&self, out: &mut Builder, version: Version) {
        out.open(tag::USER_INFORMATION).maybe(tag::STATUS, self.status);
        if !self.accounts.is_empty() {
            out.open(tag::GET);
            if version >= Version::V14_1 {
                out.open(tag::ACCOUNTS);
                self.accounts.iter().for_each(|account| account.write(out));
                out.close();
            } else {
                out.open(tag::EMAIL_ADDRESSES);
                for address in self.accounts.iter().flat_map(|account| &account.smtp_addresses) {
                    out.leaf(tag::SMTP_ADDRESS, address);
                }
                out.close();
            }
            out.close();
        }
        out.close();
    }
}

impl Account {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        let addresses = at.child(tag::EMAIL_ADDRESSES);
        Ok(Self {
            account_id: at.text(tag::ACCOUNT_ID),
            account_name: at.text(tag::ACCOUNT_NAME),
            user_display_name: at.text(tag::USER_DISPLAY_NAME),
            send_disabled: at.switch(tag::SEND_DISABLED)?,
            smtp_addresses: addresses.map(|at| at.texts(tag::SMTP_ADDRESS)).unwrap_or_default(),
            primary_smtp_address: addresses.and_then(|at| at.text(tag::PRIMARY_SMTP_ADDRESS)),
        })
    }

    fn write(&self, out: &mut Builder) {
        out.open(tag::ACCOUNT)
            .maybe(tag::ACCOUNT_ID, self.account_id.as_ref())
            .maybe(tag::ACCOUNT_NAME, self.account_name.as_ref())
            .maybe(tag::USER_DISPLAY_NAME, self.user_display_name.as_ref())
            .switch(tag::SEND_DISABLED, self.send_disabled)
            .open(tag::EMAIL_ADDRESSES);
        for address in &self.smtp_addresses {
            out.leaf(tag::SMTP_ADDRESS, address);
        }
        out.maybe(tag::PRIMARY_SMTP_ADDRESS, self.primary_smtp_address.as_ref()).close().close();
    }
}

impl RightsManagementInformation {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        let templates = at.child(tag::GET);
        let templates = templates.as_ref().and_then(|at| at.child(rights::RIGHTS_MANAGEMENT_TEMPLATES));
        let templates = match templates {
            Some(at) => {
                at.all(rights::RIGHTS_MANAGEMENT_TEMPLATE).map(|at| RightsManagementTemplate::read(&at)).collect()
            }
            None => Vec::new(),
        };
        Ok(Self { status: at.status(tag::STATUS)?, templates })
    }

    fn write(&self, out: &mut Builder) {
        out.open(tag::RIGHTS_MANAGEMENT_INFORMATION).maybe(tag::STATUS, self.status).open(tag::GET);
        if self.templates.is_empty() {
            out.empty(rights::RIGHTS_MANAGEMENT_TEMPLATES);
        } else {
            out.open(rights::RIGHTS_MANAGEMENT_TEMPLATES);
            for template in &self.templates {
                out.open(rights::RIGHTS_MANAGEMENT_TEMPLATE)
                    .leaf(rights::TEMPLATE_ID, &template.template_id)
                    .maybe(rights::TEMPLATE_NAME, template.template_name.as_ref())
                    .maybe(rights::TEMPLATE_DESCRIPTION, template.template_description.as_ref())
                    .close();
            }
            out.close();
        }
        out.close().close();
    }
}

impl RightsManagementTemplate {
    fn read(at: &Reader<'_, '_>) -> Self {
        Self {
            template_id: at.text(rights::TEMPLATE_ID).unwrap_or_default(),
            template_name: at.text(rights::TEMPLATE_NAME),
            template_description: at.text(rights::TEMPLATE_DESCRIPTION),
        }
    }
}

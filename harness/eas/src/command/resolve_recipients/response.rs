use easrig_wbxml::{Builder, Document, tags::resolve_recipients as tag};

use super::{Availability, Certificates, Picture, Recipient, RecipientsResponse, Response};
use crate::{
    Version,
    command::{
        ShapeError,
        shape::{Reader, Write},
    },
};

impl Response {
    /// The document; free/busy is left out before 14.0, pictures before 14.1.
    pub fn to_document(&self, version: Version) -> Document {
        let mut out = Builder::new(tag::RESOLVE_RECIPIENTS);
        out.maybe(tag::STATUS, self.status);
        for response in &self.responses {
            out.open(tag::RESPONSE)
                .maybe(tag::TO, response.to.as_ref())
                .maybe(tag::STATUS, response.status)
                .maybe(tag::RECIPIENT_COUNT, response.recipient_count);
            response.recipients.iter().for_each(|recipient| recipient.write(&mut out, version));
            out.close();
        }
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another or a number is none.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::RESOLVE_RECIPIENTS, "ResolveRecipients:ResolveRecipients")?;
        Ok(Self {
            status: root.status(tag::STATUS)?,
            responses: root.all(tag::RESPONSE).map(|at| RecipientsResponse::read(&at)).collect::<Result<_, _>>()?,
        })
    }
}

impl RecipientsResponse {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            to: at.text(tag::TO),
            status: at.status(tag::STATUS)?,
            recipient_count: at.number(tag::RECIPIENT_COUNT)?,
            recipients: at.all(tag::RECIPIENT).map(|at| Recipient::read(&at)).collect::<Result<_, _>>()?,
        })
    }
}

impl Recipient {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            recipient_type: at.number(tag::TYPE)?,
            display_name: at.text(tag::DISPLAY_NAME),
            email_address: at.text(tag::EMAIL_ADDRESS),
            availability: at.child(tag::AVAILABILITY).map(|at| Availability::read(&at)).transpose()?,
            certificates: at.child(tag::CERTIFICATES).map(|at| Certificates::read(&at)).transpose()?,
            pictures: at.all(tag::PICTURE).map(|at| Picture::read(&at)).collect::<Result<_, _>>()?,
        })
    }

    fn write(&self, out: &mut Builder, version: Version) {
        out.open(tag::RECIPIENT)
            .maybe(tag::TYPE, self.recipient_type)
            .maybe(tag::DISPLAY_NAME, self.display_name.as_ref())
            .maybe(tag::EMAIL_ADDRESS, self.email_address.as_ref());
        if let Some(availability) = self.availability.as_ref().filter(|_| version >= Version::V14_0) {
            out.open(tag::AVAILABILITY)
                .maybe(tag::STATUS, availability.status)
                .maybe(tag::MERGED_FREE_BUSY, availability.merged_free_busy.as_ref())
                .close();
        }
        if let Some(certificates) = &self.certificates {
            certificates.write(out);
        }
        for picture in self.pictures.iter().filter(|_| version >= Version::V14_1) {
            out.open(tag::PICTURE).maybe(tag::STATUS, picture.status).maybe(tag::DATA, picture.data.as_ref()).close();
        }
        out.close();
    }
}

impl Availability {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self { status: at.status(tag::STATUS)?, merged_free_busy: at.text(tag::MERGED_FREE_BUSY) })
    }
}

impl Certificates {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            status: at.status(tag::STATUS)?,
            certificate_count: at.number(tag::CERTIFICATE_COUNT)?,
            recipient_count: at.number(tag::RECIPIENT_COUNT)?,
            certificates: at.texts(tag::CERTIFICATE),
            mini_certificates: at.texts(tag::MINI_CERTIFICATE),
        })
    }

    fn write(&self, out: &mut Builder) {
        out.open(tag::CERTIFICATES)
            .maybe(tag::STATUS, self.status)
            .maybe(tag::CERTIFICATE_COUNT, self.certificate_count)
            .maybe(tag::RECIPIENT_COUNT, self.recipient_count);
        for certificate in &self.certificates {
            out.leaf(tag::CERTIFICATE, certificate);
        }
        for certificate in &self.mini_certificates {
            out.leaf(tag::MINI_CERTIFICATE, certificate);
        }
        out.close();
    }
}

impl Picture {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self { status: at.status(tag::STATUS)?, data: at.text(tag::DATA) })
    }
}

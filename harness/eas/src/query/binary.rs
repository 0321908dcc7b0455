//! The base64 form: fixed fields first, then parameters as tag, length and value until the bytes end
//! (MS-ASHTTP 2.2.1.1.1.1). Numbers are little-endian.

use base64::{
    Engine,
    alphabet::STANDARD as ALPHABET,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use percent_encoding::percent_decode_str;

use super::{CommandName, DeviceIdForm, Extra, MAX_PARAMETERS, QueryEncodeError, QueryError, QueryForm, QueryLine};
use crate::{PolicyKey, Version};

/// Bit of the Options parameter: keep the message in Sent Items.
const SAVE_IN_SENT: u8 = 0x01;
/// Bit of the Options parameter: the answer may be multipart.
const ACCEPT_MULTIPART: u8 = 0x02;

mod tag {
    pub(super) const ATTACHMENT_NAME: u8 = 0;
    pub(super) const COLLECTION_ID: u8 = 1;
    pub(super) const ITEM_ID: u8 = 3;
    pub(super) const LONG_ID: u8 = 4;
    pub(super) const OCCURRENCE: u8 = 6;
    pub(super) const OPTIONS: u8 = 7;
    pub(super) const USER: u8 = 8;
}

/// Devices are seen without padding, and with padding that a proxy has percent-encoded.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

pub(super) fn bytes_of(query: &str) -> Option<Vec<u8>> {
    LENIENT.decode(query).ok().or_else(|| {
        let decoded = percent_decode_str(query).decode_utf8().ok()?;
        LENIENT.decode(decoded.as_bytes()).ok()
    })
}

pub(super) fn read(bytes: &[u8]) -> Result<QueryLine, QueryError> {
    let mut bytes = Cursor { bytes, offset: 0 };
    let version = Version::from_byte(bytes.byte("the protocol version")?);
    let command = CommandName::from_code(bytes.byte("the command")?);
    let locale = u16::from_le_bytes(bytes.array("the locale")?);
    let device_id = DeviceIdForm::from_bytes(bytes.sized("the device id")?);
    let policy_key = match bytes.byte("the length of the policy key")? {
        0 => None,
        4 => Some(PolicyKey(u32::from_le_bytes(bytes.array("the policy key")?))),
        other => return Err(QueryError::PolicyKeyLength(other)),
    };
    let device_type = text(bytes.sized("the device type")?, "the device type")?;
    let mut line = QueryLine {
        form: QueryForm::Base64,
        device_id,
        version: Some(version),
        locale: Some(locale),
        policy_key,
        ..QueryLine::new(command, "", &device_type)
    };
    for count in 0.. {
        let Some(tag) = bytes.next() else { break };
        if count >= MAX_PARAMETERS {
            return Err(QueryError::TooManyParameters);
        }
        set(&mut line, tag, bytes.sized("a parameter")?);
    }
    Ok(line)
}

pub(super) fn write(line: &QueryLine) -> Result<String, QueryEncodeError> {
    let code = match &line.command {
        CommandName::Known(command) => command.code(),
        CommandName::UnknownCode(code) => *code,
        other => return Err(QueryEncodeError::NoCode(other.clone())),
    };
    let mut out = vec![line.version.ok_or(QueryEncodeError::NoVersion)?.byte(), code];
    out.extend(line.locale.unwrap_or(0).to_le_bytes());
    push_sized(&mut out, "the device id", line.device_id.as_bytes())?;
    match line.policy_key {
        None => out.push(0),
        Some(PolicyKey(key)) => push_sized(&mut out, "the policy key", &key.to_le_bytes())?,
    }
    push_sized(&mut out, "the device type", line.device_type.as_bytes())?;

    let texts = [
        (tag::ATTACHMENT_NAME, "AttachmentName", &line.attachment_name),
        (tag::COLLECTION_ID, "CollectionId", &line.collection_id),
        (tag::ITEM_ID, "ItemId", &line.item_id),
        (tag::LONG_ID, "LongId", &line.long_id),
        (tag::OCCURRENCE, "Occurrence", &line.occurrence),
    ];
    for (tag, field, value) in texts {
        push_text(&mut out, tag, field, value.as_deref())?;
    }
    if let Some(options) = options_byte(line) {
        out.extend([tag::OPTIONS, 1, options]);
    }
    push_text(&mut out, tag::USER, "User", line.user.as_deref())?;
    for extra in &line.extra {
        if let Extra::Tagged { tag, value } = extra {
            out.push(*tag);
            push_sized(&mut out, "a parameter", value)?;
        }
    }
    Ok(STANDARD.encode(out))
}

fn set(line: &mut QueryLine, tag: u8, value: &[u8]) {
    let field = match tag {
        tag::ATTACHMENT_NAME => &mut line.attachment_name,
        tag::COLLECTION_ID => &mut line.collection_id,
        tag::ITEM_ID => &mut line.item_id,
        tag::LONG_ID => &mut line.long_id,
        tag::OCCURRENCE => &mut line.occurrence,
        tag::USER => &mut line.user,
        tag::OPTIONS => {
            set_options(line, value);
            return;
        }
        _ => {
            line.extra.push(Extra::Tagged { tag, value: value.to_owned() });
            return;
        }
    };
    match std::str::from_utf8(value) {
        Ok(text) if field.is_none() => *field = Some(text.to_owned()),
        _ => line.extra.push(Extra::Tagged { tag, value: value.to_owned() }),
    }
}

/// A zero byte speaks of both bits; else only the bits that are set are spoken of, so that an ItemOperations which
/// accepts multipart does not seem to forbid a copy in Sent Items.
fn set_options(line: &mut QueryLine, value: &[u8]) {
    let fresh = line.save_in_sent.is_none() && line.accept_multipart.is_none();
    match value {
        [0] if fresh => (line.save_in_sent, line.accept_multipart) = (Some(false), Some(false)),
        [options] if fresh && options & !(SAVE_IN_SENT | ACCEPT_MULTIPART) == 0 => {
            line.save_in_sent = (options & SAVE_IN_SENT != 0).then_some(true);
            line.accept_multipart = (options & ACCEPT_MULTIPART != 0).then_some(true);
        }
        _ => line.extra.push(Extra::Tagged { tag: tag::OPTIONS, value: value.to_owned() }),
    }
}

fn options_byte(line: &QueryLine) -> Option<u8> {
    if line.save_in_sent.is_none() && line.accept_multipart.is_none() {
        return None;
    }
    let bit = |flag: Option<bool>, bit: u8| if flag == Some(true) { bit } else { 0 };
    Some(bit(line.save_in_sent, SAVE_IN_SENT) | bit(line.accept_multipart, ACCEPT_MULTIPART))
}

fn text(bytes: &[u8], field: &'static str) -> Result<String, QueryError> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| QueryError::NotText(field))
}

fn push_text(out: &mut Vec<u8>, tag: u8, field: &'static str, value: Option<&str>) -> Result<(), QueryEncodeError> {
    if let Some(value) = value {
        out.push(tag);
        push_sized(out, field, value.as_bytes())?;
    }
    Ok(())
}

fn push_sized(out: &mut Vec<u8>, field: &'static str, value: &[u8]) -> Result<(), QueryEncodeError> {
    let length = u8::try_from(value.len()).map_err(|_| QueryEncodeError::TooLong { field, length: value.len() })?;
    out.push(length);
    out.extend(value);
    Ok(())
}

struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        self.offset += 1;
        Some(first)
    }

    fn byte(&mut self, field: &'static str) -> Result<u8, QueryError> {
        let offset = self.offset;
        self.next().ok_or(QueryError::EndsInside { field, offset })
    }

    fn take(&mut self, length: usize, field: &'static str) -> Result<&'a [u8], QueryError> {
        let (taken, rest) =
            self.bytes.split_at_checked(length).ok_or(QueryError::EndsInside { field, offset: self.offset })?;
        self.bytes = rest;
        self.offset += length;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], QueryError> {
        let offset = self.offset;
        self.take(N, field)?.try_into().map_err(|_| QueryError::EndsInside { field, offset })
    }

    fn sized(&mut self, field: &'static str) -> Result<&'a [u8], QueryError> {
        let length = self.byte(field)?;
        self.take(usize::from(length), field)
    }
}

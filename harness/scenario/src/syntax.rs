//! The scenario file as it is written, before anything is checked: flat optional keys, each value with its place.
//!
//! The published JSON Schema is made from these structs, so their comments are what an editor shows. `untagged` and
//! `flatten` are not used: they lose the places.

use std::{collections::BTreeMap, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor, value::SeqAccessDeserializer},
};
use toml::Spanned;

use crate::{
    Level,
    model::{Effects, ElementType, LoginKind, Need, OwnerKind, QueryForm, Role, Start},
};

/// A value with the place where it stands in the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct At<T>(Spanned<T>);

impl<T> At<T> {
    /// The value.
    pub(crate) fn get(&self) -> &T {
        self.0.get_ref()
    }

    /// Its place, in bytes.
    pub(crate) fn span(&self) -> std::ops::Range<usize> {
        self.0.span()
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
}

/// A scenario: one behaviour of an ActiveSync server, and how to see it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "easrig scenario")]
pub(crate) struct ScenarioSyntax {
    /// The path under `scenarios/` without `.toml`.
    pub(crate) id: At<String>,
    /// One line: what the server does when it is right.
    pub(crate) title: At<String>,
    /// What happens to the phone's owner when this breaks, in an administrator's words.
    pub(crate) why: Option<String>,
    /// What to change on the server.
    pub(crate) fix: Option<String>,
    /// Requirement ids of the standard, such as `MS-ASCMD_R4771`; the first one names the findings.
    #[serde(default)]
    pub(crate) req: Vec<At<String>>,
    /// How binding it is; `must` when left out.
    pub(crate) level: Option<Level>,
    /// Protocol versions it applies to; 12.1, 14.0, 14.1, 16.0 and 16.1 when left out.
    pub(crate) versions: Option<Vec<At<String>>>,
    /// How far the phone has come before step one; `none` when left out.
    pub(crate) start: Option<Start>,
    /// What it does to the mailbox.
    pub(crate) effects: Effects,
    /// What it cannot run without.
    #[serde(default)]
    pub(crate) needs: Vec<Need>,
    /// The commands it is about, for `--command`; every `send` of the file when left out.
    pub(crate) commands: Option<Vec<At<String>>>,
    /// The steps, in order.
    #[serde(default)]
    pub(crate) step: Vec<At<StepSyntax>>,
    /// Steps that always run at the end; when they fail it is only noted.
    #[serde(default)]
    pub(crate) cleanup: Vec<At<StepSyntax>>,
}

/// One step. Exactly one of `send`, `do`, `arrange`, `await` says what happens.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StepSyntax {
    /// What it is for, in a few words.
    pub(crate) title: Option<String>,
    /// Who acts; `phone` when left out.
    pub(crate) role: Option<At<Role>>,
    /// A command to send as written, or `OPTIONS`.
    pub(crate) send: Option<At<String>>,
    /// A habit of the persona, done its own way.
    pub(crate) r#do: Option<At<String>>,
    /// A change on the server's side; needs `control`.
    pub(crate) arrange: Option<At<String>>,
    /// The name of a background step to wait for.
    pub(crate) r#await: Option<At<String>>,

    /// With `send`: the body in the standard's XML notation.
    pub(crate) body: Option<At<String>>,
    /// With `send`: the body as bytes, in hex; white space is ignored.
    pub(crate) raw: Option<At<String>>,
    /// With `send`: no body at all. With `arrange`: not used.
    pub(crate) empty: Option<At<bool>>,
    /// With `send` of SendMail, SmartReply, SmartForward: the message.
    pub(crate) mail: Option<At<MailSyntax>>,
    /// With `mail`: the ClientId (14.0 and later); a fresh one when left out.
    pub(crate) client_id: Option<At<String>>,
    /// With `mail`: whether the server keeps a copy in Sent Items.
    pub(crate) save_in_sent: Option<At<bool>>,
    /// With SmartReply and SmartForward: the original message.
    pub(crate) source: Option<At<SourceSyntax>>,
    /// With `mail`: the message is whole, and the server adds nothing of the original (ReplaceMime, 14.0 and later).
    pub(crate) replace_mime: Option<At<bool>>,
    /// With `send`: parameters of the request line.
    pub(crate) params: Option<At<BTreeMap<String, At<String>>>>,
    /// With `send`: headers to set; an empty value removes the header.
    pub(crate) headers: Option<At<BTreeMap<String, At<String>>>>,
    /// With `send`: other credentials than the account's.
    pub(crate) login: Option<At<LoginKind>>,
    /// With `send`: the form of the request line, against the persona's habit.
    pub(crate) query: Option<At<QueryForm>>,
    /// With `send`: seconds to wait for the answer, against the persona's patience.
    pub(crate) timeout_s: Option<At<u32>>,

    /// Parameter of habits and arrangements: a subject.
    pub(crate) subject: Option<At<String>>,
    /// Parameter of habits: a folder, by its variable's name (`inbox`) or by its id.
    pub(crate) folder: Option<At<String>>,
    /// Parameter of `first_sync`: folders, by name or id.
    pub(crate) folders: Option<At<Vec<At<String>>>>,
    /// Parameter of habits: seconds to wait at most.
    pub(crate) within_s: Option<At<u32>>,
    /// Parameter of habits: an address, or for `move` a folder.
    pub(crate) to: Option<At<String>>,
    /// Parameter of habits and arrangements: plain text.
    pub(crate) text: Option<At<String>>,
    /// Parameter of habits and arrangements: HTML text.
    pub(crate) html: Option<At<String>>,
    /// Parameter of `send_mail` and `deliver`: an attachment of generated bytes.
    pub(crate) attachment: Option<At<AttachmentSyntax>>,
    /// Parameter of `mark_read`: read (true, when left out) or unread.
    pub(crate) read: Option<At<bool>>,
    /// Parameter of `meeting`: `accept`, `tentative` or `decline`.
    pub(crate) answer: Option<At<String>>,
    /// Parameter of `create_contact`: the name.
    pub(crate) name: Option<At<String>>,

    /// Parameter of `policy`: settings by their names in the standard.
    pub(crate) set: Option<At<BTreeMap<String, At<String>>>>,
    /// Parameter of `strict`: on or off.
    pub(crate) on: Option<At<bool>>,
    /// Parameter of `throttle`: 503 (HTTP) or 111 (Status).
    pub(crate) status: Option<At<u16>>,
    /// Parameter of `throttle`: seconds in Retry-After.
    pub(crate) retry_after: Option<At<u32>>,
    /// Parameter of `throttle`: how many requests are refused.
    pub(crate) times: Option<At<u32>>,
    /// Parameter of `password`: whether the phone's owner types the new one in.
    pub(crate) told: Option<At<bool>>,
    /// Parameter of `deliver`: size of the message in bytes, at least.
    pub(crate) size: Option<At<u64>>,
    /// Parameter of `deliver`: the sender's address.
    pub(crate) from: Option<At<String>>,

    /// The step goes on in the background under this name.
    pub(crate) background: Option<At<String>>,
    /// Let so many seconds pass first, as people do between two things.
    pub(crate) pause_s: Option<At<u32>>,
    /// Repeat the step for so many seconds until its expectations hold; the last try is judged.
    pub(crate) poll_s: Option<At<u32>>,
    /// When this step fails, the cell is inconclusive and not failed.
    pub(crate) setup: Option<bool>,
    /// How binding this step's expectations are; the file's level when left out.
    pub(crate) level: Option<Level>,
    /// What has to be seen.
    pub(crate) expect: Option<At<ExpectSyntax>>,
    /// Several conforming answers: one of them has to hold in full.
    pub(crate) any: Vec<At<ExpectSyntax>>,
    /// What the owner should have besides: when it is missing, the owner got what they asked for with a loss, and the
    /// cell is degraded.
    pub(crate) loss: Vec<At<ExpectSyntax>>,
}

/// A message for SendMail, SmartReply or SmartForward.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MailSyntax {
    /// The recipient's address.
    pub(crate) to: Option<At<String>>,
    /// The subject.
    pub(crate) subject: Option<At<String>>,
    /// The plain text.
    pub(crate) text: Option<At<String>>,
    /// The HTML text.
    pub(crate) html: Option<At<String>>,
    /// An attachment of generated bytes.
    pub(crate) attachment: Option<AttachmentSyntax>,
    /// An iCalendar object that travels as text/calendar.
    pub(crate) calendar: Option<At<String>>,
}

/// An attachment of generated bytes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttachmentSyntax {
    /// File name.
    pub(crate) name: At<String>,
    /// Size in bytes.
    pub(crate) size: u64,
}

/// The message that is answered or forwarded.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceSyntax {
    /// Its folder's id.
    pub(crate) folder: Option<At<String>>,
    /// Its own id.
    pub(crate) item: Option<At<String>>,
    /// Instead of both: the LongId of a hit of a search.
    pub(crate) long_id: Option<At<String>>,
    /// The occurrence of a series: its InstanceId.
    pub(crate) instance: Option<At<String>>,
}

/// What has to be seen; every key that is given has to hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ExpectSyntax {
    /// With `[[step.any]]` what this alternative is called in the report, with `[[step.loss]]` what the owner lost.
    pub(crate) name: Option<At<String>>,
    /// HTTP status code, or a list of them.
    pub(crate) http: Option<At<OneOrMany<u16>>>,
    /// Main Status of the answer, or a list of them.
    pub(crate) status: Option<At<OneOrMany<u16>>>,
    /// The answer has no body (true), or has one (false).
    pub(crate) empty: Option<bool>,
    /// Local name of the answer's root element.
    pub(crate) root: Option<At<String>>,
    /// Elements of the answer.
    pub(crate) element: Vec<At<ElementSyntax>>,
    /// Headers of the answer.
    pub(crate) header: Vec<At<HeaderSyntax>>,
    /// Number of parts of a multipart answer.
    pub(crate) parts: Option<u32>,
    /// Contents of single parts.
    pub(crate) part: Vec<At<PartSyntax>>,
    /// The answer is there inside so many seconds.
    pub(crate) within_s: Option<u32>,
    /// What the owner sees on the device after a `do` step.
    pub(crate) owner: Vec<At<OwnerSyntax>>,
    /// The error code the device ends this step in; `any` for some error.
    pub(crate) error: Option<At<String>>,
}

/// One element of the answer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ElementSyntax {
    /// Where: local names from the root, with `*`, `**`, `Namespace:Name` and predicates in brackets.
    pub(crate) at: At<String>,
    /// Its text is this.
    pub(crate) equals: Option<At<Scalar>>,
    /// Its text is anything else than this.
    pub(crate) not: Option<At<Scalar>>,
    /// Its text is one of these.
    pub(crate) one_of: Option<Vec<At<Scalar>>>,
    /// Its text matches this regular expression.
    pub(crate) matches: Option<At<String>>,
    /// Its text contains this.
    pub(crate) contains: Option<At<String>>,
    /// There is no such element.
    pub(crate) absent: Option<bool>,
    /// There is such an element.
    pub(crate) present: Option<bool>,
    /// There are exactly so many.
    pub(crate) count: Option<u32>,
    /// There are at least so many.
    pub(crate) min_count: Option<u32>,
    /// There are at most so many.
    pub(crate) max_count: Option<u32>,
    /// Its number is at least this.
    pub(crate) min: Option<i64>,
    /// Its number is at most this.
    pub(crate) max: Option<i64>,
    /// What its text has to be.
    pub(crate) r#type: Option<ElementType>,
    /// Its text has at most so many bytes.
    pub(crate) bytes: Option<u64>,
    /// The tests hold for every match, not only for the first.
    pub(crate) each: Option<bool>,
    /// Keep the first match's text under this name.
    pub(crate) save: Option<At<String>>,
    /// Another requirement than the file's first.
    pub(crate) req: Option<At<String>>,
    /// Another level than the step's.
    pub(crate) level: Option<Level>,
    /// What is expected, in plain words, for the report.
    pub(crate) say: Option<String>,
}

/// One header of the answer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeaderSyntax {
    /// Its name; case does not matter.
    pub(crate) name: At<String>,
    /// Its value is this.
    pub(crate) equals: Option<At<Scalar>>,
    /// Its value contains this.
    pub(crate) contains: Option<At<String>>,
    /// Its value matches this regular expression.
    pub(crate) matches: Option<At<String>>,
    /// It is not there.
    pub(crate) absent: Option<bool>,
    /// It is there.
    pub(crate) present: Option<bool>,
    /// Keep its value under this name.
    pub(crate) save: Option<At<String>>,
    /// Another requirement than the file's first.
    pub(crate) req: Option<At<String>>,
    /// Another level than the step's.
    pub(crate) level: Option<Level>,
}

/// One part of a multipart answer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartSyntax {
    /// Which one; 0 is the WBXML answer itself.
    pub(crate) index: u32,
    /// It has exactly so many bytes.
    pub(crate) bytes: Option<u64>,
    /// It has the SHA-256 of this, as hex or by the name of a saved value.
    pub(crate) sha256_of: Option<At<String>>,
    /// It contains this text.
    pub(crate) contains: Option<At<String>>,
}

/// One thing the owner sees, or must not see.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct OwnerSyntax {
    /// There is such a thing.
    pub(crate) sees: Option<OwnerKind>,
    /// There is no such thing.
    pub(crate) not_sees: Option<OwnerKind>,
    /// In this folder: `inbox`, `sent` …, a display name, or an id.
    pub(crate) folder: Option<At<String>>,
    /// With this subject (mail, event, task, note) or name (folder, contact).
    pub(crate) subject: Option<At<String>>,
    /// From somebody whose name or address contains this.
    pub(crate) from: Option<At<String>>,
    /// Read (true) or unread (false).
    pub(crate) read: Option<bool>,
    /// Flagged (true) or not (false).
    pub(crate) flagged: Option<bool>,
    /// Whose body contains this.
    pub(crate) body_contains: Option<At<String>>,
    /// Whose body, or a mail attached to it, has this text.
    pub(crate) carries: Option<At<String>>,
    /// With an attachment of this name.
    pub(crate) attachment: Option<At<String>>,
    /// A mail that shows its formatting; holds, too, where the device never asks for formatted mail.
    pub(crate) formatted: Option<bool>,
    /// A folder that matters only to devices which synchronise such a folder; holds on others.
    pub(crate) if_synced: Option<bool>,
    /// Exactly so many of them.
    pub(crate) count: Option<u32>,
}

/// A value or a list of values.
#[derive(Clone, Debug)]
pub(crate) struct OneOrMany<T>(pub(crate) Vec<T>);

impl<'de> Deserialize<'de> for OneOrMany<u16> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Numbers;
        impl<'de> Visitor<'de> for Numbers {
            type Value = OneOrMany<u16>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number from 0 to 65535, or a list of such numbers")
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Self::Value, E> {
                u16::try_from(number)
                    .map(|number| OneOrMany(vec![number]))
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(number), &self))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(OneOrMany)
            }
        }
        deserializer.deserialize_any(Numbers)
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("one or many {}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        schemars::json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}

/// A text; numbers and booleans are taken as they would stand on the wire (`true` is `1`).
#[derive(Clone, Debug)]
pub(crate) struct Scalar(pub(crate) String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a whole number or a boolean")
            }

            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar(u8::from(value).to_string()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl JsonSchema for Scalar {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": ["string", "integer", "boolean"] })
    }
}

/// The JSON Schema of scenario files, as published beside them.
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(ScenarioSyntax);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

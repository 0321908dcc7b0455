//! The body of a request is what its content type says (MS-ASHTTP 2.2.1.1.2.2).

use easrig_eas::{Command, Version, headers::ContentType};

use super::{Conduct, Remark, Seen, Watch};
use crate::{Content, Level};

pub(super) const CONDUCT: Conduct = Conduct {
    name: "request-body",
    title: "The body of a request is a WBXML document, up to 12.1 a message where it sends one, and says so",
    why: "The server cannot read the request, or takes it for something else.",
    watch: || Box::new(Body),
};

#[derive(Debug)]
struct Body;

impl Watch for Body {
    fn look(&mut self, seen: &Seen<'_>, out: &mut Vec<Remark>) {
        let (Some(command), true) = (seen.decoded.command(), seen.whole) else { return };
        let request = &seen.exchange.request;
        if request.body.is_empty() || command == Command::GetAttachment {
            return;
        }
        let kind = request.headers.get("Content-Type").map(ContentType::parse);
        let sends = matches!(command, Command::SendMail | Command::SmartReply | Command::SmartForward);
        // Without a version either is taken.
        let version = seen.decoded.version;
        let mime = sends && version.is_none_or(|version| version <= Version::V12_1);
        out.push(Remark::Kept);
        let named = || kind.as_ref().map_or_else(|| "none".to_owned(), |kind| format!("`{}`", kind.as_str()));
        match &seen.decoded.request {
            Content::Undecodable(error) => {
                out.push(Remark::broken(Level::Must, "a WBXML document", format!("{error}")));
            }
            Content::Document(_) if mime && version.is_some() => {
                out.push(Remark::broken(Level::Must, "a message (message/rfc822) up to 12.1", "a WBXML document"));
            }
            Content::Document(_) if !kind.as_ref().is_some_and(ContentType::is_wbxml) => {
                out.push(Remark::broken(Level::Must, "content type application/vnd.ms-sync.wbxml", named()));
            }
            Content::Other if mime && named() != "`message/rfc822`" => {
                out.push(Remark::broken(Level::Must, "content type message/rfc822", named()));
            }
            Content::Other if !mime => {
                out.push(Remark::broken(
                    Level::Must,
                    "a WBXML document",
                    format!("a body of content type {}", named()),
                ));
            }
            _ => {}
        }
    }
}

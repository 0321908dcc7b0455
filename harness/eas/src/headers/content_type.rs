/// The media types ActiveSync meets, without their parameters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ContentType {
    /// `application/vnd.ms-sync.wbxml`
    Wbxml,
    /// `application/vnd.ms-sync`, which means the same (MS-ASHTTP).
    WbxmlShort,
    /// `application/vnd.ms-sync.multipart`
    Multipart,
    /// `message/rfc822`
    Rfc822,
    /// `text/xml`, and `application/xml` of some servers.
    Xml,
    /// `application/json`
    Json,
    /// `text/html`
    Html,
    /// Anything else, in lower case.
    Other(String),
}

impl ContentType {
    /// Reads a header value; parameters and letter case do not count.
    pub fn parse(value: &str) -> Self {
        let media = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media.as_str() {
            "application/vnd.ms-sync.wbxml" => Self::Wbxml,
            "application/vnd.ms-sync" => Self::WbxmlShort,
            "application/vnd.ms-sync.multipart" => Self::Multipart,
            "message/rfc822" => Self::Rfc822,
            "text/xml" | "application/xml" => Self::Xml,
            "application/json" => Self::Json,
            "text/html" => Self::Html,
            _ => Self::Other(media),
        }
    }

    /// The media type as it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Wbxml => "application/vnd.ms-sync.wbxml",
            Self::WbxmlShort => "application/vnd.ms-sync",
            Self::Multipart => "application/vnd.ms-sync.multipart",
            Self::Rfc822 => "message/rfc822",
            Self::Xml => "text/xml",
            Self::Json => "application/json",
            Self::Html => "text/html",
            Self::Other(media) => media,
        }
    }

    /// Whether a body of this type is WBXML.
    pub fn is_wbxml(&self) -> bool {
        matches!(self, Self::Wbxml | Self::WbxmlShort)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_without_parameters_and_case() {
        assert_eq!(ContentType::parse("Application/vnd.ms-sync.WBXML; charset=utf-8"), ContentType::Wbxml);
        assert_eq!(ContentType::parse("text/HTML;charset=x"), ContentType::Html);
        assert_eq!(ContentType::parse(""), ContentType::Other(String::new()));
        assert!(ContentType::parse("application/vnd.ms-sync").is_wbxml());
        assert!(!ContentType::Multipart.is_wbxml());
        for media in ["application/vnd.ms-sync.multipart", "message/rfc822", "text/xml", "application/json", "a/b"] {
            assert_eq!(ContentType::parse(media).as_str(), media);
        }
    }
}

//! Content-Encoding, which is removed before multipart and WBXML are read. A bound on what comes out keeps a small
//! hostile answer from filling the memory.

use std::io::{self, Read, Write};

use flate2::{
    Compression,
    bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder},
    write::GzEncoder,
};
use thiserror::Error;

/// How a body is encoded on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum ContentEncoding {
    /// As it is.
    #[default]
    Identity,
    /// `gzip` or `x-gzip`.
    Gzip,
    /// `deflate`: with the zlib frame, or without it as some servers send.
    Deflate,
    /// Another one, or several at once, in lower case.
    Other(String),
}

/// Why a body cannot be decoded.
#[derive(Debug, Error)]
pub enum EncodingError {
    /// More than the bound comes out of it.
    #[error("the body decodes to more than {0} bytes")]
    TooLarge(usize),
    /// The bytes end early.
    #[error("the compressed body is cut short")]
    CutShort,
    /// The bytes are not what the header says.
    #[error("the body is not {encoding}")]
    Broken {
        /// The encoding of the header.
        encoding: &'static str,
        /// What the decoder met.
        source: io::Error,
    },
    /// An encoding that nobody asked for.
    #[error("content encoding `{0}` was not asked for")]
    Unknown(String),
}

impl ContentEncoding {
    /// Reads the header's value; a missing header is an empty text.
    pub fn parse(value: &str) -> Self {
        let value = value.trim().to_ascii_lowercase();
        match value.as_str() {
            "" | "identity" => Self::Identity,
            "gzip" | "x-gzip" => Self::Gzip,
            "deflate" => Self::Deflate,
            _ => Self::Other(value),
        }
    }

    /// The body without this encoding, at most `limit` bytes of it.
    ///
    /// # Errors
    ///
    /// More than `limit` bytes (also of an identity body), bytes that end early or are something else, or an encoding
    /// that is not known.
    pub fn decode(&self, body: &[u8], limit: usize) -> Result<Vec<u8>, EncodingError> {
        match self {
            Self::Identity if body.len() > limit => Err(EncodingError::TooLarge(limit)),
            Self::Identity => Ok(body.to_vec()),
            Self::Gzip => gunzip(body, limit),
            Self::Deflate => match read_all(ZlibDecoder::new(body), "deflate", limit) {
                Err(EncodingError::Broken { .. }) => read_all(DeflateDecoder::new(body), "deflate", limit),
                done => done,
            },
            Self::Other(name) => Err(EncodingError::Unknown(name.clone())),
        }
    }
}

/// The bytes inside gzip, at most `limit` of them; several members in a row are one body (RFC 1952 2.2).
///
/// # Errors
///
/// More than `limit` bytes, bytes that end early, a wrong checksum, or something that is not gzip.
pub fn gunzip(body: &[u8], limit: usize) -> Result<Vec<u8>, EncodingError> {
    read_all(MultiGzDecoder::new(body), "gzip", limit)
}

/// The bytes as one gzip member, without name and time: the same bytes give the same result.
pub fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).and_then(|()| encoder.finish()).expect("a Vec takes every byte")
}

fn read_all(decoder: impl Read, encoding: &'static str, limit: usize) -> Result<Vec<u8>, EncodingError> {
    let mut out = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    match decoder.take(most).read_to_end(&mut out) {
        Ok(_) if out.len() > limit => Err(EncodingError::TooLarge(limit)),
        Ok(_) => Ok(out),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(EncodingError::CutShort),
        Err(source) => Err(EncodingError::Broken { encoding, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf hello | gzip -n`, made by GNU gzip.
    const HELLO: &[u8] = &[
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x86,
        0xa6, 0x10, 0x36, 0x05, 0x00, 0x00, 0x00,
    ];

    #[test]
    fn gzip_of_others_is_read() {
        assert_eq!(gunzip(HELLO, 5).unwrap(), b"hello");
        assert_eq!(gunzip(&[HELLO, HELLO].concat(), 10).unwrap(), b"hellohello");
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        let body = b"Microsoft-Server-ActiveSync ".repeat(100);
        let packed = gzip(&body);
        assert!(packed.len() < body.len());
        assert_eq!(ContentEncoding::Gzip.decode(&packed, body.len()).unwrap(), body);
    }

    #[test]
    fn a_bomb_is_stopped_at_the_bound() {
        let bomb = gzip(&vec![0; 10_000_000]);
        assert!(bomb.len() < 20_000);
        assert!(matches!(gunzip(&bomb, 1_000_000), Err(EncodingError::TooLarge(1_000_000))));
        assert!(matches!(gunzip(HELLO, 4), Err(EncodingError::TooLarge(4))));
        assert!(matches!(ContentEncoding::Identity.decode(b"12345", 4), Err(EncodingError::TooLarge(4))));
    }

    #[test]
    fn every_cut_and_every_wrong_byte_of_the_frame_is_an_error() {
        for end in 1..HELLO.len() {
            assert!(matches!(gunzip(&HELLO[..end], 100), Err(EncodingError::CutShort)), "{end}");
        }
        assert!(matches!(gunzip(b"<html></html>", 100), Err(EncodingError::Broken { encoding: "gzip", .. })));
        let mut wrong_sum = HELLO.to_vec();
        wrong_sum[18] ^= 1;
        assert!(gunzip(&wrong_sum, 100).is_err());
    }

    #[test]
    fn deflate_comes_with_and_without_its_frame() {
        let raw = &HELLO[10..17];
        let framed = [b"\x78\x9c", raw, b"\x06\x2c\x02\x15"].concat();
        assert_eq!(ContentEncoding::Deflate.decode(raw, 100).unwrap(), b"hello");
        assert_eq!(ContentEncoding::Deflate.decode(&framed, 100).unwrap(), b"hello");
    }

    #[test]
    fn the_header_is_read_in_any_case() {
        assert_eq!(ContentEncoding::parse(" GZIP "), ContentEncoding::Gzip);
        assert_eq!(ContentEncoding::parse(""), ContentEncoding::Identity);
        let other = ContentEncoding::parse("br");
        assert_eq!(other.decode(b"x", 9).unwrap_err().to_string(), "content encoding `br` was not asked for");
    }
}

//! The least that decoding can cost: no limits, no table, no error reports. The goals are multiples of it.

/// Visits every token: tags by number, strings found and checked, lengths followed. `None` for bytes it cannot read.
pub(crate) fn walk<'a>(bytes: &'a [u8], mut visit: impl FnMut(u16, &'a str)) -> Option<usize> {
    let (mut at, mut page, mut depth, mut elements) = (HEADER, 0_u16, 0_usize, 0_usize);
    while let Some(&token) = bytes.get(at) {
        at += 1;
        match token {
            0x00 => {
                page = u16::from(*bytes.get(at)?);
                at += 1;
            }
            0x01 => depth = depth.checked_sub(1)?,
            0x03 => {
                let text = string(&bytes[at..])?;
                visit(0, text);
                at += text.len() + 1;
            }
            0xC3 => {
                let (length, start) = length(bytes, at)?;
                bytes.get(start..start.checked_add(length)?)?;
                at = start + length;
            }
            tag => {
                visit(page << 6 | u16::from(tag & 0x3F), "");
                elements += 1;
                depth += usize::from(tag & 0x40 != 0);
            }
        }
    }
    (depth == 0).then_some(elements)
}

/// One element of the naive tree.
#[derive(Default)]
pub(crate) struct Node<'a> {
    pub(crate) tag: u16,
    pub(crate) text: Option<&'a str>,
    pub(crate) children: Vec<Node<'a>>,
}

/// The same walk that keeps a vector of children in every node.
pub(crate) fn tree(bytes: &[u8]) -> Option<Node<'_>> {
    let (mut at, mut page, mut open) = (HEADER, 0_u16, vec![Node::default()]);
    while let Some(&token) = bytes.get(at) {
        at += 1;
        match token {
            0x00 => {
                page = u16::from(*bytes.get(at)?);
                at += 1;
            }
            0x01 => {
                let node = open.pop()?;
                open.last_mut()?.children.push(node);
            }
            0x03 => {
                let text = string(&bytes[at..])?;
                open.last_mut()?.text = Some(text);
                at += text.len() + 1;
            }
            0xC3 => {
                let (length, start) = length(bytes, at)?;
                bytes.get(start..start.checked_add(length)?)?;
                at = start + length;
            }
            tag => {
                let node = Node { tag: page << 6 | u16::from(tag & 0x3F), ..Node::default() };
                if tag & 0x40 == 0 { open.last_mut()?.children.push(node) } else { open.push(node) }
            }
        }
    }
    open.pop()
}

/// Looks at every byte twice: for a NUL, and whether it is UTF-8.
pub(crate) fn scan(bytes: &[u8]) -> usize {
    memchr::memchr(0xFF, bytes).unwrap_or(0) + usize::from(simdutf8::basic::from_utf8(bytes).is_ok())
}

fn string(bytes: &[u8]) -> Option<&str> {
    simdutf8::basic::from_utf8(&bytes[..memchr::memchr(0, bytes)?]).ok()
}

fn length(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut length = 0;
    loop {
        let byte = *bytes.get(at)?;
        at += 1;
        length = length << 7 | usize::from(byte & 0x7F);
        if byte < 0x80 {
            return Some((length, at));
        }
    }
}

const HEADER: usize = 4;

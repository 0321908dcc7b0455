/// A text in which bytes stand by themselves or as a mark with two hexadecimal digits: quoted-printable (`=`), URLs (`%`).
pub(crate) struct Escaped {
    /// What the text says.
    pub(crate) bytes: Vec<u8>,
    slots: Vec<Slot>,
}

struct Slot {
    at: usize,
    byte: u8,
    escaped: bool,
}

impl Escaped {
    /// Reads a text; what is a mark but no escape stands by itself, but for the soft line break of quoted-printable.
    pub(crate) fn read(text: &[u8], mark: u8) -> Self {
        let mut slots = Vec::new();
        let mut at = 0;
        while let Some(byte) = text.get(at).copied() {
            if byte != mark {
                slots.push(Slot { at, byte, escaped: false });
                at = at.saturating_add(1);
                continue;
            }
            let behind = text.get(at.saturating_add(1)..).unwrap_or_default();
            let escape = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
            let escape = escape.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
            if let Some(byte) = escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                slots.push(Slot { at, byte, escaped: true });
                at = at.saturating_add(3);
            } else if mark == b'=' && behind.starts_with(b"\r\n") {
                at = at.saturating_add(3);
            } else if mark == b'=' && behind.starts_with(b"\n") {
                at = at.saturating_add(2);
            } else {
                slots.push(Slot { at, byte, escaped: false });
                at = at.saturating_add(1);
            }
        }
        Self { bytes: slots.iter().map(|slot| slot.byte).collect(), slots }
    }

    /// Writes the changed bytes where the old ones stood; false, with the text half changed, when one does not fit there.
    pub(crate) fn write(&self, text: &mut [u8]) -> bool {
        let changed = self.slots.iter().zip(&self.bytes).filter(|(slot, byte)| slot.byte != **byte);
        for (slot, byte) in changed {
            if slot.escaped {
                let from = slot.at.saturating_add(1);
                let Some(digits) = text.get_mut(from..from.saturating_add(2)) else { return false };
                let lower = digits.iter().any(u8::is_ascii_lowercase);
                let new = if lower { format!("{byte:02x}") } else { format!("{byte:02X}") };
                digits.copy_from_slice(new.as_bytes());
            } else {
                let Some(place) = text.get_mut(slot.at) else { return false };
                // A literal byte above ASCII stays one; an ASCII one must need no escape.
                if !byte.is_ascii_alphanumeric() && (byte.is_ascii() || place.is_ascii()) {
                    return false;
                }
                *place = *byte;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_text_is_changed_where_it_stands() {
        let mut text = b"M=FCl=\r\nler =3D x=".to_vec();
        let mut escaped = Escaped::read(&text, b'=');
        assert_eq!(escaped.bytes, b"M\xFCller = x=");
        escaped.bytes[..4].copy_from_slice(b"B\xE4cd");
        assert!(escaped.write(&mut text));
        assert_eq!(text, b"B=E4c=\r\nder =3D x=");
        escaped.bytes[0] = b'\n';
        assert!(!escaped.write(&mut text));
    }
}

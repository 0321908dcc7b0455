use crate::salt::Salt;

/// How often the halves of a word are mixed.
const ROUNDS: u32 = 4;

/// Words of this many hexadecimal digits and more are taken for bytes and stay such, so that a device id is the same as text
/// and as bytes.
const HEX: usize = 16;

/// Another word of the same length in UTF-8 and UTF-16, with the same kind of character at every place: digits stay digits,
/// capital letters capital letters.
///
/// Case does not count, so that `Bob` and `bob` stay one. Different ASCII words give different words. Long numbers that end
/// alike give numbers that end alike: a telephone number is the same with and without its country.
pub(super) fn word(salt: &Salt, word: &str) -> String {
    if word.len() >= NUMBER && word.bytes().all(|b| b.is_ascii_digit()) {
        return number(salt, word);
    }
    let bytes = word.len() >= HEX && word.len().is_multiple_of(2) && word.bytes().all(|b| b.is_ascii_hexdigit());
    let kinds: Vec<Kind> = word.chars().map(|c| if bytes { Kind::hex(c) } else { Kind::of(c) }).collect();
    let before: Vec<u32> = word.chars().zip(&kinds).map(|(c, kind)| kind.value(c)).collect();
    let mut values = before.clone();
    // A word that comes out as itself goes through once more; in a word of few characters that happens and says nothing.
    for turn in 0..3 {
        mix(salt, &kinds, &mut values, turn);
        if values != before {
            break;
        }
    }
    kinds.iter().zip(values).zip(word.chars()).map(|((kind, value), c)| kind.char(value, c)).collect()
}

/// Numbers of this many digits and more may be telephone numbers.
pub(super) const NUMBER: usize = 7;

/// How many digits at the end of a number are mixed with each other.
const TAIL: usize = 4;

/// What one digit's draw is told apart by from those of a word.
const DIGIT_ROUND: u32 = 1 << 20;

/// From the end to the beginning: each digit is shifted by what is drawn from those behind it, so that whatever stands before
/// changes nothing of the rest. 0 stays 0 there, and no other digit becomes one: zeros at the front dial a way.
fn number(salt: &Salt, digits: &str) -> String {
    let (front, tail) = digits.split_at(digits.len().saturating_sub(TAIL));
    let value = |c: char| c.to_digit(10).unwrap_or(0);
    let mut behind: Vec<u32> = tail.chars().rev().map(value).collect();
    let mut new: Vec<char> = word(salt, tail).chars().rev().collect();
    for digit in front.chars().rev().map(value) {
        let draw = if digit == 0 { 0 } else { salt.draws(DIGIT_ROUND, &behind).next().unwrap_or(0) };
        let shifted = if digit == 0 { 0 } else { 1 + (digit - 1 + draw % 9) % 9 };
        new.push(char::from_digit(shifted, 10).unwrap_or('0'));
        behind.push(digit);
    }
    new.into_iter().rev().collect()
}

/// A Feistel network: each half is shifted by what is drawn from the other, which can be undone and so joins no two words.
fn mix(salt: &Salt, kinds: &[Kind], values: &mut [u32], turn: u32) {
    let middle = values.len() / 2;
    let (left_kinds, right_kinds) = kinds.split_at(middle);
    let (left, right) = values.split_at_mut(middle);
    for round in 0..ROUNDS {
        let number = turn.saturating_mul(ROUNDS).saturating_add(round);
        if round.is_multiple_of(2) {
            shift(right, right_kinds, salt.draws(number, left));
        } else {
            shift(left, left_kinds, salt.draws(number, right));
        }
    }
}

fn shift(values: &mut [u32], kinds: &[Kind], draws: impl Iterator<Item = u32>) {
    for ((value, kind), draw) in values.iter_mut().zip(kinds).zip(draws) {
        let radix = u64::from(kind.radix());
        *value = u32::try_from((u64::from(*value) + u64::from(draw)) % radix).unwrap_or(0);
    }
}

/// What may stand where a character stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Digit,
    Letter,
    HexDigit,
    /// One byte in Latin-1 and Windows-1252 above ASCII, where it has two cases.
    Latin,
    /// One byte in Windows-1252 above ASCII, without case.
    Sign,
    /// Two bytes in UTF-8.
    Two,
    /// Three bytes in UTF-8; comes out as a Chinese character.
    Three,
    /// Four bytes in UTF-8.
    Four,
}

impl Kind {
    fn hex(c: char) -> Self {
        if c.is_ascii_hexdigit() { Self::HexDigit } else { Self::of(c) }
    }

    fn of(c: char) -> Self {
        match u32::from(c) {
            0x30..=0x39 => Self::Digit,
            0..=0x7F => Self::Letter,
            0x80..=0xBF => Self::Sign,
            0xC0..=0xFF => Self::Latin,
            0x100..=0x7FF => Self::Two,
            0x800..=0xFFFF => Self::Three,
            _ => Self::Four,
        }
    }

    /// The first character of the range, and how many there are.
    fn range(self) -> (u32, u32) {
        match self {
            Self::Digit => (0x30, 10),
            Self::Letter => (0x61, 26),
            Self::HexDigit => (0, 16),
            Self::Sign => (0x80, 0x40),
            Self::Latin => (0xE0, 0x20),
            Self::Two => (0x100, 0x700),
            Self::Three => (0x4E00, 0x5200),
            Self::Four => (0x20000, 0xA6D0),
        }
    }

    fn radix(self) -> u32 {
        self.range().1
    }

    fn value(self, c: char) -> u32 {
        let (first, radix) = self.range();
        let code = match self {
            Self::HexDigit => c.to_digit(16).unwrap_or(0),
            Self::Letter => u32::from(c.to_ascii_lowercase()),
            Self::Latin => u32::from(c) | 0x20,
            _ => u32::from(c),
        };
        // Characters outside the range (other scripts of three bytes) fold into it.
        (code.wrapping_sub(first)) % radix
    }

    fn char(self, value: u32, like: char) -> char {
        let (first, _) = self.range();
        let c = match self {
            Self::HexDigit => char::from_digit(value, 16),
            _ => char::from_u32(first.saturating_add(value)),
        };
        let c = c.unwrap_or('x');
        match self {
            Self::Letter | Self::HexDigit if like.is_ascii_uppercase() => c.to_ascii_uppercase(),
            Self::Latin if u32::from(like) & 0x20 == 0 => char::from_u32(u32::from(c) & !0x20).unwrap_or(c),
            _ => c,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn salt() -> Salt {
        Salt::new([7; 32])
    }

    #[test]
    fn a_word_keeps_its_length_and_kinds_of_characters_and_case_does_not_count() {
        for text in ["Bob", "androidC259148960", "Müller", "Šárka", "老師", "😀", "x", "0", "ÀÿÖ"] {
            let other = word(&salt(), text);
            assert_eq!((other.len(), other.chars().count()), (text.len(), text.chars().count()), "{other}");
            assert_eq!(other.encode_utf16().count(), text.encode_utf16().count());
            let kinds =
                |text: &str| text.chars().map(|c| (c.is_ascii_digit(), c.is_ascii_uppercase())).collect::<Vec<_>>();
            assert_eq!(kinds(&other), kinds(text));
            assert_eq!(word(&salt(), text), other);
        }
        assert_eq!(word(&salt(), "BOB").to_lowercase(), word(&salt(), "bob"));
        assert_eq!(word(&salt(), "MÜLLER").to_lowercase(), word(&salt(), "müller"));
        assert_ne!(word(&salt(), "Miller"), word(&Salt::new([8; 32]), "Miller"));
    }

    #[test]
    fn different_words_stay_different() {
        let all: BTreeSet<String> = (0..1000).map(|number| word(&salt(), &format!("{number:03}"))).collect();
        assert_eq!(all.len(), 1000);
        let letters: BTreeSet<String> = ('a'..='z').map(|c| word(&salt(), &c.to_string())).collect();
        assert_eq!(letters.len(), 26);
    }

    #[test]
    fn numbers_that_end_alike_come_out_so_and_no_two_become_one() {
        let number = |digits: &str| word(&salt(), digits);
        let local = number("5551234567");
        assert!(number("15551234567").ends_with(&local) && number("0015551234567").ends_with(&local), "{local}");
        assert!(number("00493012345").starts_with("00") && number("4900012345").get(2..5) == Some("000"));
        let all: BTreeSet<String> = (0..2000).map(|n| number(&format!("{:07}", n * 4999))).collect();
        assert_eq!(all.len(), 2000);
    }

    #[test]
    fn many_hexadecimal_digits_stay_such() {
        let other = word(&salt(), "0123456789ABCDEF0123456789abcdef");
        assert!(other.bytes().all(|b| b.is_ascii_hexdigit()) && other != "0123456789ABCDEF0123456789abcdef", "{other}");
        assert_eq!(word(&salt(), &"0123456789abcdef".repeat(2)), other.to_lowercase());
    }
}

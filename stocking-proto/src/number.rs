//! The integers of the wire: callback ids, counters, and how any number is written.

use alloc::vec::Vec;
use core::fmt;
use core::num::NonZeroU64;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The largest integer on the wire: 2^53 - 1, the last one that JavaScript counts to without a gap.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// The callback id of a message and of the reply to it: an integer from 1 to [`MAX_INTEGER`].
///
/// An `Option<AckId>` takes no more room than the id itself.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AckId(NonZeroU64);

impl AckId {
    /// The id of this value, unless it is 0 or above [`MAX_INTEGER`].
    #[must_use]
    pub const fn new(value: u64) -> Option<Self> {
        match NonZeroU64::new(value) {
            Some(id) if value <= MAX_INTEGER => Some(Self(id)),
            _ => None,
        }
    }

    /// Reads canonical decimal: no sign, no leading zero, nothing around it.
    #[inline]
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::new(parse_decimal(text)?)
    }

    /// Reads canonical decimal up to a comma. Returns what is behind the comma too.
    #[inline]
    pub(crate) fn parse_to_comma(text: &str) -> Option<(Self, &str)> {
        let mut value = 0;
        for (at, byte) in text.bytes().enumerate().take(MAX_DIGITS + 1) {
            match byte {
                b'0' if value == 0 => return None,
                b'0'..=b'9' => value = value * 10 + u64::from(byte - b'0'),
                b',' => return Some((Self::new(value)?, text.get(at + 1..)?)),
                _ => return None,
            }
        }
        None
    }

    /// The value.
    #[inline]
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// Appends the id in decimal.
    #[inline]
    pub fn write_to(self, out: &mut Vec<u8>) {
        write_decimal(self.get(), out);
    }
}

impl fmt::Display for AckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A number of counted frames: an integer from 0 to [`MAX_INTEGER`].
///
/// In JSON it is an integer too: `1.0`, `1e0`, `-0` and `"1"` are not counts.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Count(u64);

impl Count {
    /// No frame yet.
    pub const ZERO: Self = Self(0);

    /// The count of this value, unless it is above [`MAX_INTEGER`].
    #[must_use]
    pub const fn new(value: u64) -> Option<Self> {
        if value <= MAX_INTEGER { Some(Self(value)) } else { None }
    }

    /// Reads canonical decimal: no sign, no leading zero, nothing around it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        parse_decimal(text).map(Self)
    }

    /// The value.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Appends the count in decimal.
    pub fn write_to(self, out: &mut Vec<u8>) {
        write_decimal(self.0, out);
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u64(CountVisitor)
    }
}

struct CountVisitor;

impl Visitor<'_> for CountVisitor {
    type Value = Count;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an integer from 0 to {MAX_INTEGER}")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Count, E> {
        Count::new(value).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(value), &self))
    }
}

/// As many digits as [`MAX_INTEGER`] has; they cannot overflow, nor can one more.
const MAX_DIGITS: usize = decimal_len(MAX_INTEGER);

/// Reads canonical decimal up to [`MAX_INTEGER`].
#[inline]
fn parse_decimal(text: &str) -> Option<u64> {
    let value = match text.as_bytes() {
        b"0" => 0,
        [b'1'..=b'9', ..] if text.len() <= MAX_DIGITS => text
            .bytes()
            .try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u64::from(byte - b'0')))?,
        _ => return None,
    };
    (value <= MAX_INTEGER).then_some(value)
}

/// Appends `value` in decimal. Every reply writes one, so it does without the machinery of `fmt`.
#[inline]
pub(crate) fn write_decimal(mut value: u64, out: &mut Vec<u8>) {
    let mut digits = [b'0'; decimal_len(u64::MAX)];
    let mut first = digits.len() - 1;
    while value >= 10 {
        digits[first] = decimal_digit(value);
        value /= 10;
        first -= 1;
    }
    digits[first] = decimal_digit(value);
    out.extend_from_slice(&digits[first..]);
}

/// How many bytes [`write_decimal`] appends.
pub(crate) const fn decimal_len(value: u64) -> usize {
    match value.checked_ilog10() {
        Some(log) => log as usize + 1,
        None => 1,
    }
}

/// The last digit of `value`.
const fn decimal_digit(value: u64) -> u8 {
    b'0' + (value % 10) as u8
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn an_optional_ack_id_is_as_small_as_a_u64() {
        assert_eq!(size_of::<Option<AckId>>(), size_of::<u64>());
    }

    #[test]
    fn only_canonical_decimal_in_range_is_a_number() {
        for (text, expected) in [
            ("0", Some(0)),
            ("1", Some(1)),
            ("10", Some(10)),
            ("9007199254740991", Some(MAX_INTEGER)),
            ("9007199254740992", None),
            ("9999999999999999", None),
            ("10000000000000000", None),
            ("18446744073709551616", None),
            ("", None),
            ("00", None),
            ("01", None),
            ("+1", None),
            ("-1", None),
            ("-0", None),
            (" 1", None),
            ("1 ", None),
            ("1.0", None),
            ("1e0", None),
            ("0x1", None),
            ("1_0", None),
            ("١", None),
            ("1\u{663}", None),
        ] {
            assert_eq!(Count::parse(text).map(Count::get), expected, "{text:?} as a count");
            let expected = expected.filter(|&value| value != 0);
            assert_eq!(AckId::parse(text).map(AckId::get), expected, "{text:?} as an id");
            let to_comma = alloc::format!("{text},{{}},");
            let expected = expected.map(|value| (value, "{},"));
            let found = AckId::parse_to_comma(&to_comma).map(|(id, rest)| (id.get(), rest));
            assert_eq!(found, expected, "{to_comma:?} as an id and what follows it");
            assert_eq!(AckId::parse_to_comma(text), None, "{text:?} without a comma");
        }
    }

    #[test]
    fn digits_and_their_number_are_those_of_fmt() {
        let powers = (0..20).map(|exponent| 10_u64.pow(exponent));
        let values = powers.flat_map(|power| [power - 1, power, power + 1]).chain([MAX_INTEGER, u64::MAX]);
        for value in values {
            let mut out = Vec::new();
            write_decimal(value, &mut out);
            assert_eq!(out, value.to_string().as_bytes());
            assert_eq!(out.len(), decimal_len(value));
        }
    }

    #[test]
    fn a_count_in_json_is_an_integer_in_range() {
        for (text, expected) in [
            ("0", Some(0)),
            ("9007199254740991", Some(MAX_INTEGER)),
            ("9007199254740992", None),
            ("1.0", None),
            ("1e0", None),
            ("-0", None),
            ("-1", None),
            ("\"1\"", None),
            ("null", None),
        ] {
            let count = serde_json::from_str::<Count>(text).ok();
            assert_eq!(count.map(Count::get), expected, "{text}");
        }
        assert_eq!(serde_json::to_string(&Count(7)).unwrap(), "7");
    }
}

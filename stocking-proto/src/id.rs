//! What a client is called.

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of a client: `@` and 22 base62 digits, which hold 128 bits.
///
/// The bits are random and knowing them is the permission to send to that client, so an id is not to be guessed, but
/// it is no secret either: whoever is to write to the client is told it.
///
/// ```
/// # use stocking_proto::ClientId;
/// let id = ClientId::from_bits(62);
/// assert_eq!(id.to_string(), "@0000000000000000000010");
/// assert_eq!(format!("{id:?}"), "@0000000000000000000010");
/// assert_eq!("@0000000000000000000010".parse(), Ok(id));
/// ```
// The higher half first; a u128 would align to 16 bytes whatever holds an id, and a table of them has many.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ClientId([u64; 2]);

/// In the order of ASCII, so that ids sort as their bits do.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl ClientId {
    /// The length of every id in bytes, the `@` included.
    pub const LEN: usize = 23;

    /// The id that holds these bits.
    #[must_use]
    pub const fn from_bits(bits: u128) -> Self {
        Self([(bits >> 64) as u64, bits as u64])
    }

    /// Reads the one way an id is written.
    pub fn parse(text: &str) -> Result<Self, ClientIdError> {
        let digits = text.strip_prefix('@').ok_or(ClientIdError::NoAt)?;
        if text.len() != Self::LEN {
            return Err(ClientIdError::Length { len: text.len() });
        }
        digits
            .bytes()
            .zip(1..)
            .try_fold(0_u128, |bits, (byte, at)| {
                let digit = digit_value(byte).ok_or(ClientIdError::Digit { at })?;
                bits.checked_mul(62)
                    .and_then(|bits| bits.checked_add(u128::from(digit)))
                    .ok_or(ClientIdError::TooLarge)
            })
            .map(Self::from_bits)
    }

    /// The bits the id holds.
    #[must_use]
    pub const fn to_bits(self) -> u128 {
        let [high, low] = self.0;
        (high as u128) << 64 | low as u128
    }

    /// Appends the id as it is written, [`LEN`](Self::LEN) bytes.
    pub fn write_to(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_ascii());
    }

    fn to_ascii(self) -> [u8; Self::LEN] {
        // Ten digits fit into a u64, where division is many times faster than in a u128.
        const TEN_DIGITS: u128 = 62_u128.pow(10);
        let mut text = [b'@'; Self::LEN];
        let mut bits = self.to_bits();
        for digits in text[1..].rchunks_mut(10) {
            let mut part = (bits % TEN_DIGITS) as u64;
            bits /= TEN_DIGITS;
            for digit in digits.iter_mut().rev() {
                *digit = ALPHABET[(part % 62) as usize];
                part /= 62;
            }
        }
        text
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(str::from_utf8(&self.to_ascii()).map_err(|_| fmt::Error)?)
    }
}

/// As it is written: the bits say nothing to anybody.
impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ClientId {
    type Err = ClientIdError;

    fn from_str(text: &str) -> Result<Self, ClientIdError> {
        Self::parse(text)
    }
}

impl Serialize for ClientId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ClientId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(ClientIdVisitor)
    }
}

struct ClientIdVisitor;

impl Visitor<'_> for ClientIdVisitor {
    type Value = ClientId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a client id")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ClientId, E> {
        ClientId::parse(text).map_err(E::custom)
    }
}

/// Why a text is not a [`ClientId`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ClientIdError {
    /// The byte at this offset is not a base62 digit.
    Digit {
        /// Where it is.
        at: usize,
    },
    /// It begins with `@`, but is not 23 bytes long.
    Length {
        /// How many bytes it is.
        len: usize,
    },
    /// It does not begin with `@`.
    NoAt,
    /// It has 22 digits, but their value is 2^128 or more.
    TooLarge,
}

impl fmt::Display for ClientIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Digit { at } => {
                write!(f, "a client id has only 0-9, A-Z and a-z after its `@`, not so at byte {at}")
            }
            Self::Length { len } => write!(f, "a client id is `@` and 22 digits, 23 bytes, not {len}"),
            Self::NoAt => f.write_str("a client id begins with `@`"),
            Self::TooLarge => {
                f.write_str("a client id is below 2^128, `@7n42DGM5Tflk9n8mt7Fhc7` is the last one")
            }
        }
    }
}

impl core::error::Error for ClientIdError {}

/// What a base62 digit stands for.
const fn digit_value(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'Z' => Some(byte - b'A' + 10),
        b'a'..=b'z' => Some(byte - b'a' + 36),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    const LAST: &str = "@7n42DGM5Tflk9n8mt7Fhc7";

    #[test]
    fn the_first_and_the_last_id_are_22_digits() {
        assert_eq!(ClientId::from_bits(0).to_string(), "@0000000000000000000000");
        assert_eq!(ClientId::from_bits(u128::MAX).to_string(), LAST);
        assert_eq!(LAST.parse(), Ok(ClientId::from_bits(u128::MAX)));
    }

    #[test]
    fn ids_sort_as_their_texts_do() {
        let ids =
            [0, 9, 10, 35, 36, 61, 62, (1 << 64) - 1, 1 << 64, 1 << 127, u128::MAX].map(ClientId::from_bits);
        assert!(ids.is_sorted());
        assert!(ids.map(|id| id.to_string()).is_sorted());
    }

    #[test]
    fn an_id_is_sixteen_bytes_and_makes_nothing_wider_that_holds_one() {
        assert_eq!((size_of::<ClientId>(), align_of::<ClientId>()), (16, 8));
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        for (text, error) in [
            ("", ClientIdError::NoAt),
            ("0000000000000000000000", ClientIdError::NoAt),
            ("@", ClientIdError::Length { len: 1 }),
            ("@000000000000000000000", ClientIdError::Length { len: 22 }),
            ("@00000000000000000000000", ClientIdError::Length { len: 24 }),
            ("@000000000000000000000-", ClientIdError::Digit { at: 22 }),
            ("@00000000000000000000é", ClientIdError::Digit { at: 21 }),
            ("@@000000000000000000000", ClientIdError::Digit { at: 1 }),
            ("@7n42DGM5Tflk9n8mt7Fhc8", ClientIdError::TooLarge),
            ("@zzzzzzzzzzzzzzzzzzzzzz", ClientIdError::TooLarge),
        ] {
            assert_eq!(ClientId::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn in_json_an_id_is_a_string() {
        let id = ClientId::from_bits(u128::MAX);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, alloc::format!("\"{LAST}\""));
        assert_eq!(serde_json::from_str::<ClientId>(&json).unwrap(), id);
        assert!(serde_json::from_str::<ClientId>("7").is_err());
    }
}

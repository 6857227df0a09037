//! The names that frames carry.

use core::fmt;
use core::ops::Deref;

/// What a broadcast is sent to: a channel, or, beginning with `@`, one client.
///
/// It is 1 to [`ChannelName::MAX_LEN`] bytes long and has no comma and no control character. Whether anything goes by
/// this name is not known here: `@` with anything behind it is a destination, though perhaps nobody's.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Destination<'a>(&'a str);

impl<'a> Destination<'a> {
    /// Checks that `name` can be a destination.
    #[inline]
    pub fn new(name: &'a str) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.len() > ChannelName::MAX_LEN {
            return Err(NameError::TooLong { len: name.len() });
        }
        match name.char_indices().find(|&(_, character)| character == ',' || character.is_control()) {
            Some((at, character)) => Err(NameError::Forbidden { at, character }),
            None => Ok(Self(name)),
        }
    }

    /// The name.
    #[inline]
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

/// A channel that can be joined and left: a [`Destination`] that does not begin with `@`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ChannelName<'a>(&'a str);

impl<'a> ChannelName<'a> {
    /// The most bytes a name has.
    pub const MAX_LEN: usize = 255;

    /// Checks that `name` can name a channel.
    pub fn new(name: &'a str) -> Result<Self, NameError> {
        let name = Destination::new(name)?;
        if name.starts_with('@') { Err(NameError::ClientId) } else { Ok(Self(name.0)) }
    }

    /// The name.
    #[inline]
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

impl<'a> From<ChannelName<'a>> for Destination<'a> {
    fn from(channel: ChannelName<'a>) -> Self {
        Self(channel.0)
    }
}

impl AsRef<str> for Destination<'_> {
    fn as_ref(&self) -> &str {
        self.0
    }
}

impl AsRef<str> for ChannelName<'_> {
    fn as_ref(&self) -> &str {
        self.0
    }
}

impl Deref for Destination<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.0
    }
}

impl Deref for ChannelName<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.0
    }
}

impl fmt::Display for Destination<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl fmt::Display for ChannelName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// Why a text is not a [`ChannelName`] or not a [`Destination`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum NameError {
    /// It begins with `@`: a client can be sent to, but not joined or left.
    ClientId,
    /// It is empty.
    Empty,
    /// It has a character that no name has.
    Forbidden {
        /// Where in the name, in bytes.
        at: usize,
        /// A comma or a control character.
        character: char,
    },
    /// It is longer than [`ChannelName::MAX_LEN`].
    TooLong {
        /// How many bytes it has.
        len: usize,
    },
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ClientId => {
                f.write_str("a name that begins with `@` is a client's, only channels are joined and left")
            }
            Self::Empty => f.write_str("a channel name has at least one character"),
            Self::Forbidden { character, .. } => {
                write!(f, "a channel name has no comma and no control character, this one has {character:?}")
            }
            Self::TooLong { len } => {
                write!(f, "a channel name has at most {} bytes, this one has {len}", ChannelName::MAX_LEN)
            }
        }
    }
}

impl core::error::Error for NameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_1_to_255_bytes_without_comma_and_control_character() {
        for (name, error) in [
            ("news", None),
            (" ", None),
            ("größe 🧦", None),
            ("a@b", None),
            (&"x".repeat(255), None),
            ("", Some(NameError::Empty)),
            (&"x".repeat(256), Some(NameError::TooLong { len: 256 })),
            (&"ß".repeat(128), Some(NameError::TooLong { len: 256 })),
            ("a,b", Some(NameError::Forbidden { at: 1, character: ',' })),
            ("ß\n", Some(NameError::Forbidden { at: 2, character: '\n' })),
            ("\0", Some(NameError::Forbidden { at: 0, character: '\0' })),
            ("a\u{7f}", Some(NameError::Forbidden { at: 1, character: '\u{7f}' })),
            ("a\u{85}", Some(NameError::Forbidden { at: 1, character: '\u{85}' })),
        ] {
            assert_eq!(Destination::new(name).err(), error, "{name:?} as a destination");
            assert_eq!(ChannelName::new(name).err(), error, "{name:?} as a channel");
        }
    }

    #[test]
    fn a_client_is_a_destination_and_no_channel() {
        assert!(Destination::new("@doge").is_ok());
        assert_eq!(ChannelName::new("@doge"), Err(NameError::ClientId));
    }
}

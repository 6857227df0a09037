//! The secret that resumes a session.

use std::fmt;

use subtle::ConstantTimeEq;

/// 128 random bits in base62. It is told to its client once, and shown nowhere else.
pub(crate) struct Key(Box<str>);

impl Key {
    pub(crate) fn new(digits: impl Into<Box<str>>) -> Self {
        Self(digits.into())
    }

    /// For the frame that tells the client.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether a client knows it. The time that this takes does not tell how much of it is right.
    pub(crate) fn is(&self, claimed: &str) -> bool {
        self.0.as_bytes().ct_eq(claimed.as_bytes()).into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn only_the_whole_key_is_the_key() {
        let key = Key::new("0123456789abcdefghijkl");
        assert!(key.is("0123456789abcdefghijkl"));
        for wrong in ["", "0", "0123456789abcdefghijk", "0123456789abcdefghijkl0", "0123456789abcdefghijkm"] {
            assert!(!key.is(wrong), "{wrong}");
        }
    }
}

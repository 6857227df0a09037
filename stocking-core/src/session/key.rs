//! The secret that resumes a session.

use std::fmt;

use stocking_proto::ClientId;
use subtle::ConstantTimeEq;

/// 128 random bits, written as an id is, without its `@`. It is told to its client once, and shown nowhere else.
///
/// Boxed: a session that cannot be resumed pays a pointer for it.
pub(crate) struct Key(Box<ClientId>);

impl Key {
    pub(crate) fn new(bits: ClientId) -> Self {
        Self(Box::new(bits))
    }

    /// For the frame that tells the client.
    pub(crate) fn reveal(&self) -> String {
        self.0.to_string().split_off(1)
    }

    /// Whether a client knows it. The time that this takes does not tell how much of it is right.
    pub(crate) fn is(&self, claimed: &str) -> bool {
        self.reveal().as_bytes().ct_eq(claimed.as_bytes()).into()
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
        let key = Key::new("@0123456789abcdefghijkl".parse().unwrap());
        assert_eq!(key.reveal(), "0123456789abcdefghijkl");
        assert!(key.is("0123456789abcdefghijkl"));
        for wrong in ["", "0", "0123456789abcdefghijk", "0123456789abcdefghijkl0", "0123456789abcdefghijkm"] {
            assert!(!key.is(wrong), "{wrong}");
        }
    }
}

//! A text of which only the numbers change: made once, so that saying and checking it costs little.

/// Digits of the number of a connection.
const CONNECTION: usize = 6;

/// Digits of the number of a message.
const SEQUENCE: usize = 10;

/// The shortest payload: its two numbers.
pub(crate) const SHORTEST: usize = CONNECTION + SEQUENCE;

/// Where callback ids begin, so that all have as many digits.
const FIRST_ID: u64 = 10_000_000;
const ID: usize = 8;

/// Stand in a text for what changes.
pub(crate) const PAYLOAD: char = '\u{1}';
pub(crate) const CALLBACK: char = '\u{2}';

/// A text with a payload in it that says whose it is and which, and perhaps a callback id.
#[derive(Debug)]
pub(crate) struct Pattern {
    text: Vec<u8>,
    payload: usize,
    callback: Option<usize>,
}

impl Pattern {
    /// Makes `template` a text: [`PAYLOAD`] becomes one of `length` bytes, [`CALLBACK`] an id.
    pub(crate) fn new(template: &str, length: usize) -> Self {
        let (mut text, mut payload, mut callback) = (Vec::new(), 0, None);
        for character in template.chars() {
            match character {
                PAYLOAD => {
                    payload = text.len();
                    text.resize(payload + SHORTEST, b'0');
                    text.extend((b'a'..=b'z').cycle().take(length.saturating_sub(SHORTEST)));
                }
                CALLBACK => {
                    callback = Some(text.len());
                    text.resize(text.len() + ID, b'0');
                }
                _ => text.extend(character.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
        Self { text, payload, callback }
    }

    /// The text for a message of a connection.
    pub(crate) fn fill(&mut self, connection: usize, sequence: u64) -> &[u8] {
        let (connection_digits, rest) = self.text[self.payload..].split_at_mut(CONNECTION);
        write(connection_digits, connection as u64);
        write(&mut rest[..SEQUENCE], sequence);
        if let Some(at) = self.callback {
            write(&mut self.text[at..at + ID], FIRST_ID + sequence);
        }
        &self.text
    }
}

fn write(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_tells_connection_and_message_and_is_as_long_as_it_should_be() {
        let mut pattern = Pattern::new("4,\u{2},{\"e\":\"echo\",\"p\":\"\u{1}\"}", 20);
        let text = String::from_utf8(pattern.fill(7, 42).to_vec()).unwrap();
        assert_eq!(text, r#"4,10000042,{"e":"echo","p":"0000070000000042abcd"}"#);
    }
}

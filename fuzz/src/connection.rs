//! One connection that is told anything, in any order.

use crate::torment::{Step, Torment, UPGRADE};

/// Steps of one run: enough for every state, few enough for speed.
const STEPS: usize = 500;

/// Reads `data` as what happens to a connection: each step is a byte that says what, and what it takes. The connection keeps
/// the promises that [`Torment`] looks at.
pub fn connection(data: &[u8]) {
    let Some((first, mut rest)) = data.split_first() else { return };
    let mut torment = Torment::new(first & 1 == 1);
    for _ in 0..STEPS {
        let Some(step) = step(&mut rest) else { break };
        torment.take(step);
    }
    torment.finish();
}

fn step(rest: &mut &[u8]) -> Option<Step> {
    let what = byte(rest)?;
    Some(match what {
        b'U' => Step::Bytes(UPGRADE.into()),
        b'B' => Step::Bytes(bytes(rest)),
        b'F' => Step::Frame(byte(rest)?, bytes(rest)),
        b'W' => Step::Wait(u32::from(byte(rest)?) * 200),
        b'H' => Step::HandleTimeout,
        b'P' => Step::PollTransmit,
        b'T' => Step::Taken(u16::from_be_bytes([byte(rest)?, byte(rest)?])),
        b'R' => Step::RunTasks,
        b'S' => Step::Push(u16::from_be_bytes([byte(rest)?, byte(rest)?])),
        b'E' => Step::Eof,
        // Most often a text.
        _ => Step::Text(String::from_utf8_lossy(&bytes(rest)).into_owned()),
    })
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    rest.split_off_first().copied()
}

/// As many bytes as the next one says, or as there are.
fn bytes(rest: &mut &[u8]) -> Vec<u8> {
    let length = byte(rest).map_or(0, usize::from).min(rest.len());
    rest.split_off(..length).unwrap_or_default().to_vec()
}

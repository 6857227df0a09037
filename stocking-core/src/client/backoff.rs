//! How long to wait before a connection is made again.

use std::time::Duration;

use super::{ClientConfig, random::Random};

/// Exponential backoff with full jitter: a random time below a bound that doubles with every failure in a row. Many
/// clients that lost the same server at once come back spread over the whole of it.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The next pause.
    pub(super) fn next(&mut self, config: &ClientConfig, random: &mut Random) -> Duration {
        let factor = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        let bound = config.backoff_min.saturating_mul(factor).min(config.backoff_max);
        self.failures = self.failures.saturating_add(1);
        // 32 bits are fine enough for any pause, and all the nanoseconds of a bound fit beside them.
        let part = u128::from(u32::from_le_bytes(random.bytes()));
        let nanoseconds = (bound.as_nanos() * part) >> 32;
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{super::random::Random, Backoff, ClientConfig};

    #[test]
    fn the_bound_doubles_from_half_a_second_to_twenty() {
        let config = ClientConfig::new();
        let mut highest = Random::new(|buffer| buffer.fill(0xff));
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..8).map(|_| backoff.next(&config, &mut highest).as_millis()).collect();
        assert_eq!(pauses, [499, 999, 1999, 3999, 7999, 15999, 19999, 19999]);
        for _ in 0..100 {
            assert!(backoff.next(&config, &mut highest) < Duration::from_secs(20));
        }
    }

    #[test]
    fn the_jitter_is_full() {
        let config = ClientConfig::new();
        let mut seed = 7_u64;
        let mut random = Random::new(move |buffer| {
            for byte in buffer {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = (seed >> 56) as u8;
            }
        });
        let pauses: Vec<_> =
            (0..1000).map(|_| Backoff { failures: 9 }.next(&config, &mut random).as_secs()).collect();
        for second in 0..20 {
            let count = pauses.iter().filter(|pause| **pause == second).count();
            assert!((20..=90).contains(&count), "{count} of 1000 pauses begin in second {second}");
        }
    }
}

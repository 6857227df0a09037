//! Chance that repeats.

use std::time::Duration;

/// A source of numbers that look random, the same for the same seed on every machine and in every version: a seed that a
/// failed test printed must not lose its meaning.
///
/// It is SplitMix64 (Steele, Lea and Flood, 2014). Nothing that has to be secret may come from it.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The numbers of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    #[must_use]
    pub fn next_number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`; 0 where that is 0.
    #[must_use]
    pub fn below(&mut self, limit: u64) -> u64 {
        // Of a bias that matters to nobody here.
        self.next_number().checked_rem(limit).unwrap_or(0)
    }

    /// True once in so many times.
    #[must_use]
    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// A time up to `limit`, to the microsecond.
    #[must_use]
    pub fn time(&mut self, limit: Duration) -> Duration {
        let limit = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.below(limit.saturating_add(1)))
    }

    /// Another source, whose numbers depend on this one's and on nothing that it is asked later.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self(self.next_number())
    }

    /// Fills a buffer, as [`Service::with_random`](crate::Service::with_random) asks for.
    pub fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&self.next_number().to_le_bytes()[..chunk.len()]);
        }
    }
}

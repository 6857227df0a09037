//! Sessions over a network that breaks connections at every byte: nothing lost, nothing twice, and the truth told.
//!
//! `SEEDS=10000` plays so many seeds instead of a few hundred, from `FIRST_SEED` on, or else from 0. A failure prints its
//! seed, and `FIRST_SEED=… SEEDS=1` plays that one again, to the byte, and tells its story.
//!
//! `faults.py` beside this file takes the rules out of the code, one at a time, and expects the simulator to find each.

mod application;
mod person;
mod world;

use std::{
    env,
    panic::{self, AssertUnwindSafe},
    process,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use self::world::World;

fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn while_a_session_lives_everything_arrives_once_and_in_order() {
    let first = number("FIRST_SEED", 0);
    let end = first + number("SEEDS", 300);
    let is_told = end - first == 1;
    let next = AtomicU64::new(first);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let survey = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut survey = [0; 5];
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= end {
                            return survey;
                        }
                        for (sum, count) in survey.iter_mut().zip(play(seed, is_told)) {
                            *sum += count;
                        }
                    }
                })
            })
            .collect();
        workers.into_iter().fold([0; 5], |mut total, worker| {
            let survey = worker.join().expect("a failure ends the process");
            total.iter_mut().zip(survey).for_each(|(sum, count)| *sum += count);
            total
        })
    });
    let [resumed, reset, handled, received, replies] = survey;
    println!(
        "{} seeds: {resumed} resumes, {reset} resets, {handled} requests handled, {received} messages received, \
         {replies} calls ended",
        end - first
    );
    // A simulation in which nothing happens would promise nothing.
    assert!(
        end - first < 100 || [resumed, reset, handled, received, replies].iter().all(|count| *count > 100)
    );
}

fn play(seed: u64, is_told: bool) -> [u64; 5] {
    panic::catch_unwind(AssertUnwindSafe(|| World::new(seed, is_told).play())).unwrap_or_else(|_| {
        eprintln!(
            "failed: FIRST_SEED={seed} SEEDS=1 cargo test -p stocking-core --test simulator -- --nocapture"
        );
        process::exit(1)
    })
}

//! A deterministic executor with a virtual clock.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll, Wake, Waker},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use crate::{driver::Runtime, executor::Task};

/// Polls of one [`TestRuntime::run`] after which something must be waking itself for ever.
const LIVELOCK: usize = 10_000_000;

/// A runtime whose time passes when the test says so, and whose tasks run when the test says so.
#[derive(Clone)]
pub struct TestRuntime(Arc<Mutex<World>>);

struct World {
    now: Instant,
    next: u64,
    tasks: BTreeMap<u64, Task>,
    ready: VecDeque<u64>,
    is_ready: BTreeSet<u64>,
    timers: BTreeMap<(Instant, u64), Waker>,
    has_ended: bool,
}

impl World {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn wake(&mut self, task: u64) {
        if self.is_ready.insert(task) {
            self.ready.push_back(task);
        }
    }
}

impl TestRuntime {
    /// Whether the other one is the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// A runtime on which it is `start`.
    #[must_use]
    pub fn new(start: Instant) -> Self {
        Self(Arc::new(Mutex::new(World {
            now: start,
            next: 0,
            tasks: BTreeMap::new(),
            ready: VecDeque::new(),
            is_ready: BTreeSet::new(),
            timers: BTreeMap::new(),
            has_ended: false,
        })))
    }

    /// Fires after `time` of the virtual clock: for handlers under test.
    #[must_use]
    pub fn sleep(&self, time: Duration) -> Sleep {
        self.sleep_until(self.now() + time)
    }

    /// How many tasks have not ended.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.0.lock().tasks.len()
    }

    /// When the next timer fires, if any is set.
    #[must_use]
    pub fn next_timer(&self) -> Option<Instant> {
        self.0.lock().timers.first_key_value().map(|(&(at, _), _)| at)
    }

    /// Ends the runtime: every task is dropped where it stands, and so is whatever is spawned later, as a runtime does
    /// that shuts down. Its timers panic from then on, as tokio's do.
    pub fn shut_down(&self) {
        let mut world = self.0.lock();
        world.has_ended = true;
        let tasks = std::mem::take(&mut world.tasks);
        drop(world);
        drop(tasks);
    }

    /// Runs until every task waits for something. No time passes.
    ///
    /// # Panics
    ///
    /// If the tasks keep waking each other for ever.
    pub fn run(&self) {
        for _ in 0..LIVELOCK {
            let Some((number, mut task)) = self.next_ready() else { return };
            let waker = Waker::from(Arc::new(TaskWaker { world: Arc::downgrade(&self.0), number }));
            if task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
                self.0.lock().tasks.insert(number, task);
            }
        }
        panic!("the tasks wake each other for ever");
    }

    /// Lets `time` pass, firing each timer when it is due and running what it wakes.
    pub fn advance(&self, time: Duration) {
        let end = self.now() + time;
        loop {
            self.run();
            let due = {
                let mut world = self.0.lock();
                match world.timers.first_key_value() {
                    Some((&(at, number), _)) if at <= end => {
                        world.now = world.now.max(at);
                        world.timers.remove(&(at, number))
                    }
                    _ => {
                        world.now = end;
                        None
                    }
                }
            };
            match due {
                Some(waker) => waker.wake(),
                None => return self.run(),
            }
        }
    }

    fn next_ready(&self) -> Option<(u64, Task)> {
        let mut world = self.0.lock();
        loop {
            let number = world.ready.pop_front()?;
            world.is_ready.remove(&number);
            if let Some(task) = world.tasks.remove(&number) {
                return Some((number, task));
            }
        }
    }
}

impl Runtime for TestRuntime {
    type Sleep = Sleep;

    fn now(&self) -> Instant {
        self.0.lock().now
    }

    fn sleep_until(&self, at: Instant) -> Sleep {
        let number = self.0.lock().number();
        Sleep { runtime: self.clone(), at, number }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut world = self.0.lock();
        if world.has_ended {
            drop(world);
            return drop(task);
        }
        let number = world.number();
        world.tasks.insert(number, Box::pin(task));
        world.wake(number);
    }
}

impl fmt::Debug for TestRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestRuntime").field("tasks", &self.tasks()).finish_non_exhaustive()
    }
}

struct TaskWaker {
    world: Weak<Mutex<World>>,
    number: u64,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        if let Some(world) = self.world.upgrade() {
            world.lock().wake(self.number);
        }
    }
}

/// A timer of the virtual clock.
#[derive(Debug)]
pub struct Sleep {
    runtime: TestRuntime,
    at: Instant,
    number: u64,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut world = self.runtime.0.lock();
        let has_ended = world.has_ended;
        assert!(!has_ended, "this runtime has ended, and its timers with it");
        if world.now >= self.at {
            return Poll::Ready(());
        }
        world.timers.insert((self.at, self.number), cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let waker = self.runtime.0.lock().timers.remove(&(self.at, self.number));
        drop(waker);
    }
}

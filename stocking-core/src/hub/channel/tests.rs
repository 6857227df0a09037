//! Members who come and go while a channel is told, in slices of four here.

use std::{collections::BTreeMap, sync::Arc};

use proptest::{collection::vec, prelude::*};

use super::{Channel, Published, SLICE};
use crate::{
    executor::Task,
    router::Router,
    service::Service,
    session::{Session, Values},
    websocket::Encoded,
};

#[derive(Clone, Debug)]
enum Step {
    Join(usize),
    Leave(usize),
    Publish {
        except: Option<usize>,
    },
    /// One turn of the task that tells the next slice.
    Advance,
}

const PEOPLE: usize = 20;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..PEOPLE).prop_map(Step::Join),
        3 => (0..PEOPLE).prop_map(Step::Leave),
        2 => proptest::option::of(0..PEOPLE).prop_map(|except| Step::Publish { except }),
        4 => Just(Step::Advance),
    ]
}

/// A channel, who is in it, and who has to have heard what.
struct World {
    channel: Arc<Channel>,
    people: Vec<Arc<Session>>,
    keys: BTreeMap<usize, usize>,
    task: Option<Task>,
    published: u8,
    /// What each member of a publication's moment has to hear, for as long as it stays a member; and nothing else.
    owed: Vec<Vec<u8>>,
    /// What each person has been told since it joined.
    heard: Vec<Vec<u8>>,
}

impl World {
    fn new() -> Self {
        let service: Arc<Service> = Router::new().into();
        let people: Vec<_> = (0..=PEOPLE)
            .map(|_| Session::begin(service.random_id(), service.clone(), Values::default(), None))
            .collect();
        let mut world = Self {
            channel: Arc::new(Channel::new("c")),
            keys: BTreeMap::new(),
            task: None,
            published: 0,
            owed: vec![Vec::new(); people.len()],
            heard: vec![Vec::new(); people.len()],
            people,
        };
        // Somebody always stays, so that the channel does not end.
        for person in [PEOPLE, 0, 1, 2, 3, 4, 5, 6, 7, 8] {
            world.join(person);
        }
        world
    }

    fn join(&mut self, person: usize) {
        if let std::collections::btree_map::Entry::Vacant(vacant) = self.keys.entry(person) {
            vacant.insert(self.channel.insert(&self.people[person]).unwrap());
            self.owed[person].clear();
            self.heard[person].clear();
        }
    }

    fn leave(&mut self, person: usize) {
        self.listen();
        if person != PEOPLE
            && let Some(key) = self.keys.remove(&person)
        {
            assert!(!self.channel.remove(key));
            assert!(self.heard[person].is_sorted_by(|a, b| a < b), "in order, nothing twice");
        }
    }

    fn publish(&mut self, except: Option<usize>) {
        self.published += 1;
        let run = Encoded::from(vec![self.published]);
        match self.channel.publish(&run, except.map(|person| &self.people[person]), 1000) {
            Published::Done => {}
            Published::Continues(rest) => {
                let task = Box::pin(rest.run(self.people[0].hub().clone()));
                assert!(self.task.replace(task).is_none(), "one task at a time");
            }
            Published::Congested => panic!("there is room"),
        }
        for &person in self.keys.keys() {
            if Some(person) != except {
                self.owed[person].push(self.published);
            }
        }
    }

    /// Returns whether there was anything to do.
    fn advance(&mut self) -> bool {
        let Some(mut task) = self.task.take() else { return false };
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        if task.as_mut().poll(&mut cx).is_pending() {
            self.task = Some(task);
        }
        true
    }

    fn listen(&mut self) {
        for (session, heard) in self.people.iter().zip(&mut self.heard) {
            let _ = session.outbox.drain_all(0, heard, session.service().config());
        }
    }

    fn check(&mut self) {
        while self.advance() {}
        self.listen();
        for &person in self.keys.keys() {
            let (heard, owed) = (&self.heard[person], &self.owed[person]);
            assert!(heard.is_sorted_by(|a, b| a < b), "{person} heard {heard:?}: in order, nothing twice");
            assert_eq!(heard, owed, "{person}: nothing left out, and nothing of the time before it came");
        }
    }
}

proptest! {
    #[test]
    fn who_stays_hears_everything_once_and_in_order_whoever_comes_and_goes(steps in vec(step(), 0..200)) {
        let mut world = World::new();
        for step in steps {
            match step {
                Step::Join(person) => world.join(person),
                Step::Leave(person) => world.leave(person),
                Step::Publish { except } => world.publish(except),
                Step::Advance => drop(world.advance()),
            }
        }
        world.check();
    }
}

#[test]
fn a_slice_is_told_at_once_and_the_rest_by_a_task() {
    let mut world = World::new();
    world.publish(None);
    world.listen();
    assert_eq!(world.heard.iter().filter(|heard| !heard.is_empty()).count(), SLICE);
    assert!(world.task.is_some());
    world.check();
    assert!(world.task.is_none());
}

#[test]
fn joining_and_leaving_touch_nobody_else() {
    // A hundred thousand of each: were either linear in the members, this would take minutes.
    let service: Arc<Service> = Router::new().into();
    let session = Session::begin(service.random_id(), service.clone(), Values::default(), None);
    let channel = Channel::new("c");
    let keys: Vec<_> = (0..100_000).map(|_| channel.insert(&session).unwrap()).collect();
    let (last, others) = keys.split_last().unwrap();
    for key in others {
        assert!(!channel.remove(*key));
    }
    assert_eq!(channel.len(), 1);
    assert!(channel.remove(*last));
    assert!(channel.insert(&session).is_none(), "it has ended");
}

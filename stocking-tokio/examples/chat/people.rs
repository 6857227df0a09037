//! Who is there, by what name, and in which rooms.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;
use stocking_tokio::{ClientId, Payload, Result, Session};

/// Characters of a name, or of a room's.
const MAX_NAME: usize = 24;

/// What the page is told, as JSON: `kind` says which.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum News<'a> {
    /// For somebody who has come into a room: everybody who is in it.
    Here {
        room: &'a str,
        people: Vec<Person>,
    },
    /// For the others in it.
    Came {
        who: Person,
    },
    Gone {
        who: Person,
    },
    Said {
        from: Person,
        text: &'a str,
        at: u64,
    },
    Whispered {
        from: Person,
        text: &'a str,
        at: u64,
    },
}

impl News<'_> {
    pub(crate) fn to_payload(&self) -> Result<Payload> {
        Payload::new(self)
    }
}

#[derive(Clone, Serialize)]
pub(crate) struct Person {
    id: ClientId,
    name: String,
}

impl Person {
    pub(crate) fn of(session: &Session) -> Self {
        let name = session.get::<Name>().map_or_else(|| "somebody".into(), |name| name.0.clone());
        Self { id: session.id(), name }
    }
}

/// What a session is called, as long as it lasts.
struct Name(String);

/// Everybody, behind one lock: what is told of a room is told in the order in which it came to be, so that whoever was told
/// who is there, and then of everybody who came and went, knows it exactly.
#[derive(Default)]
pub(crate) struct People {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// In small letters.
    names: BTreeSet<String>,
    rooms: BTreeMap<String, BTreeMap<ClientId, Person>>,
}

impl People {
    /// Names a session that begins: as it wishes or, where somebody has that name, with a number behind it.
    pub(crate) fn name(&self, session: &Session, wish: &str) {
        let mut known = self.known();
        let mut name = wish.to_owned();
        for number in 2_u32.. {
            if known.names.insert(name.to_lowercase()) {
                break;
            }
            name = format!("{wish} {number}");
        }
        session.insert(Name(name));
    }

    /// A session has joined a room. It and the others are told, once: a join of where it is already is no news, and its
    /// answer, everybody there, would be far longer than what asks for it.
    pub(crate) fn come(&self, session: &Arc<Session>, room: &str) {
        let mut known = self.known();
        // Its end may have been quicker; then nobody would tell of it any more.
        if !session.is_in(room) {
            return;
        }
        let who = Person::of(session);
        let members = known.rooms.entry(room.to_owned()).or_default();
        if members.insert(session.id(), who.clone()).is_some() {
            return;
        }
        tell_others(session, room, &News::Came { who });
        let here = News::Here { room, people: members.values().cloned().collect() };
        if let Ok(here) = here.to_payload() {
            session.send(here.as_str());
        }
    }

    /// A session is not in a room any more.
    pub(crate) fn go(&self, session: &Session, room: &str) {
        let mut known = self.known();
        let Some(members) = known.rooms.get_mut(room) else { return };
        if let Some(who) = members.remove(&session.id()) {
            tell_others(session, room, &News::Gone { who });
        }
        if members.is_empty() {
            known.rooms.remove(room);
        }
    }

    /// A session has ended.
    pub(crate) fn forget(&self, session: &Session) {
        let rooms: Vec<String> = self.known().rooms.keys().cloned().collect();
        for room in rooms {
            self.go(session, &room);
        }
        if let Some(name) = session.get::<Name>() {
            self.known().names.remove(&name.0.to_lowercase());
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where nobody hears it, nobody has to.
fn tell_others(session: &Session, room: &str, news: &News<'_>) {
    if let Ok(news) = news.to_payload() {
        session.hub().channel(room).except(session.id()).broadcast(news.as_str()).ok();
    }
}

/// Whether somebody may be called that: what does not show, or turns text around, is in no name.
pub(crate) fn is_name(name: &str) -> bool {
    let is_inner = |char: char| is_letter(char) || " -_.'’".contains(char);
    name.chars().count() <= MAX_NAME
        && name.starts_with(is_letter)
        && name.ends_with(is_letter)
        && name.chars().all(is_inner)
        && !name.contains("  ")
}

pub(crate) fn is_room(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.chars().count())
        && name.chars().all(|char| char == '-' || is_letter(char) && !char.is_uppercase())
}

/// A letter or a digit that shows: of those Unicode calls so, the fillers of Hangul do not.
fn is_letter(char: char) -> bool {
    char.is_alphanumeric() && !matches!(char, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}')
}

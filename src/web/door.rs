//! Who is let in on a loopback port: a link that works once, and the cookie that it is exchanged for.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use uuid::Uuid;

/// So long a link works.
const LINK: Duration = Duration::from_secs(60);
/// So long somebody who came in may stay.
const STAY: Duration = Duration::from_secs(12 * 60 * 60);
/// Links and guests that are remembered; the oldest makes room.
const REMEMBERED_MAX: usize = 64;

/// A secret of 244 random bits, as it stands in a link or a cookie.
pub(super) struct Token(pub(super) String);

impl Token {
    fn new() -> Self {
        Self(format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()))
    }
}

/// Tokens by their digests, each with the moment from which it is none any more. Digests are compared in constant time.
#[derive(Debug, Default)]
struct Known(Vec<(blake3::Hash, Instant)>);

impl Known {
    fn add(&mut self, token: &Token, until: Instant) {
        if self.0.len() == REMEMBERED_MAX {
            self.0.remove(0);
        }
        self.0.push((blake3::hash(token.0.as_bytes()), until));
    }

    fn place(&mut self, token: &str, now: Instant) -> Option<usize> {
        self.0.retain(|(_, until)| now < *until);
        let hash = blake3::hash(token.as_bytes());
        self.0.iter().position(|(known, _)| *known == hash)
    }
}

/// Links that were given out and guests that came in by them. All are forgotten with the process.
#[derive(Debug, Default)]
pub struct Door(Mutex<[Known; 2]>);

impl Door {
    /// A token for a link that works once, within a minute.
    #[must_use]
    pub fn link(&self, now: Instant) -> String {
        let token = Token::new();
        self.with(|[links, _]| links.add(&token, now + LINK));
        token.0
    }

    /// Exchanges the token of a link for that of a cookie; `None` if it is none, or none any more.
    pub(super) fn enter(&self, token: &str, now: Instant) -> Option<Token> {
        self.with(|[links, guests]| {
            let place = links.place(token, now)?;
            links.0.remove(place);
            let guest = Token::new();
            guests.add(&guest, now + STAY);
            Some(guest)
        })
    }

    /// Whether the token of a cookie is one of somebody who came in.
    pub(super) fn knows(&self, token: &str, now: Instant) -> bool {
        self.with(|[_, guests]| guests.place(token, now).is_some())
    }

    fn with<T>(&self, work: impl FnOnce(&mut [Known; 2]) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_works_once_and_for_a_minute() {
        let (door, now) = (Door::default(), Instant::now());
        let link = door.link(now);
        assert_eq!(link.len(), 64);
        assert!(door.enter("", now).is_none() && door.enter(&link[..63], now).is_none());
        assert!(!door.knows(&link, now), "a link is no cookie");
        let cookie = door.enter(&link, now + LINK - Duration::from_millis(1)).unwrap();
        assert!(door.enter(&link, now).is_none(), "it works once");
        assert!(door.enter(&cookie.0, now).is_none(), "a cookie is no link");
        let late = door.link(now);
        assert!(door.enter(&late, now + LINK).is_none());
        assert!(door.knows(&cookie.0, now + STAY / 2) && !door.knows(&cookie.0, now + LINK + STAY));
    }

    #[test]
    fn no_more_are_remembered_than_there_is_room_for() {
        let (door, now) = (Door::default(), Instant::now());
        let links: Vec<String> = (0..=REMEMBERED_MAX).map(|_| door.link(now)).collect();
        assert!(door.enter(&links[0], now).is_none());
        assert!(door.enter(&links[1], now).is_some());
    }
}

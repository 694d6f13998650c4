//! From page to page, to the end, over whatever breaks.

use std::collections::BTreeSet;

use crate::{
    model::{REST_SECONDS_MAX, Timestamp, shortened},
    source::peer::{Broken, Rests, Wrong},
};

use super::{
    Taxii2, TaxiiError,
    collection::Collection,
    mark::just_before,
    page::{Contained, List, Next, Page, stamp},
};

/// How many objects, or entries of a manifest, are asked for at once. Servers may give fewer.
pub(super) const OBJECTS: u32 = 500;
const ENTRIES: u32 = 2_000;
/// Where more have the same stamp than fit on a page, and no page stands for the next, so many at most.
const LIMIT_MAX: u32 = 64_000;
/// Most pages in a row that have nothing on them.
const EMPTY_MAX: u32 = 100;

/// What is done with pages.
pub(super) trait Takes: Send {
    /// Takes a page, which people and the mirror know by this name.
    fn take(&mut self, page: &Page, text: &str) -> Result<Envelope, Fail>;

    /// All up to a page with more behind it was taken, and this is its last stamp.
    fn proven(&mut self, last: Timestamp) -> Result<(), TaxiiError>;

    /// Stamps do not come in order, so none that was proven is.
    fn disproven(&mut self) -> Result<(), TaxiiError>;
}

/// What a page says of itself.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    /// Whether there are others.
    pub(super) more: bool,
    /// What stands for the next of them.
    pub(super) next: Option<Next>,
    /// Its last stamp, where that is in it.
    pub(super) last: Option<Timestamp>,
}

/// Why a page could not be taken.
#[derive(Debug)]
pub(super) enum Fail {
    /// It is no such page, in words. Another try may help.
    Unreadable(String),
    Lasting(TaxiiError),
}

/// How a walk came to its end.
#[derive(Debug)]
pub(super) struct Walked {
    /// The newest stamp, where there was one.
    pub(super) last: Option<Timestamp>,
    /// The server's clock.
    pub(super) ended: Option<Timestamp>,
    /// How many objects came, repeated ones included; at least one where nobody can say.
    pub(super) count: u64,
    /// What came, unless it was put together from several readings.
    pub(super) window: Option<String>,
    /// The names of all pages.
    pub(super) texts: BTreeSet<String>,
}

/// A walk under way.
struct Walk<'c> {
    collection: &'c Collection,
    /// The moment after which the reading under way began, and the place of its next page.
    from: Option<Timestamp>,
    number: usize,
    next: Option<Next>,
    limit: u32,
    /// More at once is too much.
    limit_max: u32,
    /// From where the first reading began, and the next would.
    begun: Option<Timestamp>,
    again: Option<Timestamp>,
    /// Readings that began there, and how long the server wanted to be left alone.
    tries: u32,
    rested: u64,
    /// Stamps came in order so far.
    is_ordered: bool,
    /// The pages of the reading under way, and how many without anything came last.
    pages: BTreeSet<String>,
    empty: u32,
    contained: Option<Contained>,
    walked: Walked,
}

/// What pages of a list are called.
pub(super) fn text(collection: &str, from: Option<Timestamp>, number: usize) -> String {
    match from {
        Some(from) => format!("collection {collection} after {} page {number}", stamp(from)),
        None => format!("collection {collection} from the beginning page {number}"),
    }
}

/// The moment after which the reading began that a page of this name was of; none if it is none of that collection.
pub(super) fn of_text(collection: &str, text: &str) -> Option<Option<Timestamp>> {
    let rest = text.strip_prefix("collection ")?.strip_prefix(collection)?.strip_prefix(' ')?;
    let (from, number) = rest.rsplit_once(" page ")?;
    number.parse::<usize>().ok()?;
    if from == "from the beginning" {
        return Some(None);
    }
    Timestamp::parse(from.strip_prefix("after ")?).ok().map(Some)
}

/// Why a reading goes on no more.
enum Setback {
    /// Another may come further.
    Again {
        why: String,
        retry_after: Option<u64>,
    },
    /// Another that asks for less at once may.
    Smaller,
    Lasting(TaxiiError),
}

impl<T: Rests> Taxii2<T> {
    /// Takes all pages of a list of what was added after a time.
    pub(super) async fn walk(
        &self,
        collection: &Collection,
        list: List,
        from: Option<Timestamp>,
        taker: &mut impl Takes,
    ) -> Result<Walked, TaxiiError> {
        let mut walk = Walk::new(collection, list, from);
        loop {
            let Walk { from, limit, .. } = walk;
            let next = walk.next.take();
            let is_first = next.is_none();
            let taken = match self.page(collection, list, from, next, limit).await {
                Ok(page) => walk.page(&page, taker),
                Err(broken) => Err(walk.broken(broken, is_first)),
            };
            match taken {
                Ok(true) => return Ok(walk.end()),
                Ok(false) => {}
                Err(Setback::Smaller) => walk.begin_again(),
                Err(Setback::Lasting(error)) => return Err(error),
                Err(Setback::Again { why, retry_after }) => {
                    // It may be in words that a server chose.
                    let why = shortened(&self.peer.clean(&why)).into_owned();
                    walk.gives_up(&why, retry_after, self.peer.tries_max())?;
                    self.peer.wait(walk.tries, retry_after, &why).await;
                    walk.begin_again();
                }
            }
        }
    }
}

impl<'c> Walk<'c> {
    fn new(collection: &'c Collection, list: List, from: Option<Timestamp>) -> Self {
        let (last, ended, count, window) = (None, None, 0, None);
        Self {
            collection,
            from,
            number: 1,
            next: None,
            limit: match list {
                List::Objects => OBJECTS,
                List::Manifest => ENTRIES,
            },
            limit_max: LIMIT_MAX,
            begun: from,
            again: from,
            tries: 0,
            rested: 0,
            is_ordered: true,
            pages: BTreeSet::new(),
            empty: 0,
            contained: Some(Contained::default()),
            walked: Walked { last, ended, count, window, texts: BTreeSet::new() },
        }
    }

    fn end(mut self) -> Walked {
        self.walked.window = self.contained.map(|contained| contained.digest());
        self.walked
    }

    /// Takes a page; whether it was the last.
    fn page(&mut self, page: &Page, taker: &mut impl Takes) -> Result<bool, Setback> {
        let text = text(&self.collection.name, self.from, self.number);
        let envelope = taker.take(page, &text).map_err(|fail| match fail {
            Fail::Unreadable(why) => Setback::Again { why, retry_after: None },
            Fail::Lasting(error) => Setback::Lasting(error),
        })?;
        self.walked.texts.insert(text);
        self.walked.ended = page.date.or(self.walked.ended);
        self.contain(&page.bytes, envelope.more)?;
        let last = page.last.or(envelope.last);
        let is_ordered = page.first.is_none_or(|first| {
            Some(first) >= self.walked.last && last.is_none_or(|last| first <= last)
        });
        self.walked.last = self.walked.last.max(last);
        if !envelope.more {
            return Ok(true);
        }
        if self.is_ordered && !is_ordered {
            (self.is_ordered, self.again) = (false, self.begun);
            taker.disproven().map_err(Setback::Lasting)?;
        }
        if let Some(last) = last.filter(|_| self.is_ordered) {
            let again = self.again.max(Some(just_before(last)));
            if again > self.again {
                (self.again, self.tries, self.rested) = (again, 0, 0);
                taker.proven(last).map_err(Setback::Lasting)?;
            }
        }
        match envelope.next {
            Some(next) => {
                self.next = Some(next);
                self.number += 1;
            }
            None => self.go_on_by_value()?,
        }
        Ok(false)
    }

    /// Remembers what is on a page, and that it is none that came before, nor one more of those without anything.
    fn contain(&mut self, page: &[u8], more: bool) -> Result<(), Setback> {
        let added = match &mut self.contained {
            Some(contained) => contained.add(page),
            None => Contained::default().add(page),
        };
        let (count, digest) = added.unwrap_or_else(|| {
            // At least one thing is on it.
            self.contained = None;
            (1, blake3::hash(page).to_string())
        });
        self.walked.count += count;
        self.empty = if count > 0 { 0 } else { self.empty + 1 };
        let why = match count {
            _ if !more => return Ok(()),
            0 if self.empty > EMPTY_MAX => {
                format!("more than {EMPTY_MAX} pages in a row have nothing on them")
            }
            1.. if !self.pages.insert(digest) => "a page of it came before".to_owned(),
            _ => return Ok(()),
        };
        Err(Setback::Again { why, retry_after: None })
    }

    /// Goes on behind the last stamp, as no page stands for the next.
    fn go_on_by_value(&mut self) -> Result<(), Setback> {
        if self.again <= self.from {
            if self.limit * 2 > self.limit_max || !self.is_ordered || self.walked.last.is_none() {
                let what = "it says that there is more, and not how to ask for it".to_owned();
                let collection = self.collection.name.clone();
                return Err(Setback::Lasting(TaxiiError::Stuck { collection, what }));
            }
            self.limit *= 2;
        }
        self.begin_again();
        Ok(())
    }

    fn begin_again(&mut self) {
        (self.from, self.number, self.next) = (self.again, 1, None);
        (self.empty, self.contained) = (0, None);
        self.pages.clear();
    }

    /// An error that comes to its end here, or a limit to what is tried.
    fn gives_up(
        &mut self,
        why: &str,
        retry_after: Option<u64>,
        tries_max: u32,
    ) -> Result<(), TaxiiError> {
        self.tries += 1;
        self.rested = self.rested.saturating_add(retry_after.unwrap_or(0));
        if self.tries < tries_max && self.rested <= REST_SECONDS_MAX {
            return Ok(());
        }
        let (collection, why) = (self.collection.name.clone(), why.to_owned());
        Err(TaxiiError::Interrupted { collection, why, tries: self.tries })
    }

    /// What became of a page that did not come.
    fn broken(&mut self, Broken { error, retry_after }: Broken, is_first: bool) -> Setback {
        match error.wrong {
            Wrong::TooLarge { .. } if self.limit > 1 => {
                self.limit_max = self.limit - 1;
                self.limit /= 2;
                Setback::Smaller
            }
            Wrong::TooLarge { .. } | Wrong::Disk(_) => Setback::Lasting(error.into()),
            // It was tried often enough.
            _ if is_first => Setback::Lasting(error.into()),
            _ => Setback::Again { why: error.fault().cause, retry_after },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::peer::PeerError;

    #[test]
    fn names_of_pages_are_read_again() {
        let from = Timestamp::parse("2026-11-30T10:20:30.000001Z").unwrap();
        for from in [None, Some(from)] {
            let name = text("a after b", from, 17);
            assert_eq!(of_text("a after b", &name), Some(from), "{name}");
            assert_eq!(of_text("a", &name), None, "{name}");
        }
        assert_eq!(of_text("a", "collection a object x--1"), None);
    }

    #[test]
    fn a_page_that_is_too_large_is_asked_for_in_parts() {
        let name = String::new;
        let collection = Collection { name: name(), id: name(), title: name(), asked: None };
        let mut walk = Walk::new(&collection, List::Objects, None);
        let mut broken = || {
            let wrong = Wrong::TooLarge { bytes_max: 1 };
            let error = PeerError { url: String::new(), wrong };
            let setback = walk.broken(Broken { error, retry_after: None }, true);
            (walk.limit, matches!(setback, Setback::Smaller))
        };
        let limits: Vec<_> = (0..9).map(|_| broken()).collect();
        assert_eq!(limits[..2], [(250, true), (125, true)]);
        assert_eq!(limits[7..], [(1, true), (1, false)]);
    }

    #[test]
    fn more_of_one_stamp_than_can_be_read_at_once_is_found_out() {
        let name = String::new;
        let collection = Collection { name: name(), id: name(), title: name(), asked: None };
        let mut walk = Walk::new(&collection, List::Objects, None);
        (walk.walked.last, walk.limit) = (Some(Timestamp::from_seconds(1)), 16_000);
        assert!(walk.go_on_by_value().is_ok() && walk.limit == 32_000);
        let wrong = Wrong::TooLarge { bytes_max: 1 };
        let error = PeerError { url: String::new(), wrong };
        walk.broken(Broken { error, retry_after: None }, true);
        assert_eq!(walk.limit, 16_000);
        assert!(matches!(walk.go_on_by_value(), Err(Setback::Lasting(TaxiiError::Stuck { .. }))));
    }
}

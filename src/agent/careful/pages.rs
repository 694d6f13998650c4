//! Events that MISP cannot list at once: PHP's memory is not enough for all their attributes, and MISP answers
//! with a bare 500 or with nothing, after it took all of them. In pages it lists them, and each page has a tag of
//! its own.

use std::{
    collections::BTreeSet,
    ops::Deref,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    delivery::{Call, Exchange, Listed, Page, PageOf, Reply, Trouble, Wire},
    model::EventUuid,
    plan::Row,
};

use super::Careful;

/// Attributes in a page; where MISP fails over so many too, the next fewer. 10,000 take 0.3 s on 2.5.19, and 9 s
/// on 2.5.1.
const SIZES: [usize; 4] = [10_000, 1_000, 100, 10];
/// What an error without a reason may come from.
const MEMORY: &str = "where an event is large, PHP's memory_limit may be too low";

/// What is known of events that MISP cannot list at once.
#[derive(Debug, Default)]
pub(super) struct Pages {
    events: Mutex<BTreeSet<EventUuid>>,
    /// Place of the size that works.
    size: AtomicUsize,
}

impl Pages {
    /// Whether MISP failed over the event before. A page holds all of a small one, and tells no more.
    pub(super) fn are_needed(&self, event: EventUuid, rows: Option<usize>) -> bool {
        let known = self.events.lock().unwrap_or_else(PoisonError::into_inner).contains(&event);
        known && rows != Some(0)
    }

    /// Whether it is the first one.
    fn learn(&self, event: EventUuid) -> bool {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.insert(event) && events.len() == 1
    }

    fn size(&self) -> usize {
        SIZES[self.size.load(Ordering::SeqCst)]
    }

    /// As many attributes as the largest page that works and that fits is of, or else the smallest.
    fn size_that(&self, fits: impl Fn(usize) -> bool) -> usize {
        let works = self.size();
        let smaller = SIZES.into_iter().filter(|size| *size <= works);
        smaller.into_iter().find(|size| fits(*size)).unwrap_or(SIZES[SIZES.len() - 1])
    }

    /// Smaller pages than these from now on, if there are any.
    fn shrink(&self, failed: usize) -> bool {
        let Some(place) = SIZES.iter().position(|size| *size < failed) else { return false };
        self.size.fetch_max(place, Ordering::SeqCst);
        true
    }
}

/// An event that is read in pages, and what that cost.
struct Reading {
    event: EventUuid,
    /// Attributes in a page.
    size: usize,
    spent: Option<Exchange>,
}

impl Reading {
    fn page(&self, number: usize, only_deleted: bool, of: PageOf) -> Call {
        Call::Page(Page { event: self.event, number, size: self.size, only_deleted, of })
    }

    /// Counts an exchange and gives its answer.
    fn take(&mut self, exchange: Exchange) -> Reply {
        let reply = exchange.reply.clone();
        self.spent = Some(match self.spent.take() {
            Some(spent) => spent.and(exchange),
            None => exchange,
        });
        reply
    }
}

impl<T> Careful<T>
where
    T: Deref + Send + Sync,
    T::Target: Wire + Sync,
{
    /// Compares an event's rows page by page.
    pub(super) async fn rows_in_pages(
        &self,
        event: EventUuid,
        expected: &[Row],
        failed: Option<Exchange>,
    ) -> Exchange {
        let mut reading = Reading { event, size: 0, spent: failed };
        let (deleted, live): (Vec<Row>, Vec<Row>) = expected.iter().partition(|row| row.deleted);
        let reply = loop {
            reading.size = self.size_for(event, &PageOf::Rows);
            match self.compare_all(&mut reading, &live, &deleted).await {
                Ok(None) => break Reply::NotModified,
                Ok(Some(rows)) => break Reply::Rows(rows),
                Err(reply) if is_too_much(&reply) && self.pages.shrink(reading.size) => {}
                Err(reply) => break reply,
            }
        };
        self.read(reading, reply)
    }

    /// Lists an event page by page.
    pub(super) async fn list_in_pages(
        &self,
        event: EventUuid,
        failed: Option<Exchange>,
    ) -> Exchange {
        let mut reading = Reading { event, size: 0, spent: failed };
        let reply = loop {
            reading.size = self.size_for(event, &PageOf::Values);
            match self.list_all(&mut reading).await {
                Ok(listed) => break Reply::Listing(listed),
                Err(reply) if is_too_much(&reply) && self.pages.shrink(reading.size) => {}
                Err(reply) => break reply,
            }
        };
        self.read(reading, reply)
    }

    /// Attributes in a page of an event now.
    fn size_for(&self, event: EventUuid, of: &PageOf) -> usize {
        let page = |size| Page { event, number: 1, size, only_deleted: false, of: of.clone() };
        self.pages.size_that(|size| self.allowance.lets_go(&Call::Page(page(size))))
    }

    /// The end of a reading: what worked once is begun with the next time, and told.
    fn read(&self, reading: Reading, reply: Reply) -> Exchange {
        let event = reading.event;
        let reply = match reply {
            Reply::Trouble(Trouble::ServerError { why }) => {
                let why = format!("{why}; {MEMORY}").into();
                Reply::Trouble(Trouble::ServerError { why })
            }
            reply => reply,
        };
        if matches!(reply, Reply::NotModified | Reply::Rows(_) | Reply::Listing(_))
            && self.pages.learn(event)
        {
            self.note(format!(
                "MISP fails over a list of event {event}, and gives it in pages: PHP's memory_limit is too low for so \
                 many attributes; raise it, analysts meet the same error"
            ));
        }
        let spent = reading.spent.expect("a reading asks at least once");
        Exchange { reply, ..spent }
    }

    /// `None`: all of it is as expected.
    async fn compare_all(
        &self,
        reading: &mut Reading,
        live: &[Row],
        deleted: &[Row],
    ) -> Result<Option<Vec<Row>>, Reply> {
        let found = self.compare(reading, false, live).await?;
        // What is not shown among the others may be deleted by now.
        let gone = match (&found, deleted) {
            (None, []) => return Ok(None),
            (Some(_), []) => Some(self.rows_from(reading, 1, true).await?),
            (_, deleted) => self.compare(reading, true, deleted).await?,
        };
        if found.is_none() && gone.is_none() {
            return Ok(None);
        }
        let mut rows = found.unwrap_or_else(|| live.to_vec());
        rows.extend(gone.unwrap_or_else(|| deleted.to_vec()));
        Ok(Some(rows))
    }

    /// The same of those that are deleted, or of those that are not.
    async fn compare(
        &self,
        reading: &mut Reading,
        only_deleted: bool,
        expected: &[Row],
    ) -> Result<Option<Vec<Row>>, Reply> {
        let size = reading.size;
        // Only a page that is not full tells that nothing follows.
        let pages = expected.len() / size + 1;
        for number in 1..=pages {
            let (from, to) = ((number - 1) * size, (number * size).min(expected.len()));
            let rows = &expected[from..to];
            let page = reading.page(number, only_deleted, PageOf::Expected(rows.to_vec()));
            match reading.take(
                self.compared(&page, |reply| matches!(reply, Reply::Rows(found) if found == rows))
                    .await,
            ) {
                Reply::NotModified => {}
                Reply::Rows(found) => {
                    let mut all = expected[..from].to_vec();
                    let is_end = found.is_empty();
                    all.extend(found);
                    if !is_end {
                        all.extend(self.rows_from(reading, number + 1, only_deleted).await?);
                    }
                    return Ok(Some(all));
                }
                reply => return Err(reply),
            }
        }
        Ok(None)
    }

    async fn rows_from(
        &self,
        reading: &mut Reading,
        first: usize,
        only_deleted: bool,
    ) -> Result<Vec<Row>, Reply> {
        let mut all = Vec::new();
        // A limit of the server may make pages smaller: an empty one is the end.
        for number in first.. {
            let page = reading.page(number, only_deleted, PageOf::Rows);
            match reading.take(self.told(&page).await) {
                Reply::Rows(found) if found.is_empty() => break,
                Reply::Rows(found) => all.extend(found),
                reply => return Err(reply),
            }
        }
        Ok(all)
    }

    async fn list_all(&self, reading: &mut Reading) -> Result<Vec<Listed>, Reply> {
        let mut all = Vec::new();
        for only_deleted in [false, true] {
            for number in 1.. {
                let page = reading.page(number, only_deleted, PageOf::Values);
                match reading.take(self.told(&page).await) {
                    Reply::Listing(found) if found.is_empty() => break,
                    Reply::Listing(found) => all.extend(found),
                    reply => return Err(reply),
                }
            }
        }
        Ok(all)
    }
}

/// Whether smaller pages may do.
const fn is_too_much(reply: &Reply) -> bool {
    matches!(reply, Reply::Trouble(Trouble::ServerError { .. }))
}

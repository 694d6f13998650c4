//! A wire that takes no answer for more than it is. A 304 counts from a MISP that answers a tag that nothing has
//! as if there were none ([`tags`]); what MISP cannot list at once is asked for in pages ([`pages`]).

mod pages;
mod tags;

use std::{
    ops::Deref,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    delivery::{Call, Exchange, Reply, Trouble, Wire},
    model::EventUuid,
    plan::Row,
};

use super::allowance::Allowance;
use pages::Pages;
use tags::Tags;

/// A wire behind such care. One of them is one run's: what it learned holds for that long.
#[derive(Debug)]
pub struct Careful<T> {
    wire: T,
    tags: Tags,
    pages: Pages,
    notes: Mutex<Vec<String>>,
    /// A date that cannot be was told.
    doubted: AtomicBool,
    /// What may go of that which nobody foresaw.
    pub(super) allowance: Allowance,
}

impl<T> Careful<T> {
    /// Nothing is known of the MISP behind the wire yet.
    pub fn new(wire: T) -> Self {
        Self {
            wire,
            tags: Tags::default(),
            pages: Pages::default(),
            notes: Mutex::default(),
            doubted: AtomicBool::default(),
            allowance: Allowance::default(),
        }
    }

    /// What a person should know, since the last time.
    pub fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, note: String) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    }
}

impl<T> Wire for Careful<T>
where
    T: Deref + Send + Sync,
    T::Target: Wire + Sync,
{
    async fn exchange(&self, call: &Call) -> Exchange {
        match call {
            Call::Rows { events, expected } => self.rows(call, events, expected).await,
            Call::TaggedRows { expected, .. } => {
                let is_expected =
                    |reply: &Reply| matches!(reply, Reply::TaggedRows(found) if found == expected);
                self.compared(call, is_expected).await
            }
            Call::Listing(event) => self.listing(call, *event).await,
            _ => self.told(call).await,
        }
    }

    fn encodings(&self, names: &[String]) {
        self.wire.encodings(names);
    }

    fn key_mark(&self) -> Option<u64> {
        self.wire.key_mark()
    }

    fn refuses_packed(&self) -> bool {
        self.wire.refuses_packed()
    }

    fn doubts_date(&self, note: String) {
        if !self.doubted.swap(true, Ordering::Relaxed) {
            self.note(note);
        }
    }
}

impl<T> Careful<T>
where
    T: Deref + Send + Sync,
    T::Target: Wire + Sync,
{
    /// Sends a call that comes of another: a page, or what is asked again because an answer was no proof.
    async fn beside(&self, call: &Call) -> Exchange {
        self.allowance.send_beside(&*self.wire, call).await
    }

    /// Sends a call that was foreseen, unless it is a page: those are nobody's but ours.
    async fn first(&self, call: &Call) -> Exchange {
        match call {
            _ if matches!(call.bare(), Call::Page(_)) => self.beside(call).await,
            _ => self.wire.exchange(call).await,
        }
    }

    async fn rows(&self, call: &Call, events: &[EventUuid], expected: &[Row]) -> Exchange {
        let is_expected = |reply: &Reply| matches!(reply, Reply::Rows(found) if found == expected);
        let [event] = events else { return self.compared(call, is_expected).await };
        if self.pages.are_needed(*event, Some(expected.len())) {
            return self.rows_in_pages(*event, expected, None).await;
        }
        let exchange = self.compared(call, is_expected).await;
        match exchange.reply {
            Reply::Trouble(Trouble::ServerError { .. }) => {
                self.rows_in_pages(*event, expected, Some(exchange)).await
            }
            _ => exchange,
        }
    }

    async fn listing(&self, call: &Call, event: EventUuid) -> Exchange {
        if self.pages.are_needed(event, None) {
            return self.list_in_pages(event, None).await;
        }
        let exchange = self.told(call).await;
        match exchange.reply {
            Reply::Trouble(Trouble::ServerError { .. }) => {
                self.list_in_pages(event, Some(exchange)).await
            }
            _ => exchange,
        }
    }
}

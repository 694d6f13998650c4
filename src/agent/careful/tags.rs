//! What a 304 is worth. It comes from MISP, which compared a tag with that of its answer; or from something on the
//! way that answers so to any tag. A tag that nothing has tells them apart: many calls carry one anyway
//! ([`Call::has_false_tag`]), and where none was answered before the first 304, one question is asked for it.

use std::{
    ops::Deref,
    sync::atomic::{AtomicU8, Ordering},
};

use crate::delivery::{Call, Exchange, Page, PageOf, Reply, Trouble, Wire};

use super::Careful;

const LIE: &str = "MISP, or something before it, answers 304 to a tag that nothing has; it proves nothing, so lists \
                   are asked for in full for the rest of the run";

/// What is known of answers of 304. Once caught in a lie, nobody is believed again.
#[derive(Debug, Default)]
pub(super) struct Tags {
    standing: AtomicU8,
    /// The same of searches for attributes, which something on the way may treat otherwise: pages are compared there.
    of_pages: AtomicU8,
    /// Held while the one question is asked: others wait for its answer.
    asking: tokio::sync::Mutex<()>,
}

const UNKNOWN: u8 = 0;
const HONEST: u8 = 1;
const LYING: u8 = 2;

impl Tags {
    fn are(&self, standing: u8) -> bool {
        self.standing.load(Ordering::SeqCst) == standing
    }

    pub(super) fn lie(&self) -> bool {
        self.are(LYING)
    }

    fn learn(&self, standing: u8) -> bool {
        self.standing.fetch_max(standing, Ordering::SeqCst) < standing
    }

    /// A call with a tag that its answer does not have was answered with 200.
    fn learn_honest(&self, call: &Call) {
        if !matches!(call, Call::Page(_)) {
            self.learn(HONEST);
        }
        if searches_attributes(call) {
            self.of_pages.store(HONEST, Ordering::SeqCst);
        }
    }

    /// Whether nothing is known yet of a 304 to such a call.
    fn are_unknown_for(&self, call: &Call) -> bool {
        match searches_attributes(call) {
            true => !self.lie() && self.of_pages.load(Ordering::SeqCst) == UNKNOWN,
            false => self.are(UNKNOWN),
        }
    }
}

impl<T> Careful<T>
where
    T: Deref + Send + Sync,
    T::Target: Wire + Sync,
{
    /// A call that MISP does not answer with 304, whatever tag it carries.
    pub(super) async fn told(&self, call: &Call) -> Exchange {
        if self.tags.lie() && call.has_tag() {
            return self.first(&call.plain()).await;
        }
        self.wire.tries_tags(self.tags.are(UNKNOWN));
        let exchange = self.first(call).await;
        match &exchange.reply {
            Reply::NotModified => {
                self.caught();
                if call.writes() {
                    // Whether MISP got it is not known.
                    let (why, retry_after) = ("HTTP 304 to a write".into(), None);
                    let reply = Reply::Trouble(Trouble::Busy { why, retry_after });
                    return Exchange { reply, ..exchange };
                }
                exchange.and(self.beside(&call.plain()).await)
            }
            Reply::Trouble(_) | Reply::Refused { .. } => exchange,
            _ => {
                if call.has_false_tag() {
                    self.tags.learn_honest(call);
                }
                exchange
            }
        }
    }

    /// A question for rows that carries the tag of the expected ones. [`Reply::NotModified`] says that they are as
    /// expected, however it was found out.
    pub(super) async fn compared(
        &self,
        call: &Call,
        is_expected: impl Fn(&Reply) -> bool + Sync,
    ) -> Exchange {
        let mut spent = None;
        if !self.tags.lie() {
            let mut exchange = self.first(call).await;
            match &exchange.reply {
                Reply::NotModified => match self.are_honest(call, &mut exchange).await {
                    Ok(true) => return Exchange { reply: Reply::NotModified, ..exchange },
                    Ok(false) => spent = Some(exchange),
                    Err(reply) => return Exchange { reply, ..exchange },
                },
                reply @ (Reply::Rows(_) | Reply::TaggedRows(_)) => {
                    // What was asked with was not their tag.
                    if !is_expected(reply) {
                        self.tags.learn_honest(call);
                    }
                    return exchange;
                }
                _ => return exchange,
            }
        }
        let mut exchange = match spent {
            Some(_) => self.beside(&call.plain()).await,
            None => self.first(&call.plain()).await,
        };
        if is_expected(&exchange.reply) {
            exchange.reply = Reply::NotModified;
        }
        match spent {
            Some(spent) => spent.and(exchange),
            None => exchange,
        }
    }

    /// Whether a 304 counts; asked about once a run, where it is not known, and once more of pages.
    async fn are_honest(&self, call: &Call, exchange: &mut Exchange) -> Result<bool, Reply> {
        if self.tags.are_unknown_for(call) {
            let turn = self.tags.asking.lock().await;
            if self.tags.are_unknown_for(call) {
                let probe = probe_for(call);
                let answer = self.first(&probe).await;
                let reply = answer.reply.clone();
                *exchange = exchange.clone().and(answer);
                match reply {
                    Reply::Rows(_) => self.tags.learn_honest(&probe),
                    Reply::NotModified => self.caught(),
                    reply => return Err(reply),
                }
            }
            drop(turn);
        }
        Ok(!self.tags.lie())
    }

    fn caught(&self) {
        if self.tags.learn(LYING) {
            self.note(LIE.to_owned());
        }
    }
}

/// Whether a call is answered by attributes/restSearch.
const fn searches_attributes(call: &Call) -> bool {
    matches!(call, Call::Page(_) | Call::RowsSince { .. } | Call::CountLive(_))
}

/// A question with a tag that nothing has, to where the call went: of a page, one row of the same event.
fn probe_for(call: &Call) -> Call {
    match call {
        Call::Page(page) => {
            Call::Page(Page { number: 1, size: 1, of: PageOf::Rows, ..page.clone() })
        }
        _ => Call::Probe,
    }
}

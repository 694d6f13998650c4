//! A ledger as somebody sees it who may not see everything.
//!
//! What is marked stricter is not there for any question: so no answer, of whatever form, can tell it.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use uuid::Uuid;

use crate::{
    model::{AttributeUuid, DestinationName, Digest, EntityKey, EventUuid, RunNumber},
    plan::{ChangeKind, DestinationRecord, EventHead, KnownEvent},
};

use super::{
    Change, ChangePlace, Clearance, Commit, Cursor, Found, Ledger, LedgerError, LossPlace,
    PlaceLosses, REMOVALS_WAIT, RunKind, RunRecord,
};

/// The name of whatever is not seen.
const SOMETHING: AttributeUuid = AttributeUuid::new(Uuid::nil());
pub(super) const NOT_SHOWN: &str = "not shown, as it may quote what is marked stricter";

/// Another ledger, without what a clearance does not see.
pub struct Cleared<'l> {
    ledger: &'l dyn Ledger,
    clearance: Clearance,
    /// What was found out about events.
    known: RefCell<BTreeMap<(DestinationName, EventUuid), Sight>>,
}

/// What of an event is seen.
#[derive(Debug, Clone)]
enum Sight {
    Nothing,
    /// All but these attributes.
    Without(BTreeSet<AttributeUuid>),
}

impl<'l> Cleared<'l> {
    /// Puts the two together.
    #[must_use]
    pub fn new(ledger: &'l dyn Ledger, clearance: Clearance) -> Self {
        Self { ledger, clearance, known: RefCell::default() }
    }

    /// Whether an event is seen, or an attribute of it.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn sees(
        &self,
        destination: &DestinationName,
        event: EventUuid,
        attribute: Option<AttributeUuid>,
    ) -> Result<bool, LedgerError> {
        if self.clearance.is_whole() {
            return Ok(true);
        }
        let key = (destination.clone(), event);
        if !self.known.borrow().contains_key(&key) {
            let sight = self.look(destination, event)?;
            self.known.borrow_mut().insert(key.clone(), sight);
        }
        let known = self.known.borrow();
        Ok(match (&known[&key], attribute) {
            (Sight::Nothing, _) => false,
            (Sight::Without(_), None) => true,
            (Sight::Without(hidden), Some(uuid)) => !hidden.contains(&uuid) && uuid != SOMETHING,
        })
    }

    /// What nobody knows any more is not seen: how it was marked is not known either.
    fn look(&self, destination: &DestinationName, event: EventUuid) -> Result<Sight, LedgerError> {
        let Some(event) = self.ledger.event(destination, event)? else { return Ok(Sight::Nothing) };
        if !self.clearance.sees_event(&event.head) {
            return Ok(Sight::Nothing);
        }
        let hidden = event.attributes.into_iter();
        let hidden = hidden.filter(|(_, known)| !self.clearance.sees_attribute(known));
        Ok(Sight::Without(hidden.map(|(identity, _)| identity).collect()))
    }

    /// A change as far as it is seen.
    fn cleared(
        &self,
        destination: &DestinationName,
        mut change: Change,
    ) -> Result<Option<Change>, LedgerError> {
        if !self.sees(destination, change.event, change.attribute)? {
            return Ok(None);
        }
        if let ChangeKind::Superseded(by) = &mut change.kind
            && !self.sees(destination, change.event, Some(*by))?
        {
            *by = SOMETHING;
        }
        Ok(Some(change))
    }

    fn seen_of(
        &self,
        destination: &DestinationName,
        found: Option<Found>,
    ) -> Result<Option<Found>, LedgerError> {
        if self.clearance.is_whole() {
            return Ok(found);
        }
        let Some(mut found) = found else { return Ok(None) };
        let mut events = BTreeSet::new();
        for event in found.events {
            if self.head(destination, event)?.is_some() {
                events.insert(event);
            }
        }
        (found.events, found.losses) = (events, BTreeSet::new());
        Ok(Some(found))
    }

    /// Of the words of a run only those stay that cannot quote anything.
    fn without_words(&self, mut run: RunRecord) -> RunRecord {
        if self.clearance.is_whole() {
            return run;
        }
        // The source of a run that forgot a feed is a fixed word, by which its kind is told.
        if run.kind() == RunKind::Delivery {
            run.source = NOT_SHOWN.to_owned();
        }
        let before = run.notes.len();
        run.notes.retain(|note| note.starts_with(REMOVALS_WAIT));
        match before - run.notes.len() {
            0 => {}
            1 => run.notes.push(format!("1 note is {NOT_SHOWN}")),
            more => run.notes.push(format!("{more} notes are {NOT_SHOWN}")),
        }
        if let Some(pull) = &mut run.pull {
            let words = pull.error.iter_mut().chain(&mut pull.notes);
            words.for_each(|words| *words = NOT_SHOWN.to_owned());
        }
        run
    }
}

impl Ledger for Cleared<'_> {
    fn destination(
        &self,
        name: &DestinationName,
    ) -> Result<Option<DestinationRecord>, LedgerError> {
        self.ledger.destination(name)
    }

    fn head(
        &self,
        destination: &DestinationName,
        event: EventUuid,
    ) -> Result<Option<EventHead>, LedgerError> {
        let head = self.ledger.head(destination, event)?;
        Ok(head.filter(|head| self.clearance.sees_event(head)))
    }

    fn heads(&self, destination: &DestinationName) -> Result<Vec<EventHead>, LedgerError> {
        let mut heads = self.ledger.heads(destination)?;
        heads.retain(|head| self.clearance.sees_event(head));
        Ok(heads)
    }

    fn event(
        &self,
        destination: &DestinationName,
        event: EventUuid,
    ) -> Result<Option<KnownEvent>, LedgerError> {
        let found = self.ledger.event(destination, event)?;
        let Some(mut event) = found.filter(|it| self.clearance.sees_event(&it.head)) else {
            return Ok(None);
        };
        event.attributes.retain(|_, known| self.clearance.sees_attribute(known));
        let seen: BTreeSet<AttributeUuid> = event.attributes.keys().copied().collect();
        for known in event.attributes.values_mut() {
            let by = known.superseded_by.as_mut();
            by.into_iter().filter(|by| !seen.contains(by)).for_each(|by| *by = SOMETHING);
        }
        Ok(Some(event))
    }

    fn aliases(&self) -> Result<BTreeMap<EntityKey, EntityKey>, LedgerError> {
        self.ledger.aliases()
    }

    fn rules(&self, fingerprint: &Digest) -> Result<Option<String>, LedgerError> {
        self.ledger.rules(fingerprint)
    }

    fn cursor(
        &self,
        feed: &crate::model::FeedName,
        destination: &DestinationName,
    ) -> Result<Option<Cursor>, LedgerError> {
        self.ledger.cursor(feed, destination)
    }

    fn run(&self, number: RunNumber) -> Result<Option<RunRecord>, LedgerError> {
        Ok(self.ledger.run(number)?.map(|run| self.without_words(run)))
    }

    fn runs(&self) -> Result<Vec<RunRecord>, LedgerError> {
        let runs = self.ledger.runs()?.into_iter();
        Ok(runs.map(|run| self.without_words(run)).collect())
    }

    fn last_run(&self) -> Result<RunNumber, LedgerError> {
        self.ledger.last_run()
    }

    fn begin_run(&mut self) -> Result<RunNumber, LedgerError> {
        Err(only_read())
    }

    fn changes(&self, run: RunNumber) -> Result<Vec<Change>, LedgerError> {
        let changes = self.ledger.changes(run)?;
        if self.clearance.is_whole() {
            return Ok(changes);
        }
        let Some(record) = self.ledger.run(run)? else { return Ok(Vec::new()) };
        let seen = changes.into_iter().map(|change| self.cleared(&record.destination, change));
        seen.filter_map(Result::transpose).collect()
    }

    fn changes_behind(
        &self,
        run: RunNumber,
        place: Option<ChangePlace>,
        least: usize,
    ) -> Result<(Vec<Change>, Option<ChangePlace>), LedgerError> {
        let (changes, next) = self.ledger.changes_behind(run, place, least)?;
        let Some(record) = self.ledger.run(run)? else { return Ok((Vec::new(), None)) };
        let seen = changes.into_iter().map(|change| self.cleared(&record.destination, change));
        Ok((seen.filter_map(Result::transpose).collect::<Result<_, _>>()?, next))
    }

    fn changes_of(
        &self,
        destination: &DestinationName,
        events: &BTreeSet<EventUuid>,
    ) -> Result<Vec<(RunNumber, Change)>, LedgerError> {
        let changes = self.ledger.changes_of(destination, events)?.into_iter();
        let seen = changes.map(|(run, change)| {
            Ok(self.cleared(destination, change)?.map(|change| (run, change)))
        });
        seen.filter_map(Result::transpose).collect()
    }

    /// An index leads nowhere but to what is seen.
    fn find(
        &self,
        destination: &DestinationName,
        terms: &[u32],
    ) -> Result<Option<Found>, LedgerError> {
        self.seen_of(destination, self.ledger.find(destination, terms)?)
    }

    fn find_words(
        &self,
        destination: &DestinationName,
        words: &[u32],
    ) -> Result<Option<Found>, LedgerError> {
        self.seen_of(destination, self.ledger.find_words(destination, words)?)
    }

    fn aliases_of(
        &self,
        entity: &EntityKey,
    ) -> Result<BTreeMap<EntityKey, EntityKey>, LedgerError> {
        self.ledger.aliases_of(entity)
    }

    fn has_losses(&self, destination: &DestinationName, feed: u8) -> Result<bool, LedgerError> {
        Ok(self.clearance.is_whole() && self.ledger.has_losses(destination, feed)?)
    }

    /// How a lost value is marked is not kept: it is shown to those who may see everything.
    fn losses(
        &self,
        destination: &DestinationName,
        place: &LossPlace,
    ) -> Result<PlaceLosses, LedgerError> {
        match self.clearance.is_whole() {
            true => self.ledger.losses(destination, place),
            false => Ok(PlaceLosses::default()),
        }
    }

    fn loss_places(
        &self,
        destination: &DestinationName,
        feed: u8,
    ) -> Result<Vec<LossPlace>, LedgerError> {
        match self.clearance.is_whole() {
            true => self.ledger.loss_places(destination, feed),
            false => Ok(Vec::new()),
        }
    }

    fn destinations(&self) -> Result<Vec<DestinationName>, LedgerError> {
        self.ledger.destinations()
    }

    fn commit(&mut self, _: &DestinationName, _: RunNumber, _: Commit) -> Result<(), LedgerError> {
        Err(only_read())
    }
}

fn only_read() -> LedgerError {
    LedgerError::Io {
        path: "the ledger".to_owned(),
        doing: "written",
        cause: "whoever does not see all of it writes nothing".to_owned(),
    }
}

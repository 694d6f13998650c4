//! What one step adds to the index of a destination.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    history::{Change, KnownLoss, Leads, LedgerError, LossOf, LossPlace, PlaceLosses, Term},
    model::{EntityKey, EventUuid},
    store::{
        event::overlay::Overlay,
        record::{
            ChunkName, Posting, Spot, chunk_entry,
            keys::{IndexOf, Name},
        },
    },
};

use super::{table::Table, tree::Tree};

/// Fingerprints, each with what it leads to.
#[derive(Debug, Default)]
pub(in super::super) struct Postings {
    pub(super) terms: BTreeSet<(u32, Spot)>,
    pub(super) words: BTreeSet<(u32, Spot)>,
    pub(super) changes: BTreeSet<(u32, ChunkName)>,
    /// Entities, each with the bucket of aliases that it stands in.
    pub(super) aliases: BTreeSet<Posting>,
}

impl Postings {
    pub(in super::super) fn event(&mut self, event: EventUuid, leads: Leads) {
        self.leads(*event.uuid().as_bytes(), leads);
    }

    fn leads(&mut self, spot: Spot, leads: Leads) {
        self.terms.extend(leads.whole.into_iter().map(|term| (term, spot)));
        self.words.extend(leads.parts.into_iter().map(|word| (word, spot)));
    }

    /// Aliases that a bucket did not have before.
    pub(in super::super) fn aliases<'a>(
        &mut self,
        bucket: [u8; 2],
        aliases: impl IntoIterator<Item = &'a EntityKey>,
    ) {
        let bucket = u32::from(u16::from_be_bytes(bucket));
        let terms = aliases.into_iter().map(|alias| Term::Entity(alias).fingerprint());
        self.aliases.extend(terms.map(|term| (term, bucket)));
    }

    pub(super) fn len(&self) -> usize {
        self.terms.len() + self.words.len() + self.changes.len() + self.aliases.len()
    }

    /// Of losses those that were not there before; both are sorted.
    pub(in super::super) fn losses(
        &mut self,
        place: &LossPlace,
        old: &PlaceLosses,
        losses: &PlaceLosses,
    ) {
        let is_new =
            |known: &&KnownLoss| old.known.binary_search_by(|it| it.loss.cmp(&known.loss)).is_err();
        let mut leads = Leads::default();
        losses.known.iter().filter(is_new).for_each(|known| leads.loss(&known.loss));
        if losses.unkept() > 0 && old.unkept() == 0 {
            leads.more_losses();
        }
        self.leads(spot_of(place), leads);
    }

    pub(in super::super) fn changes(&mut self, chunk: &[Change], name: ChunkName) {
        let events = chunk.iter().map(|change| Term::Event(change.event).fingerprint());
        self.changes.extend(events.map(|event| (event, name)));
    }

    /// Adds it to what is there.
    pub(in super::super) fn put(
        self,
        overlay: &mut Overlay<'_>,
        destination: &Name,
    ) -> Result<(), LedgerError> {
        let Self { terms, words, changes, aliases } = self;
        let spots = terms.iter().chain(&words).map(|(_, spot)| *spot).collect();
        let spots = Table { destination, of: IndexOf::Spots }.add(overlay, spots)?;
        let chunks = changes.iter().map(|(_, chunk)| chunk_entry(*chunk)).collect();
        let chunks = Table { destination, of: IndexOf::Chunks }.add(overlay, chunks)?;
        let changes = changes.into_iter().map(|(event, chunk)| (event, chunk_entry(chunk)));
        for (of, postings) in [
            (IndexOf::Terms, numbered(terms, &spots)),
            (IndexOf::Words, numbered(words, &spots)),
            (IndexOf::Changes, numbered(changes, &chunks)),
        ] {
            Tree { destination, of }.add(overlay, postings)?;
        }
        Tree { destination: &nowhere(), of: IndexOf::Aliases }.add(overlay, aliases)
    }
}

fn numbered<T: Ord>(
    led: impl IntoIterator<Item = (u32, T)>,
    numbers: &BTreeMap<T, u32>,
) -> BTreeSet<Posting> {
    led.into_iter().map(|(term, to)| (term, numbers[&to])).collect()
}

/// A place of losses where the UUID of an event may stand: no event has so short a one.
fn spot_of(place: &LossPlace) -> Spot {
    match place.of {
        LossOf::Event(event) => *event.uuid().as_bytes(),
        LossOf::Unlinked(bucket) => {
            let number = u128::from(place.feed) << 16 | u128::from(bucket);
            number.to_be_bytes()
        }
    }
}

/// The place of what is of no destination.
pub(super) fn nowhere() -> Name {
    Name::of("")
}

//! What is kept of losses: those of an event stand beside its plan, those of no incident are gathered at the end of a run.

use std::collections::BTreeMap;

use crate::{
    graph::{Graph, Incident},
    history::{Ended, Fate, Ledger, LedgerError, Loss, LossOf, LossPlace, PlaceLosses},
    mapper::{self, Mapped, Unlinked},
    model::{EntityKey, EventUuid, Symbol, kept_text, shortened},
    plan::Retire,
};

use super::{
    Planner,
    contents::{Contents, Occurrences},
};

/// What of losses is another after a plan than before.
pub(in crate::agent) type Losses = BTreeMap<LossPlace, PlaceLosses>;

impl Planner<'_> {
    /// What changes with the losses of an incident that was mapped; they are taken out.
    pub(super) fn losses_of(
        &self,
        event: EventUuid,
        incident: &Incident<'_>,
        mapped: &mut Mapped,
        ledger: &impl Ledger,
    ) -> Result<Losses, LedgerError> {
        let losses = std::mem::take(&mut mapped.losses).into_iter().map(kept);
        let (contents, occurrences) = (self.contents(), Occurrences::of(&mapped.event));
        let has = |loss: &Loss| contents.as_ref().is_some_and(|it| it.has(loss));
        let is_member = |root: &EntityKey| {
            let members = &incident.members;
            root == incident.root || members.binary_search_by(|it| it.root.cmp(root)).is_ok()
        };
        self.settle(LossOf::Event(event), losses, ledger, |loss| {
            let is_member = is_member(&loss.entity);
            let how = match is_member {
                // Of very many sources an attribute names some: what its entity has and is not lost is mapped.
                true if occurrences.has(loss) || has(loss) => Ended::Mapped,
                false if has(loss) => Ended::Unlinked,
                _ => Ended::Left,
            };
            (is_member, how)
        })
    }

    /// What changes with the losses of an incident that left the dataset.
    pub(super) fn losses_gone(
        &self,
        event: EventUuid,
        ledger: &impl Ledger,
    ) -> Result<Losses, LedgerError> {
        let contents = self.contents();
        let has = |loss: &Loss| contents.as_ref().is_some_and(|it| it.has(loss));
        let how = |loss: &Loss| if has(loss) { Ended::Unlinked } else { Ended::Left };
        self.settle(LossOf::Event(event), [], ledger, |loss| (true, how(loss)))
    }

    fn contents(&self) -> Option<Contents<'_>> {
        self.graph.map(Contents::of)
    }

    /// Whether an event counts losses that nobody kept: an earlier release did not, or they were lost.
    pub(super) fn lacks_losses(
        &mut self,
        event: EventUuid,
        ledger: &impl Ledger,
    ) -> Result<bool, LedgerError> {
        let place = LossPlace { feed: self.feed, of: LossOf::Event(event) };
        if self.loss_places.is_none() {
            self.loss_places = Some(self.places_of_losses(ledger)?);
        }
        Ok(self.loss_places.as_ref().is_none_or(|kept| kept.binary_search(&place).is_err()))
    }

    fn places_of_losses(&self, ledger: &impl Ledger) -> Result<Vec<LossPlace>, LedgerError> {
        ledger.loss_places(&self.job.destination, self.feed)
    }

    /// What belongs to no incident, by bucket; a bucket in which that was is among them.
    pub(in crate::agent) fn unlinked<'g>(
        &self,
        graph: &'g Graph,
        ledger: &impl Ledger,
    ) -> Result<BTreeMap<LossOf, Vec<Unlinked<'g>>>, LedgerError> {
        let places = self.places_of_losses(ledger)?.into_iter().map(|place| place.of);
        let places = places.filter(|of| matches!(of, LossOf::Unlinked(_)));
        let mut buckets: BTreeMap<LossOf, Vec<_>> = places.map(|of| (of, Vec::new())).collect();
        for it in mapper::unlinked_values(graph) {
            buckets.entry(LossOf::unlinked(it.entity, it.value)).or_default().push(it);
        }
        Ok(buckets)
    }

    /// What changes with the losses of one of these buckets.
    pub(in crate::agent) fn unlinked_losses(
        &self,
        contents: &Contents<'_>,
        bucket: LossOf,
        unlinked: Vec<Unlinked<'_>>,
        ledger: &impl Ledger,
    ) -> Result<Losses, LedgerError> {
        let now = unlinked.into_iter().map(|it| kept(it.into()));
        self.settle(bucket, now, ledger, |loss| {
            let how = if contents.has(loss) { Ended::Linked } else { Ended::Left };
            (contents.graph.holds(&loss.entity), how)
        })
    }

    /// Compares with what is kept. `became` says of what is lost no more whether the dataset says all of the entity that
    /// held it, and how it ended if it did.
    fn settle(
        &self,
        of: LossOf,
        losses: impl IntoIterator<Item = Loss>,
        ledger: &impl Ledger,
        became: impl Fn(&Loss) -> (bool, Ended),
    ) -> Result<Losses, LedgerError> {
        let place = LossPlace { feed: self.feed, of };
        let before = ledger.losses(&self.job.destination, &place)?;
        let fate = |loss: &Loss| {
            let (is_here, how) = became(loss);
            let is_over = is_here
                || match self.retirement.of_plan() {
                    Retire::Yes => true,
                    Retire::Gone(gone) => gone.contains(&loss.entity),
                    Retire::No => false,
                };
            if is_over { Fate::Over(how) } else { Fate::Untold }
        };
        let after = of.settle(&before, losses, self.run, fate);
        let changed = (after != before).then_some((place, after));
        Ok(changed.into_iter().collect())
    }
}

/// A loss in the ledger's words.
fn kept(loss: mapper::Loss) -> Loss {
    let mapper::Loss { entity, kind, value, reason, rule } = loss;
    let (name, words) = (reason.name(), reason.to_string());
    Loss {
        entity,
        kind,
        value: kept_text(&value).into(),
        reason: Symbol::new(name),
        detail: (words != name).then(|| Symbol::new(&shortened(&words))),
        rule,
    }
}

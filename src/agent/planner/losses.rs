//! What is kept of losses: those of an event stand beside its plan, those of no incident are gathered at the end of a run.

use std::collections::BTreeMap;

use crate::{
    graph::{Graph, Incident},
    history::{KnownLoss, Ledger, LedgerError, Loss, LossOf, LossPlace},
    mapper::{self, Unlinked},
    model::{EntityKey, EventUuid, Symbol, kept_text, shortened},
    plan::Retire,
};

use super::Planner;

/// What of losses is another after a plan than before.
pub(in crate::agent) type Losses = BTreeMap<LossPlace, Vec<KnownLoss>>;

impl Planner<'_> {
    /// What changes with the losses of an incident that was mapped.
    pub(super) fn losses_of(
        &self,
        event: EventUuid,
        incident: &Incident<'_>,
        losses: Vec<mapper::Loss>,
        ledger: &impl Ledger,
    ) -> Result<Losses, LedgerError> {
        let member = |root: &EntityKey| {
            let members = &incident.members;
            root == incident.root || members.binary_search_by(|it| it.root.cmp(root)).is_ok()
        };
        self.settle(LossOf::Event(event), losses.into_iter().map(kept), member, ledger)
    }

    /// What changes with the losses of an incident that left the dataset.
    pub(super) fn losses_gone(
        &self,
        event: EventUuid,
        ledger: &impl Ledger,
    ) -> Result<Losses, LedgerError> {
        self.settle(LossOf::Event(event), [], |_| true, ledger)
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
        graph: &Graph,
        bucket: LossOf,
        unlinked: Vec<Unlinked<'_>>,
        ledger: &impl Ledger,
    ) -> Result<Losses, LedgerError> {
        let now = unlinked.into_iter().map(|it| kept(it.into()));
        self.settle(bucket, now, |root| graph.holds(root), ledger)
    }

    /// Compares with what is kept. `is_here`: whether the dataset says all of an entity that held one.
    fn settle(
        &self,
        of: LossOf,
        losses: impl IntoIterator<Item = Loss>,
        is_here: impl Fn(&EntityKey) -> bool,
        ledger: &impl Ledger,
    ) -> Result<Losses, LedgerError> {
        let place = LossPlace { feed: self.feed, of };
        let before = ledger.losses(&self.job.destination, &place)?;
        let is_over = |loss: &Loss| {
            is_here(&loss.entity)
                || match self.retirement.of_plan() {
                    Retire::Yes => true,
                    Retire::Gone(gone) => gone.contains(&loss.entity),
                    Retire::No => false,
                }
        };
        let after = of.settle(&before, losses, self.run, is_over);
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

//! What is kept of losses: those of an event stand beside its plan, those of no incident are gathered at the end of a run.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    graph::{Graph, Incident},
    history::{KnownLoss, Ledger, LedgerError, Loss, LossOf, LossPlace},
    mapper,
    model::{EntityKey, EventUuid, Symbol, shortened},
    plan::Retire,
};

use super::Planner;

/// What of losses is another after a plan than before.
pub(in crate::agent) type Losses = BTreeMap<LossPlace, Vec<KnownLoss>>;

/// Losses of no incident that are held in memory at once.
const AT_ONCE: usize = 65_536;

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
        let kept = match self.loss_places.take() {
            Some(kept) => kept,
            None => self.places_of_losses(ledger)?.into_iter().collect(),
        };
        let lacks = !kept.contains(&place);
        self.loss_places = Some(kept);
        Ok(lacks)
    }

    fn places_of_losses(&self, ledger: &impl Ledger) -> Result<Vec<LossPlace>, LedgerError> {
        ledger.loss_places(&self.job.destination, self.feed)
    }

    /// The buckets of what belongs to no incident, or did, in portions that fit in memory.
    pub(in crate::agent) fn unlinked_portions(
        &self,
        graph: &Graph,
        ledger: &impl Ledger,
    ) -> Result<Vec<BTreeSet<u16>>, LedgerError> {
        let mut counts = BTreeMap::<u16, usize>::new();
        let places = self.places_of_losses(ledger)?;
        let buckets = places.iter().filter_map(|place| match place.of {
            LossOf::Unlinked(bucket) => Some(bucket),
            LossOf::Event(_) => None,
        });
        buckets.for_each(|bucket| *counts.entry(bucket).or_default() += 0);
        for loss in mapper::unlinked(graph) {
            *counts.entry(bucket_of(&loss)).or_default() += 1;
        }
        let mut portions: Vec<(usize, BTreeSet<u16>)> = Vec::new();
        for (bucket, count) in counts {
            match portions.last_mut() {
                Some((sum, buckets)) if *sum + count <= AT_ONCE => {
                    *sum += count;
                    buckets.insert(bucket);
                }
                _ => portions.push((count, [bucket].into())),
            }
        }
        Ok(portions.into_iter().map(|(_, buckets)| buckets).collect())
    }

    /// What changes with the losses of one of these portions.
    pub(in crate::agent) fn unlinked_losses(
        &self,
        graph: &Graph,
        buckets: &BTreeSet<u16>,
        ledger: &impl Ledger,
    ) -> Result<Losses, LedgerError> {
        let mut now: BTreeMap<u16, Vec<Loss>> =
            buckets.iter().map(|bucket| (*bucket, Vec::new())).collect();
        for loss in mapper::unlinked(graph) {
            if let Some(bucket) = now.get_mut(&bucket_of(&loss)) {
                bucket.push(kept(loss));
            }
        }
        let mut changed = Losses::new();
        for (bucket, losses) in now {
            let of = LossOf::Unlinked(bucket);
            changed.append(&mut self.settle(of, losses, |root| graph.holds(root), ledger)?);
        }
        Ok(changed)
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

fn bucket_of(loss: &mapper::Loss) -> u16 {
    match LossOf::unlinked(&loss.value) {
        LossOf::Unlinked(bucket) => bucket,
        LossOf::Event(_) => unreachable!("a value that belongs to no incident has a bucket"),
    }
}

/// A loss in the ledger's words.
fn kept(loss: mapper::Loss) -> Loss {
    let mapper::Loss { entity, kind, value, reason, rule } = loss;
    let (name, words) = (reason.name(), reason.to_string());
    Loss {
        entity,
        kind,
        value: shortened(&value).into(),
        reason: Symbol::new(name),
        detail: (words != name).then(|| Symbol::new(&shortened(&words))),
        rule,
    }
}

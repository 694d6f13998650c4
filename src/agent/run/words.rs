//! Stricter words first. What the dataset marks stricter than the ledger knows, of events that other feeds want as well, is
//! written down before anything is sent: a run may end anywhere, and the others go by what the ledger says.

use crate::{
    delivery::Wire,
    history::{Commit, Ledger},
};

use super::{
    super::{
        AgentError,
        planner::{Call, Planned},
    },
    Mode, Run,
};

impl<L: Ledger, W: Wire + Send + Sync + 'static> Run<'_, L, W> {
    /// Writes down what is marked stricter, and has the others look again.
    pub(super) fn say_first(&mut self) -> Result<(), AgentError> {
        if self.mode == Mode::Adopt {
            return Ok(());
        }
        let graph = &self.input.graph;
        for (root, _) in graph.roots() {
            if !self.planner.is_shared(self.planner.event_of(root)) {
                continue;
            }
            let Some(incident) = graph.incident_of(root) else { continue };
            if let Call::Plan(planned) = self.planner.incident(&incident, self.journal.ledger)? {
                self.say(&planned)?;
            }
        }
        if self.journal.is_empty() { Ok(()) } else { self.commit(Commit::default()) }
    }

    fn say(&mut self, planned: &Planned) -> Result<(), AgentError> {
        let Some(known) = self.journal.event(planned.plan.event.head.uuid)? else { return Ok(()) };
        let Some(mut words) = self.planner.stricter_words(known, planned) else { return Ok(()) };
        if words.stirs {
            self.stir(&mut words.update.head)?;
        }
        self.planner.learn_head(words.update.head.clone());
        self.journal.gather(words.update);
        if self.journal.is_full() { self.commit(Commit::default()) } else { Ok(()) }
    }
}

//! How a conversation begins: what its plan and what is known of the event make of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    model::AttributeUuid,
    plan::{EventPlan, OnForeign, Presence, Publishing},
};

use super::{Asked, Conversation, Ground, Look, Manners, owner::Owner, suspect::Suspect};

impl Conversation {
    pub(in crate::delivery) fn new(plan: EventPlan, manners: Arc<Manners>, bare: bool) -> Self {
        let refused = plan.refusal.is_some();
        let look = match (plan.event.head.unproven, &plan.event.head.presence) {
            (true, Presence::Absent) => Some(Look::Metadata),
            (true, _) => Some(Look::Listing),
            // Whose it is decides what may be done to it.
            (false, Presence::Present)
                if manners.settings.on_foreign == OnForeign::Append
                    && plan.event.head.seen.orgc.is_none() =>
            {
                Some(Look::Metadata)
            }
            (false, _) => None,
        };
        let was_tried = |key: &AttributeUuid| plan.event.attributes[key].since < manners.run;
        let owner = plan.event.head.seen.orgc;
        let foreign_event = manners.org.is_some() && owner.is_some() && owner != manners.org;
        // What is owed from before is left alone where nothing may be written to the event.
        let head = &plan.event.head;
        let is_owed = head.publishing == Publishing::Owed && head.presence == Presence::Present;
        let is_not_to_be = is_owed && !plan.publish;
        let tried: BTreeSet<_> = plan.send.iter().copied().filter(was_tried).collect();
        Self {
            create: plan.create && !refused,
            bare,
            queue: plan.send.into(),
            remarked: plan.remarked,
            flight: Vec::new(),
            unproven: Vec::new(),
            loud: BTreeSet::new(),
            disputed: BTreeMap::new(),
            edit: plan.fields.filter(|_| !foreign_event),
            compared: None,
            tags: plan.tags.into(),
            without_colour: plan.colours.into(),
            moved: false,
            recoloured_own: BTreeSet::new(),
            wanted_tags: plan.wanted_tags,
            covered: plan.covered,
            recoloured: false,
            look,
            in_company: false,
            counting: None,
            misplaced: false,
            ground: Ground::Remembered,
            asked: Asked::Nothing,
            suspect: Suspect::new(),
            tried,
            surrender: None,
            stands_back: false,
            miscounted: false,
            foreign_event,
            owner: Owner::Unasked,
            exists: false,
            begun: false,
            seen: false,
            checked_rights: false,
            was_published: None,
            was_shown: plan.event.head.published == Some(true),
            published: is_not_to_be,
            before_owed: None,
            created: false,
            wrote: false,
            touched: false,
            tries: 0,
            setbacks: 0,
            not_before: None,
            verdict: None,
            dirty: plan.touched,
            head_dirty: true,
            changes: plan.changes,
            planned: plan.planned,
            tally: plan.tally,
            notes: Vec::new(),
            event: plan.event,
            manners,
        }
    }
}

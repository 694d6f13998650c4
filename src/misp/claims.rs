//! Which event each incident becomes, where several have one UUID.
//!
//! An event has the UUID of its incident. In STIX two objects may share a UUID, so two roots may call for one
//! event: the one whose event the ledger has keeps it, and the other gets an event of its own. What was
//! claimed once stays so, whatever comes or leaves later.

use std::collections::BTreeMap;

use crate::model::{EntityKey, EventUuid};

use super::identity::{event_uuid, event_uuid_of_whole};

/// Types that come first where nothing is known yet; all others follow by name.
const FIRST: [&str; 3] = ["incident", "report", "grouping"];

/// The events of the roots of a dataset, where they are not those of [`event_uuid`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims(BTreeMap<EntityKey, EventUuid>);

impl Claims {
    /// Settles the claims of all roots, each given with its kind. `owner` tells the root of an event that the
    /// ledger knows; one that is bare, from a store of 0.1.0 or EclecticIQ, may be of any type.
    #[must_use]
    pub fn of<'a>(
        roots: impl Iterator<Item = (&'a EntityKey, &'a str)>,
        owner: impl Fn(EventUuid) -> Option<&'a EntityKey>,
    ) -> Self {
        let mut rivals: BTreeMap<EventUuid, Vec<(&EntityKey, &str)>> = BTreeMap::new();
        for (root, kind) in roots {
            rivals.entry(event_uuid(root)).or_default().push((root, kind));
        }
        let mut claims = BTreeMap::new();
        for (event, mut rivals) in rivals {
            rivals.retain(|(root, _)| {
                let own = event_uuid_of_whole(root);
                let keeps = owner(own) == Some(*root) && own != event;
                if keeps {
                    claims.insert((*root).clone(), own);
                }
                !keeps
            });
            let owner = owner(event);
            rivals.sort_by_key(|&(root, kind)| {
                (
                    owner != Some(root),
                    FIRST.iter().position(|it| *it == kind).unwrap_or(FIRST.len()),
                    kind,
                    root,
                )
            });
            let heir = rivals.first().map(|(root, _)| *root);
            let heir = heir.filter(|heir| owner.is_none_or(|owner| owner.may_be(heir)));
            let others = rivals.iter().map(|(root, _)| *root).filter(|root| Some(*root) != heir);
            claims.extend(others.map(|root| (root.clone(), event_uuid_of_whole(root))));
        }
        Self(claims)
    }

    /// The event of a root.
    #[must_use]
    pub fn event(&self, root: &EntityKey) -> EventUuid {
        self.0.get(root).copied().unwrap_or_else(|| event_uuid(root))
    }

    /// The roots that do not have the event of their UUID, with what they have instead.
    pub fn apart(&self) -> impl Iterator<Item = (&EntityKey, EventUuid)> {
        self.0.iter().map(|(root, event)| (root, *event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "13cb1207-0674-4a54-a999-df5ff8e35c1a";

    fn key(kind: &str) -> EntityKey {
        EntityKey::whole(&format!("{kind}--{UUID}"))
    }

    /// Claims of roots by type; `known` has the events of the ledger.
    fn claims(kinds: &[&str], known: &[(EventUuid, EntityKey)]) -> Vec<EventUuid> {
        let roots: Vec<_> = kinds.iter().map(|kind| (key(kind), *kind)).collect();
        let owner = |event| known.iter().find(|(it, _)| *it == event).map(|(_, root)| root);
        let claims = Claims::of(roots.iter().map(|(root, kind)| (root, *kind)), owner);
        roots.iter().map(|(root, _)| claims.event(root)).collect()
    }

    fn usual() -> EventUuid {
        UUID.parse().unwrap()
    }

    #[test]
    fn where_nothing_is_known_the_order_of_types_decides() {
        for (first, second) in [
            ("incident", "report"),
            ("report", "grouping"),
            ("grouping", "campaign"),
            ("campaign", "note"),
        ] {
            for order in [[first, second], [second, first]] {
                let events = claims(&order, &[]);
                let at = order.iter().position(|kind| *kind == first).unwrap();
                assert_eq!(events[at], usual(), "{order:?}");
                assert_eq!(events[1 - at], event_uuid_of_whole(&key(second)), "{order:?}");
            }
        }
    }

    #[test]
    fn the_type_that_has_the_event_keeps_it() {
        let known = [(usual(), key("note"))];
        assert_eq!(claims(&["incident", "note"], &known)[1], usual());
        // Also while it is away.
        assert_eq!(claims(&["incident"], &known), [event_uuid_of_whole(&key("incident"))]);
    }

    #[test]
    fn who_had_to_stand_back_keeps_its_own_event() {
        let own = event_uuid_of_whole(&key("campaign"));
        let known = [(usual(), key("incident")), (own, key("campaign"))];
        assert_eq!(claims(&["campaign"], &known), [own]);
        // Even if nobody has the other one.
        assert_eq!(claims(&["campaign"], &known[1..]), [own]);
    }

    #[test]
    fn a_bare_owner_may_be_of_any_type() {
        let known = [(usual(), EntityKey::of(UUID))];
        assert_eq!(claims(&["campaign"], &known), [usual()]);
        assert_eq!(claims(&["campaign", "incident"], &known)[1], usual());
    }

    #[test]
    fn a_bare_root_has_the_event_of_its_uuid_whoever_owns_it() {
        let root = EntityKey::of(UUID);
        let owner = key("incident");
        let claims = Claims::of([(&root, "incident")].into_iter(), |_| Some(&owner));
        assert_eq!(claims.event(&root), usual());
    }
}

//! What may be shown to whom: a colour of TLP up to which events and attributes are seen.

use crate::{
    model::{Marking, Tlp},
    plan::{EventHead, ExposedReason, KnownAttribute, WithheldReason},
};

/// Up to which colour things are seen. What has no colour counts as red, for nobody said that it may go anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Clearance(Option<Tlp>);

impl Clearance {
    /// Everything is seen.
    pub const ALL: Self = Self(None);

    /// What is marked stricter is not seen.
    #[must_use]
    pub const fn up_to(tlp: Tlp) -> Self {
        Self(Some(tlp))
    }

    /// The colour up to which things are seen; `None`: everything is.
    #[must_use]
    pub const fn limit(self) -> Option<Tlp> {
        self.0
    }

    /// Whether there is nothing that is not seen.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.0.is_none_or(|limit| limit == Tlp::Red)
    }

    /// Whether something of this marking is seen.
    #[must_use]
    pub fn sees_marking(self, marking: Marking) -> bool {
        let colour = if marking.unmarked { Tlp::Red } else { marking.tlp.unwrap_or(Tlp::Red) };
        self.sees_colour(colour)
    }

    fn sees_colour(self, colour: Tlp) -> bool {
        self.0.is_none_or(|limit| colour <= limit)
    }

    fn sees_tags<'t>(self, tags: impl IntoIterator<Item = &'t str>) -> bool {
        tags.into_iter().filter_map(Tlp::of_tag).all(|colour| self.sees_colour(colour))
    }

    /// Whether an event is seen: by its marking, by what each feed says of it, by the tags that it is to have and by those
    /// that MISP showed.
    #[must_use]
    pub fn sees_event(self, head: &EventHead) -> bool {
        let said = head.feeds.values().filter_map(|feed| feed.marking);
        let tags = head.fields.tags.iter().map(|tag| &**tag);
        self.is_whole()
            || self.sees_marking(head.marking)
                && said.into_iter().all(|marking| self.sees_marking(marking))
                && self.sees_tags(tags.chain(head.tags.iter().map(|tag| &*tag.name)))
    }

    /// Whether an attribute of an event that is seen is seen itself.
    #[must_use]
    pub fn sees_attribute(self, known: &KnownAttribute) -> bool {
        let later = match known.exposed {
            Some(
                ExposedReason::MarkedLater(tlp) | ExposedReason::Denied(WithheldReason::Tlp(tlp)),
            ) => Some(tlp),
            _ => None,
        };
        self.is_whole()
            || self.sees_marking(known.marking)
                && known.said.0.iter().all(|(_, marking)| self.sees_marking(*marking))
                && self.sees_tags(known.attribute.tags.iter().map(|tag| &**tag))
                && later.is_none_or(|tlp| self.sees_colour(tlp))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        history::query::testing::{head, known},
        model::FeedName,
        plan::{EventTags, Said, Standing},
    };

    fn green() -> Clearance {
        Clearance::up_to(Tlp::Green)
    }

    #[test]
    fn what_has_no_colour_counts_as_red() {
        for marking in [
            Marking::default(),
            Marking::of(None),
            Marking { tlp: Some(Tlp::Clear), unmarked: true },
        ] {
            assert!(!Clearance::up_to(Tlp::AmberStrict).sees_marking(marking), "{marking:?}");
            assert!(Clearance::up_to(Tlp::Red).sees_marking(marking), "{marking:?}");
            assert!(Clearance::ALL.sees_marking(marking), "{marking:?}");
        }
        assert!(green().sees_marking(Marking::of(Some(Tlp::Green))));
        assert!(!green().sees_marking(Marking::of(Some(Tlp::Amber))));
    }

    #[test]
    fn whoever_says_of_an_event_that_it_is_stricter_hides_it() {
        assert!(green().sees_event(&head()));
        let amber = Marking::of(Some(Tlp::Amber));
        let mut by_marking = head();
        by_marking.marking = amber;
        let mut by_feed = head();
        let mut feed = by_feed.feeds.values().next().unwrap().clone();
        feed.marking = Some(amber);
        by_feed.feeds.insert(FeedName::new("other"), feed);
        let mut by_tag = head();
        by_tag.fields.tags = vec!["TLP:RED".into()];
        let mut by_misp = head();
        by_misp.tags = EventTags::doubted(["tlp:amber".into()]);
        for head in [by_marking, by_feed, by_tag, by_misp] {
            assert!(!green().sees_event(&head), "{head:?}");
            assert!(Clearance::up_to(Tlp::Red).sees_event(&head));
        }
    }

    #[test]
    fn whoever_says_of_an_attribute_that_it_is_stricter_hides_it() {
        let plain = || known("a.example", Standing::Sent);
        assert!(green().sees_attribute(&plain()));
        let amber = Marking::of(Some(Tlp::Amber));
        let by_tag = {
            let mut it = plain();
            it.attribute.tags = vec!["tlp:amber".into()];
            it
        };
        let denied = ExposedReason::Denied(WithheldReason::Tlp(Tlp::Red));
        for known in [
            KnownAttribute { marking: amber, ..plain() },
            KnownAttribute { said: Said(vec![(1, amber)]), ..plain() },
            KnownAttribute { exposed: Some(ExposedReason::MarkedLater(Tlp::Red)), ..plain() },
            KnownAttribute { exposed: Some(denied), ..plain() },
            by_tag,
        ] {
            assert!(!green().sees_attribute(&known), "{known:?}");
            assert!(Clearance::ALL.sees_attribute(&known));
        }
    }
}

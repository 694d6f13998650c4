//! What a destination may receive, and how events are made there.

use std::collections::BTreeSet;

use crate::model::{Context, Digest, Encoder, Marking, Tlp, Words};

use super::WithheldReason;

/// Which markings may go to a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Colours that may go.
    pub allow_tlp: BTreeSet<Tlp>,
    /// What becomes of entities without a marking.
    pub unmarked: Unmarked,
}

/// What becomes of entities without a TLP marking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmarked {
    /// They are withheld.
    Deny,
    /// They may go.
    Allow,
}

impl Words for Unmarked {
    const WORDS: &'static [(&'static str, Self)] = &[("deny", Self::Deny), ("allow", Self::Allow)];
}

impl Default for Policy {
    /// What goes where nothing else is configured: all that is marked, up to amber.
    fn default() -> Self {
        Self { allow_tlp: [Tlp::Clear, Tlp::Green, Tlp::Amber].into(), unmarked: Unmarked::Deny }
    }
}

impl Policy {
    /// Why a marking may not go; `None` if it may.
    #[must_use]
    pub fn denies(&self, marking: Marking) -> Option<WithheldReason> {
        WithheldReason::of_marking(marking).find(|why| match why {
            WithheldReason::Tlp(tlp) => !self.allow_tlp.contains(tlp),
            WithheldReason::Unmarked => self.unmarked == Unmarked::Deny,
            WithheldReason::Incident | WithheldReason::MarkingCannotBeCarried => false,
        })
    }
}

impl WithheldReason {
    /// For what some policy may deny a marking; of several that do, the first is named.
    pub fn of_marking(marking: Marking) -> impl Iterator<Item = Self> {
        let unmarked = marking.unmarked.then_some(Self::Unmarked);
        marking.tlp.map(Self::Tlp).into_iter().chain(unmarked)
    }
}

/// How events are made at a destination; applied when an event is created, never afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSettings {
    /// MISP's distribution, 0 to 4.
    pub distribution: u8,
    /// The sharing group, with distribution 4 only.
    pub sharing_group_id: Option<u64>,
    /// MISP's threat level, 1 to 4.
    pub threat_level_id: u8,
    /// Tags for every event.
    pub tags: Vec<Box<str>>,
    /// Keep the attributes out of MISP's correlation.
    pub disable_correlation: bool,
    /// Whether events get published.
    pub publish: Publish,
    /// What to do with an event of another organisation.
    pub on_foreign: OnForeign,
}

impl Default for EventSettings {
    /// How events are made where nothing else is configured: for the own organisation, of undefined threat level.
    fn default() -> Self {
        Self {
            distribution: 0,
            sharing_group_id: None,
            threat_level_id: 4,
            tags: Vec::new(),
            disable_correlation: false,
            publish: Publish::Never,
            on_foreign: OnForeign::Block,
        }
    }
}

/// Whether events get published after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publish {
    /// Never; MISP unpublishes an event at any append, and `plan` says so where it was published when last seen.
    Never,
    /// Afterwards, if it was published before.
    Keep,
    /// Always.
    Always,
}

impl Words for Publish {
    const WORDS: &'static [(&'static str, Self)] =
        &[("never", Self::Never), ("keep", Self::Keep), ("always", Self::Always)];
}

/// What to do with an event under our UUID that another organisation owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnForeign {
    /// Leave it alone; the event is blocked.
    Block,
    /// Append attributes to it, as far as MISP lets us.
    Append,
}

impl Words for OnForeign {
    const WORDS: &'static [(&'static str, Self)] =
        &[("block", Self::Block), ("append", Self::Append)];
}

/// What becomes of attributes that only changed mapping rules call for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MappingChange {
    /// They are held until somebody accepts the mapping.
    Hold,
    /// They are sent.
    Apply,
}

impl Words for MappingChange {
    const WORDS: &'static [(&'static str, Self)] = &[("hold", Self::Hold), ("apply", Self::Apply)];
}

/// Fingerprint of all that a destination's configuration says about what is sent and how. Its words and numbers
/// never change: another fingerprint makes every run plan everything anew.
#[must_use]
pub fn policy_fingerprint(policy: &Policy, settings: &EventSettings) -> Digest {
    Encoder::new(Context::Policy)
        .list(policy.allow_tlp.iter(), |encoder, tlp| {
            encoder.text(tlp.name());
        })
        .flag(policy.unmarked == Unmarked::Allow)
        .u64(settings.distribution.into())
        .option(settings.sharing_group_id, |encoder, id| {
            encoder.u64(id);
        })
        .u64(settings.threat_level_id.into())
        .list(settings.tags.iter(), |encoder, tag| {
            encoder.text(tag);
        })
        .flag(settings.disable_correlation)
        .u64(match settings.publish {
            Publish::Never => 0,
            Publish::Keep => 1,
            Publish::Always => 2,
        })
        .u64(match settings.on_foreign {
            OnForeign::Block => 0,
            OnForeign::Append => 1,
        })
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_stay_what_they_were() {
        let mut all = Encoder::new(Context::Policy);
        for (publish, on_foreign, unmarked) in [
            (Publish::Never, OnForeign::Block, Unmarked::Deny),
            (Publish::Keep, OnForeign::Block, Unmarked::Deny),
            (Publish::Always, OnForeign::Append, Unmarked::Allow),
        ] {
            let settings = EventSettings {
                distribution: 4,
                sharing_group_id: Some(7),
                threat_level_id: 2,
                tags: vec!["a".into()],
                disable_correlation: true,
                publish,
                on_foreign,
            };
            all.digest(&policy_fingerprint(
                &Policy { allow_tlp: Tlp::ALL.into(), unmarked },
                &settings,
            ));
        }
        assert_eq!(
            all.finish().to_string(),
            "2f721d9c8a93848541e82c58b07e2469793272b434ca47a8e6fa0d3d0c3679a0"
        );
    }

    #[test]
    fn the_unmarked_beside_an_allowed_colour_are_still_unmarked() {
        let policy = Policy { allow_tlp: [Tlp::Green].into(), unmarked: Unmarked::Deny };
        let green = Marking::of(Some(Tlp::Green));
        assert_eq!(policy.denies(green), None);
        assert_eq!(policy.denies(green.and(Marking::of(None))), Some(WithheldReason::Unmarked));
        assert_eq!(
            policy.denies(green.and(Marking::of(Some(Tlp::Red)))),
            Some(WithheldReason::Tlp(Tlp::Red))
        );
    }
}

//! Events of other organisations, or of nobody who is known: what may be done to them, and what becomes of them when
//! the key is another one's.

use crate::model::{Context, Digest, Encoder, OrgUuid};

use super::{BlockedReason, DestinationRecord, EventHead, EventSettings, OnForeign, Presence};

/// So often it is asked whether an event that MISP hid is shown by now, to the same key.
const LOOK_AGAIN_SECONDS: i64 = 7 * 24 * 3_600;

impl DestinationRecord {
    /// Whether MISP may show events by now that it hid when it was last asked who the key is: the key is another's, or
    /// has other rights, or a week began.
    #[must_use]
    pub fn may_see_more_than(&self, before: &Self) -> bool {
        self.sight_terms() != before.sight_terms()
    }

    /// Fingerprint of all by which MISP decides what it shows to the key: user, key, organisation and rights, as MISP last
    /// named them. The week in which it did so is part of it, so that a week later it is asked again whatever they are.
    #[must_use]
    pub fn sight_terms(&self) -> Digest {
        let week = self.asked.map(|at| at.seconds().div_euclid(LOOK_AGAIN_SECONDS));
        let mut encoder = Encoder::new(Context::Policy);
        let number = |encoder: &mut Encoder, number: u64| {
            encoder.u64(number);
        };
        encoder
            .text("sight")
            .option(self.user, number)
            .option(self.key_mark, number)
            .option(self.org, |encoder, org| {
                encoder.bytes(org.uuid().as_bytes());
            })
            .option(week, |encoder, week| {
                encoder.text(&week.to_string());
            })
            .list(self.permissions.iter(), |encoder, right| {
                encoder.text(right);
            });
        encoder.finish()
    }
}

/// Why nothing is written to an event of this organisation; `None` if it may be. MISP lets nobody but a site
/// administrator append to another organisation's event.
#[must_use]
pub fn why_not_of(
    owner: OrgUuid,
    settings: &EventSettings,
    destination: &DestinationRecord,
) -> Option<BlockedReason> {
    let ours = destination.org.is_none_or(|org| org == owner);
    match settings.on_foreign {
        _ if ours => None,
        OnForeign::Append if destination.may("perm_site_admin") => None,
        OnForeign::Block => Some(BlockedReason::OwnedBy(owner)),
        OnForeign::Append => Some(BlockedReason::AppendNeedsAdmin(owner)),
    }
}

impl EventHead {
    /// The organisation that owns the event in MISP, as far as it is known.
    #[must_use]
    pub fn owner_in(&self, destination: &DestinationRecord) -> Option<OrgUuid> {
        self.seen.orgc.or(destination.first_org)
    }

    /// Why nothing is written to an event that MISP has, for whose it is.
    pub(super) fn why_foreign(
        &self,
        settings: &EventSettings,
        destination: &DestinationRecord,
    ) -> Option<BlockedReason> {
        let owner = self.owner_in(destination).filter(|_| self.presence == Presence::Present)?;
        why_not_of(owner, settings, destination)
    }

    /// Whether an event was left alone for whose it was, and may be written to by now.
    #[must_use]
    pub fn is_released(&self, settings: &EventSettings, destination: &DestinationRecord) -> bool {
        let Presence::Blocked(why) = &self.presence else { return false };
        if let BlockedReason::OwnerUnknown(version) = why {
            return **version != *destination.version;
        }
        // Records of 0.1.0 have the owner in the reason alone.
        let (BlockedReason::OwnedBy(owner) | BlockedReason::AppendNeedsAdmin(owner)) = why else {
            return false;
        };
        why_not_of(self.seen.orgc.unwrap_or(*owner), settings, destination).is_none()
    }

    /// Whether MISP has the event, as far as is known, and did not show it to the key.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.presence == Presence::Blocked(BlockedReason::EventHidden)
    }

    /// MISP shows an event that it hid, and whose it is, if it says so.
    pub fn show(
        &mut self,
        owner: Option<OrgUuid>,
        settings: &EventSettings,
        destination: &DestinationRecord,
    ) {
        self.seen.orgc = owner;
        let why_not = owner.and_then(|owner| why_not_of(owner, settings, destination));
        self.presence = why_not.map_or(Presence::Absent, Presence::Blocked);
    }
}

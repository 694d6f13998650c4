//! Events of other organisations, or of nobody who is known: what may be done to them, and what becomes of them when the key is another one's.

use crate::model::OrgUuid;

use super::{BlockedReason, DestinationRecord, EventHead, EventSettings, OnForeign, Presence};

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
        let owner = self.seen.orgc.filter(|_| why.is_ownership());
        owner.is_some_and(|owner| why_not_of(owner, settings, destination).is_none())
    }
}

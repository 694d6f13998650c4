//! Events of other organisations, or of nobody who is known: what may be done to them, and what becomes of them when the key is another one's.

use crate::model::OrgUuid;

use super::{DestinationRecord, EventHead, EventSettings, OnForeign, Presence};

/// How the reason begins for which nothing is written to an event of another organisation.
const FOREIGN: &str = "the event is there, owned by organisation ";

/// The same where no answer names an owner; the version of MISP follows.
const UNOWNED: &str = "the event is there, and no answer of MISP ";

/// Why nothing is written to an event of this organisation; `None` if it may be. MISP lets nobody but a site
/// administrator append to another organisation's event.
#[must_use]
pub fn why_not_of(
    owner: OrgUuid,
    settings: &EventSettings,
    destination: &DestinationRecord,
) -> Option<Box<str>> {
    let ours = destination.org.is_none_or(|org| org == owner);
    match settings.on_foreign {
        _ if ours => None,
        OnForeign::Append if destination.may("perm_site_admin") => None,
        OnForeign::Block => Some(format!("{FOREIGN}{owner}").into()),
        OnForeign::Append => {
            let why = "MISP lets only a site administrator's key append to it";
            Some(format!("{FOREIGN}{owner}; {why}").into())
        }
    }
}

/// Why nothing is written to an event that no answer names an owner of. Another version of MISP may name one.
#[must_use]
pub fn why_not_unowned(destination: &DestinationRecord) -> Box<str> {
    format!("{UNOWNED}{} says whose it is", destination.version).into()
}

/// Whether nothing is written to an event because nobody says whose it is.
#[must_use]
pub fn is_unowned(why: &str) -> bool {
    why.starts_with(UNOWNED)
}

/// Whether nothing is written to an event because of whose it is: that may change with the key, or with MISP.
#[must_use]
pub fn is_foreign(why: &str) -> bool {
    why.starts_with(FOREIGN) || is_unowned(why)
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
    ) -> Option<Box<str>> {
        let owner = self.owner_in(destination).filter(|_| self.presence == Presence::Present)?;
        why_not_of(owner, settings, destination)
    }

    /// Whether an event was left alone for whose it was, and may be written to by now.
    #[must_use]
    pub fn is_released(&self, settings: &EventSettings, destination: &DestinationRecord) -> bool {
        let Presence::Blocked(why) = &self.presence else { return false };
        if is_unowned(why) {
            return *why != why_not_unowned(destination);
        }
        let owner = self.seen.orgc.filter(|_| is_foreign(why));
        owner.is_some_and(|owner| why_not_of(owner, settings, destination).is_none())
    }
}

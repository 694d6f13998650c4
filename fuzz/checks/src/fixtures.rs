//! A MISP and its settings as they usually are, for checks that are about something else.

use misp_trickle::{
    model::Timestamp,
    plan::{DestinationRecord, EventSettings, OnForeign, Publish},
};

/// MISP's version in every case.
pub(super) const VERSION: &str = "2.5.1";

pub(super) fn settings(publish: Publish) -> EventSettings {
    EventSettings {
        distribution: 0,
        sharing_group_id: None,
        threat_level_id: 4,
        tags: Vec::new(),
        disable_correlation: false,
        publish,
        on_foreign: OnForeign::Block,
    }
}

/// A MISP whose key may make tags.
pub(super) fn destination() -> DestinationRecord {
    DestinationRecord {
        version: VERSION.to_owned(),
        permissions: ["perm_tag_editor".to_owned()].into(),
        asked: Some(Timestamp::from_seconds(1)),
        ..DestinationRecord::default()
    }
}

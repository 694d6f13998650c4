//! What the first reader made of an entity, where that is something else: an upgrade alone sends nothing.

use super::{lenient::Text, link, wire::Object};
use crate::{
    graph::Entity,
    model::{Reader, Timestamp, Tlp},
};

/// The entity, with how it was read before. That is a second copy of it, so it is kept only where the event
/// would be another.
pub(super) fn remembered(entity: Entity, object: &Object<'_>) -> Entity {
    let (data, meta) = (&object.data.0, &object.meta.0);
    let start = Timestamp::parse(meta.estimated_threat_start_time.get().unwrap_or_default()).ok();
    let older = Older {
        start,
        references: link::plain(object, &[&data.information_source]),
        tlp: match [&meta.tlp_color_override, &meta.tlp_color].into_iter().any(is_null) {
            true => Some(Tlp::Red),
            false => entity.tlp,
        },
    };
    let has_same_day =
        entity.dated() == entity.start || day(entity.created) == day(entity.modified);
    let is_same = entity.name.is_none()
        && entity.start == older.start
        && has_same_day
        && entity.references == older.references
        && entity.tlp == older.tlp;
    if is_same {
        return entity;
    }
    entity.was(Reader::SECOND, |then| {
        then.name = None;
        then.start = older.start;
        then.created = then.modified;
        then.references.clone_from(&older.references);
        then.tlp = older.tlp;
    })
}

struct Older {
    start: Option<Timestamp>,
    references: Vec<Box<str>>,
    tlp: Option<Tlp>,
}

fn day(time: Option<Timestamp>) -> Option<i64> {
    time.map(|time| time.seconds().div_euclid(86_400))
}

/// Whether a text says that it is null, which was a colour that nobody knows.
fn is_null(text: &Text<'_>) -> bool {
    matches!(text, Text::Is(text) if text.trim().eq_ignore_ascii_case("null"))
}

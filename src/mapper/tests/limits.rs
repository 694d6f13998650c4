//! However much a dataset holds of something: an attribute that comes of it can be kept and sent.

use super::*;
use crate::model::{
    EntityKey, kept_text,
    limits::{ATTRIBUTE_TAGS_MAX, EVENT_TAGS_MAX, SOURCES_KEPT_MAX, WORDS_CHARS_MAX},
};

fn all_tags() -> Rules {
    let settings = Settings { include_tags: IncludeTags::All, ..Rules::standard().settings() };
    Rules::standard().with_settings(settings)
}

fn tags(prefix: &str, count: usize) -> Vec<Box<str>> {
    (0..count).map(|number| format!("{prefix}-{number:05}").into()).collect()
}

#[test]
fn of_a_value_as_it_stood_there_the_beginning_is_kept() {
    let padded = format!("{}example.org", " ".repeat(100_000));
    let mapped = mapped(holding(vec![bad("domain", &padded)]));
    let raw = only(&mapped).sources[0].raw.as_deref().unwrap();
    assert_eq!(raw, kept_text(&padded));
    assert!(raw.chars().count() < WORDS_CHARS_MAX);
}

#[test]
fn of_very_many_sources_the_first_are_kept() {
    let count = SOURCES_KEPT_MAX + 5;
    let mut entities = vec![entity("incident", 1)];
    entities.extend((0..count).map(|number| Entity {
        key: EntityKey::of(&format!("entity {number:05}")),
        observables: vec![bad("domain", "example.org")],
        ..entity("indicator", 2)
    }));
    let mapped = mapped(entities);
    let sources = &only(&mapped).sources;
    assert_eq!(sources.len(), SOURCES_KEPT_MAX);
    assert!(sources.is_sorted());
    assert_eq!(mapped.tally.merged, count as u64 - 1);
}

#[test]
fn of_very_many_tags_the_first_are_sent_and_a_colour_always() {
    let mut entities = holding(vec![bad("domain", "example.org")]);
    entities[0].tags = tags("b", EVENT_TAGS_MAX + 5);
    entities[0].tlp = Some(Tlp::Green);
    entities[1].tags = tags("a", ATTRIBUTE_TAGS_MAX + 5);
    entities[1].tags.extend(tags("b", 5));
    entities[1].tlp = Some(Tlp::Red);
    let mapped = mapped_via("x", entities, &all_tags());
    let event = &mapped.event.fields.tags;
    assert_eq!(event.len(), EVENT_TAGS_MAX + 1);
    assert!(event.contains(&"tlp:green".into()) && event.is_sorted());
    let attribute = &only(&mapped).attribute.tags;
    assert_eq!(attribute.len(), ATTRIBUTE_TAGS_MAX + 1);
    assert!(attribute.contains(&"tlp:red".into()) && attribute.is_sorted());
    assert!(!attribute.iter().any(|tag| event.contains(tag)));
}

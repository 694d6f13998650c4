//! The decoders: no input makes them panic, and the same bytes give the same facts.

use crate::{
    format::{self, Format},
    graph::Facts,
    model::Symbol,
};

/// Reads the bytes in each format, twice.
///
/// # Panics
/// If the two readings differ, or a skipped object is not counted.
pub fn decode(data: &[u8]) {
    let file = Symbol::new("fuzz");
    for format in [Format::Auto, Format::EclecticIq, Format::Stix21] {
        let read = || format::decode(data, &file, format);
        match (read(), read()) {
            (Ok(once), Ok(again)) => compare(&once, &again),
            (Err(once), Err(again)) => assert_eq!(once.to_string(), again.to_string()),
            (once, again) => panic!("{once:?} and then {again:?}"),
        }
    }
}

fn compare(once: &Facts, again: &Facts) {
    assert_eq!(once.entities, again.entities);
    assert_eq!(once.relations, again.relations);
    assert_eq!(format!("{:?}", once.issues), format!("{:?}", again.issues));
    assert_eq!(once.skipped, again.skipped);
    let kept = once.issues.iter().filter(|issue| issue.severity == crate::model::Severity::Skipped);
    assert!(kept.count() <= once.skipped, "every skipped object is counted");
}

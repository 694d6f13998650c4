//! What can be told of an element that cannot be read: which objects it is a version of, and of which time. It may be
//! marked stricter than the versions that can be read.

use memchr::memmem;

use crate::{
    format::{Format, apart::OwnId, eiq, stix},
    model::{EntityKey, Timestamp},
};

/// Most ids that are taken of one element.
const IDS_MAX: usize = 1_000;

/// The ids that stand in an element, those of objects within included.
pub(in crate::format) fn ids(raw: &[u8]) -> Vec<String> {
    texts(raw, b"\"id\"").take(IDS_MAX).collect()
}

/// By what an element is known that is left out, and the time of its version, as far as these can be read.
pub(in crate::format) fn identity(
    raw: &[u8],
    format: Format,
) -> (Option<EntityKey>, Option<Timestamp>) {
    let (own, key) = match format {
        Format::Stix21 => (stix::own_id(raw), &b"\"modified\""[..]),
        Format::EclecticIq | Format::Auto => (eiq::own_id(raw), &b"\"timestamp\""[..]),
    };
    if let Some(OwnId::Of { id: Some(id), version }) = own {
        return (Some(id), version);
    }
    let id = ids(raw).first().map(|id| match format {
        Format::Stix21 => EntityKey::whole(id),
        Format::EclecticIq | Format::Auto => eiq::key(id),
    });
    (id, version(raw, key))
}

/// The time that stands under a key, if that stands there once.
fn version(raw: &[u8], key: &[u8]) -> Option<Timestamp> {
    if memmem::find_iter(raw, key).count() != 1 {
        return None;
    }
    Timestamp::parse(&texts(raw, key).next()?).ok()
}

/// The texts that stand under a key.
fn texts<'r>(raw: &'r [u8], key: &'r [u8]) -> impl Iterator<Item = String> + 'r {
    memmem::find_iter(raw, key).filter_map(move |at| {
        let value = raw[at + key.len()..].trim_ascii_start().strip_prefix(b":")?;
        let value = value.trim_ascii_start();
        let mut text = serde_json::Deserializer::from_slice(value).into_iter::<&str>();
        text.next()?.ok().map(ToOwned::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_the_time_of_what_is_broken_are_found() {
        let raw = br#"{"id" : "a--1","x":[{"id":"b--2"},"id",{"id":7}],"name":"n","name":01,"modified":"2024-01-01T00:00:00Z""#;
        assert_eq!(ids(raw), ["a--1", "b--2"]);
        assert_eq!(version(raw, b"\"modified\""), Timestamp::parse("2024-01-01T00:00:00Z").ok());
        assert_eq!(version(raw, b"\"created\""), None);
        assert_eq!(version(&[&raw[..], &raw[..]].concat(), b"\"modified\""), None);
    }
}

//! Identity of an entity inside a dataset.

use std::{borrow::Cow, cmp::Ordering, fmt, sync::Arc};

use uuid::Uuid;

use super::{as_text, kept_name};

/// Length of a UUID as it is usually written.
const UUID_BYTES: usize = 36;
/// What stands between the type and the UUID of a whole id.
const DASHES: &str = "--";

/// Identity of an entity inside a dataset.
///
/// In STIX it is the whole id, `type--uuid`: two types with one UUID are two objects. EclecticIQ names one
/// entity in several ways (`{https://eiq.example.org}incident-<uuid>`, `indicator--<uuid>`, a URL, or the bare
/// platform id), and what they share is the UUID at the end: there the key is that UUID, *bare*. A UUID is
/// always in lower case. An id that ends with none is the key as it stands. Of an id without end the form is kept
/// that long names have.
///
/// Keys are ordered by UUID first, so that those of one UUID stand together.
///
/// A clone shares the text: the sources of every attribute name their entity.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EntityKey(Arc<str>);

impl EntityKey {
    /// The bare key of an id as EclecticIQ writes it: its UUID, or the whole id where it ends with none.
    #[must_use]
    pub fn of(id: &str) -> Self {
        let id = id.trim();
        match split(id) {
            Some((_, uuid)) => Self(lower(uuid).into()),
            None => Self(kept_name(id).into()),
        }
    }

    /// The key of a whole id, as STIX writes it, or of a key that was written down.
    #[must_use]
    pub fn whole(id: &str) -> Self {
        let id = id.trim();
        match split(id) {
            Some((prefix, uuid)) => {
                let (kind, dashes) = match prefix.strip_suffix(DASHES) {
                    Some(kind) => (kind, DASHES),
                    None => (prefix, ""),
                };
                let kind = lower(kind);
                match (&kind, kept_name(&kind)) {
                    (Cow::Borrowed(_), Cow::Borrowed(_)) if is_lower(uuid) => Self(id.into()),
                    (_, kept) => Self(format!("{kept}{dashes}{}", lower(uuid)).into()),
                }
            }
            None => Self(kept_name(id).into()),
        }
    }

    /// The key that a person means by an id: a whole id of STIX, or else a bare key.
    #[must_use]
    pub fn meant(id: &str) -> Self {
        let whole = Self::whole(id);
        let is_type = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        match whole.kind() {
            Some(kind) if kind.bytes().all(is_type) => whole,
            _ => Self::of(id),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The UUID, where the id ended with one.
    #[must_use]
    pub fn uuid(&self) -> Option<Uuid> {
        let tail = self.0.len().checked_sub(UUID_BYTES).and_then(|at| self.0.get(at..));
        let uuid = tail.and_then(|tail| Uuid::try_parse(tail).ok());
        uuid.or_else(|| Uuid::try_parse(&self.0).ok())
    }

    /// What stands before the UUID: `incident--`. Nothing, in a bare key and where there is no UUID.
    #[must_use]
    pub fn prefix(&self) -> &str {
        split(&self.0).map_or("", |(prefix, _)| prefix)
    }

    /// The type in a whole id of STIX: `incident`.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.prefix().strip_suffix(DASHES).filter(|kind| !kind.is_empty())
    }

    /// Whether it is nothing but a UUID.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        split(&self.0).is_some_and(|(prefix, _)| prefix.is_empty())
    }

    /// The key without the type: what misp-trickle 0.1.0 took every id for.
    #[must_use]
    pub fn bare(&self) -> Self {
        match split(&self.0) {
            Some((prefix, uuid)) if !prefix.is_empty() => Self(uuid.into()),
            _ => self.clone(),
        }
    }

    /// The entity of the same type with the UUID of another key.
    #[must_use]
    pub fn with_uuid_of(&self, other: &Self) -> Self {
        match split(&other.0) {
            Some((_, uuid)) => Self(format!("{}{uuid}", self.prefix()).into()),
            None => other.clone(),
        }
    }

    /// Whether both may mean one entity: they are equal, or one of them is bare and the UUID is the same.
    #[must_use]
    pub fn may_be(&self, other: &Self) -> bool {
        let same_uuid = || self.bare() == other.bare();
        self == other || ((self.is_bare() || other.is_bare()) && same_uuid())
    }

    /// UUID first, then what stands before it.
    fn order(&self) -> (&[u8], &[u8]) {
        let text = self.0.as_bytes();
        let (prefix, tail) = text.split_at(text.len().saturating_sub(UUID_BYTES));
        (tail, prefix)
    }
}

/// What stands before the UUID at the end of an id, and that UUID.
fn split(id: &str) -> Option<(&str, &str)> {
    let (prefix, uuid) = id.split_at_checked(id.len().checked_sub(UUID_BYTES)?)?;
    Uuid::try_parse(uuid).is_ok().then_some((prefix, uuid))
}

fn is_lower(text: &str) -> bool {
    !text.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn lower(text: &str) -> Cow<'_, str> {
    if is_lower(text) { text.into() } else { text.to_ascii_lowercase().into() }
}

impl PartialOrd for EntityKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for EntityKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl fmt::Display for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

as_text!(EntityKey, "id", |text| Some(EntityKey::whole(text)));

impl fmt::Debug for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "13cb1207-0674-4a54-a999-df5ff8e35c1a";

    #[test]
    fn all_spellings_of_an_entity_share_its_bare_key() {
        for id in [
            UUID.to_owned(),
            UUID.to_uppercase(),
            format!("incident--{UUID}"),
            format!("{{https://eiq.example.org}}incident-{UUID}"),
        ] {
            assert_eq!(EntityKey::of(&id).as_str(), UUID, "{id}");
            assert_eq!(EntityKey::whole(&id).bare().as_str(), UUID, "{id}");
        }
        assert_eq!(EntityKey::of("not-a-uuid").as_str(), "not-a-uuid");
        assert_eq!(EntityKey::of("ä".repeat(36).as_str()).uuid(), None);
    }

    #[test]
    fn two_types_with_one_uuid_are_two_keys() {
        let [incident, note] =
            ["incident", "note"].map(|kind| EntityKey::whole(&format!("{kind}--{UUID}")));
        assert_ne!(incident, note);
        assert_eq!(incident.uuid(), note.uuid());
        assert_eq!((incident.kind(), note.kind()), (Some("incident"), Some("note")));
        assert_eq!(EntityKey::whole(&format!(" Incident--{} ", UUID.to_uppercase())), incident);
        assert_eq!(EntityKey::whole(incident.as_str()), incident);
        assert_eq!(note.with_uuid_of(&incident), note);
        let bare = EntityKey::of(UUID);
        assert!(bare.is_bare() && incident.may_be(&bare) && bare.may_be(&note));
        assert!(!incident.may_be(&note));
    }

    #[test]
    fn an_id_without_end_has_a_key_of_its_own_that_is_short() {
        let long = |end: &str| "A".repeat(3_000_000) + end;
        let (one, other) = (EntityKey::of(&long("1")), EntityKey::of(&long("2")));
        assert_ne!(one, other);
        assert_eq!((EntityKey::whole(&long("1")), one.uuid()), (one.clone(), None));
        let [whole, mixed] =
            ["a", "A"].map(|it| EntityKey::whole(&format!("{}--{UUID}", it.repeat(5_000))));
        assert_eq!((&whole, whole.bare()), (&mixed, EntityKey::of(UUID)));
        assert!(whole.kind().is_some_and(|kind| kind.starts_with("aaa")));
        for key in [one, other, whole] {
            assert!(key.as_str().len() < 300, "{key}");
            assert_eq!(EntityKey::whole(key.as_str()), key);
        }
    }

    #[test]
    fn keys_of_one_uuid_stand_together() {
        let other = UUID.replace('1', "2");
        let mut keys = [
            format!("note--{UUID}"),
            format!("campaign--{other}"),
            UUID.to_owned(),
            format!("incident--{UUID}"),
        ]
        .map(|id| EntityKey::whole(&id));
        keys.sort();
        let shown = keys.map(|key| (key.kind().map(str::to_owned), key.bare().to_string()));
        let uuid = UUID.to_owned();
        let expected = [
            (None, uuid.clone()),
            (Some("incident".to_owned()), uuid.clone()),
            (Some("note".to_owned()), uuid),
            (Some("campaign".to_owned()), other),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_person_means_an_object_or_a_uuid() {
        let meant = |id: &str| EntityKey::meant(id).to_string();
        assert_eq!(meant(&format!("incident--{UUID}")), format!("incident--{UUID}"));
        assert_eq!(meant(&format!("{{https://eiq.example.org}}incident-{UUID}")), UUID);
        assert_eq!(meant(UUID), UUID);
        assert_eq!(meant("platform-7"), "platform-7");
    }
}

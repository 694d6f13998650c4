//! Which UUIDs events and attributes get. These rules never change: what they gave once stands in
//! somebody's MISP.

use uuid::Uuid;

use crate::model::{AttributeUuid, EntityKey, EventUuid};

use super::{AttributeType, Value};

/// Namespace of event UUIDs for incidents whose id holds no UUID that MISP takes.
const EVENT_NAMESPACE: Uuid = Uuid::from_u128(0x6d69_7370_2d74_5269_8b6c_6c65_4576_7431);

/// UUID of the event that an incident usually becomes (see [`Claims`](super::Claims)): its own, if MISP takes it (versions 1 to 5, RFC variant,
/// not nil; `facts` of MISP 2.5.1: others are refused), else a UUIDv5 of the id.
#[must_use]
pub fn event_uuid(root: &EntityKey) -> EventUuid {
    let own = root.uuid().map(EventUuid::new).filter(|uuid| uuid.is_taken_by_misp());
    own.unwrap_or_else(|| {
        EventUuid::new(Uuid::new_v5(&EVENT_NAMESPACE, root.bare().as_str().as_bytes()))
    })
}

/// UUID of the event of a root whose usual event belongs to a root of another type with the same UUID: a UUIDv5
/// of its whole id.
#[must_use]
pub(super) fn event_uuid_of_whole(root: &EntityKey) -> EventUuid {
    EventUuid::new(Uuid::new_v5(&EVENT_NAMESPACE, root.as_str().as_bytes()))
}

/// UUID of an attribute: UUIDv5 in the namespace of its event, of the type, a zero byte and the value.
///
/// MISP's UUIDs are unique server-wide, so the same value in two events needs two. Category, `to_ids`
/// and comment are no part of it: a change of those must not make a second copy. Nor is the version of MISP: of
/// a value that 2.5.1 refuses and later ones take it is what 2.5.1 would have made of it.
#[must_use]
pub fn attribute_uuid(event: EventUuid, kind: AttributeType, value: &Value) -> AttributeUuid {
    let value = super::value::of_identity(kind, value);
    let mut name = Vec::with_capacity(kind.name().len() + 1 + value.len());
    name.extend_from_slice(kind.name().as_bytes());
    name.push(0);
    name.extend_from_slice(value.as_bytes());
    AttributeUuid::new(Uuid::new_v5(&event.uuid(), &name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::misp::normalise;

    /// What was derived once stands in somebody's MISP: these values never change.
    #[test]
    fn derivations_are_frozen() {
        let own =
            EntityKey::of("{https://eiq.example}incident-13CB1207-0674-4A54-A999-DF5FF8E35C1A");
        let event = event_uuid(&own);
        assert_eq!(event.to_string(), "13cb1207-0674-4a54-a999-df5ff8e35c1a");
        assert_eq!(
            event_uuid(&EntityKey::of("incident 7")).to_string(),
            "56844dc8-01c4-501b-9822-15d58bf631a8"
        );
        let whole = EntityKey::whole("campaign--13CB1207-0674-4A54-A999-DF5FF8E35C1A");
        assert_eq!(event_uuid(&whole), event);
        assert_eq!(event_uuid_of_whole(&whole).to_string(), "483c7808-243f-50c6-a3ff-ac77606790fc");
        let derived = |kind: &str, value: &str| {
            let kind = AttributeType::named(kind).unwrap();
            attribute_uuid(event, kind, &normalise(kind, value).unwrap()).to_string()
        };
        assert_eq!(derived("ip-dst", "198.51.100.7"), "8824c3fc-1748-5dc7-b84e-f6dc90d710b0");
        assert_eq!(derived("ip-src", "198.51.100.7"), "c0c4bd8f-01b0-5af4-b545-c26cafec34be");
        assert_eq!(
            derived("md5", "D41D8CD98F00B204E9800998ECF8427E"),
            "b0e5d40c-aa9d-5259-b907-bd59482e3cb6"
        );
    }

    #[test]
    fn what_only_later_versions_take_has_the_identity_of_what_2_5_1_made_of_it() {
        let event = event_uuid(&EntityKey::of("incident 7"));
        let kind = AttributeType::named("vulnerability").unwrap();
        let of = |value: &str| attribute_uuid(event, kind, &Value::stored(value));
        assert_eq!(of("GHSA-abcd-1234-wxyz"), of("ghsa-ABCD-1234-wxyz"));
        let name = b"vulnerability\0GHSA-ABCD-1234-WXYZ";
        assert_eq!(of("GHSA-abcd-1234-wxyz").uuid(), Uuid::new_v5(&event.uuid(), name));
        assert_ne!(of("CVE-2024-1234"), of("CVE-2024-1235"));
        let address = AttributeType::named("ip-dst").unwrap();
        let of = |value: &str| attribute_uuid(event, address, &Value::stored(value));
        assert_ne!(of("::1/128"), of("::1"), "both are taken by 2.5.1, as they are");
    }

    #[test]
    fn uuids_that_misp_refuses_are_derived_anew() {
        for refused in [
            "00000000-0000-0000-0000-000000000000",
            "13cb1207-0674-7a54-a999-df5ff8e35c1a",
            "13cb1207-0674-4a54-c999-df5ff8e35c1a",
        ] {
            let event = event_uuid(&EntityKey::of(refused));
            assert_eq!(event_uuid(&EntityKey::whole(&format!("incident--{refused}"))), event);
            assert_ne!(event.to_string(), refused);
            assert_eq!(event.uuid().get_version_num(), 5);
        }
    }
}

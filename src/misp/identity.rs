//! Which UUIDs events and attributes get. These rules never change: what they gave once stands in
//! somebody's MISP.

use uuid::{Uuid, Variant};

use crate::model::{AttributeUuid, EntityKey, EventUuid};

use super::{AttributeType, Value};

/// Namespace of event UUIDs for incidents whose id holds no UUID that MISP takes.
const EVENT_NAMESPACE: Uuid = Uuid::from_u128(0x6d69_7370_2d74_5269_8b6c_6c65_4576_7431);

/// UUID of the event that an incident becomes: its own, if MISP takes it (versions 1 to 5, RFC variant,
/// not nil; `facts` of MISP 2.5.1: others are refused), else a UUIDv5 of the id.
#[must_use]
pub fn event_uuid(root: &EntityKey) -> EventUuid {
    match root.uuid() {
        Some(uuid) if misp_takes(uuid) => EventUuid::new(uuid),
        _ => EventUuid::new(Uuid::new_v5(&EVENT_NAMESPACE, root.as_str().as_bytes())),
    }
}

/// UUID of an attribute: UUIDv5 in the namespace of its event, of the type, a zero byte and the value.
///
/// MISP's UUIDs are unique server-wide, so the same value in two events needs two. Category, `to_ids`
/// and comment are no part of it: a change of those must not make a second copy.
#[must_use]
pub fn attribute_uuid(event: EventUuid, kind: AttributeType, value: &Value) -> AttributeUuid {
    let mut name = Vec::with_capacity(kind.name().len() + 1 + value.as_str().len());
    name.extend_from_slice(kind.name().as_bytes());
    name.push(0);
    name.extend_from_slice(value.as_str().as_bytes());
    AttributeUuid::new(Uuid::new_v5(&event.uuid(), &name))
}

fn misp_takes(uuid: Uuid) -> bool {
    (1..=5).contains(&uuid.get_version_num()) && uuid.get_variant() == Variant::RFC4122
}

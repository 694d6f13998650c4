//! Rows as in MISP's tables.

use uuid::Uuid;

use crate::misp::{AttributeType, Category};

/// A tag on an event or an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attached {
    /// Number of the tag.
    pub(crate) tag: u32,
    /// Whether it stays on this server.
    pub(crate) local: bool,
}

/// A row of `attributes`.
#[derive(Debug, Clone)]
pub(crate) struct AttributeRow {
    pub(crate) id: u32,
    pub(crate) event: u32,
    /// Number of the object it belongs to, 0 for a plain attribute.
    pub(crate) object: u32,
    pub(crate) object_relation: Option<Box<str>>,
    pub(crate) kind: AttributeType,
    pub(crate) category: Category,
    pub(crate) value: Box<str>,
    pub(crate) to_ids: bool,
    pub(crate) uuid: Uuid,
    pub(crate) timestamp: i64,
    pub(crate) distribution: u8,
    /// Number of the group it is for where the distribution is 4, else 0.
    pub(crate) sharing_group: u32,
    pub(crate) comment: Box<str>,
    pub(crate) deleted: bool,
    pub(crate) disable_correlation: bool,
    /// Microseconds since 1970.
    pub(crate) first_seen: Option<i64>,
    /// Microseconds since 1970.
    pub(crate) last_seen: Option<i64>,
    pub(crate) tags: Vec<Attached>,
}

/// A row of `objects`; its attributes are rows of their own.
#[derive(Debug, Clone)]
pub(crate) struct ObjectRow {
    pub(crate) id: u32,
    pub(crate) uuid: Uuid,
    pub(crate) name: String,
    pub(crate) meta_category: String,
    pub(crate) timestamp: i64,
    pub(crate) comment: String,
    pub(crate) distribution: u8,
}

/// A row of `events`.
#[derive(Debug, Clone)]
pub(crate) struct EventRow {
    pub(crate) id: u32,
    pub(crate) uuid: Uuid,
    /// The organisation whose server this is.
    pub(crate) org: u32,
    /// The organisation that created it.
    pub(crate) orgc: u32,
    pub(crate) user: u32,
    /// `YYYY-MM-DD`.
    pub(crate) date: String,
    pub(crate) threat_level: u8,
    pub(crate) analysis: u8,
    pub(crate) info: String,
    pub(crate) published: bool,
    pub(crate) timestamp: i64,
    pub(crate) publish_timestamp: i64,
    pub(crate) distribution: u8,
    /// Number of the group it is for where the distribution is 4, else 0.
    pub(crate) sharing_group: u32,
    pub(crate) locked: bool,
    pub(crate) disable_correlation: bool,
    pub(crate) extends_uuid: String,
    /// MISP's own count, which is wrong after an undelete by events/edit.
    pub(crate) attribute_count: u32,
    pub(crate) tags: Vec<Attached>,
    /// Numbers of its attributes, ascending.
    pub(crate) attributes: Vec<u32>,
    pub(crate) objects: Vec<ObjectRow>,
    /// What others propose to add.
    pub(crate) proposals: Vec<AttributeRow>,
}

/// A row of `organisations`.
#[derive(Debug, Clone)]
pub(crate) struct OrgRow {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) uuid: Uuid,
    pub(crate) local: bool,
}

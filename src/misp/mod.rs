//! What MISP can hold: types, categories, value rules, events and attributes in canonical form.
//!
//! Facts about MISP 2.5.1 live here and in `format::misp_json`; nowhere else.

mod attribute;
mod collation;
mod desired;
mod identity;
mod types;
mod value;

pub use attribute::{Attribute, Event, EventFields};
pub use collation::{collation_key, same_for_misp};
pub use desired::{Dated, DesiredAttribute, DesiredEvent, Source, UNDATED};
pub use identity::{attribute_uuid, event_uuid};
pub use types::{AttributeType, Category};
pub use value::{Refusal, Stage, Value, fold_bmp, import_filtered, normalise, settle};

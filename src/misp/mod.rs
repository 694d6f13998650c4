//! What MISP can hold: types, categories, value rules, events and attributes in canonical form.
//!
//! Facts about MISP live here and in `remote::json`; nowhere else.

mod attribute;
mod claims;
mod collation;
mod desired;
mod identity;
mod types;
mod value;
mod version;

pub use attribute::{Attribute, Event, EventFields};
pub use claims::Claims;
pub use collation::{collation_key, same_for_misp};
pub use desired::{Dated, DesiredAttribute, DesiredEvent, Source, UNDATED};
pub use identity::{attribute_uuid, event_uuid};
pub use types::{AttributeType, Category};
pub use value::{
    Refusal, Stage, Value, fold_bmp, import_filtered, normalise, normalise_as, search_form, settle,
    settle_as, stored_forms, with_dots, with_scheme,
};
pub use version::Version;

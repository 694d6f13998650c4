//! Which kind of observable a value is: by the property that it stands in, its form, or the language of a pattern.

mod forms;
pub(super) mod languages;
pub(super) mod paths;
pub(super) mod table;

//! In the schemas: a text that is the name of one of the variants of an enum.

use std::{borrow::Cow, collections::BTreeSet, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;

use crate::{
    model::names,
    plan::{BlockedReason, ExposedReason, WithheldReason},
};

/// The name of a variant, whatever is in it.
pub(super) struct NameOf<T>(PhantomData<T>);

/// The name of a reason of any sort.
pub(super) struct NameOfReason;

impl<T: DeserializeOwned> JsonSchema for NameOf<T> {
    fn schema_name() -> Cow<'static, str> {
        "NameOf".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        one_of(&names::<T>())
    }
}

impl JsonSchema for NameOfReason {
    fn schema_name() -> Cow<'static, str> {
        "NameOfReason".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut all = names::<WithheldReason>();
        all.extend(names::<BlockedReason>());
        all.extend(names::<ExposedReason>());
        one_of(&all)
    }
}

fn one_of(names: &BTreeSet<String>) -> Schema {
    json_schema!({ "type": "string", "enum": names })
}

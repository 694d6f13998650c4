//! Values that stand in JSON as one text: what `Display` writes.

/// Serde for a type by its text. `$read` gives `None` for a text that is none of these.
macro_rules! as_text {
    ($type:ty, $wanted:literal, $read:expr) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(from)?;
                let read: fn(&str) -> Option<Self> = $read;
                read(&text).ok_or_else(|| {
                    serde::de::Error::custom(format_args!("{text:?} is no {}", $wanted))
                })
            }
        }

        #[cfg(test)]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string" })
            }
        }
    };
}
pub(crate) use as_text;

//! Truth values that keep something from going out, such as `revoked`: whatever is not plainly false is true.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};

use super::absence::{says_no, says_nothing, says_yes};
use crate::{
    format::element::{Element, shown},
    graph::Facts,
};

/// A truth value, and how it is written.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(in crate::format) struct Flag {
    pub(in crate::format) is_set: bool,
    form: Form,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
enum Form {
    /// As JSON has it, or absent.
    #[default]
    Plain,
    /// As others have it: `"True"`, 1, an object whose `value` is one.
    Known(Box<str>),
    /// It says neither.
    Odd(Box<str>),
}

impl Flag {
    /// Says that a value is no truth value; with `strictly` also that it is one in another form than JSON's.
    pub(in crate::format) fn tell(
        &self,
        property: &str,
        strictly: bool,
        element: &Element<'_>,
        facts: &mut Facts,
    ) {
        let (Form::Known(written) | Form::Odd(written)) = &self.form else { return };
        if strictly || matches!(self.form, Form::Odd(_)) {
            let what = format!(
                "{written} is neither true nor false, as JSON writes them; read as {}",
                self.is_set
            );
            facts.report(element.warning(property, what));
        }
    }

    fn of(value: &Value, raw: &str) -> Self {
        let shown = || shown(raw).into_boxed_str();
        match truth(value) {
            _ if value.is_boolean() => Self { is_set: value == true, form: Form::Plain },
            Truth::Absent => Self::default(),
            Truth::Is(is_set) => Self { is_set, form: Form::Known(shown()) },
            Truth::Odd => Self { is_set: true, form: Form::Odd(shown()) },
        }
    }
}

enum Truth {
    Absent,
    Is(bool),
    Odd,
}

fn truth(value: &Value) -> Truth {
    match value {
        Value::Null => Truth::Absent,
        Value::Bool(flag) => Truth::Is(*flag),
        Value::Number(number) if number.as_f64() == Some(0.0) => Truth::Is(false),
        Value::Number(number) if number.as_f64() == Some(1.0) => Truth::Is(true),
        Value::String(text) => match text.trim() {
            text if says_nothing(text) => Truth::Absent,
            text if says_no(text) => Truth::Is(false),
            text if says_yes(text) => Truth::Is(true),
            _ => Truth::Odd,
        },
        Value::Array(list) if list.is_empty() => Truth::Absent,
        Value::Object(members) if members.is_empty() => Truth::Absent,
        Value::Object(members) => members.get("value").map_or(Truth::Odd, truth),
        Value::Number(_) | Value::Array(_) => Truth::Odd,
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        // What JSON alone can hold, such as half a character, is no truth value either.
        let value = serde_json::from_str(raw).unwrap_or_else(|_| Value::Array(vec![Value::Null]));
        Ok(Self::of(&value, raw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_plainly_false_is_false() {
        for (written, is_set, is_odd) in [
            ("true", true, false),
            ("false", false, false),
            ("null", false, false),
            (r#""""#, false, false),
            (r#""None""#, false, false),
            ("[]", false, false),
            (r#""False""#, false, false),
            ("0", false, false),
            (r#"{"value": 0}"#, false, false),
            (r#""True""#, true, false),
            (r#"" yes ""#, true, false),
            ("1.0", true, false),
            (r#""no""#, false, false),
            (r#""maybe""#, true, true),
            ("2", true, true),
            ("[true]", true, true),
            ("[false]", true, true),
            (r#"{"x": false}"#, true, true),
            (r#"{"value": "x"}"#, true, true),
            (r#""\ud800""#, true, true),
        ] {
            let flag: Flag = serde_json::from_str(written).unwrap();
            assert_eq!(
                (flag.is_set, matches!(flag.form, Form::Odd(_))),
                (is_set, is_odd),
                "{written}"
            );
        }
    }
}

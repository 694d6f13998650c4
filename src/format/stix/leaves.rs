//! The scalars of an object, each with the path that leads to it.

use serde_json::Value;

use super::kinds::table;
use crate::format::scalar::number::{self, Written};

/// A scalar that is a value or a reference.
#[derive(Debug)]
pub(super) struct Leaf<'l, 'o> {
    /// The properties that lead to it, without list indices.
    pub(super) steps: &'l [&'o str],
    /// As it stands; a number that is whole as that.
    pub(super) text: &'l str,
    pub(super) written: Written,
    /// Whether it refers to another object.
    pub(super) reference: bool,
    /// How many lists stand directly around it: a list of lists is no property of any object.
    pub(super) in_lists: usize,
}

/// Visits every scalar of an object that is not structural. Truth values say how something is, and are none.
pub(super) fn of<'o>(object: &'o Value, mut visit: impl FnMut(Leaf<'_, 'o>)) {
    descend(object, &mut Vec::new(), 0, &mut visit);
}

fn descend<'o>(
    at: &'o Value,
    steps: &mut Vec<&'o str>,
    in_lists: usize,
    visit: &mut impl FnMut(Leaf<'_, 'o>),
) {
    let reference = steps.last().is_some_and(|name| is_reference(name));
    match at {
        Value::Object(properties) => {
            for (name, inside) in properties {
                steps.push(name);
                if !table::is_structural(steps) {
                    descend(inside, steps, 0, visit);
                }
                steps.pop();
            }
        }
        Value::Array(items) => {
            items.iter().for_each(|item| descend(item, steps, in_lists + 1, visit));
        }
        Value::String(text) => {
            visit(Leaf { steps, text, written: Written::Plain, reference, in_lists });
        }
        Value::Number(number) => {
            let (text, written) = number::of_json(number);
            visit(Leaf { steps, text: &text, written, reference, in_lists });
        }
        Value::Bool(_) | Value::Null => {}
    }
}

/// Whether a property refers to other objects.
pub(super) fn is_reference(name: &str) -> bool {
    name.ends_with("_ref") || name.ends_with("_refs")
}

//! What marks a document as a whole: no format has that, and producers write it in all the ways in which they mark
//! objects.

use serde_json::Value;

use crate::{
    format::{
        leaves::{
            Leaf, Leaves, colours_together, holds_labels, is_about_marking, speaks_of_tlp, usual,
        },
        mend::mend,
        scalar::absence::says_nothing,
        splitter::Member,
        suspicion::may_be_marked,
    },
    model::Tlp,
};

/// Members of a document that say what it is, also in lists.
const OF_DOCUMENT: [&str; 8] = [
    "meta",
    "metadata",
    "header",
    "headers",
    "properties",
    "custom_properties",
    "custom_fields",
    "distribution",
];

/// What a member of a document says of all that is in it. What is called a marking and cannot be read is red.
pub(super) fn marking(name: &str, value: Member<'_>) -> Option<Tlp> {
    let json = match value {
        Member::Text(text) if says_nothing(text) => return None,
        Member::Scalar("null") => return None,
        Member::Text(text) => Value::from(text).to_string(),
        Member::Scalar(raw) | Member::Object(raw) | Member::List(raw) => raw.to_owned(),
        Member::Unread => return Some(Tlp::Red),
    };
    let json = format!("{{{}:{json}}}", Value::from(name)).into_bytes();
    let json = mend(&json).map_or(json, |mended| mended.text);
    if !may_be_marked(&json) {
        return None;
    }
    let Ok(Leaves(leaves)) = Leaves::of(&String::from_utf8_lossy(&json)) else {
        return Some(Tlp::Red);
    };
    let is_called_so = is_called_a_marking(name);
    // What stands in a list of objects marks these, unless the list is one of labels or markings, or says of the document
    // what it is.
    let key = usual(name);
    let is_of_objects = matches!(value, Member::List(_))
        && !is_called_so
        && !holds_labels(&key)
        && !OF_DOCUMENT.contains(&&*key);
    let leaves: Vec<Leaf> =
        leaves.into_iter().filter(|leaf| !is_of_objects || leaf.path.len() == 1).collect();
    let together = colours_together(leaves.iter()).map(|(_, tlp)| tlp);
    let strictest = leaves.iter().filter_map(said).chain(together).max();
    strictest.or(is_called_so.then_some(Tlp::Red))
}

fn said(leaf: &Leaf) -> Option<Tlp> {
    if let Some(id) = leaf.marking() {
        // Its definition may be in the document, and is not looked for.
        return Some(id.fixed().unwrap_or(Tlp::Red));
    }
    let is_unreadable = leaf.refers_to_marking() && !says_nothing(&leaf.text);
    let said = leaf.tlp().map(|said| said.unwrap_or(Tlp::Red));
    said.or(is_unreadable.then_some(Tlp::Red))
}

fn is_called_a_marking(name: &str) -> bool {
    let key = usual(name);
    is_about_marking(&key) || speaks_of_tlp(name) || speaks_of_tlp(&key)
}

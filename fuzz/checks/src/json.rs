//! JSON for checks: a tree that keeps all that a document says, and documents made of a vocabulary.
//!
//! The tree knows of an object every member, also where a name stands twice; `serde_json::Value` keeps the
//! last one only.

use std::{borrow::Cow, fmt};

use arbitrary::{Result, Unstructured};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

/// A JSON value.
#[derive(Debug, PartialEq)]
pub(super) enum Tree {
    Leaf,
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> std::result::Result<Tree, E> {
        Ok(Tree::Leaf)
    }

    fn visit_bool<E>(self, _: bool) -> std::result::Result<Tree, E> {
        Ok(Tree::Leaf)
    }

    fn visit_i64<E>(self, _: i64) -> std::result::Result<Tree, E> {
        Ok(Tree::Leaf)
    }

    fn visit_u64<E>(self, _: u64) -> std::result::Result<Tree, E> {
        Ok(Tree::Leaf)
    }

    fn visit_f64<E>(self, _: f64) -> std::result::Result<Tree, E> {
        Ok(Tree::Leaf)
    }

    fn visit_str<E>(self, text: &str) -> std::result::Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Tree, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Tree::Object(members))
    }
}

impl Tree {
    /// The documents that follow one another in a text, up to the first that is none.
    pub(super) fn documents(text: &[u8]) -> Vec<Self> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let documents = serde_json::Deserializer::from_slice(text).into_iter();
        documents.map_while(std::result::Result::ok).collect()
    }

    /// Whether a JSON pointer (RFC 6901) leads to something.
    pub(super) fn has(&self, pointer: &str) -> bool {
        let Some(rest) = pointer.strip_prefix('/') else { return pointer.is_empty() };
        let (step, rest) = match rest.find('/') {
            Some(end) => rest.split_at(end),
            None => (rest, ""),
        };
        let step = step.replace("~1", "/").replace("~0", "~");
        match self {
            Self::Leaf | Self::Text(_) => false,
            Self::List(items) => {
                let item = step.parse().ok().and_then(|index: usize| items.get(index));
                item.is_some_and(|item| item.has(rest))
            }
            Self::Object(members) => {
                members.iter().any(|(name, value)| *name == step && value.has(rest))
            }
        }
    }
}

/// What the objects of a format are made of.
pub(super) struct Vocabulary {
    /// Names of members, and what usually stands under them.
    pub(super) members: &'static [(&'static str, Usual)],
}

/// What usually stands under a name.
#[derive(Clone, Copy)]
pub(super) enum Usual {
    /// One of these texts.
    Texts(&'static [&'static str]),
    /// A list of such texts.
    TextList(&'static [&'static str]),
    /// A value as observables have them.
    Value,
    /// An object.
    Object,
    /// A list of objects.
    Objects,
    /// A truth value.
    Flag,
}

/// Deepest nesting of what is made.
const DEPTH_MAX: u8 = 6;

impl Vocabulary {
    /// Writes an object.
    pub(super) fn object(
        &self,
        input: &mut Unstructured<'_>,
        depth: u8,
        out: &mut String,
    ) -> Result<()> {
        out.push('{');
        let mut used: Vec<&str> = Vec::new();
        for _ in 0..input.int_in_range(0..=8_u8)? {
            let (name, usual) = *input.choose(self.members)?;
            // An object with the same member twice is worth a look, but only now and then.
            if used.contains(&name) && !input.ratio(1, 24)? {
                continue;
            }
            if !used.is_empty() {
                out.push(',');
            }
            used.push(name);
            space(input, out)?;
            quote(name, out);
            out.push(':');
            self.value(input, usual, depth, out)?;
        }
        out.push('}');
        Ok(())
    }

    fn value(
        &self,
        input: &mut Unstructured<'_>,
        usual: Usual,
        depth: u8,
        out: &mut String,
    ) -> Result<()> {
        if input.ratio(1, 10)? {
            return self.unusual(input, depth, out);
        }
        match usual {
            Usual::Texts(texts) => quote(input.choose(texts)?, out),
            Usual::Value => quote(&super::dataset::text(input)?, out),
            Usual::Flag => out.push_str(input.choose(&["true", "false", "\"true\"", "1"])?),
            Usual::Object if depth < DEPTH_MAX => self.object(input, depth + 1, out)?,
            Usual::TextList(texts) => {
                list(input, out, |input, out| {
                    quote(input.choose(texts)?, out);
                    Ok(())
                })?;
            }
            Usual::Objects if depth < DEPTH_MAX => {
                list(input, out, |input, out| self.object(input, depth + 1, out))?;
            }
            Usual::Object | Usual::Objects => out.push_str("null"),
        }
        Ok(())
    }

    /// What does not belong there, some of it not even JSON.
    fn unusual(&self, input: &mut Unstructured<'_>, depth: u8, out: &mut String) -> Result<()> {
        match input.int_in_range(0..=11_u8)? {
            0 => out.push_str("01"),
            1 => out.push_str("\"\\ud800\""),
            2 => out.push_str(&"[".repeat(130)),
            3 => out.push_str("-12.5e3"),
            4 => out.push_str("null"),
            5 => quote(input.arbitrary()?, out),
            6 => out.push_str("[[null,1],{}]"),
            7 => out.push_str("\"\u{a0}\""),
            8 => out.push_str("[ ]"),
            9 => out.push_str(&format!("{}1{}", "[".repeat(200), "]".repeat(200))),
            _ if depth < DEPTH_MAX => self.object(input, depth + 1, out)?,
            _ => out.push_str("\"\""),
        }
        Ok(())
    }
}

/// Writes a list of a few items.
pub(super) fn list(
    input: &mut Unstructured<'_>,
    out: &mut String,
    item: impl Fn(&mut Unstructured<'_>, &mut String) -> Result<()>,
) -> Result<()> {
    out.push('[');
    for place in 0..input.int_in_range(0..=5_u8)? {
        if place > 0 {
            out.push(',');
        }
        space(input, out)?;
        item(input, out)?;
    }
    out.push(']');
    Ok(())
}

fn space(input: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    out.push_str(input.choose(&["", "", "", " ", "\n", "\r\n\t"])?);
    Ok(())
}

/// Writes a text in quotes.
pub(super) fn quote(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// Whether bytes are meant as they stand: what no text begins with is read as a recipe for one.
pub(super) fn is_text(data: &[u8]) -> bool {
    let first = data.first().copied().unwrap_or(b' ');
    matches!(first, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0xef)
}

/// Bytes as text, whatever they are.
pub(super) fn lossy(data: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(data)
}

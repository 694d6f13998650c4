//! The links among the references of an entity.

use std::borrow::Cow;

use super::{
    entity::distinct,
    lenient::{Obj, References},
    wire::Object,
};
use crate::{graph::Entity, misp::with_scheme, model::Reader};

/// References as producers write them: of these parts, of the entity itself, and of its sources.
fn written<'o>(
    object: &'o Object<'_>,
    parts: &'o [&References<'_>],
) -> impl Iterator<Item = &'o str> {
    let data = &object.data.0;
    let named = parts.iter().flat_map(|part| &part.0);
    let named = named.chain(&data.references.0).map(AsRef::as_ref);
    let external = data.external_references.0.iter().filter_map(|Obj(to)| to.url.get());
    let sources = object.sources.0.iter().filter_map(|Obj(source)| source.url.get());
    named.chain(external).chain(sources)
}

/// Those that are nothing but a link: readers before the fourth took no others.
pub(super) fn plain(object: &Object<'_>, parts: &[&References<'_>]) -> Vec<Box<str>> {
    distinct(written(object, parts).filter(|text| is_link(text)).map(Cow::Borrowed))
}

/// Adds what the fourth reader takes to the plain references of an entity: each link of a text, and a text with more than links,
/// or with one of another scheme, as it is written; the mapper counts that. Older readers keep the plain ones.
pub(super) fn refer(entity: Entity, object: &Object<'_>, parts: &[&References<'_>]) -> Entity {
    if written(object, parts).all(is_link) {
        return entity;
    }
    let references = distinct(written(object, parts).flat_map(links));
    if references == entity.references {
        return entity;
    }
    Entity { references, ..entity.was(Reader::FOURTH, |_| {}) }
}

/// The links that a text is, one behind the other; all of it where it holds a link beside anything else, as nobody knows
/// where that ends. Prose holds none.
fn links(text: &str) -> Vec<Cow<'_, str>> {
    if is_link(text) {
        return vec![Cow::Borrowed(text)];
    }
    match text.split_whitespace().map(link).collect() {
        Some(links) => links,
        None if text.contains("://") || text.split_whitespace().any(|it| link(it).is_some()) => {
            vec![Cow::Borrowed(text.trim())]
        }
        None => Vec::new(),
    }
}

/// The link that a word is, without signs around it and with its scheme as MISP undoes it.
fn link(word: &str) -> Option<Cow<'_, str>> {
    let word = word.trim_end_matches([',', ';']).trim_start_matches('<').trim_end_matches('>');
    if is_link(word) {
        return Some(Cow::Borrowed(word));
    }
    Some(with_scheme(word)).filter(|link| is_link(link))
}

fn is_link(text: &str) -> bool {
    let scheme =
        |name: &str| text.get(..name.len()).is_some_and(|it| it.eq_ignore_ascii_case(name));
    (scheme("http://") || scheme("https://")) && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::links;

    #[test]
    fn each_link_of_a_text_is_one_and_what_is_more_than_links_stays_whole() {
        for (text, expected) in [
            ("http://a.example/", &["http://a.example/"][..]),
            ("http://a.example/x,y;z,", &["http://a.example/x,y;z,"]),
            (" HTTPS://a.example/x \n", &["HTTPS://a.example/x"]),
            ("http://a.example http://b.example/", &["http://a.example", "http://b.example/"]),
            (
                "<http://a.example/>, https://b.example;",
                &["http://a.example/", "https://b.example"],
            ),
            ("http://a.example/x y", &["http://a.example/x y"]),
            ("see http://a.example/", &["see http://a.example/"]),
            ("hxxp://a[.]example/", &["http://a[.]example/"]),
            ("hXXps://a.example", &["https://a.example"]),
            ("h[tt]p://a.example [hxxp://]b.example", &["http://a.example", "http://b.example"]),
            ("hxxps[:]//a.example", &["https://a.example"]),
            ("see hxxps[:]//a.example", &["see hxxps[:]//a.example"]),
            ("ftp://a.example/", &["ftp://a.example/"]),
            ("see page 4", &[]),
            (" \t", &[]),
        ] {
            assert_eq!(links(text), expected, "{text}");
        }
    }
}

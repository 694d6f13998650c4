//! Ids that an entity names: of vulnerabilities and weaknesses, of external references, and of ATT&CK.

use std::borrow::Cow;

use super::{
    entity::distinct,
    lenient::Ids,
    wire::{Meta, Object},
};
use crate::{graph::Entity, model::Reader};

/// The ids as readers before the fourth took them: those of lists, as they stand.
pub(super) fn plain(object: &Object<'_>) -> Vec<Box<str>> {
    let (data, meta) = (&object.data.0, &object.meta.0);
    let cves = data.vulnerabilities.0.0.iter().filter_map(|it| it.0.cve_id.get());
    let cwes = data.weaknesses.0.0.iter().filter_map(|it| it.0.cwe_id.get());
    let external = data.external_references.0.iter().filter_map(|it| it.0.external_id.get());
    distinct(cves.chain(cwes).chain(external).chain(attacks(meta)))
}

/// Adds to the plain ids what only the fourth reader takes: ids that stand in `data` in any other form, and ids without
/// their prefix under a key that says what they are.
pub(super) fn extend(entity: Entity, object: &Object<'_>) -> Entity {
    let data = &object.data.0;
    let cves = [
        &data.vulnerabilities.1,
        &data.vulnerability,
        &data.cve_id,
        &data.cve_ids,
        &data.cve,
        &data.cves,
    ];
    let cwes =
        [&data.weaknesses.1, &data.weakness, &data.cwe_id, &data.cwe_ids, &data.cwe, &data.cwes];
    let cves = cves.into_iter().flat_map(|Ids(texts)| texts).filter_map(|text| cve(text));
    let cwes = cwes.into_iter().flat_map(|Ids(texts)| texts).filter_map(|text| cwe(text));
    let mut said = cves.chain(cwes).peekable();
    if said.peek().is_none() {
        return entity;
    }
    let plain = entity.external_ids.iter().map(|id| Cow::Borrowed(&**id));
    let external_ids = distinct(plain.chain(said));
    if external_ids == entity.external_ids {
        return entity;
    }
    Entity { external_ids, ..entity.was(Reader::FOURTH, |_| {}) }
}

/// A text that names CVE ids, or is one without its prefix: a year of four digits, a dash and at least four digits.
fn cve(text: &str) -> Option<Cow<'_, str>> {
    with_prefix("CVE-", text, |text| {
        text.split_once('-').is_some_and(|(year, number)| {
            are_digits(year, 4) && number.len() >= 4 && are_digits(number, number.len())
        })
    })
}

/// A text that names CWE ids, or is the mere number of one.
fn cwe(text: &str) -> Option<Cow<'_, str>> {
    with_prefix("CWE-", text, |text| !text.is_empty() && are_digits(text, text.len()))
}

/// The text, with its prefix if it is bare; nothing if it names no id.
fn with_prefix<'t>(
    prefix: &str,
    text: &'t str,
    is_bare: impl Fn(&str) -> bool,
) -> Option<Cow<'t, str>> {
    let text = text.trim();
    if is_bare(text) {
        return Some(Cow::Owned(format!("{prefix}{text}")));
    }
    let names = text.to_ascii_uppercase().contains(prefix);
    names.then_some(Cow::Borrowed(text))
}

/// Whether a text is this many digits.
fn are_digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The techniques and tactics of ATT&CK that an entity is classified by.
pub(super) fn attacks<'m>(meta: &'m Meta<'_>) -> impl Iterator<Item = &'m str> {
    meta.attacks.0.iter().chain(&meta.attack.0).flat_map(|text| attack_ids(text))
}

/// The techniques and tactics of ATT&CK that a text names: `T1059`, `T1059.004`, `TA0011`.
fn attack_ids(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.');
    words.map(|word| word.trim_matches('.')).filter(|word| {
        let tactic = word.strip_prefix("TA").is_some_and(|number| are_digits(number, 4));
        let technique = word.strip_prefix('T').is_some_and(|number| match number.split_once('.') {
            Some((technique, sub)) => are_digits(technique, 4) && are_digits(sub, 3),
            None => are_digits(number, 4),
        });
        tactic || technique
    })
}

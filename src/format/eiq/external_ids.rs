//! Ids that an entity names: of vulnerabilities and weaknesses, of external references, and of ATT&CK.

use std::borrow::Cow;

use super::{
    entity::distinct,
    lenient::Text,
    wire::{Meta, Object},
};
use crate::{graph::Entity, model::Reader};

/// The ids as readers before the fourth took them: those of lists, as they stand.
pub(super) fn plain(object: &Object<'_>) -> Vec<Box<str>> {
    let (data, meta) = (&object.data.0, &object.meta.0);
    let cves = data.vulnerabilities.0.iter().filter_map(|it| it.0.cve_id.get());
    let cwes = data.weaknesses.0.iter().filter_map(|it| it.0.cwe_id.get());
    let external = data.external_references.0.iter().filter_map(|it| it.0.external_id.get());
    distinct(cves.chain(cwes).chain(external).chain(attacks(meta)))
}

/// Adds to the plain ids what only the fourth reader takes: ids that stand in `data` outside of a list, and ids without
/// their prefix under a key that says what they are.
pub(super) fn extend(entity: Entity, object: &Object<'_>) -> Entity {
    let data = &object.data.0;
    let cves = [&data.vulnerabilities, &data.vulnerability].into_iter().flat_map(|list| &list.0);
    let cves = cves.map(|it| &it.0.cve_id).chain([&data.cve_id]);
    let cwes = [&data.weaknesses, &data.weakness].into_iter().flat_map(|list| &list.0);
    let cwes = cwes.map(|it| &it.0.cwe_id).chain([&data.cwe_id]);
    let mut said = cves.filter_map(cve).chain(cwes.filter_map(cwe)).peekable();
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

/// The id under a key for CVE ids, which may have no prefix: a year of four digits, a dash and at least four digits.
fn cve<'t>(text: &'t Text<'_>) -> Option<Cow<'t, str>> {
    let (text, _) = text.as_value()?;
    let is_bare = text.split_once('-').is_some_and(|(year, number)| {
        are_digits(year, 4) && number.len() >= 4 && are_digits(number, number.len())
    });
    Some(if is_bare { Cow::Owned(format!("CVE-{text}")) } else { text })
}

/// The id under a key for CWE ids, which may be the mere number.
fn cwe<'t>(text: &'t Text<'_>) -> Option<Cow<'t, str>> {
    let (text, _) = text.as_value()?;
    let is_bare = !text.is_empty() && are_digits(&text, text.len());
    Some(if is_bare { Cow::Owned(format!("CWE-{text}")) } else { text })
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

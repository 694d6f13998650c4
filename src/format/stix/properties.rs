//! The properties that all objects share, as the fields of an entity.

use std::collections::BTreeSet;

use super::wire::{ExternalReference, Object, Text};
use crate::{
    format::{element::Element, scalar::absence::says_nothing},
    graph::{Entity, Facts},
    model::{EntityKey, Reader, Symbol, Timestamp, kept_name},
};

/// The entity of an object, without observables and marking.
pub(super) fn entity(
    kind: Symbol,
    object: &Object<'_>,
    element: &Element<'_>,
    facts: &mut Facts,
) -> Entity {
    let mut time = |property: &str, text: &Text<'_>| {
        // The last day of 9999 is how producers write "never"; no timestamp holds it.
        if text.is_empty() || text.starts_with("9999-12-31") {
            return None;
        }
        let time = Timestamp::parse(text);
        let ignored = |error| element.warning(&format!("/{property}"), format!("{error}; ignored"));
        time.map_err(|error| facts.report(ignored(error))).ok()
    };
    let created = time("created", &object.created);
    let own = time("modified", &object.modified);
    let modified = if object.modified.is_empty() { created } else { own };
    let modified_then = own.or(created);
    let start = time("valid_from", &object.valid_from)
        .or_else(|| time("first_observed", &object.first_observed))
        .or_else(|| time("first_seen", &object.first_seen));
    let end = time("valid_until", &object.valid_until)
        .or_else(|| time("last_observed", &object.last_observed))
        .or_else(|| time("last_seen", &object.last_seen));
    let title: Box<str> = title(&kind, object).into();
    let title_then = if object.name.is_empty() { &*title } else { &*object.name };
    let is_as_ever = (modified, &*title) == (modified_then, title_then);
    let title_then: Option<Box<str>> = (!is_as_ever).then(|| title_then.into());
    let (references, external_ids) = external(&kind, object, element, facts);
    let entity = Entity {
        key: EntityKey::whole(&object.id),
        id: kept_name(&object.id).into(),
        platform: None,
        kind,
        title,
        name: None,
        modified,
        created,
        start,
        end,
        tlp: None,
        partly: None,
        reliability: None,
        status: None,
        tags: object.labels.iter().map(|label| (**label).into()).collect(),
        references,
        external_ids,
        observables: Vec::new(),
        unusable: Vec::new(),
        removed: object.revoked.is_set,
        before: None,
    };
    match title_then {
        None => entity,
        Some(title_then) => entity.was(Reader::THIRD, |older| {
            older.modified = modified_then;
            older.title.clone_from(&title_then);
        }),
    }
}

/// The time of this version of an object: that of its creation only where it says no other. One that cannot be read is
/// none, and never that of the creation, which is older.
pub(super) fn version(object: &Object<'_>) -> Option<Timestamp> {
    let text = if object.modified.is_empty() { &object.created } else { &object.modified };
    Timestamp::parse(text).ok()
}

/// The same to readers before the third: that of the creation, where it says one that cannot be read.
pub(super) fn version_then(object: &Object<'_>) -> Option<Timestamp> {
    Timestamp::parse(&object.modified).or_else(|_| Timestamp::parse(&object.created)).ok()
}

/// The name, or what a type has in place of one. Never a description: some titles become values.
fn title(kind: &str, object: &Object<'_>) -> String {
    if !says_nothing(&object.name) {
        return object.name.to_string();
    }
    match kind {
        "note" => object.summary.to_string(),
        "malware-analysis" => object.product.to_string(),
        "location" => {
            let widest = if object.country.is_empty() { &object.region } else { &object.country };
            let parts = [&object.city, &object.administrative_area, widest];
            let parts: Vec<&str> =
                parts.iter().filter(|part| !part.is_empty()).map(|part| &***part).collect();
            parts.join(", ")
        }
        _ => String::new(),
    }
}

/// The URLs and ids of the external references; of a vulnerability also the ids in its name.
fn external(
    kind: &str,
    object: &Object<'_>,
    element: &Element<'_>,
    facts: &mut Facts,
) -> (Vec<Box<str>>, Vec<Box<str>>) {
    let references: Vec<ExternalReference<'_>> = match object.external_references {
        Some(raw) => serde_json::from_str(raw.get()).unwrap_or_else(|_| {
            let what = "is no list of external references; ignored";
            facts.report(element.warning("/external_references", what));
            Vec::new()
        }),
        None => Vec::new(),
    };
    let is_web = |url: &&str| {
        let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
        scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
    };
    let urls = references.iter().map(|reference| reference.url.trim());
    let urls = urls.filter(is_web).map(Into::into).collect();
    let ids = references.iter().map(|reference| reference.external_id.trim());
    let mut ids: Vec<Box<str>> = ids.filter(|id| !id.is_empty()).map(Into::into).collect();
    if kind == "vulnerability" {
        let mut known: BTreeSet<String> = ids.iter().map(|id| id.to_ascii_uppercase()).collect();
        let named = cve_ids(&object.name).filter(|id| known.insert(id.to_ascii_uppercase()));
        ids.extend(named.map(Box::from));
    }
    (urls, ids)
}

/// The CVE ids in a text: `CVE-`, four digits, a hyphen, at least four digits.
fn cve_ids(text: &str) -> impl Iterator<Item = &str> {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    text.split(|char: char| !char.is_ascii_alphanumeric() && char != '-').filter(move |word| {
        let mut parts = word.split('-');
        let (cve, year, number) = (parts.next(), parts.next(), parts.next());
        cve.is_some_and(|cve| cve.eq_ignore_ascii_case("cve"))
            && year.is_some_and(|year| year.len() == 4 && is_digits(year))
            && number.is_some_and(|number| number.len() >= 4 && is_digits(number))
            && parts.next().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cve_ids_are_found_in_names() {
        for (name, ids) in [
            ("CVE-2021-44228", &["CVE-2021-44228"][..]),
            ("Log4Shell (cve-2021-44228), CVE-2021-45046.", &["cve-2021-44228", "CVE-2021-45046"]),
            ("cve:CVE-2015-2808", &["CVE-2015-2808"]),
            ("CVE-2021-123 CVE-21-1234 XCVE-2021-1234 CVE-2021-1234-5 CVE", &[]),
        ] {
            assert_eq!(cve_ids(name).collect::<Vec<_>>(), ids, "{name}");
        }
    }
}

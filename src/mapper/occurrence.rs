//! Every occurrence of a value in an entity becomes a draft of an attribute, or a loss.

use std::{borrow::Cow, collections::BTreeSet};

use crate::{
    graph::{Entity, Maliciousness, Observable, Unusable, Via, WhyUnusable},
    misp::{self, AttributeType, Category, Value},
    model::{AttributeUuid, EntityKey, EventUuid, Marking, Symbol, Timestamp},
};

use super::{
    Loss, LossReason,
    rules::{EntityRule, From, ObservableRule, Rules},
    text,
};

/// An entity of an incident graph, the incident included, with what holds for all of its attributes.
pub(super) struct Contributor<'g> {
    pub(super) root: &'g EntityKey,
    pub(super) entity: &'g Entity,
    /// How it was reached; `None` for the incident itself.
    pub(super) relations: Option<&'g [Via]>,
    /// Of the incident, the entity and all between them.
    pub(super) marking: Marking,
    /// Never for detection, whatever others say of its values.
    pub(super) bystander: bool,
}

/// An occurrence that became an attribute, before merging.
pub(super) struct Draft<'g> {
    pub(super) uuid: AttributeUuid,
    pub(super) kind: AttributeType,
    pub(super) category: Category,
    pub(super) value: Value,
    pub(super) to_ids: bool,
    /// Whether something says that the value is never for detection, wherever it comes from.
    pub(super) barred: bool,
    /// Index of the contributor.
    pub(super) contributor: u32,
    pub(super) origin: &'g Symbol,
    pub(super) rule: &'g Symbol,
    /// As written, where that differs from the value.
    pub(super) raw: Option<Cow<'g, str>>,
}

/// Collects the occurrences of one incident.
pub(super) struct Collector<'g> {
    pub(super) event: EventUuid,
    pub(super) rules: &'g Rules,
    /// That of the MISP that everything is for.
    pub(super) version: misp::Version,
    pub(super) now: Timestamp,
    pub(super) drafts: Vec<Draft<'g>>,
    pub(super) losses: Vec<Loss>,
}

/// What a rule decided about a value.
#[derive(Clone, Copy)]
struct Target<'g> {
    kind: AttributeType,
    category: Category,
    to_ids: bool,
    barred: bool,
    origin: &'g Symbol,
    rule: &'g Symbol,
}

impl<'g> Collector<'g> {
    /// Collects all occurrences of an entity.
    pub(super) fn take(&mut self, place: u32, contributor: &Contributor<'g>) {
        if contributor.relations.is_some()
            && self.rules.skip_entities.contains(&contributor.entity.kind)
        {
            return self.skip(contributor);
        }
        self.entity_itself(place, contributor);
        let may_detect = MayDetect::of(contributor.entity, self.now);
        let observables =
            contributor.entity.observables.chunk_by(|one, next| one.kind == next.kind);
        for same_kind in observables {
            let kind = &same_kind[0].kind;
            let rules: &'g Rules = self.rules;
            let rules = rules.observable.get(kind).map_or(&[][..], Vec::as_slice);
            for same in same_kind.chunk_by(|one, next| one.value == next.value) {
                self.observable(place, contributor, rules, same, may_detect);
            }
        }
        for unusable in contributor.entity.distinct_unusable() {
            self.losses.push(self::unusable(contributor.root, unusable));
        }
    }

    fn skip(&mut self, contributor: &Contributor<'g>) {
        let Entity { kind, observables, unusable, .. } = contributor.entity;
        let observed = observables.iter().map(|observable| (&observable.kind, &observable.value));
        let distinct: BTreeSet<_> = observed
            .chain(unusable.iter().map(|unusable| (&unusable.kind, &unusable.value)))
            .collect();
        for (observed, value) in distinct {
            let reason = LossReason::EntityKindNotSupported(kind.clone());
            self.reject(contributor, observed, value, reason, None);
        }
    }

    /// One observable; `same` has it once for each way in which the entity holds it.
    fn observable(
        &mut self,
        place: u32,
        contributor: &Contributor<'g>,
        rules: &'g [ObservableRule],
        same: &'g [Observable],
        may_detect: MayDetect,
    ) {
        let Observable { kind: origin, value, .. } = &same[0];
        let meaning = self.rules.meaning;
        let fits = |rule: &ObservableRule, one: &Observable| rule.fits(value, one.links, meaning);
        let fitting = |rule: &&ObservableRule| same.iter().any(|one| fits(rule, one));
        let barred = same.iter().any(is_barred);
        let (target, shape) = match rules.iter().find(fitting) {
            Some(rule) => {
                let to_ids = rule.to_ids && same.iter().any(|one| may_detect.from(one));
                let ObservableRule { kind, category, id: rule, value, .. } = rule;
                let (kind, category) = (*kind, *category);
                (Target { kind, category, to_ids, barred, origin, rule }, *value)
            }
            None if self.rules.settings.text_fallback => {
                let kind = AttributeType::named("text").expect("MISP has the type text");
                let (category, rule) = (kind.default_category(), &self.rules.names.fallback);
                (Target { kind, category, to_ids: false, barred, origin, rule }, None)
            }
            None => return self.reject(contributor, origin, value, LossReason::NoMispType, None),
        };
        let shaped = shape.map_or(Cow::Borrowed(&**value), |shape| shape.apply(value));
        self.accept(place, contributor, target, &shaped, Cow::Borrowed(value));
    }

    fn entity_itself(&mut self, place: u32, contributor: &Contributor<'g>) {
        let rules: &'g Rules = self.rules;
        let of_kind: &'g [EntityRule] = match contributor.relations {
            None => &rules.incident,
            Some(_) => rules.entity.get(&contributor.entity.kind).map_or(&[], Vec::as_slice),
        };
        // A value that two rules take is one occurrence; the first rule has it.
        let mut taken: BTreeSet<Cow<'g, str>> = BTreeSet::new();
        for rule in
            of_kind.iter().filter(|rule| rule.fits(contributor.relations.unwrap_or_default()))
        {
            let origin = &rules.names.entity;
            for value in values(contributor.entity, rule.from) {
                if !taken.insert(value.clone()) {
                    continue;
                }
                if rule.from == From::References && !is_http(&value) {
                    let reason = LossReason::NotALink;
                    self.reject(contributor, origin, &value, reason, Some(&rule.id));
                    continue;
                }
                let EntityRule { kind, category, id: rule, .. } = rule;
                let (kind, category) = (*kind, *category);
                let target = Target { kind, category, to_ids: false, barred: false, origin, rule };
                let shaped = value.trim().to_owned();
                self.accept(place, contributor, target, &shaped, value);
            }
        }
    }

    fn accept(
        &mut self,
        place: u32,
        contributor: &Contributor<'g>,
        target: Target<'g>,
        shaped: &str,
        raw: Cow<'g, str>,
    ) {
        let Target { kind, category, to_ids, barred, origin, rule } = target;
        let value = match misp::settle_as(self.version, kind, shaped) {
            Ok(value) => value,
            Err(refusal) => {
                let reason = LossReason::Refused { kind, words: refusal.message.into() };
                return self.reject(contributor, origin, &raw, reason, Some(rule));
            }
        };
        let uuid = misp::attribute_uuid(self.event, kind, &value);
        let raw = (*raw != *value.as_str()).then_some(raw);
        self.drafts.push(Draft {
            uuid,
            kind,
            category,
            value,
            to_ids,
            barred,
            contributor: place,
            origin,
            rule,
            raw,
        });
    }

    fn reject(
        &mut self,
        contributor: &Contributor<'g>,
        kind: &Symbol,
        value: &str,
        reason: LossReason,
        rule: Option<&Symbol>,
    ) {
        let (entity, kind) = (contributor.root.clone(), kind.clone());
        let rule = rule.cloned();
        self.losses.push(Loss { entity, kind, value: value.into(), reason, rule });
    }
}

/// Whether an entity's observables may be used for detection at all.
#[derive(Clone, Copy)]
enum MayDetect {
    /// The entity is over: MISP is told when, and detects nothing by it.
    No,
    /// Those that are called bad or test for something.
    Some,
    /// All but those called good: the entity is tagged `IDS`.
    All,
}

impl MayDetect {
    fn of(entity: &Entity, now: Timestamp) -> Self {
        if entity.end.is_some_and(|end| end < now) {
            Self::No
        } else if entity.tags.iter().any(|tag| tag.trim() == text::IDS) {
            Self::All
        } else {
            Self::Some
        }
    }

    fn from(self, observable: &Observable) -> bool {
        let said = observable.maliciousness.is_bad() || observable.links.has("test-mechanism");
        let wanted = match self {
            Self::No => false,
            Self::Some => said,
            Self::All => true,
        };
        wanted && !observable.context_only
    }
}

/// Whether an observable is never for detection, whoever else calls it bad: it is called good, or it is the
/// victim's own.
fn is_barred(observable: &Observable) -> bool {
    const OWN: [&str; 2] = ["affected-asset", "targeted-victim"];
    observable.maliciousness == Maliciousness::Safe
        || OWN.iter().any(|link| observable.links.has(link))
}

fn unusable(entity: &EntityKey, unusable: &Unusable) -> Loss {
    let reason = match &unusable.why {
        WhyUnusable::PatternSyntax(offset, wanted) => {
            LossReason::PatternSyntax { offset: *offset, wanted: wanted.clone() }
        }
        WhyUnusable::PathNotMapped => LossReason::PathNotMapped,
        WhyUnusable::Enrichment => LossReason::Enrichment,
        WhyUnusable::NotWhole => LossReason::NotWhole,
    };
    let (kind, value) = (unusable.kind.clone(), unusable.value.clone());
    Loss { entity: entity.clone(), kind, value, reason, rule: None }
}

fn is_http(reference: &str) -> bool {
    let scheme = reference.trim().split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
    })
}

/// The values that a rule takes from an entity, as written.
fn values(entity: &Entity, from: From) -> Vec<Cow<'_, str>> {
    let texts = || entity.external_ids.iter().chain([&entity.title]);
    match from {
        From::Title => {
            let name = text::fold(entity.name.as_deref().unwrap_or(&entity.title));
            if name.is_empty() { Vec::new() } else { vec![name] }
        }
        From::Cve => texts().flat_map(|text| ids(text, "CVE-", true)).map(Cow::Borrowed).collect(),
        From::Cwe => texts().flat_map(|text| ids(text, "CWE-", false)).map(Cow::Borrowed).collect(),
        From::References => {
            let written = entity.references.iter().filter(|text| !text.trim().is_empty());
            written.map(|text| Cow::Borrowed(&**text)).collect()
        }
    }
}

/// Ids such as `CVE-2021-44228` (`with_year`) or `CWE-79` anywhere in a text, in any case.
fn ids<'t>(text: &'t str, prefix: &str, with_year: bool) -> Vec<&'t str> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut found = Vec::new();
    for (at, _) in text.char_indices() {
        let Some(rest) = text.get(at + prefix.len()..) else { break };
        let is_inside_a_word = text[..at].ends_with(|c: char| c.is_alphanumeric());
        if is_inside_a_word || !text[at..at + prefix.len()].eq_ignore_ascii_case(prefix) {
            continue;
        }
        let length = match (with_year, digits(rest), rest.as_bytes().get(4)) {
            (false, count @ 1.., _) => count,
            (true, 4, Some(b'-')) if digits(&rest[5..]) >= 4 => 5 + digits(&rest[5..]),
            _ => continue,
        };
        found.push(&text[at..at + prefix.len() + length]);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_anywhere_in_a_text() {
        assert_eq!(
            ids(
                "Log4Shell (cve-2021-44228), CVE-2021-45046; XCVE-2020-1234 CVE-2020-12 ä",
                "CVE-",
                true
            ),
            ["cve-2021-44228", "CVE-2021-45046"]
        );
        assert_eq!(ids("CWE-79 CWE- CWE-1ä", "CWE-", false), ["CWE-79", "CWE-1"]);
        assert!(ids("äöü", "CVE-", true).is_empty());
    }

    #[test]
    fn links_are_http_only() {
        assert!(is_http(" HTTPS://example.org/"));
        assert!(!is_http("ftp://example.org/") && !is_http("http:example.org"));
    }
}

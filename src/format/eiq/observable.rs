//! The observables of an entity: its `extracts` and `observables`, and the two lists in `meta`.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    lenient::{Held, Links, List, Obj},
    wire::{Embedded, Extract, Object, Verdict, Word},
};
use crate::{
    format::{element::Element, scalar::number::Written},
    graph::{Facts, LinkTypes, Maliciousness, Observable, Unusable, WhyUnusable},
    model::{Interner, Reader as Since, Symbol},
};

/// The link that has an observable tested for.
const TEST: &str = "test-mechanism";

/// All observables of an entity, and values that are none: those that are no text, and numbers of which nobody knows which
/// are meant. One without kind or value is reported and left out.
pub(super) fn observables(
    object: &Object<'_>,
    element: &Element<'_>,
    symbols: &mut Interner,
    facts: &mut Facts,
) -> (Vec<Observable>, Vec<Unusable>) {
    let (data, meta) = (&object.data.0, &object.meta.0);
    let entered = [
        ("/data/extracts", &data.extracts),
        ("/meta/bundled_extracts", &meta.bundled_extracts),
        ("/meta/manual_extracts", &meta.manual_extracts),
    ];
    let shown = entered.iter().any(|(_, list)| !list.0.is_empty()).then(Shown::default);
    let (found, broken) = (Vec::new(), Vec::new());
    let mut reader = Reader { found, broken, shown, latest: None, symbols };
    reader.extracts(("/extracts", &object.extracts), Standing::Shown, element, facts);
    reader.embedded(("/observables", &object.observables), element, facts);
    reader.embedded(("/data/observables", &data.observables), element, facts);
    reader.embedded(("/data/observable", &data.observable), element, facts);
    for list in entered {
        reader.extracts(list, Standing::Entered, element, facts);
    }
    (reader.found, reader.broken)
}

/// What a list of observables is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// What the platform shows now.
    Shown,
    /// What was entered or came with the entity, perhaps long ago: another verdict in the first lists is
    /// newer than that of these.
    Entered,
}

/// What is said now, by kind and value.
type Shown = BTreeMap<(Symbol, String), Maliciousness>;

struct Reader<'s> {
    found: Vec<Observable>,
    broken: Vec<Unusable>,
    /// Nothing where nothing was entered that asks for it, as in nearly all entities.
    shown: Option<Shown>,
    /// Observables of one kind mostly stand together.
    latest: Option<Symbol>,
    symbols: &'s mut Interner,
}

impl Reader<'_> {
    fn extracts(
        &mut self,
        (pointer, list): (&str, &List<Obj<Extract<'_>>>),
        standing: Standing,
        element: &Element<'_>,
        facts: &mut Facts,
    ) {
        self.found.reserve(list.0.len());
        for (index, Obj(extract)) in list.0.iter().enumerate() {
            let (Some(kind), Some(value)) = (extract.kind.get(), extract.value.get()) else {
                let place = list.pointer(pointer, index);
                match extract.value.odd() {
                    Some(shape) => {
                        self.no_text(extract.kind.get(), shape, &place, element, facts);
                    }
                    None if extract.kind.get().is_none() => {
                        incomplete("kind", &place, element, facts);
                    }
                    None => incomplete("value", &place, element, facts),
                }
                continue;
            };
            let (said, links) = (maliciousness(extract), links(extract));
            let Some(since) = self.since(kind, &value, Since::FIRST) else { continue };
            match standing {
                Standing::Shown => self.show(kind, &value.0, said, links, since),
                Standing::Entered => self.enter(kind, &value.0, said, links, since),
            }
        }
    }

    /// Observables in the manner of the API. What is a mere reference, or CybOX, is told elsewhere.
    fn embedded(
        &mut self,
        (pointer, list): (&str, &List<Held<Embedded<'_>>>),
        element: &Element<'_>,
        facts: &mut Facts,
    ) {
        for (index, held) in list.0.iter().enumerate() {
            let Held::Is(held) = held else { continue };
            for inner in &held.data.0 {
                let Held::Is(inner) = inner else { continue };
                if let (Some(kind), Some(value)) = (inner.kind(), inner.value.get()) {
                    self.show_one(kind, &value, inner.said());
                } else if let Some(shape) = inner.value.odd() {
                    let place = list.pointer(pointer, index);
                    self.no_text(inner.kind(), shape, &place, element, facts);
                }
            }
            match (held.kind(), held.value.get()) {
                (Some(kind), Some(value)) => self.show_one(kind, &value, held.said()),
                (None, Some(_)) => {
                    incomplete("kind", &list.pointer(pointer, index), element, facts);
                }
                (kind, None) => {
                    if let Some(shape) = held.value.odd() {
                        self.no_text(kind, shape, &list.pointer(pointer, index), element, facts);
                    }
                }
            }
        }
    }

    /// An observable in the manner of the API.
    fn show_one(
        &mut self,
        kind: &str,
        value: &(Cow<'_, str>, Written),
        said: Option<Maliciousness>,
    ) {
        if let Some(since) = self.since(kind, value, Since::SECOND) {
            self.show(kind, &value.0, said, LinkTypes::default(), since);
        }
    }

    /// The first reader that takes a value where `since` was the first of all; `None` for a number of which nobody knows
    /// which is meant, which is lost.
    fn since(
        &mut self,
        kind: &str,
        (value, written): &(Cow<'_, str>, Written),
        since: Since,
    ) -> Option<Since> {
        if *written == Written::Plain {
            return Some(since);
        }
        let kind = self.kind(kind);
        if written.since(&kind).is_none() {
            let (value, why) = (value.as_ref().into(), WhyUnusable::NotWhole);
            self.broken.push(Unusable { kind, value, why });
            return None;
        }
        Some(Since::FOURTH)
    }

    /// Says that what should be a value is no text, and counts it: which of its parts were meant nobody knows.
    fn no_text(
        &mut self,
        kind: Option<&str>,
        shape: &str,
        inside: &str,
        element: &Element<'_>,
        facts: &mut Facts,
    ) {
        let what = format!(
            "the value of an observable is no text but {shape}; left out, write an observable with a text for each value"
        );
        facts.report(element.warning(inside, what));
        let kind = self.kind(kind.unwrap_or("observable"));
        let value = format!("{inside}/value is {shape}").into();
        self.broken.push(Unusable { kind, value, why: WhyUnusable::PathNotMapped });
    }

    fn kind(&mut self, kind: &str) -> Symbol {
        let kind = match self.latest.take() {
            Some(same) if &*same == kind => same,
            _ => self.symbols.symbol(&kind.to_ascii_lowercase()),
        };
        self.latest = Some(kind.clone());
        kind
    }

    fn show(
        &mut self,
        kind: &str,
        value: &str,
        said: Option<Maliciousness>,
        links: LinkTypes,
        since: Since,
    ) {
        let kind = self.kind(kind);
        if let (Some(said), Some(shown)) = (said, &mut self.shown) {
            let known = shown.entry((kind.clone(), folded(&kind, value))).or_insert(said);
            *known = stronger(*known, said);
        }
        self.found.push(observable(kind, value, said, links).since(since));
    }

    fn enter(
        &mut self,
        kind: &str,
        value: &str,
        said: Option<Maliciousness>,
        links: LinkTypes,
        since: Since,
    ) {
        let kind = self.kind(kind);
        let shown = self.shown.as_ref().filter(|shown| !shown.is_empty());
        let shown = shown.and_then(|it| it.get(&(kind.clone(), folded(&kind, value)))).copied();
        let links = if shown.is_some() { links.without(TEST) } else { links };
        self.found.push(observable(kind, value, shown.or(said), links).since(since));
    }
}

fn incomplete(missing: &str, inside: &str, element: &Element<'_>, facts: &mut Facts) {
    let what = format!("an observable without {missing}; left out");
    facts.report(element.warning(inside, what));
}

fn observable(
    kind: Symbol,
    value: &str,
    said: Option<Maliciousness>,
    links: LinkTypes,
) -> Observable {
    let maliciousness = said.unwrap_or_default();
    let (value, since) = (value.into(), Since::FIRST);
    Observable { kind, value, maliciousness, links, context_only: false, since }
}

/// A value in the form by which two lists are compared: in kinds that mind no case, case has no say.
fn folded(kind: &str, value: &str) -> String {
    const CASELESS: [&str; 9] =
        ["cve", "cwe", "domain", "email", "hash-", "host", "ipv", "ja3", "mac"];
    let value = value.trim();
    match CASELESS.iter().any(|beginning| kind.starts_with(beginning)) {
        true => value.to_lowercase(),
        false => value.to_owned(),
    }
}

/// Of two verdicts on one value the one that detects nothing, else the worse.
fn stronger(one: Maliciousness, other: Maliciousness) -> Maliciousness {
    match (one, other) {
        (Maliciousness::Safe, _) | (_, Maliciousness::Safe) => Maliciousness::Safe,
        _ => one.max(other),
    }
}

/// What enrichment added to an entity: it is counted, and not sent.
pub(super) fn enrichments(
    object: &Object<'_>,
    observables: &[Observable],
    symbols: &mut Interner,
) -> Vec<Unusable> {
    let list = &object.enrichment_extracts.0;
    if list.is_empty() {
        return Vec::new();
    }
    let own: BTreeSet<(&str, &str)> =
        observables.iter().map(|own| (&*own.kind, &*own.value)).collect();
    let mut enrichments = Vec::new();
    for Obj(extract) in list {
        let value = extract.value.get().map(|(value, _)| value);
        let Some(value) = value.or_else(|| extract.value.odd().map(Into::into)) else { continue };
        let kind = extract.kind.get().unwrap_or("observable");
        let kind = symbols.symbol(&kind.to_ascii_lowercase());
        if !own.contains(&(&*kind, &*value)) {
            let (value, why) = (value.into(), WhyUnusable::Enrichment);
            enrichments.push(Unusable { kind, value, why });
        }
    }
    enrichments
}

/// What is said of an observable; `None` if nothing. `meta` counts before the flat fields.
fn maliciousness(extract: &Extract<'_>) -> Option<Maliciousness> {
    let Extract { classification, confidence, maliciousness, .. } = *extract;
    let flat = Verdict { classification, confidence, maliciousness };
    extract.meta.0.said().or_else(|| flat.said())
}

impl Embedded<'_> {
    fn kind(&self) -> Option<&str> {
        self.kind_too.get().or(self.kind.get())
    }

    fn said(&self) -> Option<Maliciousness> {
        let Self { classification, confidence, maliciousness, .. } = *self;
        let flat = Verdict { classification, confidence, maliciousness };
        self.meta.0.said().or_else(|| flat.said())
    }
}

impl Verdict {
    /// EclecticIQ JSON has `bad` with a confidence, `good` or `unknown`, the public API one word. A good word
    /// beside a bad one counts: what is doubtful must not detect.
    fn said(&self) -> Option<Maliciousness> {
        let words = [self.classification, self.maliciousness];
        let has = |wanted: Word| words.contains(&wanted);
        if has(Word::Good) || has(Word::Safe) {
            return Some(Maliciousness::Safe);
        }
        let rated = |word: Word| match word {
            Word::Low => Some(Maliciousness::Low),
            Word::Medium => Some(Maliciousness::Medium),
            Word::High => Some(Maliciousness::High),
            Word::Bad => Some(match self.confidence {
                Word::High => Maliciousness::High,
                Word::Medium => Maliciousness::Medium,
                _ => Maliciousness::Low,
            }),
            _ => None,
        };
        let unknown = || has(Word::Unknown).then_some(Maliciousness::Unknown);
        words.into_iter().find_map(rated).or_else(unknown)
    }
}

fn links(extract: &Extract<'_>) -> LinkTypes {
    let instance = &extract.instance_meta.0;
    let further = [
        instance.link_names,
        instance.link_type,
        extract.link_types,
        extract.link_names,
        extract.link_type,
    ];
    further.into_iter().fold(instance.link_types.0, |links, Links(more)| links.union(more))
}

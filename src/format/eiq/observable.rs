//! The observables of an entity: its `extracts`, and the two lists in `meta`.

use super::{
    lenient::{Links, Obj, Text},
    wire::{Extract, Object},
};
use crate::{
    format::element::Element,
    graph::{Facts, LinkTypes, Maliciousness, Observable},
    model::{Interner, Symbol},
};

/// All observables of an entity. One without kind or value is reported and left out.
pub(super) fn observables(
    object: &Object<'_>,
    element: &Element<'_>,
    symbols: &mut Interner,
    facts: &mut Facts,
) -> Vec<Observable> {
    let (data, meta) = (&object.data.0, &object.meta.0);
    let lists: [(&str, &[Obj<Extract<'_>>]); 4] = [
        ("/extracts", &object.extracts.0),
        ("/data/extracts", &data.extracts.0),
        ("/meta/bundled_extracts", &meta.bundled_extracts.0),
        ("/meta/manual_extracts", &meta.manual_extracts.0),
    ];
    let mut observables = Vec::with_capacity(lists.iter().map(|(_, list)| list.len()).sum());
    let mut latest: Option<Symbol> = None;
    for (list, extracts) in lists {
        for (index, Obj(extract)) in extracts.iter().enumerate() {
            let (Some(kind), Some(value)) = (extract.kind.get(), extract.value.as_it_stands())
            else {
                let missing = if extract.kind.get().is_none() { "kind" } else { "value" };
                let what = format!("an observable without {missing}; left out");
                facts.report(element.warning(&format!("{list}/{index}"), what));
                continue;
            };
            let kind = match latest.take() {
                Some(same) if &*same == kind => same,
                _ => symbols.symbol(&kind.to_ascii_lowercase()),
            };
            latest = Some(kind.clone());
            observables.push(Observable {
                kind,
                value: value.into(),
                maliciousness: maliciousness(extract),
                links: links(extract),
                context_only: false,
            });
        }
    }
    observables
}

/// `meta` counts before the flat fields, `classification` before `maliciousness`.
fn maliciousness(extract: &Extract<'_>) -> Maliciousness {
    let meta = &extract.meta.0;
    let said = [
        classified(&meta.classification, &meta.confidence),
        rated(&meta.maliciousness),
        classified(&extract.classification, &extract.confidence),
        rated(&extract.maliciousness),
    ];
    said.into_iter().flatten().next().unwrap_or_default()
}

/// EclecticIQ JSON: `bad` with a confidence, `good`, or `unknown`.
fn classified(classification: &Text<'_>, confidence: &Text<'_>) -> Option<Maliciousness> {
    if classification.is("bad") {
        return Some(if confidence.is("high") {
            Maliciousness::High
        } else if confidence.is("medium") {
            Maliciousness::Medium
        } else {
            Maliciousness::Low
        });
    }
    classification.is("good").then_some(Maliciousness::Safe)
}

/// Public API: one word.
fn rated(maliciousness: &Text<'_>) -> Option<Maliciousness> {
    Some(match maliciousness.get()?.to_ascii_lowercase().as_str() {
        "safe" => Maliciousness::Safe,
        "low" => Maliciousness::Low,
        "medium" => Maliciousness::Medium,
        "high" => Maliciousness::High,
        _ => return None,
    })
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

//! The observables of an entity: its `extracts`, and the two lists in `meta`.

use super::{
    lenient::{Links, List, Obj},
    wire::{Extract, Object, Word},
};
use crate::{
    format::element::Element,
    graph::{Facts, LinkTypes, Maliciousness, Observable},
    model::{Interner, Reader, Symbol},
};

/// All observables of an entity. One without kind or value is reported and left out.
pub(super) fn observables(
    object: &Object<'_>,
    element: &Element<'_>,
    symbols: &mut Interner,
    facts: &mut Facts,
) -> Vec<Observable> {
    let (data, meta) = (&object.data.0, &object.meta.0);
    let lists: [(&str, &List<Obj<Extract<'_>>>); 4] = [
        ("/extracts", &object.extracts),
        ("/data/extracts", &data.extracts),
        ("/meta/bundled_extracts", &meta.bundled_extracts),
        ("/meta/manual_extracts", &meta.manual_extracts),
    ];
    let mut observables = Vec::with_capacity(lists.iter().map(|(_, list)| list.0.len()).sum());
    let mut latest: Option<Symbol> = None;
    for (pointer, list) in lists {
        for (index, Obj(extract)) in list.0.iter().enumerate() {
            let (Some(kind), Some(value)) = (extract.kind.get(), extract.value.as_it_stands())
            else {
                let missing = if extract.kind.get().is_none() { "kind" } else { "value" };
                let what = format!("an observable without {missing}; left out");
                facts.report(element.warning(&list.pointer(pointer, index), what));
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
                since: Reader::FIRST,
            });
        }
    }
    observables
}

/// `meta` counts before the flat fields, `classification` before `maliciousness`.
fn maliciousness(extract: &Extract<'_>) -> Maliciousness {
    let meta = &extract.meta.0;
    classified(meta.classification, meta.confidence)
        .or_else(|| rated(meta.maliciousness))
        .or_else(|| classified(extract.classification, extract.confidence))
        .or_else(|| rated(extract.maliciousness))
        .unwrap_or_default()
}

/// EclecticIQ JSON: `bad` with a confidence, `good`, or `unknown`.
const fn classified(classification: Word, confidence: Word) -> Option<Maliciousness> {
    match (classification, confidence) {
        (Word::Bad, Word::High) => Some(Maliciousness::High),
        (Word::Bad, Word::Medium) => Some(Maliciousness::Medium),
        (Word::Bad, _) => Some(Maliciousness::Low),
        (Word::Good, _) => Some(Maliciousness::Safe),
        _ => None,
    }
}

/// Public API: one word.
const fn rated(maliciousness: Word) -> Option<Maliciousness> {
    match maliciousness {
        Word::Safe => Some(Maliciousness::Safe),
        Word::Low => Some(Maliciousness::Low),
        Word::Medium => Some(Maliciousness::Medium),
        Word::High => Some(Maliciousness::High),
        Word::Silent | Word::Good | Word::Bad => None,
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

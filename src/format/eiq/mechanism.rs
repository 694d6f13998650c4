//! Observables that do not stand among the observables: rules of tools that test for an indicator, names of
//! malware, and classifications by ATT&CK.

use super::{
    external_ids,
    lenient::{Obj, Text},
    wire::{Object, TestMechanism},
};
use crate::{
    format::element::Element,
    graph::{Facts, LinkTypes, Maliciousness, Observable},
    model::{Interner, Reader},
};

/// Words in the type of a test mechanism, and the kind of observable that its rules are. The rules of
/// Suricata are those of Snort, with more words.
const TOOLS: [(&str, &str); 6] = [
    ("pcre", "pcre-pattern"),
    ("sigma", "sigma"),
    ("yara", "yara"),
    ("snort", "snort"),
    ("suricata", "snort"),
    ("stix", "stix2-pattern"),
];

/// The kind of rules of any other tool: no rule maps it, so each is a loss.
const OTHER: &str = "test-mechanism";

/// Adds them to the observables of an entity.
pub(super) fn add(
    object: &Object<'_>,
    element: &Element<'_>,
    symbols: &mut Interner,
    facts: &mut Facts,
    observables: &mut Vec<Observable>,
) {
    let mut add = |kind: &str, value: &str, links: LinkTypes| {
        observables.push(Observable {
            kind: symbols.symbol(kind),
            value: value.into(),
            maliciousness: Maliciousness::Unknown,
            links,
            context_only: false,
            since: Reader::SECOND,
        });
    };
    let data = &object.data.0;
    let tested = LinkTypes::default().with("test-mechanism");
    for (index, Obj(mechanism)) in data.test_mechanisms.0.iter().enumerate() {
        let mut rules = mechanism.texts().peekable();
        if rules.peek().is_none() {
            let inside = data.test_mechanisms.pointer("/data/test_mechanisms", index);
            let what = "a test mechanism of which no rule can be read; left out";
            facts.report(element.warning(&inside, what));
        }
        rules.for_each(|rule| add(mechanism.kind(rule), rule, tested));
    }
    let malware = data.behavior.0.malware.0.iter().flat_map(|Obj(malware)| &malware.names.0);
    for name in malware.filter_map(Text::get) {
        add("malware", name, LinkTypes::default());
    }
    for id in external_ids::attacks(&object.meta.0) {
        add("attack", id, LinkTypes::default());
    }
}

impl TestMechanism<'_> {
    fn texts(&self) -> impl Iterator<Item = &str> {
        let texts = self.specification.0.iter().chain(&self.rules.0).chain(&self.rule.0);
        texts.filter_map(Text::as_it_stands)
    }

    /// The kind of a rule of it. A generic mechanism says its tool apart; where nothing says it, a rule's own
    /// form decides.
    fn kind(&self, rule: &str) -> &'static str {
        let tool = |text: &Text<'_>| {
            let said = text.get()?.to_ascii_lowercase();
            TOOLS.iter().find(|(word, _)| said.contains(word)).map(|(_, kind)| *kind)
        };
        let generic = &self.generic_test_mechanism_type;
        let is_pattern = rule.trim_start().starts_with('[');
        let kind = match generic.get() {
            Some(_) => tool(generic),
            None => [&self.test_mechanism_type, &self.kind].into_iter().find_map(tool),
        };
        match kind {
            Some("stix2-pattern") if !is_pattern => OTHER,
            Some(kind) => kind,
            None if generic.get().is_none() && (is_pattern || rule.contains("detection:")) => {
                "rule"
            }
            None => OTHER,
        }
    }
}

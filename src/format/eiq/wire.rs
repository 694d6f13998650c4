//! The members of an EclecticIQ entity or relation that are read, as they stand on the wire.
//!
//! Names are those of EclecticIQ JSON 1.0 and 2.0. Everything is borrowed from the bytes where it can be.

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::value::RawValue;

use crate::format::{leaves::Leaves, scalar::flag::Flag};

use super::lenient::{
    Count, Held, Ids, Links, List, Named, Obj, References, Strings, Text, Twice, Urls, Value,
};

/// One element of `entities` or `entities_v2`: an entity, a relation, or a placeholder for an entity
/// that is not in the package.
#[derive(Debug, Default, Deserialize)]
#[serde(default, expecting = "an object")]
pub(super) struct Object<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) diff: Text<'a>,
    pub(super) is_ref: Flag,
    pub(super) is_unresolved_idref: Flag,
    #[serde(borrow)]
    pub(super) created_at: Text<'a>,
    #[serde(borrow)]
    pub(super) key: Text<'a>,
    #[serde(borrow)]
    pub(super) source: List<Named<'a>>,
    #[serde(borrow)]
    pub(super) target: List<Named<'a>>,
    #[serde(borrow)]
    pub(super) data: Obj<Data<'a>>,
    #[serde(borrow)]
    pub(super) meta: Obj<Meta<'a>>,
    #[serde(borrow)]
    pub(super) extracts: List<Obj<Extract<'a>>>,
    #[serde(borrow)]
    pub(super) observables: List<Held<Embedded<'a>>>,
    #[serde(borrow)]
    pub(super) enrichment_extracts: List<Obj<Extract<'a>>>,
    pub(super) custom_attributes: Count,
    #[serde(borrow)]
    pub(super) sources: List<Obj<Source<'a>>>,
}

/// `data`: what the author wrote.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Data<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) idref: Text<'a>,
    pub(super) is_ref: Flag,
    pub(super) is_unresolved_idref: Flag,
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) title: Text<'a>,
    /// Of a threat actor: its name, which the title may hide in words.
    #[serde(borrow)]
    pub(super) identity: Text<'a>,
    #[serde(borrow)]
    pub(super) behavior: Obj<Behavior<'a>>,
    #[serde(borrow)]
    pub(super) test_mechanisms: List<Obj<TestMechanism<'a>>>,
    #[serde(borrow)]
    pub(super) description: Text<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Text<'a>,
    #[serde(borrow)]
    pub(super) created_at: Text<'a>,
    #[serde(borrow)]
    pub(super) time: Obj<Times<'a>>,
    #[serde(borrow)]
    pub(super) status: List<Text<'a>>,
    /// Markings of STIX 1, in more shapes than one.
    #[serde(borrow)]
    pub(super) handling: Handling<'a>,
    #[serde(borrow)]
    pub(super) information_source: References<'a>,
    #[serde(borrow, rename = "information-source")]
    pub(super) information_source_hyphen: References<'a>,
    #[serde(borrow)]
    pub(super) producer: References<'a>,
    #[serde(borrow)]
    pub(super) references: Urls<'a>,
    #[serde(borrow)]
    pub(super) external_references: List<Obj<ExternalReference<'a>>>,
    /// Earlier readers took the ids of objects in these lists alone.
    #[serde(borrow)]
    pub(super) vulnerabilities: Twice<List<Obj<Vulnerability<'a>>>, Ids<'a>>,
    #[serde(borrow)]
    pub(super) vulnerability: Ids<'a>,
    #[serde(borrow)]
    pub(super) cve_id: Ids<'a>,
    #[serde(borrow)]
    pub(super) cve_ids: Ids<'a>,
    #[serde(borrow)]
    pub(super) cve: Ids<'a>,
    #[serde(borrow)]
    pub(super) cves: Ids<'a>,
    #[serde(borrow)]
    pub(super) weaknesses: Twice<List<Obj<Weakness<'a>>>, Ids<'a>>,
    #[serde(borrow)]
    pub(super) weakness: Ids<'a>,
    #[serde(borrow)]
    pub(super) cwe_id: Ids<'a>,
    #[serde(borrow)]
    pub(super) cwe_ids: Ids<'a>,
    #[serde(borrow)]
    pub(super) cwe: Ids<'a>,
    #[serde(borrow)]
    pub(super) cwes: Ids<'a>,
    #[serde(borrow)]
    pub(super) extracts: List<Obj<Extract<'a>>>,
    /// CybOX of STIX 1, or observables in the manner of the API.
    #[serde(borrow)]
    pub(super) observable: List<Held<Embedded<'a>>>,
    #[serde(borrow)]
    pub(super) observables: List<Held<Embedded<'a>>>,
    pub(super) related_observables: Count,
    pub(super) custom_attributes: Count,
    #[serde(borrow)]
    pub(super) key: Text<'a>,
    #[serde(borrow)]
    pub(super) relationship: Text<'a>,
    #[serde(borrow)]
    pub(super) subtype: Text<'a>,
    #[serde(borrow)]
    pub(super) source: List<Named<'a>>,
    #[serde(borrow)]
    pub(super) target: List<Named<'a>>,
}

/// `data.handling`, and how it is written.
#[derive(Debug, Default)]
pub(super) struct Handling<'a> {
    pub(super) leaves: Leaves,
    /// Empty where there is none.
    pub(super) raw: &'a str,
    /// Whether readers before the third could not read it, nor what it stands in.
    pub(super) is_new: bool,
}

impl<'de: 'a, 'a> Deserialize<'de> for Handling<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let keys = ["data", "handling"];
        let (leaves, is_new) = match Leaves::read(&keys, raw) {
            Ok(leaves) => (leaves, false),
            Err(_) => (Leaves::read_quoted(&keys, raw).map_err(D::Error::custom)?, true),
        };
        Ok(Self { leaves, raw, is_new })
    }
}

/// `meta`: what the platform keeps about the entity.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Meta<'a> {
    #[serde(borrow)]
    pub(super) title: Text<'a>,
    pub(super) is_ref: Flag,
    pub(super) is_unresolved_idref: Flag,
    #[serde(borrow)]
    pub(super) first_ingest_time: Text<'a>,
    #[serde(borrow)]
    pub(super) tlp_color: Text<'a>,
    #[serde(borrow)]
    pub(super) tlp_color_override: Text<'a>,
    #[serde(borrow)]
    pub(super) source_reliability: Text<'a>,
    #[serde(borrow)]
    pub(super) estimated_threat_start_time: Text<'a>,
    #[serde(borrow)]
    pub(super) estimated_threat_end_time: Text<'a>,
    #[serde(borrow)]
    pub(super) tags: List<Text<'a>>,
    #[serde(borrow)]
    pub(super) taxonomy_paths: List<List<Text<'a>>>,
    pub(super) taxonomy: Count,
    pub(super) taxonomies: Count,
    pub(super) custom_attributes: Count,
    #[serde(borrow)]
    pub(super) attacks: Strings<'a>,
    #[serde(borrow)]
    pub(super) attack: Strings<'a>,
    #[serde(borrow)]
    pub(super) bundled_extracts: List<Obj<Extract<'a>>>,
    #[serde(borrow)]
    pub(super) manual_extracts: List<Obj<Extract<'a>>>,
}

/// An observable; `extracts` nest what the two lists in `meta` have flat. There may be very many of
/// these in one entity, so all but kind and value is read into single bytes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Extract<'a> {
    #[serde(borrow)]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) value: Value<'a>,
    pub(super) meta: Obj<Verdict>,
    pub(super) instance_meta: Obj<InstanceMeta>,
    pub(super) classification: Word,
    pub(super) confidence: Word,
    pub(super) maliciousness: Word,
    pub(super) link_types: Links,
    pub(super) link_names: Links,
    pub(super) link_type: Links,
}

/// An observable in the manner of the API, which stands in the entity itself or in the `data` of an answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Embedded<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow, rename = "kind")]
    pub(super) kind_too: Text<'a>,
    #[serde(borrow)]
    pub(super) value: Value<'a>,
    pub(super) meta: Obj<Verdict>,
    pub(super) classification: Word,
    pub(super) confidence: Word,
    pub(super) maliciousness: Word,
    pub(super) data: List<Held<Self>>,
}

/// What a TTP says of malware.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Behavior<'a> {
    #[serde(borrow)]
    pub(super) malware: List<Obj<Malware<'a>>>,
}

/// A malware instance of STIX 1.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Malware<'a> {
    #[serde(borrow)]
    pub(super) names: List<Text<'a>>,
}

/// How to test for an indicator: the rule of a tool.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TestMechanism<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) test_mechanism_type: Text<'a>,
    #[serde(borrow)]
    pub(super) generic_test_mechanism_type: Text<'a>,
    #[serde(borrow)]
    pub(super) specification: List<Text<'a>>,
    #[serde(borrow)]
    pub(super) rules: List<Text<'a>>,
    #[serde(borrow)]
    pub(super) rule: List<Text<'a>>,
}

/// When an incident happened, as its author says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Times<'a> {
    #[serde(borrow)]
    pub(super) first_malicious_action: Text<'a>,
}

/// How bad an observable is said to be.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Verdict {
    pub(super) classification: Word,
    pub(super) confidence: Word,
    pub(super) maliciousness: Word,
}

/// A word of a verdict.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// None, or one that nobody knows.
    #[default]
    Silent,
    Unknown,
    Good,
    Bad,
    Safe,
    Low,
    Medium,
    High,
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const WORDS: [(&str, Word); 7] = [
            ("unknown", Word::Unknown),
            ("bad", Word::Bad),
            ("high", Word::High),
            ("good", Word::Good),
            ("medium", Word::Medium),
            ("low", Word::Low),
            ("safe", Word::Safe),
        ];
        let text = Text::deserialize(deserializer)?;
        let known = text
            .get()
            .and_then(|text| WORDS.iter().find(|(word, _)| text.eq_ignore_ascii_case(word)));
        Ok(known.map_or(Self::Silent, |(_, word)| *word))
    }
}

/// How an entity is linked to an observable.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct InstanceMeta {
    pub(super) link_types: Links,
    pub(super) link_names: Links,
    pub(super) link_type: Links,
}

/// A source of an entity.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Source<'a> {
    #[serde(borrow)]
    pub(super) source_reliability: Text<'a>,
    #[serde(borrow)]
    pub(super) url: Text<'a>,
}

/// A reference in the manner of STIX 2.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ExternalReference<'a> {
    #[serde(borrow)]
    pub(super) external_id: Text<'a>,
    #[serde(borrow)]
    pub(super) url: Text<'a>,
}

/// A vulnerability of an exploit target.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Vulnerability<'a> {
    #[serde(borrow)]
    pub(super) cve_id: Text<'a>,
}

/// A weakness of an exploit target.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Weakness<'a> {
    #[serde(borrow)]
    pub(super) cwe_id: Text<'a>,
}

//! Documents of which all is known: what stands in them has to be in the facts, each thing once and in order.

use arbitrary::{Result, Unstructured};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use misp_trickle::{
    graph::{Entity, Facts},
    model::{EntityKey, Locus, Marking, Severity, Tlp},
};

use super::{
    dataset::{some, text},
    forms::{self, Marked},
};

/// A document, and the facts that it tells.
#[derive(Default)]
pub(super) struct Told {
    elements: Vec<Value>,
    entities: Vec<Known>,
    /// Kind, source, target, whether it was taken out, and its marking.
    relations: Vec<(String, String, String, bool, Option<Tlp>)>,
    /// Pointers to what is left out.
    skipped: Vec<String>,
    /// Pointers to what is read in another way than it stands there.
    odd: Vec<String>,
    /// Whether one element is balanced, but no JSON.
    is_broken: bool,
    has_lines: bool,
}

/// Where the element that is no JSON goes, and that element on one line and on two.
const BROKEN: (&str, [&str; 2]) =
    ("\"BROKEN\"", ["{\"id\": [1, tru] }", "{\"id\":\n\t [1, tru] }"]);

/// What is known of an entity.
#[derive(Debug, PartialEq)]
struct Known {
    key: EntityKey,
    kind: String,
    title: String,
    marking: Marking,
    removed: bool,
    references: Vec<String>,
    /// Kind and value.
    observables: Vec<(String, String)>,
    /// How many values are none.
    lost: usize,
}

impl Known {
    fn of(entity: &Entity) -> Self {
        let observables = entity.observables.iter();
        Self {
            key: entity.key.clone(),
            kind: entity.kind.to_string(),
            title: entity.title.to_string(),
            marking: entity.marking(),
            removed: entity.removed,
            references: entity.references.iter().map(ToString::to_string).collect(),
            lost: entity.unusable.len(),
            observables: observables
                .map(|it| (it.kind.to_string(), it.value.to_string()))
                .collect(),
        }
    }
}

impl Told {
    /// The elements that are JSON.
    pub(super) fn elements(&self) -> Vec<Value> {
        self.elements.iter().filter(|element| **element != "BROKEN").cloned().collect()
    }

    /// The document.
    pub(super) fn text(&self, list: &str) -> String {
        let document = match list {
            "objects" => json!({ "type": "bundle", list: self.elements }),
            _ => json!({ "content-type": "urn:eclecticiq.com:json:1.0", list: self.elements }),
        };
        let text = if self.has_lines { format!("{document:#}") } else { document.to_string() };
        text.replacen(BROKEN.0, BROKEN.1[usize::from(self.has_lines)], 1)
    }

    /// # Panics
    /// If the facts are others.
    pub(super) fn check(&self, text: &str, facts: &Facts) {
        let entities: Vec<Known> = facts.entities.iter().map(Known::of).collect();
        assert_eq!(entities, self.entities, "{text}");
        let relations = facts.relations.iter().map(|it| {
            let ends = [&it.source, &it.target].map(|key| key.as_str().to_owned());
            let [source, target] = ends;
            (it.kind.to_string(), source, target, it.removed.is_some(), it.tlp)
        });
        assert_eq!(relations.collect::<Vec<_>>(), self.relations, "{text}");
        let pointers = |severity| {
            let issues = facts.issues.iter().filter(move |issue| issue.severity == severity);
            let pointers = issues.map(|issue| match &issue.place.locus {
                Locus::Pointer(pointer) => pointer.to_string(),
                other => panic!("{issue} is at {other:?}"),
            });
            pointers.collect::<Vec<_>>()
        };
        assert_eq!(pointers(Severity::Skipped), self.skipped);
        assert_eq!(facts.skipped, self.skipped.len());
        assert!(self.is_placed(text, facts), "{:?} of {text}", facts.issues);
        for pointer in &self.odd {
            assert!(pointers(Severity::Warning).contains(pointer), "nothing is said of {pointer}");
        }
    }

    /// What is no JSON is where a reader of the whole text stumbles over it.
    fn is_placed(&self, text: &str, facts: &Facts) -> bool {
        let Err(error) = serde_json::from_str::<IgnoredAny>(text) else { return !self.is_broken };
        let place = format!("(line {}, column {}:", error.line(), error.column());
        facts.issues.iter().any(|issue| issue.what.contains(&place))
    }

    fn place(&self, list: &str) -> String {
        format!("/{list}/{}", self.elements.len())
    }

    /// An element that is none.
    fn junk(&mut self, input: &mut Unstructured<'_>, list: &str) -> Result<()> {
        let junk = [json!(17), json!("x"), json!({"id": "x"}), json!(null), json!([]), json!(true)];
        self.skipped.push(self.place(list));
        let element = match input.int_in_range(0..=3_u8)? {
            0 => (0..130).fold(json!(1), |inner, _| json!([inner])),
            1 if !self.is_broken => {
                self.is_broken = true;
                json!("BROKEN")
            }
            _ => input.choose(&junk)?.clone(),
        };
        self.elements.push(element);
        Ok(())
    }
}

/// A value that says something.
fn value(input: &mut Unstructured<'_>) -> Result<String> {
    let text = text(input)?.into_string();
    let says_nothing = ["", "null", "none"].contains(&&*text.trim().to_ascii_lowercase());
    Ok(if says_nothing { "x".to_owned() } else { text })
}

fn uuid(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// An EclecticIQ package.
pub(super) fn eclecticiq(input: &mut Unstructured<'_>) -> Result<(Told, &'static str)> {
    // The first byte is what says that this is a recipe.
    input.arbitrary::<u8>()?;
    let has_lines = input.arbitrary()?;
    let (mut told, list) =
        (Told { has_lines, ..Told::default() }, *input.choose(&["entities", "entities_v2"])?);
    for number in 0..input.int_in_range(1..=7_usize)? {
        match input.int_in_range(0..=5_u8)? {
            0 => told.junk(input, list)?,
            1 => told.eiq_relation(input)?,
            2 => told.placeholder(input)?,
            _ => told.eiq_entity(input, list, number)?,
        }
    }
    Ok((told, list))
}

/// Names of an entity as relations write them, around its UUID.
const NAMES: [(&str, &str); 7] = [
    ("", ""),
    ("incident--", ""),
    ("{{https://x.example/}}Incident-", ""),
    ("https://x.example/api/v2/entities/", ""),
    ("https://x.example/api/v2/entities/", "/"),
    ("https://x.example/entity/", "?from=00000000-0000-4000-8000-000000000007"),
    ("https://x.example/entity/", "/#x"),
];

/// How a flag is set.
const FLAGS: [&str; 5] = ["true", "\"True\"", "1", "\"1\"", "{\"value\": true}"];

/// TLP colours as they are written, and what each means; one that nobody knows is the strictest.
const COLOURS: [(&str, Option<Tlp>); 10] = [
    ("RED", Some(Tlp::Red)),
    ("amber", Some(Tlp::Amber)),
    ("TLP:GREEN", Some(Tlp::Green)),
    ("WHITE", Some(Tlp::Clear)),
    ("clear", Some(Tlp::Clear)),
    ("amber+strict", Some(Tlp::AmberStrict)),
    ("NONE", None),
    ("null", None),
    ("None", None),
    ("PINK", Some(Tlp::Red)),
];

/// How a value that is no plain text is read.
enum Read {
    /// As this one.
    As(&'static str),
    /// As none, which is counted.
    Lost,
    /// As none, which is told; whether it is counted.
    Odd(bool),
}

/// Extracts whose value is no plain text.
const VALUES: [(&str, Read); 11] = [
    (r#"{"kind": "ipv4"}"#, Read::Odd(false)),
    (r#"{"kind": "ipv4", "value": null}"#, Read::Odd(false)),
    (r#"{"kind": "ipv4", "value": {}}"#, Read::Odd(false)),
    (r#"{"kind": "ipv4", "value": false}"#, Read::Odd(true)),
    (r#"{"kind": "ipv4", "value": ["198.51.100.7"]}"#, Read::Odd(true)),
    (r#"{"kind": "ipv4", "value": {"ip": "198.51.100.7"}}"#, Read::Odd(true)),
    (r#"{"kind": "port", "value": 443}"#, Read::As("443")),
    (r#"{"kind": "port", "value": 443.0}"#, Read::As("443")),
    (r#"{"kind": "port", "value": {"value": 4.43e2}}"#, Read::As("443")),
    (r#"{"kind": "port", "value": 443.5}"#, Read::Lost),
    (r#"{"kind": "asn", "value": 1e300}"#, Read::Lost),
];

/// References, and those that each is.
const REFERENCES: [(&str, &[&str]); 8] = [
    ("http://a.example/", &["http://a.example/"]),
    (" HTTPS://a.example/x\n", &["HTTPS://a.example/x"]),
    ("http://a.example/, <http://b.example/>", &["http://a.example/", "http://b.example/"]),
    ("hxxp[:]//a[.]example/", &["http://a[.]example/"]),
    ("http://a.example/x y", &["http://a.example/x y"]),
    ("ftp://a.example/", &["ftp://a.example/"]),
    ("see page 4", &[]),
    (" ", &[]),
];

impl Told {
    fn eiq_relation(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let (source, target, removed) = (uuid(1), uuid(2), input.ratio(1, 4)?);
        let diff = if removed { "del" } else { "add" };
        let mut end = |uuid: &str| {
            let (before, after) = *input.choose(&NAMES)?;
            let name = format!("{before}{uuid}{after}");
            Ok(match input.int_in_range(0..=3_u8)? {
                0 => json!({"id": name, "type": "incident"}),
                1 => json!([name.to_uppercase()]),
                _ => json!(name),
            })
        };
        let mut data = json!({"key": "uses", "source": end(&source)?, "target": end(&target)?});
        if input.arbitrary()? {
            data["type"] = json!("relation");
        }
        let id = uuid(99 + self.elements.len());
        let mut element = json!({"id": id, "diff": diff, "data": data, "meta": {}});
        let tlp = forms::eclecticiq(input, &mut element)?.strictest();
        self.elements.push(element);
        self.relations.push(("uses".to_owned(), source, target, removed, tlp));
        Ok(())
    }

    /// An element that looks like an entity, and says that it is none.
    fn placeholder(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let flag: Value = input.choose(&FLAGS)?.parse().expect("flags are JSON");
        let mut element = json!({
            "id": uuid(1), "extracts": [{"kind": "ipv4", "value": "198.51.100.7"}],
            "data": {"type": "incident", "title": "a title"}, "meta": {"tlp_color": "GREEN"},
        });
        match *input.choose(&["", "data", "meta"])? {
            "" => element["is_unresolved_idref"] = flag,
            part => element[part]["is_unresolved_idref"] = flag,
        }
        self.elements.push(element);
        Ok(())
    }

    fn eiq_entity(
        &mut self,
        input: &mut Unstructured<'_>,
        list: &str,
        number: usize,
    ) -> Result<()> {
        let id = format!("{{https://x.example}}incident-{}", uuid(number));
        let place = self.place(list);
        let (kind, written) = *input.choose(&[
            ("incident", "incident"),
            ("indicator", "Indicator"),
            ("ttp", "ttp"),
        ])?;
        let (mut observables, mut lost) = (Vec::new(), 0);
        let mut extracts = |at: &str| {
            let mut items = Vec::new();
            for item in 0..input.int_in_range(0..=2_u8)? {
                if input.ratio(1, 4)? {
                    let (value, read) = input.choose(&VALUES)?;
                    match read {
                        Read::As(value) => {
                            observables.push(("port".to_owned(), (*value).to_owned()));
                        }
                        Read::Lost => lost += 1,
                        Read::Odd(is_lost) => {
                            lost += usize::from(*is_lost);
                            self.odd.push(format!("{place}{at}/{item}"));
                        }
                    }
                    items.push(value.parse().expect("values are JSON"));
                    continue;
                }
                let (kind, written) = *input.choose(&[("ipv4", "IPV4"), ("domain", "domain")])?;
                let value = value(input)?;
                items.push(json!({"kind": written, "value": value}));
                observables.push((kind.to_owned(), value));
            }
            Ok(items)
        };
        let lists =
            ["/extracts", "/data/extracts", "/meta/bundled_extracts", "/meta/manual_extracts"];
        let [root, data, bundled, manual] = lists.map(&mut extracts);
        let over = some(input, |input| Ok(*input.choose(&COLOURS)?))?;
        let plain = some(input, |input| Ok(*input.choose(&COLOURS)?))?;
        let removed = input.ratio(1, 4)?;
        let name = |colour: Option<(&'static str, _)>| colour.map(|(name, _)| name);
        let mut element = json!({
            "id": id,
            "diff": if removed { "del" } else { "add" },
            "extracts": root?,
            "data": {"type": written, "title": "a title", "extracts": data?},
            "meta": {
                "tlp_color_override": name(over), "tlp_color": name(plain),
                "bundled_extracts": bundled?, "manual_extracts": manual?,
            },
        });
        let mut references = Vec::new();
        if input.arbitrary()? {
            let (text, links) = *input.choose(&REFERENCES)?;
            element["data"]["references"] = json!([text]);
            references.extend(links.iter().map(|link| (*link).to_owned()));
        }
        let Marked { whole, part } = forms::eclecticiq(input, &mut element)?;
        self.elements.push(element);
        let meant = |colour: Option<(_, Option<Tlp>)>| colour.and_then(|(_, tlp)| tlp);
        self.entities.push(Known {
            key: EntityKey::of(&id),
            kind: kind.to_owned(),
            title: "a title".to_owned(),
            marking: Marked { whole: meant(over).or(meant(plain)).max(whole), part }.marking(),
            removed,
            references,
            observables,
            lost,
        });
        Ok(())
    }
}

/// A STIX bundle.
pub(super) fn stix(input: &mut Unstructured<'_>) -> Result<(Told, &'static str)> {
    // The first byte is what says that this is a recipe.
    input.arbitrary::<u8>()?;
    let has_lines = input.arbitrary()?;
    let (mut told, list) = (Told { has_lines, ..Told::default() }, "objects");
    for number in 0..input.int_in_range(1..=7_usize)? {
        match input.int_in_range(0..=5_u8)? {
            0 => told.junk(input, list)?,
            1 => told.relationship(input, number)?,
            _ => told.object(input, list, number)?,
        }
    }
    Ok((told, list))
}

/// Patterns, and the observables that each gives.
const PATTERNS: [(&str, &[(&str, &str)]); 4] = [
    ("[ipv4-addr:value = '198.51.100.7']", &[("ipv4", "198.51.100.7")]),
    (
        "[domain-name:value = 'a.example'] OR [url:value = 'http://b.example/']",
        &[("domain", "a.example"), ("uri", "http://b.example/")],
    ),
    ("[url:value LIKE 'x%']", &[("stix-pattern", "[url:value LIKE 'x%']")]),
    ("[domain-name:value = 'x'", &[]),
];

impl Told {
    fn relationship(&mut self, input: &mut Unstructured<'_>, number: usize) -> Result<()> {
        let (source, target) = (format!("malware--{}", uuid(1)), format!("tool--{}", uuid(2)));
        let revoked = input.ratio(1, 4)?;
        let mut relationship = json!({
            "type": "relationship", "id": format!("relationship--{}", uuid(number)),
            "relationship_type": "uses", "source_ref": source, "target_ref": target,
            "revoked": revoked,
        });
        let (marked, definitions) = forms::stix(input, number, &mut relationship)?;
        self.elements.extend(definitions);
        self.elements.push(relationship);
        let [source, target] = [source, target].map(|id| EntityKey::whole(&id).as_str().to_owned());
        self.relations.push(("uses".to_owned(), source, target, revoked, marked.strictest()));
        Ok(())
    }

    fn object(&mut self, input: &mut Unstructured<'_>, list: &str, number: usize) -> Result<()> {
        let kind = *input.choose(&["incident", "indicator", "indicator", "report", "x-custom"])?;
        let id = format!("{kind}--{}", uuid(number));
        let key = EntityKey::whole(&id);
        let revoked = input.ratio(1, 4)?;
        let mut object = json!({
            "type": kind, "id": id, "name": "a title", "revoked": revoked,
            "created": "2024-05-14T11:00:00Z", "modified": "2024-05-14T11:00:00Z",
        });
        let (mut marked, definitions) = forms::stix(input, number, &mut object)?;
        // They may stand on either side of what they mark.
        let (before, behind) = definitions.split_at(input.int_in_range(0..=definitions.len())?);
        self.elements.extend_from_slice(before);
        if object["granular_markings"].is_null() && input.ratio(1, 8)? {
            object["granular_markings"] = json!("unreadable");
            self.odd.push(format!("{}/granular_markings", self.place(list)));
            marked.part = Some(Tlp::Red);
        }
        let (mut observables, mut is_broken): (&[(&str, &str)], _) = (&[], false);
        if kind == "indicator" {
            let (pattern, gives) = *input.choose(&PATTERNS)?;
            object["pattern"] = json!(pattern);
            object["pattern_type"] = json!("stix");
            (observables, is_broken) = (gives, gives.is_empty());
        }
        if kind == "report" {
            let target = format!("tool--{}", uuid(2));
            object["object_refs"] = json!([target]);
            let target = EntityKey::whole(&target).as_str().to_owned();
            let source = key.as_str().to_owned();
            self.relations.push(("object_refs".to_owned(), source, target, revoked, None));
        }
        self.elements.push(object);
        self.elements.extend_from_slice(behind);
        let owned = |(kind, value): &(&str, &str)| ((*kind).to_owned(), (*value).to_owned());
        self.entities.push(Known {
            key,
            kind: kind.to_owned(),
            title: "a title".to_owned(),
            marking: marked.marking(),
            removed: revoked,
            references: Vec::new(),
            lost: usize::from(kind == "indicator" && is_broken),
            observables: observables.iter().map(owned).collect(),
        });
        Ok(())
    }
}

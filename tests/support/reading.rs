//! A second reading of an EclecticIQ dataset, for tests: the rules of the mapping profile written down
//! anew over plain JSON, so that a fault of the product is not repeated here.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    path::Path,
};

use misp_trickle::{
    misp::{AttributeType, fold_bmp, normalise},
    sandbox::AttributeView,
};
use serde_json::Value as Data;
use uuid::Uuid;

/// From the freest to the strictest; an entity without a marking has none.
pub type Colour = Option<usize>;
pub const COLOURS: [&str; 5] = ["clear", "green", "amber", "amber+strict", "red"];

/// The time of the test world, in microseconds since 1970: nothing of the datasets ends on that day.
const NOW: i64 = 1_750_000_000_000_000;

/// Everything of an attribute except type and value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shape {
    pub category: String,
    pub to_ids: bool,
    pub comment: String,
    /// Microseconds since 1970.
    pub first_seen: Option<i64>,
    pub last_seen: Option<i64>,
    pub tags: BTreeSet<String>,
}

/// An attribute that the rules call for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    pub shape: Shape,
    /// Of the incident and of every entity that gives the value.
    pub colours: BTreeSet<Colour>,
}

/// Type and normalised value.
pub type Key = (String, String);

/// An event that the rules call for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    pub info: String,
    pub date: String,
    pub analysis: u8,
    pub tags: BTreeSet<String>,
    pub colour: Colour,
    pub attributes: BTreeMap<Key, Called>,
}

/// Reads a dataset: an event for each incident, by its UUID.
pub fn read(path: &Path) -> BTreeMap<Uuid, Incident> {
    let dataset: Data = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let entities = Entities::of(&dataset);
    let incidents = entities.versions.iter().filter(|(_, versions)| is_incident(versions));
    incidents
        .map(|(chain, versions)| {
            let linked = entities.linked_to(chain).filter(|versions| !is_incident(versions));
            (root(versions), incident(newest(versions), linked.map(newest).collect()))
        })
        .collect()
}

/// The entities of a dataset and what links them, by their chains of versions.
pub(crate) struct Entities<'d> {
    /// The oldest version first.
    pub(crate) versions: BTreeMap<String, Vec<&'d Data>>,
    links: BTreeMap<String, BTreeSet<String>>,
}

impl<'d> Entities<'d> {
    pub(crate) fn of(dataset: &'d Data) -> Self {
        let objects = dataset["entities"].as_array().unwrap();
        let (relations, entities): (Vec<&Data>, Vec<&Data>) =
            objects.iter().partition(|object| object["data"]["type"] == "relation");
        let mut chains = Chains::default();
        for version in &entities {
            chains.join(text(&version["id"]), text(&version["data"]["id"]));
        }
        let ends = |relation: &Data| {
            ["source", "target"].map(|end| uuid_at_end(text(&relation["data"][end])))
        };
        let updates = relations.iter().filter(|relation| {
            ["key", "subtype"].iter().any(|name| relation["data"][name] == "stix_update_of")
        });
        for relation in updates {
            let [newer, older] = ends(relation);
            chains.join(&newer, &older);
        }
        let mut versions: BTreeMap<String, Vec<&Data>> = BTreeMap::new();
        for version in entities {
            versions.entry(chains.of(text(&version["data"]["id"]))).or_default().push(version);
        }
        for all in versions.values_mut() {
            all.sort_by_key(|version| micros(&version["data"]["timestamp"]));
        }
        let mut links = BTreeMap::<String, BTreeSet<String>>::new();
        for [source, target] in relations.iter().map(|it| ends(it).map(|end| chains.of(&end))) {
            links.entry(source.clone()).or_default().insert(target.clone());
            links.entry(target).or_default().insert(source);
        }
        Self { versions, links }
    }

    /// The versions of each entity that a relation joins with this one.
    pub(crate) fn linked_to(&self, chain: &str) -> impl Iterator<Item = &[&'d Data]> {
        let others = self.links.get(chain).into_iter().flatten();
        others.filter_map(|other| self.versions.get(other)).map(Vec::as_slice)
    }
}

pub(crate) fn is_incident(versions: &[&Data]) -> bool {
    newest(versions)["data"]["type"] == "incident"
}

/// The entity's UUID: that of its first version.
pub(crate) fn root(versions: &[&Data]) -> Uuid {
    uuid_at_end(text(&versions[0]["data"]["id"])).parse().unwrap()
}

pub(crate) fn newest<'d>(versions: &[&'d Data]) -> &'d Data {
    versions.last().unwrap()
}

/// Ids that mean the same entity.
#[derive(Default)]
struct Chains(BTreeMap<String, String>);

impl Chains {
    fn of(&self, id: &str) -> String {
        let mut id = uuid_at_end(id);
        while let Some(other) = self.0.get(&id) {
            id.clone_from(other);
        }
        id
    }

    fn join(&mut self, one: &str, other: &str) {
        let (one, other) = (self.of(one), self.of(other));
        if one != other {
            self.0.insert(one, other);
        }
    }
}

fn incident(incident: &Data, linked: Vec<&Data>) -> Incident {
    let (data, meta) = (&incident["data"], &incident["meta"]);
    let colour = colour(incident);
    let mut tags: BTreeSet<String> = colour.map(tlp).into_iter().collect();
    if let Some(letter) = meta["source_reliability"].as_str() {
        let letter = letter.to_lowercase();
        tags.insert(format!("admiralty-scale:source-reliability=\"{letter}\""));
    }
    let leaves = meta["taxonomy_paths"].as_array().into_iter().flatten();
    let leaves = leaves.filter_map(|path| path.as_array().unwrap().last());
    let names = meta["tags"].as_array().into_iter().flatten().chain(leaves).map(text);
    let is_sent = |name: &&str| {
        *name != "IDS"
            && !name.starts_with("misp-galaxy:")
            && !(colour.is_some() && name.to_lowercase().starts_with("tlp:"))
    };
    tags.extend(names.filter(is_sent).map(folded));
    let mut attributes: BTreeMap<Key, Vec<Given>> = BTreeMap::new();
    for entity in std::iter::once(incident).chain(linked) {
        for (key, given) in given(entity) {
            attributes.entry(key).or_default().push(given);
        }
    }
    Incident {
        info: folded(title(incident)),
        date: meta["estimated_threat_start_time"]
            .as_str()
            .map_or("", |time| &time[..10])
            .to_owned(),
        analysis: match data["status"].as_str().unwrap_or_default() {
            "Closed" | "Rejected" | "Deleted" => 2,
            "New" => 0,
            _ => 1,
        },
        attributes: attributes.into_iter().map(|(key, all)| (key, called(colour, &all))).collect(),
        tags,
        colour,
    }
}

/// What one entity says of one attribute.
struct Given {
    category: &'static str,
    to_ids: bool,
    title: String,
    start: Option<i64>,
    end: Option<i64>,
    colour: Colour,
}

fn given(entity: &Data) -> Vec<(Key, Given)> {
    let tagged = entity["meta"]["tags"].as_array().into_iter().flatten().any(|tag| tag == "IDS");
    let end = micros(&entity["meta"]["estimated_threat_end_time"]);
    let is_over = end.is_some_and(|end| end < NOW);
    let mut found = Vec::new();
    let mut give = |kind: &str, category: &'static str, value: &str, to_ids: bool| {
        let kind = AttributeType::named(kind).unwrap();
        let Ok(value) = normalise(kind, value) else { return };
        let title = folded(title(entity)).chars().take(120).collect();
        let start = micros(&entity["meta"]["estimated_threat_start_time"]);
        let given = Given { category, to_ids, title, start, end, colour: colour(entity) };
        found.push(((kind.name().to_owned(), value.to_string()), given));
    };
    if entity["data"]["type"] == "threat-actor" {
        give("threat-actor", "Attribution", title(entity), false);
    }
    for extract in entity["extracts"].as_array().unwrap() {
        let links: Vec<&str> = extract["instance_meta"]["link_types"]
            .as_array()
            .into_iter()
            .flatten()
            .map(text)
            .collect();
        let class = extract["meta"]["classification"].as_str();
        let wanted = class == Some("bad") || links.contains(&"test-mechanism") || tagged;
        let Some((kind, category, detects, value)) =
            mapped(text(&extract["kind"]), text(&extract["value"]), &links)
        else {
            continue;
        };
        give(kind, category, &value, detects && wanted && !is_over && class != Some("good"));
    }
    found
}

fn called(incident: Colour, all: &[Given]) -> Called {
    let mut colours: BTreeSet<Colour> = all.iter().map(|given| given.colour).collect();
    colours.insert(incident);
    let strictest = colours.iter().flatten().max().copied();
    let titles: BTreeSet<&str> = all.iter().map(|given| given.title.as_str()).collect();
    let comment: String = titles.into_iter().collect::<Vec<_>>().join("; ");
    let comment: String = comment.chars().take(120).collect();
    let first_seen = all.iter().filter_map(|given| given.start).min();
    let last_seen = all.iter().filter_map(|given| given.end).max();
    let shape = Shape {
        category: all[0].category.to_owned(),
        to_ids: all.iter().any(|given| given.to_ids),
        comment: comment.trim_end().to_owned(),
        first_seen,
        // MISP refuses an end before the beginning.
        last_seen: last_seen.filter(|last| first_seen.is_none_or(|first| first <= *last)),
        tags: strictest.filter(|_| strictest > incident).map(tlp).into_iter().collect(),
    };
    Called { shape, colours }
}

/// MISP type, category, whether the type is for detection by default, and the value; none for a kind
/// that is not mapped.
pub fn mapped(
    kind: &str,
    value: &str,
    links: &[&str],
) -> Option<(&'static str, &'static str, bool, String)> {
    let network = "Network activity";
    let delivery = "Payload delivery";
    let without_dot = value.strip_suffix('.').unwrap_or(value);
    let (kind, category, detects, value) = match kind {
        "ipv4" | "ipv6" => ("ip-dst", network, true, value),
        "domain" => ("domain", network, true, value),
        "host" if without_dot.parse::<IpAddr>().is_ok() => ("ip-dst", network, true, without_dot),
        "host" => ("hostname", network, true, without_dot),
        "uri" if value.contains("://") && has_scheme(value) => ("url", network, true, value),
        "uri" => ("uri", network, true, value),
        "email" => ("email", delivery, true, value),
        "email-subject" => ("email-subject", delivery, false, value),
        "file" => ("filename", delivery, true, value),
        "hash-md5" => ("md5", delivery, true, value),
        "hash-sha1" => ("sha1", delivery, true, value),
        "hash-sha256" => ("sha256", delivery, true, value),
        "hash-imphash" => ("imphash", delivery, true, value),
        "hash-authentihash" => ("authentihash", delivery, true, value),
        "mutex" => ("mutex", "Artifacts dropped", true, value),
        "winregistry" => ("regkey", "Persistence mechanism", true, value),
        "port" => ("port", network, false, value),
        "yara" => ("yara", "Payload installation", true, value),
        "snort" => ("snort", network, true, value),
        "user-agent" => ("user-agent", network, false, value),
        "malware" => ("malware-type", delivery, false, value),
        "actor-id" => ("threat-actor", "Attribution", false, value),
        "cve" if !value.to_uppercase().starts_with("CVE") => {
            let value = format!("CVE-{value}");
            return Some(("vulnerability", "External analysis", false, value));
        }
        "cve" => ("vulnerability", "External analysis", false, value),
        "country" if links.contains(&"targeted-victim") => {
            ("target-location", "Targeting data", false, value)
        }
        _ => return None,
    };
    Some((kind, category, detects, value.to_owned()))
}

/// The keys that an observable of a dataset can have, as the expectations name it: without its links.
pub fn key(kind: &str, value: &str) -> Option<Key> {
    let (kind, _, _, value) = mapped(kind, value, &[])?;
    let kind = AttributeType::named(kind).unwrap();
    Some((kind.name().to_owned(), normalise(kind, &value).ok()?.to_string()))
}

fn has_scheme(value: &str) -> bool {
    let scheme = value.split("://").next().unwrap_or_default();
    !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b))
}

fn title(entity: &Data) -> &str {
    entity["meta"]["title"].as_str().unwrap_or_else(|| text(&entity["data"]["title"]))
}

fn folded(title: &str) -> String {
    fold_bmp(title).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn colour(entity: &Data) -> Colour {
    let meta = &entity["meta"];
    let name = meta["tlp_color_override"].as_str().or_else(|| meta["tlp_color"].as_str());
    // What `handling` says in contradiction holds where it is stricter.
    let handling = entity["data"]["handling"].as_array().into_iter().flatten();
    let structures = handling.flat_map(|each| each["marking_structures"].as_array()).flatten();
    let named = name.into_iter().chain(structures.filter_map(|each| each["color"].as_str()));
    let place = |name: &str| {
        let name = name.to_lowercase().replace("white", "clear");
        COLOURS.iter().position(|colour| *colour == name).unwrap()
    };
    named.map(place).max()
}

fn tlp(colour: usize) -> String {
    format!("tlp:{}", COLOURS[colour])
}

fn micros(time: &Data) -> Option<i64> {
    Some(time.as_str()?.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

pub(crate) fn text(value: &Data) -> &str {
    value.as_str().unwrap()
}

fn uuid_at_end(id: &str) -> String {
    id[id.len() - 36..].to_lowercase()
}

/// A stored attribute in the terms of the reading.
pub fn seen(view: &AttributeView) -> (Key, Shape) {
    let shape = Shape {
        category: view.category.name().to_owned(),
        to_ids: view.to_ids,
        comment: view.comment.clone(),
        first_seen: view.first_seen,
        last_seen: view.last_seen,
        tags: view.tags.iter().cloned().collect(),
    };
    ((view.kind.name().to_owned(), view.value.clone()), shape)
}

/// The attributes of a reading without what policy needs.
pub fn shapes(incident: &Incident) -> BTreeMap<Key, Shape> {
    incident.attributes.iter().map(|(key, called)| (key.clone(), called.shape.clone())).collect()
}

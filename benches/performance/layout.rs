//! What each step from a body as a script writes it to the one that is sent gains, in bytes.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::{
    dataset::{Size, eclecticiq},
    section::{Claim, Section, Table},
};
use misp_trickle::{
    delivery::{Call, TimedAttribute},
    format::{self, Format},
    graph::{Aliases, Graph, Options},
    mapper::{self, Rules},
    misp::{Attribute, event_uuid},
    model::{EntityKey, Symbol, Timestamp},
    remote::{self, Encoding},
};

const NOW: i64 = 1_720_000_000;
const COUNTS: [usize; 3] = [10, 100, 1_000];
/// Incompressible: a UUID, and what a value holds of chance, in bytes.
const OF_UUID: f64 = 16.0;

/// What an attribute is written as.
type Write = fn(&Attribute) -> String;

pub(crate) fn measure(_: bool) -> Section {
    let mut section = Section::new(
        "layout",
        "The layout of a body",
        &[
            "Bytes of one body of attributes, of a mixture of hashes, domains, URLs, addresses and names of files. Each step is \
             taken on top of the one before. *as a script writes it*: all fields that PyMISP writes, with blanks, sorted by \
             name. *sent* is what misp-trickle makes of the same attributes: in the order of their UUIDs.",
        ],
    );
    for count in COUNTS {
        let attributes = attributes(count);
        let mut table = Table {
            caption: format!("{count} attributes"),
            columns: ["step", "plain", "gzip", "brotli", "brotli, bytes each"]
                .map(str::to_owned)
                .to_vec(),
            rows: Vec::new(),
        };
        let mut last = 0;
        for (name, body) in steps(&attributes) {
            let sizes = [Encoding::Plain, Encoding::Gzip, Encoding::Brotli]
                .map(|encoding| remote::compress(body.clone(), encoding).0.len());
            last = sizes[2];
            let each = format!("{:.1}", sizes[2] as f64 / count as f64);
            let sizes = sizes.map(|size| size.to_string());
            table.rows.push([vec![name.to_owned()], sizes.to_vec(), vec![each]].concat());
        }
        let least: f64 = attributes.iter().map(|it| OF_UUID + chance(it)).sum();
        section.claims.push(Claim {
            what: format!("a body of {count} attributes, in times of what of it is chance"),
            measured: last as f64 / least,
            most: 2.0,
            goal: None,
            limit: format!("UUIDs and the digits of values, {least:.0} B: 1"),
        });
        section.tables.push(table);
    }
    section
}

/// Attributes as they come from a dataset.
fn attributes(count: usize) -> Vec<Attribute> {
    let observables = count.try_into().expect("a small number");
    let bytes = eclecticiq(Size { incidents: 1, observables });
    let facts = format::decode(&*bytes, &Symbol::new("bench"), Format::Auto).expect("it is sound");
    let graph = Graph::build(facts, &Aliases::default(), &Options::default());
    let incident = graph.incidents().next().expect("there is one");
    let now = Timestamp::from_seconds(NOW);
    let event = mapper::map(&incident, event_uuid(incident.root), &Rules::standard(), now).event;
    event.attributes.into_iter().map(|desired| desired.attribute).collect()
}

fn steps(attributes: &[Attribute]) -> Vec<(&'static str, Vec<u8>)> {
    let mut shuffled: Vec<Attribute> = attributes.to_vec();
    shuffled.sort_by_key(|attribute| attribute.uuid);
    let mut sorted = shuffled.clone();
    sorted.sort_by_key(|it| (it.kind.name(), it.value.as_str().to_owned()));
    let body = |of: &[Attribute], write: Write, apart: &str| {
        let written: Vec<String> = of.iter().map(write).collect();
        format!("{{\"Attribute\":{apart}[{}]}}", written.join(&format!(",{apart}"))).into_bytes()
    };
    let timed = |of: &[Attribute]| {
        let timed = |it: &Attribute| TimedAttribute { attribute: it.clone(), timestamp: NOW };
        let (event, attributes) =
            (event_uuid(&EntityKey::of("an event")), of.iter().map(timed).collect());
        remote::encode(&Call::AppendQuietly { event, attributes }, true).body
    };
    vec![
        ("as a script writes it", body(&shuffled, all, " ")),
        ("without blanks", body(&shuffled, dense, "")),
        ("constant fields left out", body(&shuffled, short, "")),
        ("fields in the order of the client", timed(&shuffled)),
        ("sorted by type and value", timed(&sorted)),
        ("sent", timed(attributes)),
    ]
}

fn fields(attribute: &Attribute) -> Map<String, Value> {
    let fields = json!({
        "category": attribute.category.name(), "comment": &*attribute.comment, "deleted": false,
        "disable_correlation": false, "distribution": "5", "to_ids": attribute.to_ids,
        "timestamp": NOW.to_string(), "type": attribute.kind.name(),
        "uuid": attribute.uuid.to_string(), "value": attribute.value.as_str(),
    });
    let Value::Object(mut fields) = fields else { unreachable!("it is written as one") };
    for (name, time) in [("first_seen", attribute.first_seen), ("last_seen", attribute.last_seen)] {
        fields.extend(time.map(|time| (name.to_owned(), time.to_string().into())));
    }
    fields
}

fn all(attribute: &Attribute) -> String {
    let mut text = String::from("{");
    for (name, value) in fields(attribute) {
        let comma = if text.len() > 1 { ", " } else { "" };
        write!(text, "{comma}\"{name}\": {value}").expect("writing to a String never fails");
    }
    text + "}"
}

fn dense(attribute: &Attribute) -> String {
    Value::Object(fields(attribute)).to_string()
}

fn short(attribute: &Attribute) -> String {
    let mut fields = fields(attribute);
    for constant in ["deleted", "disable_correlation", "distribution"] {
        fields.remove(constant);
    }
    if attribute.comment.is_empty() {
        fields.remove("comment");
    }
    if attribute.category == attribute.kind.default_category() {
        fields.remove("category");
    }
    fields.insert("to_ids".to_owned(), u8::from(attribute.to_ids).into());
    fields.insert("timestamp".to_owned(), NOW.into());
    Value::Object(fields).to_string()
}

/// Bytes of a value that nothing foretells: half a byte of each hexadecimal digit.
fn chance(attribute: &Attribute) -> f64 {
    let digits = attribute.value.as_str().bytes().filter(u8::is_ascii_hexdigit).count();
    digits as f64 / 2.0
}

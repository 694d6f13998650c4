//! Packages in the shapes that EclecticIQ JSON has in the wild: each becomes what `expected.txt` beside them says,
//! and what is not read is said.

#![allow(missing_docs, clippy::unwrap_used)]

use std::{collections::BTreeSet, fmt::Write, path::Path};

use misp_trickle::{
    agent::Input,
    format::Format,
    graph::{self, Aliases},
    mapper::{Rules, map, unlinked},
    misp::event_uuid,
    model::Timestamp,
    source::SourceSpec,
};

const FOLDER: &str = "tests/data/eclecticiq";
/// Most ids of the packages begin so.
const UUID: &str = "7c1e0000-0000-4000-8000-0000000000";

/// What becomes of a package: events with uuid, date, analysis and tags, their attributes (`+` detects), losses,
/// and what is said.
fn told(name: &str) -> String {
    let spec = SourceSpec::File(Path::new(FOLDER).join(format!("{name}.json")));
    let options = graph::Options::default();
    let input = match Input::read_source(&spec, Format::Auto, &Aliases::default(), &options, None) {
        Ok(input) => input,
        Err(_) => return "refused\n".to_owned(),
    };
    let (rules, now) = (Rules::standard(), Timestamp::from_seconds(1_796_000_000));
    let mut told = String::new();
    for incident in input.graph.incidents() {
        let mapped = map(&incident, event_uuid(incident.root), &rules, now);
        assert!(mapped.tally.adds_up(), "{name}");
        let fields = &mapped.event.fields;
        let uuid = mapped.event.uuid.to_string().replace(UUID, "…");
        let tags = fields.tags.join(", ");
        writeln!(told, "event {uuid} {} {} {tags}", fields.date, fields.analysis).unwrap();
        let rows = mapped.event.attributes.iter().map(|desired| {
            let it = &desired.attribute;
            format!("{} {:?}{}", it.kind, it.value.as_str(), if it.to_ids { " +" } else { "" })
        });
        for row in rows.collect::<BTreeSet<_>>() {
            writeln!(told, "    {row}").unwrap();
        }
        for (reason, count) in &mapped.tally.lost {
            writeln!(told, "    lost {count}: {reason}").unwrap();
        }
    }
    match unlinked(&input.graph).count() {
        0 => {}
        count => writeln!(told, "not linked {count}").unwrap(),
    }
    for note in input.notes() {
        writeln!(told, "{}", note.split_once(".json").map_or(&*note, |(_, note)| note)).unwrap();
    }
    told
}

#[test]
fn every_package_becomes_what_is_expected() {
    let expected = std::fs::read_to_string(Path::new(FOLDER).join("expected.txt")).unwrap();
    let mut expected = expected.split("== ").skip(1).map(|case| case.split_once('\n').unwrap());
    let mut names = BTreeSet::new();
    for (name, wanted) in expected.by_ref() {
        assert_eq!(told(name), wanted.trim_end().to_owned() + "\n", "{name}");
        names.insert(name.to_owned());
    }
    let files = std::fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path());
    let packages = files.filter(|path| path.extension().is_some_and(|it| it == "json"));
    let stem = |path: std::path::PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    assert_eq!(packages.map(stem).collect::<BTreeSet<_>>(), names);
}

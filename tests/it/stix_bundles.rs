//! Published STIX 2.1 bundles, good ones and odd ones: each is read, mapped and delivered, and every
//! occurrence is accounted for.

#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use misp_trickle::{
    agent::{Ending, Input},
    format::Format,
    graph::{self, Aliases},
    mapper::{Rules, Tally, map, unlinked},
    misp::event_uuid,
    model::{Symbol, Timestamp},
    source::SourceSpec,
};
use misp_trickle_testing::world;
use serde_json::Value as Data;
use world::{World, shared};

const ROOTS: [&str; 3] = ["incident", "report", "grouping"];

fn bundles() -> Option<Vec<PathBuf>> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(&shared("stix")?, &mut found);
    found.sort();
    assert_eq!(found.len(), 137, "all bundles of the data are there");
    Some(found)
}

fn options() -> graph::Options {
    graph::Options { roots: ROOTS.map(Symbol::new).into(), ..graph::Options::default() }
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// Objects of a bundle, and the ids of those that are roots: read as plain JSON.
fn plain(path: &Path) -> (usize, BTreeSet<String>) {
    let bundle: Data = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let objects = bundle["objects"].as_array().map_or(&[][..], Vec::as_slice);
    let is_root = |object: &&Data| {
        ROOTS.iter().any(|kind| object["type"] == *kind) && object["revoked"] != true
    };
    let id = |object: &Data| object["id"].as_str().unwrap_or_default().to_owned();
    (objects.len(), objects.iter().filter(is_root).map(id).collect())
}

#[test]
fn every_bundle_is_mapped_and_every_occurrence_accounted_for() {
    let Some(bundles) = bundles() else { return };
    let rules = Rules::standard();
    let now = Timestamp::from_seconds(1_750_000_000);
    let mut total = Tally::default();
    let (mut incidents, mut with_roots) = (0, 0);
    println!("objects incidents mapped merged  lost  file");
    for path in &bundles {
        let spec = SourceSpec::File(path.clone());
        let input =
            Input::read_source(&spec, Format::Auto, &Aliases(BTreeMap::new()), &options(), None);
        let input = input.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (objects, roots) = plain(path);
        let mut tally = Tally::default();
        let mut found = BTreeSet::new();
        for incident in input.graph.incidents() {
            found.insert(incident.entity.id.to_string());
            let mapped = map(&incident, event_uuid(incident.root), &rules, now);
            let own = &mapped.tally;
            assert!(own.adds_up(), "{}: {own:?}", name(path));
            assert_eq!(own.mapped as usize, mapped.event.attributes.len(), "{}", name(path));
            assert_eq!(own.lost_total() as usize, mapped.losses.len(), "{}", name(path));
            let values: BTreeSet<_> = mapped
                .event
                .attributes
                .iter()
                .map(|it| (it.attribute.kind, it.attribute.value.clone()))
                .collect();
            assert_eq!(values.len(), mapped.event.attributes.len(), "one attribute for each value");
            assert!(mapped.event.attributes.iter().all(|it| !it.sources.is_empty()));
            tally.add(own);
        }
        for loss in unlinked(&input.graph) {
            tally.lose(&loss.reason);
        }
        assert!(tally.adds_up());
        assert_eq!(found, roots, "{}: {:?}", name(path), input.notes());
        let Tally { mapped, merged, lost, .. } = &tally;
        println!(
            "{objects:>7} {:>9} {mapped:>6} {merged:>6} {:>5}  {} {lost:?}",
            found.len(),
            tally.lost_total(),
            name(path),
        );
        incidents += found.len();
        with_roots += usize::from(!found.is_empty());
        total.add(&tally);
    }
    println!("{} bundles, {with_roots} with roots, {incidents} roots: {total:#?}", bundles.len());
    assert!(total.adds_up());
    assert!(incidents > 30 && total.mapped > 1_000, "the bundles say something");
}

#[test]
fn every_bundle_is_delivered_once() {
    let Some(bundles) = bundles() else { return };
    let mut sent = 0;
    for path in &bundles {
        let mut world = World::new("sync");
        world.job.graph = options();
        let summary = world.sync(path);
        let expected = if summary.run.dataset.skipped > 0 { Ending::Partial } else { Ending::Done };
        assert_eq!(summary.ending, expected, "{}: {:?}", name(path), summary.run.notes);
        let tally = summary.run.tally.attributes;
        assert_eq!((tally.rejected, tally.pending, tally.blocked), (0, 0, 0), "{}", name(path));
        let misp = world.misp.lock().unwrap();
        let held: usize = misp.events().iter().map(|it| misp.attributes(it.uuid).len()).sum();
        drop(misp);
        assert_eq!(held as u64, tally.sent, "{}", name(path));
        assert_eq!(tally.planned, tally.sent, "{}", name(path));
        sent += tally.sent;
        let requests = world.requests();
        let again = world.sync(path);
        assert_eq!(world.requests(), requests, "{}: nothing is new", name(path));
        assert_eq!(again.run.tally.attributes.unchanged, tally.sent, "{}", name(path));
    }
    assert!(sent > 1_000, "{sent}");
}

//! A run that finds nothing to do, against what it takes to read the same bytes at all.

use std::hint::black_box;

use crate::{
    dataset::{Size, eclecticiq},
    section::{Claim, Section, Table},
    shape,
    spent::of_this_thread,
    stage::Stage,
};
use misp_trickle::{
    format::{self, Format},
    model::Symbol,
};

/// Of several readings the quickest counts: what else the machine does makes it only slower.
const READINGS: u32 = 5;
/// So many times what the limit takes decoding is to take.
const DECODING: f64 = 3.0;
/// So much memory a run over a million observables is to take, in megabytes; and what it takes now.
const MEMORY: f64 = 120.0;
const MEMORY_NOW: f64 = 480.0;
const MEMORY_OF: u32 = 1_000_000;
const OF_INCIDENT: u32 = 250;

pub(crate) fn measure(measures: bool) -> Section {
    let mut section = Section::new(
        "idle",
        "A run that finds nothing to do",
        &[
            "The limit is `serde_json` reading the same bytes from memory into ignored values: it proves that they are \
             JSON, and keeps nothing. Processor time of one thread; the quickest of five.",
        ],
    );
    let mut table = Table {
        caption: "Reading".to_owned(),
        columns: ["dataset", "MB", "`serde_json`: MB/s", "decoding: MB/s", "times"]
            .map(str::to_owned)
            .to_vec(),
        rows: Vec::new(),
    };
    let incidents = if measures { 800 } else { 2 };
    for (name, bytes, most) in [
        ("EclecticIQ JSON", eclecticiq(Size { incidents, observables: OF_INCIDENT }), 20.0),
        ("STIX 2.1", shape::events(incidents * OF_INCIDENT / 4, 1), 20.0),
    ] {
        reading(&mut section, &mut table, (name, &bytes), most);
    }
    section.tables.push(table);
    run(&mut section, if measures { MEMORY_OF } else { 1_000 });
    section
}

fn quickest(mut work: impl FnMut()) -> f64 {
    let times = (0..READINGS).map(|_| {
        let before = of_this_thread();
        work();
        of_this_thread() - before
    });
    times.fold(f64::INFINITY, f64::min)
}

fn reading(section: &mut Section, table: &mut Table, (name, bytes): (&str, &[u8]), most: f64) {
    let limit = quickest(|| {
        let read = serde_json::from_slice::<serde::de::IgnoredAny>(black_box(bytes));
        black_box(read).expect("it is JSON");
    });
    let decoding = quickest(|| {
        let facts = format::decode(black_box(bytes), &Symbol::new("bench"), Format::Auto);
        black_box(facts).expect("the dataset is sound");
    });
    let megabytes = bytes.len() as f64 / 1e6;
    let [limits, ours] = [limit, decoding].map(|seconds| format!("{:.0}", megabytes / seconds));
    let times = decoding / limit;
    table.rows.push(vec![
        name.to_owned(),
        format!("{megabytes:.0}"),
        limits,
        ours,
        format!("{times:.2}"),
    ]);
    section.claims.push(Claim {
        what: format!("decoding {name}, in times of reading it into ignored values"),
        measured: times,
        most,
        goal: Some(DECODING),
        limit: "`serde_json` into ignored values: 1".to_owned(),
    });
}

/// A whole run, nothing of which is new.
fn run(section: &mut Section, observables: u32) {
    let (stage, size) =
        (Stage::new(1, 1), Size { incidents: observables / OF_INCIDENT, observables: OF_INCIDENT });
    let mut bytes = eclecticiq(size);
    stage.over(&bytes, &["sync"]);
    bytes.push(b'\n');
    let spent = stage.over(&bytes, &["sync"]);
    let limit = quickest(|| {
        let read = serde_json::from_slice::<serde::de::IgnoredAny>(black_box(&bytes));
        black_box(read).expect("it is JSON");
    });
    section.tables.push(Table {
        caption: format!("A whole run over {observables} observables, unchanged"),
        columns: ["", "processor time, s", "peak of memory, MB"].map(str::to_owned).to_vec(),
        rows: vec![
            vec![
                "`sync`".into(),
                format!("{:.2}", spent.seconds),
                format!("{:.0}", spent.megabytes),
            ],
            vec!["`serde_json` into ignored values".into(), format!("{limit:.2}"), "-".into()],
        ],
    });
    section.claims.push(Claim {
        what: format!("memory of an unchanged run over {observables} observables from a file, MB"),
        measured: spent.megabytes,
        most: MEMORY_NOW,
        goal: Some(MEMORY),
        limit: format!("the file: {:.0} MB", bytes.len() as f64 / 1e6),
    });
}

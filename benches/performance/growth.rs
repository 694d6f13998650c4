//! How the cost of a run grows with the dataset, an event, the history, and the number of destinations.

use crate::{
    curve::{self, Curve, FLAT, LINEAR},
    dataset::{Size, changed, eclecticiq},
    section::Section,
    stage::Stage,
};

/// Observables of an incident where there are many incidents.
const OF_INCIDENT: u32 = 250;
/// Runs whose mean is one figure, where one run takes a few ticks of the kernel.
const REPEATED: u32 = 20;
/// One in so many changes, spread over all events.
const EACH: u64 = 100;

/// Sizes of each family; few and small ones where it is only tried whether all of it runs.
pub(crate) struct Sizes {
    pub(crate) observables: Vec<u32>,
    pub(crate) attributes: Vec<u32>,
    pub(crate) runs: Vec<u32>,
    pub(crate) destinations: Vec<u32>,
}

impl Sizes {
    pub(crate) fn of(measures: bool) -> Self {
        if !measures {
            let (observables, attributes) = (vec![500, 1_000, 2_000], vec![1, 10, 20]);
            return Self { observables, attributes, runs: vec![1, 2, 4], destinations: vec![1, 2] };
        }
        Self {
            observables: vec![10_000, 30_000, 100_000, 300_000, 1_000_000],
            attributes: vec![1, 10, 100, 1_000, 10_000, 30_000, 100_000, 300_000],
            runs: vec![1, 10, 100, 1_000, 10_000],
            destinations: vec![1, 2, 5, 10, 20],
        }
    }
}

fn section(part: &str, family: &str) -> Section {
    let text = match part {
        "observables" => &TEXT[..],
        _ => &["Figures as of the growth with observables."],
    };
    crate::say(format_args!("{family}"));
    Section::new(part, &format!("How cost grows: {family}"), text)
}

const TEXT: [&str; 2] = [
    "Processor time and the peak of memory of the program as a process of its own, by the kernel's count; the MISPs are sandboxes \
     in the process beside it and not counted. The exponent is the slope of the line of least squares through the \
     logarithms, over the three largest sizes: before those the start of a process stands for most of it.",
    "*same bytes*: the source is as it was. *unchanged*: other bytes that mean the same. *one change*: one value of one \
     incident. *1 % changed*: each hundredth value, so that nearly all events change.",
];

fn many(observables: u32) -> Size {
    let observables_each = OF_INCIDENT.min(observables);
    Size { incidents: observables / observables_each, observables: observables_each }
}

pub(crate) fn observables(measures: bool) -> Section {
    let (sizes, mut section) = (
        Sizes::of(measures).observables,
        section("observables", "a dataset of so many observables"),
    );
    let family = "A dataset of so many observables";
    let mut curves = [
        Curve::new("first", LINEAR, Some(LINEAR)),
        Curve::new("same bytes", LINEAR, Some(FLAT)),
        Curve::new("unchanged", LINEAR, Some(LINEAR)),
        Curve::new("one change", LINEAR, Some(LINEAR)),
        Curve::new("1 % changed", LINEAR, Some(LINEAR)),
    ];
    for count in &sizes {
        let (stage, size) = (Stage::new(1, 1), many(*count));
        let mut bytes = eclecticiq(size);
        let mut add = |curve: usize, spent| curves[curve].add((*count).into(), spent);
        add(0, stage.over(&bytes, &["sync"]));
        add(1, stage.run(&["sync"]).spent);
        bytes.push(b'\n');
        add(2, stage.over(&bytes, &["sync"]));
        add(3, stage.over(&changed(size, |place| u64::from(place == 3)), &["sync"]));
        let each = changed(size, |place| u64::from(place == 3) + 2 * u64::from(place % EACH == 0));
        add(4, stage.over(&each, &["sync"]));
    }
    curve::add_to(&mut section, family, "observables", "observables", &curves);
    section
}

pub(crate) fn attributes(measures: bool) -> Section {
    let (sizes, mut section) =
        (Sizes::of(measures).attributes, section("attributes", "one event of so many attributes"));
    let family = "One event of so many attributes";
    let mut curves = [
        Curve::new("first", LINEAR, Some(LINEAR)),
        Curve::new("unchanged", LINEAR, Some(LINEAR)),
        Curve::new("one more", LINEAR, Some(LINEAR)),
    ];
    for count in &sizes {
        let stage = Stage::new(1, 1);
        let size = Size { incidents: 1, observables: *count };
        let mut bytes = eclecticiq(size);
        let mut add = |curve: usize, spent| curves[curve].add((*count).into(), spent);
        add(0, stage.over(&bytes, &["sync"]));
        bytes.push(b'\n');
        add(1, stage.over(&bytes, &["sync"]));
        let more = Size { observables: count + 1, ..size };
        add(2, stage.over(&eclecticiq(more), &["sync"]));
    }
    curve::add_to(&mut section, family, "attributes", "attributes", &curves);
    section
}

/// Each run changes another value of a dataset that stays as large as it is.
pub(crate) fn runs(measures: bool) -> Section {
    let (sizes, mut section) =
        (Sizes::of(measures).runs, section("runs", "a history of so many runs"));
    let family = "A history of so many runs";
    let mut curves = [
        Curve::new("one change", FLAT, Some(FLAT)),
        Curve::new("status", LINEAR, Some(LINEAR)),
        Curve::new("show @", LINEAR, Some(LINEAR)),
        Curve::new("why of a value", LINEAR, Some(LINEAR)),
        Curve::new("log of all", LINEAR, Some(LINEAR)),
    ];
    let size = Size { incidents: 100, observables: 10 };
    let dataset = |run: u64| {
        let version = |place| (run + size.attributes() - 1 - place) / size.attributes();
        changed(size, version)
    };
    let (stage, mut done) = (Stage::new(1, 1), 0);
    let one = |done: &mut u64| {
        *done += 1;
        stage.over(&dataset(*done), &["sync"])
    };
    let value = first_domain(&dataset(0));
    for count in &sizes {
        while done + u64::from(REPEATED.min(*count)) < u64::from(*count) {
            one(&mut done);
        }
        let (before, mut changes) = (done, crate::spent::Spent::default());
        while done < u64::from(*count) {
            let spent = one(&mut done);
            changes.seconds += spent.seconds;
            changes.megabytes = changes.megabytes.max(spent.megabytes);
        }
        changes.seconds /= (done - before) as f64;
        curves[0].add((*count).into(), changes);
        for (curve, arguments) in
            [&["status"][..], &["show", "@"], &["why", &value], &["log"]].into_iter().enumerate()
        {
            curves[curve + 1].add((*count).into(), stage.repeat(REPEATED, arguments));
        }
    }
    curve::add_to(&mut section, family, "runs", "runs", &curves);
    section
}

fn first_domain(dataset: &[u8]) -> String {
    let text = String::from_utf8_lossy(dataset);
    let behind = text.split_once("\"kind\":\"domain\",\"value\":\"").expect("one is there").1;
    behind.split('"').next().unwrap_or_default().to_owned()
}

pub(crate) fn destinations(measures: bool) -> Section {
    let (sizes, mut section) =
        (Sizes::of(measures).destinations, section("destinations", "so many destinations"));
    let family = "So many destinations";
    let mut curves = [
        Curve::new("first", LINEAR, Some(LINEAR)),
        Curve::new("unchanged", LINEAR, Some(LINEAR)),
        Curve::new("one change", LINEAR, Some(LINEAR)),
    ];
    let size = many(20_000);
    for count in &sizes {
        let stage = Stage::new(*count as usize, 1);
        let mut bytes = eclecticiq(size);
        let mut add = |curve: usize, spent| curves[curve].add((*count).into(), spent);
        add(0, stage.over(&bytes, &["sync"]));
        bytes.push(b'\n');
        add(1, stage.over(&bytes, &["sync"]));
        add(2, stage.over(&changed(size, |place| u64::from(place == 3)), &["sync"]));
    }
    curve::add_to(&mut section, family, "destinations", "destinations", &curves);
    section
}

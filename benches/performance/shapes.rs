//! Work in hostile shapes: by which power of the size time and memory of a run grow.

use crate::{
    curve::{self, Curve, LINEAR},
    dataset::{Size, eclecticiq},
    section::Section,
    shape,
    spent::Spent,
    stage::Stage,
};

/// Each size is twice the one before.
const STEPS: u32 = 4;

/// A hostile shape: a name, the first size, and what is run.
struct Shape {
    name: &'static str,
    file: &'static str,
    first: u32,
    run: fn(&Stage, u32) -> Spent,
}

const SHAPES: [Shape; 6] = [
    Shape {
        name: "tags x values, all tags sent",
        file: "tags",
        first: 500,
        run: |stage, size| stage.over(&shape::tags(size), &["map", "dataset.json"]),
    },
    Shape {
        name: "damaged elements after a large one",
        file: "damaged",
        first: 10_000,
        run: |stage, size| stage.over(&shape::damaged(size), &["map", "dataset.json"]),
    },
    Shape {
        name: "a hub of incidents, plan",
        file: "hub",
        first: 2_000,
        run: |stage, size| stage.over(&shape::hub(size), &["plan"]),
    },
    Shape {
        name: "what a hub of incidents was done to, depth 2, plan",
        file: "impacted",
        first: 2_000,
        run: |stage, size| stage.over(&shape::impacted(size), &["plan"]),
    },
    Shape { name: "lost events", file: "lost", first: 100, run: lost },
    Shape {
        name: "one event of many attributes",
        file: "large",
        first: 40_000,
        run: |stage, size| {
            let size = Size { incidents: 1, observables: size };
            stage.over(&eclecticiq(size), &["sync"])
        },
    },
];

pub(crate) fn measure(measures: bool) -> Section {
    let mut section = Section::new(
        "shapes",
        "Hostile shapes",
        &[
            "What a dataset can be made of to have work multiply. Each in four sizes, each twice the one before; figures as \
           above.",
        ],
    );
    for shape in SHAPES {
        crate::say(format_args!("{}", shape.name));
        let mut curve = Curve::new("run", LINEAR, Some(LINEAR));
        for step in 0..STEPS {
            let size = if measures { shape.first << step } else { 10 << step };
            curve.add(size.into(), (shape.run)(&Stage::new(1, 2), size));
        }
        curve::add_to(&mut section, shape.name, "size", shape.file, &[curve]);
    }
    section.plots.clear();
    section
}

/// Events of which a third is gone from MISP when all of them get another value.
fn lost(stage: &Stage, size: u32) -> Spent {
    stage.over(&shape::events(size, 1), &["sync"]);
    let events = stage.misp(0).lock().expect("nobody panicked").events();
    for event in events.iter().step_by(3) {
        stage.post(&format!("/events/delete/{}", event.uuid));
    }
    stage.misp(0).lock().expect("nobody panicked").set_blocklist([]);
    stage.over(&shape::events(size, 2), &["sync"])
}

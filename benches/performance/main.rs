//! Makes docs/performance.md: what the work costs, beside the limit or the peer, with plots.
//!
//! `cargo bench --bench performance` measures all parts and writes the page; with the name of a part behind `--`
//! that part alone (see `PARTS`). The figures of each part are kept in
//! docs/performance. It fails where a figure is above what the page claims.

#[path = "../support/dataset.rs"]
mod dataset;
#[path = "../support/shape.rs"]
mod shape;
#[path = "../support/spent.rs"]
mod spent;

mod curve;
mod delivery;
mod fit;
mod growth;
mod idle;
mod layout;
mod page;
mod peers;
mod plot;
mod section;
mod shapes;
mod stage;
mod store;
mod trickle;
mod writers;

use std::{env, process::ExitCode};

use section::Section;

/// A part of the page; whether it measures, or only tries if all of it runs.
type Part = fn(bool) -> Section;

const PARTS: [(&str, Part); 11] = [
    ("observables", growth::observables),
    ("attributes", growth::attributes),
    ("runs", growth::runs),
    ("destinations", growth::destinations),
    ("delivery", delivery::measure),
    ("shapes", shapes::measure),
    ("writers", writers::measure),
    ("store", store::measure),
    ("idle", idle::measure),
    ("peers", peers::measure),
    ("layout", layout::measure),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    // Without it, it is only tried whether all parts run, and nothing is kept.
    let measures = arguments.iter().any(|argument| argument == "--bench");
    let wanted = arguments.iter().find(|argument| !argument.starts_with("--"));
    let mut broken = Vec::new();
    for (name, part) in PARTS {
        if wanted.is_some_and(|wanted| wanted != name) {
            continue;
        }
        say(format_args!("== {name}"));
        let section = part(measures);
        let claims = section.claims.iter().inspect(|claim| {
            say(format_args!(
                "  {:>6.2} of at most {:.2}: {}",
                claim.measured, claim.most, claim.what
            ));
        });
        broken.extend(claims.filter(|claim| !claim.holds()).map(|claim| claim.what.clone()));
        if measures {
            section.keep(name).expect("docs/performance can be written");
        }
    }
    if measures {
        page::write(&PARTS.map(|(name, _)| name)).expect("docs can be written");
    }
    if measures && !broken.is_empty() {
        say(format_args!("above what docs/performance.md claims:\n  {}", broken.join("\n  ")));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

#[expect(clippy::print_stdout, reason = "a bench prints what it measured")]
fn say(line: std::fmt::Arguments<'_>) {
    println!("{line}");
}

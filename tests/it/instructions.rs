//! Instructions of reading, joining and mapping, which every run does that finds its source changed, counted by
//! callgrind: a machine that is busy changes no figure, so what grows here is the program.
//!
//! Of two sizes the difference is taken, so that the start of a process is not in it, and of three that difference twice, so
//! that a cost that grows faster than the dataset is seen. The limits are those of an unoptimised build, a twentieth above
//! what was counted; whoever makes a path cheaper lowers its limit. What opens a store is not counted: its threads wait by
//! turning round, and never execute the same twice.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use misp_trickle_testing::{
    dataset::Dataset,
    program::{Place, Sandbox, binary, seen},
    stix,
};

/// Observables of each incident of EclecticIQ.
const OF_INCIDENT: usize = 20;

/// A path through the program.
struct Path {
    name: &'static str,
    /// A dataset of so many incidents.
    dataset: fn(u16) -> String,
    /// Attributes of each of them.
    of_incident: usize,
    /// Three sizes, evenly apart.
    incidents: [u16; 3],
    /// Instructions for one attribute.
    most: usize,
}

const PATHS: [Path; 2] = [
    Path {
        name: "EclecticIQ JSON",
        dataset: eclecticiq,
        of_incident: OF_INCIDENT,
        incidents: [20, 60, 100],
        most: 195_000,
    },
    Path {
        name: "STIX 2.1",
        dataset: |incidents| stix::bundle(&stix::incidents(1..=incidents.into())),
        of_incident: 1,
        incidents: [100, 300, 500],
        most: 880_000,
    },
];

fn eclecticiq(incidents: u16) -> String {
    let mut set = Dataset::default();
    for number in 1..=incidents {
        let incident = set.incident(number);
        for place in 0..OF_INCIDENT {
            let of = usize::from(number) * OF_INCIDENT + place;
            match place % 3 {
                0 => incident.observe("domain", &format!("host-{of}.example.com")),
                1 => incident.observe("ipv4", &format!("198.18.{}.{}", of / 250, of % 250)),
                _ => incident.observe("hash-sha256", &blake3::hash(&of.to_le_bytes()).to_string()),
            };
        }
    }
    std::fs::read_to_string(set.write()).unwrap()
}

/// What the program executes to map a dataset of so many incidents.
fn instructions(place: &Place, path: &Path, incidents: u16) -> usize {
    place.write("counted.json", &(path.dataset)(incidents));
    let mut command = Command::new("valgrind");
    place
        .clean(&mut command)
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(binary())
        .args(["map", "counted.json", "--total"]);
    let seen = seen(&mut command).code(0);
    let attributes = usize::from(incidents) * path.of_incident;
    assert!(seen.data.contains(&attributes.to_string()), "{}", seen.data);
    let (_, behind) = seen.talk.split_once("Collected : ").unwrap();
    behind.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn an_attribute_takes_no_more_instructions_than_it_did() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("!!!! SKIPPED: no valgrind, so no instructions were counted");
        return;
    }
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    for path in PATHS {
        let [small, middle, large] =
            path.incidents.map(|incidents| instructions(&place, &path, incidents));
        let more = usize::from(path.incidents[1] - path.incidents[0]) * path.of_incident;
        let (near, far) = ((middle - small) / more, (large - middle) / more);
        println!("{}: {near} and {far} instructions an attribute", path.name);
        assert!(near.max(far) <= path.most, "{}: at most {}", path.name, path.most);
        assert!(far * 20 <= near * 21, "{}: {far} behind {near}: it grows", path.name);
    }
}

//! One pack of all comes to what all packs come to.

use super::*;
use crate::graph::{Aliases, Graph, Options};

/// All that is known of a fold and its dataset, but for how many packs there are.
fn content(files: &MemoryFiles) -> impl PartialEq + std::fmt::Debug + use<> {
    let mirror = mirror(files);
    let fold = mirror.fold().unwrap();
    let facts = mirror.facts(&fold).unwrap();
    let counts =
        (facts.skipped, facts.coverage.clone(), facts.entities.len(), facts.relations.len());
    let graph = Graph::build(facts, &Aliases::default(), &Options::default());
    let incidents: Vec<_> = graph.incidents().map(|incident| incident.digest).collect();
    let (gone, damaged) = (fold.gone().to_vec(), fold.damaged().to_vec());
    (
        (fold.digest(), fold.basis(), fold.bookmark().cloned(), fold.objects(), gone, damaged),
        (counts, incidents),
    )
}

fn history(first: Act) -> Vec<Vec<Act>> {
    let marked =
        bundle(&[object(5, 1, "e", "")]).replace("\"objects\"", "\"tlp\":\"amber\",\"objects\"");
    let broken = format!(r#"{{"type":"relationship","id":"{}"}}"#, id_of(8));
    vec![
        vec![
            first,
            objects(&[object(1, 1, "a", "red"), object(2, 1, "b", ""), object(3, 1, "c", "")]),
            End("1"),
        ],
        vec![
            Delta,
            Document("marked", marked),
            Document("bad", bundle(&["{}", &broken])),
            End("2"),
        ],
        vec![
            Delta,
            Remove(2),
            objects(&[object(1, 1, "a2", "green"), object(1, 2, "a3", "green")]),
            End("3"),
        ],
        vec![
            Delta,
            Remove(3),
            Remove(7),
            objects(&[object(5, 1, "e", ""), object(3, 2, "back", "")]),
            End("4"),
        ],
        vec![Delta, Document("alone", object(6, 1, "f", "")), End("5")],
    ]
}

#[test]
fn the_fold_is_the_same_before_and_after() {
    for first in [Whole, Delta] {
        let files = MemoryFiles::default();
        let fold = pulls(&files, history(first));
        let before = content(&files);
        assert!(fold.packs() > 1 && files.names().unwrap().len() > 1);
        let compacted = mirror(&files).compact(&fold).unwrap();
        assert_eq!(compacted.packs(), 1);
        assert_eq!(content(&files), before);
        assert_eq!(files.names().unwrap(), ["000006.jsonl.zst"]);
        let again = mirror(&files).compact(&compacted).unwrap();
        assert_eq!((again.packs(), content(&files)), (1, before));
        // What comes then goes on from there.
        pulls(&files, vec![vec![Delta, objects(&[object(9, 1, "z", "")]), End("6")]]);
        assert!(names(&files).contains(&"z".to_owned()));
    }
}

#[test]
fn a_crash_on_the_way_changes_nothing() {
    let mut steps = 0;
    loop {
        let files = MemoryFiles::default();
        let fold = pulls(&files, history(Whole));
        let before = content(&files);
        files.die_after(steps);
        let done = mirror(&files).compact(&fold).is_ok();
        // Of a process that was killed all that it wrote is there, and looks like no damage.
        files.restart(&mut |limit| if limit == 2 { 0 } else { limit - 1 });
        assert_eq!(mirror(&files).fold().unwrap().strays(), [], "after {steps} steps");
        for seed in [0, 1, 2, 3] {
            files.restart(&mut |limit| seed % limit);
            assert_eq!(content(&files), before, "after {steps} steps");
        }
        if done {
            break;
        }
        steps += 1;
    }
    assert!(steps > 5);
}

#[test]
fn it_is_done_where_half_is_superseded_or_packs_are_many() {
    let files = MemoryFiles::default();
    let long = "x".repeat(500);
    let of =
        |second: u8| vec![Delta, Remove(1), objects(&[object(1, second, &long, "")]), End("1")];
    assert_eq!(pulls(&files, vec![of(1), of(2)]).packs(), 2);
    assert_eq!(pulls(&files, vec![of(3)]).packs(), 1);
    let files = MemoryFiles::default();
    let of = |id: u8| vec![Delta, objects(&[object(id, 1, "a", "")]), End("1")];
    assert_eq!(pulls(&files, (0..64).map(of).collect()).packs(), 64);
    assert_eq!(pulls(&files, vec![of(64)]).packs(), 1);
    assert_eq!(mirror(&files).fold().unwrap().objects(), 65);
}

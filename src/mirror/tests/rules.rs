//! Which of all that came stands.

use super::*;

#[test]
fn a_later_copy_takes_the_place_of_the_same_version_alone() {
    let files = MemoryFiles::default();
    let fold = pulls(
        &files,
        vec![
            vec![Whole, objects(&[object(1, 1, "a", ""), object(2, 1, "b", "")]), End("1")],
            vec![Delta, objects(&[object(1, 1, "a2", ""), object(2, 2, "c", "")]), End("2")],
        ],
    );
    assert_eq!(names(&files), ["a2", "b", "c"]);
    assert_eq!((fold.objects(), fold.packs(), fold.basis()), (3, 2, Basis::Whole));
    assert_eq!(fold.bookmark().map(Bookmark::as_str), Some("2"));
    assert!(fold.is_whole());
}

#[test]
fn the_order_of_arrival_decides_and_no_time_inside_an_object() {
    let files = MemoryFiles::default();
    pulls(
        &files,
        vec![
            vec![Whole, objects(&[object(1, 9, "new", "")]), End("1")],
            vec![Delta, Remove(1), objects(&[object(1, 1, "old", "")]), End("2")],
        ],
    );
    assert_eq!(names(&files), ["old"]);
    let created = |name: &str, second: u8| {
        object(1, 0, name, "").replace(":00Z\"", &format!(":00Z\",\"x_seen\":{second}"))
    };
    pulls(&files, vec![vec![Whole, objects(&[created("a", 9), created("b", 1)]), End("3")]]);
    assert_eq!(names(&files), ["b"], "within a pull, too");
}

#[test]
fn a_removal_takes_all_versions_that_came_before_it() {
    let files = MemoryFiles::default();
    let versions = [object(1, 1, "a", ""), object(1, 2, "b", ""), object(2, 1, "c", "")];
    let fold = pulls(
        &files,
        vec![
            vec![Delta, objects(&versions), End("1")],
            vec![Delta, Remove(1), End("2")],
            vec![Delta, Remove(3), objects(&[object(3, 1, "back", "")]), End("3")],
        ],
    );
    assert_eq!(names(&files), ["back", "c"]);
    assert_eq!(fold.gone(), [id_of(1).into()]);
    let fold = pulls(&files, vec![vec![Delta, objects(&[object(1, 1, "a", "")]), End("4")]]);
    assert_eq!(names(&files), ["a", "back", "c"]);
    assert!(fold.gone().is_empty());
    let whole = vec![Whole, objects(&versions), Remove(1), End("5")];
    assert!(pulls(&files, vec![whole]).gone().is_empty(), "absence says so");
    assert_eq!(names(&files), ["c"]);
}

#[test]
fn a_whole_pull_forgets_what_came_before() {
    let files = MemoryFiles::default();
    let first = pulls(&files, vec![vec![Delta, objects(&[object(1, 1, "a", "")]), End("1")]]);
    assert_eq!(first.basis(), Basis::Partial);
    let coverage = mirror(&files).facts(&first).unwrap().coverage;
    assert_eq!(coverage, Coverage::Changes { gone: BTreeSet::new() });
    let whole = pulls(&files, vec![vec![Whole, objects(&[object(2, 1, "b", "")]), End("2")]]);
    assert_eq!(
        (names(&files), whole.basis(), whole.packs()),
        (vec!["b".to_owned()], Basis::Whole, 1)
    );
    assert_eq!(mirror(&files).facts(&whole).unwrap().coverage, Coverage::Whole);
    assert_eq!(files.names().unwrap(), ["000002.jsonl.zst"], "the others are removed");
}

#[test]
fn a_marking_gets_no_freer_but_by_a_newer_version_or_a_whole_pull() {
    let files = MemoryFiles::default();
    let (red, green) = (object(1, 1, "a", "red"), object(1, 1, "b", "green"));
    pulls(
        &files,
        vec![
            vec![Whole, objects(&[&red, &green]), End("1")],
            vec![Delta, objects(&[&green, &object(1, 1, "c", "green")]), End("2")],
        ],
    );
    assert_eq!(standing(&files), [("c".to_owned(), Some(Tlp::Red))]);
    let newer = object(1, 2, "d", "green");
    pulls(&files, vec![vec![Delta, objects(&[&newer]), End("3")]]);
    assert_eq!(standing(&files)[1], ("d".to_owned(), Some(Tlp::Green)));
    pulls(&files, vec![vec![Delta, Remove(1), objects(&[&green]), End("4")]]);
    assert_eq!(standing(&files), [("b".to_owned(), Some(Tlp::Green))], "it is there anew");
    pulls(
        &files,
        vec![vec![Delta, objects(&[&red]), End("5")], vec![Whole, objects(&[&green]), End("6")]],
    );
    assert_eq!(standing(&files), [("b".to_owned(), Some(Tlp::Green))]);
}

#[test]
fn the_marking_of_a_document_holds_on_as_well() {
    let files = MemoryFiles::default();
    let text = object(1, 1, "a", "green");
    let marked = bundle(&[&text]).replace("\"objects\"", "\"tlp\":\"red\",\"objects\"");
    pulls(
        &files,
        vec![
            vec![Whole, Document("one", marked), End("1")],
            vec![Delta, objects(&[&text]), End("2")],
        ],
    );
    assert_eq!(standing(&files), [("a".to_owned(), Some(Tlp::Red))]);
}

#[test]
fn equal_content_has_an_equal_digest_whatever_way_it_came() {
    let (a, b) = (object(1, 1, "a", ""), object(2, 1, "b", "red"));
    let of = |acts: Vec<Vec<Act>>| pulls(&MemoryFiles::default(), acts).digest();
    let whole = of(vec![vec![Whole, objects(&[&a, &b]), End("1")]]);
    let b_before = object(2, 1, "before", "red");
    assert_eq!(whole, of(vec![vec![Whole, Document("x", bundle(&[&b, &a])), End("2")]]));
    assert_eq!(
        whole,
        of(vec![
            vec![Whole, objects(&[&b_before, &object(3, 1, "c", "")]), End("1")],
            vec![Delta, objects(&[&a, &b]), Remove(3), End("2")],
        ])
    );
    for other in [
        vec![vec![Delta, objects(&[&a, &b]), End("1")]],
        vec![vec![Whole, objects(&[&a]), End("1")]],
        vec![vec![Whole, objects(&[&a, &b_before]), End("1")]],
        vec![vec![Whole, objects(&[&object(2, 1, "b", "green"), &a, &b]), End("1")]],
        vec![vec![Whole, objects(&[&a, &b]), Document("x", bundle(&["{}"])), End("1")]],
    ] {
        assert_ne!(whole, of(other));
    }
}

#[test]
fn the_same_entity_in_both_lists_of_a_package_stands_twice() {
    let files = MemoryFiles::default();
    let entity = |title: &str| {
        format!(r#"{{"id":"{}","data":{{"type":"ttp","title":"{title}"}}}}"#, id_of(1))
    };
    let package = |one: &str, two: &str| {
        format!(r#"{{"entities":[{}],"entities_v2":[{}]}}"#, entity(one), entity(two))
    };
    pulls(
        &files,
        vec![
            vec![Whole, Document("block 1", package("a", "b")), End("1")],
            vec![Delta, Document("block 2", package("c", "d")), End("2")],
        ],
    );
    assert_eq!(names(&files), ["c", "d"]);
}

#[test]
fn another_source_begins_anew_and_the_old_one_waits_until_it_was_delivered() {
    let files = MemoryFiles::default();
    pulls(&files, vec![vec![Whole, objects(&[object(1, 1, "a", "")]), End("1")]]);
    let other = source().with("collections", "7");
    let mut moved = Mirror::new(Arc::new(files.clone()), other.clone());
    assert!(moved.fold().unwrap().is_empty());
    let old = mirror(&files).fold().unwrap();
    let mut writer = PackWriter::new(&moved, &old).unwrap();
    let refused = writer.whole(&source()).err().unwrap().to_string();
    assert!(refused.contains("of the source taxii2 collections=7 url="), "{refused}");
    let fold = moved.fold().unwrap();
    let mut writer = PackWriter::new(&moved, &fold).unwrap();
    let mut pack = writer.delta(&other).unwrap();
    pack.document("x", Format::Auto, bundle(&[object(2, 1, "b", "")]).as_bytes()).unwrap();
    assert_eq!(pack.end(&Bookmark::new("b1")).unwrap(), Pulled::Delta);
    let fold = moved.fold().unwrap();
    assert_eq!((fold.basis(), fold.bookmark().unwrap().as_str()), (Basis::Partial, "b1"));
    assert_eq!(fold.source(), Some(&other));
    // By what is configured, the newest that it may be is meant.
    assert_eq!(names(&files), ["b"]);
    moved.forget_others(&fold).unwrap();
    assert_eq!(files.names().unwrap(), ["000002.jsonl.zst"]);
}

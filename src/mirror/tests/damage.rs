//! What cannot be read, and when it counts as mended.

use super::*;

/// A relationship that leads nowhere, of an id.
fn broken(id: u8) -> String {
    format!(r#"{{"type":"relationship","id":"{}"}}"#, id_of(id))
}

#[test]
fn what_is_damaged_is_asked_for_again_until_it_comes_or_is_gone() {
    let files = MemoryFiles::default();
    let first = vec![
        Whole,
        Document("page 1", bundle(&[object(1, 1, "a", ""), broken(2), broken(3)])),
        End("1"),
    ];
    let fold = pulls(&files, vec![first]);
    assert_eq!(fold.damaged().len(), 2);
    let one = &fold.damaged()[0];
    assert_eq!((&*one.document, &*one.pointer), ("page 1", "/objects/1"));
    assert_eq!(one.id.as_deref(), Some(&*id_of(2)));
    assert!(!fold.is_whole(), "what is not there may be what is damaged");
    let facts = mirror(&files).facts(&fold).unwrap();
    assert_eq!(facts.skipped, 2);
    assert!(
        facts.issues[0].to_string().starts_with("page 1#/objects/1: skipped: "),
        "{}",
        facts.issues[0]
    );

    let (_, fold, told) = pull(&files, vec![Delta, objects(&[object(2, 1, "b", "")]), End("2")]);
    assert_eq!((told.damaged.len(), fold.damaged().len()), (2, 1));
    let fold = pulls(&files, vec![vec![Delta, Remove(3), End("3")]]);
    assert!(fold.damaged().is_empty() && fold.is_whole());
    assert_eq!(names(&files), ["a", "b"]);
}

#[test]
fn what_has_no_id_stands_until_its_document_is_read_again() {
    let files = MemoryFiles::default();
    let page = |second: &str| bundle(&[object(1, 1, "a", "").as_str(), second]);
    let fold = pulls(&files, vec![vec![Whole, Document("page 1", page("{\"a\":01}")), End("1")]]);
    assert_eq!(fold.damaged()[0].id, None);
    let other = vec![Delta, Document("page 2", page(&object(2, 1, "b", ""))), End("2")];
    assert_eq!(pulls(&files, vec![other]).damaged().len(), 1);
    let again = vec![Delta, Document("page 1", page("{\"a\":02}")), End("3")];
    assert_eq!(pulls(&files, vec![again]).damaged().len(), 1);
    let sound = vec![Delta, Document("page 1", page(&object(3, 1, "c", ""))), End("4")];
    assert!(pulls(&files, vec![sound]).damaged().is_empty());
    assert_eq!(names(&files), ["a", "b", "c"]);
}

#[test]
fn a_whole_pull_mends_all() {
    let files = MemoryFiles::default();
    let damaged = vec![Whole, objects(&[broken(1).as_str(), "{}"]), End("1")];
    assert_eq!(pulls(&files, vec![damaged]).damaged().len(), 2);
    let fold =
        pulls(&files, vec![vec![Whole, Document("x", bundle(&[object(2, 1, "b", "")])), End("2")]]);
    assert!(fold.is_whole());
}

#[test]
fn of_very_many_the_rest_of_a_document_is_one() {
    let files = MemoryFiles::default();
    let many = vec!["{}"; crate::model::limits::DAMAGED_KEPT_MAX + 5];
    let fold = pulls(&files, vec![vec![Whole, objects(&many), End("1")]]);
    assert_eq!(fold.damaged().len(), crate::model::limits::DAMAGED_KEPT_MAX + 1);
    let fold = pulls(&files, vec![vec![Delta, objects(&[object(1, 1, "a", "")]), End("2")]]);
    assert!(fold.damaged().is_empty());
}

#[test]
fn a_document_that_breaks_off_leaves_nothing() {
    let files = MemoryFiles::default();
    let cut = bundle(&[object(1, 1, "a", ""), broken(9)]).replace("]}", "");
    let (pulled, fold, _) = pull(&files, vec![Whole, Document("page", cut.clone()), End("1")]);
    assert!(matches!(pulled, Err(ToldError::Mirror(MirrorError::Format(_)))), "{pulled:?}");
    assert!(fold.is_empty());
    // A source may try again within the same pack.
    let mirror = mirror(&files);
    let mut writer = PackWriter::new(&mirror, &fold).unwrap();
    let mut pack = writer.whole(&source()).unwrap();
    let read =
        |pack: &mut Pack<'_, '_>, text: &str| pack.document("page", Format::Auto, text.as_bytes());
    read(&mut pack, &bundle(&[object(3, 1, "c", "")])).unwrap();
    assert!(read(&mut pack, &cut).is_err());
    assert!(read(&mut pack, "<html>").is_err());
    read(&mut pack, &bundle(&[object(2, 1, "b", "")])).unwrap();
    pack.end(&Bookmark::new("1")).unwrap();
    assert_eq!(names(&files), ["b", "c"]);
    assert!(mirror.fold().unwrap().is_whole());
}

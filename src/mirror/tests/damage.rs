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

    let (_, fold, told) = pull(&files, vec![Delta, objects(&[undated(2)]), End("2")]);
    assert_eq!((told.damaged.len(), fold.damaged().len()), (2, 1));
    let fold = pulls(&files, vec![vec![Delta, Remove(3), End("3")]]);
    assert!(fold.damaged().is_empty() && fold.is_whole());
    assert_eq!(names(&files), ["a", "undated 2"]);
}

/// What can be read, of an id and no version.
fn undated(id: u8) -> String {
    format!(r#"{{"type":"incident","id":"{}","name":"undated {id}"}}"#, id_of(id))
}

/// A relationship that leads nowhere, of an id and the second of its version.
fn broken_version(id: u8, second: u8) -> String {
    broken(id).replace('}', &format!(",\"modified\":\"2026-01-01T00:00:{second:02}Z\"}}"))
}

/// Versions of what is damaged after a pull of each of these.
fn damaged_after(pulls_of: &[&[String]]) -> Vec<Vec<Option<i64>>> {
    let files = MemoryFiles::default();
    let mut after = Vec::new();
    for (pull, text) in pulls_of.iter().enumerate() {
        let name = ["one", "two", "three", "four"][pull];
        let begin = if pull == 0 { Whole } else { Delta };
        let fold = pulls(&files, vec![vec![begin, Document(name, bundle(text)), End(name)]]);
        let seconds = |damage: &Damage| damage.version.map(|version| version.seconds() % 60);
        let mut seconds: Vec<_> = fold.damaged().iter().map(seconds).collect();
        seconds.sort_unstable();
        after.push(seconds);
        // One pack of all says the same.
        let compacted = mirror(&files).compact(&fold).unwrap();
        assert_eq!((compacted.damaged(), compacted.digest()), (fold.damaged(), fold.digest()));
    }
    after
}

#[test]
fn a_version_is_mended_by_itself_or_a_newer_one_alone() {
    let (old, same, newer) =
        (object(1, 4, "old", ""), object(1, 5, "same", ""), object(1, 6, "newer", ""));
    let first = [broken_version(1, 5)];
    assert_eq!(
        damaged_after(&[&first, &[old], &[undated(1)], std::slice::from_ref(&same)]),
        [vec![Some(5)], vec![Some(5)], vec![Some(5)], vec![]]
    );
    assert_eq!(damaged_after(&[&first, std::slice::from_ref(&newer)]), [vec![Some(5)], vec![]]);
    // What came before says nothing of what came after it.
    assert_eq!(damaged_after(&[&[newer, broken_version(1, 5)], &[same]]), [vec![Some(5)], vec![]]);
    // Each version stands for itself.
    let three = [broken_version(1, 3), broken_version(1, 5), broken_version(1, 7)];
    assert_eq!(
        damaged_after(&[&three, &[object(1, 5, "b", "")], &[broken_version(1, 3)]]),
        [vec![Some(3), Some(5), Some(7)], vec![Some(7)], vec![Some(3), Some(7)]]
    );
}

#[test]
fn of_an_unknown_version_none_with_a_time_is_the_same() {
    let dated = object(1, 9, "dated", "");
    assert_eq!(damaged_after(&[&[broken(1)], &[dated]]), [vec![None], vec![None]]);
    assert_eq!(damaged_after(&[&[broken(1)], &[undated(1)]]), [vec![None], vec![]]);
    let files = MemoryFiles::default();
    let page = |text: &str| Document("page 1", bundle(&[text]));
    pulls(&files, vec![vec![Whole, page(&broken(1)), End("1")]]);
    let fold = pulls(&files, vec![vec![Delta, page(&object(1, 9, "dated", "")), End("2")]]);
    assert!(fold.is_whole());
}

#[test]
fn an_entity_is_mended_in_the_form_in_which_it_is_damaged() {
    let entity = |kind: &str| {
        format!(r#"{{"id":"{}","data":{{{kind}"timestamp":"2026-01-01T00:00:01Z"}}}}"#, id_of(1))
    };
    let (sound, bad) = (entity(r#""type":"ttp","title":"a","#), entity(""));
    let package = |list: &str, entity: &str| format!(r#"{{"{list}":[{entity}]}}"#);
    let files = MemoryFiles::default();
    let pull =
        |text| pulls(&files, vec![vec![Delta, Document("block", text), End("x")]]).damaged().len();
    assert_eq!(pull(package("entities_v2", &bad)), 1);
    assert_eq!(pull(package("entities", &sound)), 1);
    assert_eq!(pull(package("entities_v2", &sound)), 0);
}

#[test]
fn all_that_a_damaged_object_may_be_is_red_and_it_is_one() {
    let twice = format!(
        r#"{{"type":"incident","id":"{}","id":"{}","modified":"2026-01-01T00:00:05Z"}}"#,
        id_of(2),
        id_of(1)
    );
    let page = bundle(&[&*object(1, 4, "a", "green"), &object(2, 9, "b", "green"), &twice]);
    let files = MemoryFiles::default();
    let fold = pulls(&files, vec![vec![Whole, Document("page 1", page), End("1")]]);
    let fold = mirror(&files).compact(&fold).unwrap();
    assert_eq!((fold.damaged().len(), fold.objects_damaged()), (2, 1));
    let mut facts = mirror(&files).facts(&fold).unwrap();
    facts.settle(&Said::new());
    assert_eq!(facts.skipped, 1);
    let marked: Vec<_> = facts.entities.iter().map(|it| (&*it.title, it.marking().tlp)).collect();
    assert_eq!(marked, [("a", Some(Tlp::Red)), ("b", Some(Tlp::Green))]);

    let relation = |end: &str| {
        let data = format!(r#""id":"relation-{}","type":"relation","source":"a""#, &id_of(1)[10..]);
        format!(r#"{{"entities":[{{"data":{{{data}{end}}},"meta":{{"tlp_color":"GREEN"}}}}]}}"#)
    };
    let files = MemoryFiles::default();
    let (sound, broken) = (relation(r#","target":"b""#), relation(""));
    let act = vec![Whole, Document("block 1", sound), Document("block 2", broken), End("1")];
    let mut facts = mirror(&files).facts(&pulls(&files, vec![act])).unwrap();
    facts.settle(&Said::new());
    assert_eq!((facts.relations[0].tlp, facts.skipped), (Some(Tlp::Red), 1));
}

#[test]
fn what_came_back_and_cannot_be_read_is_not_gone() {
    let files = MemoryFiles::default();
    let fold = pulls(
        &files,
        vec![
            vec![Delta, objects(&[object(1, 1, "a", "")]), End("1")],
            vec![Delta, Remove(1), Document("back", bundle(&[broken_version(1, 2)])), End("2")],
        ],
    );
    assert_eq!((fold.gone().len(), fold.damaged().len()), (0, 1));
    let fold = pulls(&files, vec![vec![Delta, Remove(1), End("3")]]);
    assert_eq!((fold.gone().len(), fold.damaged().len()), (1, 0));
}

#[test]
fn a_text_in_which_nothing_is_left_is_read_all_the_same() {
    let package = r#"{"entities":[{"id":"x","data":{"type":"ttp","idref":"y"}}]}"#;
    let nothing = ["[]", &bundle(&[""; 0]), r#"{"entities":[]}"#, package];
    for nothing in nothing {
        let files = MemoryFiles::default();
        let two = format!("{}{}", bundle(&["{}"]), bundle(&["{}"]));
        let fold = pulls(&files, vec![vec![Whole, Document("block 1", two), End("1")]]);
        assert_eq!(fold.damaged().len(), 2);
        assert!(fold.damaged().iter().all(|damage| *damage.text == *"block 1"));
        // The bookmark says nothing new, and yet there is news.
        let again = |name| vec![Delta, Document(name, nothing.to_owned()), End("1")];
        assert_eq!(pull(&files, again("block 2")).0.unwrap(), Pulled::Unchanged);
        let (pulled, fold, _) = pull(&files, again("block 1"));
        assert_eq!((pulled.unwrap(), fold.is_whole()), (Pulled::Delta, true), "{nothing}");
        assert_eq!(pull(&files, again("block 1")).0.unwrap(), Pulled::Unchanged, "known by now");
        // A whole read of nothing is one.
        let whole = vec![Whole, Document("block 1", nothing.to_owned()), End("1")];
        let (pulled, fold, _) = pull(&files, whole);
        assert_eq!((pulled.unwrap(), fold.objects()), (Pulled::Whole, 0), "{nothing}");
        assert!(fold.is_whole() && fold.bookmark().is_some());
    }
}

#[test]
fn of_several_documents_in_a_text_that_breaks_off_none_counts() {
    let files = MemoryFiles::default();
    let cut = format!("{}{{\"type\"", bundle(&[object(1, 1, "a", ""), "{}".to_owned()]));
    let mirror = mirror(&files);
    let fold = mirror.fold().unwrap();
    let mut writer = PackWriter::new(&mirror, &fold).unwrap();
    let mut pack = writer.delta(&source()).unwrap();
    pack.document("two", Format::Auto, bundle(&[object(2, 1, "b", "")]).as_bytes()).unwrap();
    pack.remove(&id_of(9), Format::Stix21).unwrap();
    assert!(pack.document("one", Format::Auto, cut.as_bytes()).is_err());
    pack.end(&Bookmark::new("1")).unwrap();
    assert_eq!(names(&files), ["b"]);
    assert!(mirror.fold().unwrap().damaged().is_empty());
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
    let mut many = vec!["{}".to_owned(); crate::model::limits::DAMAGED_KEPT_MAX + 5];
    many.push(object(2, 1, "b", "green"));
    let fold = pulls(&files, vec![vec![Whole, objects(&many), End("1")]]);
    assert_eq!(fold.damaged().len(), crate::model::limits::DAMAGED_KEPT_MAX + 1);
    // What is not known may be a version of anything.
    let mut facts = mirror(&files).facts(&fold).unwrap();
    facts.settle(&Said::new());
    assert_eq!(facts.entities[0].marking().tlp, Some(Tlp::Red));
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

//! Objects that are taken out of their documents: by what each is known, and what an earlier copy of one leaves.

use super::{super::*, *};
use crate::{
    graph::{Facts, Said},
    model::{Digest, EntityKey, Timestamp, Tlp},
};

const UUID: &str = "13cb1207-0674-4a54-a999-df5ff8e35c1a";

/// Names of all that came.
#[derive(Default)]
struct Names(Vec<String>, Vec<Digest>);

impl Taker for Names {
    fn document(&mut self, name: &Symbol, format: Format) {
        self.0.push(format!("{name} is {}", format.name()));
    }

    fn object(&mut self, piece: &Piece<'_>, identity: &Identity) {
        let time = identity.version.map_or("none".to_owned(), |time| time.to_string());
        self.0.push(format!("{}/{} {} of {time}", piece.list, piece.index, identity.id));
        self.1.push(identity.marking);
    }

    fn damaged(&mut self, unreadable: &Unreadable<'_>) {
        let Unreadable { pointer, ids, what, .. } = unreadable;
        let ids: Vec<&str> = ids.iter().map(EntityKey::as_str).collect();
        self.0.push(format!("{pointer} {ids:?}: {what}"));
    }

    fn closed(&mut self, marked: Option<Tlp>) {
        self.0.push(format!("closed {marked:?}"));
    }
}

fn apart(text: &str) -> Vec<String> {
    let mut names = Names::default();
    take_apart(text.as_bytes(), &Symbol::new("f"), Format::Auto, &mut names).unwrap();
    names.0
}

#[test]
fn objects_are_known_by_their_ids_and_times() {
    let text = format!(
        r#"{{"objects":[{{"type":"ttp","id":"TTP--{0}","modified":"2026-01-01T00:00:00Z"}},
            {{"type":"x","id":"x--1","created":"2026-01-02T00:00:00Z"}},{{"type":"x"}},
            {{"type":"relationship","id":"relationship--{0}","source_ref":"a"}}],"tlp":"red"}}
           {{"entities":[{{"id":"{1}","data":{{"type":"ttp","id":"{{x}}ttp-1","title":"t","timestamp":"2026-01-03T00:00:00Z"}}}},
            {{"data":{{"type":"ttp","id":"{{x}}ttp-{0}","title":"t"}}}},
            {{"id":"{0}","data":{{"type":"ttp","idref":"x"}}}},
            {{"data":{{"type":"relation","source":"a","target":"b"}}}}]}}"#,
        UUID,
        UUID.to_uppercase()
    );
    let found = apart(&text);
    let (last, others) = found[..found.len() - 1].split_last().unwrap();
    let expected = [
        "f is STIX 2".to_owned(),
        format!("objects/0 ttp--{UUID} of 2026-01-01T00:00:00Z"),
        "objects/1 x--1 of 2026-01-02T00:00:00Z".to_owned(),
        "/objects/2 []: an object without id; left out".to_owned(),
        format!(
            "/objects/3 [\"relationship--{UUID}\"]: relationship--{UUID} has no target_ref; left out"
        ),
        "closed Some(Red)".to_owned(),
        "f (document 2) is EclecticIQ JSON".to_owned(),
        format!("entities/0 {UUID} of 2026-01-03T00:00:00Z"),
        format!("entities/1 {UUID} of none"),
    ];
    assert_eq!(others, expected);
    // What has no id is known by its bytes.
    assert!(last.starts_with("entities/3 ") && last.len() == 64 + " of none entities/3".len());
    assert_eq!(&*name_of(&format!("TTP--{UUID}"), Format::Stix21), format!("ttp--{UUID}"));
    assert_eq!(&*name_of(&format!("{{x}}ttp-{UUID}"), Format::EclecticIq), UUID);
}

#[test]
fn pages_and_warnings_are_told() {
    let text = r#"{"more":true,"next":"a b","objects":[{"type":"x","id":"x--1"}],"tlp":"red"}"#;
    let pages = take_apart(text.as_bytes(), &Symbol::new("f"), Format::Auto, &mut Names::default())
        .unwrap();
    assert!(pages.is_page && pages.next.as_deref() == Some("a b"));
    let empty = br#"{"more":true,"next":"b"}"#;
    let empty = take_apart(&empty[..], &Symbol::new("f"), Format::Stix21, &mut Names::default());
    let empty = empty.unwrap();
    assert!(empty.is_page && empty.next.as_deref() == Some("b"));
    let warnings: Vec<String> = pages.warnings.iter().map(ToString::to_string).collect();
    assert!(
        warnings[0].contains("the whole document is marked") && warnings[1].contains("one page"),
        "{warnings:?}"
    );
}

fn settled(assembly: Assembly) -> Facts {
    let mut facts = assembly.finish();
    facts.settle(&Said::new());
    facts
}

fn piece(raw: &str) -> Piece<'_> {
    Piece { list: "objects", index: 0, inside: "", raw: raw.as_bytes() }
}

#[test]
fn an_earlier_copy_leaves_its_marking_and_nothing_else() {
    let object = |name: &str, tlp: &str| {
        format!(
            r#"{{"type":"incident","id":"incident--{UUID}","name":"{name}","labels":["tlp:{tlp}"]}}"#
        )
    };
    let link = |to: &str, tlp: &str| {
        format!(
            r#"{{"type":"relationship","id":"relationship--{UUID}","relationship_type":"targets","source_ref":"a","target_ref":"{to}","labels":["tlp:{tlp}"]}}"#
        )
    };
    let mut assembly = Assembly::new();
    assembly.document("one", Format::Stix21);
    assembly.copy(&piece(&object("old", "red")), 7, None);
    assembly.copy(&piece(&link("b", "amber")), 8, None);
    assembly.object(&piece(&object("other", "clear")), 1);
    assembly.object(&piece(&object("new", "green")), 7);
    assembly.object(&piece(&link("c", "green")), 8);
    assembly.close(None);
    let facts = settled(assembly);
    let entities: Vec<_> = facts.entities.iter().map(|it| (&*it.title, it.marking().tlp)).collect();
    assert_eq!(entities, [("other", Some(Tlp::Clear)), ("new", Some(Tlp::Red))]);
    let links: Vec<_> = facts.relations.iter().map(|it| (it.target.as_str(), it.tlp)).collect();
    assert_eq!(links, [("c", Some(Tlp::Amber))]);
    assert_eq!(facts.entities[1].modified.map(Timestamp::seconds), None);

    let mut assembly = Assembly::new();
    assembly.document("one", Format::Stix21);
    assembly.copy(&piece(&object("old", "green")), 1, Some(Tlp::Red));
    assembly.object(&piece(&object("new", "green")), 1);
    let facts = settled(assembly);
    assert_eq!(facts.entities[0].marking().tlp, Some(Tlp::Red), "all of its document was");
}

#[test]
fn an_entity_that_stands_for_its_double_heeds_the_copies_of_both() {
    let raw = format!(r#"{{"id":"{UUID}","data":{{"type":"ttp","title":"t"}}}}"#);
    let old = raw.replace("\"data\"", r#""meta":{"tlp_color":"RED"},"data""#);
    let piece = |list, raw| Piece { list, ..piece(raw) };
    let mut assembly = Assembly::new();
    assembly.document("one", Format::EclecticIq);
    assembly.copy(&piece("entities_v2", &*old), 2, None);
    assembly.object(&piece("entities", &*raw), 1);
    assembly.object(&piece("entities_v2", &*raw), 2);
    let facts = settled(assembly);
    let markings: Vec<_> = facts.entities.iter().map(|it| it.marking().tlp).collect();
    assert_eq!(markings, [Some(Tlp::Red)]);
}

//! What marks an object marks it however its text is written: no quick look says that there is nothing where there is.

use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use super::*;
use crate::{
    format::{decoding::Decoding, leaves::OF_MARKING, route::Router},
    graph::Said,
    model::Tlp,
};

const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";

/// Keys under which producers mark, and keys that are like them.
fn key() -> impl Strategy<Value = String> {
    let words = [
        "tlp",
        "tlp_color",
        "traffic_light_protocol",
        "marking_ref",
        "object_marking_refs",
        "granular_markings",
        "marking_definition",
        "labels",
        "tags",
        "taxonomies",
        "x",
        "id",
        "idref",
        "name",
        "type",
        "value",
        "color",
        "extensions",
        "data",
        "meta",
        "k",
        "v",
        "scheme",
        "code",
        "namespace",
        "predicate",
        "red",
        "source_name",
        "external_references",
        "mar%6Bing",
        "mark<wbr>ing",
        "mark\u{8}ing",
        "%54lp",
        "traf.<b>fic</b>_light",
        "\\U0054lp",
        "t_l_p",
        "T.L.P",
        "t-l-p",
        "x_t_l_p_color",
    ];
    let words: Vec<&str> = words.into_iter().chain(OF_MARKING).collect();
    let forms: [fn(&str) -> String; 6] = [
        str::to_owned,
        str::to_uppercase,
        |word| format!("x_{word}"),
        |word| format!("{word}s"),
        |word| format!(" {word}"),
        |word| {
            let parts = word.split('_').filter(|it| !it.is_empty());
            parts.map(|it| format!("{}{}", it[..1].to_uppercase(), &it[1..])).collect()
        },
    ];
    (select(words), select(forms.to_vec())).prop_map(|(word, form)| form(word))
}

/// What says a colour, and what is like it.
fn text() -> impl Strategy<Value = String> {
    let texts = [
        "red",
        "RED",
        "TLP:RED",
        "tlp",
        "T.L.P: red",
        "t-l-p:red",
        "Traffic Light Protocol: red",
        "Traffic Light",
        "trafficlightprotocol=red",
        "T1L.P",
        "T\nL\tP: red",
        "T\u{8}LP:red",
        "T\u{7f}LP:red",
        "T&nbsp;L&nbsp;P",
        "T%2FL%2FP: red",
        "T <b class=\"l\"></b>L.P: red",
        "T&no;LP: red",
        "T&shy;L<wbr>P:R%45D",
        "\\U0054LP:\\X52ED",
        "T\\x20L\\x20P: red",
        "\u{1d413}\u{1d40b}\u{1d40f}:red",
        "t\u{29f}p",
        "x",
        RED,
    ];
    select(texts.to_vec()).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![text().prop_map(Value::from), Just(json!(7)), Just(json!(null))];
    leaf.prop_recursive(3, 8, 3, |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from);
        let object = proptest::collection::vec((key(), inner), 0..3);
        let object = object.prop_map(|members| Value::Object(members.into_iter().collect()));
        prop_oneof![list, object]
    })
}

/// The text with the letters of all strings as escapes.
fn escaped(text: &str) -> String {
    let mut all = String::new();
    let mut in_text = false;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => all.push(letter),
            '\\' => all.extend([letter].into_iter().chain(letters.next())),
            letter if in_text => {
                let units = letter.encode_utf16(&mut [0; 2]).to_vec();
                all.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
            }
            letter => all.push(letter),
        }
        in_text ^= letter == '"';
    }
    all
}

/// How strict each entity and link of a dataset is.
fn colours(text: &str) -> Vec<Option<Tlp>> {
    let mut facts = decode(text.as_bytes(), &Symbol::new("f"), Format::Auto).unwrap();
    facts.settle(&Said::new());
    match &facts.entities[..] {
        [] => facts.relations.iter().map(|link| link.tlp).collect(),
        entities => entities.iter().map(|entity| entity.marking().tlp).collect(),
    }
}

/// Datasets of one object, into the text of which comes what may mark it.
const DATASETS: [&str; 5] = [
    r#"{"type":"bundle","objects":[{"type":"incident","id":"incident--1",MORE"name":"n"}]}"#,
    r#"{"type":"bundle","objects":[{"type":"relationship","id":"relationship--1","source_ref":"a--1","target_ref":"b--1",MORE"relationship_type":"x"}]}"#,
    r#"{"type":"bundle","objects":[{"type":"incident","id":"incident--1","object_marking_refs":["marking-definition--1"]},{"type":"marking-definition","id":"marking-definition--1",MORE"definition_type":"statement","definition":{"statement":"x"}}]}"#,
    r#"{"entities":[{"id":"1",MORE"data":{"id":"2","type":"incident","title":"n"},"meta":{}}]}"#,
    r#"{"entities":[{"id":"1","data":{"id":"2","type":"incident",MORE"title":"n"},"meta":{"tlp_color":"GREEN"}}]}"#,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_marking_holds_in_plain_text_as_in_escapes(key in key(), value in value()) {
        let more = format!("{}:{value},", Value::from(key));
        for dataset in DATASETS {
            let plain = dataset.replace("MORE", &more);
            prop_assert_eq!(colours(&plain), colours(&escaped(&plain)), "{}", plain);
        }
    }
}

#[test]
fn every_word_of_marking_is_looked_for() {
    for word in OF_MARKING {
        for key in
            [word.to_owned(), word.to_uppercase(), format!("x_{word}_y"), format!(" {word} ")]
        {
            for dataset in DATASETS {
                let plain = dataset.replace("MORE", &format!("\"{key}\":{{\"x\":[\"red\"]}},"));
                // What marks a definition is an id.
                let is_definition = dataset.contains("\"definition\"");
                let plain = if is_definition {
                    plain.replace("\"red\"", &format!("\"{RED}\""))
                } else {
                    plain
                };
                assert_eq!(colours(&plain), [Some(Tlp::Red)], "{plain}");
            }
        }
    }
}

/// Whether all is red that is read of objects no longer than 400 bytes and nested no deeper than 12 levels, one of which
/// is left out.
fn is_red(text: &str) -> bool {
    let limits = Limits { buffer_bytes: 8, object_bytes_max: 400, depth_max: 12 };
    let file = Symbol::new("f");
    let mut router = Router::new(&file, Format::Auto, Decoding::new());
    split(text.as_bytes(), &file, limits, &mut router).unwrap();
    let mut facts = router.into_sink().finish();
    facts.settle(&Said::new());
    assert_eq!(facts.skipped, 1, "{text}");
    let entities = facts.entities.iter().map(|entity| entity.marking().tlp);
    let mut colours = entities.chain(facts.relations.iter().map(|link| link.tlp)).peekable();
    colours.peek().is_some() && colours.all(|tlp| tlp == Some(Tlp::Red))
}

/// What makes an object too deep, and what makes it too long.
fn too_large() -> [String; 2] {
    let deep = format!(r#""y":{}{},"#, "[".repeat(20), "]".repeat(20));
    [deep, format!(r#""y":"{}","#, "y".repeat(500))]
}

#[test]
fn an_object_that_is_left_out_unread_leaves_no_older_version_freer_than_red() {
    const HEAD: &str = r#""modified":"2024-01-02T00:00:00Z","relationship_type":"x","source_ref":"a--1","target_ref":"b--2""#;
    let object = |kind: &str, more: &str| {
        format!(
            r#"{{"x":{{"id":"u"}},{HEAD},"type":"{kind}",{more}"labels":["tlp:green"],"id":"{kind}--1"}}"#
        )
    };
    let nested = crate::model::limits::ENVELOPE_DEPTH_MAX + 2;
    let (bundles, ends) = (r#"{"objects":["#.repeat(nested), "]}".repeat(nested));
    for kind in ["indicator", "relationship"] {
        let old = object(kind, "");
        for lost in too_large().map(|more| object(kind, &more)) {
            for objects in [format!("{old},{lost}"), format!("{lost},{old}")] {
                let text = format!(r#"{{"objects":[{objects}]}}"#);
                assert!(is_red(&text), "{text}");
            }
        }
        for lost in [format!("{bundles}{old}{ends}"), format!(r#"{{"objects":{old}}}"#)] {
            let text = format!(r#"{{"objects":[{old}]}} {lost}"#);
            assert!(is_red(&text), "{text}");
        }
    }
}

#[test]
fn an_entity_that_is_left_out_unread_leaves_no_older_version_freer_than_red() {
    const LINK: &str = r#""type":"relation","source":"a","target":"b""#;
    let entity = |more: &str, said: &str| {
        let id = "{https://x/}a-13cb1207-0674-4a54-a999-df5ff8e35c1a";
        format!(
            r#"{{"id":"1","meta":{{"tlp_color":"GREEN"}},{more}"data":{{{said},"title":"n","id":"{id}"}}}}"#
        )
    };
    for said in [r#""type":"indicator""#, LINK] {
        for more in too_large() {
            let (old, lost) = (entity("", said), entity(&more, said));
            let text = format!(r#"{{"entities":[{old},{lost}]}}"#);
            assert!(is_red(&text), "{text}");
        }
    }
    for ends in [r#""source":"a""#, r#""target":"b","source":null"#, r#""source":0,"target":1"#] {
        let lost = entity("", &format!("\"type\":\"relation\",{ends}"));
        let text = format!(r#"{{"entities":[{},{lost}]}}"#, entity("", LINK));
        assert!(is_red(&text), "{text}");
    }
}

//! Forms that the documentation of EclecticIQ JSON does not show, and platforms, extensions and the API write.

use super::{INCIDENT, INDICATOR, boxes, entity, indicator, issues, read, read_one};
use crate::{
    graph::{Entity, LinkTypes, Maliciousness, Unusable, WhyUnusable},
    model::{EntityKey, Reader, Tlp},
};

#[test]
fn what_the_platform_knows_only_by_id_is_no_entity_whatever_it_has() {
    let full = r#""title":"x","timestamp":"2026-11-18T10:00:00Z","status":"Open""#;
    for yes in
        ["true", r#""true""#, r#""True""#, "1", "1.0", r#""1""#, r#"" yes ""#, r#"{"value":true}"#]
    {
        let flag = format!(r#""is_unresolved_idref":{yes}"#);
        for object in [
            format!(
                r#"{{"id":"{INCIDENT}","data":{{"type":"incident",{full}}},"meta":{{"title":"y",{flag}}}}}"#
            ),
            format!(r#"{{"id":"{INCIDENT}","data":{{"type":"incident",{full},{flag}}}}}"#),
            format!(
                r#"{{"id":"{INCIDENT}","type":"incident","data":{{{full}}},"diff":"del",{flag},
                    "extracts":[{{"kind":"ipv4","value":"198.51.100.7"}}]}}"#
            ),
        ] {
            let link = format!(
                r#"{{"type":"relation","data":{{"source":"{INDICATOR}","target":"{INCIDENT}"}}}}"#
            );
            let facts = read(&format!(r#"{{"entities":[{object},{link}]}}"#));
            assert_eq!((facts.entities, facts.issues), (vec![], vec![]), "{object}");
            assert_eq!(facts.relations.len(), 1, "{object}");
        }
    }
    for no in ["false", r#""false""#, "0", r#""None""#, "null", "[]", r#"{"value":0}"#] {
        entity(&indicator("", &format!(r#""is_unresolved_idref":{no}"#)));
    }
    // What says neither keeps it as well, and is told.
    for odd in ["[true]", "2", r#""maybe""#, r#"{"value":"x"}"#] {
        for key in ["is_unresolved_idref", "is_ref"] {
            let facts = read_one(&indicator("", &format!("\"{key}\":{odd}")));
            assert_eq!(facts.entities, [], "{odd}");
            let told = issues(&facts).join("\n");
            assert!(told.contains(key) && told.contains("neither true nor false"), "{told}");
        }
    }
}

#[test]
fn ends_of_relations_are_read_in_every_form() {
    let link = |end: &str| {
        format!(
            r#"{{"id":"a","data":{{"type":"relation","key":"related-to","source":{end},"target":"{INCIDENT}"}}}}"#
        )
    };
    for (form, since) in [
        (r#""U""#, Reader::FIRST),
        (r#""https://eiq.example/api/v2/entities/U""#, Reader::FIRST),
        (r#""{{https://eiq.example/}}Indicator-U""#, Reader::FIRST),
        (r#""https://eiq.example/api/v2/entities/U/""#, Reader::SECOND),
        (r#""https://eiq.example/api/v2/entities/U?x=1#y""#, Reader::SECOND),
        (r#"{"id":"U","type":"indicator"}"#, Reader::SECOND),
        (r#"{"name":"x","data":{"id":"{https://eiq.example/}indicator-U"}}"#, Reader::SECOND),
        (r#"[{"idref":"indicator--U"}]"#, Reader::SECOND),
        (r#"{"id":"null","value":"https://eiq.example/entity/U/"}"#, Reader::SECOND),
    ] {
        let facts = read_one(&link(&form.replace('U', INDICATOR)));
        assert_eq!(facts.issues, [], "{form}");
        let [relation] = &facts.relations[..] else { panic!("{form}: {:?}", facts.relations) };
        assert_eq!(relation.source, EntityKey::of(INDICATOR), "{form}");
        assert_eq!(relation.since, since, "{form}");
    }
    let facts = read_one(&link(&format!(r#"["{INDICATOR}","x"]"#)));
    assert_eq!(facts.relations.len(), 2);
    for (end, what) in [
        (
            "0",
            "a relation that names its ends by their place in a list, as the JSON of extensions does",
        ),
        (r#""None""#, "a relation without `data.source`"),
        (r#"{"x":1}"#, "a relation without `data.source`"),
    ] {
        let wanted = format!("day.json#/entities/0: skipped: {what}; left out");
        assert_eq!(issues(&read_one(&link(end))), [wanted], "{end}");
    }
}

#[test]
fn relations_of_the_api_need_no_type_and_may_have_their_name_in_the_title() {
    let ends = format!(
        r#""source":"https://eiq.example/api/v2/entities/{INCIDENT}/","target":"{INDICATOR}""#
    );
    for (object, kind, update_of) in [
        (
            format!(r#"{{"data":{{"key":"related-to",{ends}}},"meta":{{"tlp_color":"null"}}}}"#),
            "related-to",
            false,
        ),
        (
            format!(r#"{{"type":"relationship","data":{{{ends}}},"meta":{{"title":"uses"}}}}"#),
            "uses",
            false,
        ),
        (format!(r#"{{"type":"Relation",{ends},"key":"targets"}}"#), "targets", false),
        (format!(r#"{{"type":"relation","data":{{"key":"None",{ends}}}}}"#), "", false),
        (format!(r#"{{"data":{{"subtype":"STIX-update of",{ends}}}}}"#), "STIX-update of", true),
    ] {
        let facts = read_one(&object);
        assert_eq!(facts.issues, [], "{object}");
        let [relation] = &facts.relations[..] else { panic!("{object}: {:?}", facts.relations) };
        assert_eq!((&*relation.kind, relation.update_of), (kind, update_of), "{object}");
        let found = (relation.source.as_str(), relation.target.as_str(), relation.since);
        assert_eq!(found, (INCIDENT, INDICATOR, Reader::SECOND), "{object}");
    }
}

#[test]
fn a_text_that_says_null_is_absent() {
    for null in ["null", "None", "NONE", " none ", "Null", ""] {
        let object = format!(
            r#"{{"id":"{INDICATOR}","diff":"{null}","extracts":"{null}","sources":"{null}",
                "enrichment_extracts":"{null}","created_at":"{null}","observables":"{null}",
                "data":{{"type":"indicator","title":"x","timestamp":"{null}","status":"{null}",
                    "identity":{{"name":"{null}"}},"test_mechanisms":"{null}","handling":"{null}"}},
                "meta":{{"title":"{null}","tlp_color":"{null}","tlp_color_override":{{"value":"{null}"}},
                    "estimated_threat_end_time":"{null}","tags":["{null}"],"taxonomy":"{null}",
                    "taxonomy_paths":[["x","{null}"]],"attacks":"{null}","source_reliability":"{null}",
                    "bundled_extracts":"{null}"}}}}"#
        );
        let read = entity(&object);
        let plain = entity(&indicator("", r#""tlp_color":{"value":null}"#));
        assert_eq!(Entity { before: None, ..read }, plain, "{null:?}");
    }
    let facts =
        read_one(&indicator("", r#""bundled_extracts":[{"kind":"domain","value":"None"}]"#));
    let what = "day.json#/entities/0/meta/bundled_extracts/0: warning: an observable without value; left out";
    assert_eq!(issues(&facts), [what]);
}

#[test]
fn every_word_of_a_verdict_is_known() {
    use Maliciousness::{High, Low, Medium, Safe, Unknown};
    for (said, wanted) in [
        (r#""meta":{"classification":"safe"}"#, Safe),
        (r#""meta":{"classification":"GOOD","maliciousness":"high"}"#, Safe),
        (r#""meta":{"classification":"bad","maliciousness":"safe"}"#, Safe),
        (r#""meta":{"classification":"low"}"#, Low),
        (r#""meta":{"classification":"medium","confidence":"high"}"#, Medium),
        (r#""meta":{"classification":{"value":"High"}}"#, High),
        (r#""meta":{"classification":"bad","confidence":{"value":"Medium"}}"#, Medium),
        (r#""meta":{"maliciousness":"bad","confidence":"high"}"#, High),
        (r#""meta":{"classification":"unknown"},"classification":"bad""#, Unknown),
        (r#""meta":{"classification":"None"},"classification":"bad""#, Low),
        (r#""meta":{"classification":"unknown","maliciousness":"medium"}"#, Medium),
        (r#""meta":{"confidence":"high"}"#, Unknown),
        (r#""meta":{"classification":"of tomorrow"}"#, Unknown),
    ] {
        let read = entity(&indicator(
            &format!(r#","extracts":[{{"kind":"ipv4","value":"a",{said}}}]"#),
            "",
        ));
        assert_eq!(read.observables[0].maliciousness, wanted, "{said}");
    }
}

#[test]
fn what_the_platform_shows_now_wins_over_what_was_entered() {
    use Maliciousness::{High, Safe, Unknown};
    let bad = r#""classification":"bad","confidence":"high","link_type":"test-mechanism""#;
    let links =
        |names: &[&str]| names.iter().fold(LinkTypes::default(), |set, name| set.with(name));
    for (kind, now, entered, wanted) in [
        (
            "domain",
            r#""value":"A.example","meta":{"classification":"good"}"#,
            "a.example",
            (Safe, links(&[])),
        ),
        (
            "domain",
            r#""value":"a.example","meta":{"classification":"unknown"}"#,
            " a.example",
            (Unknown, links(&[])),
        ),
        (
            "domain",
            r#""value":"b.example","meta":{"classification":"good"}"#,
            "a.example",
            (High, links(&["test-mechanism"])),
        ),
        ("domain", r#""value":"a.example""#, "a.example", (High, links(&["test-mechanism"]))),
        (
            "uri",
            r#""value":"http://a.example/X","meta":{"classification":"good"}"#,
            "http://a.example/x",
            (High, links(&["test-mechanism"])),
        ),
    ] {
        for list in ["bundled_extracts", "manual_extracts"] {
            let object = format!(
                r#"{{"id":"{INDICATOR}","type":"indicator","extracts":[{{"kind":"{kind}",{now}}}],
                    "meta":{{"{list}":{{"kind":"{kind}","value":"{entered}",{bad}}}}}}}"#
            );
            let last = entity(&object).observables.pop().unwrap();
            assert_eq!((last.maliciousness, last.links), wanted, "{object}");
        }
    }
}

#[test]
fn names_that_stand_apart_from_titles_are_read() {
    for (name, wanted) in [
        (r#"{"type":"identity","name":"FIN7"}"#, Some("FIN7")),
        (r#"{"name":{"value":"FIN7"}}"#, Some("FIN7")),
        (r#""FIN7""#, Some("FIN7")),
        (r#"{"name":"None"}"#, None),
        ("{}", None),
        ("null", None),
    ] {
        let read = entity(&indicator(&format!(r#","identity":{name}"#), ""));
        assert_eq!((read.name.as_deref(), &*read.title), (wanted, "x"), "{name}");
    }
    for names in [r#"[{"value":"a"},{"value":"b"}]"#, r#"["a","None","b"]"#] {
        let read = entity(&indicator(
            &format!(r#","behavior":{{"malware":[{{"names":{names}}},null]}}"#),
            "",
        ));
        let found: Vec<_> =
            read.observables.iter().map(|it| (&*it.kind, &*it.value, it.since)).collect();
        assert_eq!(found, [("malware", "a", Reader::SECOND), ("malware", "b", Reader::SECOND)]);
    }
}

#[test]
fn test_mechanisms_are_rules_of_their_tools() {
    let sigma = r"logsource: a\ndetection: b";
    for (mechanism, kind) in [
        (format!(r#""test_mechanism_type":"generic","generic_test_mechanism_type":"Sigma","specification":{{"value":"{sigma}"}}"#), "sigma"),
        (r#""generic_test_mechanism_type":{"value":"STIX 2"},"specification":"[url:value = 'x']""#.into(), "stix2-pattern"),
        (r#""generic_test_mechanism_type":"STIX","specification":"<stix:x/>""#.into(), "test-mechanism"),
        (r#""test_mechanism_type":"generic","generic_test_mechanism_type":"Suricata","specification":{"value":"alert x"}"#.into(), "snort"),
        (r#""generic_test_mechanism_type":"PCRE","test_mechanism_type":"generic","specification":{"value":"[a-z]x"}"#.into(), "pcre-pattern"),
        (r#""test_mechanism_type":"snort","rules":[{"value":"alert x"}]"#.into(), "snort"),
        (r#""type":"snort-test-mechanism","rules":["alert x"]"#.into(), "snort"),
        (r#""test_mechanism_type":"YARA","rule":{"value":"rule x { condition: true }"}"#.into(), "yara"),
        (r#""test_mechanism_type":"yara","rule":"rule x { condition: true }""#.into(), "yara"),
        (r#""test_mechanism_type":"generic","specification":{"value":"[url:value = 'x']"}"#.into(), "rule"),
        (format!(r#""specification":"{sigma}""#), "rule"),
        (r#""specification":"x""#.into(), "test-mechanism"),
    ] {
        let read = entity(&indicator(&format!(r#","test_mechanisms":[{{{mechanism}}}]"#), ""));
        let [found] = &read.observables[..] else { panic!("{mechanism}: {:?}", read.observables) };
        assert_eq!(&*found.kind, kind, "{mechanism}");
        assert!(found.links.has("test-mechanism") && found.since == Reader::SECOND, "{mechanism}");
    }
    let several = r#","test_mechanisms":{"test_mechanism_type":"snort","rules":["alert x",{"value":"alert y"}]}"#;
    assert_eq!(entity(&indicator(several, "")).observables.len(), 2);
    let facts = read_one(&indicator(
        r#","test_mechanisms":[{"test_mechanism_type":"open-ioc","ioc":{}}]"#,
        "",
    ));
    let what = "a test mechanism of which no rule can be read; left out";
    assert_eq!(
        issues(&facts),
        [format!("day.json#/entities/0/data/test_mechanisms/0: warning: {what}")]
    );
}

#[test]
fn references_are_only_where_references_are() {
    let of = |data: &str| entity(&indicator(data, "")).references;
    for part in ["information_source", "information-source", "producer"] {
        for (inside, wanted) in [
            (
                r#"{"description":"https://d.example/","references":["https://r.example/1"]}"#,
                &["https://r.example/1"][..],
            ),
            (
                r#"{"references":[{"url":"https://r.example/1","description":"https://d.example/"}]}"#,
                &["https://r.example/1"],
            ),
            (r#"[{"references":"https://r.example/1"}]"#, &["https://r.example/1"]),
            (r#"{"identity":{"name":"https://d.example/"}}"#, &[]),
            (r#""https://d.example/""#, &[]),
        ] {
            assert_eq!(of(&format!(r#","{part}":{inside}"#)), boxes(wanted), "{part} {inside}");
        }
    }
    let own = r#","description":"https://d.example/","references":["https://r.example/1",{"value":"https://r.example/2"}]"#;
    assert_eq!(of(own), boxes(&["https://r.example/1", "https://r.example/2"]));
}

#[test]
fn the_time_of_creation_does_not_follow_edits() {
    let of = |root: &str, data: &str, meta: &str| {
        let object = format!(
            r#"{{"id":"{INDICATOR}",{root}"data":{{"type":"incident","title":"x",{data}
                "timestamp":"2026-11-25T10:00:00Z"}},"meta":{{{meta}}}}}"#
        );
        entity(&object).dated().unwrap().day()
    };
    let root = r#""created_at":"2026-11-02T10:00:00Z","#;
    let data = r#""created_at":"2026-11-01T10:00:00Z","#;
    let meta = r#""first_ingest_time":"2026-11-03T10:00:00Z""#;
    let time = r#""time":{"first_malicious_action":"2026-10-10T00:00:00Z"},"#;
    assert_eq!(of(root, data, meta), "2026-11-01");
    assert_eq!(of(root, "", meta), "2026-11-02");
    assert_eq!(of(root, r#""created_at":"None","#, meta), "2026-11-02");
    assert_eq!(of("", "", meta), "2026-11-03");
    assert_eq!(of("", "", ""), "2026-11-25");
    assert_eq!(of(root, time, meta), "2026-10-10");
    assert_eq!(of(root, time, r#""estimated_threat_start_time":"2026-10-20""#), "2026-10-20");
}

#[test]
fn observables_of_the_api_stand_in_the_entity() {
    for (observables, wanted) in [
        (
            r#"[{"id":2,"type":"domain","value":"a","meta":{"maliciousness":"high"}}]"#,
            Maliciousness::High,
        ),
        (
            r#"{"data":{"maliciousness":"medium","type":"Domain","value":"a"}}"#,
            Maliciousness::Medium,
        ),
        (
            r#"{"data":[{"type":"domain","value":"a","classification":"good"}],"count":1}"#,
            Maliciousness::Safe,
        ),
        (r#"[{"data":{"kind":"domain","value":"a"}}]"#, Maliciousness::Unknown),
    ] {
        let object =
            format!(r#"{{"id":"{INDICATOR}","type":"indicator","observables":{observables}}}"#);
        let read = entity(&object);
        let [found] = &read.observables[..] else { panic!("{object}: {:?}", read.observables) };
        let found = (&*found.kind, &*found.value, found.maliciousness, found.since);
        assert_eq!(found, ("domain", "a", wanted, Reader::SECOND), "{object}");
    }
}

#[test]
fn what_enrichment_added_is_counted_once_and_is_no_observable() {
    let read = entity(&format!(
        r#"{{"id":"{INDICATOR}","type":"indicator","extracts":[{{"kind":"ipv4","value":"a"}}],
            "enrichment_extracts":[{{"kind":"IPv4","value":"b"}},{{"kind":"ipv4","value":"a"}},null,
                {{"kind":"domain","value":["c"]}},{{"kind":"domain"}},{{"value":"d"}}]}}"#
    ));
    let lost = |(kind, value): (&str, &str)| {
        let (kind, value) = (kind.into(), value.into());
        Unusable { kind, value, why: WhyUnusable::Enrichment }
    };
    let all = [("ipv4", "b"), ("domain", "a list"), ("observable", "d")];
    assert_eq!(read.unusable, all.map(lost));
    assert_eq!(read.observables.len(), 1);
}

#[test]
fn what_is_seen_and_not_read_is_told_once_with_its_number() {
    let odd = format!(
        r#"{{"id":"{INDICATOR}","data":{{"type":"indicator","title":"x","observable":{{"object":{{}}}},
                "related_observables":[{{"object":1}}],"custom_attributes":{{"a":1}}}},
            "observables":["https://eiq.example/api/v1/observables/1",2,{{"data":["https://eiq.example/o/3"]}}],
            "meta":{{"taxonomy":[21,"x",["Admiralty Code","A"]],"taxonomies":["https://eiq.example/t/1"],
                "taxonomy_paths":[["a","b"],[],null],"attacks":[{{"name":"Phishing"}}]}}}}"#
    );
    let facts = read(&format!(r#"{{"entities":[{odd},{}]}}"#, odd.replace(INDICATOR, INCIDENT)));
    let told = issues(&facts);
    let told: Vec<&str> =
        told.iter().map(|issue| issue.split_once(" in all): ").unwrap().0).collect();
    let place = "day.json#/entities/0";
    assert_eq!(
        told,
        [
            format!(
                "{place}/observables: warning: observables are named by URL or number and not read (6"
            ),
            format!("{place}/data/observable: warning: observables in CybOX are not read (4"),
            format!(
                "{place}/meta/taxonomy: warning: taxonomy entries are named by id and give no tags (6"
            ),
            format!(
                "{place}/meta/attacks: warning: ATT&CK classifications have no technique or tactic that can be read (2"
            ),
            format!("{place}/data/custom_attributes: warning: custom attributes are not read (2"),
        ]
    );
    assert_eq!(facts.skipped, 0);
    let attack = entity(&indicator("", r#""attack":["TA0001:T1566.001"]"#));
    let found: Vec<_> = attack.observables.iter().map(|it| (&*it.kind, &*it.value)).collect();
    assert_eq!(found, [("attack", "TA0001"), ("attack", "T1566.001")]);
}

#[test]
fn the_first_reader_passed_over_what_is_new() {
    let facts = read_one(&format!(
        r#"{{"id":"{INCIDENT}","created_at":"2026-11-02T10:00:00Z",
            "data":{{"type":"incident","title":"x","timestamp":"2026-11-25T10:00:00Z","identity":{{"name":"n"}},
                "producer":{{"references":["https://r.example/1"]}},
                "information_source":{{"references":["https://r.example/2"]}},
                "test_mechanisms":[{{"test_mechanism_type":"snort","rules":["alert x"]}}]}},
            "meta":{{"tlp_color":"null"}},"extracts":[{{"kind":"ipv4","value":"a"}}]}}"#
    ));
    let then = facts.as_read_by(Reader::FIRST);
    let [now, then] = [&facts.entities[0], &then.entities[0]];
    assert_eq!((now.name.as_deref(), then.name.as_deref()), (Some("n"), None));
    assert_eq!((now.tlp, then.tlp), (None, Some(Tlp::Red)));
    assert_eq!(then.references, boxes(&["https://r.example/2"]));
    assert_eq!((now.observables.len(), then.observables.len()), (2, 1));
    let day = |entity: &Entity| entity.dated().unwrap().day();
    assert_eq!((day(now), day(then)), ("2026-11-02".into(), "2026-11-25".into()));
}

/// What has no bound grows with the square: the lists of an object are as long as its file.
#[test]
fn long_lists_of_names_and_ends_cost_no_more_than_they_are_long() {
    let names = vec!["\"x\""; 100_000].join(",");
    let path = format!(r#""taxonomy_paths":[[{names},"TLP","Amber"]]"#);
    let tags = entity(&indicator("", &path)).tags;
    assert_eq!(tags.last().map(AsRef::as_ref), Some("TLP:Amber"));

    let ends = |count: usize| vec![format!("\"{INDICATOR}\""); count].join(",");
    let relation = |count: usize| {
        let (source, target) = (ends(count), ends(100));
        read_one(&format!(
            r#"{{"type":"relation","data":{{"source":[{source}],"target":[{target}]}}}}"#
        ))
    };
    assert_eq!((relation(100).relations.len(), relation(100).skipped), (10_000, 0));
    let refused = relation(101);
    assert_eq!((refused.relations.len(), refused.skipped), (0, 1));
    assert!(issues(&refused)[0].contains("more than 10000 pairs of ends"), "{refused:?}");

    let relation = |many: &str| {
        format!(r#"{{"type":"relation","data":{{"source":[{many}],"target":[{many}]}}}}"#)
    };
    let many = vec![relation(&ends(100)); 101];
    let single = vec![relation(&ends(1)); 10];
    let objects = [many, single].concat().join(",");
    let read = read(&format!(r#"{{"entities":[{objects}]}}"#));
    assert_eq!((read.relations.len(), read.skipped), (1_000_010, 1));
    assert!(issues(&read)[0].contains("1000000 pairs of ends together"), "{:?}", issues(&read));
}

#[test]
fn a_value_that_is_no_text_is_read_as_its_number_or_told_and_counted() {
    for (value, expected) in [("1024.0", "1024"), ("1e3", "1000"), ("443", "443")] {
        let read = entity(&format!(
            r#"{{"id":"{INDICATOR}","type":"indicator","extracts":[{{"kind":"port","value":{value}}}]}}"#
        ));
        let [found] = &read.observables[..] else { panic!("{value}: {:?}", read.observables) };
        let since = if value == "443" { Reader::FIRST } else { Reader::FOURTH };
        assert_eq!((&*found.value, found.since), (expected, since), "{value}");
    }
    for (value, shape) in [
        ("true", "true"),
        ("[\"a\"]", "a list"),
        (r#"{"x":"a.example"}"#, "an object"),
        (r#"{"x":"a","value":null}"#, "an object"),
    ] {
        for (list, place) in [
            ("extracts", "/extracts/0"),
            ("observables", "/observables/0"),
            ("data", "/observables/0"),
        ] {
            let inner = format!(r#"[{{"kind":"Domain","value":{value}}}]"#);
            let lists = match list {
                "data" => format!(r#""observables":[{{"data":{inner}}}]"#),
                list => format!(r#""{list}":{inner}"#),
            };
            let facts = read_one(&format!(r#"{{"id":"{INDICATOR}","type":"indicator",{lists}}}"#));
            let [told] = &issues(&facts)[..] else { panic!("{lists}: {:?}", facts.issues) };
            assert!(told.contains(&format!("is no text but {shape};")), "{told}");
            let value = format!("{place}/value is {shape}").into();
            let lost = Unusable { kind: "domain".into(), value, why: WhyUnusable::PathNotMapped };
            assert_eq!(facts.entities[0].unusable, [lost], "{lists}");
            assert!(facts.entities[0].observables.is_empty());
        }
    }
}

#[test]
fn a_value_that_is_a_list_is_told_as_that() {
    for (inside, place) in [
        (r#""extracts":[{"kind":"domain","value":["a","b"]}]"#, "/extracts/0"),
        (r#""observables":[{"type":"domain","value":["a","b"]}]"#, "/observables/0"),
    ] {
        let facts = read_one(&format!(
            r#"{{"id":"{INDICATOR}","data":{{"type":"indicator","title":"x"}},"meta":{{}},{inside}}}"#
        ));
        let told: Vec<String> = facts.issues.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].contains(&format!("{place}: warning: the value of an observable is no text"))
        );
    }
}

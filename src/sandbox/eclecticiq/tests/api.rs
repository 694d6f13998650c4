//! Lists and single rows of the public API.

use super::*;

#[test]
fn rows_look_as_they_do_for_public_clients() {
    let mut world = World::replace();
    let expected = json!({"data": {
        "attachments": [],
        "created_at": "2026-11-18T10:00:00.123456+00:00",
        "data": {
            "confidence": "medium",
            "id": format!("{{https://ic.example/}}incident-{INCIDENT}"),
            "timestamp": "2026-11-18T10:00:00.123456+00:00",
            "title": "Phishing",
            "type": "incident",
        },
        "datasets": ["https://ic.example/api/v2/datasets/1"],
        "id": INCIDENT,
        "incoming_feed": null,
        "last_updated_at": "2026-11-18T10:00:00.123456+00:00",
        "meta": {"tags": ["x"], "taxonomies": ["https://ic.example/api/v2/taxonomies/1"], "tlp_color": "GREEN"},
        "observables": [],
        "outgoing_feeds": ["https://ic.example/api/v2/outgoing-feeds/12"],
        "relevancy": 1,
        "sources": ["https://ic.example/api/v2/sources/7c1e0000-0000-4000-8000-000000000384"],
    }});
    assert_eq!(world.get(&format!("/api/v2/entities/{INCIDENT}")), expected);
    let indicator = world.get(&format!("/api/v2/entities/{INDICATOR}/"))["data"].clone();
    assert_eq!(indicator["observables"], json!(["https://ic.example/api/v2/observables/1"]));
    let observable = world.get("/api/v2/observables/1")["data"].clone();
    let time = observable["created_at"].clone();
    let expected = json!({
        "created_at": time,
        "entities": [format!("https://ic.example/api/v2/entities/{INDICATOR}")],
        "id": 1,
        "last_updated_at": time,
        "meta": {"maliciousness": "low"},
        "sources": [],
        "type": "domain",
        "value": "a.example",
    });
    assert_eq!(observable, expected);
    let relationship = world.get(&format!("/api/v2/relationships/{RELATION}"))["data"].clone();
    let expected = json!({
        "key": "indicators",
        "source": format!("https://ic.example/api/v2/entities/{INCIDENT}"),
        "target": format!("https://ic.example/api/v2/entities/{INDICATOR}"),
    });
    assert_eq!((&relationship["data"], &relationship["id"]), (&expected, &json!(RELATION)));
    let source = world.get("/api/v2/sources/7c1e0000-0000-4000-8000-000000000384");
    assert_eq!(source["data"]["name"], "Testing Group");
    assert_eq!(
        world.get("/api/v2/taxonomies?limit=500")["data"],
        json!([{"id": 1, "name": "Delivery"}])
    );
    assert_eq!(world.get("/api/v2/taxonomies/1")["data"]["name"], "Delivery");
    for path in [
        "entities/x",
        "observables/0",
        "observables/2",
        "relationships/x",
        "sources/x",
        "taxonomies/2",
    ] {
        assert_eq!(world.refused(&format!("/api/v2/{path}")).0, 404, "{path}");
    }
}

#[test]
fn a_confidence_has_both_of_its_forms() {
    let setup = Setup { confidence: Confidence::Object, ..Setup::new(12, Strategy::Replace) };
    let mut world = World::new(setup, &elements());
    let entity = world.get(&format!("/api/v2/entities/{INCIDENT}"));
    assert_eq!(
        entity["data"]["data"]["confidence"],
        json!({"type": "confidence", "value": "Medium"})
    );
}

#[test]
fn verdicts_are_one_word() {
    let extract = |classification: &str, confidence: Option<&str>| {
        json!({"kind": "domain", "value": format!("{classification}-{confidence:?}"),
               "meta": {"classification": classification, "confidence": confidence}})
    };
    let mut element = indicator(&[]);
    element["extracts"] = json!([
        extract("bad", Some("high")),
        extract("bad", Some("medium")),
        extract("bad", Some("low")),
        extract("bad", None),
        extract("good", Some("high")),
        extract("unknown", None),
    ]);
    let mut world = World::new(Setup::new(12, Strategy::Replace), &[element]);
    let rows = world.get("/api/v2/observables?attributes=meta.maliciousness,id");
    let words: Vec<&Value> =
        rows["data"].as_array().unwrap().iter().map(|row| &row["meta"]["maliciousness"]).collect();
    assert_eq!(words, ["high", "medium", "low", "low", "safe", "unknown"]);
    assert_eq!(rows["data"][0], json!({"id": 1, "meta": {"maliciousness": "high"}}));
}

fn many(count: usize) -> Vec<Value> {
    let element = |number: usize| json!({"id": format!("{number:05}"), "data": {"type": "incident", "title": format!("t{number}")}, "meta": {}});
    (0..count).map(element).collect()
}

fn ids(list: &Value) -> Vec<String> {
    list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn lists_come_in_pages_of_a_limit() {
    let mut world = World::new(Setup::new(12, Strategy::Replace), &many(1_200));
    let envelope = |list: &Value| {
        ["count", "limit", "offset", "total_count"].map(|key| list[key].as_u64().unwrap())
    };
    assert_eq!(envelope(&world.get("/api/v2/entities")), [100, 100, 0, 1_200]);
    assert_eq!(envelope(&world.get("/api/v2/entities?limit=5000")), [1_000, 1_000, 0, 1_200]);
    assert_eq!(
        envelope(&world.get("/api/v2/entities?limit=1000&offset=1000")),
        [200, 1_000, 1_000, 1_200]
    );
    assert_eq!(envelope(&world.get("/api/v2/entities?limit=0")), [0, 0, 0, 1_200]);
    assert_eq!(world.refused("/api/v2/entities?limit=1000&offset=9001").0, 400);
    assert_eq!(world.refused("/api/v2/entities?limit=many").0, 400);
    assert_eq!(world.refused("/api/v2/entities?offset=-1").0, 400);
    assert_eq!(world.refused("/api/v2/entities?filter[id]=%zz").0, 400);
    for query in ["cursor=1", "filter[nothing]=1", "sort=relevancy"] {
        assert_eq!(world.refused(&format!("/api/v2/entities?{query}")).0, 501, "{query}");
    }
}

#[test]
fn filters_choose_and_repeated_ones_choose_any() {
    let mut world = World::new(Setup::new(12, Strategy::Replace), &elements());
    for (query, expected) in [
        ("entities?filter[type]=incident", vec![INCIDENT]),
        ("entities?filter%5Btype%5D=incident&filter[type]=indicator", vec![INCIDENT, INDICATOR]),
        ("entities?filter[type]=incident&filter[data.title]=Indicator", vec![]),
        ("entities?filter[data.title]=Phishing", vec![INCIDENT]),
        ("entities?filter[outgoing_feeds]=12", vec![INCIDENT, INDICATOR]),
        (
            "entities?filter[outgoing_feeds]=https://ic.example/api/v2/outgoing-feeds/12/",
            vec![INCIDENT, INDICATOR],
        ),
        ("entities?filter[outgoing_feeds]=13", vec![]),
        ("entities?filter[datasets]=1", vec![INCIDENT, INDICATOR]),
        ("entities?filter[datasets]=2", vec![]),
        ("entities?filter[observables]=1", vec![INDICATOR]),
        ("entities?filter[observables]=0", vec![]),
        ("entities?filter[id]=x", vec![]),
        (&format!("entities?filter[id]={ELSEWHERE}"), vec![ELSEWHERE]),
        (&format!("relationships?filter[data.source]={INCIDENT}"), vec![RELATION]),
        (&format!("relationships?filter[data.source]={INDICATOR}"), vec![]),
        (&format!("relationships?filter[data.target]={INDICATOR}"), vec![RELATION]),
    ] {
        assert_eq!(ids(&world.get(&format!("/api/v2/{query}"))), expected, "{query}");
    }
    for (query, count) in [
        ("filter[type]=domain&filter[value]=a.example", 1),
        ("filter[type]=host", 0),
        (&*format!("filter[entities]={INDICATOR}"), 1),
        (&*format!("filter[entities]={INCIDENT}"), 0),
    ] {
        assert_eq!(world.get(&format!("/api/v2/observables?{query}"))["count"], count, "{query}");
    }
    let setup =
        Setup { datasets_filter: DatasetsFilter::Ignored, ..Setup::new(12, Strategy::Replace) };
    let mut world = World::new(setup, &elements());
    assert_eq!(world.get("/api/v2/entities?filter[datasets]=2")["count"], 3);
}

#[test]
fn time_orders_and_chooses() {
    let mut world = World::new(Setup::new(12, Strategy::Replace), &many(3));
    assert_eq!(world.get("/api/v2/entities")["count"], 3);
    world.command(&json!({"do": "touch", "ids": ["00000"]}));
    let changed = "2026-11-20T09:00:02.000000+00:00";
    let by_time = world.get("/api/v2/entities?sort=last_updated_at,-id");
    assert_eq!(ids(&by_time), ["00002", "00001", "00000"]);
    assert_eq!(by_time["data"][2]["last_updated_at"], changed);
    assert_eq!(
        ids(&world.get("/api/v2/entities?sort=-last_updated_at,id")),
        ["00000", "00001", "00002"]
    );
    let since = |time: &str| {
        format!("/api/v2/entities?filter[>last_updated_at]={}", time.replace('+', "%2B"))
    };
    assert_eq!(ids(&world.get(&since("2026-11-20T09:00:01.999999+00:00"))), ["00000"]);
    assert_eq!(ids(&world.get(&since(changed))), [""; 0], "only what is later");
    assert_eq!(world.refused(&since("yesterday")).0, 400);
    // What was written late has an early time.
    world.command(&json!({"do": "touch", "ids": ["00001"], "at": "2026-11-20T08:00:00Z"}));
    let late = world.get("/api/v2/entities/00001")["data"]["last_updated_at"].clone();
    assert_eq!(late, "2026-11-20T08:00:00.000000+00:00");
    let [created, updated] = ["-created_at,id", "last_updated_at"]
        .map(|sort| ids(&world.get(&format!("/api/v2/entities?sort={sort}"))));
    assert_eq!((created[0].as_str(), updated[0].as_str()), ("00000", "00001"));
}

#[test]
fn pages_shift_under_whoever_counts_on_offsets() {
    let mut world = World::new(Setup::new(12, Strategy::Replace), &many(4));
    world.command(&json!({"do": "fault", "path": "/entities?", "trouble": "shift"}));
    let page = |offset| format!("/api/v2/entities?sort=last_updated_at,id&limit=2&offset={offset}");
    assert_eq!(ids(&world.get(&page(0))), ["00000", "00001"]);
    assert_eq!(ids(&world.get(&page(2))), ["00003", "00000"], "00002 is missed");
}

#[test]
fn a_new_dataset_moves_the_times_of_what_changed_alone() {
    let mut world = World::replace();
    let times = |world: &mut World| {
        let rows = [
            format!("entities/{INCIDENT}"),
            format!("entities/{INDICATOR}"),
            format!("relationships/{RELATION}"),
            "observables/1".to_owned(),
        ];
        rows.map(|row| world.get(&format!("/api/v2/{row}"))["data"]["last_updated_at"].clone())
    };
    let before = times(&mut world);
    world.put(&elements());
    assert_eq!(times(&mut world), before);
    // Another observable is no change of the entity, nor of the one that it had.
    world.put(&[incident("New title"), indicator(&["a.example", "b.example"]), relation()]);
    let after = times(&mut world);
    assert!(after[0].as_str() > before[0].as_str());
    assert_eq!(after[1..], before[1..]);
    let created = world.get(&format!("/api/v2/entities/{INCIDENT}"))["data"]["created_at"].clone();
    assert_eq!(created, before[0]);
    // A verdict is a change of the observable.
    let mut safer = indicator(&["a.example"]);
    safer["extracts"][0]["meta"]["classification"] = json!("good");
    world.put(&[incident("New title"), safer, relation()]);
    assert!(times(&mut world)[3].as_str() > before[3].as_str());
    world.put(&[incident("New title"), indicator(&["a.example"])]);
    assert_eq!(world.get("/api/v2/observables/2")["data"]["entities"], json!([]));
    assert_eq!(world.refused(&format!("/api/v2/relationships/{RELATION}")).0, 404);
}

#[test]
fn what_leaves_is_deleted_or_in_no_feed() {
    let mut world = World::replace();
    world.get("/api/v2/entities");
    world.command(&json!({"do": "leaving", "entities": "kept"}));
    world.put(&[incident("Phishing")]);
    let kept = world.get(&format!("/api/v2/entities/{INDICATOR}"))["data"].clone();
    assert_eq!((&kept["outgoing_feeds"], &kept["datasets"]), (&json!([]), &json!([])));
    assert_eq!(ids(&world.get("/api/v2/entities?filter[outgoing_feeds]=12")), [INCIDENT]);
    world.put(&elements());
    assert_eq!(
        world.get("/api/v2/entities?filter[outgoing_feeds]=12")["count"],
        2,
        "and it is in again"
    );
    world.command(&json!({"do": "leaving", "entities": "deleted"}));
    world.put(&[incident("Phishing")]);
    assert_eq!(world.refused(&format!("/api/v2/entities/{INDICATOR}")).0, 404);
    assert_eq!(world.get("/api/v2/observables/1")["data"]["entities"], json!([]));
}

//! Documents, lists and content blocks of the outgoing feed.

use std::num::NonZeroUsize;

use super::*;

#[test]
fn the_document_has_what_clients_read() {
    let mut world = World::replace();
    let document = world.document();
    let expected = json!({
        "content_type": "urn:eclecticiq.com:json:2.0",
        "created_at": "2026-11-20T09:00:00.000000+00:00",
        "id": "12",
        "is_active": true,
        "last_triggered_at": "2026-11-20T09:00:00.000000+00:00",
        "last_updated_at": "2026-11-20T09:00:00.000000+00:00",
        "name": "Outgoing feed 12",
        "packaging_last_run_at": "2026-11-20T09:00:00.000000+00:00",
        "packaging_status": "SUCCESS",
        "transport_type": "eiq.outgoing-transports.http-download",
        "update_strategy": "REPLACE",
        "update_task": "https://ic.example/api/v2/tasks/195",
    });
    assert_eq!(document, expected);
    let private = world.get("/private/outgoing-feeds/12")["data"].clone();
    assert_eq!(private["id"], 12);
    assert_eq!(private.get("packaging_last_run_at"), None);
    for key in ["content_type", "created_at", "packaging_status", "update_strategy"] {
        assert_eq!(private[key], document[key], "{key}");
    }
    let filtered = |kind: &str| {
        format!("/api/v2/outgoing-feeds?filter[content_type]={kind}&attributes=id&limit=500")
    };
    let found = world.get(&filtered("urn:eclecticiq.com:json:2.0"));
    assert_eq!(
        found,
        json!({"count": 1, "data": [{"id": "12"}], "limit": 500, "offset": 0, "total_count": 1})
    );
    assert_eq!(world.get(&filtered("urn:eclecticiq.com:csv-extracts:1.0"))["data"], json!([]));
}

#[test]
fn a_list_of_all_blocks_ends_with_a_slash() {
    let mut world = World::replace();
    let reply = world.ask("GET", FEED, "");
    assert_eq!((reply.status, reply.header("location")), (308, Some(&*format!("{FEED}/"))));
    let links = world.links(&format!("{FEED}/"));
    assert_eq!(links, [format!("{FEED}/runs/1/content-blocks/1")]);
    assert_eq!(world.links(&format!("{FEED}/runs/latest")), links);
    assert_eq!(world.links(&format!("{FEED}/runs/latest/")), links);
}

#[test]
fn elements_keep_their_bytes() {
    let text = r#"{ "entities": [ {"id":"a" , "data":{"type":"incident","score":1.50,"title":"\u00fc"}},
        {"data":{"type":"incident"}}, {"id":"a" , "data":{"type":"incident","score":1.50,"title":"\u00fc"}} ],
        "entities_v2": [{"id": "b"}], "timestamp": "t" }"#;
    let dataset = Dataset::read(text.as_bytes()).unwrap();
    let now = Timestamp::from_seconds(0);
    let mut platform = Platform::new("http://x", Setup::new(12, Strategy::Append), dataset, now);
    let block = platform.feed.block(1, 1).unwrap().to_vec();
    let block = String::from_utf8(block).unwrap();
    assert_eq!(
        block
            .matches(r#"{"id":"a" , "data":{"type":"incident","score":1.50,"title":"\u00fc"}}"#)
            .count(),
        1
    );
    let read: Value = serde_json::from_str(&block).unwrap();
    assert_eq!(
        (read["entities"].as_array().unwrap().len(), &read["entities_v2"]),
        (2, &json!([{"id": "b"}]))
    );
    assert_eq!(
        (&read["timestamp"], &read["entity_counts"]),
        (&json!("t"), &json!({"incident": 2}))
    );
    platform.replace(Dataset::read(text.as_bytes()).unwrap(), now);
    assert_eq!(platform.feed.listed(packaging::Which::All), [(1, 1)]);
}

#[test]
fn replace_packages_everything_and_keeps_the_run_before() {
    let mut world = World::replace();
    let first = world.links(&format!("{FEED}/runs/latest"));
    world.put(&[incident("Phishing")]);
    let second = world.links(&format!("{FEED}/runs/latest"));
    assert_eq!(second, [format!("{FEED}/runs/2/content-blocks/2")]);
    assert_eq!(world.ids(&second[0]), [INCIDENT]);
    assert_eq!(world.ids(&first[0]).len(), 4);
    let all = world.links(&format!("{FEED}/"));
    assert_eq!(all, [first.clone(), second].concat());
    world.put(&[]);
    let third = world.links(&format!("{FEED}/runs/latest"));
    assert_eq!(world.get(&third[0])["entities"], json!([]));
    assert_eq!(world.refused(&first[0]).0, 404);
}

#[test]
fn append_packages_what_is_new_or_changed_and_never_says_what_is_gone() {
    let mut world = World::append();
    assert_eq!(world.document()["update_strategy"], "APPEND");
    let before = world.document()["packaging_last_run_at"].clone();
    world.put(&elements());
    assert_eq!(world.links(&format!("{FEED}/")).len(), 1, "nothing changed");
    assert_eq!(world.links(&format!("{FEED}/runs/latest")), [""; 0]);
    let after = world.document()["packaging_last_run_at"].clone();
    assert!(after.as_str() > before.as_str(), "{after}");
    world.put(&[incident("Phishing again"), relation()]);
    let links = world.links(&format!("{FEED}/"));
    assert_eq!(world.ids(&links[1]), [INCIDENT]);
    world.put(&[incident("Phishing again"), relation(), indicator(&["a.example"])]);
    let links = world.links(&format!("{FEED}/"));
    assert_eq!(world.ids(&links[2]), [INDICATOR], "it is in the dataset again");
    assert_eq!(world.ids(&links[0]).len(), 4, "all blocks stay");
}

#[test]
fn blocks_are_cut_and_numbered_across_runs() {
    let two = NonZeroUsize::new(2);
    let setup =
        Setup { block_elements: two, links: Links::Urls, ..Setup::new(12, Strategy::Append) };
    let many: Vec<Value> = (0..20)
        .map(|number| json!({"id": number.to_string(), "data": {"type": "incident"}}))
        .collect();
    let mut world = World::new(setup, &many);
    let more: Vec<Value> =
        many.iter().cloned().chain([incident("x"), indicator(&[]), relation()]).collect();
    world.put(&more);
    let links = world.links(&format!("{FEED}/"));
    let numbers: Vec<&str> = links.iter().map(|link| link.rsplit('/').next().unwrap()).collect();
    assert_eq!(numbers, ["1", "10", "2", "3", "4", "5", "6", "7", "8", "9", "11", "12"]);
    assert!(links.iter().all(|link| link.starts_with("https://ic.example/private/")), "{links:?}");
    let mut found = Vec::new();
    let mut in_order = links.clone();
    in_order.sort_by_key(|link| link.rsplit('/').next().unwrap().parse::<u64>().unwrap());
    for link in &in_order {
        found.extend(world.ids(link.strip_prefix("https://ic.example").unwrap()));
    }
    let expected: Vec<_> = more.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_run_under_way_shows_a_part_and_a_failed_one_is_made_up_for() {
    let setup = Setup { block_elements: NonZeroUsize::new(1), ..Setup::new(12, Strategy::Append) };
    let mut world = World::new(setup, &[incident("x")]);
    world.command(&json!({"do": "hold"}));
    world.put(&elements());
    assert_eq!(world.links(&format!("{FEED}/")).len(), 1, "the new dataset waits");
    world.command(&json!({"do": "begin"}));
    assert_eq!(world.document()["packaging_status"], "RUNNING");
    assert_eq!(world.links(&format!("{FEED}/runs/latest")).len(), 2);
    world.command(&json!({"do": "purge", "blocks": [4, 5], "listed": true}));
    assert_eq!(world.links(&format!("{FEED}/runs/latest")).len(), 2, "what is not there yet stays");
    world.command(&json!({"do": "fail"}));
    assert_eq!(world.document()["packaging_status"], "FAILURE");
    assert_eq!(world.links(&format!("{FEED}/runs/latest")).len(), 2);
    world.command(&json!({"do": "begin"}));
    world.command(&json!({"do": "finish"}));
    assert_eq!(world.document()["packaging_status"], "SUCCESS");
    assert_eq!(
        world.links(&format!("{FEED}/runs/latest")).len(),
        4,
        "the same as the failed one, and the rest"
    );
    assert_eq!(world.links(&format!("{FEED}/")).len(), 7);
    let reply = world.ask("POST", "/control", "{\"do\": \"finish\"}");
    assert_eq!(reply.status, 400, "{reply:?}");
}

#[test]
fn a_feed_may_run_while_it_is_read() {
    let mut world = World::replace();
    world.command(&json!({"do": "fault", "path": "/runs/latest", "times": 2, "trouble": "run"}));
    let lists = [0; 3].map(|_| world.links(&format!("{FEED}/runs/latest")));
    assert_eq!(
        lists.concat(),
        [1, 2, 3].map(|number| format!("{FEED}/runs/{number}/content-blocks/{number}"))
    );
    assert_eq!(world.refused(&lists[0][0]).0, 404);
}

#[test]
fn a_feed_that_is_made_anew_has_another_time_and_other_blocks() {
    let mut world = World::append();
    let (before, old) = (world.document()["created_at"].clone(), world.links(&format!("{FEED}/")));
    world.command(&json!({"do": "recreate"}));
    assert!(world.document()["created_at"].as_str() > before.as_str());
    assert_eq!(world.links(&format!("{FEED}/")), [format!("{FEED}/runs/1/content-blocks/2")]);
    assert_eq!(world.refused(&old[0]).0, 404);
    world.command(&json!({"do": "recreate", "from_one": true}));
    assert_eq!(world.links(&format!("{FEED}/")), [format!("{FEED}/runs/1/content-blocks/1")]);
}

#[test]
fn blocks_that_were_thrown_away_are_not_found() {
    let setup = Setup { block_elements: NonZeroUsize::new(1), ..Setup::new(12, Strategy::Append) };
    let mut world = World::new(setup, &elements());
    let links = world.links(&format!("{FEED}/"));
    world.command(&json!({"do": "purge", "blocks": [2], "listed": true}));
    assert_eq!(world.links(&format!("{FEED}/")), links);
    world.command(&json!({"do": "purge", "blocks": [1]}));
    assert_eq!(world.links(&format!("{FEED}/")), links[1..]);
    let refused = [0, 1].map(|place: usize| world.refused(&links[place]));
    assert_eq!(
        refused,
        [(404, "No content block 1".to_owned()), (404, "No content block 2".to_owned())]
    );
    assert_eq!(world.ids(&links[2]), [RELATION]);
    world.command(&json!({"do": "purge"}));
    assert_eq!(world.links(&format!("{FEED}/")), [""; 0]);
}

#[test]
fn who_may_not_is_told_so() {
    let mut world = World::replace();
    for token in [None, Some("another")] {
        world.token = token;
        for path in [&format!("{FEED}/"), "/api/v2/outgoing-feeds/12", "/private/outgoing-feeds/12"]
        {
            assert_eq!(world.refused(path).0, 401, "{path}");
        }
    }
    world.token = Some(TOKEN);
    world.command(&json!({"do": "permit", "permissions": ["read entities"]}));
    for path in [
        &*format!("{FEED}/"),
        "/api/v2/outgoing-feeds/12",
        "/private/outgoing-feeds/12",
        "/api/v2/observables",
    ] {
        let (status, words) = world.refused(path);
        let right =
            if path.ends_with("observables") { "read extracts" } else { "read outgoing-feeds" };
        assert_eq!(
            (status, words),
            (403, format!("The permission \"{right}\" is missing")),
            "{path}"
        );
    }
    assert_eq!(world.get("/api/v2/entities")["total_count"], 3);
}

#[test]
fn other_feeds_and_other_paths_are_not_there() {
    let mut world = World::replace();
    for path in [
        "/private/outgoing-feed-download/13/",
        "/api/v2/outgoing-feeds/13",
        "/private/outgoing-feeds/x",
    ] {
        assert_eq!(world.refused(path).0, 404, "{path}");
    }
    for path in
        ["/", "/api/v1/entities", "/api/v2/tasks/195", "/private/status", &format!("{FEED}/runs/1")]
    {
        let (status, words) = world.refused(path);
        assert!(
            status == 501 && words.contains("the sandbox does not know"),
            "{path}: {status} {words}"
        );
    }
    assert_eq!(world.ask("POST", "/api/v2/entities", "{}").status, 501);
    let setup = Setup { paths: Paths::Private, ..Setup::new(12, Strategy::Replace) };
    let mut older = World::new(setup, &elements());
    assert_eq!(older.refused("/api/v2/outgoing-feeds/12").0, 404);
    assert_eq!(older.get("/private/outgoing-feeds/12")["data"]["packaging_status"], "SUCCESS");
}

#[test]
fn a_public_feed_needs_no_token_and_has_no_document_without_one() {
    const OPEN: &str = "/private/open-outgoing-feed-download/12";
    let mut world = World::replace();
    assert_eq!(world.refused(&format!("{OPEN}/")).0, 404);
    let setup = Setup { is_public: true, ..Setup::new(12, Strategy::Replace) };
    let mut world = World { token: None, ..World::new(setup, &elements()) };
    let links = world.links(&format!("{OPEN}/runs/latest"));
    assert_eq!(links, [format!("{OPEN}/runs/1/content-blocks/1")]);
    assert_eq!(world.ids(&links[0]).len(), 4);
    assert_eq!(world.refused("/private/outgoing-feeds/12").0, 401);
}

#[test]
fn a_feed_of_stix_says_so_and_has_no_api() {
    let bundle = br#"{"type": "bundle", "id": "bundle--1", "objects": [{"type": "incident", "id": "incident--1", "modified": "a"},
        {"type": "incident", "id": "incident--1", "modified": "b"}]}"#;
    let dataset = Dataset::read(bundle).unwrap();
    let mut world = World::append();
    world.platform.replace(dataset.clone(), world.now);
    assert_eq!(world.document()["content_type"], "urn:stix.mitre.org:json:2.1");
    let links = world.links(&format!("{FEED}/runs/latest"));
    let block = world.get(&links[0]);
    assert_eq!(
        (&block["id"], block["objects"].as_array().unwrap().len()),
        (&json!("bundle--1"), 2)
    );
    world.platform.replace(dataset, world.now);
    assert_eq!(world.links(&format!("{FEED}/runs/latest")), [""; 0]);
    assert_eq!(world.refused("/api/v2/entities").0, 501);
}

#[test]
fn what_is_no_dataset_is_refused() {
    let wrong = |text: &str| Dataset::read(text.as_bytes()).unwrap_err().to_string();
    assert!(wrong("{").contains("no JSON object"));
    assert!(wrong("[]").contains("no JSON object"));
    assert!(wrong("{\"entities\": 1}").contains("no EclecticIQ JSON"));
    let [first, second] = ["entities", "objects"].map(|list| format!("{{\"{list}\": []}}"));
    let [first, second] = [first, second].map(|text| Dataset::read(text.as_bytes()).unwrap());
    assert!(first.joined(second).unwrap_err().to_string().contains("cannot be in one feed"));
    let mut world = World::replace();
    let reply = world.ask("PUT", "/dataset", "{}");
    assert_eq!(reply.status, 400, "{reply:?}");
    assert_eq!(world.links(&format!("{FEED}/")).len(), 1);
}

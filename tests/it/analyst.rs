//! Two agents with a store each and an analyst at one MISP: nothing is doubled, and nothing that the
//! analyst changed is changed back.

#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]

use dataset::{Dataset, domain, event};
use misp_trickle::{
    agent::Ending,
    misp::{AttributeType, Value, attribute_uuid},
    model::{EventUuid, OrgUuid},
    plan::{BlockedReason, OnForeign, Presence, Standing},
};
use misp_trickle_testing::{dataset, scene, world};
use scene::{Scene, assert_at_rest, contents, deliver, head, known, request, values};
use serde_json::json;
use world::World;

/// New values in a run: one goes by attributes/add, a dozen by events/edit.
const BATCHES: [usize; 2] = [1, 12];

/// Ten domains in each of two incidents, delivered by both agents.
fn delivered() -> Scene {
    delivered_with_skew(0)
}

/// The same with MISP's clock apart from the agents'.
fn delivered_with_skew(seconds: i64) -> Scene {
    let mut scene = Scene::new();
    scene.a.skew(seconds);
    scene.b.skew(seconds);
    scene.set.incident(1).domains("old", 0..10);
    scene.set.incident(2).domains("other", 0..10);
    let (a, b) = scene.both_sync();
    assert_eq!((a.ending, a.run.tally.attributes.sent), (Ending::Done, 20));
    assert_eq!((b.ending, b.run.tally.attributes.adopted), (Ending::Done, 20));
    scene
}

#[test]
fn two_agents_double_nothing() {
    let mut scene = delivered();
    scene.a.job.chunk_max = 5;
    assert_eq!(scene.contents()[&event(1)].1.len(), 10);
    for batch in BATCHES {
        // B's dataset is ahead of A's in one incident and behind in the other.
        let mut ahead = scene.set.copy();
        ahead.remove(2);
        ahead.incident(1).domains(&format!("ahead{batch}"), 0..batch);
        ahead.incident(3).domains("third", 0..batch);
        let b = deliver(&mut scene.b, &mut ahead).run.tally.attributes;
        assert!(b.sent >= batch as u64, "{b:?}");
        scene.set.incident(1).domains(&format!("ahead{batch}"), 0..batch);
        scene.set.incident(3).domains("third", 0..batch);
        scene.set.incident(2).domains(&format!("mine{batch}"), 0..batch);
        let a = deliver(&mut scene.a, &mut scene.set).run.tally.attributes;
        assert_eq!(a.sent, batch as u64);
        assert_eq!(a.adopted, b.sent);
        let b = deliver(&mut scene.b, &mut scene.set).run.tally.attributes;
        assert_eq!((b.sent, b.adopted), (0, batch as u64));
        assert_at_rest(&mut scene.a, &mut scene.set);
        assert_at_rest(&mut scene.b, &mut scene.set);
    }
}

#[test]
fn another_organisations_agent_leaves_the_event_alone() {
    let mut scene = delivered();
    scene.set.incident(1).domains("new", 0..12);
    scene.set.incident(4).domains("own", 0..3);
    let mut other = scene.a.second("admin");
    let before = scene.contents();
    let owner = OrgUuid::new(before[&event(1)].0.orgc_uuid);
    let summary = deliver(&mut other, &mut scene.set);
    assert_eq!(summary.ending, Ending::Partial);
    assert_eq!(summary.run.tally.events.blocked, 2);
    assert_eq!((summary.run.tally.attributes.blocked, summary.run.tally.attributes.sent), (32, 3));
    for number in [1, 2] {
        assert_eq!(contents(&other)[&event(number)], before[&event(number)]);
        let Presence::Blocked(why) = head(&other, event(number)).presence else {
            panic!("the event is somebody else's")
        };
        assert_eq!(why, BlockedReason::OwnedBy(owner));
    }
    assert_at_rest(&mut other, &mut scene.set);

    // An event that the key cannot even see: distribution 0, of the other organisation.
    let summary = deliver(&mut scene.a, &mut scene.set);
    assert_eq!(summary.run.tally.attributes.blocked, 3);
    let Presence::Blocked(why) = head(&scene.a, event(4)).presence else { panic!("not ours") };
    assert_eq!(why, BlockedReason::EventHidden);
    assert_at_rest(&mut scene.a, &mut scene.set);
}

#[test]
fn a_visible_foreign_event_is_blocked_by_its_owners_name_or_appended_to() {
    let mut a = World::new("sync");
    let mut admin = a.second("admin");
    admin.job.settings.distribution = 1;
    let mut set = Dataset::default();
    set.incident(1).domains("theirs", 0..5);
    deliver(&mut admin, &mut set);
    let before = contents(&a);
    set.incident(1).title("Another title").tag("extra").domains("ours", 0..3);
    let summary = deliver(&mut a, &mut set);
    assert_eq!(summary.run.tally.events.blocked, 1);
    assert_eq!(contents(&a), before);
    let Presence::Blocked(why) = head(&a, event(1)).presence else { panic!("not ours") };
    assert_eq!(why, BlockedReason::OwnedBy(OrgUuid::new(before[&event(1)].0.orgc_uuid)));

    // With leave to append, and MISP's: attributes only, never fields or tags.
    let mut mine = Dataset::default();
    mine.incident(2).domains("mine", 0..5);
    deliver(&mut a, &mut mine);
    let before = contents(&a);
    let mut appender = a.second("admin");
    appender.job.settings.on_foreign = OnForeign::Append;
    mine.incident(2).title("Another title");
    for (round, adopted) in [(1, 5), (2, 0)] {
        mine.incident(2).tag(&format!("extra-{round}")).domains(&format!("more-{round}"), 0..12);
        let summary = deliver(&mut appender, &mut mine);
        let tally = summary.run.tally.attributes;
        assert_eq!((tally.sent, tally.adopted), (12, adopted), "{:?}", summary.run.notes);
        let (there, attributes) = &contents(&a)[&event(2)];
        assert_eq!(attributes.len(), 5 + 12 * round);
        let theirs = &before[&event(2)].0;
        assert_eq!((&there.info, &there.tags), (&theirs.info, &theirs.tags));
    }
}

#[test]
fn what_an_analyst_did_to_attributes_stands() {
    for (batch, skew) in BATCHES.into_iter().flat_map(|n| [(n, 0), (n, 7_200), (n, -7_200)]) {
        let mut scene = delivered_with_skew(skew);
        let one = event(1);
        let id = |n: usize| scene.attribute(one, &domain("old", n)).uuid.to_string();
        scene.analyst(&format!("/attributes/edit/{}", id(1)), &json!({"comment": "a sinkhole"}));
        scene.analyst(
            &format!("/attributes/edit/{}", id(2)),
            &json!({"value": "edited.example.com"}),
        );
        scene.analyst(&format!("/attributes/edit/{}", id(3)), &json!({"to_ids": false}));
        scene.analyst(&format!("/attributes/delete/{}", id(4)), &json!({}));
        scene.analyst(&format!("/attributes/delete/{}/1", id(5)), &json!({}));
        scene.analyst("/tags/attachTagToObject", &json!({"uuid": id(6), "tag": "mine"}));
        scene.analyst("/tags/attachTagToObject", &json!({"uuid": one.to_string(), "tag": "team"}));
        let theirs = json!({"type": "domain", "category": "Network activity", "value": domain("new", 0),
            "comment": "seen by us"});
        scene.analyst(&format!("/attributes/add/{one}"), &theirs);
        let edited = scene.contents();

        // What they added is adopted, what they deleted is declined; the rest of the new goes out.
        scene.set.incident(1).domains("new", 0..batch + 1);
        let (a, b) = scene.both_sync();
        let (a, b) = (a.run.tally.attributes, b.run.tally.attributes);
        assert_eq!((a.sent, a.adopted), (batch as u64, 1), "batch {batch}");
        assert_eq!((b.sent, b.adopted), (0, batch as u64 + 1), "batch {batch}");
        for known in scene.known(one, &domain("new", 0)) {
            assert_eq!(known.standing, Standing::Adopted);
        }
        for n in [4, 5] {
            for known in scene.known(one, &domain("old", n)) {
                assert_eq!(known.standing, Standing::Declined, "old-{n}, batch {batch}");
            }
        }
        for n in [1, 2, 3] {
            for known in scene.known(one, &domain("old", n)) {
                assert!(known.overruled, "old-{n}, batch {batch}");
            }
        }
        let live = values(&scene.contents(), one);
        assert!(live.contains("edited.example.com") && !live.contains(&domain("old", 2)));
        assert!(!live.contains(&domain("old", 4)) && !live.contains(&domain("old", 5)));

        // The dataset loses what was deleted and edited, and brings it back: still nothing of it is sent.
        for n in [1, 2, 4, 5] {
            scene.set.incident(1).forget(&domain("old", n));
        }
        scene.both_sync();
        scene.set.incident(1).domains("old", 1..3).domains("old", 4..6).domains("later", 0..batch);
        let (a, b) = scene.both_sync();
        assert_eq!(a.run.tally.attributes.sent, batch as u64);
        assert_eq!((a.run.tally.attributes.declined, b.run.tally.attributes.declined), (2, 2));
        let now = scene.contents();
        assert!(edited[&one].1.iter().all(|it| now[&one].1.contains(it)));
        assert_eq!(now[&one].1.len(), edited[&one].1.len() + 2 * batch);
        assert_at_rest(&mut scene.a, &mut scene.set);
        assert_at_rest(&mut scene.b, &mut scene.set);

        // An agent that lost its store takes over what it sees. What was deleted for good left no trace.
        let mut fresh = scene.a.second("sync");
        fresh.skew(skew);
        let tally = deliver(&mut fresh, &mut scene.set).run.tally.attributes;
        assert_eq!((tally.sent, tally.declined), (1, 1), "{tally:?}");
        assert!(known(&fresh, one, &domain("old", 2)).overruled);
        assert!(values(&scene.contents(), one).contains(&domain("old", 5)));
    }
}

#[test]
fn what_an_analyst_deleted_of_their_own_is_declined() {
    for batch in BATCHES {
        let mut scene = delivered();
        let theirs = |n| json!({"type": "domain", "category": "Network activity", "value": domain("new", n)});
        for n in [0, 1] {
            scene.analyst(&format!("/attributes/add/{}", event(1)), &theirs(n));
        }
        scene.set.incident(1).domains("new", 0..2);
        let (a, b) = scene.both_sync();
        assert_eq!((a.run.tally.attributes.adopted, b.run.tally.attributes.adopted), (2, 2));
        for (n, hard) in [(0, ""), (1, "/1")] {
            let uuid = scene.attribute(event(1), &domain("new", n)).uuid;
            scene.analyst(&format!("/attributes/delete/{uuid}{hard}"), &json!({}));
        }
        scene.set.incident(1).forget(&domain("new", 0)).forget(&domain("new", 1));
        scene.both_sync();
        scene.set.incident(1).domains("new", 0..2).domains("later", 0..batch);
        let (a, _) = scene.both_sync();
        assert_eq!(a.run.tally.attributes.sent, batch as u64);
        let live = values(&scene.contents(), event(1));
        assert!(!live.contains(&domain("new", 0)) && !live.contains(&domain("new", 1)));
    }
}

#[test]
fn what_another_agent_sent_and_an_analyst_edited_is_not_overwritten() {
    let (mut scene, one) = (Scene::new(), event(1));
    let mut others = Dataset::default();
    others.incident(1).domains("theirs", 0..20);
    scene.set.incident(1).domains("ours", 0..20);
    deliver(&mut scene.a, &mut scene.set);
    deliver(&mut scene.b, &mut others);
    let edited = scene.attribute(one, &domain("theirs", 0)).uuid;
    scene.analyst(&format!("/attributes/edit/{edited}"), &json!({"comment": "By hand"}));
    let deleted = scene.attribute(one, &domain("theirs", 1)).uuid;
    scene.analyst(&format!("/attributes/delete/{deleted}"), &json!({}));
    // Now this agent knows which rows are there that it has no use for, and then it has one.
    scene.set.incident(1).domains("more", 0..20);
    deliver(&mut scene.a, &mut scene.set);
    scene.set.incident(1).domains("theirs", 0..20).domains("last", 0..20);
    let tally = deliver(&mut scene.a, &mut scene.set).run.tally.attributes;
    assert_eq!((tally.sent, tally.adopted, tally.declined), (20, 19, 1));
    assert_eq!(scene.attribute(one, &domain("theirs", 0)).comment, "By hand");
    assert_at_rest(&mut scene.a, &mut scene.set);
}

#[test]
fn a_value_into_which_an_analyst_edited_ours_is_not_doubled() {
    for batch in BATCHES {
        let mut scene = delivered();
        let uuid = scene.attribute(event(1), &domain("old", 0)).uuid;
        scene.analyst(&format!("/attributes/edit/{uuid}"), &json!({"value": domain("new", 0)}));
        scene.set.incident(1).domains("new", 0..batch);
        let (a, b) = scene.both_sync();
        assert_eq!(a.run.tally.attributes.sent, batch as u64 - 1);
        assert_eq!(b.run.tally.attributes.sent, 0);
        assert_at_rest(&mut scene.a, &mut scene.set);
        assert_at_rest(&mut scene.b, &mut scene.set);
    }
}

#[test]
fn a_deleted_event_is_declined_although_only_a_tag_was_to_go_to_it() {
    let mut scene = delivered();
    scene.set.incident(3).domains("third", 0..3);
    scene.both_sync();
    scene.analyst(&format!("/events/delete/{}", event(1)), &json!({}));
    for tlp in ["AMBER", "RED"] {
        scene.set.incident(1).tlp(Some(tlp));
        deliver(&mut scene.a, &mut scene.set);
        assert_eq!(head(&scene.a, event(1)).presence, Presence::Declined);
        assert_at_rest(&mut scene.a, &mut scene.set);
    }
}

#[test]
fn a_title_that_was_overruled_stands_when_the_dataset_renames_the_event_again() {
    let (mut scene, one) = (Scene::new(), event(1));
    scene.set.incident(1).domains("old", 0..3).day("2025-03-01");
    deliver(&mut scene.a, &mut scene.set);
    scene.analyst(&format!("/events/edit/{one}"), &json!({"info": "By hand"}));
    // The title is left to the analyst, and nothing else is edited: what is remembered is no guard.
    scene.set.incident(1).title("Renamed");
    deliver(&mut scene.a, &mut scene.set);
    scene.set.incident(1).title("Renamed again");
    deliver(&mut scene.a, &mut scene.set);
    assert_eq!(scene.contents()[&one].0.info, "By hand");
    assert_eq!(head(&scene.a, one).timestamp, None);
}

#[test]
fn an_event_that_an_analyst_emptied_is_not_filled_again() {
    for batch in BATCHES {
        let mut scene = delivered();
        for n in 0..10 {
            let uuid = scene.attribute(event(1), &domain("old", n)).uuid;
            scene.analyst(&format!("/attributes/delete/{uuid}/1"), &json!({}));
        }
        scene.set.incident(1).domains("new", 0..batch);
        let (a, _) = scene.both_sync();
        assert_eq!(a.run.tally.attributes.sent, batch as u64);
        let new: std::collections::BTreeSet<_> = (0..batch).map(|n| domain("new", n)).collect();
        assert_eq!(values(&scene.contents(), event(1)), new);
        scene.set.incident(1).domains("later", 0..12);
        scene.both_sync();
        assert_eq!(values(&scene.contents(), event(1)).len(), batch + 12);
    }
}

#[test]
fn a_title_that_an_analyst_wrote_stands_although_we_appended_since() {
    let (mut scene, one) = (Scene::new(), event(1));
    scene.set.incident(1).domains("old", 0..3);
    deliver(&mut scene.a, &mut scene.set);
    scene.analyst(&format!("/events/edit/{one}"), &json!({"info": "By hand"}));
    // Many go by events/edit, whose answer tells the event's timestamp: the one behind the analyst's edit.
    scene.set.incident(1).domains("new", 0..40);
    assert_eq!(deliver(&mut scene.a, &mut scene.set).run.tally.attributes.sent, 40);
    scene.set.incident(1).title("Renamed");
    deliver(&mut scene.a, &mut scene.set);
    assert_eq!(scene.contents()[&one].0.info, "By hand");
    assert_at_rest(&mut scene.a, &mut scene.set);
}

#[test]
fn a_title_that_an_analyst_wrote_stands() {
    let mut scene = delivered();
    scene.analyst(&format!("/events/edit/{}", event(1)), &json!({"info": "Phishing, see case 7"}));
    scene.set.incident(1).title("Renamed").tag("campaign");
    scene.both_sync();
    let there = |scene: &Scene| scene.contents()[&event(1)].0.clone();
    assert_eq!(there(&scene).info, "Phishing, see case 7");
    assert!(there(&scene).tags.contains(&"campaign".to_owned()), "a new tag still goes");
    // Another field of the same event is not theirs; the title is, however often the dataset changes it.
    scene.set.incident(1).title("Renamed again").day("2025-03-05");
    scene.both_sync();
    assert_eq!(there(&scene).info, "Phishing, see case 7");
    assert_eq!(there(&scene).date, "2025-03-05");
    // What nobody else edited follows the dataset.
    scene.set.incident(2).title("Two, renamed");
    scene.both_sync();
    assert_eq!(scene.contents()[&event(2)].0.info, "Two, renamed");
    assert_at_rest(&mut scene.a, &mut scene.set);
    assert_at_rest(&mut scene.b, &mut scene.set);
}

#[test]
fn a_tag_that_an_analyst_removed_stays_away() {
    let mut scene = delivered();
    scene.set.incident(1).tag("campaign");
    scene.both_sync();
    scene.analyst(
        "/tags/removeTagFromObject",
        &json!({"uuid": event(1).to_string(), "tag": "campaign"}),
    );
    scene.set.incident(1).tag("second").domains("new", 0..12);
    scene.both_sync();
    let tags = scene.contents()[&event(1)].0.tags.clone();
    assert!(
        tags.contains(&"second".to_owned()) && !tags.contains(&"campaign".to_owned()),
        "{tags:?}"
    );
}

#[test]
fn an_event_that_an_analyst_deleted_is_declined() {
    for batch in BATCHES {
        let mut scene = delivered();
        scene.set.incident(3).domains("third", 0..3);
        scene.both_sync();
        scene.analyst(&format!("/events/delete/{}", event(1)), &json!({}));
        scene.set.incident(1).domains("new", 0..batch).title("Renamed");
        let all = 10 + batch as u64;
        let (a, b) = scene.both_sync();
        for summary in [a, b] {
            assert_eq!(summary.run.tally.attributes.declined, all, "{:?}", summary.run.notes);
        }
        let mut fresh = scene.a.second("sync");
        assert_eq!(deliver(&mut fresh, &mut scene.set).run.tally.attributes.declined, all);
        for agent in [&scene.a, &scene.b, &fresh] {
            assert_eq!(head(agent, event(1)).presence, Presence::Declined);
            assert_eq!(known(agent, event(1), &domain("old", 0)).standing, Standing::Declined);
        }
        assert!(!scene.contents().contains_key(&event(1)));
        scene.set.incident(1).domains("later", 0..batch).tag("campaign");
        let requests = scene.a.requests();
        scene.both_sync();
        assert_eq!(scene.a.requests(), requests, "declined for good");
    }
}

#[test]
fn our_uuid_in_another_event_is_blocked() {
    for batch in BATCHES {
        let mut scene = delivered();
        let kind = AttributeType::named("domain").unwrap();
        let value = domain("new", 0);
        let uuid = attribute_uuid(EventUuid::new(event(1)), kind, &Value::stored(&value));
        let theirs = json!({"info": "A copy", "distribution": 0, "Attribute": [
            {"uuid": uuid.to_string(), "type": "domain", "category": "Network activity", "value": value}]});
        let copy = request(&scene.a, "orgadmin", "/events/add", &theirs)["Event"]["uuid"].clone();
        scene.set.incident(1).domains("new", 0..batch);
        let (a, b) = scene.both_sync();
        assert_eq!(a.ending, Ending::Partial);
        for summary in [a, b] {
            assert_eq!(summary.run.tally.attributes.blocked, 1, "batch {batch}");
        }
        for known in scene.known(event(1), &value) {
            assert!(matches!(known.standing, Standing::Blocked(_)), "{:?}", known.standing);
        }
        let copy = copy.as_str().unwrap().parse().unwrap();
        assert_eq!(values(&scene.contents(), copy), [value].into());
        assert_eq!(scene.contents()[&event(1)].1.len(), 10 + batch - 1);
        assert_at_rest(&mut scene.a, &mut scene.set);
    }
}

#[test]
fn a_variant_in_case_only_is_rejected_as_similar() {
    for batch in BATCHES {
        let mut scene = delivered();
        scene.set.incident(1).observe("file", "Setup.exe");
        scene.both_sync();
        scene.set.incident(1).observe("file", "SETUP.exe").domains("new", 1..batch);
        let (a, _) = scene.both_sync();
        assert_eq!(a.ending, Ending::Partial);
        assert_eq!(a.run.tally.attributes.rejected, 1);
        let [a, b] = scene.known(event(1), "SETUP.exe");
        for known in [a, b] {
            let Standing::Rejected { words, .. } = known.standing else {
                panic!("batch {batch}: {:?}", known.standing)
            };
            assert!(words.contains("similar") && words.contains("Setup.exe"), "{words}");
        }
        assert_at_rest(&mut scene.a, &mut scene.set);
        assert!(!values(&scene.contents(), event(1)).contains("SETUP.exe"));
    }
}

#[test]
fn a_refusal_is_tried_once_more_with_another_version_of_misp() {
    let mut scene = delivered();
    scene.set.incident(1).observe("file", "Setup.exe");
    scene.both_sync();
    scene.set.incident(1).observe("file", "SETUP.exe");
    scene.both_sync();
    scene.a.misp.lock().unwrap().set_version("2.5.9");
    // The version is asked for once a day, in a run that sends much anyway.
    scene.a.clock.advance(25 * 3_600);
    scene.set.incident(2).domains("many", 0..100);
    deliver(&mut scene.a, &mut scene.set);
    deliver(&mut scene.a, &mut scene.set);
    let Standing::Rejected { version, .. } = known(&scene.a, event(1), "SETUP.exe").standing else {
        panic!("still similar")
    };
    assert_eq!(&*version, "2.5.9");
    assert_at_rest(&mut scene.a, &mut scene.set);
}

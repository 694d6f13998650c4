//! What kind of MISP it is decides what may be sent: its tags, its publishing, its memory.

#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use dataset::{Dataset, domain, event};
use misp_trickle::{
    agent::{self, Ending, Silent},
    delivery::{Call, Exchange, Wire},
    history::Ledger,
    plan::{ChangeKind, OnForeign, Publish, Standing, WithheldReason},
    sandbox::Misp,
    source::SourceSpec,
};
use misp_trickle_testing::{dataset, scene, world};
use scene::{assert_at_rest, backup, contents, deliver, head, known, request, restore, values};
use serde_json::json;
use world::{LocalWire, World, wait};

const DAY: i64 = 24 * 3_600;
const LACKING: Standing = Standing::Withheld(WithheldReason::MarkingCannotBeCarried);

fn make_tag(world: &World, name: &str) {
    request(world, "tageditor", "/tags/add", &json!({"name": name}));
}

#[test]
fn an_incident_whose_tlp_tag_misp_does_not_have_waits_for_it() {
    let mut world = World::new("user");
    let mut set = Dataset::default();
    set.incident(1).tlp(Some("GREEN")).domains("green", 0..5);
    let summary = deliver(&mut world, &mut set);
    assert_eq!(summary.run.tally.attributes.withheld, 5);
    assert_eq!(summary.ending, Ending::AllWithheld);
    assert!(contents(&world).is_empty());
    assert_eq!(known(&world, event(1), &domain("green", 0)).standing, LACKING);

    // MISP is not asked for its tags in every run.
    assert_at_rest(&mut world, &mut set);
    make_tag(&world, "tlp:green");
    assert_at_rest(&mut world, &mut set);
    world.clock.advance(DAY);
    let summary = deliver(&mut world, &mut set);
    assert_eq!((summary.ending, summary.run.tally.attributes.sent), (Ending::Done, 5));
    assert_eq!(contents(&world)[&event(1)].0.tags, ["tlp:green"]);
    assert_at_rest(&mut world, &mut set);
}

#[test]
fn an_incident_without_attributes_waits_for_its_tlp_tag_too() {
    let mut world = World::new("user");
    let mut set = Dataset::default();
    set.incident(1).tlp(Some("GREEN"));
    deliver(&mut world, &mut set);
    assert!(contents(&world).is_empty());
    make_tag(&world, "tlp:green");
    world.clock.advance(DAY);
    deliver(&mut world, &mut set);
    assert_eq!(contents(&world)[&event(1)].0.tags, ["tlp:green"]);
}

#[test]
fn nothing_goes_out_under_a_freer_tlp_tag_of_an_adopted_event() {
    for batch in [1, 12] {
        let mut first = World::new("sync");
        let mut set = Dataset::default();
        set.incident(1).tlp(Some("GREEN")).domains("green", 0..5);
        deliver(&mut first, &mut set);
        let mut stricter = set.copy();
        stricter.incident(1).tlp(Some("RED")).domains("red", 0..batch);
        let mut second = first.second("sync");
        let tally = deliver(&mut second, &mut stricter).run.tally.attributes;
        assert_eq!((tally.sent, tally.adopted), (batch as u64, 5));
        assert_eq!(contents(&first)[&event(1)].0.tags, ["tlp:green", "tlp:red"]);

        // Where the tag cannot be attached, nothing goes out: the event is another organisation's.
        let mut foreign = first.second("admin");
        foreign.job.settings.on_foreign = OnForeign::Append;
        let mut set = Dataset::default();
        set.incident(2).tlp(Some("GREEN")).domains("green", 0..5);
        deliver(&mut first, &mut set);
        set.incident(2).tlp(Some("RED")).domains("red", 0..batch);
        let tally = deliver(&mut foreign, &mut set).run.tally.attributes;
        assert_eq!((tally.sent, tally.adopted, tally.withheld), (0, 5, batch as u64));
        assert_eq!(contents(&first)[&event(2)].1.len(), 5);
    }
}

#[test]
fn an_attribute_whose_stricter_tlp_tag_misp_does_not_have_waits_for_it() {
    let mut world = World::new("user");
    make_tag(&world, "tlp:clear");
    let mut set = Dataset::default();
    set.incident(1).domains("clear", 0..5).observe_as(Some("RED"), "domain", "red.example.com");
    let summary = deliver(&mut world, &mut set);
    let tally = summary.run.tally.attributes;
    assert_eq!((tally.sent, tally.withheld), (5, 1));
    assert_eq!(known(&world, event(1), "red.example.com").standing, LACKING);
    assert_at_rest(&mut world, &mut set);

    make_tag(&world, "tlp:red");
    world.clock.advance(DAY);
    let summary = deliver(&mut world, &mut set);
    assert_eq!(summary.run.tally.attributes.sent, 1);
    let attributes = &contents(&world)[&event(1)].1;
    let red = attributes.iter().find(|it| it.value == "red.example.com").unwrap();
    assert_eq!(red.tags, ["tlp:red"]);
    assert!(attributes.iter().filter(|it| it.id != red.id).all(|it| it.tags.is_empty()));
    assert_at_rest(&mut world, &mut set);
}

#[test]
fn an_incident_made_stricter_tags_its_event_before_anything_new() {
    let mut world = World::new("sync");
    let mut set = Dataset::default();
    set.incident(1).tlp(Some("GREEN")).domains("green", 0..5);
    deliver(&mut world, &mut set);
    set.incident(1).tlp(Some("RED")).domains("red", 0..3);
    let summary = deliver(&mut world, &mut set);
    let tally = summary.run.tally.attributes;
    assert_eq!((tally.sent, tally.exposed), (3, 5));
    assert_eq!(contents(&world)[&event(1)].0.tags, ["tlp:green", "tlp:red"]);

    // Where the tag is not to be had, nothing new goes out under the old one.
    let mut user = World::new("user");
    make_tag(&user, "tlp:green");
    let mut set = Dataset::default();
    set.incident(1).tlp(Some("GREEN")).domains("green", 0..5);
    deliver(&mut user, &mut set);
    set.incident(1).tlp(Some("RED")).domains("red", 0..3);
    let summary = deliver(&mut user, &mut set);
    assert_eq!((summary.run.tally.attributes.sent, summary.run.tally.attributes.withheld), (0, 3));
    assert_eq!(contents(&user)[&event(1)].1.len(), 5);
    assert_eq!(known(&user, event(1), &domain("red", 0)).standing, LACKING);

    make_tag(&user, "tlp:red");
    user.clock.advance(DAY);
    assert_eq!(deliver(&mut user, &mut set).run.tally.attributes.sent, 3);
    assert_eq!(contents(&user)[&event(1)].0.tags, ["tlp:green", "tlp:red"]);
}

/// Delivers five domains, lets an analyst publish or not, appends one and looks.
fn published_after(publish: Publish, by_analyst: bool) -> (bool, bool) {
    let mut world = World::new("publisher");
    make_tag(&world, "tlp:clear");
    world.job.settings.publish = publish;
    let mut set = Dataset::default();
    set.incident(1).domains("first", 0..5);
    deliver(&mut world, &mut set);
    let created = contents(&world)[&event(1)].0.published;
    let call = if by_analyst { "publish" } else { "unpublish" };
    request(&world, "orgadmin", &format!("/events/{call}/{}", event(1)), &json!({}));
    assert_eq!(contents(&world)[&event(1)].0.published, by_analyst);
    set.incident(1).domains("second", 0..1);
    assert_eq!(deliver(&mut world, &mut set).ending, Ending::Done);
    assert_eq!(contents(&world)[&event(1)].1.len(), 6);
    assert_at_rest(&mut world, &mut set);
    (created, contents(&world)[&event(1)].0.published)
}

#[test]
fn an_event_is_published_as_configured() {
    assert_eq!(published_after(Publish::Never, true), (false, false));
    assert_eq!(published_after(Publish::Never, false), (false, false));
    assert_eq!(published_after(Publish::Keep, true), (false, true));
    assert_eq!(published_after(Publish::Keep, false), (false, false));
    assert_eq!(published_after(Publish::Always, true), (true, true));
    assert_eq!(published_after(Publish::Always, false), (true, true));
}

#[test]
fn a_refused_publication_leaves_the_attributes_sent() {
    let mut world = World::new("user");
    make_tag(&world, "tlp:clear");
    world.job.settings.publish = Publish::Always;
    let mut set = Dataset::default();
    set.incident(1).domains("first", 0..5);
    let summary = deliver(&mut world, &mut set);
    assert_eq!((summary.ending, summary.run.tally.attributes.sent), (Ending::Partial, 5));
    let changes = world.ledger.changes(summary.run.number).unwrap();
    assert!(changes.iter().any(|change| matches!(change.kind, ChangeKind::Unpublished(_))));
    assert!(!contents(&world)[&event(1)].0.published);
}

/// Three events of ten domains each, and MISP as it was before the last of them.
fn three_events() -> (World, Dataset, Misp) {
    let mut world = World::new("sync");
    let mut set = Dataset::default();
    set.incident(1).domains("one", 0..10);
    set.incident(2).domains("two", 0..10);
    deliver(&mut world, &mut set);
    let older = backup(&world);
    set.incident(3).domains("three", 0..10);
    deliver(&mut world, &mut set);
    (world, set, older)
}

#[test]
fn an_event_that_misp_lost_goes_again_in_full() {
    for batch in [1, 12] {
        let (mut world, mut set, older) = three_events();
        let before = contents(&world);
        restore(&world, older);
        set.incident(3).domains("new", 0..batch);
        let summary = deliver(&mut world, &mut set);
        assert_eq!(summary.ending, Ending::Done, "{:?}", summary.run.notes);
        let now = contents(&world);
        let mut wanted = values(&before, event(3));
        wanted.extend((0..batch).map(|n| domain("new", n)));
        assert_eq!(values(&now, event(3)), wanted);
        assert_eq!(now[&event(3)].0.tags, before[&event(3)].0.tags);
        let tally = summary.run.tally.attributes;
        assert_eq!(tally.planned, 30 + batch as u64);
        assert_eq!((tally.sent, tally.unchanged), (10 + batch as u64, 20), "{tally:?}");
        assert_eq!(summary.run.tally.events.created, 1);
        assert_at_rest(&mut world, &mut set);
    }
}

#[test]
fn events_without_attributes_do_not_make_a_misp_another_one() {
    let mut world = World::new("sync");
    let mut set = Dataset::default();
    set.incident(1);
    set.incident(2);
    set.incident(3).domains("three", 0..10);
    deliver(&mut world, &mut set);
    let older = backup(&world);
    set.incident(4).domains("four", 0..10);
    deliver(&mut world, &mut set);
    restore(&world, older);
    set.incident(4).domains("new", 0..1);
    let summary = deliver(&mut world, &mut set);
    assert_eq!(summary.ending, Ending::Done, "{:?}", summary.run.notes);
    assert_eq!(values(&contents(&world), event(4)).len(), 11);
}

#[test]
fn a_lost_event_does_not_bring_back_what_left_the_dataset() {
    let (mut world, mut set, older) = three_events();
    set.incident(3).forget(&domain("three", 0));
    deliver(&mut world, &mut set);
    restore(&world, older);
    set.incident(3).domains("new", 0..1);
    deliver(&mut world, &mut set);
    assert!(!values(&contents(&world), event(3)).contains(&domain("three", 0)));
    assert_at_rest(&mut world, &mut set);
}

#[test]
fn a_misp_in_which_most_is_gone_is_not_the_one_we_know() {
    let empty = Misp::new("http://misp.example", World::new("sync").keys);
    for batch in [1, 12] {
        let (mut world, mut set, _) = three_events();
        restore(&world, empty.clone());
        for number in 1..=3 {
            set.incident(number).domains("new", 0..batch);
        }
        let ledger = (1..=3).map(|number| head(&world, event(number))).collect::<Vec<_>>();
        let summary = deliver(&mut world, &mut set);
        assert_eq!(summary.ending, Ending::AnotherMisp, "{:?}", summary.run.notes);
        assert_eq!(summary.run.tally.attributes.sent, 0);
        assert!(contents(&world).is_empty(), "nothing may be sent to a stranger");
        for before in ledger {
            assert_eq!(head(&world, before.root.uuid().unwrap()).presence, before.presence);
        }
        // It stays so: the next run decides the same.
        assert_eq!(deliver(&mut world, &mut set).ending, Ending::AnotherMisp);
    }
}

/// Where a limit leaves room for a question about a few, and those happen to be gone, all are asked about.
#[test]
fn a_few_events_that_are_gone_make_no_other_misp_under_a_limit() {
    let (mut world, mut set) = (World::new("sync"), Dataset::default());
    for number in 1..=12 {
        set.incident(number).domains(&format!("of-{number}"), 0..3);
    }
    deliver(&mut world, &mut set);
    let mut uuids: Vec<_> = (1..=12).map(|number| (event(number), number)).collect();
    uuids.sort_unstable();
    for (uuid, _) in &uuids[..3] {
        request(&world, "admin", &format!("/events/delete/{uuid}"), &json!({}));
    }
    world.job.max_transfer = Some(1);
    set.incident(uuids[0].1).domains("more", 0..1);
    for _ in 0..6 {
        let summary = deliver(&mut world, &mut set);
        assert_ne!(summary.ending, Ending::AnotherMisp, "{:?}", summary.run.notes);
    }
}

#[test]
fn a_misp_restored_from_an_older_backup_is_left_alone() {
    let mut world = World::new("sync");
    let mut set = Dataset::default();
    set.incident(1).domains("one", 0..10);
    deliver(&mut world, &mut set);
    let older = backup(&world);
    for number in 2..=4 {
        set.incident(number).domains("more", 0..10);
    }
    deliver(&mut world, &mut set);
    restore(&world, older);
    let before = contents(&world);
    set.incident(4).domains("new", 0..1);
    let summary = deliver(&mut world, &mut set);
    assert_eq!(summary.ending, Ending::AnotherMisp);
    assert_eq!(contents(&world), before);
}

/// Its events are there, and what was sent to them since the backup is not: nobody took that out.
#[test]
fn what_a_restored_misp_lacks_of_an_event_was_taken_out_by_nobody() {
    for (attributes, resend) in [(1, false), (40, true)] {
        let (mut world, mut set) = (World::new("sync"), Dataset::default());
        world.job.verify_every = Some(Duration::from_secs(1));
        set.incident(1).domains("one", 0..3);
        set.incident(2).domains("two", 0..3);
        deliver(&mut world, &mut set);
        let older = backup(&world);
        world.clock.advance(600);
        set.incident(1).domains("since", 0..attributes);
        deliver(&mut world, &mut set);
        restore(&world, older);
        let before = contents(&world);
        for more in 0..2 {
            set.incident(1).domains("new", more..more + 1);
            world.clock.advance(2 * DAY);
            let summary = deliver(&mut world, &mut set);
            assert!(matches!(summary.ending, Ending::WentBack(_)), "{:?}", summary.run.notes);
            assert_eq!(contents(&world), before, "{attributes}");
        }
        match resend {
            true => drop(agent::resend(&mut world.ledger, &world.job.destination).unwrap()),
            false => drop(world.adopt(&set.write())),
        }
        deliver(&mut world, &mut set);
        let all = 3 + attributes + 2;
        assert_eq!(values(&contents(&world), event(1)).len(), all);
        assert_at_rest(&mut world, &mut set);
    }
}

#[test]
fn a_tag_that_an_analyst_removed_stays_away_after_adopting_too() {
    let mut world = World::new("sync");
    for tag in ["tlp:clear", "tlp:red", "campaign"] {
        make_tag(&world, tag);
    }
    let (mut with, mut without) = (Dataset::default(), Dataset::default());
    with.incident(1).tag("campaign").domains("one", 0..3);
    without.incident(1).domains("one", 0..3);
    deliver(&mut world, &mut with);
    let removal = json!({"uuid": event(1).to_string(), "tag": "campaign"});
    request(&world, "tageditor", "/tags/removeTagFromObject", &removal);
    world.adopt(&without.write());
    for set in [&mut without, &mut with] {
        deliver(&mut world, set);
    }
    assert_eq!(contents(&world)[&event(1)].0.tags, ["tlp:clear"]);

    // A colour is another matter: nothing goes below a freer one.
    with.incident(1).tlp(Some("RED")).domains("one", 3..5);
    deliver(&mut world, &mut with);
    let removal = json!({"uuid": event(1).to_string(), "tag": "tlp:red"});
    request(&world, "tageditor", "/tags/removeTagFromObject", &removal);
    with.incident(1).domains("one", 5..7);
    world.adopt(&without.write());
    deliver(&mut world, &mut with);
    assert_eq!(contents(&world)[&event(1)].0.tags, ["tlp:clear", "tlp:red"]);
}

/// An answer to something else shows that it is gone.
#[test]
fn a_colour_that_somebody_took_off_is_attached_where_an_answer_shows_it() {
    let mut world = World::new("sync");
    make_tag(&world, "tlp:red");
    let mut set = Dataset::default();
    set.incident(1).tlp(Some("RED")).domains("one", 0..3);
    deliver(&mut world, &mut set);
    let removal = json!({"uuid": event(1).to_string(), "tag": "tlp:red"});
    request(&world, "tageditor", "/tags/removeTagFromObject", &removal);
    set.incident(1).domains("more", 0..60);
    deliver(&mut world, &mut set);
    assert_eq!(contents(&world)[&event(1)].0.tags, ["tlp:red"]);
    let tally = deliver(&mut world, &mut set).run.tally.attributes;
    assert_eq!((tally.exposed, tally.withheld, tally.unchanged), (0, 0, 63));
    assert_at_rest(&mut world, &mut set);
}

#[test]
fn an_adopted_value_that_an_analyst_deleted_stays_away_after_adopting_too() {
    for (hard, expected) in [("", false), ("/1", true)] {
        let mut world = World::new("sync");
        make_tag(&world, "tlp:clear");
        let mut set = Dataset::default();
        set.incident(1).domains("one", 0..3);
        deliver(&mut world, &mut set);
        let value = domain("one", 3);
        let path = format!("/attributes/add/{}", event(1));
        request(&world, "orgadmin", &path, &json!({"type": "domain", "value": value}));
        set.incident(1).domains("one", 3..5);
        assert_eq!(deliver(&mut world, &mut set).run.tally.attributes.adopted, 1);
        let theirs = known(&world, event(1), &value).attribute.uuid;
        assert_eq!(theirs.uuid().get_version_num(), 4, "it is the analyst's");
        request(&world, "orgadmin", &format!("/attributes/delete/{theirs}{hard}"), &json!({}));
        world.adopt(&set.write());
        deliver(&mut world, &mut set);
        // Deleted for good it looks like one that a restored MISP has lost, and goes under a UUID of ours.
        let all = &contents(&world)[&event(1)].1;
        let found = all.iter().find(|it| it.value == value && !it.deleted);
        assert_eq!(found.is_some(), expected);
        assert!(found.is_none_or(|it| it.uuid.get_version_num() == 5));
        assert_at_rest(&mut world, &mut set);
    }
}

/// Never says who we are.
struct Reserved(Arc<LocalWire>);

impl Wire for Reserved {
    fn key_mark(&self) -> Option<u64> {
        self.0.key_mark()
    }

    async fn exchange(&self, call: &Call) -> Exchange {
        match call {
            Call::Whoami => std::future::pending().await,
            _ => self.0.exchange(call).await,
        }
    }
}

#[test]
fn a_new_address_is_not_known_before_it_said_who_it_is() {
    let (mut world, mut set, _) = three_events();
    let known = world.job.url.clone();
    world.job.url = "http://other.example/".to_owned();
    world.job.deadline = Some(Duration::from_millis(50));
    set.incident(4).domains("four", 0..5);
    world.job.source = SourceSpec::File(set.write());
    let (wire, interrupt) = (Arc::new(Reserved(world.wire.clone())), AtomicBool::new(false));
    let run = agent::sync(&world.job, &mut world.ledger, wire, &*world.clock, &Silent, &interrupt);
    assert_eq!(wait(run).unwrap().ending, Ending::OutOfTime);
    let record = world.ledger.destination(&world.job.destination).unwrap().unwrap();
    assert_eq!(record.url, known);

    world.job.deadline = None;
    restore(&world, Misp::new("http://misp.example", world.keys.clone()));
    assert_eq!(deliver(&mut world, &mut set).ending, Ending::AnotherMisp);
    assert!(contents(&world).is_empty());
}

#[test]
fn behind_a_new_address_stands_perhaps_another_misp() {
    let (mut world, mut set, _) = three_events();
    world.job.url = "http://new.example/".to_owned();
    set.incident(4).domains("four", 0..5);
    let summary = deliver(&mut world, &mut set);
    assert_eq!(summary.ending, Ending::Done, "the same MISP under another name");
    assert_eq!(summary.run.tally.attributes.sent, 5);

    world.job.url = "http://other.example/".to_owned();
    restore(&world, Misp::new("http://misp.example", world.keys.clone()));
    set.incident(5).domains("five", 0..5);
    let summary = deliver(&mut world, &mut set);
    assert_eq!(summary.ending, Ending::AnotherMisp);
    assert!(
        contents(&world).is_empty(),
        "a new incident would be the first thing in a stranger's MISP"
    );
}

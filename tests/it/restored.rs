//! MISP comes back from a backup: what it lacks was taken out by nobody, whatever was written to it since.

#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]

use std::time::Duration;

use dataset::{Dataset, event};
use misp_trickle::{
    agent::{self, Ending, Summary},
    history::{Commit, EventUpdate, Ledger},
    model::EventUuid,
    plan::Standing,
    sandbox::Misp,
};
use misp_trickle_testing::{dataset, scene, world};
use scene::{assert_at_rest, backup, contents, deliver, head, request, restore, values};
use serde_json::json;
use world::World;

const DAY: u64 = 24 * 3_600;

/// What is written first to an event that went back.
#[derive(Debug, Clone, Copy)]
enum Write {
    Attribute,
    Attributes,
    Title,
    Tag,
}

const WRITES: [Write; 4] = [Write::Attribute, Write::Attributes, Write::Title, Write::Tag];

impl Write {
    fn ask_for(self, set: &mut Dataset) {
        match self {
            Self::Attribute => set.incident(1).domains("new", 0..1),
            Self::Attributes => set.incident(1).domains("new", 0..40),
            Self::Title => set.incident(1).title("three"),
            Self::Tag => set.incident(1).tag("new"),
        };
    }
}

/// How a person has the destination go on.
#[derive(Debug, Clone, Copy)]
enum Repair {
    Adopt,
    Resend,
}

impl Repair {
    fn of(self, world: &mut World, set: &mut Dataset) {
        match self {
            Self::Adopt => {
                let before = contents(world);
                world.adopt(&set.write());
                assert_eq!(contents(world), before, "nothing is sent before the next run");
            }
            Self::Resend => drop(agent::resend(&mut world.ledger, &world.job.destination).unwrap()),
        }
    }
}

/// Two events, of which a backup is taken.
fn saved() -> (World, Dataset, Misp) {
    let (mut world, mut set) = (World::new("sync"), Dataset::default());
    world.job.verify_every = Some(Duration::from_secs(DAY));
    set.incident(1).title("one").domains("one", 0..3);
    set.incident(2).domains("two", 0..3);
    deliver(&mut world, &mut set);
    let saved = backup(&world);
    world.clock.advance(600);
    (world, set, saved)
}

fn assert_went_back(summary: &Summary) {
    let Ending::WentBack(back) = &summary.ending else {
        panic!("{:?} {:?}", summary.ending, summary.run.notes)
    };
    assert_eq!(back.event, EventUuid::new(event(1)));
    let named = |note: &String| note.contains(&event(1).to_string());
    assert!(summary.run.notes.iter().any(named), "{:?}", summary.run.notes);
}

fn assert_nothing_declined(world: &World) {
    let known = scene::known_event(world, event(1));
    let declined = known.attributes.values().filter(|it| it.standing == Standing::Declined);
    assert_eq!(declined.count(), 0);
}

/// The first write is told by what MISP answers, or comes after a look; no later run takes it back.
#[test]
fn what_a_restored_misp_lacks_is_found_whatever_is_written_first() {
    for (write, since, repair) in WRITES
        .into_iter()
        .flat_map(|write| [(write, 2, Repair::Adopt), (write, 40, Repair::Resend)])
    {
        println!("{write:?} {since} {repair:?}");
        let (mut world, mut set, saved) = saved();
        set.incident(2).domains("two", 3..4);
        set.incident(1).domains("since", 0..since);
        deliver(&mut world, &mut set);
        world.clock.advance(600);
        restore(&world, saved);
        write.ask_for(&mut set);
        assert_went_back(&world.sync(&set.write()));
        assert_nothing_declined(&world);
        // Nor does what was written then hide it.
        for (more, verify_every) in [(0, DAY), (1, 1)] {
            world.job.verify_every = Some(Duration::from_secs(verify_every));
            world.clock.advance(600);
            set.incident(1).domains("later", more..more + 1);
            assert_went_back(&world.sync(&set.write()));
            assert_nothing_declined(&world);
        }
        repair.of(&mut world, &mut set);
        for _ in 0..2 {
            world.sync(&set.write());
        }
        let new = match write {
            Write::Attribute => 1,
            Write::Attributes => 40,
            Write::Title | Write::Tag => 0,
        };
        let now = contents(&world);
        assert_eq!(values(&now, event(1)).len(), 3 + since + new + 2, "{write:?}");
        let title = if matches!(write, Write::Title) { "three" } else { "one" };
        assert_eq!(now[&event(1)].0.info, title);
        assert_eq!(now[&event(1)].0.tags.contains(&"new".to_owned()), matches!(write, Write::Tag));
        assert_at_rest(&mut world, &mut set);
    }
}

/// An analyst who takes values out of an event that MISP has whole is no backup, whatever is written next.
#[test]
fn values_that_an_analyst_deleted_for_good_are_no_backup() {
    for write in WRITES {
        let (mut world, mut set, _) = saved();
        set.incident(1).domains("since", 0..2);
        deliver(&mut world, &mut set);
        world.clock.advance(600);
        let newest = contents(&world)[&event(1)].1.last().unwrap().uuid;
        request(&world, "orgadmin", &format!("/attributes/delete/{newest}/1"), &json!({}));
        world.clock.advance(600);
        for more in 0..3 {
            write.ask_for(&mut set);
            set.incident(1).domains("more", more..more + 1);
            world.clock.advance(2 * DAY as i64);
            let summary = world.sync(&set.write());
            assert_eq!(summary.ending, Ending::Done, "{write:?} {:?}", summary.run.notes);
        }
        let there = contents(&world)[&event(1)].1.iter().any(|it| it.uuid == newest);
        assert!(!there, "{write:?}");
    }
}

/// Numbers of attributes may be smaller than before in a MISP that has everything, as in one that is made anew.
#[test]
fn smaller_numbers_of_attributes_alone_are_no_backup() {
    let (mut world, mut set, _) = saved();
    set.incident(1).domains("since", 0..2);
    deliver(&mut world, &mut set);
    let mut event = scene::known_event(&world, event(1));
    event.head.seen.numbered = Some(1_000_000);
    let events = vec![EventUpdate::of(event.head)];
    let (destination, run) = (&world.job.destination, world.ledger.last_run().unwrap());
    world.ledger.commit(destination, run, Commit { events, ..Commit::default() }).unwrap();
    for more in 0..3 {
        set.incident(1).domains("more", more..more + 1);
        let requests = world.requests();
        assert_eq!(deliver(&mut world, &mut set).ending, Ending::Done);
        let asked = world.requests() - requests;
        assert!((asked == 1) == (more > 0), "{asked}: only the first is looked at");
    }
    assert_at_rest(&mut world, &mut set);
}

/// Fields and tags that were delivered since the backup come back as well.
#[test]
fn fields_and_tags_that_a_restored_misp_lost_come_back() {
    for (title, attributes, repair) in [
        ("three", 0, Repair::Adopt),
        ("three", 0, Repair::Resend),
        ("two", 2, Repair::Adopt),
        ("two", 2, Repair::Resend),
    ] {
        println!("{title} {attributes} {repair:?}");
        let (mut world, mut set, saved) = saved();
        set.incident(1).title("two").day("2024-02-03").tag("type:OSINT");
        set.incident(1).domains("since", 0..attributes / 2);
        deliver(&mut world, &mut set);
        world.clock.advance(600);
        restore(&world, saved);
        set.incident(1).title(title).domains("more", 0..attributes);
        world.job.verify_every = Some(Duration::from_secs(1));
        world.clock.advance(600);
        let summary = world.sync(&set.write());
        assert_eq!(summary.ending.is_of_another_misp(), attributes > 0, "{:?}", summary.ending);
        repair.of(&mut world, &mut set);
        for _ in 0..2 {
            world.sync(&set.write());
        }
        let (view, _) = &contents(&world)[&event(1)];
        assert_eq!((&*view.info, &*view.date), (title, "2024-02-03"));
        assert!(view.tags.contains(&"type:OSINT".to_owned()), "{:?}", view.tags);
        assert_eq!(values(&contents(&world), event(1)).len(), 3 + attributes + attributes / 2);
        assert!(world.verify().findings.is_empty());
        assert_at_rest(&mut world, &mut set);
        assert_eq!(&*head(&world, event(1)).fields.info, title);
    }
}

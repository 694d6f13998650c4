//! Two feeds that go to one destination and hold the same incident: the strictest marking decides, one of them owns the
//! event's fields, and what both hold goes once.

mod words;

use std::{
    collections::BTreeSet,
    fs,
    sync::{Arc, atomic::AtomicBool},
};

use misp_trickle::{
    agent::{self, Dataset as Reading, Ending, Silent, Summary},
    history::Ledger,
    model::{EventUuid, FeedName, Tlp},
    plan::{Policy, Unmarked},
    source::SourceSpec,
};
use uuid::Uuid;

use misp_trickle_testing::{
    crashing::{Claims, Crash, CrashingLedger},
    dataset::{Dataset, domain, event},
    faulty::FaultyWire,
    program::Sandbox,
    scene::{self, head, known},
    world::{World, wait},
};

/// A destination that takes all but red, and what its two feeds hold.
struct Feeds {
    world: World,
    sets: [Dataset; 2],
}

const NAMES: [&str; 2] = ["first", "second"];
const A: usize = 0;
const B: usize = 1;

impl Feeds {
    fn new() -> Self {
        let mut world = World::new("sync");
        let allow_tlp = [Tlp::Clear, Tlp::Green, Tlp::Amber].into();
        world.job.policy = Policy { allow_tlp, unmarked: Unmarked::Deny };
        let key = world.keys.get("admin").expect("a role of the sandbox").to_owned();
        for colour in Tlp::ALL {
            let body = format!(r#"{{"name":"{}"}}"#, colour.tag());
            assert_eq!(world.wire.raw(&key, "POST", "/tags/add", &body).0, 200);
        }
        Self { world, sets: [Dataset::default(), Dataset::default()] }
    }

    /// One incident that both hold, each under a colour of its own.
    fn holding(colours: [&'static str; 2]) -> Self {
        let mut feeds = Self::new();
        for (set, colour) in feeds.sets.iter_mut().zip(colours) {
            set.incident(1).tlp(Some(colour));
        }
        feeds
    }

    fn run(&mut self, feed: usize) -> Summary {
        self.world.job.feed = FeedName::new(NAMES[feed]);
        self.world.job.allow_empty = true;
        scene::deliver(&mut self.world, &mut self.sets[feed])
    }

    /// The same until neither has anything to say any more.
    fn rest(&mut self) {
        for _ in 0..3 {
            self.run(A);
            self.run(B);
        }
        for feed in [A, B] {
            self.world.job.feed = FeedName::new(NAMES[feed]);
            scene::assert_at_rest(&mut self.world, &mut self.sets[feed]);
        }
    }

    /// A run that dies at its ledger, unless it ends before.
    fn crash(&mut self, feed: usize, crash: Crash) {
        self.crash_as(NAMES[feed], feed, crash);
    }

    /// The same of what one of them holds, by a feed of this name.
    fn crash_as(&mut self, name: &str, feed: usize, crash: Crash) {
        let path = self.sets[feed].write();
        let job = &mut self.world.job;
        (job.feed, job.source) = (FeedName::new(name), SourceSpec::File(path));
        self.world.clock.advance(60);
        let World { job, ledger, wire, clock, .. } = &mut self.world;
        let mut claims = Claims::default();
        let mut ledger = CrashingLedger::new(ledger, &mut claims, Some(crash), None);
        let (none, interrupt) = (Reading::default(), AtomicBool::new(false));
        let run =
            agent::sync_from(job, &none, &mut ledger, wire.clone(), &**clock, &Silent, &interrupt);
        drop(wait(run));
    }

    /// A run to a MISP that cannot be reached.
    fn fail(&mut self, feed: usize, seed: u64) {
        let path = self.sets[feed].write();
        let World { job, ledger, wire, clock, .. } = &mut self.world;
        (job.feed, job.source) = (FeedName::new(NAMES[feed]), SourceSpec::File(path));
        let wire = Arc::new(FaultyWire::new(wire.clone(), seed, 100, Arc::default()));
        let (none, interrupt) = (Reading::default(), AtomicBool::new(false));
        let run = agent::sync_from(job, &none, ledger, wire, &**clock, &Silent, &interrupt);
        drop(wait(run));
    }

    fn values(&self) -> BTreeSet<String> {
        let contents = scene::contents(&self.world);
        if contents.contains_key(&the_event()) {
            scene::values(&contents, the_event())
        } else {
            BTreeSet::new()
        }
    }

    fn title(&self) -> String {
        scene::contents(&self.world)[&the_event()].0.info.clone()
    }

    fn tags(&self) -> Vec<String> {
        scene::contents(&self.world)[&the_event()].0.tags.clone()
    }

    fn has_event(&self) -> bool {
        scene::contents(&self.world).contains_key(&the_event())
    }
}

fn the_event() -> Uuid {
    event(1)
}

fn names(numbers: &[usize]) -> BTreeSet<String> {
    numbers.iter().map(|number| domain("a", *number)).collect()
}

#[test]
fn what_one_feed_marks_red_does_not_go_by_the_other() {
    let mut feeds = Feeds::holding(["AMBER", "RED"]);
    feeds.sets[A].incident(1).domains("a", 0..2);
    feeds.sets[B].incident(1).domains("a", 1..3);
    feeds.run(B);
    let run = feeds.run(A).run;
    assert!(!feeds.has_event());
    assert_eq!(run.tally.events.withheld, 1);
    feeds.rest();
    assert!(!feeds.has_event());
}

#[test]
fn what_is_there_gets_nothing_more_once_another_feed_marks_it_red() {
    let mut feeds = Feeds::holding(["AMBER", "RED"]);
    feeds.sets[A].incident(1).domains("a", 0..2);
    feeds.sets[B].incident(1).domains("a", 1..3);
    feeds.run(A);
    feeds.run(B);
    let run = feeds.run(A).run;
    assert_eq!(run.tally.attributes.exposed, 2, "what is there must not be");
    feeds.sets[A].incident(1).domains("a", 5..6);
    feeds.run(A);
    assert_eq!(feeds.values(), names(&[0, 1]));
    feeds.rest();
    assert_eq!(feeds.values(), names(&[0, 1]));
}

#[test]
fn an_attribute_that_one_feed_marks_red_does_not_go_by_the_other() {
    let mut feeds = Feeds::holding(["AMBER", "AMBER"]);
    feeds.sets[A].incident(1).domains("a", 0..2);
    feeds.sets[B].incident(1).domains("a", 2..3).observe_as(Some("RED"), "domain", &domain("a", 1));
    feeds.run(B);
    feeds.run(A);
    feeds.rest();
    assert_eq!(feeds.values(), names(&[0, 2]));
}

#[test]
fn what_the_other_feed_held_back_goes_once_it_does_not_any_more() {
    for leaves in [true, false] {
        let mut feeds = Feeds::holding(["AMBER", "RED"]);
        feeds.sets[A].incident(1).domains("a", 0..2);
        feeds.sets[B].incident(1).domains("a", 1..3);
        feeds.run(B);
        feeds.run(A);
        assert!(!feeds.has_event());
        match leaves {
            true => feeds.sets[B].remove(1),
            false => drop(feeds.sets[B].incident(1).tlp(Some("GREEN"))),
        }
        feeds.run(B);
        feeds.run(A);
        let expected = if leaves { names(&[0, 1]) } else { names(&[0, 1, 2]) };
        assert_eq!(feeds.values(), expected);
        feeds.rest();
    }
}

#[test]
fn an_attribute_that_the_other_feed_held_back_goes_once_it_does_not_any_more() {
    let mut feeds = Feeds::holding(["AMBER", "AMBER"]);
    feeds.sets[A].incident(1).domains("a", 0..2);
    feeds.sets[B].incident(1).observe_as(Some("RED"), "domain", &domain("a", 1));
    feeds.run(B);
    feeds.run(A);
    assert_eq!(feeds.values(), names(&[0]));
    feeds.sets[B].incident(1).forget(&domain("a", 1));
    feeds.run(B);
    feeds.run(A);
    assert_eq!(feeds.values(), names(&[0, 1]));
    feeds.rest();
}

#[test]
fn the_stricter_colour_of_two_goes_with_what_either_brings() {
    for order in [[A, B], [B, A]] {
        let mut feeds = Feeds::holding(["GREEN", "AMBER"]);
        feeds.sets[A].incident(1).domains("a", 0..2);
        feeds.sets[B].incident(1).domains("a", 1..3);
        for feed in order {
            feeds.run(feed);
        }
        feeds.sets[A].incident(1).domains("a", 5..6);
        feeds.run(A);
        assert_eq!(feeds.values(), names(&[0, 1, 2, 5]));
        assert!(feeds.tags().contains(&"tlp:amber".to_owned()), "{:?}", feeds.tags());
        feeds.rest();
    }
    // An attribute alone, which carries a colour of its own.
    let mut feeds = Feeds::holding(["GREEN", "GREEN"]);
    feeds.sets[A].incident(1).domains("a", 0..1);
    feeds.sets[B].incident(1).observe_as(Some("RED"), "domain", &domain("a", 0));
    feeds.run(B);
    feeds.world.job.policy.allow_tlp.insert(Tlp::Red);
    feeds.rest();
    let there = &scene::contents(&feeds.world)[&the_event()].1;
    assert_eq!(there.iter().map(|it| it.tags.clone()).collect::<Vec<_>>(), [["tlp:red"]]);
    // The other way round it stands there without, and is told to.
    let mut feeds = Feeds::holding(["GREEN", "GREEN"]);
    feeds.sets[A].incident(1).domains("a", 0..1);
    feeds.run(A);
    feeds.sets[B].incident(1).observe_as(Some("RED"), "domain", &domain("a", 0));
    feeds.run(B);
    let run = feeds.run(A).run;
    assert_eq!(run.tally.attributes.exposed, 1);
}

#[test]
fn one_feed_owns_the_fields_and_the_other_takes_over_when_it_goes() {
    let mut feeds = Feeds::holding(["GREEN", "GREEN"]);
    feeds.sets[A].incident(1).title("of A").domains("a", 0..1);
    feeds.sets[B].incident(1).title("of B").domains("a", 0..2);
    feeds.run(A);
    feeds.rest();
    assert_eq!((feeds.title(), feeds.values()), ("of A".to_owned(), names(&[0, 1])));
    feeds.sets[B].incident(1).title("still of B");
    feeds.sets[A].incident(1).title("still of A");
    feeds.rest();
    assert_eq!(feeds.title(), "still of A");
    feeds.sets[A].remove(1);
    feeds.rest();
    assert_eq!(feeds.title(), "still of B");
    feeds.sets[A].incident(1).title("of A again").domains("a", 0..1);
    feeds.rest();
    assert_eq!(feeds.title(), "still of B", "who took over keeps it");
    let attributes = &scene::contents(&feeds.world)[&the_event()].1;
    assert_eq!(attributes.len(), 2);
}

#[test]
fn a_run_that_died_left_what_it_wanted_before_anything_went_by_it() {
    for after in 0..6 {
        for kept in [true, false] {
            let mut feeds = Feeds::holding(["AMBER", "RED"]);
            feeds.sets[A].incident(1).domains("a", 0..2);
            feeds.sets[B].incident(1).domains("a", 1..3);
            let crash = Crash { after, kept };
            feeds.world.job.policy.allow_tlp.insert(Tlp::Red);
            feeds.crash(B, crash);
            let ledger = &feeds.world.ledger;
            let head = ledger.head(&feeds.world.job.destination, EventUuid::new(the_event()));
            let is_wanted = head.expect("a map cannot fail").is_some();
            feeds.run(A);
            if is_wanted {
                assert!(feeds.tags().contains(&"tlp:red".to_owned()), "{after} {kept}");
            }
            feeds.rest();
            assert_eq!(feeds.values(), names(&[0, 1, 2]), "{after} {kept}");
        }
    }
}

#[test]
fn what_another_feed_left_open_is_looked_at_and_not_wanted() {
    let mut left_open = 0;
    for after in 0..6 {
        let mut feeds = Feeds::holding(["GREEN", "GREEN"]);
        feeds.sets[B].incident(1).domains("a", 0..2);
        feeds.sets[A].incident(2).domains("b", 0..1);
        feeds.sets[A].remove(1);
        feeds.crash(B, Crash { after, kept: true });
        let ledger = &feeds.world.ledger;
        let head_of = ledger.head(&feeds.world.job.destination, EventUuid::new(the_event()));
        left_open +=
            u32::from(head_of.expect("a map cannot fail").is_some_and(|head| head.unproven));
        feeds.run(A);
        feeds.rest();
        let feeds_of = head(&feeds.world, the_event()).feeds;
        let of_a = feeds_of.get(&FeedName::new(NAMES[A]));
        assert!(of_a.is_none_or(|it| it.gone), "{of_a:?}");
        assert_eq!(feeds.values(), names(&[0, 1]));
        let first = known(&feeds.world, the_event(), &domain("a", 0));
        assert_eq!(first.wanted.iter().count(), 1);
    }
    assert!(left_open > 0);
}

#[test]
fn a_run_tells_of_missing_colours_by_what_its_feed_holds_now_whether_it_reads_it_or_not() {
    let mut feeds = Feeds::new();
    feeds.sets[A].incident(1).tlp(Some("RED"));
    feeds.sets[A].incident(2).tlp(None);
    feeds.sets[B].incident(1).tlp(None);
    // The last of three runs finds nothing changed, and reads nothing.
    let told = |feeds: &mut Feeds, feed| {
        [(); 3].map(|()| {
            let summary = feeds.run(feed);
            assert_eq!(summary.ending, Ending::AllWithheld);
            summary.unmarked
        })
    };
    assert_eq!(told(&mut feeds, A), [true; 3]);
    assert_eq!(told(&mut feeds, B), [true; 3]);
    feeds.sets[A].remove(2);
    assert_eq!(told(&mut feeds, A), [false; 3], "neither what left it nor the other feed's word");
    assert_eq!(told(&mut feeds, B), [true; 3]);
}

fn of(name: &str) -> FeedName {
    FeedName::new(name)
}

#[test]
fn a_feed_that_is_forgotten_leaves_what_others_want_to_them_and_its_place_to_the_next() {
    let mut feeds = Feeds::holding(["GREEN", "GREEN"]);
    feeds.sets[A].incident(1).title("of A").domains("a", 0..2);
    let mut red = Feeds::holding(["GREEN", "RED"]);
    red.sets[A].incident(1).domains("a", 0..1);
    feeds.sets[B].incident(1).title("of B").domains("a", 1..3);
    for feeds in [&mut feeds, &mut red] {
        feeds.rest();
    }
    assert_eq!((feeds.title(), feeds.values()), ("of A".to_owned(), names(&[0, 1, 2])));
    assert!(red.has_event());
    let forget = |feeds: &mut Feeds, name: &str| {
        let World { ledger, job, clock, .. } = &mut feeds.world;
        agent::forget_feed(ledger, &job.destination, &of(name), &**clock)
            .expect("a map cannot fail")
    };
    let forgotten = forget(&mut feeds, NAMES[A]).expect("it delivered there");
    assert_eq!((forgotten.events, forgotten.attributes_retired), (1, 1));
    assert_eq!(forget(&mut feeds, NAMES[A]), None);
    feeds.run(B);
    assert_eq!((feeds.title(), feeds.values()), ("of B".to_owned(), names(&[0, 1, 2])));
    assert!(known(&feeds.world, the_event(), &domain("a", 0)).wanted.is_empty());
    feeds.world.job.feed = of("third");
    let third = scene::deliver(&mut feeds.world, &mut feeds.sets[A]);
    assert_eq!(third.run.tally.attributes.unchanged, 2);
    assert_eq!(feeds.title(), "of B");
    let ledger = &feeds.world.ledger;
    let record = ledger.destination(&feeds.world.job.destination).expect("a map cannot fail");
    assert_eq!(record.expect("it is known").feeds, [of("third"), of(NAMES[B])]);
    // What it held back goes.
    red.sets[A].incident(1).domains("a", 1..2);
    red.run(A);
    assert_eq!(red.values(), names(&[0]));
    forget(&mut red, NAMES[B]);
    red.run(A);
    assert_eq!(red.values(), names(&[0, 1]));
}

#[test]
fn forgetting_and_renaming_that_died_go_on_where_they_were() {
    for after in 0..4 {
        let crash = Crash { after, kept: false };
        let mut feeds = Feeds::holding(["GREEN", "GREEN"]);
        feeds.sets[A].incident(1).domains("a", 0..2);
        feeds.sets[B].incident(1).domains("a", 1..3);
        feeds.rest();
        let mut claims = Claims::default();
        for crash in [Some(crash), None] {
            let mut ledger = CrashingLedger::new(&mut feeds.world.ledger, &mut claims, crash, None);
            let _ = agent::rename_feed(&mut ledger, &of(NAMES[A]), &of("renamed")).is_ok();
        }
        feeds.world.job.feed = of("renamed");
        scene::assert_at_rest(&mut feeds.world, &mut feeds.sets[A]);
        let World { ledger, job, clock, .. } = &mut feeds.world;
        for crash in [Some(crash), None] {
            let mut ledger = CrashingLedger::new(ledger, &mut claims, crash, None);
            let (to, clock) = (&job.destination, &**clock);
            let _ = agent::forget_feed(&mut ledger, to, &of("renamed"), clock).is_ok();
        }
        let head = head(&feeds.world, the_event());
        assert_eq!(head.feeds.keys().collect::<Vec<_>>(), [&of(NAMES[B])]);
        feeds.run(B);
        feeds.world.job.feed = of(NAMES[B]);
        scene::assert_at_rest(&mut feeds.world, &mut feeds.sets[B]);
        let first = known(&feeds.world, the_event(), &domain("a", 0));
        assert!(first.wanted.is_empty() && first.standing.is_in_misp(), "{first:?}");
    }
}

#[test]
fn a_feed_gets_another_name_and_is_forgotten_by_the_program() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    let text = fs::read_to_string(place.path("misp-trickle.toml")).expect("it is there");
    let named = text.replace("[source]", "[feeds.old.source]");
    place.write("misp-trickle.toml", &named);
    place.run(&["sync"]).code(0);
    let requests = sandbox.requests();
    place.run(&["feed", "forget", "old"]).code(1).says(&["feed old is in the configuration"]);
    place.run(&["feed", "forget", "older"]).code(1).says(&["does not know a feed older", "old"]);
    place.configure("[feeds.old.source]", "[feeds.new]\nwas = \"old\"\n[feeds.new.source]");
    assert_eq!(place.json(&["config"])["config"]["feeds"]["new"]["was"], "old");
    place.run(&["sync"]).code(0);
    assert_eq!(sandbox.requests(), requests, "it is the same feed");
    place.configure("was = \"old\"", "was = \"new\"");
    place.run(&["sync"]).code(1).says(&["feeds.new.was", "so is or was another feed"]);
    place.configure("was = \"new\"\n", "");
    place.configure("feeds.new", "feeds.newer");
    let forgotten = place.json(&["feed", "forget", "new"]);
    let of_main = &forgotten["destinations"][0];
    assert!(of_main["events"].as_u64() > Some(0), "{forgotten}");
    assert!(of_main["attributes_retired"].as_u64() > Some(0), "{forgotten}");
    assert_eq!(sandbox.requests(), requests, "nothing is asked");
    assert!(place.run(&["log"]).data.contains("feed forget"));
    place.run(&["check"]).code(0);
    place.run(&["sync"]).code(0);
    let known = place.run(&["feed", "forget", "new"]).code(1).all();
    assert!(known.contains("newer"), "{known}");
}

#[test]
fn the_place_of_a_feed_is_kept_before_anything_stands_under_it() {
    for seed in 0..5 {
        let mut feeds = Feeds::holding(["RED", "RED"]);
        feeds.sets[A].incident(1).domains("a", 0..1);
        feeds.sets[A].incident(2).domains("b", 0..1);
        feeds.sets[B].incident(1).domains("a", 1..2);
        feeds.fail(A, seed);
        feeds.run(B);
        feeds.run(A);
        let ledger = &feeds.world.ledger;
        let record = ledger.destination(&feeds.world.job.destination).expect("a map cannot fail");
        let names = record.expect("it is known").feeds;
        for (number, name) in [NAMES[A], NAMES[B]].into_iter().enumerate() {
            let wanted = known(&feeds.world, the_event(), &domain("a", number)).wanted;
            let by = wanted.iter().map(|place| names[usize::from(place)].as_str());
            assert_eq!(by.collect::<Vec<_>>(), [name], "{seed}");
        }
    }
}

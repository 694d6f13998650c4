//! The same feed by the public API of the platform.

use misp_trickle::source::eiq_api::{ApiError, EiqApi};

use super::{
    chance::{Chance, elements_of, next_day, some_trouble},
    *,
};

const ENTITIES: &str = "/api/v2/entities?";
const DAY: u32 = 24 * 60 * 60;

impl World {
    fn api(&self) -> EiqApi<Hurried> {
        EiqApi::with_time(&self.access(), 12, self.time()).unwrap()
    }

    /// The mirror of what the API gives; its files are not those of the feed.
    fn api_mirror(&self) -> Mirror {
        Mirror::new(Arc::new(self.files.clone()), self.api().identity())
    }

    fn try_api(&mut self) -> (Result<Pulled, ApiError>, Fold) {
        let mut api = self.api();
        let (mut mirror, traffic) = (self.api_mirror(), api.traffic());
        let (pulled, fold) = self.runtime.block_on(mirror.pull(&mut api)).unwrap();
        self.requests = traffic.requests();
        let shown = format!("{api:?} {pulled:?}");
        assert!(!shown.contains(TOKEN), "{shown}");
        (pulled, fold)
    }

    fn pull_api(&mut self) -> (Pulled, Fold) {
        let (pulled, fold) = self.try_api();
        (pulled.unwrap(), fold)
    }

    fn api_told(&self, fold: &Fold) -> BTreeSet<String> {
        undated(&told(self.api_mirror().facts(fold).unwrap()))
    }
}

/// A platform with entities, of which each page has three.
fn platform(elements: &[Value]) -> World {
    World::new(Setup { page_cap: 3, ..Setup::new(12, Packaged::Replace) }, elements)
}

/// Events without their days: the platform's rows have a time of their own creation, and the package has none.
fn undated(events: &BTreeSet<String>) -> BTreeSet<String> {
    let without = |event: &String| {
        let (before, after) = event.split_once("date: \"").unwrap();
        format!("{before}{}", &after["2026-11-18".len()..])
    };
    events.iter().map(without).collect()
}

/// Events of one whole read.
fn read(elements: &[Value]) -> BTreeSet<String> {
    undated(&super::read(elements))
}

/// An incident with a domain more, of which the platform does not say that the indicator changed.
fn with_domains(number: usize, domains: usize) -> Vec<Value> {
    incident(number, 1, domains)
}

#[test]
fn the_api_gives_what_a_package_gives() {
    let first = day(0..4, 1, 2);
    let mut world = platform(&first);
    let (pulled, fold) = world.pull_api();
    assert_eq!((pulled, fold.packs(), fold.is_whole()), (Pulled::Whole, 1, true));
    assert_eq!(world.api_told(&fold), read(&first));
    // Nothing changed: the entities of the last minutes are listed, and none is asked for.
    let (pulled, again) = world.pull_api();
    assert_eq!((pulled, again.digest()), (Pulled::Unchanged, fold.digest()));
    assert!(world.requests <= 8, "{}", world.requests);
}

#[test]
fn what_changed_alone_is_asked_for_and_what_left_is_gone_a_day_later() {
    let mut world = platform(&day(0..4, 1, 2));
    assert_eq!(world.pull_api().0, Pulled::Whole);
    world.put(&[day(0..3, 1, 2), day(4..5, 1, 1)].concat());
    let (pulled, fold) = world.pull_api();
    assert_eq!(pulled, Pulled::Delta);
    // Incident 3 left the feed, which nothing tells yet.
    assert_eq!(world.api_told(&fold), read(&[day(0..4, 1, 2), day(4..5, 1, 1)].concat()));
    world.command(json!({"do": "wait", "seconds": DAY}));
    let (pulled, fold) = world.pull_api();
    assert_eq!((pulled, fold.is_whole()), (Pulled::Whole, true));
    assert_eq!(world.api_told(&fold), read(&[day(0..3, 1, 2), day(4..5, 1, 1)].concat()));
}

#[test]
fn an_observable_that_moves_no_entity_is_found_a_day_later() {
    let mut world = platform(&with_domains(0, 1));
    assert_eq!(world.pull_api().0, Pulled::Whole);
    world.put(&with_domains(0, 2));
    assert_eq!(world.pull_api().0, Pulled::Unchanged);
    world.command(json!({"do": "wait", "seconds": DAY - 60}));
    assert_eq!(world.pull_api().0, Pulled::Unchanged);
    world.command(json!({"do": "wait", "seconds": 60}));
    let (pulled, fold) = world.pull_api();
    assert_eq!(pulled, Pulled::Whole);
    assert_eq!(world.api_told(&fold), read(&with_domains(0, 2)));
}

#[test]
fn entities_that_change_while_they_are_listed_are_not_passed_over() {
    for after in 0..4 {
        let first = day(0..4, 1, 1);
        let mut world = platform(&first);
        world.trouble(ENTITIES, after, 2, Trouble::Shift);
        let (_, fold) = world.pull_api();
        assert_eq!(world.api_told(&fold), read(&first), "after {after}");
    }
}

#[test]
fn an_entity_that_a_list_lacks_is_asked_for_before_it_counts_as_gone() {
    let first = day(0..2, 1, 1);
    let setup = Setup { page_cap: 1, ..Setup::new(12, Packaged::Replace) };
    let mut world = World::new(setup, &first);
    world.pull_api();
    world.command(json!({"do": "wait", "seconds": DAY}));
    // Behind the changes comes the whole, whose pages of one row pass over the one that takes the place of the first.
    world.trouble("limit=1000&offset=0", 1, 1, Trouble::Shift);
    let (pulled, fold) = world.pull_api();
    assert_eq!((pulled, world.api_told(&fold)), (Pulled::Whole, read(&first)));
}

#[test]
fn a_platform_that_ignores_what_is_asked_for_is_refused() {
    let mut world = platform(&day(0..2, 1, 1));
    let row = |id: &str, time: &str, feeds: &[&str]| json!({"id": id, "last_updated_at": time, "outgoing_feeds": feeds, "data": {"type": "incident"}});
    let (early, late) = ("2026-11-18T10:00:00Z", "2026-11-18T11:00:00Z");
    for (rows, words) in [
        (vec![row("a", late, &["/12"]), row("b", early, &["/12"])], "row b of"),
        (vec![row("a", early, &["/13"])], "does not say that it is in it"),
        (vec![row("a", early, &[])], "does not say that it is in it"),
        (vec![json!({"id": "a"})], "`last_updated_at`"),
    ] {
        let page = json!({"data": rows, "count": 2, "total_count": 2}).to_string();
        world.trouble(ENTITIES, 0, 1, Trouble::Page(page));
        let (pulled, fold) = world.try_api();
        let error = pulled.unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("kind = \"eiq-feed\""), "{error}");
        assert!(fold.is_empty());
    }
}

#[test]
fn rows_that_do_not_belong_to_the_entity_are_refused() {
    let first = day(0..2, 1, 1);
    for (path, row) in [
        (
            "/api/v2/observables",
            json!({"id": 70, "type": "domain", "value": "red.example", "entities": ["/9"]}),
        ),
        ("/api/v2/relationships", json!({"id": "r", "data": {"source": "/8", "target": "/9"}})),
    ] {
        let mut world = platform(&first);
        let mut row = row;
        row["last_updated_at"] = json!("2026-11-18T10:00:00Z");
        let page = json!({"data": [row], "total_count": 1}).to_string();
        world.trouble(path, 0, 1, Trouble::Page(page));
        let (pulled, fold) = world.try_api();
        let error = pulled.unwrap_err().to_string();
        assert!(error.contains("does not say that it belongs there"), "{error}");
        assert!(fold.is_empty());
    }
}

#[test]
fn a_list_that_never_ends_is_given_up() {
    let row = json!({"id": "a", "last_updated_at": "2026-11-18T10:00:00Z", "outgoing_feeds": ["/12"],
        "data": {"type": "incident"}});
    for rows in [vec![row.clone()], vec![row.clone(), row.clone()]] {
        let mut world = platform(&day(0..2, 1, 1));
        let page = json!({"data": rows}).to_string();
        world.trouble(ENTITIES, 0, 1_000, Trouble::Page(page));
        let (pulled, _) = world.try_api();
        let error = pulled.unwrap_err().to_string();
        assert!(error.contains("each of 20 times"), "{error}");
        assert!(world.requests < 120, "{}", world.requests);
    }
}

#[test]
fn an_entity_that_is_kept_and_in_no_feed_is_gone() {
    let mut world = platform(&day(0..2, 1, 1));
    world.command(json!({"do": "leaving", "entities": "kept"}));
    assert_eq!(world.pull_api().0, Pulled::Whole);
    world.put(&day(0..1, 1, 1));
    world.command(json!({"do": "wait", "seconds": DAY}));
    let (_, fold) = world.pull_api();
    assert_eq!(world.api_told(&fold), read(&day(0..1, 1, 1)));
}

#[test]
fn a_whole_read_that_breaks_leaves_the_mirror_as_it_was() {
    let first = day(0..3, 1, 1);
    let mut world = platform(&first);
    world.pull_api();
    world.put(&day(1..3, 1, 1));
    world.command(json!({"do": "wait", "seconds": DAY}));
    world.trouble("/api/v2/observables", 1, 1, Trouble::Status(403));
    let (pulled, fold) = world.try_api();
    assert!(pulled.unwrap_err().to_string().contains("read extracts"));
    assert_eq!(world.api_told(&fold), read(&first));
    let (_, fold) = world.pull_api();
    assert_eq!(world.api_told(&fold), read(&day(1..3, 1, 1)));
}

/// Whatever happens while it is read: an incident that the platform had all the time is never gone, and once the
/// platform is steady the mirror comes to what one whole read gives.
#[test]
fn whatever_happens_a_steady_platform_comes_to_what_one_whole_read_gives() {
    for seed in 0..60 {
        let mut chance = Chance(seed);
        let mut day = vec![(0, 1, 1), (1, 1, 1), (2, 1, 1), (3, 1, 1)];
        let page_cap = 1 + chance.below(4);
        let setup = Setup { page_cap, ..Setup::new(12, Packaged::Replace) };
        let mut world = World::new(setup, &elements_of(&day));
        let mut kept = day.iter().map(|(number, ..)| *number).collect::<BTreeSet<_>>();
        for _ in 0..16 {
            match chance.below(6) {
                0 => {
                    day = next_day(&day, &mut chance, true);
                    kept.retain(|kept| day.iter().any(|(number, ..)| number == kept));
                    world.put(&elements_of(&day));
                }
                1 => world.command(json!({"do": "wait", "seconds": DAY / 3})),
                2 => {
                    let word = ["kept", "deleted"][chance.below(2)];
                    world.command(json!({"do": "leaving", "entities": word}));
                }
                3 => {
                    let path = ["", ENTITIES, "/observables", "/relationships"][chance.below(4)];
                    let (after, times) = (chance.below(9), 1 + chance.below(8));
                    let trouble = match chance.below(2) {
                        0 => Trouble::Shift,
                        _ => some_trouble(&mut chance),
                    };
                    world.trouble(
                        path,
                        after.try_into().unwrap(),
                        times.try_into().unwrap(),
                        trouble,
                    );
                }
                _ => {
                    let (_, fold) = world.try_api();
                    if fold.is_whole() {
                        let told = world.api_told(&fold);
                        let has =
                            |number: &usize| told.iter().any(|it| it.contains(&id(1, *number)));
                        assert!(kept.iter().all(has), "seed {seed}");
                    }
                }
            }
        }
        world.command(json!({"do": "clear"}));
        world.command(json!({"do": "wait", "seconds": DAY}));
        let (_, fold) = world.pull_api();
        assert_eq!(world.api_told(&fold), read(&elements_of(&day)), "seed {seed}");
        assert!(fold.is_whole() && fold.damaged().is_empty(), "seed {seed}");
        assert_eq!(world.pull_api().0, Pulled::Unchanged, "seed {seed}");
    }
}

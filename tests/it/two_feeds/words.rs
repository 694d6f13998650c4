//! What a feed said of a marking decides for the others, however its run ended.

use misp_trickle::{delivery::Wire, history::Ledger, remote::Answer};
use misp_trickle_testing::obstructed::Obstructed;

use super::*;

impl Feeds {
    /// A run of one of them before something else than MISP.
    fn run_before<W: Wire + Send + Sync + 'static>(&mut self, feed: usize, wire: Arc<W>) -> bool {
        let path = self.sets[feed].write();
        let World { job, ledger, clock, .. } = &mut self.world;
        (job.feed, job.source) = (FeedName::new(NAMES[feed]), SourceSpec::File(path));
        clock.advance(7_200);
        let (none, interrupt) = (Reading::default(), AtomicBool::new(false));
        wait(agent::sync_from(job, &none, ledger, wire, &**clock, &Silent, &interrupt)).is_ok()
    }

    /// MISP refuses everything.
    fn refusing(&self) -> Arc<Obstructed> {
        let no = |_: &_, _| Some(Answer { status: 403, body: b"no".to_vec(), ..Answer::default() });
        Obstructed::new(&self.world, no)
    }

    fn places(&self) -> Vec<FeedName> {
        let ledger = &self.world.ledger;
        let record = ledger.destination(&self.world.job.destination).expect("a map cannot fail");
        record.unwrap_or_default().feeds
    }
}

#[test]
fn a_place_is_kept_before_anything_is_said_by_it() {
    let mut said = 0;
    for (after, first) in (0..8).flat_map(|after| [(after, true), (after, false)]) {
        let mut feeds = Feeds::holding(["GREEN", "GREEN"]);
        let x = domain("a", 1);
        feeds.sets[A].incident(2).domains("b", 0..1);
        feeds.sets[A].remove(1);
        if first {
            feeds.run(A);
        }
        feeds.sets[B].incident(1).domains("a", 0..1).observe_as(Some("RED"), "domain", &x);
        feeds.crash_as("third", B, Crash { after, kept: true });
        let ledger = &feeds.world.ledger;
        let of_third = ledger.event(&feeds.world.job.destination, EventUuid::new(the_event()));
        let is_said = of_third.expect("a map cannot fail").is_some();
        said += u32::from(is_said);
        assert!(!is_said || feeds.places().contains(&of("third")), "{after} {first}");
        feeds.sets[B].incident(1).forget(&x).observe("domain", &x);
        feeds.run(B);
        assert_eq!(feeds.values().contains(&x), !is_said, "{after} {first}");
    }
    assert!(said > 4);
}

#[test]
fn a_place_is_kept_where_misp_refuses_the_key_and_what_is_denied_is_written_down() {
    let mut feeds = Feeds::holding(["RED", "GREEN"]);
    feeds.sets[A].incident(1).domains("a", 0..1);
    feeds.sets[A].incident(2).domains("b", 0..1);
    let refusing = feeds.refusing();
    assert!(!feeds.run_before(A, refusing));
    assert_eq!(feeds.places(), [of(NAMES[A])]);
    feeds.sets[B].incident(1).domains("a", 0..1);
    feeds.run(B);
    assert!(!feeds.has_event());
}

#[test]
fn a_run_that_failed_after_it_stirred_the_others_is_looked_at_again_as_well() {
    let mut feeds = Feeds::holding(["GREEN", "GREEN"]);
    feeds.sets[A].incident(1).domains("a", 0..1);
    feeds.sets[B].incident(1).domains("a", 0..2);
    feeds.rest();
    let before = feeds.sets[A].copy();
    feeds.sets[A].incident(1).tlp(Some("RED"));
    feeds.sets[A].incident(2).domains("b", 0..1);
    let refusing = feeds.refusing();
    assert!(!feeds.run_before(A, refusing));
    feeds.sets[A] = before;
    feeds.sets[B].incident(1).domains("a", 2..3);
    feeds.run(A);
    feeds.run(B);
    assert_eq!(feeds.values(), names(&[0, 1, 2]), "nobody says red any more");
    feeds.rest();
}

/// What one of them holds under a stricter colour than before: the incident, an attribute that both have, and one that only
/// it has.
fn mark_red(feeds: &mut Feeds, what: usize) -> String {
    let incident = feeds.sets[A].incident(1);
    match what {
        0 => drop(incident.tlp(Some("RED"))),
        1 => drop(incident.forget(&domain("a", 1)).observe_as(
            Some("RED"),
            "domain",
            &domain("a", 1),
        )),
        _ => drop(incident.observe_as(Some("RED"), "domain", &domain("a", 2))),
    }
    domain("a", if what == 1 { 1 } else { 2 })
}

/// Both hold an incident, of which the first marks something red; its turn comes behind another one.
fn about_to_mark_red(what: usize) -> (Feeds, String) {
    let mut feeds = Feeds::holding(["GREEN", "GREEN"]);
    feeds.sets[A].incident(1).domains("a", 0..1);
    feeds.sets[B].incident(1).domains("a", 0..1);
    feeds.rest();
    if what == 1 {
        feeds.sets[A].incident(1).domains("a", 1..2);
        let refusing = feeds.refusing();
        assert!(!feeds.run_before(A, refusing), "it is pending");
    }
    feeds.sets[A].incident(0).domains("b", 0..20);
    let red = mark_red(&mut feeds, what);
    (feeds, red)
}

/// The other one does not send it, and sends it once it is said to be free again.
fn assert_kept_back(mut feeds: Feeds, red: &str, what: &str) {
    feeds.sets[B].incident(1).observe("domain", red);
    feeds.run(B);
    assert!(!feeds.values().contains(red), "{what}");
    feeds.rest();
    assert!(!feeds.values().contains(red), "{what}");
    let incident = feeds.sets[A].incident(1);
    incident.tlp(Some("GREEN")).forget(red).observe("domain", red);
    feeds.rest();
    assert!(feeds.values().contains(red), "{what}");
}

#[test]
fn what_is_marked_stricter_is_kept_back_by_all_however_early_a_run_ends() {
    for what in 0..3 {
        let (mut feeds, red) = about_to_mark_red(what);
        let refusing = feeds.refusing();
        assert!(!feeds.run_before(A, refusing));
        assert_kept_back(feeds, &red, &format!("{what} refused"));

        let (mut feeds, red) = about_to_mark_red(what);
        feeds.world.job.max_transfer = Some(1);
        feeds.run(A);
        feeds.world.job.max_transfer = None;
        assert_kept_back(feeds, &red, &format!("{what} out of bytes"));

        for after in 0..6 {
            let (mut feeds, red) = about_to_mark_red(what);
            let sent = |feeds: &Feeds| scene::contents(&feeds.world).contains_key(&event(0));
            feeds.crash(A, Crash { after, kept: true });
            if sent(&feeds) {
                assert_kept_back(feeds, &red, &format!("{what} died after {after}"));
            }
        }
    }
}

#[test]
fn the_old_name_of_a_feed_is_a_new_feed() {
    let mut feeds = Feeds::holding(["GREEN", "GREEN"]);
    feeds.sets[A].incident(1).domains("a", 0..2);
    feeds.rest();
    let ledger = &mut feeds.world.ledger;
    assert!(agent::rename_feed(ledger, &of(NAMES[A]), &of("new")).expect("a map cannot fail"));
    assert!(!feeds.places().contains(&of(NAMES[A])));
    feeds.run(A);
    assert!(feeds.places().contains(&of(NAMES[A])));
    assert!(head(&feeds.world, the_event()).feeds.contains_key(&of(NAMES[A])));
}

//! What must never happen to what is pulled, and what must be so once the faults stopped.

use std::collections::BTreeSet;

use misp_trickle::{
    history::Ledger,
    model::{Marking, Tlp},
    plan::Policy,
};

use super::{
    Destination, Life, Place, Word,
    platform::{Mode, key_of},
};

/// What was there before a run.
pub(super) struct Before {
    there: BTreeSet<Place>,
    wanted: Vec<BTreeSet<Place>>,
}

impl Before {
    pub(super) fn of(life: &Life, to: usize) -> Self {
        let wanted = life.feeds.iter().map(|feed| life.wanted(&feed.name, to));
        Self { there: there(&life.destinations[to]), wanted: wanted.collect() }
    }
}

/// Every attribute that a MISP holds. Nothing is there twice.
fn there(to: &Destination) -> BTreeSet<Place> {
    let misp = to.world.misp.lock().unwrap();
    let mut all = BTreeSet::new();
    for event in misp.events() {
        for attribute in misp.attributes(event.uuid) {
            let place = (misp_trickle::model::EventUuid::new(event.uuid), attribute.value.clone());
            assert!(all.insert(place), "{:?} twice", attribute.value);
        }
    }
    all
}

/// Whether a word surely keeps an attribute back: by itself, or with all of its event.
fn denies(word: &Word, place: &Place, policy: &Policy) -> bool {
    let is_denied =
        |marking: Option<&Marking>| marking.is_some_and(|it| policy.denies(*it).is_some());
    is_denied(word.events.get(&place.0)) || is_denied(word.attributes.get(place))
}

/// What a run may have done, under the rules that held as it began.
pub(super) fn after_a_run(
    life: &Life,
    (number, to): (usize, usize),
    before: &Before,
    word: &Word,
    policy: &Policy,
) {
    let (feed, destination) = (&life.feeds[number], &life.destinations[to]);
    let now = there(destination);
    assert!(before.there.is_subset(&now), "something left MISP");
    for place in now.difference(&before.there) {
        assert!(word.attributes.contains_key(place), "{place:?} is in no dataset of {}", feed.name);
        assert!(feed.platform.ever.contains(&key_of(&place.1)), "{place:?} was never held");
        assert!(!denies(word, place, policy), "{place:?} went although it is marked stricter");
        for (other, words) in destination.words.iter().filter(|(other, _)| **other != feed.name) {
            let all_deny = !words.is_empty() && words.iter().all(|it| denies(it, place, policy));
            assert!(!all_deny, "{place:?} went by {}, and {other} marks it stricter", feed.name);
        }
    }
    for (other, wanted) in life.feeds.iter().zip(&before.wanted) {
        let still = life.wanted(&other.name, to);
        let mut gone = wanted.difference(&still);
        let is_own = other.name == feed.name;
        assert!(is_own || gone.next().is_none(), "{} took something off {}", feed.name, other.name);
        // What is read from an older mirror lacks what was not there yet.
        let held = |place: &&Place| !other.platform.lacked.contains(&key_of(&place.1));
        let wrong = wanted.difference(&still).find(held).filter(|_| !other.is_older);
        assert!(wrong.is_none(), "{wrong:?} was retired, and {} always held it", other.name);
    }
}

/// What holds once the faults stopped.
pub(super) fn at_rest(life: &Life) {
    for (to, destination) in life.destinations.iter().enumerate() {
        let job = &destination.world.job;
        let policy = &life.daemon.lock().unwrap().destinations[to].policy;
        let now = there(destination);
        let words: Vec<Word> = life.feeds.iter().map(|feed| life.word(feed, job)).collect();
        for (feed, word) in life.feeds.iter().zip(&words) {
            let mirror: BTreeSet<_> = word.attributes.keys().map(|it| key_of(&it.1)).collect();
            let held = feed.platform.held.keys().copied();
            let held: BTreeSet<_> = held.filter(|key| key.1.is_some()).collect();
            let is_all = held.is_subset(&mirror);
            assert!(is_all, "{} does not hold all of {held:?}: {mirror:?}", feed.name);
            if feed.platform.mode != Mode::Append {
                assert_eq!(mirror, held, "{} holds what its platform does not", feed.name);
                let wanted: BTreeSet<Place> = word.attributes.keys().cloned().collect();
                assert_eq!(life.wanted(&feed.name, to), wanted, "{} at {to}", feed.name);
            }
        }
        for place in words.iter().flat_map(|word| word.attributes.keys()) {
            // A feed that never takes anything back may have said more than its mirror does now.
            let appends = life.feeds.iter().any(|feed| feed.platform.mode == Mode::Append);
            let denied = words.iter().any(|word| denies(word, place, policy));
            assert!(denied || appends || now.contains(place), "{place:?} is missing at {to}");
        }
        colours_are_there(destination, &words, policy);
        let heads = life.ledger.heads(&job.destination).unwrap();
        for head in heads.iter().filter(|head| head.unproven) {
            // Of what may not go nothing is asked.
            let said = words.iter().filter_map(|word| word.events.get(&head.uuid));
            let all = said.fold(head.marking, |all, it| all.and(*it));
            assert!(policy.denies(all).is_some(), "{} stays unproven", head.uuid);
        }
    }
}

/// An event stands under the strictest colour that a feed gives it, where anything of it may be there.
fn colours_are_there(to: &Destination, words: &[Word], policy: &Policy) {
    let misp = to.world.misp.lock().unwrap();
    for event in misp.events() {
        let uuid = misp_trickle::model::EventUuid::new(event.uuid);
        let said = words.iter().filter_map(|word| word.events.get(&uuid));
        let all = said.fold(Marking::default(), |all, it| all.and(*it));
        let shown = event.tags.iter().filter_map(|tag| tag.parse::<Tlp>().ok()).max();
        let is_denied = policy.denies(all).is_some();
        assert!(is_denied || shown >= all.tlp, "{uuid} stands under {shown:?}, and is {all:?}");
    }
}

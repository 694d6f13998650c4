//! Ten simulated years in five time zones.

use std::sync::LazyLock;

use proptest::{
    collection::{btree_set, vec},
    prelude::*,
};

use crate::{
    model::Timestamp,
    schedule::{LastRun, Schedule},
};

use super::{
    by_cron,
    oracle::{BEGIN, Clock, END, Rule},
};

/// Changes in the small hours, in both halves of the world, by half an hour, at midnight, and in a zone that is
/// three quarters of an hour off the full hour.
const ZONES: [&str; 5] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Pacific/Chatham",
];

static CLOCKS: LazyLock<[Clock; 5]> = LazyLock::new(|| ZONES.map(Clock::of));

fn minute(minute: i64) -> Timestamp {
    Timestamp::from_seconds(minute * 60)
}

/// Few values in each field, or all; the small hours more often, since the clocks change then.
fn rules() -> impl Strategy<Value = Rule> {
    let numbers = |range: std::ops::Range<i8>, often: u32| {
        let some = btree_set(range, 1..4).prop_map(|set| set.into_iter().collect::<Vec<_>>());
        prop_oneof![often => Just(Vec::new()), 2 => some]
    };
    let hours = prop_oneof![1 => numbers(0..24, 1), 2 => numbers(0..4, 0)];
    let lists = (numbers(0..60, 0), hours, numbers(1..29, 4), numbers(1..13, 4), numbers(0..7, 3));
    lists.prop_map(|(minutes, hours, days, months, weekdays)| Rule {
        lists: [minutes, hours, days, months, weekdays],
    })
}

/// A life of a route: each run takes a while, sometimes the program is down for days, and in the end the runs
/// began when the oracle says.
fn live(schedule: &Schedule, calls: &[i64], mut dice: u64) {
    let mut roll = move |sides: i64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(dice >> 33).unwrap() % sides
    };
    let (mut began, mut ended) = (BEGIN - 1, BEGIN);
    let last_call = *calls.last().unwrap_or(&BEGIN);
    let mut at = 0;
    loop {
        // The first that the last run did not keep.
        while at < calls.len() && calls[at] <= began {
            at += 1;
        }
        let now = ended + if roll(40) == 0 { roll(9 * 1440) } else { 0 };
        let last = LastRun { began: minute(began), ended: minute(ended), failures: 0 };
        let due = schedule.due(minute(now), Some(&last), 0);
        let Some(call) = calls.get(at) else {
            assert!(due.is_none_or(|due| due > minute(last_call)), "{schedule:?} {last:?}");
            return;
        };
        assert_eq!(due, Some(minute(*call)), "{schedule:?} {last:?}");
        began = now.max(*call);
        ended = began + [0, 1, 7, 70][usize::try_from(roll(4)).unwrap()];
    }
}

#[test]
fn the_zones_change_their_clocks() {
    for (zone, clock) in ZONES.iter().zip(&*CLOCKS) {
        let (forward, back) = clock.changes();
        assert!(forward >= 9 && back >= 9, "{zone}: {forward} {back}");
    }
}

#[test]
fn what_is_often_set_is_kept_for_ten_years() {
    let all = || Vec::new();
    for lists in [
        [vec![30], vec![2], all(), all(), all()],
        [vec![0], vec![0], all(), all(), all()],
        [vec![0], all(), all(), all(), all()],
        [vec![0, 15, 30, 45], vec![1, 2, 3], all(), all(), vec![0]],
    ] {
        let rule = Rule { lists };
        for (zone, clock) in ZONES.iter().zip(&*CLOCKS) {
            live(&by_cron(&rule.text(), zone), &clock.calls(&rule), 1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn any_rule_is_kept_for_ten_years_and_at_any_moment(
        rule in rules(),
        zone in 0..ZONES.len(),
        dice: u64,
        moments in vec(BEGIN * 60..END * 60, 300),
    ) {
        let calls = CLOCKS[zone].calls(&rule);
        let schedule = by_cron(&rule.text(), ZONES[zone]);
        live(&schedule, &calls, dice);
        for moment in moments {
            let began = Timestamp::from_seconds(moment);
            let last = LastRun { began, ended: began, failures: 0 };
            let place = calls.partition_point(|call| minute(*call) <= began);
            if let Some(call) = calls.get(place) {
                let due = schedule.due(began, Some(&last), 0);
                prop_assert_eq!(due, Some(minute(*call)), "{:?} {}", rule, began);
            }
        }
    }
}

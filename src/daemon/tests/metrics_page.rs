//! The page of metrics, and the alerts, against what is exported.

use std::collections::BTreeMap;

use super::*;
use crate::{
    daemon::{Hold, RouteView},
    history::{DatasetTally, DestinationTally, Outcome, REMOVALS_WAIT, Repeated, RunRecord},
    model::{Digest, RunNumber},
};

const PAGE: &str = include_str!("../../../docs/reference/metrics.md");
const ALERTS: &str = include_str!("../../../docs/alerts.yml");

/// A metric's type, and its labels with the values that they have.
#[derive(Debug, Default, PartialEq, Eq)]
struct Metric {
    kind: String,
    labels: BTreeMap<String, BTreeSet<String>>,
}

/// What is exported of one route that ran once.
fn exported() -> BTreeMap<String, Metric> {
    let (metrics, route) = (Metrics::new([]), route("f", "a"));
    let (standing, last_success) = (Standing::Resting, None);
    let view = RouteView {
        name: route.clone(),
        standing,
        hold: None,
        due: None,
        last_success,
        failures: 0,
    };
    metrics.routes(&[view]);
    let (ended, words) = (Ended::Stopped, String::new());
    metrics.delivered::<()>(&route, &Delivered { ended, run: None, words, outcome: None });
    metrics.exposed(&route.destination, 2);
    let text = metrics.text();
    let mut found = BTreeMap::<String, Metric>::new();
    let mut kind = "";
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("# TYPE ") {
            kind = head.split(' ').nth(1).unwrap();
        }
        let Some((name, rest)) = line.split_once('{').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let metric = found.entry(name.to_owned()).or_default();
        metric.kind = kind.to_owned();
        for label in rest.split('}').next().unwrap().split(',') {
            let (label, value) = label.split_once('=').unwrap();
            let values = metric.labels.entry(label.to_owned()).or_default();
            values.insert(value.trim_matches('"').to_owned());
        }
    }
    found
}

fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let rows = PAGE.lines().skip_while(|line| !line.starts_with(heading)).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

#[test]
fn the_page_has_every_metric_and_no_other() {
    let exported = exported();
    let of = |name: &str, metric: &Metric| {
        let labels: Vec<&str> = metric.labels.keys().map(String::as_str).collect();
        format!("{name} {} {}", metric.kind, labels.join(" "))
    };
    let told: BTreeSet<String> = exported.iter().map(|(name, metric)| of(name, metric)).collect();
    let row = |row: &Vec<&str>| {
        let mut labels = quoted(row[2]);
        labels.sort_unstable();
        format!("{} {} {}", quoted(row[0])[0], row[1], labels.join(" "))
    };
    let page: BTreeSet<String> = rows("| metric |").iter().map(row).collect();
    assert_eq!(page, told);
}

#[test]
fn the_page_has_every_word_of_a_label() {
    let exported = exported();
    for row in rows("| of |") {
        let metric = &exported[&format!("misp_trickle_{}_total", row[0])];
        let words: BTreeSet<String> = quoted(row[1]).into_iter().map(str::to_owned).collect();
        assert_eq!(words, metric.labels["result"], "{}", row[0]);
    }
    let metrics = rows("| metric |");
    let row = metrics.iter().find(|row| row[0].contains("runs_total")).unwrap();
    let words = quoted(row[3]);
    let ended = Outcome::ALL.into_iter().filter(|it| *it != Outcome::Unfinished);
    assert_eq!(words, ended.map(Outcome::name).collect::<Vec<_>>());
}

#[test]
fn alerts_look_at_metrics_that_there_are() {
    let exported = exported();
    let is_part = |c: char| c.is_ascii_lowercase() || c == '_';
    let names = ALERTS.split(|c: char| !is_part(c)).filter(|it| it.starts_with("misp_trickle_"));
    let names: BTreeSet<&str> = names.collect();
    assert!(names.len() > 4, "{names:?}");
    for name in names {
        assert!(exported.contains_key(name), "nothing exports {name}");
    }
    for word in ALERTS.split("result=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        let metric = &exported["misp_trickle_attributes_total"];
        assert!(metric.labels["result"].contains(word), "{word} is no result");
    }
    let how_to = include_str!("../../../docs/how-to/monitor-with-prometheus.md");
    for alert in ALERTS.lines().filter_map(|line| line.split_once("- alert: ")) {
        assert!(
            how_to.contains(&format!("| `{}` |", alert.1)),
            "no row says what {} means",
            alert.1
        );
    }
}

/// The value of a metric that has no other labels than those of a route, and one more.
fn value(metrics: &Metrics, name: &str, label: &str) -> f64 {
    let text = metrics.text();
    let line = |line: &&str| line.starts_with(&format!("{name}{{")) && line.contains(label);
    text.lines().find(line).unwrap().rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_route_that_does_not_run_by_itself_has_no_next_run_and_a_success_to_come_is_none() {
    let (metrics, mut scheduler) = (Metrics::new([]), scheduler(&[("f", "a", 60)]));
    let next = || value(&metrics, "misp_trickle_next_run_timestamp_seconds", "");
    let success = || value(&metrics, "misp_trickle_last_success_timestamp_seconds", "");
    metrics.routes(&scheduler.view(at(5)));
    assert!(next() > 0.0);
    scheduler.pause(&route("f", "a"), true);
    metrics.routes(&scheduler.view(at(5)));
    assert!(next() == 0.0, "paused");
    let held = RoutePlan { hold: Some(Hold::FirstRun), ..plan(60) };
    let late = RoutePlan { last_success: Some(at(90_000)), ..plan(60) };
    let mut scheduler = Scheduler::default();
    scheduler.configure([(route("f", "a"), held)].into());
    metrics.routes(&scheduler.view(at(5)));
    assert!(next() == 0.0, "held");
    let mut scheduler = Scheduler::default();
    scheduler.configure([(route("f", "a"), late)].into());
    metrics.routes(&scheduler.view(at(5)));
    assert!(success() == 0.0, "nobody knows when that was");
    metrics.routes(&scheduler.view(at(90_001)));
    assert!(success() > 0.0);
}

#[test]
fn runs_that_one_record_counts_are_each_counted() {
    let (metrics, route) = (Metrics::new([]), route("f", "a"));
    let mut tally = DestinationTally::default();
    (tally.attributes.planned, tally.attributes.unchanged, tally.events.unchanged) = (48, 48, 2);
    let no_digest = Digest::from_bytes([0; 32]);
    for times in 0_u64..15 {
        let run = RunRecord {
            number: RunNumber(7),
            id: no_digest,
            feed: route.feed.clone(),
            destination: route.destination.clone(),
            begun: at(0),
            ended: Some(at(1)),
            source: "dataset.json".into(),
            source_digest: None,
            rules: no_digest,
            outcome: Outcome::Done,
            tally: DestinationTally { requests: times * 3, ..tally },
            dataset: DatasetTally::default(),
            notes: Vec::new(),
            repeated: (times > 0).then(|| Repeated { times, last: at(60) }),
            pull: None,
        };
        let (ended, words) = (Ended::Success, String::new());
        metrics.delivered::<()>(&route, &Delivered { ended, run: Some(run), words, outcome: None });
    }
    let planned = value(&metrics, "misp_trickle_attributes_total", "result=\"planned\"");
    let unchanged = value(&metrics, "misp_trickle_events_total", "result=\"unchanged\"");
    let requests = value(&metrics, "misp_trickle_requests_total", "");
    assert_eq!([planned, unchanged, requests].map(|it| it as u64), [15 * 48, 15 * 2, 14 * 3]);
}

#[test]
fn removals_that_wait_are_shown_until_a_run_has_none_and_after_a_restart_too() {
    let (route, mut run) = (route("f", "a"), crate::history::query::testing::run(1, "aa", "a"));
    let scheduler = scheduler(&[("f", "a", 60)]);
    let shown = |metrics: &Metrics| {
        metrics.routes(&scheduler.view(at(0)));
        value(metrics, "misp_trickle_removals_waiting", "feed=\"f\"")
    };
    let delivered = |metrics: &Metrics, run: &RunRecord| {
        let (words, run) = (String::new(), Some(run.clone()));
        let delivered = Delivered { ended: Ended::Success, run, words, outcome: None };
        metrics.delivered::<()>(&route, &delivered);
    };
    run.notes = vec!["another".to_owned(), format!("{REMOVALS_WAIT}18 of 40")];
    let metrics = Metrics::new([]);
    assert_eq!(shown(&metrics), 0.0);
    delivered(&metrics, &run);
    assert_eq!(shown(&metrics), 1.0);

    let metrics = Metrics::new([(route.clone(), &run)]);
    assert_eq!(shown(&metrics), 1.0);
    run.notes.pop();
    delivered(&metrics, &run);
    assert_eq!(shown(&metrics), 0.0);
    metrics.routes(&[]);
    assert!(!metrics.text().contains("misp_trickle_removals_waiting{"));
}

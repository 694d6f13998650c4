//! The page of metrics, and the alerts, against what is exported.

use std::collections::BTreeMap;

use super::*;
use crate::{daemon::RouteView, history::Outcome};

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

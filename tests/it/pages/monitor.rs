//! What is watched, and who is told: the page about Prometheus and its alerts, against a daemon.
#![cfg(unix)]

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

use misp_trickle_testing::program::ATTRIBUTES;

use super::{Walk, blocks, read};
use crate::daemon::{Daemon, MAIN, until};

const PAGE: &str = "docs/how-to/monitor-with-prometheus.md";
const ALERTS: &str = "docs/alerts.yml";

/// What an alert looks at: a metric, with what its labels are to be, and labels that its words name.
#[derive(Debug)]
struct Watched {
    metric: String,
    wanted: Vec<String>,
    named: Vec<String>,
}

/// The word that a text begins with.
fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

fn watched(alerts: &str) -> Vec<Watched> {
    let mut all = Vec::new();
    for alert in alerts.split("- alert: ").skip(1) {
        let (_, expression) = alert.split_once("expr: ").expect("an alert has an expression");
        let expression = expression.lines().next().unwrap();
        let named: Vec<_> = alert.split("$labels.").skip(1).map(word).collect();
        for (at, _) in expression.match_indices("misp_trickle_") {
            let metric = word(&expression[at..]);
            let after = &expression[at + metric.len()..];
            let labels = after.strip_prefix('{').and_then(|rest| rest.split('}').next());
            let wanted = labels.into_iter().flat_map(|labels| labels.split(','));
            let wanted = wanted.map(|label| label.trim().to_owned()).collect();
            all.push(Watched { metric, wanted, named: named.clone() });
        }
    }
    all
}

/// Whether something that is served fits: a line of the metric that has all of the labels.
fn is_served(served: &str, Watched { metric, wanted, named }: &Watched) -> bool {
    let start = format!("{metric}{{");
    let labels = served.lines().filter_map(|line| line.strip_prefix(&start)?.rsplit_once('}'));
    labels.map(|(labels, _)| labels.split(',').collect::<Vec<_>>()).any(|labels| {
        let has = |named: &String| labels.iter().any(|it| it.starts_with(&format!("{named}=")));
        wanted.iter().all(|wanted| labels.contains(&wanted.as_str())) && named.iter().all(has)
    })
}

#[test]
fn an_alert_about_what_is_not_there_is_found() {
    let served = "m_x 1\nmisp_trickle_a{feed=\"f\",result=\"sent\"} 1\n";
    let fits = |alert: &str| watched(alert).iter().all(|watched| is_served(served, watched));
    assert!(fits("- alert: A\n expr: misp_trickle_a{result=\"sent\"} > 0\n x: $labels.feed }}"));
    for alert in [
        "- alert: A\n expr: misp_trickle_b > 0\n",
        "- alert: A\n expr: misp_trickle_a{result=\"lost\"} > 0\n",
        "- alert: A\n expr: misp_trickle_a > 0\n x: $labels.destination }}",
        "- alert: A\n expr: misp_trickle_a > 0 and misp_trickle_ab == 0\n",
    ] {
        assert!(!fits(alert), "{alert}");
    }
}

#[test]
fn a_daemon_is_watched_and_tells_as_the_page_says() {
    let mut walk = Walk::with_dataset(&[("MISP_API_KEY", "sync")]);
    walk.places.insert("127.0.0.1:9184", "127.0.0.1:0".to_owned());
    let alarm = walk.path("alarm").to_str().unwrap().to_owned();
    fs::write(&alarm, "#!/bin/sh\n{ echo \"$1\"; cat; } > told && mv told told.\"$1\"\n").unwrap();
    fs::set_permissions(&alarm, Permissions::from_mode(0o755)).unwrap();
    walk.places.insert("/usr/local/bin/alarm", alarm);
    walk.follow("README.md", "First sync");
    let of_page = blocks(PAGE, "Monitor with Prometheus");
    let [serve, prometheus] = &of_page[..] else { panic!("{of_page:?}") };
    walk.configure(serve);
    let target = serve.text.split('"').nth(1).unwrap();
    assert!(prometheus.language == "yaml" && prometheus.text.contains(target));
    let of_page = blocks(PAGE, "Be told without Prometheus");
    let [told, asks] = &of_page[..] else { panic!("{of_page:?}") };
    walk.configure(told);

    let daemon = Daemon::with(&mut walk.command("exec misp-trickle run"), walk.folder.path());
    let alerts = watched(&read(ALERTS));
    assert!(alerts.len() > 5, "{alerts:?}");
    // What is exposed is counted a moment after the start.
    until("what alerts look at is served", || {
        let (status, served) = daemon.get("/metrics", "localhost");
        let missing = alerts.iter().find(|watched| !is_served(&served, watched));
        status == 200 && missing.is_none()
    });
    for path in ["/healthz", "/readyz"] {
        until(path, || daemon.get(path, "localhost").0 == 200);
    }
    walk.run(&asks.text).code(0);
    fs::remove_file(walk.path("incidents.json")).unwrap();
    walk.run("misp-trickle sync").code(1);
    until("somebody is told", || walk.path("told.ops").exists());
    let told = fs::read_to_string(walk.path("told.ops")).unwrap();
    assert!(told.contains("\"state\":\"failing\""), "{told}");
    assert!(daemon.metric("misp_trickle_failures", MAIN) > 0.0);
    assert_eq!(walk.sandbox.attributes(), ATTRIBUTES);
    daemon.end();
}

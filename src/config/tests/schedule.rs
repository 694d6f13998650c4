//! When runs begin, as a configuration says it.

use std::time::Duration;

use crate::{
    model::DestinationName,
    schedule::{Timing, Zone},
};

use super::{FILE, Feed, ServeSettings, SocketPlace, effective, faults, good};

fn schedule(lines: &str) -> String {
    format!("[schedule]\n{lines}\n")
}

#[test]
fn a_schedule_is_a_span_a_time_of_the_day_or_a_cron_expression() {
    for (lines, shown) in [
        ("every = \"90m\"", "1h30m"),
        ("every = \"none\"", "none"),
        ("at = \"2:30\"", "02:30"),
        ("at = \"02:30\"\non = [\"sun\", \"mon\", \"mon\"]", "02:30"),
        ("cron = \" 30 2  * * MON-fri \"", "30 2 * * MON-fri"),
    ] {
        let config = good(&schedule(lines));
        let printed = effective(&config)["schedule"].clone();
        let key = lines.split(' ').next().unwrap();
        assert_eq!(printed[key], shown, "{printed}");
        let others = ["every", "at", "cron"].iter().filter(|other| printed.get(other).is_some());
        assert_eq!(others.count(), 1, "{printed}");
        let again = good(&toml::to_string(&effective(&config)).unwrap());
        assert_eq!(again.schedule, config.schedule);
    }
    let config = good(&schedule("at = \"02:30\"\non = [\"sun\", \"mon\"]"));
    assert_eq!(effective(&config)["schedule"]["on"], serde_json::json!(["mon", "sun"]));
    let every = good(&schedule("every = \"none\"")).schedule.when.timing;
    assert_eq!(every, Timing::OnRequest);
}

#[test]
fn times_are_those_of_a_zone_and_may_come_later() {
    let when = good(&schedule("at = \"02:30\"")).schedule.when;
    assert_eq!((when.zone, when.jitter), (Zone::UTC, Duration::ZERO));
    let lines = "cron = \"0 * * * *\"\ntimezone = \"europe/berlin\"\njitter = \"90s\"\ndeadline = \"5m\"\nfirst_run = \"hold\"";
    let config = good(&schedule(lines));
    assert_eq!(config.schedule.when.zone.name(), "Europe/Berlin");
    assert_eq!(config.schedule.when.jitter, Duration::from_secs(90));
    let again = good(&toml::to_string(&effective(&config)).unwrap());
    assert_eq!(again.schedule, config.schedule);
    let rest = good(&schedule("jitter = \"0s\"\ndeadline = \"never\"")).schedule;
    assert_eq!(rest, good("").schedule);
}

#[test]
fn what_is_wrong_with_a_schedule_has_its_place_and_a_cure() {
    for (lines, place, words) in [
        ("every = \"never\"", "2:9: schedule.every", "or \"none\" for runs on request alone"),
        ("every = \"0s\"", "2:9: schedule.every", "is no time at all"),
        ("every = 15", "2:9: schedule.every", "is an integer; write a text"),
        (
            "cron = \"0 * * * *\"\nevery = \"5m\"",
            "2:8: schedule.cron",
            "says when, and so does schedule.every; keep one of the two",
        ),
        ("at = \"24:00\"", "2:6: schedule.at", "is no time of the day; write hours and minutes"),
        ("on = [\"mon\"]", "2:6: schedule.on", "has no meaning without `at`"),
        ("on = [\"mon\"]\ncron = \"0 * * * *\"", "2:6: schedule.on", "has a field for days"),
        ("at = \"02:30\"\non = []", "3:6: schedule.on", "names no day; remove it"),
        ("at = \"02:30\"\non = \"mon\"", "3:6: schedule.on", "is a string; write a list"),
        (
            "at = \"02:30\"\non = [\"mon\", \"monday\"]",
            "3:14: schedule.on",
            "\"monday\" is not known here; write one of \"mon\", \"tue\"",
        ),
        ("cron = \"0 0 30 2 *\"", "2:8: schedule.cron", "names a day that none of its months has"),
        ("cron = \"@daily\"", "2:8: schedule.cron", "five fields, such as \"30 2 * * mon-fri\""),
        ("timezone = \"Berlin\"", "2:12: schedule.timezone", "is no time zone of the IANA"),
        ("jitter = \"1 min\"", "2:10: schedule.jitter", "\"0s\" for none"),
    ] {
        let found = faults(&schedule(lines));
        assert_eq!(found.len(), 1, "{lines}: {found:?}");
        assert!(found[0].starts_with(&format!("{FILE}:{place}: ")), "{found:?}");
        assert!(found[0].contains(words), "{words}: {found:?}");
    }
    let three = faults(&schedule("every = \"5m\"\nat = \"02:30\"\ncron = \"0 * * * *\""));
    assert_eq!(three.len(), 2, "{three:?}");
}

#[test]
fn a_feed_says_where_it_goes_and_when_and_takes_the_rest_from_the_whole() {
    let text = "[schedule]\nevery = \"1h\"\ndeadline = \"10m\"\n\
        [feeds.a]\npath = \"a.json\"\ndestinations = [\"one\"]\n[feeds.a.schedule]\nat = \"02:30\"\n\
        [feeds.b]\npath = \"b.json\"\n\
        [destinations.one]\nurl = \"https://1.example\"\napi_key_env = \"K\"\n\
        [destinations.two]\nurl = \"https://2.example\"\napi_key_env = \"K\"\n";
    let config = good(text);
    let [a, b] = &config.feeds[..] else { panic!("{config:?}") };
    let goes = |feed: &Feed| ["one", "two"].map(|name| feed.goes_to(&DestinationName::new(name)));
    assert_eq!((goes(a), goes(b)), ([true, false], [true, true]));
    assert!(matches!(a.schedule.when.timing, Timing::At(_)));
    assert_eq!(a.schedule.deadline, config.schedule.deadline);
    assert_eq!(b.schedule, config.schedule);
    let printed = toml::to_string(&effective(&config)).unwrap();
    assert_eq!(good(&printed).feeds, config.feeds);
    let wrong = faults(&text.replace("[\"one\"]", "[\"three\"]"));
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(
        wrong[0].contains("names \"three\", and there is no [destinations.three]"),
        "{wrong:?}"
    );
    assert!(wrong[0].contains("none for all: one, two"), "{wrong:?}");
    let none = faults(&text.replace("[\"one\"]", "[]"));
    assert!(none[0].contains("names no destination"), "{none:?}");
}

#[test]
fn the_daemon_answers_where_the_configuration_says_and_on_loopback_alone() {
    let serve = |lines: &str| good(&format!("[serve]\n{lines}\n")).serve;
    assert_eq!(good("").serve, ServeSettings::default());
    assert_eq!(serve("socket = \"\"").socket, SocketPlace::Nowhere);
    assert_eq!(serve("socket = \"a.sock\"").socket, SocketPlace::At("/etc/trickle/a.sock".into()));
    let command = serve("on_failure = [\"a\", \"b c\"]").on_failure;
    assert_eq!(command, Some(vec!["a".to_owned(), "b c".to_owned()]));
    let told = good("[serve]\non_failure = [\"a\"]\non_failure_url_env = \"HOOK\"\n");
    let printed = toml::to_string(&effective(&told)).unwrap();
    assert_eq!(good(&printed).serve, told.serve);
    for (wrong, words) in [
        ("on_failure = []", "names no program"),
        ("on_failure = \"a b\"", "write a list of texts"),
        ("on_failure_url = \"ftp://a\"", "another scheme than http and https"),
        (
            "on_failure_url_env = \"https://a/secret\"",
            "looks like an address itself, not like the name of a variable",
        ),
        ("on_failure_url = \"https://a\"\non_failure_url_env = \"HOOK\"", "stands beside"),
    ] {
        let found = faults(&format!("[serve]\n{wrong}\n"));
        assert!(found[0].contains(words) && !found[0].contains("/secret"), "{found:?}");
    }
    let found = faults("[serve]\ngroup = \"analysts\"\n");
    assert!(found[0].contains("serve.group: has no meaning without a socket"), "{found:?}");
    let config =
        good("[serve]\nsocket = \"a.sock\"\ngroup = \"analysts\"\nmetrics = \"[::1]:9184\"\n");
    assert_eq!(config.serve.metrics, Some("[::1]:9184".parse().unwrap()));
    let printed = toml::to_string(&effective(&config)).unwrap();
    assert_eq!(good(&printed).serve, config.serve);
    for wrong in ["0.0.0.0:9184", "127.0.0.1", "localhost:9184"] {
        let found = faults(&format!("[serve]\nmetrics = \"{wrong}\"\n"));
        assert!(found[0].contains("is no loopback address with a port"), "{found:?}");
    }
}

//! Feeds that get another name, or are forgotten, and what was said of them.
#![cfg(unix)]

use std::{fs, thread, time::Duration};

use misp_trickle_testing::program::{ATTRIBUTES, DAY_2, Place, Sandbox};

use crate::daemon::{Daemon, add, log, place, until};

/// A place whose feed is named, and its name changed behind the back of the store.
fn named(place: &Place) {
    place.configure("[source]", "[feeds.old.source]");
}

fn rename(place: &Place) {
    place.configure("[feeds.old.source]", "[feeds.new]\nwas = \"old\"\n[feeds.new.source]");
}

#[test]
fn a_saved_plan_and_every_verb_that_has_the_store_keep_what_a_feed_delivered() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    named(&place);
    place.run(&["sync"]).code(0);
    place.write("day.json", DAY_2);
    place.run(&["plan", "-o", "plan.json"]).code(0);
    rename(&place);
    let told = ["feed new is still old in the store", "`misp-trickle doctor`"];
    place.run(&["plan"]).code(1).says(&told);
    place.run(&["plan", "-o", "no.json"]).code(1).says(&told);
    let plan = fs::read_to_string(place.path("plan.json")).unwrap();
    place.write("plan.json", &plan.replace("\"old\"", "\"new\""));
    place.run(&["apply", "plan.json"]).code(0);
    assert!(sandbox.attributes() > ATTRIBUTES);
    let sent = sandbox.attributes();
    place.run(&["sync"]).code(0);
    assert_eq!(sandbox.attributes(), sent);
    let export = place.run(&["export", "-"]).code(0).data;
    let feeds = export.lines().find(|line| line.contains("\"feeds\"")).unwrap();
    assert!(feeds.contains("\"new\"") && !feeds.contains("\"old\""), "{feeds}");
}

#[test]
fn doctor_gives_a_feed_its_name_and_sends_nothing() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    named(&place);
    place.run(&["sync"]).code(0);
    rename(&place);
    place.run(&["doctor"]).code(0).says(&["nothing to send"]);
    place.run(&["plan"]).code(0);
}

#[test]
fn two_feeds_of_one_name_are_an_error_with_a_cure() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    named(&place);
    place.run(&["sync"]).code(0);
    place.configure("feeds.old", "feeds.new");
    place.run(&["sync"]).code(0);
    place.configure("[feeds.new.source]", "[feeds.new]\nwas = \"old\"\n[feeds.new.source]");
    let told = ["both feed old and feed new delivered to main", "`misp-trickle feed forget old`"];
    for verb in [&["sync"][..], &["plan"], &["run"]] {
        place.run(verb).code(1).says(&told);
    }
    place.run(&["feed", "forget", "old"]).code(0);
    place.run(&["sync"]).code(0);
}

#[test]
fn a_new_name_that_the_store_does_not_have_yet_is_refused_by_a_daemon_that_runs() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    named(&place);
    place.run(&["sync"]).code(0);
    place.configure("feeds.old", "feeds.other");
    let daemon = Daemon::start(&place);
    let text = fs::read_to_string(place.path("misp-trickle.toml")).unwrap();
    let more = "\n[feeds.new]\nwas = \"old\"\n[feeds.new.source]\npath = \"day.json\"\n";
    place.write("misp-trickle.toml", &(text + more));
    daemon.signal("-HUP");
    until("it is told", || log(&place).contains("the name of a feed cannot change while"));
    daemon.end();
    let daemon = Daemon::start(&place);
    let status = place.json(&["status"]);
    assert_eq!(status["routes"][0]["feed"], "new", "{status}");
    daemon.end();
    place.run(&["feed", "forget", "old"]).code(1).says(&["does not know a feed old"]);
}

#[test]
fn what_was_said_of_a_route_stays_with_its_feed() {
    let (one, two) = (Sandbox::start(), Sandbox::start());
    let place = place(&one);
    add(&place, "two", &two.url());
    named(&place);
    place.run(&["sync"]).code(0);
    place.run(&["pause", "--destination", "main"]).code(0);
    rename(&place);
    place.configure("first_run = \"run\"", "first_run = \"hold\"");
    place.write("day.json", DAY_2);
    let daemon = Daemon::start(&place);
    let status = place.json(&["status"]);
    let [main, other] = &status["routes"].as_array().unwrap()[..] else { panic!("{status}") };
    assert_eq!((&main["feed"], &main["held"]), (&"new".into(), &"paused".into()), "{status}");
    assert_eq!((&other["feed"], other["held"].is_null()), (&"new".into(), true), "{status}");
    until("an established feed goes on", || two.attributes() > ATTRIBUTES);
    assert_eq!(one.attributes(), ATTRIBUTES);
    daemon.end();
    assert!(!fs::read_to_string(place.path("state/paused.json")).unwrap().contains("old"));
}

#[test]
fn what_was_forgotten_has_its_first_run_before_it_and_succeeded_in_nothing() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    named(&place);
    place.run(&["sync"]).code(0);
    place.run(&["resume"]).code(0);
    place.configure("feeds.old", "feeds.other");
    place.run(&["feed", "forget", "old"]).code(0);
    place.configure("feeds.other", "feeds.old");
    place.configure("first_run = \"run\"", "first_run = \"hold\"");
    place.write("day.json", DAY_2);
    let requests = sandbox.requests();
    let status = place.run(&["status", "--json", "--max-age", "1h"]).code(9).json();
    assert_eq!(status["routes"][0]["held"], "first_run", "{status}");
    let path = place.path("misp-trickle.toml").display().to_string();
    let told = format!("`misp-trickle --config {path} resume --feed old --destination main`");
    place.run(&["status", "--config", &path]).says(&[&told]);
    assert!(status["routes"][0]["last_success"].is_null(), "{status}");
    let daemon = Daemon::start(&place);
    thread::sleep(Duration::from_millis(1_500));
    assert_eq!(sandbox.requests(), requests);
    place.run(&["resume"]).code(0);
    until("it runs", || sandbox.attributes() > ATTRIBUTES);
    daemon.end();
}

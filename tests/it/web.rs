//! The history as pages, as its users and their browsers meet them.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeSet, VecDeque},
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    process::{Child, Stdio},
};

use misp_trickle_testing::{
    program::{Place, Sandbox},
    schema::check_line,
};
use serde_json::Value;

use crate::daemon::Daemon;

/// What was answered: status, head, body.
type Answer = (u16, String, String);

fn read(mut stream: impl Read + Write, path: &str, headers: &str) -> Answer {
    write!(stream, "GET {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_owned(), body.to_owned())
}

/// A browser that came in by a link.
pub(crate) struct Browser {
    address: String,
    cookie: String,
}

impl Browser {
    pub(crate) fn by(answer: &Value) -> Self {
        let address = answer["address"].as_str().unwrap().to_owned();
        let link = answer["link"].as_str().unwrap();
        let path = link.strip_prefix(&format!("http://{address}")).unwrap();
        let new = Self { address, cookie: String::new() };
        let (status, head, _) = new.get(path);
        assert_eq!(status, 303, "{head}");
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());
        Self { cookie, ..new }
    }

    fn get(&self, path: &str) -> Answer {
        let headers = format!("Host: {}\r\n{}", self.address, self.cookie);
        read(TcpStream::connect(&self.address).unwrap(), path, &headers)
    }

    pub(crate) fn page(&self, path: &str) -> String {
        let (status, _, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }
}

/// `web` where nobody else has the store.
pub(crate) struct Web {
    child: Child,
    answer: Value,
}

impl Web {
    pub(crate) fn open(place: &Place, arguments: &[&str]) -> Self {
        let mut command = place.command(&[&["web", "--json"], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        check_line(&line);
        Self { child, answer: serde_json::from_str(&line).unwrap() }
    }

    pub(crate) fn address(&self) -> &str {
        self.answer["address"].as_str().unwrap()
    }

    /// What lets in once.
    pub(crate) fn link(&self) -> &str {
        self.answer["link"].as_str().unwrap()
    }

    /// It, and a browser that used the link.
    fn start(place: &Place, arguments: &[&str]) -> (Self, Browser) {
        let web = Self::open(place, arguments);
        let browser = Browser::by(&web.answer);
        (web, browser)
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The addresses of this site that a page leads to.
fn links(page: &str) -> Vec<String> {
    let after = page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    after.filter(|link| link.starts_with('/')).map(|link| link.replace("&amp;", "&")).collect()
}

#[test]
fn every_link_leads_somewhere_and_every_page_has_its_twin() {
    let place = Sandbox::start().after_two_days();
    let (_web, browser) = Web::start(&place, &[]);
    let (mut open, mut seen) = (VecDeque::from(["/".to_owned()]), BTreeSet::new());
    let mut schemas = BTreeSet::new();
    while let Some(path) = open.pop_front() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let page = browser.page(&path);
        if path.split('?').next().unwrap().ends_with(".json") {
            check_line(&page);
            let answer: Value = serde_json::from_str(&page).unwrap();
            schemas.insert(answer["schema"].as_str().unwrap().to_owned());
        } else if path != "/style.css" {
            assert!(page.contains("<h1>") && page.contains("<main id=\"main\">"), "{path}");
            assert!(!page.contains("<script") && !page.contains(" style="), "{path}");
            assert!(links(&page).iter().any(|link| link.contains(".json")), "{path}");
        }
        open.extend(links(&page));
    }
    let kinds =
        ["/runs/1", "/runs/2", "/events", "/faults", "/diff?to=2", "/style.css", "/status.json"];
    for kind in kinds {
        assert!(seen.contains(kind), "{kind} is not in {seen:?}");
    }
    assert!(seen.iter().any(|path| path.starts_with("/events/")));
    assert!(seen.iter().any(|path| path.starts_with("/value?q=")));
    let wanted = ["status", "log", "show", "why", "diff", "events"];
    let named: BTreeSet<&str> =
        schemas.iter().map(|name| name.split('/').nth(1).unwrap()).collect();
    assert_eq!(named, BTreeSet::from(wanted));
}

#[test]
fn pages_say_what_verbs_say() {
    let place = Sandbox::start().after_two_days();
    let (_web, browser) = Web::start(&place, &[]);
    let json = |path: &str| -> Value { serde_json::from_str(&browser.page(path)).unwrap() };
    for (path, verb) in [
        ("/runs.json", &["log"][..]),
        ("/runs/1.json", &["show", "1"]),
        ("/runs/@.json", &["show"]),
        ("/diff.json?from=0&to=2", &["diff", "0", "2"]),
        ("/value.json?q=203.0.113.41", &["why", "203.0.113.41"]),
    ] {
        assert_eq!(json(path), place.json(verb), "{path}");
    }
    let status = json("/status.json");
    assert_eq!(status["destinations"], place.json(&["status"])["destinations"]);
    for (path, shows) in [
        ("/", "53 attributes in 4 events"),
        ("/runs?did=something", "Run 1"),
        ("/runs?outcome=failed", "There is no such run."),
        ("/runs?before=2", "Run 1"),
        ("/events?tlp=red", "An insider"),
        ("/events?standing=absent", "An insider"),
        ("/value?q=203.0.113.41", "What happened to it"),
        ("/value?q=nothing.example", "Nothing is known of it"),
        ("/value", "Write a value"),
    ] {
        assert!(browser.page(path).contains(shows), "{path}: {shows}");
    }
    assert!(!browser.page("/events?tlp=green").contains("An insider"));
    for (path, status) in [
        ("/nothing", 404),
        ("/runs/99", 404),
        ("/events/nothing", 404),
        ("/events/13cb1207-0674-4a54-a999-df5ff8e35c1a", 404),
        ("/events?destination=nowhere", 404),
        ("/runs?before=x", 400),
        ("/runs?outcome=x", 400),
        ("/events?tlp=purple", 400),
        ("/diff?from=2&to=1", 400),
        ("/runs/..%2f..%2fetc", 400),
    ] {
        assert_eq!(browser.get(path).0, status, "{path}");
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (twin, _, body) = browser.get(&format!("{path}.json?{query}"));
        assert_eq!(twin, status, "{path}");
        check_line(&body);
    }
}

#[test]
fn pages_for_others_name_nothing_that_is_marked_stricter() {
    let place = Sandbox::start().after_two_days();
    let event = |title: &str| {
        let why = place.json(&["why", title]);
        let answers = why["destinations"][0]["answers"].as_array().unwrap().clone();
        let found = answers.iter().find_map(|answer| answer["event"]["uuid"].as_str());
        found.unwrap().to_owned()
    };
    let hospital = event("Ransomware in a hospital");
    let (_web, browser) = Web::start(&place, &["--max-tlp", "green"]);
    let (mut open, mut seen) = (VecDeque::from(["/".to_owned()]), BTreeSet::new());
    while let Some(path) = open.pop_front() {
        if seen.insert(path.clone()) {
            let page = browser.page(&path);
            for secret in ["hospital", "An insider", &hospital] {
                assert!(!page.contains(secret), "{secret} is on {path}");
            }
            open.extend(links(&page));
        }
    }
    assert!(seen.len() > 20, "{seen:?}");
    assert_eq!(browser.get(&format!("/events/{hospital}")).0, 404);
    assert!(browser.page("/events").contains("2 not shown, as they are marked stricter"));
}

#[test]
fn a_configuration_that_cannot_be_read_lifts_no_limit() {
    let place = Sandbox::start().after_two_days();
    place.configure("[serve]", "[serve]\nmax_tlp = \"gren\"");
    let store = place.path("state");
    place.run(&["web", "--store", store.to_str().unwrap()]).code(1).says(&["max_tlp", "gren"]);
}

#[test]
fn a_daemon_shows_its_pages_on_its_socket_and_its_port() {
    let sandbox = Sandbox::start();
    let place = crate::daemon::place(&sandbox);
    place.configure("every = \"1s\"", "every = \"none\"");
    place.run(&["sync"]).code(0);
    let daemon = Daemon::start(&place);
    place.run(&["web"]).code(11).says(&["write web = "]);
    let socket = daemon.socket();
    let (status, head, body) = read(UnixStream::connect(&socket).unwrap(), "/", "Host: x\r\n");
    assert_eq!(status, 200, "{head}");
    assert!(body.contains("when somebody runs it"), "{body}");
    assert!(head.contains("content-security-policy: default-src 'none'"), "{head}");
    assert_eq!(read(UnixStream::connect(&socket).unwrap(), "/healthz", "Host: x\r\n").2, "ok\n");
    daemon.end();
    place.configure("[serve]", "[serve]\nweb = \"127.0.0.1:0\"\nmax_tlp = \"green\"");
    let _daemon = Daemon::start(&place);
    let browser = Browser::by(&place.json(&["web"]));
    let page = browser.page("/events");
    assert!(page.contains("Phishing against customers of a bank") && !page.contains("hospital"));
    place.run(&["web", "--max-tlp", "red"]).code(11).says(&["max_tlp"]);
    // What is delivered meanwhile is there.
    place.run(&["sync"]).code(0);
    assert!(browser.page("/runs").contains("Run 1"));
    // A link of before does not let in twice.
    let again = Browser::by(&place.json(&["web"]));
    assert_eq!(again.get("/").0, 200);
}

//! Answers of MISP, or of something before it, that are no plain yes: what the user sees, what is sent, and the
//! exit code, by the program as its users run it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use asking::ask;
use front::{Act, Front, Message, answer};
use misp_trickle_testing::{asking, front, program};
use program::{ATTRIBUTES, Place, Sandbox};
use serde_json::Value;

const DAY_2: &str = include_str!("../../src/cli/verbs/demo/day2.json");
/// A value of the dataset.
const VALUE: &str = "203.0.113.41";

fn place(url: &str, sandbox: &Sandbox) -> Place {
    let place = Place::new(url, &sandbox.key("sync"), "verify_tls = true");
    place.configure("compression = \"auto\"", "compression = \"off\"");
    std::fs::write(place.path("next.json"), DAY_2).unwrap();
    place
}

fn writes(request: &Message) -> bool {
    ["/events/add", "/events/edit", "/attributes/add"]
        .iter()
        .any(|it| request.target().contains(it))
}

/// The answer to the first requests that write; MISP does not see them.
fn first(sandbox: &Sandbox, requests: usize, bytes: Vec<u8>) -> Front {
    front(sandbox, requests, move || Act::Say(bytes.clone()))
}

/// What happens to the first requests that write.
fn front(
    sandbox: &Sandbox,
    requests: usize,
    act: impl Fn() -> Act + Send + Sync + 'static,
) -> Front {
    let left = std::sync::atomic::AtomicUsize::new(requests);
    Front::before(sandbox.address, move |request, _| {
        let take = |left: usize| left.checked_sub(1);
        let order = std::sync::atomic::Ordering::SeqCst;
        let is_first = writes(request) && left.fetch_update(order, order, take).is_ok();
        if is_first { act() } else { Act::Pass }
    })
}

/// Whether each of the first requests that wrote was followed by a question about its event before anything
/// was sent to that event again.
fn was_looked_after(front: &Front, sandbox: &Sandbox, requests: usize) -> bool {
    let events: Vec<String> =
        sandbox.misp.lock().unwrap().events().iter().map(|event| event.uuid.to_string()).collect();
    let seen = front.seen();
    let is_about = |request: &Message, event: &str| {
        let in_body = memchr::memmem::find(&request.body, event.as_bytes()).is_some();
        in_body || request.target().contains(event)
    };
    let mut lost = seen.iter().enumerate().filter(|(_, request)| writes(request)).take(requests);
    lost.all(|(place, request)| {
        let event = events.iter().find(|event| is_about(request, event)).unwrap();
        let next = seen[place + 1..].iter().find(|later| is_about(later, event));
        next.is_some_and(|next| !writes(next))
    })
}

#[test]
fn a_busy_misp_gets_the_rest_that_it_asks_for() {
    for headers in ["Retry-After: 3\r\n", "X-Rate-Limit-Reset: 3\r\n"] {
        for status in ["429 Too Many Requests", "503 Service Unavailable"] {
            let sandbox = Sandbox::start();
            let front = first(&sandbox, 1, answer(status, headers, b""));
            let start = Instant::now();
            place(&front.url(), &sandbox).run(&["sync"]).code(0);
            assert!(start.elapsed() >= Duration::from_secs(3), "{headers} {status}");
            assert_eq!(sandbox.attributes(), ATTRIBUTES);
        }
    }
}

/// Nobody has to wonder why nothing happens, whatever is being done, and a deadline ends it.
#[test]
fn a_long_rest_is_told_and_ends_at_the_deadline() {
    let short = answer("429 Too Many Requests", "Retry-After: 6\r\n", b"");
    // Of the first question, and of a write.
    for number in [1, 5] {
        let (sandbox, short) = (Sandbox::start(), short.clone());
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let front = Front::before(sandbox.address, move |_, _| {
            match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1 == number {
                true => Act::Say(short.clone()),
                false => Act::Pass,
            }
        });
        let told = place(&front.url(), &sandbox).run(&["sync"]).code(0);
        told.says(&["MISP is given 6 s of rest: HTTP 429"]);
    }
    let sandbox = Sandbox::start();
    let long = answer("429 Too Many Requests", "Retry-After: 600\r\n", b"");
    let front = Front::before(sandbox.address, move |request, _| {
        match request.head.contains("restSearch") {
            true => Act::Say(long.clone()),
            false => Act::Pass,
        }
    });
    let place = place(&sandbox.url(), &sandbox);
    place.run(&["sync"]).code(0);
    place.configure(&sandbox.url(), &front.url());
    place.configure("deadline = \"never\"", "deadline = \"4s\"");
    let start = Instant::now();
    let told = place.run(&["verify"]).code(3);
    told.says(&["MISP is given 600 s of rest: HTTP 429", "the deadline passed"]);
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_rest_of_hours_ends_the_run() {
    let sandbox = Sandbox::start();
    let busy = answer("503 Service Unavailable", "Retry-After: 7200\r\n", b"");
    let front = first(&sandbox, 100, busy);
    let place = place(&front.url(), &sandbox);
    let seen = place.run(&["sync"]).code(5);
    seen.says(&["MISP cannot be reached any more: HTTP 503", "left alone for 7200 seconds"]);
    assert_eq!(sandbox.attributes(), 0);
    place.configure(&front.url(), &sandbox.url());
    place.run(&["sync"]).code(0);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
}

#[test]
fn what_is_too_large_for_the_way_goes_in_pieces() {
    let sandbox = Sandbox::start();
    let front = Front::before(sandbox.address, |request, _| match request.body.len() > 1_500 {
        true => Act::Say(answer("413 Payload Too Large", "", b"<html>too large</html>")),
        false => Act::Pass,
    });
    place(&front.url(), &sandbox).run(&["sync"]).code(0);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
}

#[test]
fn a_single_attribute_that_is_too_large_waits_and_is_named() {
    let sandbox = Sandbox::start();
    let front = Front::before(sandbox.address, |request, _| {
        let holds = memchr::memmem::find(&request.body, VALUE.as_bytes()).is_some();
        let refuses = writes(request) && holds;
        if refuses { Act::Say(answer("413 Payload Too Large", "", b"")) } else { Act::Pass }
    });
    let place = place(&front.url(), &sandbox);
    place.run(&["sync"]).code(3).says(&["is pending", "413"]);
    place.run(&["show"]).code(0).says(&[VALUE]);
    assert_eq!(sandbox.attributes(), ATTRIBUTES - 1);
}

#[test]
fn an_attribute_that_misp_chokes_on_is_found_and_named_and_the_rest_goes() {
    let sandbox = Sandbox::start();
    let front = Front::before(sandbox.address, |request, _| {
        let holds = memchr::memmem::find(&request.body, VALUE.as_bytes()).is_some();
        let body = b"{\"name\": \"An Internal Error Has Occurred.\", \"message\": \"An Internal Error Has Occurred.\"}";
        let chokes = writes(request) && holds;
        if chokes { Act::Say(answer("500 Internal Server Error", "", body)) } else { Act::Pass }
    });
    let place = place(&front.url(), &sandbox);
    place.run(&["sync"]).code(3).says(&["is pending", VALUE, "An Internal Error Has Occurred"]);
    assert_eq!(sandbox.attributes(), ATTRIBUTES - 1);
    // It is tried again by the next run, and goes once MISP takes it.
    place.configure(&front.url(), &sandbox.url());
    place.run(&["sync"]).code(0);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
}

#[test]
fn a_gateway_that_loses_an_answer_is_asked_what_became_of_the_request() {
    for status in ["500 Oops", "502 Bad Gateway", "503 Unavailable", "504 Gateway Timeout"] {
        for took_effect in [false, true] {
            let sandbox = Sandbox::start();
            let lost = answer(status, "", b"<html>gateway</html>");
            let front = front(&sandbox, 2, move || match took_effect {
                true => Act::PassAndSay(lost.clone()),
                false => Act::Say(lost.clone()),
            });
            place(&front.url(), &sandbox).run(&["sync"]).code(0);
            assert_eq!(sandbox.attributes(), ATTRIBUTES, "{status} {took_effect}");
            assert!(was_looked_after(&front, &sandbox, 2), "{status} {took_effect}");
        }
    }
}

#[test]
fn a_refused_encoding_is_found_out_and_the_plain_form_is_used_and_remembered() {
    let packed = |request: &Message| request.header("content-encoding").is_some();
    let page = b"<html><h1>No</h1></html>";
    for status in ["400 Bad Request", "403 No", "406 No", "415 No", "500 Oops", "501 No"] {
        let sandbox = Sandbox::start();
        let front = Front::before(sandbox.address, move |request, _| match packed(request) {
            true => Act::Say(answer(status, "Content-Type: text/html\r\n", page)),
            false => Act::Pass,
        });
        let place = place(&front.url(), &sandbox);
        place.configure("compression = \"off\"", "compression = \"auto\"");
        place.run(&["sync"]).code(0);
        assert_eq!(sandbox.attributes(), ATTRIBUTES, "{status}");
        let tried = front.seen().iter().filter(|request| packed(request)).count();
        // Those that are under way at once, and a harmless one each.
        assert!((1..=6).contains(&tried), "{status}: {tried}");
        place.run(&["sync", "--source", "next.json"]).code(0);
        let now = front.seen().iter().filter(|request| packed(request)).count();
        assert_eq!(now, tried, "{status}: it is remembered");
        place.run(&["doctor"]).says(&["a compressed body is refused"]);
    }
}

#[test]
fn what_is_refused_for_another_reason_does_not_end_compression() {
    let sandbox = Sandbox::start();
    let first = std::sync::atomic::AtomicBool::new(true);
    let front = Front::before(sandbox.address, move |request, _| {
        let once = writes(request) && first.swap(false, std::sync::atomic::Ordering::SeqCst);
        if once { Act::Say(answer("403 No", "", b"<html>no</html>")) } else { Act::Pass }
    });
    let place = place(&front.url(), &sandbox);
    place.configure("compression = \"off\"", "compression = \"auto\"");
    place.run(&["sync"]).code(0);
    let seen = front.seen();
    let packed = |request: &&Message| request.header("content-encoding").is_some();
    assert!(seen.iter().filter(|it| writes(it)).filter(packed).count() >= 3);
    place.run(&["doctor"]).hides(&["a compressed body is refused"]);
}

#[test]
fn a_304_has_no_body_whatever_its_headers_say() {
    let sandbox = Sandbox::start();
    let front = Front::before(sandbox.address, |request, _| {
        // A tag that nothing has is answered in full.
        let asks = request.header("if-none-match").is_some_and(|tag| tag != "\"0\"");
        if asks { Act::PassWith("Content-Encoding: gzip\r\n") } else { Act::Pass }
    });
    let place = place(&front.url(), &sandbox);
    place.run(&["sync"]).code(0);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
}

#[test]
fn a_role_that_lost_the_right_to_add_ends_the_run() {
    let sandbox = Sandbox::start();
    let words = "You do not have permission to use this functionality.";
    let body = format!("{{\"name\": \"{words}\", \"message\": \"{words}\", \"url\": \"/\"}}");
    let front = first(&sandbox, 100, answer("403 Forbidden", "", body.as_bytes()));
    let place = place(&front.url(), &sandbox);
    place.run(&["sync"]).code(4).says(&["MISP refuses the key or its role", words]);
    // The three events go at once, and none of them again.
    assert!(front.seen().iter().filter(|request| writes(request)).count() <= 3, "it went on");
    place.configure(&front.url(), &sandbox.url());
    place.run(&["sync"]).code(0);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
}

#[test]
fn a_key_that_may_only_read_is_told_so() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox.url(), &sandbox);
    let key = sandbox.key("readonly");
    for _ in 0..2 {
        let seen = place.run_in(&[("MISP_API_KEY", &key)], &["sync"]).code(4);
        seen.says(&["MISP refuses the key or its role", "misp-trickle doctor"]).hides(&[&key]);
    }
    assert_eq!(sandbox.attributes(), 0);
    place.run(&["log"]).code(0).says(&["failed"]).hides(&["done"]);
}

/// Somebody shared the key as an attribute: the list holds it, and is sound.
#[test]
fn a_list_that_holds_the_key_is_read_all_the_same() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox.url(), &sandbox);
    place.run(&["sync"]).code(0);
    let event = sandbox.misp.lock().unwrap().events()[0].uuid;
    let key = sandbox.key("sync");
    let body = format!("{{\"type\": \"text\", \"value\": \"{key}\"}}");
    let path = format!("/attributes/add/{event}");
    asking::ask_with(&sandbox.misp, &sandbox.key("orgadmin"), &path, &body);
    place.run(&["repair", "--adopt"]).code(0).hides(&[&key]);
    place.run(&["sync"]).code(0);
}

#[test]
fn an_event_that_was_deleted_in_misp_stays_so() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox.url(), &sandbox);
    place.run(&["sync"]).code(0);
    let events = || sandbox.misp.lock().unwrap().events().len();
    let uuid = {
        let misp = sandbox.misp.lock().unwrap();
        let attributes = misp.events().iter().map(|event| event.uuid).collect::<Vec<_>>();
        let holds = |event: &&uuid::Uuid| {
            misp.attributes(**event).iter().any(|attribute| attribute.value == VALUE)
        };
        *attributes.iter().find(holds).unwrap()
    };
    ask(&sandbox.misp, &sandbox.key("orgadmin"), &format!("/events/delete/{uuid}"));
    assert_eq!(events(), 2);
    let seen = place.run(&["sync", "--source", "next.json"]).code(0);
    seen.says(&["declined"]);
    assert_eq!(events(), 2);
    place.run(&["why", VALUE]).code(0).says(&["declined"]);
}

#[test]
fn an_event_that_misp_lost_is_sent_again_and_the_user_is_told() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox.url(), &sandbox);
    place.configure("[\"clear\", \"green\", \"amber\"]", "[\"clear\", \"green\"]");
    place.run(&["sync"]).code(0);
    let (before, older) = (sandbox.attributes(), sandbox.misp.lock().unwrap().clone());
    assert!(before < ATTRIBUTES);
    place.configure("[\"clear\", \"green\"]", "[\"clear\", \"green\", \"amber\"]");
    place.run(&["sync"]).code(0);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
    *sandbox.misp.lock().unwrap() = older;
    place.run(&["verify"]).code(8);
    place.configure("verify_every = \"24h\"", "verify_every = \"1s\"");
    std::thread::sleep(Duration::from_millis(1_100));
    let seen = place.run(&["-v", "sync", "--source", "next.json"]).code(0);
    seen.says(&["is not in MISP any more; it is sent again in full"]);
    assert!(sandbox.attributes() >= ATTRIBUTES, "{}", sandbox.attributes());
    place.run(&["verify"]).code(0);
}

#[test]
fn a_misp_that_was_restored_from_a_backup_is_left_alone_until_somebody_decides() {
    let sandbox = Sandbox::start();
    let empty = sandbox.misp.lock().unwrap().clone();
    let place = place(&sandbox.url(), &sandbox);
    place.run(&["sync"]).code(0);
    *sandbox.misp.lock().unwrap() = empty;
    let seen = place.run(&["sync", "--source", "next.json"]).code(8);
    seen.says(&["another or a restored MISP", "repair --adopt", "repair --resend"]);
    assert_eq!(sandbox.attributes(), 0);
    let log = place.run(&["log", "--json"]).code(0);
    let log: Value = serde_json::from_str(&log.data).unwrap();
    assert_eq!(log["runs"][0]["outcome"], "failed");
    place.run(&["repair", "--resend", "--yes"]).code(0);
    place.run(&["sync"]).code(0);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
}

#[test]
fn a_misp_in_the_place_of_another_is_taken_once_the_store_learned_what_it_holds() {
    let (first, second) = (Sandbox::start(), Sandbox::start());
    let place = place(&first.url(), &first);
    place.run(&["sync"]).code(0);
    place.configure(&first.url(), &second.url());
    let key = [("MISP_API_KEY", &*second.key("sync"))];
    place.run_in(&key, &["sync", "--source", "next.json"]).code(8).says(&["repair --adopt"]);
    place.run_in(&key, &["repair", "--adopt"]).code(0).says(&["nothing was sent"]);
    assert_eq!(second.attributes(), 0);
    place.run_in(&key, &["sync"]).code(0);
    assert_eq!(second.attributes(), ATTRIBUTES);
}

#[test]
fn no_cache_may_answer_whether_rows_are_as_expected() {
    let sandbox = Sandbox::start();
    let front = Front::before(sandbox.address, |_, _| Act::Pass);
    place(&front.url(), &sandbox).run(&["sync"]).code(0);
    let seen = front.seen();
    let asks: Vec<_> = seen.iter().filter(|it| it.header("if-none-match").is_some()).collect();
    assert!(!asks.is_empty());
    for ask in asks {
        assert!(ask.head.starts_with("POST ") || ask.header("cache-control") == Some("no-cache"));
    }
}

//! What keeps a key from MISP, each in words of its own: a wrong path, a lost header, a key for reading only, PHP's
//! notices, old TLS, a proxy that is none. And headers that something before MISP wants.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    thread,
};

use misp_trickle_testing::{asking, front, program};

use front::{Act, Front, answer};
use program::{ATTRIBUTES, Place, Sandbox};

const PLAIN: &str = "verify_tls = true";
const JSON: &str = "Content-Type: application/json\r\n";

fn place(url: &str, sandbox: &Sandbox) -> Place {
    Place::new(url, &sandbox.key("sync"), PLAIN)
}

/// Both verbs say this, and nothing of a refused key.
#[track_caller]
fn explains(place: &Place, words: &[&str]) {
    for verb in ["doctor", "sync"] {
        place.run(&[verb]).code(5).says(words).hides(&["refuses the key", &place.key]);
    }
}

#[test]
fn a_wrong_path_is_no_refused_key() {
    let sandbox = Sandbox::start();
    for (path, words) in [
        ("/misp", "says \"Not Found\""),
        ("/misp/events", "says \"Not Found\""),
        // What MISP has there, it refuses to everybody but its administrator.
        ("/tags/add", "API description"),
        ("/events/index", "with JSON of another program"),
        ("/users", "to a question that everybody may ask"),
    ] {
        let place = place(&format!("{}{path}", sandbox.url()), &sandbox);
        explains(&place, &[words, "correct its path", path]);
    }
    let pages: [(&[u8], &str); 3] = [
        (b"<html><title>404 Not Found</title></html>", "the web page \"404 Not Found\""),
        (b"{\"detail\": \"Not Found\"}", "JSON of another program"),
        (b"", "with nothing"),
    ];
    for (page, words) in pages {
        let front =
            Front::before(sandbox.address, |_, _| Act::Say(answer("404 Not Found", "", page)));
        explains(&place(&front.url(), &sandbox), &[words, "correct its path"]);
    }
    assert_eq!(sandbox.attributes(), 0);
}

#[test]
fn a_first_answer_that_is_none_is_told_as_what_it_is() {
    let sandbox = Sandbox::start();
    let no = b"{\"name\": \"No.\", \"message\": \"No.\", \"url\": \"/\"}";
    for target in ["/servers/getVersion", "/users/view/me"] {
        for (status, body, words) in [
            ("400 Bad Request", &no[..], "no matter of the key"),
            ("405 Method Not Allowed", no, "no matter of the key"),
            ("200 OK", b"", "the answer is empty"),
            ("200 OK", "\u{feff}".as_bytes(), "the answer is empty"),
            ("200 OK", b"{\"Role\": {\"perm_add\": tr", "the answer ends in the middle"),
        ] {
            let front = Front::before(sandbox.address, move |request, _| {
                match request.target().starts_with(target) {
                    true => Act::Say(answer(status, JSON, body)),
                    false => Act::Pass,
                }
            });
            let place = place(&front.url(), &sandbox);
            place.run(&["doctor"]).code(5).says(&[words]).hides(&["refuses the key", &place.key]);
        }
    }
}

#[test]
fn a_key_that_is_refused_is_still_told_so() {
    let sandbox = Sandbox::start();
    for path in ["", "/"] {
        let place = place(&format!("{}{path}", sandbox.url()), &sandbox);
        let wrong = "w".repeat(40);
        for verb in ["doctor", "sync"] {
            let seen = place.run_in(&[("MISP_API_KEY", &wrong)], &[verb]).code(4);
            seen.says(&["MISP refuses the key", "check the key"]).hides(&[&wrong]);
        }
    }
}

#[test]
fn a_header_that_is_taken_away_is_told_from_a_wrong_key() {
    let sandbox = Sandbox::start();
    let front = Front::before(sandbox.address, |_, _| Act::PassWithout("authorization"));
    let place = place(&front.url(), &sandbox);
    explains(&place, &["takes the header Authorization away", "auth_header = \"X-MISP-AUTH\""]);
    let wrong = "w".repeat(40);
    let seen = place.run_in(&[("MISP_API_KEY", &wrong)], &["sync"]).code(4);
    seen.says(&["MISP refuses the key"]);
    place.configure(PLAIN, "auth_header = \"X-MISP-AUTH\"");
    place.run(&["doctor"]).code(0);
    place.run(&["-vv", "sync"]).code(0).hides(&[&place.key]);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
    let last = front.seen().pop().unwrap();
    assert_eq!(last.header("x-misp-auth"), Some(&*place.key));
    assert_eq!(last.header("authorization"), None);
}

#[test]
fn a_key_for_reading_only_is_told_by_the_run_too() {
    let sandbox = Sandbox::start();
    for path in ["/taxonomies/enable/1", "/taxonomies/addTag/1"] {
        asking::ask(&sandbox.misp, &sandbox.key("admin"), path);
    }
    let place = Place::new(&sandbox.url(), &sandbox.key("rokey"), PLAIN);
    place.run(&["doctor"]).code(4).says(&["fault    key", "may only read"]);
    place.run(&["sync"]).code(4).says(&["may only read", "without that mark"]);
    assert_eq!(sandbox.attributes(), 0);
}

#[test]
fn notices_of_php_before_an_answer_are_told() {
    let sandbox = Sandbox::start();
    let notice = "<br />\n<b>Deprecated</b>:  Creation of dynamic property in <b>/var/www/MISP/x.php</b> on line \
                  <b>7</b><br />\n{\"version\": \"2.5.1\"}";
    for status in ["200 OK", "403 Forbidden", "404 Not Found"] {
        let front = Front::before(sandbox.address, move |_, _| {
            Act::Say(answer(status, JSON, notice.as_bytes()))
        });
        let words = ["Deprecated: Creation of dynamic property", "display_errors = Off"];
        explains(&place(&front.url(), &sandbox), &words);
    }
}

/// A server that answers every greeting of TLS with these bytes.
fn greets_with(bytes: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let mut greeting = [0; 2048];
            if let Ok(1..) = client.read(&mut greeting) {
                client.write_all(bytes).ok();
            }
            // It waits for the other side to go, whose last words would otherwise reset the connection.
            while let Ok(1..) = client.read(&mut greeting) {}
        }
    });
    address
}

#[test]
fn a_server_that_speaks_only_old_tls_is_told() {
    let sandbox = Sandbox::start();
    // An alert, fatal, protocol_version; and a ServerHello of TLS 1.0 with a cipher of its time.
    const ALERT: &[u8] = &[21, 3, 1, 0, 2, 2, 70];
    const HELLO: &[u8] = &[
        22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
        17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 0, 0, 47, 0,
    ];
    for bytes in [ALERT, HELLO] {
        let url = format!("https://{}", greets_with(bytes));
        explains(&place(&url, &sandbox), &["TLS 1.2 is the oldest that is spoken"]);
    }
}

#[test]
fn a_proxy_of_the_environment_that_is_no_url_is_refused_and_nothing_goes_straight() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox.url(), &sandbox);
    let wrong = [
        "socks5://trickle:hunter2-hunter2@127.0.0.1:1",
        "trickle:hunter2-hunter2@:x",
        "http//proxy:3128 hunter2-hunter2",
        "hunter2-hunter2:port",
        "://hunter2-hunter2",
    ];
    for value in wrong {
        for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            let seen = place.run_in(&[(name, value)], &["-vv", "sync"]).code(1);
            seen.says(&[name, "is no URL of an HTTP proxy"]).hides(&["hunter2", &place.key]);
        }
    }
    assert_eq!(sandbox.misp.lock().unwrap().counters().total(), 0, "a request went straight");
    // What names no proxy for this scheme, or is empty, or where none is wanted, does no harm.
    place.run_in(&[("HTTPS_PROXY", wrong[0]), ("HTTP_PROXY", "")], &["doctor"]).code(0);
    place.configure(PLAIN, "proxy = \"none\"");
    place.run_in(&[("HTTP_PROXY", wrong[0])], &["sync"]).code(0);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
}

const SECRETS: [&str; 2] = ["hunter2-of-the-environment", "hunter2-of-the-file"];

/// The configuration with headers at its end, where a table may follow.
fn with_headers(place: &Place, lines: &str) {
    let file = place.path("misp-trickle.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}\n[destinations.main.headers]\n{lines}\n")).unwrap();
}

#[test]
fn headers_that_something_before_misp_wants_go_with_every_request_and_stay_secret() {
    let sandbox = Sandbox::start();
    let front = Front::before(sandbox.address, |request, _| {
        let wanted =
            [("x-client-id", "trickle 1"), ("x-client-secret", SECRETS[0]), ("x-pass", SECRETS[1])];
        match wanted.iter().all(|(name, value)| request.header(name) == Some(value)) {
            true => Act::Pass,
            // It repeats what it got, as some do.
            false => Act::Say(answer("403 No", "", request.head.as_bytes())),
        }
    });
    let place = place(&front.url(), &sandbox);
    place.run(&["doctor"]).code(5).says(&["something before MISP answered"]);
    with_headers(
        &place,
        "\"X-Client-Id\" = \"trickle 1\"\n\"X-Client-Secret\" = { env = \"CLIENT_SECRET\" }\n\
         \"x-pass\" = { file = \"pass\" }",
    );
    fs::write(place.path("pass"), format!("{}\n", SECRETS[1])).unwrap();
    let missing = place.run(&["sync"]).code(1);
    missing.says(&[
        "headers.x-client-secret",
        "the environment variable CLIENT_SECRET",
        "is not set",
    ]);
    let with = [("CLIENT_SECRET", SECRETS[0])];
    for arguments in [&["-vv", "doctor"][..], &["-vv", "sync"], &["config"], &["export", "-"]] {
        place.run_in(&with, arguments).code(0).hides(&SECRETS);
    }
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
    // A value that is not the right one stands in the refusal, and nowhere else.
    let other = "hunter2-that-is-wrong";
    let refused = place.run_in(&[("CLIENT_SECRET", other)], &["-vv", "doctor"]).code(5);
    refused.says(&["something before MISP answered"]).hides(&[other, SECRETS[1]]);
}

#[test]
fn headers_that_are_the_programs_own_or_hold_a_secret_are_refused() {
    let sandbox = Sandbox::start();
    for (line, words) in [
        ("accept = \"*/*\"", "headers.accept: is a header that the program sets itself"),
        ("\"User-Agent\" = \"x\"", "is a header that the program sets itself"),
        ("\"X-Misp-Auth\" = \"x\"", "is a header that the program sets itself"),
        ("Authorization = { env = \"X\" }", "is the header that the API key is in"),
        ("\"X-Api-Key\" = \"hunter2\"", "what looks like a secret"),
        ("Cookie = \"session=hunter2\"", "what looks like a secret"),
        ("\"X Y\" = \"x\"", "cannot be the name of a header"),
        ("X = \"a\\nb\"", "more than one line of plain characters"),
        ("X = 7", "is an integer"),
        ("X = {}", "write { env = \"NAME\" }"),
        ("X = { env = \"A\", file = \"b\" }", "stands beside env; keep one of the two"),
        ("X = { env = \"A\", else = \"b\" }", "is not a known key"),
        ("X = \"a\"\nx = \"b\"", "is there twice"),
    ] {
        let place = place(&sandbox.url(), &sandbox);
        with_headers(&place, line);
        place.run(&["config"]).code(1).says(&[words]).hides(&["hunter2"]);
    }
    // Where the key is elsewhere, a proxy may have what it wants.
    let place = place(&sandbox.url(), &sandbox);
    place.configure(PLAIN, "auth_header = \"X-MISP-AUTH\"");
    with_headers(&place, "Authorization = { env = \"BASIC\" }");
    place.run_in(&[("BASIC", "Basic aHVudGVyMg==")], &["sync"]).code(0).hides(&["aHVudGVyMg"]);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
}

//! What can stand between the program and MISP: proxies, redirects, login pages, answers that never end, and
//! answers that unpack to more than memory holds.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::Write,
    process::Command,
    time::{Duration, Instant},
};

use misp_trickle_testing::{certificates, front, http_proxy, program};

use certificates::{Authority, BOTH};
use front::{Act, Front, Message, answer};
use http_proxy::HttpProxy;
use program::{ATTRIBUTES, Place, Sandbox, Seen, seen};

/// `trickle:hunter2-hunter2` in base64.
const CREDENTIALS: &str = "dHJpY2tsZTpodW50ZXIyLWh1bnRlcjI=";
const PASSWORD: &str = "hunter2-hunter2";
const PLAIN: &str = "verify_tls = true";

fn place(url: &str, sandbox: &Sandbox) -> Place {
    Place::new(url, &sandbox.key("sync"), PLAIN)
}

/// A MISP behind TLS, and a configuration that trusts it.
fn with_tls(sandbox: &Sandbox) -> (Front, Place) {
    let authority = Authority::new("private");
    let tls = authority.server("localhost").serves(BOTH, None);
    let front = Front::with_tls(sandbox.address, tls);
    let lines = "ca_bundle = \"ca.pem\"";
    let place = Place::new(&front.https(), &sandbox.key("sync"), lines);
    fs::write(place.path("ca.pem"), &authority.pem).unwrap();
    (front, place)
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn with_password(proxy: &HttpProxy) -> String {
    format!("http://trickle:{PASSWORD}@{}", proxy.address)
}

#[test]
fn a_proxy_is_taken_from_the_configuration_or_the_environment() {
    let sandbox = Sandbox::start();
    let proxy = HttpProxy::start(None);
    let configured = place(&sandbox.url(), &sandbox);
    configured.configure(PLAIN, &format!("proxy = {:?}", proxy.url()));
    configured.run(&["sync"]).code(0);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
    let asked = proxy.asked();
    assert!(!asked.is_empty() && asked.iter().all(|line| line.contains(&sandbox.url())));

    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let before = proxy.asked().len();
        place(&sandbox.url(), &sandbox).run_in(&[(name, &proxy.url())], &["sync"]).code(0);
        assert!(proxy.asked().len() > before, "{name}");
    }
}

#[test]
fn a_tunnel_shows_the_proxy_nothing_but_the_host() {
    let sandbox = Sandbox::start();
    let (front, place) = with_tls(&sandbox);
    let proxy = HttpProxy::start(Some(CREDENTIALS));
    let environment = [("HTTPS_PROXY", with_password(&proxy))];
    let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
    place.run_in(&environment, &["-vv", "sync"]).code(0).hides(&[PASSWORD, CREDENTIALS]);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
    let line = format!("CONNECT localhost:{} HTTP/1.1", front.address.port());
    assert!(proxy.asked().iter().all(|asked| *asked == line), "{:?}", proxy.asked());
    assert!(!proxy.asked().is_empty() && !holds(&proxy.read(), &place.key));
    // The credentials are the proxy's, not MISP's.
    let heads: Vec<String> = front.seen().into_iter().map(|request| request.head).collect();
    assert!(!heads.concat().to_lowercase().contains("proxy-authorization"), "{heads:?}");
}

#[test]
fn a_plain_request_shows_its_credentials_to_the_proxy() {
    let sandbox = Sandbox::start();
    let proxy = HttpProxy::start(Some(CREDENTIALS));
    let environment = with_password(&proxy);
    let place = place(&sandbox.url(), &sandbox);
    let seen = place.run_in(&[("HTTP_PROXY", &environment)], &["-vv", "sync"]).code(0);
    seen.hides(&[PASSWORD, CREDENTIALS]);
    assert!(!proxy.asked().is_empty());
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
}

#[test]
fn a_proxy_that_wants_a_password_is_told_from_a_misp_that_does() {
    let sandbox = Sandbox::start();
    let proxy = HttpProxy::start(Some(CREDENTIALS));
    let wrong = format!("http://trickle:wrong-{PASSWORD}@{}", proxy.address);
    let none = proxy.url();
    let (front, tunnelled) = with_tls(&sandbox);
    let plain = place(&sandbox.url(), &sandbox);
    for url in [&wrong, &none] {
        for (name, place) in [("HTTPS_PROXY", &tunnelled), ("HTTP_PROXY", &plain)] {
            let before = proxy.asked().len();
            let seen = place.run_in(&[(name, url)], &["-vv", "sync"]).code(5);
            seen.says(&["the proxy asks for a user and password", "USER:PASSWORD"])
                .hides(&[PASSWORD, CREDENTIALS]);
            assert_eq!(proxy.asked().len(), before + 1, "what cannot help is not repeated");
        }
    }
    assert_eq!(front.connections(), 0);
}

#[test]
fn a_password_in_the_configuration_is_refused_and_not_repeated() {
    let sandbox = Sandbox::start();
    let proxy = HttpProxy::start(Some(CREDENTIALS));
    let place = place(&sandbox.url(), &sandbox);
    place.configure(PLAIN, &format!("proxy = {:?}", with_password(&proxy)));
    let seen = place.run(&["-vv", "sync"]).code(1).hides(&[PASSWORD, CREDENTIALS]);
    seen.says(&["proxy: holds a user or password", "HTTPS_PROXY"]);
}

#[test]
fn no_proxy_and_proxy_none_lead_straight() {
    let sandbox = Sandbox::start();
    let proxy = HttpProxy::start(None);
    let url = proxy.url();
    let way = ("HTTP_PROXY", &*url);
    for hosts in ["127.0.0.1", "example.org,127.0.0.0/8", "*"] {
        place(&sandbox.url(), &sandbox).run_in(&[way, ("NO_PROXY", hosts)], &["sync"]).code(0);
        let configured = place(&sandbox.url(), &sandbox);
        configured.configure(PLAIN, &format!("proxy = {url:?}"));
        configured.run_in(&[("NO_PROXY", hosts)], &["sync"]).code(0);
    }
    let direct = place(&sandbox.url(), &sandbox);
    direct.configure(PLAIN, "proxy = \"none\"");
    direct.run_in(&[way], &["sync"]).code(0);
    assert_eq!(proxy.asked(), [""; 0]);
    place(&sandbox.url(), &sandbox).run_in(&[way, ("NO_PROXY", "10.0.0.1")], &["sync"]).code(0);
    assert!(!proxy.asked().is_empty());
}

#[test]
fn a_proxy_that_is_not_there_is_named() {
    let sandbox = Sandbox::start();
    let nobody = "http://127.0.0.1:1";
    let url = format!("http://trickle:{PASSWORD}@127.0.0.1:1");
    let (_front, tunnelled) = with_tls(&sandbox);
    let seen = tunnelled.run_in(&[("HTTPS_PROXY", &url)], &["doctor"]).code(5);
    seen.says(&["the proxy cannot be reached", "HTTPS_PROXY"]).hides(&[PASSWORD]);
    let plain = place(&sandbox.url(), &sandbox);
    let seen = plain.run_in(&[("http_proxy", &url)], &["doctor"]).code(5);
    seen.says(&["no connection", "refused", "proxy of http_proxy"]).hides(&[PASSWORD]);
    plain.configure(PLAIN, &format!("proxy = {nobody:?}"));
    plain.run(&["doctor"]).code(5).says(&["no connection", "proxy of `proxy` (127.0.0.1:1)"]);
}

#[test]
fn somebody_who_is_not_there_is_named() {
    let sandbox = Sandbox::start();
    let place = place("http://127.0.0.1:1", &sandbox);
    let seen = place.run(&["doctor"]).code(5);
    seen.says(&["http://127.0.0.1:1/", "no connection", "refused", "check `url`"]);
    place.configure("http://127.0.0.1:1", "http://misp.invalid");
    place.run(&["doctor"]).code(5).says(&["misp.invalid", "no connection", "check `url`"]);
}

/// A server that answers everything, or all but questions about itself, in its own way.
fn instead(sandbox: &Sandbox, writes_only: bool, bytes: Vec<u8>) -> Front {
    Front::before(sandbox.address, move |request, _| {
        let asks =
            !request.target().contains("/events/") && !request.target().contains("/attributes/");
        if writes_only && asks { Act::Pass } else { Act::Say(bytes.clone()) }
    })
}

#[test]
fn a_redirect_is_not_followed_and_its_end_never_sees_the_key() {
    let sandbox = Sandbox::start();
    let elsewhere = Front::before(sandbox.address, |_, _| Act::Pass);
    let to = elsewhere.url();
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        for writes_only in [false, true] {
            let location = format!("Location: {to}/sso?state=abc\r\n");
            let front = instead(&sandbox, writes_only, answer(status, &location, b""));
            let place = place(&front.url(), &sandbox);
            // A MISP that says who it is can be reached.
            let seen = place.run(&["sync"]).code(if writes_only { 3 } else { 5 });
            seen.says(&["redirects to", &to, "into `url`"]).hides(&["state=abc", &place.key]);
            assert!(front.seen().len() < 12, "what cannot help is not repeated");
        }
    }
    assert_eq!(elsewhere.connections(), 0, "a redirect was followed");
    assert_eq!(sandbox.attributes(), 0);
}

#[test]
fn a_login_page_is_recognised() {
    let sandbox = Sandbox::start();
    let page = b"\n<!DOCTYPE html><html><title>Users - MISP</title><form>password</form></html>";
    let html = "Content-Type: text/html\r\n";
    let misp = answer("302 Found", "Location: /users/login\r\n", page);
    for (bytes, words) in [
        (misp, "MISP redirects to its login page"),
        (answer("200 OK", html, page), "a web page came back"),
        (answer("403 Forbidden", html, page), "something before MISP"),
        (answer("401 Unauthorized", html, page), "something before MISP"),
        (answer("511 Network Authentication Required", html, page), "MISP never answers so"),
        (
            answer(
                "400 Bad Request",
                html,
                b"<h1>The plain HTTP request was sent to HTTPS port</h1>",
            ),
            "write https into `url`",
        ),
    ] {
        for writes_only in [false, true] {
            let front = instead(&sandbox, writes_only, bytes.clone());
            let place = place(&front.url(), &sandbox);
            let code = if writes_only { 3 } else { 5 };
            place.run(&["sync"]).code(code).says(&[words]);
        }
    }
    assert_eq!(sandbox.attributes(), 0);
}

#[test]
fn a_server_that_repeats_the_key_does_not_bring_it_into_a_message() {
    let sandbox = Sandbox::start();
    let key = sandbox.key("sync");
    let json = "Content-Type: application/json\r\n";
    let body = format!("{{\"name\": \"no {key}\", \"message\": \"no {key}\", \"url\": \"/\"}}");
    let escaped: String = key.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let escaped = body.replace(&key, &escaped);
    let location = format!("Location: http://other.example/{key}\r\n");
    for bytes in [
        answer("403 Forbidden", json, escaped.as_bytes()),
        answer("500 Error", json, escaped.as_bytes()),
        answer("200 OK", json, escaped.as_bytes()),
        answer("403 Forbidden", json, body.as_bytes()),
        answer("500 Error", json, body.as_bytes()),
        answer("429 Slow", json, body.as_bytes()),
        answer("200 OK", json, body.as_bytes()),
        answer("302 Found", &location, b""),
        answer("200 OK", &format!("Content-Encoding: {key}\r\n"), b"{}"),
    ] {
        let front = instead(&sandbox, false, bytes);
        let seen = place(&front.url(), &sandbox).run(&["-vv", "doctor"]);
        assert!(matches!(seen.code, 4 | 5), "{}", seen.all());
        seen.hides(&[&key]);
    }
}

#[test]
fn an_answer_that_drips_is_cut_off_in_time() {
    let sandbox = Sandbox::start();
    let front = Front::before(sandbox.address, |_, _| {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n".to_vec();
        Act::Drone(head, b" ".to_vec(), Duration::from_millis(100))
    });
    let slow = place(&front.url(), &sandbox);
    slow.configure("timeout = \"20s\"", "timeout = \"1s\"");
    let start = Instant::now();
    slow.run(&["doctor"]).code(5).says(&["no whole answer within 1 s", "raise `timeout`"]);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());

    // Not even its headers are an answer.
    let front = Front::before(sandbox.address, |_, _| {
        Act::Drone(b"HTTP/1.1 200 OK\r\nx: ".to_vec(), b"x".to_vec(), Duration::from_millis(100))
    });
    slow.configure(&slow_url(&slow), &front.url());
    slow.run(&["doctor"]).code(5).says(&["no whole answer within 1 s"]);
}

fn slow_url(place: &Place) -> String {
    let text = fs::read_to_string(place.path("misp-trickle.toml")).unwrap();
    let line = text.lines().find(|line| line.starts_with("url = ")).unwrap();
    line.split('"').nth(1).unwrap().to_owned()
}

#[test]
fn a_write_whose_answer_drips_is_proven_and_not_sent_twice() {
    let sandbox = Sandbox::start();
    let front = Front::before(sandbox.address, |request, number| {
        let first = request.target().contains("/events/add") && number < 6;
        if first { Act::PassDripping(Duration::from_millis(50)) } else { Act::Pass }
    });
    let place = place(&front.url(), &sandbox);
    place.configure("timeout = \"20s\"", "timeout = \"1s\"");
    place.run(&["sync"]).code(0);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
    let created = front.seen().iter().filter(|it| it.target().contains("/events/add")).count();
    assert_eq!(created, 3, "each event is created once");
}

/// Runs `doctor` with so little memory that no answer of the size that is refused would fit twice.
#[cfg(target_os = "linux")]
fn with_little_memory(place: &Place) -> Seen {
    const KILOBYTES: u32 = 1_200_000;
    let mut command = Command::new("sh");
    let script = format!("ulimit -v {KILOBYTES}; exec \"$0\" doctor");
    seen(place.clean(&mut command).args(["-c", &script, env!("CARGO_BIN_EXE_misp-trickle")]))
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_without_end_is_cut_off_in_size() {
    let sandbox = Sandbox::start();
    for head in ["", "content-length: 999999999999\r\n"] {
        let head = format!("HTTP/1.1 200 OK\r\n{head}\r\n").into_bytes();
        let front = Front::before(sandbox.address, move |_, _| {
            Act::Drone(head.clone(), vec![b' '; 1 << 20], Duration::ZERO)
        });
        let seen = with_little_memory(&place(&front.url(), &sandbox)).code(5);
        seen.says(&["the answer is longer than 256 MiB"]);
    }
}

/// A gibibyte of spaces in a megabyte.
fn gzip_bomb() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b' '; 4 << 20]).unwrap();
    encoder.finish().unwrap().repeat(256)
}

/// More than is read, in some hundred bytes.
fn brotli_bomb() -> Vec<u8> {
    let params = brotli::enc::BrotliEncoderParams { quality: 2, lgwin: 24, ..Default::default() };
    let mut packed = Vec::new();
    let mut plain = std::io::Read::take(std::io::repeat(b' '), 300 << 20);
    brotli::BrotliCompress(&mut plain, &mut packed, &params).unwrap();
    packed
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_unpacks_without_end_is_refused() {
    let sandbox = Sandbox::start();
    for (name, bomb) in [("gzip", gzip_bomb()), ("br", brotli_bomb())] {
        assert!(bomb.len() < 2 << 20, "{name}: {}", bomb.len());
        let headers = format!("content-encoding: {name}\r\n");
        let front = instead(&sandbox, false, answer("200 OK", &headers, &bomb));
        let seen = with_little_memory(&place(&front.url(), &sandbox)).code(5);
        seen.says(&["it unpacks to more than 256 MiB"]);
    }
}

#[test]
fn an_answer_in_a_packing_that_was_not_asked_for_is_refused() {
    let sandbox = Sandbox::start();
    let whole = gzip_bomb();
    for (name, body, words) in [
        ("gzip, gzip", &b"x"[..], "was not asked for"),
        ("zstd", b"x", "was not asked for"),
        ("gzip", b"no gzip at all", "cannot be unpacked"),
        ("gzip", &whole[..2_000], "cannot be unpacked"),
        ("br", b"no brotli at all", "cannot be unpacked"),
    ] {
        let headers = format!("content-encoding: {name}\r\n");
        let front = instead(&sandbox, false, answer("200 OK", &headers, body));
        place(&front.url(), &sandbox).run(&["doctor"]).code(5).says(&[words]);
    }
}

#[test]
fn an_answer_that_breaks_off_is_no_answer() {
    let sandbox = Sandbox::start();
    let front = Front::before(sandbox.address, |request: &Message, number| {
        let body = br#"{"version": "2.5.1"}"#;
        let cut = answer("200 OK", "connection: close\r\n", body);
        // Cut off, and then nothing more until the client gives up.
        let cut = cut[..cut.len() - number.min(5)].to_vec();
        assert!(request.target().contains("servers/getVersion"));
        Act::Say(cut)
    });
    let place = place(&front.url(), &sandbox);
    place.configure("timeout = \"20s\"", "timeout = \"1s\"");
    place.run(&["doctor"]).code(5).says(&["no whole answer within 1 s"]);
}

//! What the port lets in and refuses, over real connections.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Instant,
};

use tokio::{net::TcpListener, runtime::Runtime};

use super::{Address, Door, Form, Pages, Reply, routes, serve_port};

/// Says what was asked for.
struct Echo;

impl Pages for Echo {
    fn page(&self, address: &Address) -> Reply {
        assert_ne!(address.path, "/broken");
        Reply { status: 200, form: Form::Html, body: format!("{address:?}") }
    }
}

struct Served {
    _threads: Runtime,
    at: SocketAddr,
    door: Arc<Door>,
}

fn served() -> Served {
    let threads = Runtime::new().unwrap();
    let door = Arc::new(Door::default());
    let listener = threads.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let at = listener.local_addr().unwrap();
    drop(threads.spawn(serve_port(listener, Arc::new(Echo), door.clone())));
    Served { _threads: threads, at, door }
}

impl Served {
    /// The status of an answer, its head in lower case, and its body.
    fn ask(&self, method: &str, path: &str, headers: &[&str]) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.at).unwrap();
        let host = format!("Host: {}", self.at);
        let has_host = headers.iter().any(|header| header.starts_with("Host:"));
        let own = if has_host { None } else { Some(&*host) };
        let mut lines = vec![format!("{method} {path} HTTP/1.1"), "Connection: close".to_owned()];
        lines.extend(own.into_iter().chain(headers.iter().copied()).map(str::to_owned));
        write!(stream, "{}\r\n\r\n", lines.join("\r\n")).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_ascii_lowercase(), body.to_owned())
    }

    fn cookie(&self) -> String {
        let link = format!("/?token={}", self.door.link(Instant::now()));
        let (status, head, _) = self.ask("GET", &link, &[]);
        assert_eq!(status, 303, "{head}");
        assert!(head.contains("\nlocation: /\r"), "{head}");
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        let (pair, rights) = cookie.split_once(';').unwrap();
        assert_eq!(rights, " httponly; samesite=strict; path=/");
        format!("Cookie: other=1; {pair}")
    }
}

#[test]
fn a_link_lets_one_browser_in_once() {
    let served = served();
    assert_eq!(served.ask("GET", "/", &[]).0, 401);
    let link = format!("/?token={}", served.door.link(Instant::now()));
    // Whoever only looks at a link leaves it as it is.
    assert_eq!(served.ask("HEAD", &link, &[]).0, 403);
    assert_eq!(served.ask("GET", &link, &["Sec-Fetch-Site: none"]).0, 303);
    assert_eq!(served.ask("GET", &link, &[]).0, 403);
    assert_eq!(served.ask("GET", "/?token=", &[]).0, 403);
    let cookie = served.cookie();
    let (status, _, body) = served.ask("GET", "/runs?feed=a%20b&x=%3C", &[&cookie]);
    assert_eq!(status, 200);
    assert_eq!(body, r#"Address { path: "/runs", query: [("feed", "a b"), ("x", "<")] }"#);
    assert_eq!(served.ask("HEAD", "/", &[&cookie]).0, 200);
    for wrong in ["Cookie: misp-trickle=", "Cookie: misp-trickle=0", "Cookie: x"] {
        assert_eq!(served.ask("GET", "/", &[wrong]).0, 401, "{wrong}");
    }
    let other = cookie.replace("misp-trickle=", "misp-trickle2=");
    assert_eq!(served.ask("GET", "/", &[&other]).0, 401);
}

#[test]
fn what_another_page_asks_for_is_refused() {
    let served = served();
    let cookie = served.cookie();
    for host in ["localhost", "LOCALHOST:9", "127.0.0.1", "[::1]:80"] {
        assert_eq!(served.ask("GET", "/", &[&cookie, &format!("Host: {host}")]).0, 200, "{host}");
    }
    for host in [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:1",
        "0.0.0.0",
        "192.0.2.1",
        "",
    ] {
        assert_eq!(served.ask("GET", "/", &[&cookie, &format!("Host: {host}")]).0, 403, "{host:?}");
    }
    for site in ["cross-site", "same-site", "", "none, cross-site"] {
        assert_eq!(
            served.ask("GET", "/", &[&cookie, &format!("Sec-Fetch-Site: {site}")]).0,
            403,
            "{site}"
        );
    }
    for site in ["same-origin", "none"] {
        assert_eq!(
            served.ask("GET", "/", &[&cookie, &format!("Sec-Fetch-Site: {site}")]).0,
            200,
            "{site}"
        );
    }
    let own = format!("Origin: http://{}", served.at);
    assert_eq!(served.ask("GET", "/", &[&cookie, &own]).0, 200);
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1", "https://localhost"] {
        assert_eq!(
            served.ask("GET", "/", &[&cookie, &format!("Origin: {origin}")]).0,
            403,
            "{origin}"
        );
    }
}

#[test]
fn pages_are_only_read() {
    let served = served();
    let cookie = served.cookie();
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
        for headers in [&[][..], &[&*cookie]] {
            let (status, head, _) = served.ask(method, "/", headers);
            assert_eq!(status, 405, "{method}");
            assert!(
                head.contains("\nallow: get, head\r") || head.ends_with("\nallow: get, head"),
                "{head}"
            );
        }
    }
}

#[test]
fn every_answer_says_how_it_is_to_be_treated() {
    let served = served();
    let cookie = served.cookie();
    let link = format!("/?token={}", served.door.link(Instant::now()));
    let asked = [
        served.ask("GET", "/", &[&cookie]),
        served.ask("GET", "/broken", &[&cookie]),
        served.ask("GET", &link, &[]),
        served.ask("GET", "/", &[]),
        served.ask("POST", "/", &[]),
        served.ask("GET", "/", &["Host: evil.example"]),
    ];
    assert_eq!(asked.each_ref().map(|(status, ..)| *status), [200, 500, 303, 401, 405, 403]);
    for (status, head, body) in asked {
        for said in [
            "content-security-policy: default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
            "cross-origin-opener-policy: same-origin",
            "cross-origin-resource-policy: same-origin",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
            "x-robots-tag: noindex",
        ] {
            assert!(head.lines().any(|line| line == said), "{status}: {said} is not in {head}");
        }
        assert!(!head.contains("access-control-"), "{head}");
        assert!(status == 200 || !body.contains("Address"), "{body}");
    }
}

#[tokio::test]
async fn a_socket_asks_for_no_cookie_and_is_only_read() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    drop(tokio::spawn(async move { axum::serve(listener, routes(Arc::new(Echo))).await }));
    let served = Served { _threads: Runtime::new().unwrap(), at, door: Arc::default() };
    let asked = tokio::task::spawn_blocking(move || {
        let asked = ["GET", "POST"].map(|method| served.ask(method, "/", &["Host: anything"]));
        served._threads.shutdown_background();
        asked
    });
    let [(read, head, _), (written, ..)] = asked.await.unwrap();
    assert_eq!((read, written), (200, 405));
    assert!(head.contains("content-security-policy: default-src 'none'"), "{head}");
}

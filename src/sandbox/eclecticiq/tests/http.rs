//! The stand-in over a real connection.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{net::TcpListener, runtime::Runtime};

use super::*;

/// What a platform sends on a connection of its own, until it ends it.
fn talk(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // A connection that is cut may end with an error.
    drop(stream.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
    )
}

fn with_body(method: &str, path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn serving() -> (Runtime, SocketAddr) {
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let platform = Arc::new(Mutex::new(World::replace().platform));
    runtime.spawn(serve(listener, platform));
    (runtime, address)
}

#[test]
fn a_dataset_is_put_and_taken_over_http() {
    let (_runtime, address) = serving();
    let put = talk(address, &with_body("PUT", "/dataset", &package(&[incident("Over the wire")])));
    assert!(put.starts_with("HTTP/1.1 200"), "{put}");
    let list = talk(address, &get(&format!("{FEED}/runs/latest")));
    assert!(list.contains("/runs/2/content-blocks/2"), "{list}");
    let block = talk(address, &get(&format!("{FEED}/runs/2/content-blocks/2")));
    assert!(
        block.contains("Over the wire") && block.contains("content-type: application/json"),
        "{block}"
    );
    let refused = talk(address, &get(FEED).replace(TOKEN, "x"));
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
}

#[test]
fn an_answer_is_cut_or_slow() {
    let (_runtime, address) = serving();
    let fault = |trouble: &Value| {
        let command = json!({"do": "fault", "trouble": trouble});
        assert!(
            talk(address, &with_body("POST", "/control", &command.to_string()))
                .starts_with("HTTP/1.1 200")
        );
    };
    let whole = talk(address, &get("/private/outgoing-feeds/12"));
    let body = whole.split("\r\n\r\n").nth(1).unwrap();
    fault(&json!({"cut": 10}));
    let cut = talk(address, &get("/private/outgoing-feeds/12"));
    assert!(cut.contains(&format!("content-length: {}", body.len())), "{cut}");
    assert_eq!(cut.split("\r\n\r\n").nth(1), Some(&body[..10]));
    let begun = Instant::now();
    fault(&json!({"slow": body.len() * 2}));
    let slow = talk(address, &get("/private/outgoing-feeds/12"));
    assert_eq!(slow.split("\r\n\r\n").nth(1), Some(body));
    assert!(begun.elapsed() >= Duration::from_millis(400), "{:?}", begun.elapsed());
}

//! A server that repeats the key, wherever an answer can hold it: nothing that is made of the answer does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use misp_trickle::{
    delivery::{Call, Wire},
    model::EventUuid,
    remote::{Encoding, Remote},
};
use misp_trickle_testing::{direct::direct_access, front::answer};
use uuid::Uuid;

const KEY: &str = "hunter2hunter2hunter2hunter2hunter2hunte";

/// Bodies that hold the key where errors of decoders quote them: a kind, a name, a number, a value, a page, a notice.
fn bodies() -> Vec<String> {
    let json = [
        r#""KEY""#,
        r#"{"version": {"KEY": 1}}"#,
        r#"{"version": "KEY", "request_encoding": "KEY"}"#,
        r#"{"version": "2.5.1", "request_encoding": ["KEY"]}"#,
        r#"{"KEY": 1, "version""#,
        r#"{"name": "no KEY", "message": "no KEY", "url": "/"}"#,
        r#"{"name": "no", "errors": {"KEY": ["KEY"]}}"#,
        r#"{"saved": false, "errors": {"value": ["KEY"], "KEY": "KEY"}}"#,
        r#"{"saved": true, "name": "Global tag KEY(1) successfully attached to KEY"}"#,
        r#"{"Role": "KEY", "Organisation": {"uuid": "KEY"}}"#,
        r#"{"Role": {"perm_KEY": true}, "Organisation": {"uuid": "KEY"}, "User": {"id": "KEY"}}"#,
        r#"{"Event": "KEY"}"#,
        r#"{"response": [{"Event": {"id": "KEY"}}, "KEY"]}"#,
        r#"[{"Tag": {"id": "1", "name": "KEY"}}, {"Tag": {"id": "KEY"}}]"#,
        r#"[{"AuthKey": {"authkey_start": "KEY", "authkey_end": "KEY", "expiration": "KEY"}}]"#,
    ];
    let escaped: String = KEY.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let plain = json.iter().map(|body| body.replace("KEY", KEY));
    let hidden = json.iter().map(|body| body.replace("KEY", &escaped));
    let others = [
        "<title>no KEY</title><h1>KEY</h1>",
        "<b>Warning</b>: KEY in /KEY on line 3",
        "it is KEY",
        "\"KEY\",0,KEY\n\n",
        "\"KEY\",0,KEY,\"KEY\",\"KEY\",\"KEY",
        "KEY\n",
    ];
    plain.chain(hidden).chain(others.iter().map(|body| body.replace("KEY", KEY))).collect()
}

/// Answers with the key in the status line, in each header that is read, and in bodies.
fn answers() -> Vec<Vec<u8>> {
    let json = "Content-Type: application/json\r\n";
    let mut all: Vec<Vec<u8>> = [
        "KEY 200 OK\r\n\r\n",
        "HTTP/1.1 KEY\r\n\r\n",
        "HTTP/1.1 200 OK\r\nKEY\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: KEY\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: KEY\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nKEY\r\n",
    ]
    .iter()
    .map(|bytes| bytes.replace("KEY", KEY).into_bytes())
    .collect();
    for status in [
        "200 OK",
        "302 Found",
        "400 KEY",
        "403 KEY",
        "404 Missing",
        "405 Not",
        "418 Odd",
        "429 Slow",
        "500 KEY",
        "503 Away",
    ] {
        let status = status.replace("KEY", KEY);
        all.extend(bodies().iter().map(|body| answer(&status, json, body.as_bytes())));
        for name in [
            "Content-Encoding",
            "Content-Type",
            "ETag",
            "Date",
            "Retry-After",
            "X-Result-Count",
            "Location",
        ] {
            for value in [KEY.to_owned(), format!("http://{KEY}.example/{KEY}?{KEY}")] {
                all.push(answer(&status, &format!("{name}: {value}\r\n"), b"{}"));
            }
        }
    }
    all
}

/// One of each question that has an answer of its own shape.
fn calls() -> Vec<Call> {
    let event = EventUuid::new(Uuid::from_u128(1));
    vec![
        Call::Version,
        Call::Whoami,
        Call::Probe,
        Call::FindTags(vec!["tlp:red".into()]),
        Call::KeysOf(1),
        Call::SharingGroups,
        Call::AnyRows(1),
        Call::CountOf(event),
        Call::Listing(event),
        Call::Metadata(event),
        Call::WhichEvents(vec![event]),
        Call::AppendQuietly { event, attributes: Vec::new() },
        Call::AppendLoudly { event, attributes: Vec::new() },
        Call::AttachTag { event, attribute: None, tag: "tlp:red".into() },
        Call::Publish(event),
    ]
}

/// Who answers each request with the bytes that are put down, and hangs up.
fn server() -> (Arc<Mutex<Vec<u8>>>, String) {
    let said = Arc::new(Mutex::new(Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let says = said.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            read_request(&mut stream);
            let answer = says.lock().unwrap().clone();
            drop(stream.write_all(&answer));
        }
    });
    (said, url)
}

/// Reads a request to its end: one that is left unread would break the connection.
fn read_request(stream: &mut TcpStream) {
    let (mut request, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.split("content-length: ").nth(1).and_then(|it| it.lines().next());
            if body.len() >= length.map_or(0, |it| it.trim().parse().unwrap()) {
                return;
            }
        }
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return,
            Ok(count) => request.extend_from_slice(&part[..count]),
        }
    }
}

#[test]
fn nothing_that_is_made_of_an_answer_holds_the_key() {
    let (said, url) = server();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let timeout = Duration::from_secs(20);
    let access = direct_access(&url, KEY, Encoding::Plain, timeout);
    let remote = Remote::new(&access).unwrap();
    let mut leaks = Vec::new();
    for bytes in answers() {
        said.lock().unwrap().clone_from(&bytes);
        for call in calls() {
            let told = format!("{:?}", runtime.block_on(remote.exchange(&call)));
            if told.to_ascii_lowercase().contains(KEY) {
                let answer = String::from_utf8_lossy(&bytes).replace(KEY, "KEY");
                leaks.push(format!("{call:?}: {answer:?}: {told}"));
            }
        }
    }
    assert!(leaks.is_empty(), "{} leaks, such as {}", leaks.len(), leaks[0]);
}

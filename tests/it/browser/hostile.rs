//! A place whose titles, values and answers were written by somebody who means harm.

use std::{io::Write, net::TcpListener, thread};

use misp_trickle_testing::{
    front::Message,
    program::{Place, Sandbox},
};
use serde_json::{Value, json};

/// Parts of what stands in titles and values.
pub(super) const WORDS: [&str; 6] = [
    "<script>document.title='ran';alert(1)</script>",
    "\"'><img src=https://evil.example/x.png onerror=\"document.title='ran'\">",
    "</title></code></table></main><style>*{display:none}</style><svg onload=alert(1)>",
    "\u{202e}gpj.exe\u{2066}\u{200f}\u{2028}",
    "\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m",
    "javascript:alert(1)//https://evil.example/",
];

fn id(kind: &str, number: usize) -> String {
    format!("{kind}--7c1e0000-0000-4000-8000-{number:012}")
}

fn object(kind: &str, number: usize, more: Value) -> Value {
    let mut object = json!({"type": kind, "spec_version": "2.1", "id": id(kind, number),
        "created": "2026-11-18T10:00:00Z", "modified": "2026-11-18T10:00:00Z"});
    let Value::Object(more) = more else { panic!("an object") };
    object.as_object_mut().unwrap().extend(more);
    object
}

/// An incident with a file and an address that bear a text.
fn incident(number: usize, text: &str) -> Vec<Value> {
    let link = |count: usize, kind: &str| {
        object(
            "relationship",
            number * 10 + count,
            json!({"relationship_type": "related-to",
            "source_ref": id(kind, number), "target_ref": id("incident", number)}),
        )
    };
    vec![
        object("incident", number, json!({"name": text, "description": text, "labels": [text]})),
        object("file", number, json!({"name": text})),
        object("url", number, json!({"value": format!("https://evil.example/{text}")})),
        object(
            "indicator",
            number,
            json!({"name": text, "description": text, "pattern_type": "stix",
            "valid_from": "2026-11-18T10:00:00Z",
            "pattern": format!("[domain-name:value = 'i{number}.example']")}),
        ),
        link(0, "file"),
        link(1, "url"),
        link(2, "indicator"),
    ]
}

/// Delivered to a MISP that takes it, and refused by one that answers with the same.
pub(super) fn place(sandbox: &Sandbox) -> Place {
    let place = sandbox.place();
    let long = "A".repeat(64 << 10);
    let texts =
        WORDS.iter().copied().chain([&*long, &long[..60_000], "\u{fdfd}\u{1d173}e\u{301}\u{301}"]);
    let objects: Vec<Value> =
        texts.enumerate().flat_map(|(number, text)| incident(number, text)).collect();
    let bundle = json!({"type": "bundle", "id": "bundle--1", "objects": objects});
    place.write("day.json", &bundle.to_string());
    place.configure("unmarked = \"deny\"", "unmarked = \"allow\"");
    place.run(&["sync"]).code(0);
    place.configure(&sandbox.url(), &refusing());
    // Another dataset, so that there is something to ask.
    place.write("day.json", &bundle.to_string().replace("i0.example", "i0.more.example"));
    assert_ne!(place.run(&["sync"]).code, 0);
    place
}

/// The address of one that refuses all in words of its own.
fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            if Message::read(&mut client).is_some() {
                let words = format!("{}{}", WORDS.concat(), "B".repeat(64 << 10));
                let body = json!({"name": words, "message": words, "url": words}).to_string();
                let length = body.len();
                drop(write!(
                    client,
                    "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
                     Connection: close\r\n\r\n{body}"
                ));
            }
        }
    });
    format!("http://{address}")
}

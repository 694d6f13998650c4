//! Requests of somebody else, straight to the sandbox.

use std::sync::Mutex;

use misp_trickle::sandbox::{Misp, Request};

/// When it happens: long after all that an agent does.
const LATER: i64 = 4_000_000_000;

/// A request of an analyst, which MISP grants.
pub fn ask(misp: &Mutex<Misp>, key: &str, path: &str) {
    ask_with(misp, key, path, "{}");
}

/// The same, with a body.
pub fn ask_with(misp: &Mutex<Misp>, key: &str, path: &str, body: &str) {
    drop(ask_for(misp, key, path, body));
}

/// The same, and what MISP answers.
pub fn ask_for(misp: &Mutex<Misp>, key: &str, path: &str, body: &str) -> Vec<u8> {
    let headers = [
        ("Authorization", key),
        ("Accept", "application/json"),
        ("Content-Type", "application/json"),
    ];
    let request = Request {
        method: "POST".to_owned(),
        path: path.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: body.as_bytes().to_vec(),
    };
    let reply = misp.lock().unwrap().handle(&request, LATER);
    assert_eq!(reply.status, 200, "{path}");
    reply.body
}

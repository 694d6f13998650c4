//! OpenTAXII with SQLite, to a MISP.

use std::{process::Command, thread, time::Duration};

use misp_trickle_testing::{
    program::{Place, Sandbox},
    stix::{id, incident, incidents},
};
use serde_json::{Value, json};

use crate::servers::{Server, ask, file, post, python, start};

pub(crate) const ROOT: &str = "/taxii2/b96631e7-f1c1-43dd-b9d6-55d634f31c41/";

/// A server with so many processes, whose objects are in a database or in a file.
pub(crate) fn server(workers: usize, database: Option<&str>) -> Option<Server> {
    let bin = python()?;
    Some(start(|folder, port| {
        let mut command = Command::new(bin.join("python"));
        command.arg(file("run_opentaxii.py")).arg(folder);
        command.args([port.to_string(), workers.to_string()]).args(database);
        command
    }))
}

pub(crate) fn collection(name: &str) -> String {
    format!("{ROOT}collections/{name}/")
}

fn place(server: &Server, sandbox: &Sandbox, user: &str) -> Place {
    let place = sandbox.place();
    let url = format!("http://{}{ROOT}", server.address);
    place.configure("kind = \"file\"", "kind = \"taxii2\"");
    place.configure("path = \"day.json\"", &format!("url = {url:?}\nmanifest_every = \"1s\""));
    place.configure("format = \"auto\"", "collections = [\"reports\"]");
    let access = format!("username = {user:?}\npassword_file = \"password\"");
    place.configure("update_strategy = \"replace\"", &access);
    place.configure("unmarked = \"deny\"", "unmarked = \"allow\"");
    place.write("password", &format!("{user}-pw\n"));
    place
}

#[test]
fn opentaxii_to_misp_with_what_is_new_and_without_what_is_gone() {
    let Some(server) = server(1, None) else { return };
    let (sandbox, reports) = (Sandbox::start(), collection("reports"));
    let place = place(&server, &sandbox, "reader");
    post(server.address, &reports, &incidents(0..20));
    let seen = place.run(&["doctor"]).says(&[
        "the API root \"Root of tests\" speaks TAXII 2.1",
        "feed main: collection reports \"Reports\" may be read",
        "the first page of reports has 60 objects",
    ]);
    assert!(!seen.all().contains("reader-pw"));
    place.run(&["sync"]).code(0).says(&["20 sent"]);
    assert_eq!(sandbox.attributes(), 20);
    place.run(&["sync"]).code(0).says(&["not one request"]);
    // New ones, and a new version of one: its indicator has another value.
    post(server.address, &reports, &incidents(20..25));
    post(server.address, &reports, &incident(3, 1));
    place.run(&["sync"]).code(0).says(&["6 sent"]);
    assert_eq!(sandbox.attributes(), 26);
    for kind in ["incident", "indicator", "relationship"] {
        let path = format!("{reports}objects/{}/", id(kind, 7));
        assert_eq!(ask(server.address, "DELETE", &path, None).status, 200);
    }
    thread::sleep(Duration::from_millis(1_100));
    place.run(&["sync"]).code(0);
    let status = place.json(&["status"]);
    // What is gone, and the value of the older version.
    let main = &status["destinations"][0];
    assert_eq!((&main["retired"], &main["superseded"]), (&1.into(), &1.into()), "{status:#}");
    place.run(&["verify"]).code(0);
    place.run(&["check"]).code(0);
    assert_eq!(sandbox.attributes(), 26);
    // The same by a token that the server gives.
    let login = json!({"username": "reader", "password": "reader-pw"});
    let token = ask(server.address, "POST", "/management/auth", Some(&login));
    let token: Value = serde_json::from_slice(&token.body).unwrap();
    place.write("token", token["token"].as_str().unwrap());
    place
        .configure("username = \"reader\"\npassword_file = \"password\"", "token_file = \"token\"");
    place.run(&["sync"]).code(0).says(&["not one request"]);
}

#[test]
fn opentaxii_says_what_may_not_be_read() {
    let Some(server) = server(1, None) else { return };
    let sandbox = Sandbox::start();
    let place = place(&server, &sandbox, "reader");
    place.configure("[\"reports\"]", "[\"secrets\"]");
    place.run(&["sync"]).code(4).says(&["collection secrets may not be read"]);
    place.configure("[\"secrets\"]", "[\"nothing\"]");
    place.run(&["doctor"]).code(1).says(&["there is no collection nothing", "reports (Reports)"]);
    place.configure("[\"nothing\"]", "[\"reports\"]");
    place.write("password", "wrong-pw");
    place.run(&["doctor"]).code(4).says(&["HTTP 401"]).hides(&["wrong-pw"]);
    place.write("password", "reader-pw");
    place.configure(ROOT, "/taxii2/");
    let root = format!("http://{}{ROOT}", server.address);
    place.run(&["doctor"]).code(1).says(&["this is the server's discovery", &root]);
}

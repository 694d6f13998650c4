//! `misp-trickle sandbox` as a process of its own: a MISP, and a platform.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use misp_trickle_testing::{
    http_client,
    program::{DAY_1, DAY_2, Place, binary, seen},
    schema::check_line,
};
use serde_json::Value;
use tempfile::TempDir;

/// A sandbox as a process of its own.
struct Served(Child);

impl Served {
    /// The process, and the line that it says first.
    fn start(arguments: &[&str]) -> (Self, Value) {
        let mut command = Command::new(binary());
        command.arg("sandbox").args(arguments).args(["--listen", "127.0.0.1:0"]);
        let mut served = Self(command.stdout(Stdio::piped()).spawn().expect("it starts"));
        let mut line = String::new();
        let output = served.0.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut line).expect("it says a line");
        check_line(&line);
        let said: Value = serde_json::from_str(&line).expect("the line is JSON");
        assert_eq!(said["pid"], served.0.id());
        (served, said)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn the_sandbox_says_where_it_listens_and_stops_when_it_is_told_to() {
    let folder = TempDir::new().unwrap();
    let keys = folder.path().join("keys.json");
    let key = "k".repeat(40);
    fs::write(&keys, format!("{{\"sync\": \"{key}\"}}")).unwrap();
    let (mut served, said) = Served::start(&["--keys", keys.to_str().unwrap()]);
    assert_eq!(said["schema"], "misp-trickle/sandbox/2");
    assert!(said["keys"].is_null());
    Place::at(said["url"].as_str().unwrap(), &key).run(&["sync"]).code(0);
    if cfg!(unix) {
        let pid = served.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert_eq!(served.0.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn the_sandbox_of_a_platform_packages_what_it_is_given() {
    let folder = TempDir::new().unwrap();
    let dataset = folder.path().join("day1.json");
    fs::write(&dataset, DAY_1).unwrap();
    let dataset = dataset.to_str().unwrap();
    let arguments =
        ["eclecticiq", "--feed", "12", "--strategy", "append", "--dataset", dataset, dataset];
    let (_served, said) = Served::start(&arguments);
    assert_eq!(said["schema"], "misp-trickle/platform/1");
    let address = said["url"].as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap();
    let token = format!("Bearer {}", said["token"].as_str().unwrap());
    let get = |path: &str| {
        let headers = [("Authorization".to_owned(), token.clone())];
        let answer = http_client::send(address, "GET", path, &headers, None).unwrap();
        assert_eq!(answer.status, 200, "{path}");
        serde_json::from_slice::<Value>(&answer.body).unwrap()
    };
    let document = get("/api/v2/outgoing-feeds/12")["data"].clone();
    assert_eq!(document["update_strategy"], "APPEND");
    let put = |text: &str| {
        let body = Some(text.as_bytes());
        http_client::send(address, "PUT", "/dataset", &[], body).unwrap().status
    };
    assert_eq!([put(DAY_2), put("{}")], [200, 400]);
    let list = get("/private/outgoing-feed-download/12/")["data"]["content_blocks"].clone();
    let counts = list
        .as_array()
        .unwrap()
        .iter()
        .map(|link| get(link.as_str().unwrap())["entities"].as_array().unwrap().len());
    let elements = |text: &str| {
        let dataset: Value = serde_json::from_str(text).unwrap();
        dataset["entities"].as_array().unwrap().clone()
    };
    let (first, second) = (elements(DAY_1), elements(DAY_2));
    let changed = second.iter().filter(|element| !first.contains(element)).count();
    assert_eq!(counts.collect::<Vec<_>>(), [first.len(), changed]);
}

#[test]
fn a_platform_needs_a_dataset_of_a_kind_that_it_knows() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("day1.csv");
    fs::write(&file, "a,b\n").unwrap();
    let mut command = Command::new(binary());
    command.args(["sandbox", "eclecticiq", "--dataset"]).arg(&file);
    let refused = seen(&mut command).code(1);
    assert!(
        refused.talk.contains("day1.csv") && refused.talk.contains("it is no JSON object"),
        "{}",
        refused.talk
    );
    let mut command = Command::new(binary());
    command.args(["sandbox", "--jobs", "late", "eclecticiq", "--dataset"]).arg(&file);
    assert!(seen(&mut command).code(2).talk.contains("cannot be used"));
}

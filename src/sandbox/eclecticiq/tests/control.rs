//! Faults, and what belongs to whoever runs the stand-in.

use super::*;

#[test]
fn faults_befall_the_requests_that_are_meant() {
    let mut world = World::replace();
    let block = format!("{FEED}/runs/1/content-blocks/1");
    world.command(&json!({"do": "fault", "path": "/content-blocks/", "after": 1, "times": 2, "trouble": {"status": 503}}));
    let statuses: Vec<u16> = (0..4).map(|_| world.ask("GET", &block, "").status).collect();
    assert_eq!(statuses, [200, 503, 503, 200]);
    world.command(
        &json!({"do": "fault", "times": 9, "trouble": {"busy": "Fri, 20 Nov 2026 09:10:00 GMT"}}),
    );
    let reply = world.ask("GET", "/private/outgoing-feeds/12", "");
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (429, Some("Fri, 20 Nov 2026 09:10:00 GMT"))
    );
    world.command(&json!({"do": "clear"}));
    assert_eq!(world.document()["packaging_status"], "SUCCESS");
}

#[test]
fn faults_of_the_way_change_how_an_answer_is_brought() {
    let mut world = World::replace();
    for (trouble, pace) in [
        (json!({"cut": 10}), Pace::Cut(10)),
        (json!({"slow": 1000}), Pace::Slow(1_000)),
        (json!("silent"), Pace::Silent),
    ] {
        world.command(&json!({"do": "fault", "trouble": trouble}));
        let answer = world.answer("GET", "/private/outgoing-feeds/12", "", Caller::Local);
        assert_eq!((answer.pace, answer.reply.status), (pace, 200));
        assert!(answer.reply.body.len() > 10);
    }
    world.command(
        &json!({"do": "fault", "trouble": {"redirect": "https://elsewhere.example/login"}}),
    );
    let reply = world.ask("GET", &format!("{FEED}/"), "");
    assert_eq!(
        (reply.status, reply.header("location")),
        (302, Some("https://elsewhere.example/login"))
    );
    world.command(&json!({"do": "fault", "trouble": {"page": "<html>Log in"}}));
    let reply = world.ask("GET", &format!("{FEED}/"), "");
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    assert_eq!(reply.body, b"<html>Log in");
}

#[test]
fn nobody_elsewhere_may_run_the_platform() {
    let mut world = World::replace();
    for (method, path) in [("PUT", "/dataset"), ("POST", "/control"), ("GET", "/control")] {
        let answer = world.answer(method, path, &package(&[]), Caller::Elsewhere);
        assert_eq!(answer.reply.status, 403);
    }
    assert_eq!(world.links(&format!("{FEED}/")).len(), 1);
    // Who may needs no token, and is hit by no fault.
    world.token = None;
    world.command(&json!({"do": "fault", "times": 3, "trouble": {"status": 500}}));
    world.put(&[]);
    assert_eq!(world.ask("DELETE", "/dataset", "").status, 405);
}

#[test]
fn the_standing_counts_requests_and_faults_to_come() {
    let mut world = World::replace();
    world.document();
    world.ask("GET", &format!("{FEED}/runs/latest?x=1"), "");
    world.command(&json!({"do": "fault", "trouble": {"status": 500}}));
    let standing = world.get("/control");
    assert_eq!(
        standing["requests"],
        json!({
            "GET /api/v2/outgoing-feeds": 1,
            "GET /private/outgoing-feed-download/12": 1,
        })
    );
    assert_eq!(
        standing["faults"],
        json!([{"path": "", "after": 0, "times": 1, "trouble": {"status": 500}}])
    );
    assert_eq!((&standing["blocks"], &standing["elements"]), (&json!([1]), &json!(4)));
}

#[test]
fn a_wrong_command_is_refused_with_words() {
    let mut world = World::replace();
    for (command, words) in [
        ("{\"do\": \"dance\"}", "unknown variant `dance`"),
        ("{\"do\": \"purge\", \"block\": 1}", "unknown field `block`"),
        ("{\"do\": \"fault\"}", "missing field `trouble`"),
        ("{\"do\": \"fault\", \"time\": 1, \"trouble\": \"silent\"}", "unknown field `time`"),
        ("{\"do\": \"leaving\", \"entities\": \"x\"}", "neither deleted nor kept"),
        ("{\"do\": \"permit\", \"permissions\": [\"x\"]}", "no permission"),
        ("{\"do\": \"touch\", \"ids\": [], \"at\": \"x\"}", "is not an ISO 8601"),
        ("", "no command"),
    ] {
        let reply = world.ask("POST", "/control", command);
        let body = String::from_utf8(reply.body).unwrap();
        assert!(reply.status == 400 && body.contains(words), "{command}: {body}");
    }
}

#[test]
fn every_answer_has_the_date_of_the_platform() {
    let mut world = World::replace();
    let reply = world.ask("GET", "/private/outgoing-feeds/12", "");
    assert_eq!(reply.header("date"), Some("Fri, 20 Nov 2026 09:00:01 GMT"));
    let head = world.ask("HEAD", "/private/outgoing-feeds/12", "");
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn the_document_has_every_command() {
    let text = include_str!("../../../../docs/sandbox.md");
    let commands: Vec<&str> = text.lines().filter(|line| line.starts_with("{\"do\"")).collect();
    let mut kinds = std::collections::BTreeSet::new();
    let mut troubles = std::collections::HashSet::new();
    for line in commands {
        let command: Command =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        if let Command::Fault(fault) = &command {
            troubles.insert(std::mem::discriminant(&fault.trouble));
        }
        kinds.insert(format!("{command:?}").split([' ', '{', '(']).next().unwrap().to_owned());
    }
    assert_eq!((kinds.len(), troubles.len()), (13, 9), "{kinds:?}");
}

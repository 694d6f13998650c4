//! The program as its users run it: command lines in, streams and exit codes out, against the sandbox.

use std::{
    fs,
    process::{Command, Stdio},
    time::Duration,
};

use misp_trickle::{
    model::Timestamp,
    store::{OpenMode, Owner, Store},
};
use misp_trickle_testing::program::{
    DAY_1, DAY_2, Place, Sandbox, as_at_terminal, binary, seen, seen_with,
};
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn the_demonstration_holds_what_it_says() {
    let folder = TempDir::new().unwrap();
    let mut command = Command::new(binary());
    let seen = seen(command.arg("demo").env("TMPDIR", folder.path())).code(0);
    assert!(seen.data.contains("not one request"), "{}", seen.data);
    assert!(seen.data.contains("superseded by 203.0.113.99"), "{}", seen.data);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "something was left behind");
}

#[test]
fn the_version_says_what_it_is_a_version_of() {
    let says = |option| seen(Command::new(binary()).arg(option)).code(0).data;
    let (short, long) = (says("-V"), says("--version"));
    assert_eq!(short, format!("misp-trickle {}\n", env!("CARGO_PKG_VERSION")));
    let lines: Vec<&str> = long.strip_prefix(&short).unwrap().lines().collect();
    let target = format!("-{}", std::env::consts::OS);
    assert!(lines[0].starts_with("commit: ") && lines[1].contains(&target), "{long}");
    assert_eq!(lines[2], "measured on MISP 2.5.1 and 2.5.19");
}

#[test]
fn a_dataset_is_planned_sent_and_never_sent_again() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    let plan = place.json(&["plan"]);
    let planned = &plan["destinations"][0];
    assert_eq!(plan["outcome"], "planned");
    assert_eq!(planned["events"]["created"], 3);
    assert_eq!(planned["attributes"]["pending"], 41);
    assert_eq!(sandbox.requests(), 0, "a plan asks nothing");

    let sync = place.json(&["sync"]);
    assert_eq!(sync["schema"], "misp-trickle/sync/2");
    assert_eq!(sync["outcome"], "done");
    let main = &sync["destinations"][0];
    assert_eq!(main["requests"], sandbox.requests());
    assert!(main["bytes_sent"].as_u64() > Some(0) && main["bytes_received"].as_u64() > Some(0));
    assert_eq!(main["events"]["created"], planned["events"]["created"]);
    assert_eq!(main["events"]["withheld"], 1);
    assert_eq!(main["attributes"]["sent"], planned["attributes"]["pending"]);
    assert_eq!(main["attributes"].as_object().unwrap().len(), 14);
    let dataset = &sync["dataset"];
    let lost: u64 = dataset["lost"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    let of = |name: &str| dataset[name].as_u64().unwrap();
    assert_eq!(of("occurrences"), of("mapped") + of("merged") + lost);

    let before = sandbox.requests();
    let again = place.json(&["sync"]);
    assert_eq!(again["destinations"][0]["requests"], 0);
    assert_eq!(again["destinations"][0]["events"]["withheld"], 1);
    assert_eq!(place.json(&["plan"])["outcome"], "empty");
    assert_eq!(sandbox.requests(), before);

    place.write("next.json", DAY_2);
    let next = place.run(&["sync", "--source", "next.json"]).code(0);
    assert!(next.data.contains("5 sent") && next.data.contains("1 superseded"), "{}", next.data);
}

#[test]
fn the_history_answers() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    place.run(&["sync"]).code(0);
    assert_eq!(place.json(&["log"])["runs"].as_array().unwrap().len(), 1);
    assert_eq!(place.json(&["show", "@"])["schema"], "misp-trickle/show/2");
    assert_eq!(place.json(&["diff", "0", "@"])["schema"], "misp-trickle/diff/2");
    assert_eq!(place.json(&["status"])["schema"], "misp-trickle/status/2");
    let why = place.run(&["why", "203.0.113.41"]).code(0);
    assert!(why.data.contains("Standing:   sent"), "{}", why.data);
    let check = place.json(&["check"]);
    assert_eq!((&check["sound"], &check["attributes"]), (&true.into(), &48.into()));
    assert!(place.run(&["check"]).code(0).data.ends_with("sound\n"));
}

#[test]
fn what_an_analyst_deleted_is_found_and_named() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    assert_eq!(place.run(&["verify"]).code, 10, "there is no store yet");
    place.run(&["sync"]).code(0);
    let proven = place.json(&["verify"]);
    assert_eq!(proven["schema"], "misp-trickle/verify/2");
    let main = &proven["destinations"][0];
    assert_eq!((&main["events_checked"], &main["events_proven"]), (&3.into(), &3.into()));
    assert_eq!((&main["attributes_proven"], &main["drifted"]), (&41.into(), &false.into()));

    let (uuid, value) = {
        let misp = sandbox.misp.lock().unwrap();
        let events = misp.events();
        let one = misp.attributes(events[0].uuid).remove(0);
        (one.uuid, one.value)
    };
    sandbox.ask("orgadmin", &format!("/attributes/delete/{uuid}"));
    let drifted = place.run(&["verify"]).code(8);
    assert!(drifted.data.contains("2 of 3 events proven"), "{}", drifted.data);
    assert!(drifted.data.contains("deleted") && drifted.data.contains(&value), "{}", drifted.data);
    let drifted =
        place.run(&["verify", "--sample", "100%", "--seed", "1", "--json"]).code(8).json();
    let found = &drifted["destinations"][0]["findings"][0];
    assert_eq!(found["differences"][0]["value"], value);

    let wrong = Place::at(&sandbox.url(), "wrong");
    fs::rename(place.path("state"), wrong.path("state")).unwrap();
    assert_eq!(wrong.run(&["verify"]).code, 4);
}

#[test]
fn a_saved_plan_is_carried_out_once() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    place.run(&["plan", "-o", "plan.json"]).code(0);
    place.configure("publish = \"never\"", "publish = \"always\"");
    let other = place.run(&["apply", "plan.json"]).code(7);
    assert!(other.talk.contains("policy or event settings"), "{}", other.talk);
    assert_eq!(sandbox.requests(), 0);
    place.configure("publish = \"always\"", "publish = \"never\"");
    let applied = place.json(&["apply", "plan.json"]);
    assert_eq!(applied["destinations"][0]["attributes"]["sent"], 41);
    let stale = place.run(&["apply", "plan.json"]).code(7);
    assert!(stale.talk.contains("what is known of MISP"), "{}", stale.talk);

    place.write("next.json", DAY_2);
    place.run(&["plan", "--source", "next.json", "-o", "plan.json"]).code(0);
    place.write("next.json", DAY_1);
    let moved = place.run(&["apply", "plan.json"]).code(7);
    assert!(moved.talk.contains("the dataset"), "{}", moved.talk);
    place.write("next.json", DAY_2);
    place.run(&["apply", "plan.json"]).code(0);
    place.write("plan.json", "{}");
    place.run(&["apply", "plan.json"]).code(1);
}

#[test]
fn several_destinations_get_theirs_whatever_becomes_of_the_others() {
    let (one, two) = (Sandbox::start(), Sandbox::start());
    let place = one.place();
    let text = fs::read_to_string(place.path("misp-trickle.toml")).unwrap();
    let url = two.url();
    let more = format!(
        "\n[destinations.a]\nurl = \"http://127.0.0.1:1\"\napi_key_env = \"MISP_API_KEY\"\n\n[destinations.two]\nurl = \"{url}\"\napi_key_env = \"MISP_API_KEY\"\n"
    );
    place.write("misp-trickle.toml", &(text + &more));
    let all = place.run(&["sync", "--json"]).code(5).json();
    assert_eq!(all["outcome"], "failed");
    let of = |name: &str| {
        let all = all["destinations"].as_array().unwrap();
        all.iter().find(|it| it["destination"] == name).unwrap()
    };
    let error = &of("a")["error"];
    assert_eq!((&error["kind"], &error["exit_code"]), (&"unreachable".into(), &5.into()));
    assert!(error["where"].as_str().unwrap().contains("127.0.0.1:1"), "{error}");
    assert!(error["cure"].as_str().unwrap().contains("check `url`"), "{error}");
    for name in ["main", "two"] {
        assert_eq!(of(name)["attributes"]["sent"], 41, "{name}");
    }
    place.run(&["plan", "-o", "plan.json"]).code(1);
    let again = place.json(&["sync", "--destination", "two"]);
    assert_eq!(again["destinations"].as_array().unwrap().len(), 1);
}

#[test]
fn errors_have_their_codes() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    place.run(&["sync", "--config", "none.toml"]).code(1);
    place.run(&["log"]).code(10);
    place.run(&["check"]).code(10);
    place.run(&["sync", "--nonsense"]).code(2);
    place.run(&["sync", "--destination", "nowhere"]).code(1);
    place.run(&["sync", "--source", "none.json"]).code(1);
    place.write("bad.json", "{\"entities\": [\n  {\"id\": 1,,}]}");
    let skipped = place.run(&["sync", "--source", "bad.json"]).code(3);
    assert!(skipped.talk.contains("bad.json#/entities/0"), "{}", skipped.talk);
    place.write("bad.json", "{\"entities\": [\n  {\"id\": \"x\"}");
    let bad = place.run(&["sync", "--source", "bad.json"]).code(1);
    assert!(bad.talk.contains("bad.json:2:"), "{}", bad.talk);
    place.configure("update_strategy = \"replace\"", "update_strategy = \"diff\"");
    let diff = place.run(&["plan"]).code(1);
    assert!(diff.talk.contains("not supported for files"), "{}", diff.talk);
    place.configure("update_strategy = \"diff\"", "updat_strategy = \"replace\"");
    let unknown = place.run(&["plan"]).code(1);
    assert!(unknown.talk.contains("misp-trickle.toml:"), "{}", unknown.talk);
    assert!(unknown.talk.contains("updat_strategy"), "{}", unknown.talk);
}

#[test]
fn an_error_cannot_steer_the_terminal_either() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    for evil in ["a\u{1b}[31m", "a\u{202e}b", "a\u{200b}b\u{e0041}", "a\u{2028}b"] {
        let seen = place.run(&["sync", "--source", evil]).code(1);
        let harmful =
            |c: char| c != '\n' && (c.is_control() || evil[1..].contains(c) && !c.is_ascii());
        assert!(!seen.talk.contains(harmful), "{:?}", seen.talk);
        assert!(seen.talk.contains("\\u{"), "{:?}", seen.talk);
    }
}

#[test]
fn a_key_that_is_refused_is_4_and_nobody_there_is_5() {
    let sandbox = Sandbox::start();
    let wrong = Place::at(&sandbox.url(), &"x".repeat(40));
    let seen = wrong.run(&["sync"]).code(4);
    assert!(seen.talk.contains("key") && !seen.talk.contains(&wrong.key), "{}", seen.talk);
    assert_eq!(wrong.run(&["doctor", "--json"]).code(4).json()["schema"], "misp-trickle/doctor/2");
    let nobody = Place::at("http://127.0.0.1:1", &"x".repeat(40));
    nobody.run(&["sync"]).code(5);
    nobody.run(&["doctor"]).code(5);
}

#[test]
fn another_misp_under_the_same_name_is_8() {
    let (one, other) = (Sandbox::start(), Sandbox::start());
    let place = one.place();
    place.run(&["sync"]).code(0);
    place.configure(&one.url(), &other.url());
    place.write("day.json", DAY_2);
    let seen = place.run(&["sync"]).code(8);
    assert!(seen.talk.contains("another or a restored MISP"), "{}", seen.talk);
    assert!(other.misp.lock().unwrap().events().is_empty(), "something was sent there");
}

#[test]
fn a_store_in_use_is_11_and_a_damaged_one_12() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    place.run(&["sync"]).code(0);
    let path = place.path("state");
    let owner = Owner {
        pid: 4711,
        host: "elsewhere".to_owned(),
        command: "misp-trickle test".to_owned(),
        now: Timestamp::from_seconds(0),
    };
    let store = Store::open(&path, OpenMode::ReadWrite, owner, Duration::from_secs(5)).unwrap();
    let locked = place.run(&["sync", "--wait", "1s"]).code(11);
    let waits =
        "waiting at most 1s for the store, which pid 4711 on elsewhere, `misp-trickle test`";
    assert!(locked.talk.starts_with(waits), "{}", locked.talk);
    drop(store);
    place.run(&["log"]).code(0);
    let engine = path.join("engine").join("db");
    let mut bytes = fs::read(&engine).unwrap();
    let source = b"day.json";
    let at = bytes.windows(source.len()).position(|window| window == source).unwrap();
    bytes[at] = b'D';
    fs::write(&engine, bytes).unwrap();
    let damaged = place.run(&["check"]).code(12);
    assert!(damaged.talk.contains("damaged"), "{}", damaged.talk);
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_run_that_waits_for_an_answer() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = Place::at(&format!("http://{}", silent.local_addr().unwrap()), &"x".repeat(40));
    let mut command = as_at_terminal(&place.command(&["sync"]));
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let _asked = silent.accept().unwrap();
    let signal = || Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(signal().unwrap().success());
    std::thread::sleep(Duration::from_secs(1));
    assert!(signal().unwrap().success(), "the first signal only asks");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn all_withheld_is_6_in_every_run() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    place.configure("[\"clear\", \"green\", \"amber\"]", "[]");
    for _ in 0..2 {
        let seen = place.run(&["sync", "--json"]).code(6);
        // All have a colour: another policy on what has none would change nothing.
        assert!(!seen.talk.contains("unmarked = "), "{}", seen.talk);
        assert_eq!(seen.json()["destinations"][0]["events"]["withheld"], 4);
    }
    assert_eq!(sandbox.requests(), 0);
}

#[test]
fn a_dataset_without_colours_is_told_the_line_that_lets_it_go() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    let line = "write `unmarked = \"allow\"` under [destinations.main.policy]";
    let packages = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/eclecticiq/");
    let colourless = format!("{packages}null-as-text.json");
    assert!(place.run(&["map", &colourless]).code(0).talk.contains(line));
    let coloured = format!("{packages}chain-day1.json");
    assert!(!place.run(&["map", &coloured]).code(0).talk.contains(line));
    // Also where nothing changed since.
    for _ in 0..2 {
        let synced = place.run(&["sync", "--source", &colourless]).code(6);
        assert!(synced.talk.contains(line), "{}", synced.talk);
    }
    assert!(place.run(&["doctor"]).code(0).data.contains(line));
}

#[test]
fn the_doctor_says_what_is_wrong_and_what_to_do() {
    let sandbox = Sandbox::start();
    let well = sandbox.place();
    let push = ["doctor", "--push-test-event"];
    assert!(well.run(&push).code(0).data.contains("was created"));
    assert!(well.run(&push).code(0).data.contains("already"));
    assert_eq!(sandbox.misp.lock().unwrap().events().len(), 1);
    let key = |role: &str| sandbox.key(role);
    let readonly = Place::at(&sandbox.url(), &key("readonly")).run(&["doctor"]).code(4);
    assert!(
        readonly.data.contains("perm_add") && readonly.data.contains("->"),
        "{}",
        readonly.data
    );
    let user = Place::at(&sandbox.url(), &key("user")).run(&["doctor"]).code(6);
    assert!(user.data.contains("tlp:green"), "{}", user.data);
    let admin = Place::at(&sandbox.url(), &key("admin")).run(&["doctor"]).code(0);
    assert!(admin.data.contains("site administrator"), "{}", admin.data);
}

#[test]
fn what_is_logged_holds_no_key() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    let seen = place.run(&["-vv", "sync"]).code(0);
    assert!(seen.talk.contains("servers/getVersion"), "{}", seen.talk);
    assert!(!seen.talk.contains(&place.key) && !seen.data.contains(&place.key));
    assert_eq!(place.run(&["-q", "sync"]).code(0).talk, "");
}

#[test]
fn map_needs_no_configuration() {
    let folder = TempDir::new().unwrap();
    let map = |arguments: &[&str], input: &str| {
        let mut command = Command::new(binary());
        seen_with(command.current_dir(folder.path()).args(arguments), input)
    };
    let lines = map(&["map", "--json", "-"], DAY_1).code(0).data;
    let events: Vec<Value> = lines.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    assert!(events.iter().all(|line| line["event"].is_object()), "each line is an event");
    let total = map(&["map", "--json", "--total", "-"], DAY_1).code(0).json();
    assert_eq!(total["schema"], "misp-trickle/map-total/2");
    let dataset = &total["dataset"];
    let number = |name: &str| dataset[name].as_u64().unwrap();
    assert_eq!((number("incidents"), number("occurrences"), number("skipped")), (4, 55, 0));
    assert_eq!((number("mapped"), number("merged")), (48, 2));
    assert_eq!(dataset["lost"]["not_linked"], 3);
    assert_eq!(events.len(), 4);
    for event in &events {
        assert_eq!(event["schema"], "misp-trickle/map/2");
        let mapped = event["tally"]["mapped"].as_u64().unwrap();
        assert_eq!(event["event"]["Attribute"].as_array().unwrap().len() as u64, mapped);
    }
    let lost: usize = events.iter().map(|event| event["losses"].as_array().unwrap().len()).sum();
    assert_eq!(lost, 2);
    let table = map(&["map", "-"], DAY_1).code(0).data;
    assert!(
        table.contains("4 incidents; 55 occurrences = 48 mapped + 2 merged + 5 lost"),
        "{table}"
    );
    let rules = map(&["map", "--rules"], "").code(0).data;
    assert!(rules.contains("[[observable.domain]]"), "{rules}");
    map(&["map", "-"], "{}").code(1);
    map(&["map", "--config", "none.toml", "-"], DAY_1).code(1);
}

#[cfg(unix)]
#[test]
fn a_file_without_an_end_is_refused_with_its_limit() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    for (arguments, limit) in [
        (&["config", "--config", "/dev/zero"][..], "4 MiB"),
        (&["sandbox", "--keys", "/dev/zero"], "4 MiB"),
        (&["apply", "/dev/zero"], "256 MiB"),
    ] {
        place.run(arguments).code(1).says(&[limit, "name the right file"]);
    }
    place.configure("rules_file = \"\"", "rules_file = \"/dev/zero\"");
    place.run(&["plan"]).code(1).says(&["/dev/zero", "4 MiB"]);
    place.configure("api_key_env = \"MISP_API_KEY\"", "api_key_file = \"/dev/zero\"");
    place.run(&["doctor"]).says(&["64 KiB"]);
}

#[test]
fn a_store_where_none_can_be_is_told_with_a_cure() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    place.configure("path = \"state\"", "path = \"misp-trickle.toml\"");
    place.run(&["sync"]).says(&["misp-trickle.toml", "name such a one as `path` under [store]"]);
}

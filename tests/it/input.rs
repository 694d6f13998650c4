//! Datasets that are damaged, cut off, empty or made to hurt: what the user sees, what is sent, and the exit code.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, io::Write, process::Command};

use misp_trickle_testing::program;
use program::{ATTRIBUTES, DAY_1, Place, Sandbox, seen};
use serde_json::Value;

fn place(sandbox: &Sandbox) -> Place {
    Place::new(&sandbox.url(), &sandbox.key("sync"), "verify_tls = true")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn status(place: &Place) -> Value {
    let seen = place.run(&["status", "--json"]).code(0);
    serde_json::from_str::<Value>(&seen.data).unwrap()["destinations"][0].take()
}

#[test]
fn a_file_that_cannot_be_read_to_its_end_sends_nothing() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    let half = &DAY_1.as_bytes()[..DAY_1.len() / 2];
    let packed = gzip(DAY_1.as_bytes());
    for (name, bytes, words) in [
        ("cut.json", half, "cut.json:"),
        ("cut.json.gz", &packed[..packed.len() / 2], "fetch or export it again"),
        ("empty.json", b"", "empty.json"),
        ("page.html", b"<html>login</html>", "perhaps a login page"),
        ("stix1.xml", b"<stix:STIX_Package/>", "this is STIX 1"),
        ("misp.json", b"{\"response\": [{\"Event\": {}}]}", "this is MISP's own JSON"),
        ("other.json", b"{\"hello\": 1}", "`format` setting"),
    ] {
        fs::write(place.path(name), bytes).unwrap();
        place.run(&["sync", "--source", name]).code(1).says(&[words, name]);
    }
    place
        .run(&["sync", "--source", "absent.json"])
        .code(1)
        .says(&["absent.json", "check the path"]);
    assert_eq!(sandbox.misp.lock().unwrap().counters().total(), 0, "something was asked");
    place.run(&["sync"]).code(0);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
}

#[test]
fn a_damaged_element_costs_only_itself_and_retires_nothing() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    place.run(&["sync"]).code(0);
    let mut dataset: Value = serde_json::from_str(DAY_1).unwrap();
    let entities = dataset["entities"].as_array_mut().unwrap();
    let last = entities.len() - 1;
    entities[last] = serde_json::json!(17);
    entities.remove(1);
    fs::write(place.path("next.json"), dataset.to_string()).unwrap();
    let seen = place.run(&["sync", "--source", "next.json"]).code(3);
    let place_of_it = format!("next.json#/entities/{}", last - 1);
    seen.says(&[&place_of_it, "objects of the dataset were skipped: nothing is retired"]);
    assert_eq!(status(&place)["retired"], 0);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
}

#[test]
fn a_damaged_line_costs_only_itself_and_retires_nothing() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    place.run(&["sync"]).code(0);
    let dataset: Value = serde_json::from_str(DAY_1).unwrap();
    let mut lines: Vec<String> =
        dataset["entities"].as_array().unwrap().iter().map(Value::to_string).collect();
    let last = lines.len();
    lines[1].truncate(100);
    lines[last - 1].truncate(100);
    fs::write(place.path("next.ndjson"), lines.join("\n")).unwrap();
    let (second, cut) = ("line 2 breaks off", format!("line {last} breaks off"));
    let told = [second, &*cut, "nothing is retired in this run"];
    place.run(&["sync", "--source", "next.ndjson"]).code(3).says(&told);
    place.run(&["map", "next.ndjson"]).code(3).says(&told[..2]);
    assert_eq!(status(&place)["retired"], 0);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
}

#[test]
fn a_dataset_that_is_suddenly_empty_retires_nothing() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    place.run(&["sync"]).code(0);
    fs::write(place.path("empty.json"), "{\"entities\": []}").unwrap();
    let seen = place.run(&["sync", "--source", "empty.json"]).code(0);
    seen.says(&["holds no incident, the last one did: nothing is retired", "--allow-empty"]);
    assert_eq!(status(&place)["retired"], 0);
    place.run(&["sync", "--source", "empty.json", "--allow-empty"]).code(0);
    assert_eq!(status(&place)["retired"], ATTRIBUTES);
    assert_eq!(sandbox.attributes(), ATTRIBUTES, "what is retired stays in MISP");
}

#[test]
fn a_page_of_several_retires_nothing_and_is_told() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    place.run(&["sync"]).code(0);
    let mut dataset: Value = serde_json::from_str(DAY_1).unwrap();
    dataset["entities"].as_array_mut().unwrap().truncate(2);
    fs::write(place.path("part.json"), dataset.to_string()).unwrap();
    dataset["more"] = true.into();
    fs::write(place.path("page.json"), dataset.to_string()).unwrap();
    let page = ["sync", "--source", "page.json"];
    for _ in 0..2 {
        place.run(&page).code(0).says(&["one page of several", "nothing is retired in this run"]);
        assert_eq!(status(&place)["retired"], 0);
    }
    place
        .run(&["plan", "--source", "page.json"])
        .code(0)
        .says(&["one page of several", "1 unchanged"]);
    place.run(&["sync", "--source", "part.json"]).code(0);
    assert_ne!(status(&place)["retired"], 0, "the same without the mark of a page");
}

#[test]
fn every_envelope_is_read_packed_too() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    let dataset: Value = serde_json::from_str(DAY_1).unwrap();
    let lines = dataset["entities"].as_array().unwrap().iter().map(Value::to_string);
    let lines = lines.collect::<Vec<_>>().join("\r\n");
    fs::write(place.path("lines.ndjson"), &lines).unwrap();
    fs::write(place.path("lines.ndjson.gz"), gzip(lines.as_bytes())).unwrap();
    let packed = zstd::encode_all(lines.as_bytes(), 1).unwrap();
    fs::write(place.path("lines.jsonl.zst"), packed).unwrap();
    let whole = place.run(&["map", "day.json"]).code(0).data;
    for name in ["lines.ndjson", "lines.ndjson.gz", "lines.jsonl.zst"] {
        assert_eq!(place.run(&["map", name]).code(0).data, whole, "{name}");
    }
    place.run(&["sync", "--source", "lines.ndjson"]).code(0);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
}

const REPORT: &str = r#"{"type": "bundle", "id": "bundle--1", "objects": [
    {"type": "report", "id": "report--d5522731-18f5-49ac-aff1-d013e9c2d088", "name": "Quarterly",
     "created": "2025-03-04T05:06:07Z", "labels": ["tlp:green"],
     "object_refs": ["indicator--a8350309-b7bc-4a10-a698-aefcca1292e2"]},
    {"type": "indicator", "id": "indicator--a8350309-b7bc-4a10-a698-aefcca1292e2", "labels": ["tlp:green"],
     "pattern": "[ipv4-addr:value = '198.51.100.90']", "pattern_type": "stix"}]}"#;

#[test]
fn a_dataset_that_gives_no_event_says_what_to_write() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    let case = REPORT.replace("report", "case-incident");
    let malware = REPORT.replace("report", "malware").replace("object_refs", "sample_refs");
    for (dataset, kind) in [(REPORT, "report"), (&*case, "case-incident"), (&*malware, "malware")] {
        fs::write(place.path("report.json"), dataset).unwrap();
        let line = format!(
            "1 {kind} here could become an event: containers = [\"{kind}\"] under [mapping]"
        );
        for command in [
            &["map", "report.json"][..],
            &["map", "--json", "report.json"],
            &["plan", "--source", "report.json"],
            &["sync", "--source", "report.json"],
        ] {
            place.run(command).code(0).says(&[&line]);
        }
    }
    place.run(&["map", "day.json"]).code(0).hides(&["could become"]);
    // As it says, so it is done.
    for (dataset, kind) in [(REPORT, "report"), (&*case, "case-incident")] {
        fs::write(place.path("report.json"), dataset).unwrap();
        let before = if kind == "report" { "[]" } else { "[\"report\"]" };
        place.configure(&format!("containers = {before}"), &format!("containers = [\"{kind}\"]"));
        let seen = place.run(&["map", "report.json"]).code(0).hides(&["could become"]);
        assert!(seen.data.contains("1 incidents; 1 occurrences = 1 mapped"), "{}", seen.data);
    }
}

#[test]
fn init_proposes_what_gives_events() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    fs::write(place.path("report.json"), REPORT).unwrap();
    fs::write(place.path("broken.json"), "{").unwrap();
    for (source, line, says) in [
        ("report.json", "containers = [\"report\"]", "and holds 1 report"),
        ("day.json", "containers = []", "wrote"),
        ("absent.json", "containers = []", "wrote"),
        ("broken.json", "containers = []", "breaks off"),
    ] {
        let config = format!("of-{source}.toml");
        place.run(&["init", "--config", &config, "--source", source]).code(0).says(&[says]);
        let text = fs::read_to_string(place.path(&config)).unwrap();
        assert!(text.contains(line), "{source}: {text}");
    }
}

#[test]
fn an_event_without_a_time_is_dated_once_and_that_is_said() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    place.configure("containers = []", "containers = [\"report\"]");
    let dated = |day: &str, created: &str| {
        let dataset = REPORT.replace("2025-03-04T05:06:07Z", created);
        let valid = format!("\"valid_from\": \"{day}\", \"pattern\":");
        fs::write(place.path("report.json"), dataset.replace("\"pattern\":", &valid)).unwrap();
        place.run(&["sync", "--source", "report.json"]).code(0)
    };
    let date = || {
        let misp = sandbox.misp.lock().unwrap();
        misp.events().iter().map(|event| event.date.clone()).collect::<Vec<_>>()
    };
    dated("2025-03-01T00:00:00Z", "9999-12-31T00:00:00Z")
        .says(&["without a usable time of their own", "d5522731-18f5-49ac-aff1-d013e9c2d088"]);
    assert_eq!(date(), ["2025-03-01"]);
    dated("2025-02-01T00:00:00Z", "1970-01-01T00:00:00Z");
    assert_eq!(date(), ["2025-03-01"], "it keeps the day that it got");
    dated("2025-02-01T00:00:00Z", "2025-01-07T00:00:00Z").hides(&["without a usable time"]);
    assert_eq!(date(), ["2025-01-07"]);
}

/// A dataset around a filling.
fn around(filling: &[u8]) -> Vec<u8> {
    let (head, tail) = DAY_1.split_once("\"entities\": [").expect("the dataset has entities");
    [head.as_bytes(), b"\"entities\": [", filling, tail.as_bytes()].concat()
}

#[cfg(target_os = "linux")]
#[test]
fn a_dataset_that_unpacks_to_much_does_not_fill_the_memory() {
    // Twice what it takes, and less than it would take to hold it all.
    const KILOBYTES: u32 = 400_000;
    const FILLING: usize = 300 << 20;
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    let blanks = vec![b' '; FILLING];
    let string = [b"\"", &vec![b'x'; FILLING][..], b"\","].concat();
    for (name, filling, code) in [("blanks", blanks, 0), ("string", string, 3)] {
        let file = format!("{name}.json.gz");
        let packed = gzip(&around(&filling));
        assert!(packed.len() < 4 << 20);
        fs::write(place.path(&file), packed).unwrap();
        let mut command = Command::new("sh");
        let script = format!("ulimit -v {KILOBYTES}; exec \"$0\" map {file}");
        let command =
            place.clean(&mut command).args(["-c", &script, env!("CARGO_BIN_EXE_misp-trickle")]);
        seen(command).code(code).says(&["4 incidents"]);
    }
}

#[test]
fn an_element_nested_too_deep_is_left_out_and_named() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    let deep = [&b"[".repeat(100_000)[..], &b"]".repeat(100_000), b","].concat();
    fs::write(place.path("deep.json"), around(&deep)).unwrap();
    let seen = place.run(&["sync", "--source", "deep.json"]).code(3);
    seen.says(&["deep.json#/entities/0"]);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
}

/// What stands in a folder under the name of a dataset and is none. It may hold what is marked stricter, as a damaged file
/// may, so nothing is sent.
#[cfg(unix)]
#[test]
fn what_cannot_be_opened_in_a_folder_is_told_and_nothing_is_sent() {
    use std::os::unix::{ffi::OsStrExt as _, fs::symlink, net::UnixListener};
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    let at = |name: &str| place.path("in").join(name);
    fs::create_dir(place.path("in")).unwrap();
    // A name need not be UTF-8.
    let odd = place.path("in").join(std::ffi::OsStr::from_bytes(b"a\xff.json"));
    fs::write(&odd, DAY_1).unwrap();
    place.configure("kind = \"file\"", "kind = \"folder\"");
    place.configure("path = \"day.json\"", "path = \"in\"");
    // What plainly is no input is left alone without a word, whatever it is.
    symlink("nowhere", at("notes")).unwrap();
    symlink("nowhere", at(".hidden.json")).unwrap();
    fs::create_dir(at("archive")).unwrap();
    let pipe = |name: &str| Command::new("mkfifo").arg(at(name)).status().unwrap();
    let mut socket = None;
    for (kind, words) in [
        ("link", "b.json: is a link to something that is not there"),
        ("loop", "b.json: cannot be opened: "),
        ("pipe", "b.json: is no file, but a named pipe"),
        ("socket", "b.json: is no file, but a socket"),
        ("device", "b.json: is no file, but a device"),
    ] {
        match kind {
            "link" => symlink("nowhere", at("b.json")).unwrap(),
            "loop" => symlink("b.json", at("b.json")).unwrap(),
            "pipe" => assert!(pipe("b.json").success()),
            "socket" => socket = Some(UnixListener::bind(at("b.json")).unwrap()),
            _ => symlink("/dev/zero", at("b.json")).unwrap(),
        }
        for verb in [&["sync"][..], &["map", "in"], &["doctor"]] {
            place.run(verb).code(1).says(&[words]).hides(&["notes", ".hidden"]);
        }
        assert_eq!(sandbox.attributes(), 0, "{kind}");
        fs::remove_file(at("b.json")).unwrap();
    }
    drop(socket);
    fs::create_dir(at("b.json")).unwrap();
    place.run(&["doctor"]).says(&["folders in it: archive, b.json"]);
    place.run(&["sync"]).code(0).says(&["folders in it: archive, b.json"]);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
}

//! The how-to pages.

use std::{fs, path::Path, process::Command};

use misp_trickle_testing::{
    certificates::{Authority, BOTH},
    front::Front,
    http_proxy::HttpProxy,
    program::{ATTRIBUTES, DAY_1, Sandbox},
    stix,
    taxii::{Taxii, Ways},
};
use serde_json::{Value, json};

use super::{Block, ECLECTICIQ, EXAMPLE, Walk, blocks};

const AIR_GAPPED: &str = "docs/how-to/air-gapped.md";
const BACKUP: &str = "docs/how-to/backup-and-move.md";
const SEVERAL: &str = "docs/how-to/several-misps.md";
const TAXII: &str = "docs/how-to/taxii-to-misp.md";
const TLS: &str = "docs/how-to/tls.md";
const KEY: [(&str, &str); 1] = [("MISP_API_KEY", "sync")];
const INIT: &str = "misp-trickle init --url https://misp.example.org --source incidents.json\n";

#[test]
fn a_platform_is_pulled_as_the_page_says() {
    let mut walk = Walk::with_dataset(&KEY);
    walk.begin_platform();
    let followed = walk.follow(ECLECTICIQ, "By the platform itself");
    followed.has(&["init", "doctor", "sync", "plan"], 0);
    assert_eq!(walk.sandbox.attributes(), ATTRIBUTES);
}

/// A report about an indicator that has a marking which is not defined anywhere.
fn report(marking: &str) -> Vec<Value> {
    let times = "2026-11-18T10:00:00.000Z";
    let green = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da";
    let [report, indicator] = ["report", "indicator"].map(|kind| stix::id(kind, 1));
    vec![
        json!({"type": "report", "spec_version": "2.1", "id": report, "created": times,
            "modified": times, "published": times, "name": "A report", "object_refs": [indicator],
            "object_marking_refs": [green]}),
        json!({"type": "indicator", "spec_version": "2.1", "id": indicator, "created": times,
            "modified": times, "valid_from": times, "pattern_type": "stix",
            "pattern": "[domain-name:value = 'a.example']", "object_marking_refs": [marking]}),
    ]
}

#[test]
fn collections_become_events_as_the_page_says() {
    let mut walk = Walk::new(&KEY);
    let authorization = Some("Bearer of-the-tests".to_owned());
    let taxii = Taxii::start(Ways { authorization, ..Ways::default() }, &["reports"]);
    walk.places.insert("https://taxii.example.org/api1/", taxii.url());
    walk.secrets.insert("TAXII_TOKEN", "of-the-tests".to_owned());
    let blocks = blocks(TAXII, "From a TAXII server to MISP");
    let (markings, steps) = blocks.split_last().unwrap();
    let marking = markings.text.split('"').nth(1).unwrap();
    taxii.post("reports", &report(marking), 0);
    walk.follow_blocks(TAXII, steps).has(&["init", "doctor", "sync", "plan"], 0);
    assert_eq!(walk.sandbox.misp.lock().unwrap().events().len(), 1);
    assert_eq!(walk.sandbox.attributes(), 0, "nobody knows what the marking means");
    walk.configure(markings);
    walk.run("misp-trickle sync --accept-mapping").code(0);
    assert_eq!(walk.sandbox.attributes(), 1);
    assert_eq!(taxii.state().wrong, [""; 0]);
}

#[test]
fn several_misps_and_feeds_are_served_as_the_page_says() {
    let partners = Sandbox::start();
    let mut walk = Walk::with_dataset(&[("OWN_KEY", "sync")]);
    walk.begin_platform();
    walk.places.insert("https://misp.partners.example", partners.url());
    walk.write("partners.key", &format!("{}\n", partners.key("sync")));
    fs::create_dir(walk.path("reports")).unwrap();
    walk.write("reports/monday.json", DAY_1);
    let followed = walk.follow(SEVERAL, "Several MISPs, several feeds");
    followed.has(&["doctor --destination partners", "plan", "sync --feed", "status"], 0);
    assert!(partners.attributes() > 0);
    // One takes `amber+strict`, the other nothing above green.
    assert!(walk.sandbox.attributes() > ATTRIBUTES && partners.attributes() < ATTRIBUTES);
    let file = walk.path("misp-trickle.toml");
    let mut config: toml::Table = fs::read_to_string(&file).unwrap().parse().unwrap();
    config["feeds"].as_table_mut().unwrap().remove("reports");
    fs::write(file, config.to_string()).unwrap();
    walk.follow(SEVERAL, "Rename a feed, or end it").has(&["feed forget reports"], 0);
}

#[test]
fn each_setting_of_a_connection_is_enough_where_it_is_asked_for() {
    let mut walk = Walk::with_dataset(&KEY);
    let (authority, clients) = (Authority::new("private"), Authority::new("clients"));
    let server = authority.server("localhost").serves(BOTH, Some(&clients));
    let front = Front::with_tls(walk.sandbox.address, server);
    let (ours, proxy) = (clients.client(), HttpProxy::start(None));
    walk.places.insert(EXAMPLE, front.https());
    walk.places.insert("http://proxy.example.org:3128", proxy.url());
    walk.secrets.insert("CLIENT_SECRET", "in-the-environment".to_owned());
    for (name, text) in [
        ("ca.pem", &*authority.pem),
        ("client.pem", &*ours.pem),
        ("client.key", &*ours.key_pem),
        ("client.token", "in-a-file\n"),
    ] {
        walk.write(name, text);
    }
    walk.run(&format!("{INIT}export MISP_API_KEY=…\n")).code(0);
    let prove = &blocks(TLS, "TLS, proxies, headers")[0].text;
    walk.run(prove).code(5).says(&["set `ca_bundle`"]);
    walk.follow(TLS, "An authority of your own");
    walk.run(prove).code(5).says(&["set `client_cert` and `client_key`"]);
    walk.follow(TLS, "A certificate of ours");
    walk.run(prove).code(0);
    assert_eq!(proxy.asked(), [""; 0]);
    walk.follow(TLS, "A proxy");
    walk.run(prove).code(0);
    assert!(!proxy.asked().is_empty());
    let before = front.seen().len();
    walk.follow(TLS, "Headers").has(&["doctor"], 0);
    let seen = front.seen().split_off(before);
    let key = walk.sandbox.key("sync");
    for request in &seen {
        assert_eq!(request.header("authorization"), None);
        assert_eq!(request.header("x-misp-auth"), Some(&*key));
        assert_eq!(request.header("x-client-id"), Some("me"));
        assert_eq!(request.header("x-client-secret"), Some("in-the-environment"));
        assert_eq!(request.header("x-client-token"), Some("in-a-file"));
    }
    assert!(!seen.is_empty());
}

/// Packs a file as the page does; where the machine has no `zstd` the library does.
fn pack(walk: &mut Walk, block: &Block) {
    if Command::new("zstd").arg("--version").output().is_ok() {
        walk.run(&block.text).code(0);
    } else {
        let packed = zstd::encode_all(DAY_1.as_bytes(), 19).unwrap();
        fs::write(walk.path("incidents.json.zst"), packed).unwrap();
    }
}

#[test]
fn a_dataset_crosses_and_its_history_is_read_on_the_other_side() {
    let mut walk = Walk::with_dataset(&KEY);
    walk.places.insert("/srv/arrived", "arrived".to_owned());
    let blocks = blocks(AIR_GAPPED, "Without a line to MISP");
    let [packs, shows, inside @ ..] = &blocks[..] else { panic!("{blocks:?}") };
    pack(&mut walk, packs);
    walk.run(&shows.text).code(0).says(&["4 incidents"]);
    fs::create_dir(walk.path("arrived")).unwrap();
    fs::rename(walk.path("incidents.json.zst"), walk.path("arrived/incidents.json.zst")).unwrap();
    walk.follow_blocks(AIR_GAPPED, inside).has(&["init", "doctor", "sync"], 0);
    assert_eq!(walk.sandbox.attributes(), ATTRIBUTES);

    let [exports, outside @ ..] = &super::blocks(AIR_GAPPED, "The history outside")[..] else {
        panic!("there is an export")
    };
    walk.run(&exports.text).code(0);
    let mut other = Walk::new(&[]);
    fs::copy(walk.path("history.jsonl.zst"), other.path("history.jsonl.zst")).unwrap();
    other.follow_blocks(AIR_GAPPED, outside).has(&["import", "log", "why", "report"], 0);
    assert!(other.path("history.html").exists());
}

/// A folder with what the README delivers.
fn delivered() -> Walk {
    let mut walk = Walk::with_dataset(&KEY);
    walk.follow("README.md", "First sync");
    walk
}

#[test]
fn backups_and_moves_are_made_as_the_page_says() {
    let mut walk = delivered();
    walk.follow(BACKUP, "Back up").has(&["export"], 0);
    walk.follow(BACKUP, "Restore").has(&["import", "check"], 0);
    walk.run("misp-trickle sync").code(0).says(&["41 unchanged"]);
    walk.follow(BACKUP, "Move to another machine").has(&["export", "import", "status"], 0);
    walk.follow(BACKUP, "Room").has(&["gc"], 0);
    walk.follow("docs/how-to/upgrade.md", "Upgrade")
        .has(&["export", "plan", "sync --accept-mapping"], 0);
}

/// Overwrites the name of the source, which stands in the record of a run.
fn damage(engine: &Path) {
    let mut bytes = fs::read(engine).unwrap();
    let name = b"incidents.json";
    let at = bytes.windows(name.len()).position(|window| window == name).unwrap();
    bytes[at] = b'I';
    fs::write(engine, bytes).unwrap();
}

#[test]
fn a_damaged_store_is_repaired_as_the_page_says() {
    let mut walk = delivered();
    damage(&walk.path("state/engine/db"));
    let blocks = blocks(BACKUP, "A damaged store");
    let codes = blocks[0].text.lines().zip([12, 12, 0]).collect::<Vec<_>>();
    assert_eq!(codes.len(), blocks[0].text.lines().count());
    for (line, code) in codes {
        walk.run(line).code(code);
    }
    walk.run("misp-trickle check && misp-trickle sync").code(0);
    assert_eq!(walk.sandbox.attributes(), ATTRIBUTES);
}

#[test]
fn a_misp_that_lost_something_gets_it_again_as_the_page_says() {
    let blocks = blocks(BACKUP, "A MISP that lost something");
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        let sandbox = Sandbox::start();
        let empty = sandbox.misp.lock().unwrap().clone();
        let mut walk = delivered();
        *walk.sandbox.misp.lock().unwrap() = empty;
        walk.write("incidents.json", &DAY_1.replace("panel.kit.example", "panel-2.kit.example"));
        walk.run("misp-trickle sync").code(8).says(&["repair --adopt", "repair --resend"]);
        assert_eq!(walk.sandbox.attributes(), 0);
        walk.run(&block.text).code(0);
        assert_eq!(walk.sandbox.attributes(), ATTRIBUTES);
    }
}

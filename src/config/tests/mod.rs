//! What a configuration may and may not say.

mod reference;
mod schedule;
mod secrets;
mod sources;
mod template;
mod words;

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use crate::{
    format::Format,
    http::Proxy,
    mapper::{Comment, IncludeTags},
    model::{Secret, Tlp, Words},
    plan::{MappingChange, OnForeign, Publish, Strategy, Unmarked},
    remote::{AuthHeader, CompressionChoice},
    schedule::Timing,
};

use super::*;

const FILE: &str = "/etc/trickle/misp-trickle.toml";

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new(FILE))
}

fn good(text: &str) -> Config {
    parse(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn faults(text: &str) -> Vec<String> {
    match parse(text) {
        Err(ConfigError::Invalid { faults }) => faults.iter().map(Notice::to_string).collect(),
        other => panic!("{text}\n{other:?}"),
    }
}

fn with_destination(lines: &str) -> String {
    format!(
        "[destinations.main]\nurl = \"https://misp.example\"\napi_key_env = \"MISP_API_KEY\"\n{lines}"
    )
}

fn local(feed: &Feed) -> &LocalSource {
    match &feed.source {
        FeedSource::Local(local) => local,
        other => panic!("{other:?}"),
    }
}

fn file(path: impl AsRef<Path>) -> LocalPlace {
    LocalPlace::File(Some(path.as_ref().to_owned()))
}

fn init_args() -> InitArgs {
    InitArgs {
        url: "https://misp.example/misp".to_owned(),
        source: InitSource::File("day \"1\".json".to_owned()),
        rest_uuid: "9b3c7e5a-0d1f-4c2b-8a6e-5f4d3c2b1a09".to_owned(),
        ..InitArgs::default()
    }
}

#[test]
fn markings_are_named_by_their_ids_and_are_a_colour_or_none() {
    let mapping = |lines: &str| format!("[mapping.markings]\n{lines}\n");
    let config = good(&mapping(
        "\"marking-definition--A\" = \"TLP:AMBER+STRICT\"\n\"marking-definition--b\" = \"none\"",
    ));
    let said: Vec<_> =
        config.mapping.markings.iter().map(|(id, tlp)| (id.as_str(), *tlp)).collect();
    assert_eq!(
        said,
        [("marking-definition--a", Some(Tlp::AmberStrict)), ("marking-definition--b", None)]
    );
    for (lines, what) in [
        ("a = \"purple\"", "is not a TLP colour"),
        ("a = 7", "is an integer"),
        ("a = \"red\"\nA = \"green\"", "is there twice"),
        (
            "\"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1\" = \"green\"",
            "is the id that stands for TLP red everywhere",
        ),
    ] {
        let faults = faults(&mapping(lines));
        assert!(faults.len() == 1 && faults[0].contains(what), "{faults:?}");
    }
}

const FULL: &str = r#"
version = 1
[store]
path = "/var/lib/trickle"
[feeds.daily]
kind = "folder"
path = "in"
format = "stix21"
update_strategy = "append"
[feeds.pipe]
kind = "stdin"
[destinations.hq]
url = "http://10.0.0.1:8080/misp"
api_key_file = "key"
verify_tls = false
ca_bundle = "ca.pem"
client_cert = "c.pem"
client_key = "c.key"
proxy = "http://proxy:3128"
timeout = "90s"
compression = "br"
concurrency = 3
bwlimit = "64k"
max_transfer = "1.5m"
on_foreign = "append"
verify_every = "never"
event = { distribution = 4, sharing_group_id = 7, threat_level_id = 1, tags = ["b", "a"], disable_correlation = true, publish = "keep", include_tags = "all" }
policy = { allow_tlp = ["white", "RED"], unmarked = "allow" }
[mapping]
rules_file = "rules.toml"
text_fallback = true
comment = "none"
comment_max = 40
depth = 8
containers = ["report", "grouping"]
on_change = "apply"
[schedule]
every = "1h30m"
deadline = "10m"
"#;

#[test]
fn every_setting_is_read() {
    let config = good(FULL);
    let hq = &config.destinations[0];
    assert_eq!(hq.event.sharing_group_id, Some(7));
    assert_eq!(hq.policy.allow_tlp.iter().copied().collect::<Vec<_>>(), [Tlp::Clear, Tlp::Red]);
    assert_eq!(hq.verify_every, None);
    assert_eq!(hq.connection.timeout, Duration::from_secs(90));
    assert_eq!(hq.connection.ca_bundle.as_deref(), Some(Path::new("/etc/trickle/ca.pem")));
    assert_eq!(hq.concurrency.map(u8::from), Some(3));
    assert!(matches!(&hq.connection.proxy, Proxy::Url(url) if url.port() == Some(3128)));
    assert_eq!(hq.bwlimit.map(u64::from), Some(65_536));
    assert_eq!(hq.max_transfer.map(u64::from), Some(1_572_864));
    assert_eq!(config.mapping.containers.len(), 2);
    assert_eq!(config.schedule.when.timing, Timing::Every(Duration::from_secs(5_400)));
    assert_eq!(config.schedule.deadline, Some(Duration::from_secs(600)));
    assert_eq!(
        config.feeds.iter().map(|feed| local(feed).place.clone()).collect::<Vec<_>>(),
        [LocalPlace::Folder(Some("/etc/trickle/in".into())), LocalPlace::Stdin]
    );
    let warned: Vec<&str> = config.warnings.iter().map(|notice| notice.key.as_str()).collect();
    assert_eq!(warned, ["destinations.hq.url", "destinations.hq.verify_tls"]);
}

#[test]
fn a_limit_is_a_size_with_sense() {
    let bwlimit = |text: &str| with_destination(&format!("bwlimit = {text}\n"));
    assert_eq!(good(&bwlimit("\"none\"")).destinations[0].bwlimit, None);
    for (text, why) in [
        ("\"64kb\"", "is not a size such as"),
        ("\"1000\"", "is less than 1024 bytes"),
        ("\"0\"", "is no byte at all"),
        ("64", "is an integer"),
    ] {
        let found = faults(&bwlimit(text));
        assert!(found[0].contains(why), "{found:?}");
    }
}

#[test]
fn what_is_in_effect_parses_to_the_same() {
    for text in [FULL.to_owned(), template(&init_args()), String::new()] {
        let config = good(&text);
        let printed = toml::to_string(&effective(&config)).unwrap();
        let again = good(&printed);
        assert_eq!(
            Config { warnings: vec![], named_files: vec![], ..again },
            Config { warnings: vec![], named_files: vec![], ..config }
        );
    }
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_its_neighbours() {
    let found = faults("[store]\npath = \"x\"\n  pth = 1\n");
    assert_eq!(
        found,
        [format!(
            "{FILE}:3:3: store.pth: is not a known key; remove it or write one of path, private; did you mean path?"
        )]
    );
    let found = faults("[sauce]\n[mapping]\ndeep = 2\n");
    assert!(found[0].starts_with(&format!("{FILE}:1:2: sauce: is not a known key")), "{found:?}");
    assert!(found[1].starts_with(&format!("{FILE}:3:1: mapping.deep: ")), "{found:?}");
}

#[test]
fn all_faults_are_reported_in_the_order_of_the_file() {
    let found = faults(
        "[schedule]\nevery = \"soon\"\n[mapping]\ndepth = 9\ncomment = \"titel\"\ntext_fallback = \"yes\"\n",
    );
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[0].contains(":2:9: schedule.every: "), "{found:?}");
    assert!(
        found[1].contains(":4:9: mapping.depth: is 9, out of range; write a number from 1 to 8")
    );
    assert!(found[2].contains("write one of \"title\", \"none\""), "{found:?}");
    assert!(found[3].contains("is a string; write true or false"), "{found:?}");
}

#[test]
fn destinations_are_checked() {
    for (lines, wanted) in [
        ("[destinations.main.event]\ndistribution = 4", "event.sharing_group_id: is missing"),
        ("[destinations.main.event]\nsharing_group_id = 4", "has no meaning with distribution 0"),
        ("[destinations.main.event]\ndistribution = 5", "from 0 to 4"),
        ("[destinations.main.event]\nthreat_level_id = 0", "from 1 to 4"),
        ("[destinations.main.event]\ntags = [\"misp-galaxy:x=\\\"y\\\"\"]", "reads as a galaxy"),
        ("[destinations.main.event]\ntags = [\"😀\"]", "cannot keep in a tag"),
        ("[destinations.main.event]\ntags = [1]", "is an integer; write texts"),
        ("[destinations.main.policy]\nallow_tlp = [\"purple\"]", "is not a TLP colour"),
        ("concurrency = 0", "from 1 to 32"),
        ("concurrency = \"many\"", "write a whole number from 1 to 32, or \"auto\""),
        ("concurrency = \"4\"", "write a whole number from 1 to 32, or \"auto\""),
        ("concurrency = true", "write a whole number from 1 to 32, or \"auto\""),
        ("client_key = \"k\"", "add client_cert"),
        ("api_key_file = \"k\"", "keep one of the two"),
        ("verify_every = \"1 day\"", "span of time"),
        ("verify_every = \"0s\"", "no time at all"),
        ("ca_bundle = \"~/ca.pem\"", "begins with `~`"),
        ("compression = \"zip\"", "one of \"auto\", \"smallest\", \"br\", \"gzip\", \"off\""),
    ] {
        let found = faults(&with_destination(lines)).join("\n");
        assert!(found.contains(wanted), "{lines}\n{found}");
    }
    let found = faults("[destinations.main]\n").join("\n");
    assert!(found.contains("main.url: is missing"), "{found}");
    assert!(found.contains("main.api_key_env: is missing"), "{found}");
    let found = faults(&with_destination("").replace("https://misp.example", "https://m/?a=b"));
    assert!(found[0].contains("query"), "{found:?}");
}

#[test]
fn feeds_are_checked() {
    let found = faults("[source]\nkind = \"misp\"\nurl = \"https://x\"\n");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("is not known here; write one of \"file\""), "{found:?}");
    assert!(faults("[source]\n[feeds.main]\n")[0].contains("keep one of the two"));
    assert!(faults("[feeds.\"a b\"]\n")[0].contains("cannot be a name"));
    assert!(faults("[source]\nkind = \"stdin\"\npath = \"x\"\n")[0].contains("remove it"));
    let many: String = (0..33).map(|n| format!("[feeds.f{n}]\n")).collect();
    assert!(faults(&many)[0].contains("at most 32"));
}

#[test]
fn broken_toml_has_its_place() {
    let found = faults("[store\npath = 1\n");
    assert!(found[0].starts_with(&format!("{FILE}:1:7: is not TOML: ")), "{found:?}");
    assert!(faults("version = 2\n")[0].contains("newer misp-trickle"));
    assert!(faults("store = 3\n")[0].contains("write a table: [store]"));
    // Of a page or of the configuration: lines to add begin with the table that they go into.
    for twice in ["[a]\nx = 1\n[a]\ny = 2\n", "[a]\n\nx = 1\nx = 2\n"] {
        let found = &faults(twice)[0];
        assert!(found.contains(if twice.contains('y') { ":3:" } else { ":4:" }), "{found}");
        assert!(found.contains("stand once"), "{found}");
    }
}

#[test]
fn a_file_saved_on_windows_is_read() {
    let config = good("\u{feff}[store]\r\npath = \"s\"\r\n");
    assert_eq!(config.store_path, Path::new("/etc/trickle/s"));
    let found = faults("\u{feff}[store]\r\n  pth = \"s\"\r\n");
    assert!(found[0].starts_with(&format!("{FILE}:2:3: store.pth")), "{found:?}");
}

#[test]
fn plain_http_is_fine_to_the_own_machine_only() {
    for (host, warnings) in [
        ("127.0.0.1:8099", 0),
        ("[::1]", 0),
        ("localhost", 0),
        ("misp.localhost", 0),
        ("localhost.example", 1),
        ("10.0.0.1", 1),
    ] {
        let text = with_destination("").replace("https://misp.example", &format!("http://{host}"));
        assert_eq!(good(&text).warnings.len(), warnings, "{host}");
    }
}

#[test]
fn a_name_is_needed_only_where_there_are_several() {
    let one = good(&with_destination(""));
    assert_eq!(one.destination(None).unwrap().name.as_str(), "main");
    assert!(one.destination(Some("hq")).unwrap_err().to_string().contains("main"));
    let none = good("");
    assert!(none.destination(None).unwrap_err().to_string().contains("[destinations.main]"));
    assert!(none.feed(None, None).unwrap_err().to_string().contains("--source"));
    let feed = none.feed(None, Some(Path::new("-"))).unwrap();
    assert_eq!((feed.name.as_str(), &local(&feed).place), ("main", &LocalPlace::Stdin));
    let two = good("[feeds.a]\n[feeds.b]\npath = \"x\"\n");
    assert!(two.feed(None, None).unwrap_err().to_string().contains("a, b"));
    let folder = tempfile::tempdir().unwrap();
    let feed = two.feed(Some("b"), Some(folder.path())).unwrap();
    assert_eq!(local(&feed).place, LocalPlace::Folder(Some(folder.path().to_owned())));
}

#[test]
fn a_missing_file_points_to_init() {
    let error = Config::load(Path::new("/nowhere/x.toml")).unwrap_err().to_string();
    assert!(error.contains("/nowhere/x.toml") && error.contains("misp-trickle init"), "{error}");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(
        text in "([a-z_.]{0,9}( = )?[\\[\\]{}\"',0-9a-z~:/@é😀]{0,12}\r?\n?){0,6}",
    ) {
        if let Err(ConfigError::Invalid { faults }) = parse(&text) {
            assert!(!faults.is_empty());
            for fault in faults {
                let crate::model::Locus::Line(line, column) = fault.place.locus else {
                    panic!("{fault} has no line");
                };
                assert!(line >= 1 && line <= text.matches('\n').count() + 1 && column >= 1);
            }
        }
    }
}

#[test]
fn what_is_repeated_of_a_configuration_has_an_end() {
    let long = "k".repeat(1 << 20);
    for text in [format!("{long} = 1\n"), format!("[store]\nprivate = \"{long}\"\n")] {
        let found = faults(&text).join("\n");
        assert!(!found.is_empty() && found.len() < 4_000, "{} bytes", found.len());
    }
}

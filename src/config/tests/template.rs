//! What `init` writes.

use super::*;
use crate::source::eiq_feed;

#[test]
fn the_rest_is_off_unless_written_and_needs_all_that_the_template_proposes() {
    let text = template(&init_args());
    assert_eq!(good(&text).mapping.rest, None);
    let on = text.replace("# rest", "rest");
    let rest = good(&on).mapping.rest.unwrap();
    assert_eq!(
        (rest.root.as_str(), rest.tlp),
        (&*format!("rest--{}", init_args().rest_uuid), Tlp::Green)
    );
    assert_eq!(&*rest.title, "Loose indicators");
    let printed = toml::to_string(&effective(&good(&on))).unwrap();
    assert_eq!(good(&printed).mapping.rest, Some(rest));
    for missing in ["rest_uuid", "rest_title", "rest_tlp"] {
        let found = faults(&on.replace(&format!("\n{missing}"), &format!("\n# {missing}")));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains("mapping.rest: needs `rest_uuid`, `rest_title` and `rest_tlp`"),
            "{found:?}"
        );
    }
    for (from, to, words) in [
        (
            "\"green\"                #",
            "\"none\" #",
            "mapping.rest_tlp: \"none\" is not known here",
        ),
        ("Loose indicators", " ", "mapping.rest_title: is blank"),
        ("-4c2b-8a6e", "-7c2b-8a6e", "mapping.rest_uuid: is no UUID that MISP takes"),
        ("9b3c7e5a", "x", "mapping.rest_uuid: is no UUID that MISP takes"),
    ] {
        assert!(on.contains(from), "{from}");
        let found = faults(&on.replace(from, to));
        assert!(found[0].contains(words) && found.len() == 1, "{words}: {found:?}");
    }
}

#[test]
fn the_template_says_the_defaults() {
    let config = good(&template(&init_args()));
    assert_eq!(config.store_path, Path::new("/etc/trickle/state"));
    assert_eq!(local(&config.feeds[0]).place, file("/etc/trickle/day \"1\".json"));
    assert_eq!(config.destinations[0].url.as_str(), "https://misp.example/misp/");
    assert_eq!(config.warnings, []);
    let minimal = good(&format!(
        "[source]\npath = 'day \"1\".json'\n{}",
        with_destination("").replace("misp.example", "misp.example/misp")
    ));
    let [minimal, config] = [minimal, config].map(|it| Config { named_files: vec![], ..it });
    assert_eq!(minimal, config, "what the template writes out is what is taken without it");
}

#[test]
fn a_template_with_a_key_file_parses() {
    let key = KeySource::File("keys/misp".into());
    let config = good(&template(&InitArgs { key, ..init_args() }));
    assert_eq!(config.destinations[0].key, KeySource::File("/etc/trickle/keys/misp".into()));
}

fn variable(name: &str) -> KeySource {
    KeySource::Env(name.to_owned())
}

/// A source of each kind, in each way to be let in, with what a configuration says of it at least.
fn sources() -> Vec<(InitSource, &'static str)> {
    let url = || "https://eiq.example".to_owned();
    let feed = |access| InitSource::EiqFeed { url: url(), feed: 12, access };
    let token = || KeySource::File("eiq \"token\"".into());
    let from_a_platform = FeedAccess::Token { from: token(), update_strategy: None };
    let public = FeedAccess::Public { update_strategy: eiq_feed::Strategy::Append };
    let taxii = |access| {
        let collections = vec!["b \"2\"".to_owned(), "a".to_owned()];
        InitSource::Taxii2 { url: url(), collections, access }
    };
    let user = |name: &str| TaxiiAccess::User { name: name.to_owned(), password: variable("P") };
    vec![
        (InitSource::File("a.json".to_owned()), "path = \"a.json\""),
        (InitSource::Folder("in".to_owned()), "path = \"in\""),
        (InitSource::Stdin, ""),
        (feed(from_a_platform), "feed = 12\ntoken_file = 'eiq \"token\"'"),
        (feed(public), "feed = 12\nupdate_strategy = \"append\""),
        (
            InitSource::EiqApi { url: url(), feed: 12, token: token() },
            "feed = 12\ntoken_file = 'eiq \"token\"'",
        ),
        (taxii(TaxiiAccess::Public), "collections = [\"a\", 'b \"2\"']"),
        (
            taxii(TaxiiAccess::Token(variable("T"))),
            "collections = [\"a\", 'b \"2\"']\ntoken_env = \"T\"",
        ),
        (
            taxii(user("{url}")),
            "collections = [\"a\", 'b \"2\"']\nusername = \"{url}\"\npassword_env = \"P\"",
        ),
    ]
}

#[test]
fn a_source_of_each_kind_is_written_with_its_defaults_and_no_fault() {
    let mut kinds = BTreeSet::new();
    for (source, least) in sources() {
        let kind = source.kind();
        let url =
            if kind.word().contains(['q', 'x']) { "url = \"https://eiq.example\"" } else { "" };
        let least = format!("[source]\nkind = \"{}\"\n{url}\n{least}\n", kind.word());
        let text = template(&InitArgs { source, ..init_args() });
        let (written, wanted) = (good(&text), good(&least));
        assert_eq!(written.feeds, wanted.feeds, "{text}");
        assert_eq!(written.warnings, []);
        assert!(text.lines().count() < 100, "{text}");
        for (setting, _) in text.lines().filter_map(|line| line.split_once(" #")) {
            let ends = setting.trim_end().chars().count().max(35);
            assert_eq!(setting.chars().count(), ends, "a word in its column: {setting:?}");
        }
        kinds.insert(kind.word());
    }
    assert_eq!(kinds, SourceKind::WORDS.iter().map(|(word, _)| *word).collect());
}

#[test]
fn the_policy_is_written_up_to_the_strictest_colour() {
    for (max_tlp, count) in Tlp::ALL.into_iter().zip(1..) {
        let text = template(&InitArgs { max_tlp, unmarked: Unmarked::Allow, ..init_args() });
        let policy = good(&text).destinations.remove(0).policy;
        assert_eq!((policy.allow_tlp.len(), policy.allow_tlp.last()), (count, Some(&max_tlp)));
        assert_eq!(policy.unmarked, Unmarked::Allow);
    }
}

proptest::proptest! {
    #[test]
    fn what_init_is_told_comes_back(
        source in "[^\u{0}~]{1,20}|\\{(key|url|store|source)\\}",
        store in "[a-z \"'\\\\#]{1,9}",
    ) {
        let config = good(&template(&InitArgs {
            source: InitSource::File(source.clone()),
            store: store.clone(),
            ..init_args()
        }));
        let folder = Path::new("/etc/trickle");
        assert_eq!(config.store_path, folder.join(store));
        assert_eq!(local(&config.feeds[0]).place, file(folder.join(source)));
    }
}

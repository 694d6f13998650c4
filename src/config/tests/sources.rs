//! Sources that are asked over HTTP.

use super::*;
use crate::source::eiq_feed::{self, Reach};

const EIQ: &str = "kind = \"eiq-feed\"\nurl = \"https://eiq.example/x\"\nfeed = 12\n";

fn eiq(config: &Config) -> &EiqFeedSource {
    match &config.feeds[0].source {
        FeedSource::EiqFeed(it) => it,
        other => panic!("{other:?}"),
    }
}

const TAXII: &str =
    "kind = \"taxii2\"\nurl = \"https://taxii.example/api1\"\ncollections = [\"b\", \"a\"]\n";

fn taxii(config: &Config) -> &TaxiiSource {
    match &config.feeds[0].source {
        FeedSource::Taxii2(it) => it,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_feed_of_a_platform_has_the_keys_of_every_connection() {
    let keys = "token_env = \"EIQ_TOKEN\"\nca_bundle = \"ca.pem\"\nclient_cert = \"c.pem\"\nclient_key = \"c.key\"\n\
                proxy = \"none\"\nverify_tls = false\ntimeout = \"90s\"\n";
    for table in ["source", "feeds.main", "feeds.main.source"] {
        let text = format!(
            "[{table}]\n{EIQ}{keys}[{table}.headers]\nX-Id = \"me\"\nX-Secret = {{ file = \"s\" }}\n"
        );
        let config = good(&text);
        let it = eiq(&config);
        assert_eq!((it.url.as_str(), it.feed), ("https://eiq.example/x/", 12));
        let from = KeySource::Env("EIQ_TOKEN".to_owned());
        assert_eq!(it.access, FeedAccess::Token { from, update_strategy: None });
        let destination = good(&format!(
            "{}[destinations.main.headers]\nX-Id = \"me\"\nX-Secret = {{ file = \"s\" }}\n",
            with_destination(&keys.replace("token_env = \"EIQ_TOKEN\"\n", ""))
        ));
        assert_eq!(it.connection, destination.destinations[0].connection);
        assert_eq!(config.warnings.len(), 1, "{:?}", config.warnings);
        assert!(config.warnings[0].what.contains("anyone on the way can read the token"));
        let printed = toml::to_string(&effective(&config)).unwrap();
        assert_eq!(good(&printed).feeds, config.feeds, "{printed}");
    }
}

#[test]
fn the_entities_of_a_feed_need_a_token() {
    let api = EIQ.replace("eiq-feed", "eiq-api");
    let config = good(&format!("[source]\n{api}token_file = \"t\"\ntimeout = \"90s\"\n"));
    let FeedSource::EiqApi(it) = &config.feeds[0].source else { panic!("{:?}", config.feeds) };
    assert_eq!((it.url.as_str(), it.feed), ("https://eiq.example/x/", 12));
    let printed = toml::to_string(&effective(&config)).unwrap();
    assert_eq!(good(&printed).feeds, config.feeds, "{printed}");
    let found = faults(&format!("[source]\n{api}"));
    assert!(found.len() == 1 && found[0].contains("source.token_env: is missing"), "{found:?}");
    let found =
        faults(&format!("[source]\n{api}token_env = \"T\"\nupdate_strategy = \"append\"\n"));
    assert!(found.len() == 1 && found[0].contains("update_strategy"), "{found:?}");
}

#[test]
fn a_feed_without_a_token_is_public_and_says_what_it_packages() {
    let config = good(&format!("[source]\n{EIQ}update_strategy = \"append\"\n"));
    assert_eq!(eiq(&config).access.reach(), Reach::Public(eiq_feed::Strategy::Append));
    let printed = toml::to_string(&effective(&config)).unwrap();
    assert_eq!(good(&printed).feeds, config.feeds, "{printed}");
    let config =
        good(&format!("[source]\n{EIQ}token_file = \"t\"\nupdate_strategy = \"replace\"\n"));
    assert_eq!(eiq(&config).access.reach(), Reach::Token(Some(eiq_feed::Strategy::Replace)));
    let found = faults(&format!("[source]\n{EIQ}"));
    assert!(found.len() == 1 && found[0].contains("source.token_env: is missing"), "{found:?}");
}

#[test]
fn what_a_feed_of_a_platform_cannot_be_is_told() {
    let token = "token_env = \"T\"\n";
    for (lines, wanted) in [
        ("kind = \"eiq-feed\"\nfeed = 1\ntoken_env = \"T\"\n", "source.url: is missing"),
        (
            "kind = \"eiq-feed\"\nurl = \"https://x\"\ntoken_env = \"T\"\n",
            "source.feed: is missing",
        ),
        (&*format!("{EIQ}{token}token_file = \"t\"\n"), "stands beside token_env"),
        (
            &*format!("{EIQ}{token}update_strategy = \"diff\"\n"),
            "write one of \"auto\", \"replace\", \"append\"",
        ),
        (&*format!("{EIQ}{token}path = \"x\"\n"), "source.path: is not a known key"),
        (&*format!("{EIQ}token = \"hunter2\"\n{token}"), "source.token: is a secret"),
        (
            &*format!("{EIQ}token_env = \"0123456789abcdef0123456789abcdef\"\n"),
            "looks like a token itself",
        ),
        (
            &*format!("{EIQ}{token}headers = {{ Authorization = {{ env = \"A\" }} }}\n"),
            "the header that the token is in",
        ),
        (&*format!("{EIQ}{token}").replace("12", "0"), "out of range"),
    ] {
        let found = faults(&format!("[source]\n{lines}")).join("\n");
        assert!(found.contains(wanted), "{lines}\n{found}");
        assert!(!found.contains("hunter2") && !found.contains("0123456789"), "{found}");
    }
    // Beside a table of its own, a feed has no keys of a source.
    let found = faults(&format!("[feeds.a]\npath = \"x\"\n[feeds.a.source]\n{EIQ}{token}"));
    assert!(found[0].contains("feeds.a.path: is not a known key"), "{found:?}");
    let found = faults(&format!("[source.source]\n{EIQ}{token}"));
    assert!(found[0].contains("source.source: is not a known key"), "{found:?}");
}

#[test]
fn only_a_folder_is_given_time_to_be_filled() {
    let folder = good("[source]\nkind = \"folder\"\npath = \"in\"\n");
    assert_eq!(local(&folder.feeds[0]).quiet, Duration::from_secs(10));
    let longer = good("[source]\nkind = \"folder\"\npath = \"in\"\nquiet = \"1m\"\n");
    assert_eq!(local(&longer.feeds[0]).quiet, Duration::from_secs(60));
    assert_eq!(good(&toml::to_string(&effective(&longer)).unwrap()).feeds, longer.feeds);
    let file = faults("[source]\npath = \"in.json\"\nquiet = \"1m\"\n");
    assert!(file[0].contains("source.quiet") && file[0].contains("is for folders"), "{file:?}");
}

#[test]
fn collections_are_read_by_everybody_by_a_token_or_by_a_user() {
    let env = |name: &str| KeySource::Env(name.to_owned());
    let user = TaxiiAccess::User { name: "me".to_owned(), password: env("TAXII_PASSWORD") };
    for (lines, wanted) in [
        ("", TaxiiAccess::Public),
        ("token_env = \"TAXII_TOKEN\"\n", TaxiiAccess::Token(env("TAXII_TOKEN"))),
        ("username = \"me\"\npassword_env = \"TAXII_PASSWORD\"\n", user),
    ] {
        let config = good(&format!("[source]\n{TAXII}{lines}"));
        let it = taxii(&config);
        assert_eq!((it.url.as_str(), &it.access), ("https://taxii.example/api1/", &wanted));
        assert_eq!(it.collections, ["a", "b"]);
        assert_eq!(it.overlap, Duration::from_mins(10));
        assert_eq!(it.manifest_every, Some(Duration::from_hours(24)));
        let printed = toml::to_string(&effective(&config)).unwrap();
        assert_eq!(good(&printed).feeds, config.feeds, "{printed}");
    }
    let lines = "overlap = \"1h\"\nmanifest_every = \"never\"\nproxy = \"none\"\n";
    let config = good(&format!("[source]\n{TAXII}{lines}"));
    let it = taxii(&config);
    assert_eq!((it.overlap, it.manifest_every), (Duration::from_hours(1), None));
    assert_eq!(good(&toml::to_string(&effective(&config)).unwrap()).feeds, config.feeds);
    assert_eq!(
        config.feeds[0].source.asked().unwrap(),
        "collections a, b of https://taxii.example/api1/"
    );
}

#[test]
fn what_collections_cannot_be_is_told() {
    let with = |collections: &str| TAXII.replace("[\"b\", \"a\"]", collections);
    let many = format!("[{}]", (0..33).map(|n| format!("\"{n}\",")).collect::<String>());
    for (lines, wanted) in [
        ("kind = \"taxii2\"\ncollections = [\"a\"]\n", "source.url: is missing"),
        ("kind = \"taxii2\"\nurl = \"https://x\"\n", "source.collections: names no collection"),
        (&*with("[]"), "names no collection"),
        (&*with("[\"a\", \"a\"]"), "is there twice"),
        (&*with("[\"../a\"]"), "cannot be the id or alias of a collection"),
        (&*with("[\"..\"]"), "cannot be the id or alias of a collection"),
        (&*with(&many), "name at most 32"),
        (&*format!("{TAXII}username = \"me\"\n"), "source.username: has no password"),
        (&*format!("{TAXII}password_env = \"P\"\n"), "source.username: is missing"),
        (
            &*format!("{TAXII}token_env = \"T\"\nusername = \"me\"\npassword_env = \"P\"\n"),
            "keep the token, or username and password",
        ),
        (
            &*format!("{TAXII}username = \"a:b\"\npassword_env = \"P\"\n"),
            "cannot be the name of a user",
        ),
        (&*format!("{TAXII}password = \"hunter2\"\n"), "source.password: is a secret"),
        (
            &*format!(
                "{TAXII}username = \"me\"\npassword_env = \"P\"\nheaders = {{ Authorization = {{ env = \"A\" }} }}\n"
            ),
            "the header that the password is in",
        ),
        (&*format!("{TAXII}overlap = \"0s\"\n"), "is no time at all"),
        (&*format!("{TAXII}path = \"x\"\n"), "source.path: is not a known key"),
    ] {
        let found = faults(&format!("[source]\n{lines}")).join("\n");
        assert!(found.contains(wanted), "{lines}\n{found}");
        assert!(!found.contains("hunter2"), "{found}");
    }
}

#[test]
fn a_password_may_hold_more_than_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let read = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let secret = KeySource::File(file.clone()).read_password("feeds.main");
        secret.map(|secret| secret.expose().to_owned()).map_err(|error| error.to_string())
    };
    assert_eq!(read("two words \u{e4}\r\n").unwrap(), "two words \u{e4}");
    for (text, wanted) in [("\n", "it is empty"), ("one\ntwo\n", "it holds a line end")] {
        let error = read(text).unwrap_err();
        assert!(error.contains("password") && error.contains(wanted), "{error}");
        assert!(!error.contains("two"), "{error}");
    }
}

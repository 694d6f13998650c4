//! Sources that are asked over HTTP.

use super::*;
use crate::source::eiq_feed::{self, Reach};

const EIQ: &str = "kind = \"eiq-feed\"\nurl = \"https://eiq.example/x\"\nfeed = 12\n";

fn eiq(config: &Config) -> &EiqFeedSource {
    match &config.feeds[0].source {
        FeedSource::EiqFeed(it) => it,
        FeedSource::Local(it) => panic!("{it:?}"),
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

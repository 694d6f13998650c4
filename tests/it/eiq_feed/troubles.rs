//! What a platform and the way to it do wrong, and what becomes of the pull.

use super::*;

#[test]
fn a_damaged_block_of_a_feed_that_replaces_lets_nothing_count_as_gone() {
    let first = day(0..4, 1, 1);
    let mut world = World::with(Packaged::Replace, &first);
    world.pulled();
    let second = [day(1..3, 1, 1), day(3..5, 2, 2)].concat();
    world.put(&second);
    let page = Trouble::Page("<html><title>Maintenance</title></html>".to_owned());
    // The second block, in whichever of the tries.
    world.trouble("content-blocks/6", 0, 9, page);
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, fold.is_whole(), fold.damaged().len()), (Pulled::Delta, false, 1));
    assert!(fold.damaged()[0].document.contains("feed 12 block 6"), "{:?}", fold.damaged());
    assert!(world.notes[0].contains("content block 6 cannot be read"), "{:?}", world.notes);
    // The first day is there yet, and what came of the second.
    let both = [day(0..3, 1, 1), day(3..5, 2, 2)].concat();
    assert_eq!(world.told(&fold), read(&both));
    // As long as it stands, that block alone is asked for.
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, world.requests), (Pulled::Unchanged, 4));
    assert!(!fold.is_whole());
    assert!(world.notes[0].contains("content block 6 still cannot be read"), "{:?}", world.notes);
    world.command(json!({"do": "clear"}));
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, fold.is_whole()), (Pulled::Whole, true));
    assert_eq!(world.told(&fold), read(&second));
}

#[test]
fn a_damaged_block_of_a_feed_that_appends_is_read_with_all_behind_it() {
    let first = day(0..4, 1, 1);
    let mut world = World::with(Packaged::Append, &first);
    world.trouble("content-blocks/2", 0, 2, Trouble::Page("no".to_owned()));
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, fold.damaged().len()), (Pulled::Delta, 1));
    assert_eq!(world.told(&fold), read(&[day(0..1, 1, 1), day(2..4, 1, 1)].concat()));
    // It stands, and what is new comes all the same.
    world.put(&day(0..5, 1, 1));
    let (_, fold) = world.pulled();
    assert_eq!((fold.damaged().len(), world.requests), (1, 5));
    // It is sound again: with all behind it, in the order of their numbers.
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, fold.damaged().len(), world.requests), (Pulled::Delta, 0, 3 + 1 + 4));
    assert_eq!(world.told(&fold), read(&day(0..5, 1, 1)));
    assert_eq!((world.pulled().0, world.requests), (Pulled::Unchanged, 1));
}

#[test]
fn a_damaged_object_is_told_with_feed_block_and_place() {
    let elements = [day(0..1, 1, 1), vec![json!(7)], day(1..2, 1, 1)].concat();
    let mut world = World::with(Packaged::Replace, &elements);
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, fold.is_whole()), (Pulled::Whole, false));
    let [damage] = fold.damaged() else { panic!("{:?}", fold.damaged()) };
    let shown = damage.to_string();
    assert!(shown.starts_with("feed 12 block 2#/entities/0: "), "{shown}");
    assert_eq!(world.told(&fold), read(&day(0..2, 1, 1)));
}

#[test]
fn what_cannot_be_delivered_is_refused_with_words() {
    let elements = day(0..1, 1, 1);
    let mut world = World::with(Packaged::Diff, &elements);
    let error = world.fault();
    assert!(error.contains("DIFF") && error.contains("REPLACE"), "{error}");
    let mut world = World::with(Packaged::Append, &elements);
    world.reach = Reach::Token(Some(Strategy::Replace));
    let error = world.fault();
    assert!(error.contains("is append, and the configuration says replace"), "{error}");
    world.reach = Reach::Token(Some(Strategy::Append));
    assert_eq!(world.pulled().0, Pulled::Delta);
}

#[test]
fn the_right_or_object_that_is_missing_is_named() {
    let elements = day(0..1, 1, 1);
    let mut world = World::with(Packaged::Replace, &elements);
    world.token = "another-token";
    let error = world.fault();
    assert!(error.contains("HTTP 401") && error.contains("make a new API token"), "{error}");
    assert!(!error.contains("another-token"), "{error}");
    world.token = TOKEN;
    world.command(json!({"do": "permit", "permissions": ["read entities"]}));
    let error = world.fault();
    assert!(error.contains("HTTP 403") && error.contains("`read outgoing-feeds`"), "{error}");
    let setup = Setup { feed: 13, ..Setup::new(12, Packaged::Replace) };
    let mut world = World::new(setup, &elements);
    let error = world.pull().0.unwrap_err();
    assert!(matches!(error, FeedError::NoFeed { feed: 12, .. }), "{error}");
    assert!(error.to_string().contains("there is no outgoing feed 12"), "{error}");
    assert_eq!(world.rests(), [0; 0], "nothing of this is tried again");
}

#[test]
fn a_platform_without_the_public_api_has_the_document_too() {
    let elements = day(0..3, 1, 1);
    for strategy in [Packaged::Replace, Packaged::Append] {
        let setup = Setup { paths: Paths::Private, ..Setup::new(12, strategy) };
        let mut world = World::new(setup, &elements);
        let (_, fold) = world.pulled();
        assert_eq!(world.told(&fold), read(&elements));
        // Nobody says when the last run was, so the list is asked for.
        assert_eq!((world.pulled().0, world.requests), (Pulled::Unchanged, 3));
    }
}

#[test]
fn a_public_feed_counts_once_its_list_stood_still() {
    let elements = day(0..4, 1, 1);
    let setup = Setup { block_elements: 3.try_into().ok(), ..Setup::new(12, Packaged::Replace) };
    let mut world = World::new(Setup { is_public: true, ..setup }, &elements);
    world.reach = Reach::Public(Strategy::Replace);
    // That no token is sent shows in that a wrong one does no harm.
    world.token = "another-token";
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, world.rests()), (Pulled::Whole, vec![30]));
    assert_eq!(world.told(&fold), read(&elements));
    assert_eq!((world.pulled().0, world.requests, world.rests()), (Pulled::Unchanged, 1, vec![]));
    // Half of a run is in the list when it is first asked for.
    let second = day(1..6, 2, 1);
    world.command(json!({"do": "hold"}));
    world.put(&second);
    world.command(json!({"do": "begin"}));
    world.meanwhile.lock().unwrap().push(Command::Finish);
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, world.rests()), (Pulled::Whole, vec![30, 30]));
    assert_eq!(world.told(&fold), read(&second));
}

#[test]
fn bundles_are_taken_like_packages() {
    let bundle = json!({"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "incident", "id": "incident--7c1e0000-0000-4000-8000-000000000001", "name": "One",
            "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "labels": ["tlp:green"]},
        {"type": "indicator", "id": "indicator--7c1e0000-0000-4000-8000-000000000002", "name": "Two",
            "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "labels": ["tlp:green"],
            "pattern": "[domain-name:value = 'a.example']", "pattern_type": "stix"},
        {"type": "relationship", "id": "relationship--7c1e0000-0000-4000-8000-000000000003",
            "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z",
            "relationship_type": "related-to",
            "source_ref": "incident--7c1e0000-0000-4000-8000-000000000001",
            "target_ref": "indicator--7c1e0000-0000-4000-8000-000000000002"},
    ]})
    .to_string();
    let mut world = World::with(Packaged::Replace, &[]);
    let stix = Dataset::read(bundle.as_bytes()).unwrap();
    world.platform.lock().unwrap().replace(stix, now());
    let (pulled, fold) = world.pulled();
    assert_eq!(pulled, Pulled::Whole);
    let whole = format::decode(bundle.as_bytes(), &Symbol::new("x"), Format::Stix21).unwrap();
    assert_eq!(world.told(&fold), told(whole));
    assert_eq!(world.told(&fold).len(), 1);
}

#[test]
fn a_list_without_blocks_says_nothing() {
    for strategy in [Packaged::Replace, Packaged::Append] {
        let mut world = World::with(strategy, &day(0..2, 1, 1));
        let (_, before) = world.pulled();
        world.command(json!({"do": "package"}));
        world.command(json!({"do": "purge"}));
        let (pulled, fold) = world.pulled();
        assert_eq!((pulled, fold.digest()), (Pulled::Unchanged, before.digest()));
        assert!(world.notes[0].contains("no content block is listed"), "{:?}", world.notes);
    }
}

#[test]
fn a_platform_that_wants_rest_gets_it_within_bounds() {
    let elements = day(0..1, 1, 1);
    let mut world = World::with(Packaged::Replace, &elements);
    world.trouble("", 0, 1, Trouble::Busy("40".to_owned()));
    world.trouble("", 1, 2, Trouble::Status(503));
    assert_eq!(world.pulled().0, Pulled::Whole);
    let rests = world.rests();
    assert!(
        rests.len() == 3 && rests[0] == 40 && rests[1..].iter().all(|rest| *rest <= 2),
        "{rests:?}"
    );
    let mut world = World::with(Packaged::Replace, &elements);
    world.trouble("", 0, 9, Trouble::Busy("86400".to_owned()));
    let error = world.fault();
    assert!(error.contains("left alone for 86400 s"), "{error}");
    assert_eq!((world.requests, world.rests()), (1, vec![]));
    // Never more than is granted in all.
    world.command(json!({"do": "clear"}));
    world.trouble("", 0, 9, Trouble::Busy("400".to_owned()));
    assert!(world.fault().contains("left alone for 1200 s"));
    assert_eq!(world.rests(), [400, 400]);
    world.command(json!({"do": "clear"}));
    world.trouble("", 0, 99, Trouble::Status(502));
    let error = world.fault();
    assert!(error.contains("HTTP 502: This was asked for; asked 5 times"), "{error}");
    assert_eq!(world.requests, 5);
}

#[test]
fn a_lost_link_costs_only_the_block_under_way() {
    for strategy in [Packaged::Replace, Packaged::Append] {
        let first = day(0..5, 1, 3);
        let mut world = World::with(strategy, &first);
        // Once is not told.
        world.trouble(BLOCKS, 0, 1, Trouble::Cut(100));
        world.trouble(BLOCKS, 2, 99, Trouble::Cut(100));
        let error = world.fault();
        assert!(
            error.contains("the connection broke before the whole answer was there"),
            "{error}"
        );
        world.command(json!({"do": "clear"}));
        let (_, fold) = world.pulled();
        // Two of five were taken before it broke.
        assert_eq!(world.requests, 3 + 3, "{strategy:?}");
        assert_eq!(world.told(&fold), read(&first));
        assert_eq!(fold.is_whole(), strategy == Packaged::Replace);
    }
}

#[test]
fn what_was_taken_of_a_run_is_not_gone_on_with_in_another() {
    for recreated in [false, true] {
        let mut world = World::with(Packaged::Replace, &day(0..4, 1, 1));
        world.trouble(BLOCKS, 2, 99, Trouble::Status(503));
        assert!(world.fault().contains("HTTP 503"));
        world.command(json!({"do": "clear"}));
        world.command(json!({"do": "hold"}));
        let second = day(2..6, 2, 2);
        world.put(&second);
        match recreated {
            true => world.command(json!({"do": "recreate", "from_one": true})),
            false => world.command(json!({"do": "package"})),
        }
        let (pulled, fold) = world.pulled();
        assert_eq!((pulled, world.requests), (Pulled::Whole, 3 + 4));
        assert_eq!(world.told(&fold), read(&second));
    }
}

#[test]
fn a_pull_that_dies_anywhere_is_made_good_by_the_next() {
    for strategy in [Packaged::Replace, Packaged::Append] {
        let (first, second) = (day(0..3, 1, 1), [day(0..2, 1, 1), day(2..5, 2, 2)].concat());
        for steps in 0.. {
            let mut world = World::with(strategy, &first);
            world.pulled();
            world.put(&second);
            world.files.die_after(steps);
            let mut feed = world.feed();
            let died = world.runtime.block_on(world.mirror().pull(&mut feed));
            let has_died = !matches!(died, Ok((Ok(_), _)));
            let mut seed = steps;
            world.files.restart(&mut |below| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                usize::try_from(seed >> 33).unwrap() % below
            });
            let (_, fold) = world.pulled();
            assert_eq!(world.told(&fold), read(&second), "{strategy:?} after {steps}");
            if !has_died {
                break;
            }
        }
    }
}

#[test]
fn what_drips_or_says_nothing_is_given_up() {
    let mut world = World::with(Packaged::Replace, &day(0..1, 1, 9));
    (world.timeout, world.tries_max) = (Duration::from_secs(1), 1);
    world.trouble(BLOCKS, 0, 9, Trouble::Slow(20));
    let error = world.fault();
    assert!(error.contains("fewer than 100 bytes a second come"), "{error}");
    world.command(json!({"do": "clear"}));
    world.trouble("", 0, 1, Trouble::Silent);
    let error = world.fault();
    assert!(error.contains("within 1 s; asked 1 times; if the platform is only slow"), "{error}");
    world.command(json!({"do": "clear"}));
    // Slow, and longer under way than the time-out: it comes, and is waited for.
    world.trouble(BLOCKS, 0, 1, Trouble::Slow(1_000));
    assert_eq!(world.pulled().0, Pulled::Whole);
}

#[test]
fn no_redirect_is_followed_but_for_a_slash() {
    let world = World::with(Packaged::Replace, &day(0..1, 1, 1));
    let peer = Peer::new(&world.access(), world.time()).unwrap();
    let get = |path: &str| world.runtime.block_on(peer.get(path, 10_000));
    assert!(get("private/outgoing-feed-download/12").unwrap().bytes() > 20);
    for to in [
        "https://elsewhere.example/private/outgoing-feeds/12/",
        "http://127.0.0.1:1/login",
        "/private/outgoing-feeds/13/",
    ] {
        world.trouble("", 0, 1, Trouble::Redirect(to.to_owned()));
        match get("private/outgoing-feeds/12") {
            Err(PeerError { wrong: Wrong::Redirected { to: shown }, .. }) => {
                assert!(shown.ends_with(to), "{shown}");
            }
            other => panic!("{to}: {other:?}"),
        }
    }
    // One to another port is asked for where the token may go.
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let to = format!("http://{}/private/outgoing-feeds/12/", elsewhere.local_addr().unwrap());
    world.trouble("", 0, 1, Trouble::Redirect(to));
    assert!(get("private/outgoing-feeds/12").unwrap().bytes() > 20);
    assert_eq!(elsewhere.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    // One that goes round in circles ends.
    world.trouble("", 0, 9, Trouble::Redirect("/private/outgoing-feeds/12//".to_owned()));
    let round = get("private/outgoing-feeds/12/");
    assert!(matches!(round, Err(PeerError { wrong: Wrong::Redirected { .. }, .. })), "{round:?}");
    // Longer than is read.
    world.command(json!({"do": "clear"}));
    let long = world.runtime.block_on(peer.get("private/outgoing-feeds/12", 10));
    assert!(matches!(long, Err(PeerError { wrong: Wrong::TooLarge { bytes_max: 10 }, .. })));
}

#[test]
fn a_platform_that_repeats_the_token_does_not_bring_it_into_a_message() {
    let mut world = World::with(Packaged::Replace, &day(0..1, 1, 1));
    for page in [
        format!("<html><title>{TOKEN}</title>"),
        format!("{{\"data\": {{\"content_type\": \"{TOKEN}\"}}}}"),
        format!("{{\"data\": {{\"content_type\": \"\\u0064{}\"}}}}", &TOKEN[1..]),
    ] {
        world.trouble("/outgoing-feeds/", 0, 2, Trouble::Page(page));
        let error = world.fault();
        assert!(error.contains("(the key)"), "{error}");
        world.command(json!({"do": "clear"}));
    }
    let list = format!("{{\"data\": {{\"content_blocks\": [\"/x/{TOKEN}\"]}}}}");
    world.trouble("/runs/latest", 0, 1, Trouble::Page(list));
    let error = world.fault();
    assert!(error.contains("\"/x/(the key)\" is no link to a content block"), "{error}");
}

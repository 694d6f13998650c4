//! What a server and the way to it do wrong, and what becomes of the pull.

use std::{io::Write, net::TcpListener, thread, time::Instant};

use misp_trickle_testing::front::Message;

use super::*;

#[test]
fn a_page_that_did_not_come_is_not_asked_for_again() {
    for (objects, one_stamp) in
        [(Paging::Place, false), (Paging::Pops, false), (Paging::Pops, true)]
    {
        let mut world = World::one(Ways { objects, one_stamp, ..Ways::default() });
        world.taxii.post("reports", &incidents(0..10), 0);
        world.taxii.trouble("next=", 1, 1, Trouble::Cut(20));
        world.taxii.trouble("next=", 2, 1, Trouble::Say(503, "Retry-After: 7", ""));
        let (pulled, fold) = world.pulled();
        assert_eq!(pulled, Pulled::Whole);
        world.is_whole(&fold);
        let rests: Vec<u64> = world.rests.lock().unwrap().iter().map(Duration::as_secs).collect();
        assert_eq!((rests.len(), rests[1]), (2, 7));
    }
}

#[test]
fn a_list_that_the_server_forgot_is_read_again() {
    let mut world = World::one(Ways { objects: Paging::Pops, ..Ways::default() });
    world.taxii.post("reports", &incidents(0..5), 0);
    world.taxii.trouble("next=", 1, 1, Trouble::Say(400, "", r#"{"title": "no such list"}"#));
    let (_, fold) = world.pulled();
    world.is_whole(&fold);
}

#[test]
fn a_lost_link_keeps_what_came_and_the_next_pull_goes_on_from_there() {
    let mut world = World::one(Ways::default());
    world.taxii.post("reports", &incidents(0..8), 0);
    world.taxii.advance(30 * MINUTE);
    // Whatever begins again ends there as well.
    world.taxii.trouble("objects/", 3, 100, Trouble::Cut(20));
    let (pulled, fold) = world.pull();
    let error = pulled.unwrap_err().to_string();
    assert!(error.contains("the connection broke"), "{error}");
    assert!(fold.is_empty());
    world.taxii.clear();
    world.taxii.asked();
    let (pulled, fold) = world.pulled();
    assert_eq!(pulled, Pulled::Whole);
    world.is_whole(&fold);
    assert!(world.taxii.asked().len() < 7, "it goes on where it was");
    // What was read up to the break is read once more, and then no more.
    for _ in 0..2 {
        world.pulled();
        world.taxii.advance(30 * MINUTE);
    }
    // The same of a later pull: what came of it is there.
    world.taxii.post("reports", &incidents(8..16), 0);
    world.taxii.advance(30 * MINUTE);
    world.taxii.trouble("next=", 2, 100, Trouble::Cut(20));
    world.taxii.trouble("objects/", 4, 100, Trouble::Cut(20));
    let (pulled, fold) = world.pull();
    assert!(pulled.is_err() && fold.objects() > 24, "{pulled:?}");
    world.taxii.clear();
    let (_, fold) = world.pulled();
    world.is_whole(&fold);
}

#[test]
fn what_never_comes_to_its_end_is_told_and_loses_nothing() {
    let mut world = World::one(Ways { one_stamp: true, ..Ways::default() });
    world.taxii.post("reports", &incidents(0..4), 0);
    world.pulled();
    world.taxii.advance(30 * MINUTE);
    world.taxii.post("reports", &incidents(4..8), 0);
    world.taxii.trouble("next=", 0, 1_000, Trouble::Cut(20));
    let error = world.fault();
    assert!(error.contains("collection reports cannot be read to its end: "), "{error}");
    assert!(error.contains("begun 5 times from there; what came is kept"), "{error}");
    world.taxii.clear();
    let (_, fold) = world.pulled();
    world.is_whole(&fold);
}

#[test]
fn a_server_that_gives_the_same_page_for_ever_is_found_out() {
    let mut world = World::one(Ways::default());
    world.taxii.post("reports", &incidents(0..1), 0);
    let page = r#"{"more": true, "next": "x", "objects": [{"type": "incident", "id": "incident--1", "name": "x"}]}"#;
    world.taxii.trouble("objects/", 0, 1_000, Trouble::Say(200, "", page));
    let error = world.fault();
    assert!(error.contains("a page of it came before"), "{error}");
}

/// Pages that come in turns, and pages without anything that never end, are no beginning of anything else.
#[test]
fn a_server_that_never_comes_to_an_end_is_found_out() {
    let page = |name: &str| {
        let page = r#"{"more": true, "next": "x", "objects": [{"type": "incident", "id": "incident--1", "name": "NAME"}]}"#;
        Trouble::Say(200, "", page.replace("NAME", name).leak())
    };
    let empty = Trouble::Say(200, "", r#"{"more": true, "next": "x", "objects": []}"#);
    for (turns, why) in [
        (vec![page("a"), page("b")], "a page of it came before"),
        (vec![empty], "pages in a row have nothing on them"),
    ] {
        let mut world = World::one(Ways::default());
        world.taxii.post("reports", &incidents(0..1), 0);
        for turn in turns.iter().cycle().take(2_000) {
            world.taxii.trouble("objects/", 0, 1, turn.clone());
        }
        let error = world.fault();
        assert!(error.contains("cannot be read to its end") && error.contains(why), "{error}");
        assert_eq!(world.rests.lock().unwrap().len(), 4);
    }
}

/// Where servers say wrong things of time, no stamp of them bounds what is read again.
#[test]
fn a_page_that_says_a_wrong_stamp_hides_nothing_behind_a_break() {
    for dies in [false, true] {
        let mut world = World::one(Ways { newest_is_last: true, ..Ways::default() });
        world.taxii.post("reports", &incidents(0..10), 0);
        world.taxii.advance(30 * MINUTE);
        world.taxii.trouble("next=", 1, 1, Trouble::Cut(20));
        if dies {
            world.taxii.trouble("added_after", 0, 1_000, Trouble::Cut(20));
            world.taxii.trouble("objects/", 3, 1_000, Trouble::Cut(20));
            world.fault();
            world.taxii.clear();
        }
        let (_, fold) = world.pulled();
        world.is_whole(&fold);
        // The same of a later pull.
        world.taxii.post("reports", &incidents(10..20), 0);
        world.taxii.advance(30 * MINUTE);
        world.taxii.trouble("next=", 1, 1, Trouble::Cut(20));
        if dies {
            world.taxii.trouble("objects/", 3, 1_000, Trouble::Cut(20));
            world.fault();
            world.taxii.clear();
        }
        let (_, fold) = world.pulled();
        world.is_whole(&fold);
    }
}

/// What a server says of a refusal is waited for no longer than for an answer.
#[test]
fn words_that_drip_are_waited_for_no_longer_than_an_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        Message::read(&mut client);
        let drips = std::iter::repeat_n("a", 100);
        for part in ["HTTP/1.1 400 X\r\ncontent-length: 60000\r\n\r\n"].into_iter().chain(drips) {
            thread::sleep(Duration::from_millis(100));
            if client.write_all(part.as_bytes()).is_err() {
                return;
            }
        }
    });
    let mut world = World::one(Ways::default());
    (world.url, world.timeout, world.tries_max) = (url, Duration::from_secs(1), 1);
    let begun = Instant::now();
    let error = world.fault();
    assert!(error.contains("HTTP 400: it answers "), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn a_page_for_people_is_no_page() {
    let mut world = World::one(Ways::default());
    world.taxii.post("reports", &incidents(0..3), 0);
    let page = Trouble::Say(200, "Content-Type: text/html", "<html><title>Log in</title></html>");
    world.taxii.trouble("objects/", 1, 2, page.clone());
    let (_, fold) = world.pulled();
    world.is_whole(&fold);
    world.taxii.trouble("collections/reports/", 0, 1, page);
    let error = world.fault();
    assert!(error.contains("the web page \"Log in\"; check `url`"), "{error}");
}

#[test]
fn a_damaged_object_is_told_with_its_place_and_asked_for_again() {
    let mut world = World::one(Ways::default());
    world.taxii.post("reports", &incidents(0..2), 0);
    let whole = incident(2, 0);
    let broken = whole[0].to_string().replace("\"type\":\"incident\"", "\"type\":\"\"");
    world.taxii.post_texts("reports", &[broken.clone(), "7".to_owned()], 0);
    world.taxii.post("reports", &incidents(3..4), 0);
    let (_, fold) = world.pulled();
    assert!(!fold.is_whole());
    let shown: Vec<String> = fold.damaged().iter().map(ToString::to_string).collect();
    assert_eq!(shown.len(), 2, "{shown:?}");
    let place = "collection reports from the beginning page 2#/objects/";
    assert!(shown.iter().all(|shown| shown.starts_with(place)), "{shown:?}");
    assert!(shown.iter().any(|shown| shown.contains(&id("incident", 2))), "{shown:?}");
    // It stands for as long as it is there, and what is new comes all the same.
    world.taxii.post("reports", &incidents(4..5), 0);
    world.taxii.advance(30 * MINUTE);
    let (_, fold) = world.pulled();
    // What has no id is told of each reading that it was in.
    assert_eq!(fold.damaged().len(), 3);
    world.is_whole(&fold);
    // Mended in its place: who has an id is asked for at once, the other with the next manifest.
    world.taxii.mend("reports", &broken, &whole[0]);
    world.taxii.mend("reports", "7", &whole[1]);
    let (_, fold) = world.pulled();
    assert!(fold.damaged().iter().all(|damage| damage.id.is_none()), "{:?}", fold.damaged());
    assert!(!fold.damaged().is_empty());
    world.taxii.advance(DAY);
    let (_, fold) = world.pulled();
    assert_eq!(fold.damaged(), []);
    assert!(fold.is_whole());
    world.is_whole(&fold);
}

#[test]
fn what_the_server_refuses_is_told_with_what_to_do() {
    let basic = "Basic YWRtaW46YWRtaW4tcHc=";
    let ways = Ways { authorization: Some(basic.to_owned()), ..Ways::default() };
    let mut world = World::one(ways);
    let user = |password: &str| {
        let password = Secret::new(password.to_owned());
        Some(Credentials::User { name: "admin".to_owned(), password })
    };
    world.credentials = user("admin-pw");
    world.taxii.post("reports", &incidents(0..1), 0);
    world.pulled();
    let echo = Trouble::Say(500, "", r#"{"title": "admin-pw is YWRtaW46YWRtaW4tcHc="}"#);
    world.taxii.trouble("collections", 0, 9, echo);
    let error = world.fault();
    assert!(error.contains("(the key) is (the key)"), "{error}");
    world.taxii.clear();
    world.credentials = user("another");
    let error = world.fault();
    assert!(
        error.contains("HTTP 401: Unauthorized; the token, or user name and password"),
        "{error}"
    );
    world.credentials = Some(Credentials::Token(Secret::new("token-17".to_owned())));
    world.taxii.state().ways.authorization = Some("Bearer token-17".to_owned());
    world.pulled();
    world.taxii.trouble("collections", 0, 1, Trouble::Say(406, "", ""));
    let error = world.fault();
    assert!(error.contains("HTTP 406; the server does not speak TAXII 2.1 there"), "{error}");
    world.taxii.hide("reports", true);
    let error = world.fault();
    assert!(error.contains("collection reports may not be read"), "{error}");
    world.taxii.hide("reports", false);
    world.settings.collections = vec!["rapports".to_owned()];
    let error = world.fault();
    assert!(error.contains("there is no collection rapports"), "{error}");
    assert!(error.ends_with("into `collections`: reports (Title of reports)"), "{error}");
    world.url = world.taxii.url().replace("/api1/", "/taxii2/");
    let error = world.fault();
    assert!(error.contains("this is the server's discovery"), "{error}");
    assert!(error.ends_with(&world.taxii.url()), "{error}");
}

/// Whatever a server writes into its answers, no secret comes into words, requests or the mirror's identity.
#[test]
fn an_answer_with_the_token_in_it_brings_it_nowhere() {
    let token = "token-17";
    let authorization = Some(format!("Bearer {token}"));
    let mut world = World::one(Ways { authorization, ..Ways::default() });
    world.credentials = Some(Credentials::Token(Secret::new(token.to_owned())));
    world.taxii.post("reports", &incidents(0..1), 0);
    world.pulled();
    world.taxii.advance(DAY);
    let echo = |body| Trouble::Say(200, "", body);
    world.taxii.trouble("manifest", 0, 9, echo(r#"{"objects": "Bearer token-17"}"#));
    world.pulled();
    let notes = world.notes.join(" ");
    assert!(notes.contains("no page of a manifest") && !notes.contains(token), "{notes}");
    world.taxii.clear();
    world.taxii.trouble("objects/?", 0, 9, echo(r#"{"token-17": 1}"#));
    let error = world.fault();
    assert!(error.contains("the members `(the key)`") && !error.contains(token), "{error}");
    world.taxii.clear();
    world.taxii.trouble(
        "collections/reports",
        0,
        2,
        echo(r#"{"id": "token-17", "can_read": true}"#),
    );
    world.taxii.asked();
    let error = world.fault();
    let asked = world.taxii.asked().join(" ");
    assert!(asked.contains("the%20key") && !asked.contains(token), "{asked}");
    assert!(!error.contains(token), "{error}");
}

/// Whatever the disk does, and whenever the process dies, the next pulls make it good.
#[test]
fn a_pull_that_dies_anywhere_is_made_good_by_the_next() {
    for after in (1..120).step_by(3) {
        let mut world = World::new(Ways { page_max: 7, ..Ways::default() }, &["one", "two"]);
        world.taxii.post("one", &incidents(0..4), 0);
        world.taxii.post("two", &incidents(4..7), 0);
        world.files.die_after(after);
        for round in 0..4 {
            let mut source = world.source();
            let died = world.runtime.block_on(world.mirror().pull(&mut source)).is_err();
            world.taxii.post("one", &incidents(10 + round..11 + round), 0);
            world.taxii.advance(7 * MINUTE);
            if died {
                break;
            }
        }
        world.files.restart(&mut |_| 0);
        let (_, fold) = world.pulled();
        world.is_whole(&fold);
        assert!(fold.is_whole());
    }
}

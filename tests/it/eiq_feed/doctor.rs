//! What `doctor` says of a feed, step by step.

use super::*;

#[test]
fn each_step_of_an_examination_has_its_fault() {
    let elements = day(0..2, 1, 1);
    let mut world = World::with(Packaged::Replace, &elements);
    let looks = |world: &World| -> Vec<String> {
        let looks = world.runtime.block_on(world.feed().examine());
        let told = |look| match look {
            Look::Good(what) => what,
            Look::Odd(what, _) => format!("? {what}"),
            Look::Bad(error) => format!("! {error}"),
        };
        looks.into_iter().map(told).collect()
    };
    let good = looks(&world);
    assert_eq!(good.len(), 6, "{good:#?}");
    assert_eq!(
        good[1..4],
        [
            "the token is taken",
            "feed 12 \"Outgoing feed 12\" may be read",
            "its content type is urn:eclecticiq.com:json:2.0",
        ]
    );
    assert!(good[0].ends_with(" answers"), "{good:#?}");
    assert!(good[4].starts_with("its packaging status is SUCCESS"), "{good:#?}");
    assert!(good[5].starts_with("2 content blocks are listed; number 2 has "), "{good:#?}");
    world.trouble(BLOCKS, 0, 1, Trouble::Page("<html>".to_owned()));
    assert!(looks(&world)[5].contains("number 2 cannot be read"));
    world.command(json!({"do": "begin"}));
    assert!(looks(&world)[4].starts_with("? its packaging status is RUNNING"));
    world.command(json!({"do": "fail"}));
    world.command(json!({"do": "purge"}));
    assert!(looks(&world)[5].starts_with("? it has no content block"));
    world.command(json!({"do": "permit", "permissions": []}));
    let refused = looks(&world);
    assert!(
        refused.len() == 3 && refused[2].starts_with("! ") && refused[2].contains("403"),
        "{refused:#?}"
    );
    world.token = "another-token";
    let refused = looks(&world);
    assert!(refused.len() == 2 && refused[1].contains("401"), "{refused:#?}");
    world.url = "http://127.0.0.1:1/".to_owned();
    let away = looks(&world);
    assert!(away.len() == 1 && away[0].contains("check `url`, the network"), "{away:#?}");
    let setup =
        Setup { is_public: true, permissions: [].into(), ..Setup::new(12, Packaged::Append) };
    let mut public = World::new(setup, &elements);
    public.reach = Reach::Public(Strategy::Append);
    assert_eq!(looks(&public).len(), 3);
}

/// A configuration whose source is the feed.
fn place(world: &World, sandbox: &Sandbox, lines: &str) -> Place {
    let place = sandbox.place();
    place.configure("path = \"day.json\"", &format!("url = {:?}\nfeed = 12\n{lines} #", world.url));
    place.configure("kind = \"file\"", "kind = \"eiq-feed\"");
    place.configure("format = \"auto\"", "#");
    place.configure("update_strategy = \"replace\"", "update_strategy = \"auto\"");
    place
}

#[test]
fn doctor_proves_a_feed_step_by_step() {
    let sandbox = Sandbox::start();
    let world = World::with(Packaged::Replace, &day(0..2, 1, 1));
    let place = place(&world, &sandbox, "token_env = \"EIQ_TOKEN\"");
    let run =
        |token: &str, verb: &str| place.run_in(&[("EIQ_TOKEN", token)], &[verb]).hides(&[token]);
    run(TOKEN, "doctor").says(&[
        "feed main: the token is taken",
        "feed main: feed 12 \"Outgoing feed 12\" may be read",
        "its content type is urn:eclecticiq.com:json:2.0",
        "its packaging status is SUCCESS",
        "2 content blocks are listed",
    ]);
    run("another-token", "doctor").code(4).says(&[
        "feed main: http",
        "HTTP 401",
        "make a new API token",
    ]);
    let config = run(TOKEN, "config").code(0).all();
    assert!(config.contains("token_env = \"EIQ_TOKEN\"") && config.contains("kind = \"eiq-feed\""));
    place
        .run(&["doctor"])
        .says(&["feeds.main", "no token from the environment variable EIQ_TOKEN"]);
    world.command(json!({"do": "permit", "permissions": []}));
    run(TOKEN, "doctor").code(4).says(&["HTTP 403", "`read outgoing-feeds`"]);
    place.configure("feed = 12", "feed = 13");
    world.command(json!({"do": "permit", "permissions": ["read outgoing-feeds"]}));
    run(TOKEN, "doctor").code(1).says(&["there is no outgoing feed 13"]);
    place.configure(&world.url, "http://127.0.0.1:1");
    run(TOKEN, "doctor").code(5).says(&["check `url`, the network, and that the platform runs"]);
}

//! What `doctor` says of collections, step by step, and how the program takes them to MISP.

use super::*;
use program::{Place, Sandbox};

fn looks(world: &World) -> Vec<String> {
    let looks = world.runtime.block_on(world.source().examine());
    let told = |look| match look {
        Look::Good(what) => what,
        Look::Odd(what, _) => format!("? {what}"),
        Look::Bad(error) => format!("! {error}"),
    };
    looks.into_iter().map(told).collect()
}

#[test]
fn each_step_of_an_examination_has_its_fault() {
    let mut world = World::one(Ways::default());
    let base = format!("{} answers", world.url);
    assert_eq!(
        looks(&world),
        [
            &*base,
            "the API root \"Root\" speaks TAXII 2.1",
            "collection reports \"Title of reports\" may be read",
            "? collection reports is empty",
        ]
    );
    world.taxii.post("reports", &incidents(0..1), 0);
    assert_eq!(looks(&world)[3], "the first page of reports has 3 objects");
    world.taxii.post_texts("reports", &["7".to_owned()], 0);
    assert_eq!(looks(&world)[3], "? the first page of reports has 3 objects, and 1 damaged ones");
    world.taxii.trouble("objects", 0, 1, Trouble::Say(200, "", "<html>"));
    assert!(looks(&world)[3].starts_with("? the first page of reports cannot be read: "));
    world.taxii.hide("reports", true);
    assert!(looks(&world)[2].starts_with("! ") && looks(&world)[2].contains("may not be read"));
    world.settings.collections = vec!["x".to_owned()];
    assert!(looks(&world)[2].contains("there is no collection x"));
    world.taxii.state().ways.version = "application/taxii+json;version=2.0";
    let old = looks(&world);
    assert!(
        old.len() == 2 && old[1].contains("does not speak TAXII 2.1, but application/taxii"),
        "{old:?}"
    );
    world.taxii.state().ways.authorization = Some("Bearer x".to_owned());
    let refused = looks(&world);
    assert!(refused.len() == 2 && refused[1].contains("HTTP 401"), "{refused:?}");
    world.taxii.state().ways.authorization = None;
    world.url = world.url.replace("/api1/", "/taxii2/");
    let discovery = looks(&world);
    assert!(discovery.len() == 1 && discovery[0].contains("/api1/"), "{discovery:?}");
    world.url = "http://127.0.0.1:1/".to_owned();
    let away = looks(&world);
    assert!(away.len() == 1 && away[0].contains("check `url`, the network"), "{away:?}");
}

/// A configuration whose source is the collections.
fn place(world: &World, sandbox: &Sandbox, lines: &str) -> Place {
    let place = sandbox.place();
    place.configure("kind = \"file\"", "kind = \"taxii2\"");
    place.configure("path = \"day.json\"", &format!("url = {:?}", world.url));
    place.configure("format = \"auto\"", "collections = [\"reports\"]");
    place.configure("update_strategy = \"replace\"", lines);
    place.configure("unmarked = \"deny\"", "unmarked = \"allow\"");
    place
}

#[test]
fn collections_go_to_misp_with_what_is_new_and_nothing_else() {
    let sandbox = Sandbox::start();
    let basic = "Basic YWRtaW46YWRtaW4tcHc=";
    let world = World::one(Ways { authorization: Some(basic.to_owned()), ..Ways::default() });
    let place = place(&world, &sandbox, "username = \"admin\"\npassword_file = \"password\"");
    place.write("password", "admin-pw\n");
    world.taxii.post("reports", &incidents(0..5), 0);
    place.run(&["doctor"]).hides(&["admin-pw"]).says(&[
        "the API root \"Root\" speaks TAXII 2.1",
        "feed main: collection reports \"Title of reports\" may be read",
    ]);
    place.run(&["plan"]).code(1).says(&["nothing was pulled of it yet"]);
    place.run(&["sync"]).code(0).says(&["pulling collection reports of ", "5 sent"]);
    assert_eq!(sandbox.attributes(), 5);
    place.run(&["sync"]).code(0).says(&["not one request"]);
    world.taxii.post("reports", &incidents(5..7), 0);
    place.run(&["sync"]).code(0).says(&["2 sent"]);
    assert_eq!(sandbox.attributes(), 7);
    place.run(&["verify"]).code(0);
    place.run(&["check"]).code(0);
    let config = place.run(&["config"]).code(0).all();
    for line in [
        "kind = \"taxii2\"",
        "username = \"admin\"",
        "overlap = \"10m\"",
        "manifest_every = \"1d\"",
    ] {
        assert!(config.contains(line), "{config}");
    }
    place.write("password", "another-pw\n");
    place.run(&["sync"]).code(4).hides(&["another-pw"]).says(&["HTTP 401", "check `token_env`"]);
    place.run(&["doctor"]).code(4).hides(&["another-pw"]).says(&["HTTP 401"]);
    place.configure("collections = [\"reports\"]", "collections = [\"x\"]");
    place.write("password", "admin-pw");
    place.run(&["sync"]).code(1).says(&["there is no collection x", "reports (Title of reports)"]);
}

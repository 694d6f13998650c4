//! The history as one file, as its users make it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path};

use misp_trickle_testing::program::{Sandbox, seen};

/// The line of a report that is proven, and BLAKE3 of it as the report has it.
fn content(path: &Path) -> (String, String) {
    let html = fs::read_to_string(path).unwrap();
    let main: Vec<&str> = html.lines().filter(|line| line.starts_with("<main")).collect();
    assert_eq!(main.len(), 1);
    let (_, rest) = html.split_once("<dt>BLAKE3</dt><dd><code>").unwrap();
    (format!("{}\n", main[0]), rest[..64].to_owned())
}

#[test]
fn a_report_is_one_file_that_proves_itself_and_fetches_nothing() {
    let place = Sandbox::start().after_two_days();
    let answer = place.json(&["report", "-o", "history.html"]);
    let path = place.path("history.html");
    let (main, digest) = content(&path);
    assert_eq!(blake3::hash(main.as_bytes()).to_hex().as_str(), digest);
    assert_eq!((&answer["blake3"], &answer["runs"]), (&digest.into(), &2.into()));
    let html = fs::read_to_string(&path).unwrap();
    assert!(html.contains(answer["store"].as_str().unwrap()));
    for fetches in
        ["<script", "<link", "<img", "src=", "@import", "url(", "<form", "http-equiv=\"refresh\""]
    {
        assert!(!html.contains(fetches), "{fetches}");
    }
    assert!(html.contains("content=\"default-src 'none';"));
    for shown in
        ["Phishing against customers of a bank", "53 attributes in 4 events", "in order", "Run 2"]
    {
        assert!(html.contains(shown), "{shown}");
    }
    // Values stand in it that MISP may not have.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let fewer = place.json(&["report", "-o", "history.html", "--runs", "1"]);
    assert_eq!(fewer["runs"], 1);
    assert!(!fs::read_to_string(&path).unwrap().contains("Run 1<"));
}

/// Configuration, dataset, key and store of the run itself, by whatever name.
#[test]
fn no_answer_takes_the_place_of_a_file_of_the_run() {
    let sandbox = Sandbox::start();
    let place = sandbox.after_two_days();
    place.configure("api_key_env = \"MISP_API_KEY\"", "api_key_file = \"misp.key\"");
    place.write("misp.key", &sandbox.key("sync"));
    fs::create_dir(place.path("days")).unwrap();
    fs::copy(place.path("day.json"), place.path("days/one.json")).unwrap();
    fs::write(place.path("days/notes.txt"), "").unwrap();
    fs::hard_link(place.path("misp.key"), place.path("other.key")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("day.json", place.path("link.json")).unwrap();
    for (file, whose) in [
        ("misp-trickle.toml", "it is the configuration"),
        ("./day.json", "it is what `source.path` names"),
        ("link.json", "it is what `source.path` names"),
        ("misp.key", "it is what `destinations.main.api_key_file` names"),
        ("state/acknowledged", "it is a file of the store"),
    ] {
        let before = fs::read(place.path(file)).unwrap();
        for verb in [&["export", file][..], &["report", "-o", file], &["plan", "-o", file]] {
            place.run(verb).code(1).says(&[whose, "name another file"]);
            assert!(fs::read(place.path(file)).unwrap() == before, "{verb:?}");
        }
    }
    let plan = ["plan", "--source", "days", "-o"];
    place.run(&[&plan[..], &["days/one.json"]].concat()).code(1).says(&["--source"]);
    // What is no file of the run is replaced.
    for file in ["days/notes.txt", "other.key", "new.html"] {
        place.run(&["report", "-o", file]).code(0);
    }
    assert_eq!(fs::read_to_string(place.path("misp.key")).unwrap(), sandbox.key("sync"));
}

#[test]
fn a_report_for_others_names_nothing_that_is_marked_stricter() {
    let place = Sandbox::start().after_two_days();
    place.run(&["report", "-o", "all.html"]).code(0);
    place.run(&["report", "-o", "green.html", "--max-tlp", "green"]).code(0);
    let [all, green] =
        ["all.html", "green.html"].map(|name| fs::read_to_string(place.path(name)).unwrap());
    for stricter in STRICTER {
        assert!(all.contains(stricter), "{stricter}");
        assert!(!green.contains(stricter), "{stricter}");
    }
    place.run(&["report", "-o", "x.html", "--max-tlp", "purple"]).code(2).says(&["a TLP colour"]);
}

/// Of the demonstration: the titles of an amber incident and a red one.
const STRICTER: [&str; 2] = ["Ransomware in a hospital", "An insider"];

#[test]
fn a_report_that_cannot_be_written_leaves_the_old_one() {
    let place = Sandbox::start().after_two_days();
    place.write("history.html", "old");
    place.run(&["report", "-o", "history.html", "--destination", "nowhere"]).code(1);
    assert_eq!(fs::read_to_string(place.path("history.html")).unwrap(), "old");
    place
        .run(&["report", "-o", "no/such/folder.html"])
        .says(&["no/such/folder.html", "make room or the folder"]);
}

#[cfg(unix)]
#[test]
fn beside_a_daemon_its_owner_makes_it() {
    let sandbox = Sandbox::start();
    let place = crate::daemon::place(&sandbox);
    place.configure("every = \"1s\"", "every = \"3h\"");
    place.run(&["sync"]).code(0);
    place.run(&["report", "-o", "before.html"]).code(0);
    let _daemon = crate::daemon::Daemon::start(&place);
    fs::create_dir(place.path("elsewhere")).unwrap();
    let mut there =
        place.command(&["--config", "../misp-trickle.toml", "report", "-o", "beside.html"]);
    seen(there.current_dir(place.path("elsewhere"))).code(0).says(&["beside.html: 1 runs"]);
    let after_routes = |path: &Path| {
        let (main, _) = content(path);
        let (routes, rest) = main.split_once("</section>").unwrap();
        let (rest, _) = rest.split_once("<section aria-labelledby=\"runs\"").unwrap();
        (routes.to_owned(), rest.to_owned())
    };
    let (routes, before) = after_routes(&place.path("before.html"));
    assert!(routes.contains("when somebody runs it"), "{routes}");
    let (routes, beside) = after_routes(&place.path("elsewhere/beside.html"));
    assert!(routes.contains(">in 2 h<") || routes.contains(">in 179 min<"), "{routes}");
    assert!(before == beside);
}

//! `init` at a terminal: what is asked, what is shown, and what stands in the files afterwards.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use misp_trickle_testing::{
    program::{Place, Sandbox, binary},
    terminal::Terminal,
};

/// `init` for another configuration in the folder, with no key in its environment.
fn init(place: &Place, more: &[&str]) -> Command {
    let mut command = place.command(&[&["--config", "own.toml", "init"], more].concat());
    command.env_remove("MISP_API_KEY");
    command
}

/// Files in the folder, but for what was there before.
fn new_files(place: &Place) -> Vec<String> {
    let entries = fs::read_dir(place.folder()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> =
        names.filter(|name| !["day.json", "misp-trickle.toml"].contains(&&**name)).collect();
    names.sort();
    names
}

#[test]
fn a_configuration_comes_of_answers_its_key_is_never_shown_and_doctor_finds_nothing() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    let mut terminal = Terminal::start(&init(&place, &[]));
    terminal
        .waits_for("eiq-feed  an outgoing feed")
        .waits_for("Kind of the source")
        .types("file\n");
    terminal.waits_for("[dataset.json]: ").types("day.json\n");
    terminal.waits_for("URL of MISP: ").types("misp\n").waits_for("is not a URL");
    terminal.waits_for("URL of MISP: ").types(&format!("{}\n", sandbox.url()));
    terminal.waits_for("API key").waits_for("MISP_API_KEY): ");
    terminal.types(&format!("{}\n", sandbox.key("sync")));
    terminal.waits_for("[amber]: ");
    assert_eq!(new_files(&place), [""; 0], "nothing is written before the last answer");
    terminal.types("green\n").waits_for("[deny]: ").types("\n");
    terminal.waits_for("wrote own.api-key").waits_for("wrote own.toml");
    terminal.waits_for("[Y/n]: ").types("\n").waits_for("takes the key");
    assert_eq!(terminal.code(), Some(0), "{}", terminal.shown());

    let (shown, key) = (terminal.shown(), sandbox.key("sync"));
    assert!(!shown.contains(&key), "{shown}");
    assert!(shown.contains(&format!("URL of MISP: {}\n", sandbox.url())), "{shown}");
    assert_eq!(new_files(&place), ["own.api-key", "own.toml", "state"]);
    let file = place.path("own.api-key");
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{key}\n"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(place.path("own.toml")).unwrap();
    assert!(!text.contains(&key) && text.contains("api_key_file = \"own.api-key\""), "{text}");
    assert!(text.contains("allow_tlp = [\"clear\", \"green\"]"), "{text}");

    let mut again = Terminal::start(&init(&place, &[]));
    assert_eq!(again.code(), Some(1));
    assert!(again.shown().starts_with("error: own.toml: is there already"), "{}", again.shown());
}

#[test]
fn whoever_stops_at_a_terminal_leaves_no_file_and_a_terminal_that_shows_what_is_typed() {
    let place = Place::at("http://127.0.0.1:1", "key");
    for (keys, ended) in [("\u{3}", "ended with 130"), ("\u{4}", "ended with 2")] {
        for at in ["Kind of the source", "API key"] {
            let script = "trap : INT; \"$0\" --config own.toml init; echo ended with $?; stty -a";
            let mut shell = Command::new("sh");
            place.clean(&mut shell).args(["-c", script]).arg(binary());
            let mut terminal = Terminal::start(&shell);
            if at == "API key" {
                terminal.waits_for("[file]: ").types("stdin\n");
                terminal.waits_for("URL of MISP: ").types("https://misp.example\n");
            }
            terminal.waits_for(at).waits_for(": ").types(keys).waits_for(ended);
            assert_eq!(terminal.code(), Some(0));
            let shown = terminal.shown();
            assert!(shown.contains("nothing was written"), "{shown}");
            assert!(shown.contains(" echo ") && shown.contains(" -echonl"), "{shown}");
            assert_eq!(new_files(&place), [""; 0]);
        }
    }
}

#[test]
fn nobody_is_asked_who_does_not_want_it_or_has_no_terminal() {
    let place = Place::at("http://127.0.0.1:1", "key");
    let all = ["--source", "day.json", "--url", "https://misp.example", "--api-key-env", "K"];
    let rest = ["--max-tlp", "red", "--unmarked", "allow"];
    for more in [&["--no-input"][..], &["--quiet"], &[&all[..], &rest].concat()] {
        let mut terminal = Terminal::start(&init(&place, more));
        assert_eq!(terminal.code(), Some(0), "{}", terminal.shown());
        assert!(!terminal.shown().contains("[Y/n]"), "{}", terminal.shown());
        fs::remove_file(place.path("own.toml")).unwrap();
    }
    let line = ["--config", "own.toml", "init", "--kind", "eiq-feed"];
    place.run(&line).code(2).says(&["--source-url: is missing"]);
    assert_eq!(new_files(&place), [""; 0]);
}

#[test]
fn a_pipe_in_the_place_of_the_source_is_not_waited_for_and_a_key_that_is_awaited_comes_first() {
    let place = Place::at("http://127.0.0.1:1", "key");
    assert!(Command::new("mkfifo").arg(place.path("pipe")).status().unwrap().success());
    let mut terminal = Terminal::start(&init(&place, &["--source", "pipe", "--max-tlp", "red"]));
    terminal.waits_for("URL of MISP: ").types("https://misp.example\n");
    terminal.waits_for("API key").waits_for("): ").types("\n");
    terminal.waits_for("[deny]: ").types("\n").waits_for("wrote own.toml");
    terminal.waits_for("next: the API key is taken from").waits_for("[y/N]: ").types("\n");
    assert_eq!(terminal.code(), Some(0), "{}", terminal.shown());
}

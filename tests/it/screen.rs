//! What a terminal shows that a pipe does not: colours, folded lines, a pager.

use misp_trickle_testing::{
    program::{Place, Sandbox},
    terminal::Terminal,
};

fn at_terminal(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> Terminal {
    let mut command = place.command(arguments);
    command.env("TERM", "xterm").envs(variables.iter().copied());
    Terminal::start(&command)
}

/// What is shown once the program has ended well.
#[track_caller]
pub(crate) fn shown(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut terminal = at_terminal(place, arguments, variables);
    assert_eq!(terminal.code(), Some(0), "{}", terminal.shown());
    terminal.shown()
}

#[test]
fn colours_follow_the_terminal_the_environment_and_the_option() {
    let place = Sandbox::start().after_two_days();
    let green = "\u{1b}[32mdone\u{1b}[0m";
    let log = ["log", "--no-pager"];
    assert!(shown(&place, &log, &[]).contains(green));
    for (more, variables) in [
        (None, &[("NO_COLOR", "1")][..]),
        (None, &[("TERM", "dumb")]),
        (None, &[("TERM", "dumb"), ("CI", "true")]),
        (None, &[("TERM", ""), ("CI", "true")]),
        (Some("--color=never"), &[("CLICOLOR_FORCE", "1")]),
        (Some("--json"), &[("CLICOLOR_FORCE", "1")]),
    ] {
        let log: Vec<&str> = log.into_iter().chain(more).collect();
        let seen = shown(&place, &log, variables);
        assert!(seen.contains("done") && !seen.contains('\u{1b}'), "{log:?} {variables:?} {seen}");
    }
    let piped = place.run(&["log"]).code(0).data;
    assert!(!piped.contains('\u{1b}'), "{piped}");
    for coloured in [
        place.run(&["log", "--color", "always"]),
        place.run_in(&[("CLICOLOR_FORCE", "1")], &["log"]),
    ] {
        assert!(coloured.code(0).data.contains(green));
    }
    // Wrong arguments are told in the colours that are wanted as well.
    assert!(place.run(&["log", "--color", "always", "-n", "x"]).code(2).talk.contains('\u{1b}'));
    assert!(!place.run(&["log", "-n", "x"]).code(2).talk.contains('\u{1b}'));
}

#[test]
fn times_are_those_of_the_zone_or_of_utc() {
    let place = Sandbox::start().after_two_days();
    let log = |more: &[&str], zone: &str| {
        let log: Vec<&str> = ["log"].iter().chain(more).copied().collect();
        place.run_in(&[("TZ", zone)], &log).code(0).data
    };
    assert!(log(&[], "Asia/Kathmandu").contains(" +05:45 ("));
    assert!(log(&["--utc"], "Asia/Kathmandu").contains(" UTC ("));
    assert!(log(&["--json"], "Asia/Kathmandu").contains("Z\""));
}

#[test]
fn a_terminal_folds_and_cuts_and_a_pipe_does_not() {
    let place = Sandbox::start().after_two_days();
    let shows = |more: &[&str]| -> Vec<String> {
        let show = ["--no-pager", "--color=never", "show", "1"];
        let show: Vec<&str> = show.iter().chain(more).copied().collect();
        let seen = shown(&place, &show, &[("COLUMNS", "60")]);
        seen.lines().map(str::to_owned).collect()
    };
    let rows = shows(&[]);
    let is_long = |row: &String| row.chars().count() > 60;
    assert!(
        !rows.iter().any(|row| is_long(row) && row.split(' ').next_back().unwrap().len() < 30),
        "{rows:#?}"
    );
    let piped = place.run(&["show", "1"]).code(0).data;
    assert!(piped.lines().any(|line| is_long(&line.to_owned())));
    assert!(!piped.contains("more changes"));
    let quiet = place.run(&["sync", "--source", "next.json"]).code(0);
    assert!(quiet.data.contains("not one request"), "{}", quiet.data);
}

#[test]
fn a_pager_shows_long_answers_and_does_no_harm() {
    let place = Sandbox::start().after_two_days();
    for variables in [
        [("MISP_TRICKLE_PAGER", "sed s/^/paged:/"), ("PAGER", "no-such-pager")],
        [("PAGER", "sed s/^/paged:/"), ("LESS", "")],
    ] {
        let seen = shown(&place, &["log"], &variables);
        assert!(seen.lines().all(|line| line.starts_with("paged:")), "{seen}");
    }
    for variables in [
        ("PAGER", "no-such-pager"),
        ("PAGER", "no-such-pager -x"),
        ("MISP_TRICKLE_PAGER", ""),
        ("PAGER", "cat"),
    ] {
        let seen = shown(&place, &["log"], &[variables]);
        assert!(seen.contains("Outcome:"), "{variables:?} {seen}");
    }
    let unpaged = shown(&place, &["log", "--no-pager"], &[("PAGER", "sed s/^/paged:/")]);
    assert!(!unpaged.contains("paged:"), "{unpaged}");
    // One that quits early ends nothing in error.
    assert_eq!(shown(&place, &["log"], &[("PAGER", "true")]), "");
    // What Ctrl-C does is the matter of the pager, and its end is that of the program.
    let mut waits =
        at_terminal(&place, &["log"], &[("PAGER", "trap 'echo heard' INT; cat; read x </dev/tty")]);
    waits.waits_for("Outcome:").types("\u{3}").waits_for("heard").types("\n");
    assert_eq!(waits.code(), Some(0));
    // Whoever ends the program from elsewhere does not have to wait for a reader, who types nothing here.
    let reads_on = ("PAGER", "kill -TERM $PPID; cat; read x </dev/tty");
    let mut ends = at_terminal(&place, &["log"], &[reads_on]);
    assert_eq!(ends.code(), Some(130), "{}", ends.shown());
}

#[test]
fn the_command_that_shows_all_is_the_one_that_was_given() {
    let place = Sandbox::start().after_two_days();
    for day in 0..21 {
        place.run(&["sync", "--source", if day % 2 == 0 { "dataset.json" } else { "next.json" }]);
    }
    let log = [
        "--config",
        "./misp-trickle.toml",
        "--no-pager",
        "log",
        "--since",
        "2000-01-01 08:30",
        "--oneline",
    ];
    let seen = shown(&place, &log, &[("COLUMNS", "300")]);
    let whole = "misp-trickle --config ./misp-trickle.toml --no-pager log --since '2000-01-01 08:30' --oneline --all";
    assert!(seen.contains(whole), "{seen}");
}

#[test]
fn only_less_and_who_wants_them_get_colours_from_a_pager() {
    let place = Sandbox::start().after_two_days();
    let is_coloured = |more: &[&str], variables: &[(&str, &str)]| {
        let log: Vec<&str> = ["log"].iter().chain(more).copied().collect();
        shown(&place, &log, variables).contains("[32mdone")
    };
    let pager = ("PAGER", "sed s/^/paged:/");
    assert!(!is_coloured(&[], &[pager]));
    assert!(is_coloured(&["--color=always"], &[pager]));
    assert!(is_coloured(&[], &[pager, ("CLICOLOR_FORCE", "1")]));
    // Whatever `less` is told beside, it is told to show colours.
    let bin = place.path("bin");
    std::fs::create_dir(&bin).unwrap();
    std::fs::write(bin.join("less"), "#!/bin/sh\necho \"$@\"; cat\n").unwrap();
    let runs = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(bin.join("less"), runs).unwrap();
    let less = format!("{} -i", bin.join("less").display());
    let seen = shown(&place, &["log"], &[("PAGER", &less), ("LESS", "-i")]);
    assert!(seen.starts_with("-i -R\n") && seen.contains("[32mdone"), "{seen}");
}

#[test]
fn a_time_zone_that_is_none_is_told_once() {
    let place = Sandbox::start().after_two_days();
    let log = |zone: &str, more: &[&str]| {
        let log: Vec<&str> = ["log"].iter().chain(more).copied().collect();
        place.run_in(&[("TZ", zone)], &log).code(0)
    };
    let wrong = log("Europe/Nowhere", &[]);
    assert_eq!(wrong.talk.matches("warning: TZ=").count(), 1, "{}", wrong.talk);
    assert!(wrong.data.contains(" UTC ("));
    for (zone, more) in
        [("Europe/Nowhere", "--utc"), ("Europe/Nowhere", "--json"), ("PKT-5", "--all")]
    {
        assert_eq!(log(zone, &[more]).talk, "", "{zone} {more}");
    }
    assert!(log("CET-1CEST", &[]).data.contains(":00 ("));
}

#[test]
fn log_takes_a_time_and_an_outcome() {
    let place = Sandbox::start().after_two_days();
    let runs = |more: &[&str]| {
        let log: Vec<&str> = ["log", "--json"].iter().chain(more).copied().collect();
        place.run(&log).code(0).json()["runs"].as_array().unwrap().len()
    };
    assert_eq!((runs(&["--since", "1h"]), runs(&["--outcome", "done"])), (2, 2));
    assert_eq!((runs(&["--since", "2000-01-01"]), runs(&["--since", "2999-01-01"])), (2, 0));
    place.run(&["log", "--outcome", "failed"]).code(0).says(&["without --since and --outcome"]);
    place.run(&["log", "--pulls"]).code(0).says(&["no run rested on a pull yet"]);
    place.run(&["log", "--feed", "nope"]).code(0).says(&["the store knows those of main -> main"]);
    place.run(&["log", "--outcome", "don"]).code(2).says(&["done", "similar"]);
    place.run(&["log", "-n", "0"]).code(2).says(&["-n"]);
}

#[test]
fn each_step_says_which_comes_next_and_only_to_people() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    for (step, next) in [
        ("status", "no store"),
        ("doctor", "next: `misp-trickle plan` "),
        ("plan", "next: `misp-trickle sync` "),
        ("sync", "next: `misp-trickle status` "),
        ("plan", "next: `misp-trickle status` "),
        ("status", "next: `misp-trickle log` "),
    ] {
        let seen = place.run(&[step]);
        assert!(next == "no store" || seen.talk.contains(next), "{step}: {}", seen.talk);
        for quiet in ["--json", "--quiet"] {
            let talk = place.run(&[step, quiet]).talk;
            assert!(!talk.contains("next:"), "{step} {quiet}: {talk}");
        }
    }
}

#[test]
fn who_writes_a_word_wrong_is_told_the_right_one() {
    let place = Sandbox::start().place();
    for (written, meant) in [("wyh", "'why'"), ("stauts", "'status'"), ("synk", "'sync'")] {
        place.run(&[written]).code(2).says(&["similar", meant]);
    }
    place.run(&["sync", "--colour", "never"]).code(2).says(&["--color"]);
    place.configure("version = 1", "version = 1\nstoer = 1");
    place.configure("publish = \"never\"", "publish = \"nevr\"");
    place.run(&["plan"]).says(&["did you mean \"never\"?", "did you mean store?"]);
}

#[test]
fn a_bar_leaves_nothing_behind() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = Place::at(&format!("http://{}", silent.local_addr().unwrap()), &"x".repeat(40));
    let mut terminal = at_terminal(&place, &["sync"], &[("COLUMNS", "50")]);
    terminal.waits_for("asking MISP");
    let shown = terminal.shown();
    let last = shown.rsplit("asking MISP").next().unwrap();
    terminal.types("\u{3}").waits_for("\u{1b}[2K").waits_for("interrupted");
    assert_eq!(terminal.code(), Some(130), "{}", terminal.shown());
    // Behind a bar there is room for what the terminal echoes.
    assert!("asking MISP".len() + last.chars().count() <= 46, "{last:?}");
}

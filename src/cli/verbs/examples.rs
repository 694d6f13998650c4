//! Examples of each verb, as the help and the man pages show them. Each line is read by a test.

pub(super) const INIT: &str = "\
Examples:
    misp-trickle init                                  # on a terminal: asks what no option says
    misp-trickle init --url https://misp.example.org --source incidents.json
    misp-trickle init --no-input --kind eiq-feed --source-url https://eiq.example.org --feed 12 --token-env EIQ_TOKEN
    misp-trickle init --kind taxii2 --source-url https://taxii.example.org/api1/ --collection reports --public";

pub(super) const DOCTOR: &str = "\
Examples:
    misp-trickle doctor
    misp-trickle doctor --destination partners
    misp-trickle doctor --push-test-event              # writing is tried, too";

pub(super) const PLAN: &str = "\
Examples:
    misp-trickle plan
    misp-trickle plan --pull                           # of what the source holds now, before a first run too
    misp-trickle plan --stat --destination partners
    misp-trickle plan -o monday.plan                   # to look at, and for `apply`";

pub(super) const SYNC: &str = "\
Examples:
    misp-trickle sync
    misp-trickle sync --feed incidents --destination partners
    misp-trickle sync --deadline 10m --max-transfer 50m --bwlimit 64k
    zcat incidents.json.gz | misp-trickle sync --source -
    misp-trickle sync --accept-mapping                 # what an upgrade or new rules call for";

pub(super) const RUN: &str = "\
Examples:
    misp-trickle run
    misp-trickle run --log-format json --bwlimit 64k --config /etc/misp-trickle/misp-trickle.toml";

pub(super) const PAUSE: &str = "\
Examples:
    misp-trickle pause --feed incidents --destination partners
    misp-trickle pause                                 # all routes";

pub(super) const RESUME: &str = "\
Examples:
    misp-trickle resume --feed incidents --destination partners
    misp-trickle resume                                # all routes, first runs that are held among them";

pub(super) const APPLY: &str = "\
Examples:
    misp-trickle apply monday.plan
    misp-trickle apply monday.plan --bwlimit 64k";

pub(super) const STATUS: &str = "\
Examples:
    misp-trickle status
    misp-trickle status --max-age 1h                   # exits with 9 if a route had no success for an hour
    misp-trickle status --json --destination partners";

pub(super) const LOG: &str = "\
Examples:
    misp-trickle log -n 5
    misp-trickle log --oneline --feed incidents
    misp-trickle log --since 2d --outcome failed       # what went wrong since the day before yesterday
    misp-trickle log --pulls -n 3                      # what was pulled from the source";

pub(super) const SHOW: &str = "\
Examples:
    misp-trickle show                                  # the newest run
    misp-trickle show @- --stat                        # the one before, only counts
    misp-trickle show 17";

pub(super) const DIFF: &str = "\
Examples:
    misp-trickle diff                                  # what the newest run changed
    misp-trickle diff 12 17
    misp-trickle diff 0 @ --stat                       # all that MISP ever got";

pub(super) const WHY: &str = "\
Examples:
    misp-trickle why evil.example
    misp-trickle why 'hxxp://evil[.]example/a'         # defanged values are found, too
    misp-trickle why c8716514-8329-51b3-8d93-f2f6e3e2cfbb
    misp-trickle why Phishing -n 5";

pub(super) const REPORT: &str = "\
Examples:
    misp-trickle report -o history.html
    misp-trickle report -o for-partners.html --max-tlp green --destination partners";

pub(super) const WEB: &str = "\
Examples:
    misp-trickle web
    misp-trickle web --listen 127.0.0.1:8090 --max-tlp green";

pub(super) const VERIFY: &str = "\
Examples:
    misp-trickle verify
    misp-trickle verify --sample 5% --destination partners";

pub(super) const CHECK: &str = "\
Examples:
    misp-trickle check
    misp-trickle check --store /var/lib/misp-trickle/state";

pub(super) const REPAIR: &str = "\
Examples:
    misp-trickle repair --dry-run
    misp-trickle repair
    misp-trickle repair --adopt                        # MISP came back from a backup
    misp-trickle repair --resend --yes                 # MISP came back empty";

pub(super) const GC: &str = "\
Examples:
    misp-trickle gc";

pub(super) const EXPORT: &str = "\
Examples:
    misp-trickle export backup.jsonl.zst
    misp-trickle export - | jq -c 'select(.kind == \"run\")'";

pub(super) const IMPORT: &str = "\
Examples:
    misp-trickle import backup.jsonl.zst --store restored";

pub(super) const FEED: &str = "\
Examples:
    misp-trickle feed forget reports";

pub(super) const MAP: &str = "\
Examples:
    misp-trickle map incidents.json
    misp-trickle map --total --json bundle.json.zst
    misp-trickle map --rules > rules.toml";

pub(super) const SANDBOX: &str = "\
Examples:
    misp-trickle sandbox
    misp-trickle sandbox --misp 2.5.19 --slow --listen 127.0.0.1:8099
    misp-trickle sandbox eclecticiq --feed 12 --dataset incidents.json";

pub(super) const DEMO: &str = "\
Examples:
    misp-trickle demo
    misp-trickle demo --live
    misp-trickle demo --dataset > incidents.json";

pub(super) const CONFIG: &str = "\
Examples:
    misp-trickle config
    misp-trickle config --json --config /etc/misp-trickle/misp-trickle.toml";

pub(super) const COMPLETIONS: &str = "\
Examples:
    misp-trickle completions bash > /etc/bash_completion.d/misp-trickle
    misp-trickle completions zsh > ~/.zfunc/_misp-trickle";

pub(super) const MAN: &str = "\
Examples:
    misp-trickle man ~/.local/share/man/man1           # then: man misp-trickle, man misp-trickle-sync";

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use clap::{CommandFactory, Parser};

    use crate::cli::Cli;

    /// The words of a line as a shell reads them, up to a comment or what follows the program.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
        for letter in line.chars() {
            match (quote, letter) {
                (Some(open), _) if open == letter => quote = None,
                (None, '\'' | '"') => {
                    quote = Some(letter);
                    word.get_or_insert_default();
                }
                (None, '|' | '>' | ';' | '&' | ')') => break,
                (None, '#') if word.is_none() => break,
                (None, ' ') => words.extend(word.take()),
                _ => word.get_or_insert_default().push(letter),
            }
        }
        words.extend(word);
        words
    }

    /// The calls of this program in a text of a shell.
    fn calls(text: &str) -> Vec<Vec<String>> {
        let joined = text.replace("\\\n", " ");
        let lines = joined.lines().filter_map(|line| {
            let at = line.find("misp-trickle ")?;
            let before = line[..at].trim_end();
            let begins = before.is_empty() || before.ends_with(['|', '&', ';', '(']);
            begins.then(|| words(&line[at..]))
        });
        lines.collect()
    }

    fn read(call: &[String], place: &str) {
        if let Err(error) = Cli::try_parse_from(call) {
            panic!("{place}: {call:?}\n{error}");
        }
    }

    #[test]
    fn calls_are_read_as_a_shell_reads_them() {
        let text =
            "zcat a.gz | misp-trickle sync --source - # all\nmisp-trickle why 'a b' \\\n  -n 5 > x";
        assert_eq!(
            calls(text),
            [
                vec!["misp-trickle", "sync", "--source", "-"],
                vec!["misp-trickle", "why", "a b", "-n", "5"],
            ]
        );
        assert!(Cli::try_parse_from(&calls("misp-trickle sync --soruce -")[0]).is_err());
    }

    #[test]
    fn every_verb_has_examples_that_can_be_typed() {
        for verb in Cli::command().get_subcommands() {
            let name = verb.get_name();
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            let lines =
                help.strip_prefix("Examples:\n").unwrap_or_else(|| panic!("{name}: {help}"));
            let calls = calls(lines);
            assert_eq!(calls.len(), lines.lines().count(), "{name}: {lines}");
            for call in calls {
                assert_eq!(call[1], name, "{call:?} is no example of {name}");
                read(&call, name);
            }
        }
    }

    fn pages(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pages(&path, found);
            } else if path.extension().is_some_and(|it| it == "md") {
                found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }

    #[test]
    fn every_command_of_a_page_can_be_typed() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = Vec::new();
        pages(&root.join("docs"), &mut found);
        found.push(("README.md".to_owned(), fs::read_to_string(root.join("README.md")).unwrap()));
        let mut read_calls = 0;
        for (page, text) in found {
            for block in text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()) {
                for call in calls(block) {
                    read(&call, &page);
                    read_calls += 1;
                }
            }
        }
        assert!(read_calls > 50, "{read_calls} commands");
    }
}

//! The JSON Schemas of all answers, made of the structs that write them, and kept in `docs/schemas`.

mod page;

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use clap::CommandFactory;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Value, json};

use super::{
    Cli, ErrorAnswer,
    daemon::{alarm::AlarmMessage, start::RunAnswer},
    render::json::*,
    verbs::{
        check::CheckAnswer,
        completions::CompletionsAnswer,
        config::ConfigAnswer,
        doctor::show::DoctorAnswer,
        export::ExportAnswer,
        feed::FeedAnswer,
        gc::GcAnswer,
        import::ImportAnswer,
        init::InitAnswer,
        man::ManAnswer,
        pause::PauseAnswer,
        repair::RepairAnswer,
        repair::resend::ResendAnswer,
        report::ReportAnswer,
        sandbox::{eclecticiq::PlatformAnswer, misp::SandboxAnswer},
        web::WebAnswer,
    },
};

/// What writes the files anew.
const AGAIN: &str = "WRITE_SCHEMAS=1 cargo test --lib schemas";

/// The schema of one answer.
struct Answer {
    /// The verbs that give it.
    verbs: &'static [&'static str],
    /// The name of its file: the middle of its `schema` field.
    file: String,
    schema: Value,
}

fn answer<T: JsonSchema>(verbs: &'static [&'static str]) -> Answer {
    let name = T::schema_name().into_owned();
    let file = name.split('/').nth(1).unwrap().to_owned();
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    // The field that serde adds to a struct as its tag is none that schemars knows.
    schema["properties"]["schema"] = json!({ "const": name });
    schema["required"].as_array_mut().unwrap().insert(0, "schema".into());
    Answer { verbs, file, schema }
}

/// Every answer.
fn answers() -> Vec<Answer> {
    vec![
        answer::<InitAnswer>(&["init"]),
        answer::<DoctorAnswer<'_>>(&["doctor"]),
        answer::<PlanAnswer<'_>>(&["plan"]),
        answer::<RunAnswer>(&["run"]),
        answer::<PauseAnswer<'_>>(&["pause", "resume"]),
        answer::<SyncAnswer<'_>>(&["sync", "apply", "repair"]),
        answer::<StatusAnswer<'_>>(&["status"]),
        answer::<LogAnswer<'_>>(&["log"]),
        answer::<PullsAnswer<'_>>(&["log"]),
        answer::<ShowAnswer<'_>>(&["show"]),
        answer::<DiffAnswer<'_>>(&["diff"]),
        answer::<WhyAnswer<'_>>(&["why"]),
        answer::<ReportAnswer<'_>>(&["report"]),
        answer::<VerifyAnswer<'_>>(&["verify"]),
        answer::<CheckAnswer>(&["check"]),
        answer::<RepairAnswer>(&["repair"]),
        answer::<ResendAnswer>(&["repair"]),
        answer::<GcAnswer>(&["gc"]),
        answer::<ExportAnswer<'_>>(&["export"]),
        answer::<ImportAnswer<'_>>(&["import"]),
        answer::<FeedAnswer>(&["feed"]),
        answer::<MapAnswer<'_>>(&["map"]),
        answer::<MapTotal>(&["map"]),
        answer::<RulesAnswer>(&["map"]),
        answer::<SandboxAnswer>(&["sandbox"]),
        answer::<PlatformAnswer>(&["sandbox"]),
        answer::<ConfigAnswer<'_>>(&["config"]),
        answer::<CompletionsAnswer>(&["completions"]),
        answer::<ManAnswer>(&["man"]),
        answer::<EventsAnswer<'_>>(&[]),
        answer::<WebAnswer>(&["web"]),
        answer::<ErrorAnswer<'_>>(&[]),
        answer::<AlarmMessage<'_>>(&[]),
    ]
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/schemas")
}

#[test]
fn the_files_are_what_the_structs_say() {
    let writes = env::var_os("WRITE_SCHEMAS").is_some();
    let mut files = BTreeSet::new();
    for Answer { file, schema, .. } in answers() {
        let path = folder().join(format!("{file}.json"));
        let text = format!("{schema:#}\n");
        if writes {
            fs::create_dir_all(folder()).unwrap();
            fs::write(&path, &text).unwrap();
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        assert!(there == text, "{} is not current; write it anew: {AGAIN}", path.display());
        assert!(files.insert(path), "two answers have the schema {file}");
    }
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        assert!(files.contains(&path), "{} is of no answer", path.display());
    }
}

#[test]
fn the_page_is_what_the_schemas_say() {
    let path = folder().with_file_name("reference/json.md");
    let there = fs::read_to_string(&path).unwrap();
    let (words, _) = there.split_once(page::BEGIN).expect("the page has words before");
    let text = format!("{words}{}{}", page::BEGIN, page::page(&answers()));
    if env::var_os("WRITE_SCHEMAS").is_some() {
        fs::write(&path, &text).unwrap();
        return;
    }
    assert!(there == text, "{} is not current; write it anew: {AGAIN}", path.display());
}

/// The demonstration gives the answers of the verbs that it shows.
#[test]
fn every_verb_has_a_schema() {
    let answers = answers();
    let with: BTreeSet<&str> =
        answers.iter().flat_map(|it| it.verbs).copied().chain(["demo"]).collect();
    let command = Cli::command();
    let verbs: BTreeSet<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    assert_eq!(with, verbs);
}

//! `man`: a man page for the program, and one for each verb.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use serde::Serialize;

use crate::cli::{Cli, CliError, Context, Exit, exit};

/// Arguments of `man`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The folder that the pages are written to; it is made
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// `man`: the pages that were written.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/man/1")]
pub(crate) struct ManAnswer {
    /// The folder.
    folder: String,
    /// Its files.
    files: Vec<String>,
}

const SOURCE: &str = concat!("misp-trickle ", env!("CARGO_PKG_VERSION"));
const SEE: &str = "\
The configuration, the answers with \\-\\-json, exit codes and words for states have pages in the documentation that comes with the program.
";

/// Writes the pages.
pub(crate) fn run(args: &Args, context: &mut Context) -> Result<Exit, CliError> {
    let wrong = |path: &Path| {
        let path = path.to_owned();
        move |cause| CliError::Write { path, cause, cure: "name a folder that you may write to" }
    };
    fs::create_dir_all(&args.folder).map_err(wrong(&args.folder))?;
    let mut files = Vec::new();
    for (name, page) in pages() {
        let path = args.folder.join(&name);
        fs::write(&path, page).map_err(wrong(&path))?;
        files.push(name);
    }
    let folder = args.folder.display().to_string();
    let text = format!("{folder}: {} pages\n", files.len());
    context.answer(|| ManAnswer { folder, files }, || text)?;
    Ok(Exit::Done)
}

/// Each page with the name of its file.
fn pages() -> Vec<(String, Vec<u8>)> {
    let mut command = Cli::command();
    command.build();
    let mut pages = Vec::new();
    add(&command, None, &mut pages);
    pages
}

/// The page of a command, and of those within it.
fn add(command: &Command, outer: Option<&str>, pages: &mut Vec<(String, Vec<u8>)>) {
    let name = match outer {
        None => command.get_name().to_owned(),
        Some(outer) => format!("{outer}-{}", command.get_name()),
    };
    let page = page(command, &name).expect("a text takes what is written");
    pages.push((format!("{name}.1"), page));
    let inner = command.get_subcommands().filter(|inner| inner.get_name() != "help");
    inner.for_each(|inner| add(inner, Some(&name), pages));
}

fn page(command: &Command, name: &str) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let man = Man::new(command.clone()).source(SOURCE).manual("misp-trickle");
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(examples) = command.get_after_help().map(ToString::to_string) {
        let text = examples.strip_prefix("Examples:\n").unwrap_or_default();
        page.extend(verbatim("EXAMPLES", text).bytes());
    }
    page.extend(verbatim("EXIT STATUS", exit::TABLE.trim_start_matches("Exit codes:\n")).bytes());
    page.extend(format!(".SH \"SEE ALSO\"\n{}{SEE}", others(name)).bytes());
    Ok(page)
}

/// The pages around this one.
fn others(name: &str) -> String {
    match name.rsplit_once('-').filter(|(outer, _)| *outer != "misp") {
        Some((outer, _)) => format!("\\fB{}\\fR(1).\n", escaped(outer)),
        None => String::new(),
    }
}

/// A section whose lines stand as they are.
fn verbatim(heading: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!(".SH \"{heading}\"\n.nf\n{}\n.fi\n", escaped(text))
}

/// A text that means nothing to roff: no escape, and no request at the beginning of a line.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    let safe = |line: &str| match line.starts_with(['.', '\'']) {
        true => format!("\\&{line}"),
        false => line.to_owned(),
    };
    text.lines().map(safe).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_has_a_page_with_its_options_and_examples() {
        let pages = pages();
        let verbs = Cli::command().get_subcommands().count();
        assert!(pages.len() > verbs, "{} pages", pages.len());
        for (name, page) in &pages {
            let text = String::from_utf8(page.clone()).unwrap();
            let title = name.trim_end_matches(".1");
            assert!(text.contains(&format!(".TH {title} 1")), "{name}: {text}");
            for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "\"EXIT STATUS\""] {
                assert!(text.contains(&format!(".SH {section}")), "{name} lacks {section}");
            }
            let is_verb = title.matches('-').count() == 2;
            assert_eq!(text.contains(".SH \"EXAMPLES\""), is_verb, "{name}");
            assert!(text.contains("misp\\-trickle"), "{name}");
        }
        let sync = pages.iter().find(|(name, _)| name == "misp-trickle-sync.1").unwrap();
        let sync = String::from_utf8(sync.1.clone()).unwrap();
        assert!(sync.contains("\\-\\-max\\-transfer") && sync.contains("\\-\\-json"), "{sync}");
    }

    #[test]
    fn texts_are_no_requests() {
        assert_eq!(escaped(".a\\b\n'c\n-d"), "\\&.a\\eb\n\\&'c\n\\-d");
    }
}

//! `config`: the configuration in effect, every default filled in, without secrets.

use serde::Serialize;
use serde_json::Value;

use crate::{
    cli::{CliError, Context, Exit},
    config::effective,
};

/// `config`: the configuration in effect, without secrets.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/config/2")]
pub(crate) struct ConfigAnswer<'a> {
    /// The file that it was read from.
    file: &'a str,
    /// What stands in the file, every default filled in.
    #[cfg_attr(test, schemars(with = "serde_json::Map<String, Value>"))]
    config: &'a Value,
}

/// Prints the configuration as TOML that parses to the same, or as JSON.
pub(crate) fn run(context: &mut Context) -> Result<Exit, CliError> {
    let config = context.config()?;
    let value = effective(&config);
    let file = config.file.display().to_string();
    let text = || {
        let toml = toml::to_string(&value).expect("the value holds no null and only text keys");
        format!("# in effect, from {file}\n{toml}")
    };
    let json = || ConfigAnswer { file: &file, config: &value };
    context.answer_with_document(json, text)?;
    Ok(Exit::Done)
}

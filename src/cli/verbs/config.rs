//! `config`: the configuration in effect, every default filled in, without secrets.

use serde_json::json;

use crate::{
    cli::{CliError, Context, Exit},
    config::effective,
};

/// Prints the configuration as TOML that parses to the same, or as JSON.
pub(crate) fn run(context: &mut Context) -> Result<Exit, CliError> {
    let config = context.config()?;
    let value = effective(&config);
    let file = config.file.display().to_string();
    let text = || {
        let toml = toml::to_string(&value).expect("the value holds no null and only text keys");
        format!("# in effect, from {file}\n{toml}")
    };
    let json = || json!({ "schema": "misp-trickle/config/2", "file": file, "config": value });
    context.answer(json, text)?;
    Ok(Exit::Done)
}

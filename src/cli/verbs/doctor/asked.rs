//! Whether a source that is asked over HTTP can be pulled: each step with what to do where it fails.

use crate::{
    cli::{CliError, Context, live::Live, source, verbs::doctor::finding::Finding},
    config::Feed,
    source::Look,
};

use super::source::CHECK;

/// Asks for all that a pull needs, and takes nothing.
pub(super) fn examine(
    context: &mut Context,
    live: &Live,
    feed: &Feed,
) -> Result<Vec<Finding>, CliError> {
    source::secret_warnings(&feed.source).iter().for_each(|warning| context.warn(warning));
    let mut asked = match source::asked(feed) {
        Ok(Some(asked)) => asked,
        Ok(None) => return Ok(Vec::new()),
        Err(error) => return Ok(vec![Finding::fault(CHECK, &error.report())]),
    };
    let looks = live.ask(asked.examine()).ok_or(CliError::Interrupted)?;
    let name = &feed.name;
    let finding = |look| match look {
        Look::Good(what) => Finding::good(CHECK, format!("feed {name}: {what}")),
        Look::Odd(what, cure) => Finding::odd(CHECK, format!("feed {name}: {what}"), cure),
        Look::Bad(error) => {
            let error = CliError::Feed { feed: name.clone(), error };
            Finding::fault(CHECK, &error.report())
        }
    };
    Ok(looks.into_iter().map(finding).collect())
}

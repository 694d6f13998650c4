//! Headers that something before a server wants.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::model::Secret;

use super::ConnectionError;

/// A shorter text may stand in any answer, and is not taken out of it.
const SECRET_BYTES_MIN: usize = 8;

/// A header that something before a server wants.
#[derive(Debug, Clone)]
pub struct ExtraHeader {
    name: String,
    value: Secret,
    is_secret: bool,
}

impl ExtraHeader {
    /// One that everybody may know.
    #[must_use]
    pub fn plain(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), value: Secret::new(value.to_owned()), is_secret: false }
    }

    /// One that nobody may.
    #[must_use]
    pub fn secret(name: &str, value: Secret) -> Self {
        Self { name: name.to_owned(), value, is_secret: true }
    }
}

impl ExtraHeader {
    /// Its name, and its value where everybody may know that.
    #[must_use]
    pub fn shown(&self) -> (&str, Option<&str>) {
        (&self.name, (!self.is_secret).then(|| self.value.expose()))
    }
}

/// The values that nobody may know and that can be told from other texts.
pub(super) fn secrets(headers: &[ExtraHeader]) -> impl Iterator<Item = Secret> + '_ {
    let secret = headers.iter().filter(|header| header.is_secret).map(|header| &header.value);
    secret.filter(|value| value.expose().len() >= SECRET_BYTES_MIN).cloned()
}

/// The headers as the client wants them.
pub(crate) fn map(headers: &[ExtraHeader]) -> Result<HeaderMap, ConnectionError> {
    let mut map = HeaderMap::new();
    for header in headers {
        let wrong = || {
            let cause =
                format!("{} or its value holds characters that no header may have", header.name);
            ConnectionError::new("a header cannot be used", cause)
        };
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| wrong())?;
        let mut value = HeaderValue::from_str(header.value.expose()).map_err(|_| wrong())?;
        value.set_sensitive(header.is_secret);
        map.insert(name, value);
    }
    Ok(map)
}

/// A secret with what stands before it in its header; nobody prints it. `what` says that it cannot be used.
pub(crate) fn secret_value(
    before: &str,
    secret: &Secret,
    what: &'static str,
) -> Result<HeaderValue, ConnectionError> {
    let value = HeaderValue::from_str(&format!("{before}{}", secret.expose()));
    let mut value = value.map_err(|_| {
        ConnectionError::new(what, "it holds characters that no header may have".to_owned())
    })?;
    value.set_sensitive(true);
    Ok(value)
}

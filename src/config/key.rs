//! The API key of a destination, from the environment or a file.

use std::{env, fs, path::Path};

use crate::model::Secret;

use super::{ConfigError, Destination, KeySource, destination::looks_like_key};

impl Destination {
    /// Reads the API key; white space around it is cut off.
    ///
    /// # Errors
    /// [`ConfigError::Key`] if there is none, or it could not stand in an HTTP header.
    pub fn api_key(&self) -> Result<Secret, ConfigError> {
        let (text, cure) = match &self.key {
            KeySource::Env(name) => (
                env::var(name).map_err(|error| match error {
                    env::VarError::NotPresent => "it is not set".to_owned(),
                    env::VarError::NotUnicode(_) => "it is not text".to_owned(),
                }),
                format!("set it: read -rs {name} && export {name}"),
            ),
            KeySource::File(path) => (
                fs::read_to_string(path).map_err(|error| error.to_string()),
                "put the key alone into the file, readable for this user only".to_owned(),
            ),
        };
        let text = text.and_then(|text| match text.trim() {
            "" => Err("it is empty".to_owned()),
            key if !key.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Err("it holds more than one word of plain characters".to_owned())
            }
            key => Ok(key.to_owned()),
        });
        text.map(Secret::new).map_err(|what| ConfigError::Key {
            destination: self.name.to_string(),
            origin: self.key.to_string(),
            what,
            cure,
        })
    }

    /// Warnings about the key or its file, as lower-case fragments.
    #[must_use]
    pub fn key_warnings(&self, key: &Secret) -> Vec<String> {
        let mut warnings = Vec::new();
        if !looks_like_key(key.expose()) {
            warnings.push(format!(
                "the API key from {} is not 40 letters and digits, as MISP's keys are",
                self.key
            ));
        }
        if let KeySource::File(path) = &self.key
            && others_can_read(path)
        {
            let path = path.display();
            warnings.push(format!("other users can read the API key; run: chmod 600 {path}"));
        }
        warnings
    }
}

impl std::fmt::Display for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(f, "the environment variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
        }
    }
}

#[cfg(unix)]
fn others_can_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o044 != 0)
}

#[cfg(not(unix))]
fn others_can_read(_path: &Path) -> bool {
    false
}

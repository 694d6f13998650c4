//! Secrets from the environment or a file: the API key of a destination, the token of a source.

use std::{env, fs, path::Path};

use crate::model::Secret;

use super::{
    ConfigError, ConnectionSettings, Destination, HeaderSource, Holds, HookUrl, KeySource,
    ServeSettings, looks_like_key, read_text,
};

impl Destination {
    /// Reads the API key; white space around it is cut off.
    ///
    /// # Errors
    /// [`ConfigError::Key`] if there is none, or it could not stand in an HTTP header.
    pub fn api_key(&self) -> Result<Secret, ConfigError> {
        self.key.read("API key", "key", &format!("destinations.{}", self.name))
    }

    /// Warnings about the key, and about the files of this and other secrets, as lower-case fragments.
    #[must_use]
    pub fn key_warnings(&self, key: &Secret) -> Vec<String> {
        let mut warnings = Vec::new();
        if !looks_like_key(key.expose()) {
            warnings.push(format!(
                "the API key from {} is not 40 letters and digits, as MISP's keys are",
                self.key
            ));
        }
        warnings.extend(self.key.warning("API key"));
        warnings.extend(self.connection.secret_warnings());
        warnings
    }
}

impl ConnectionSettings {
    /// What is wrong with who may read the files of its secrets, lower-case fragments.
    #[must_use]
    pub fn secret_warnings(&self) -> Vec<String> {
        let of_headers = self.headers.iter().filter_map(|(name, source)| match source {
            HeaderSource::Plain(_) => None,
            HeaderSource::Secret(source) => source.warning(&format!("header {name}")),
        });
        // A certificate without a file for its key stands in one with it.
        let key = self.client_key.as_ref().or(self.client_cert.as_ref());
        let of_key = key.and_then(|path| warning_about(path, "private key"));
        of_headers.chain(of_key).collect()
    }
}

impl ServeSettings {
    /// What is wrong with who may read the files of its secrets, lower-case fragments.
    #[must_use]
    pub fn secret_warnings(&self) -> Vec<String> {
        let of_hook = self.on_failure_url.as_ref().and_then(|url| match url {
            HookUrl::Plain(_) => None,
            HookUrl::Secret(source) => source.warning("address of on_failure_url"),
        });
        of_hook.into_iter().collect()
    }
}

/// What a secret may be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretForm {
    /// One word of plain characters, as it stands in an HTTP header: a key, a token.
    Word,
    /// Anything but line ends and the like: a password.
    Line,
}

impl SecretForm {
    /// The secret of a text, without the white space around a word, without the line ends behind a line.
    ///
    /// # Errors
    /// What is wrong with it, without repeating it.
    pub fn read(self, text: &str) -> Result<Secret, &'static str> {
        let secret = match self {
            Self::Word => text.trim(),
            Self::Line => text.trim_end_matches(['\r', '\n']),
        };
        match self {
            _ if secret.is_empty() => Err("it is empty"),
            Self::Word if !secret.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Err("it holds more than one word of plain characters")
            }
            Self::Line if secret.chars().any(char::is_control) => {
                Err("it holds a line end or another control character")
            }
            Self::Word | Self::Line => Ok(Secret::new(secret.to_owned())),
        }
    }
}

impl KeySource {
    /// Reads the secret; white space around it is cut off. `noun` is how people call it, `short` the same in a word,
    /// `place` the table that names it.
    ///
    /// # Errors
    /// [`ConfigError::Key`] if there is none, or it could not stand in an HTTP header.
    pub fn read(
        &self,
        noun: &'static str,
        short: &str,
        place: &str,
    ) -> Result<Secret, ConfigError> {
        self.read_as(noun, short, place, SecretForm::Word)
    }

    /// Reads a password, which may hold anything but line ends and the like; those at its end are cut off.
    ///
    /// # Errors
    /// [`ConfigError::Key`] if there is none.
    pub fn read_password(&self, place: &str) -> Result<Secret, ConfigError> {
        self.read_as("password", "password", place, SecretForm::Line)
    }

    fn read_as(
        &self,
        noun: &'static str,
        short: &str,
        place: &str,
        form: SecretForm,
    ) -> Result<Secret, ConfigError> {
        let cure = match self {
            Self::Env(name) => format!("set it: read -rs {name} && export {name}"),
            Self::File(_) => {
                format!("put the {short} alone into the file, readable for this user only")
            }
        };
        let secret = self.text().and_then(|text| form.read(&text).map_err(str::to_owned));
        secret.map_err(|what| ConfigError::Key {
            place: place.to_owned(),
            noun,
            origin: self.to_string(),
            what,
            cure,
        })
    }

    /// What stands there.
    pub(super) fn text(&self) -> Result<String, String> {
        match self {
            Self::Env(name) => env::var(name).map_err(|error| match error {
                env::VarError::NotPresent => "it is not set".to_owned(),
                env::VarError::NotUnicode(_) => "it is not text".to_owned(),
            }),
            Self::File(path) => read_text(path, Holds::Secret).map_err(|error| error.to_string()),
        }
    }

    /// What is wrong with who may read the file, a lower-case fragment.
    #[must_use]
    pub fn warning(&self, noun: &str) -> Option<String> {
        let Self::File(path) = self else { return None };
        warning_about(path, noun)
    }
}

fn warning_about(path: &Path, noun: &str) -> Option<String> {
    let path = others_can_read(path).then(|| path.display())?;
    Some(format!("other users can read the {noun}; run: chmod 600 {path}"))
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

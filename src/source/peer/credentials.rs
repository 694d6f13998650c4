//! What opens a server.

use reqwest::{
    RequestBuilder,
    header::{AUTHORIZATION, HeaderValue},
};

use crate::{
    http::{ConnectionError, secret_value},
    model::Secret,
};

/// What opens a server.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A bearer token.
    Token(Secret),
    /// A user, by HTTP Basic.
    User {
        /// The name, without a colon.
        name: String,
        /// The password.
        password: Secret,
    },
}

impl Credentials {
    /// The value of `Authorization`, which nobody prints. The request shows how the client writes it, and is not sent.
    pub(super) fn header(&self, request: RequestBuilder) -> Result<HeaderValue, ConnectionError> {
        match self {
            Self::Token(token) => secret_value("Bearer ", token, "the token cannot be used"),
            Self::User { name, password } => {
                // The client knows how it is written.
                let built = request.basic_auth(name, Some(password.expose())).build();
                let value = built.ok().and_then(|it| it.headers().get(AUTHORIZATION).cloned());
                value.ok_or_else(|| {
                    let cause = "it holds characters that no header may have".to_owned();
                    ConnectionError::new("the user name cannot be used", cause)
                })
            }
        }
    }

    /// The user, where that is told.
    pub(super) fn user(&self) -> Option<&str> {
        match self {
            Self::Token(_) => None,
            Self::User { name, .. } => Some(name),
        }
    }

    /// What no answer may bring into a message, in each form in which it was sent.
    pub(super) fn secrets(&self, header: &HeaderValue) -> Vec<Secret> {
        match self {
            Self::Token(token) => vec![token.clone()],
            Self::User { password, .. } => {
                let sent = header.to_str().ok().and_then(|text| text.strip_prefix("Basic "));
                let sent = sent.map(|text| Secret::new(text.to_owned()));
                sent.into_iter().chain([password.clone()]).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_sent_as_rfc_7617_says_and_never_shown() {
        let password = Secret::new("open sesame".to_owned());
        let user = Credentials::User { name: "Aladdin".to_owned(), password };
        let header = user.header(reqwest::Client::new().get("http://localhost/")).unwrap();
        assert_eq!(header.to_str().unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(header.is_sensitive());
        let secrets = user.secrets(&header);
        let texts: Vec<_> = secrets.iter().map(Secret::expose).collect();
        assert_eq!(texts, ["QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "open sesame"]);
        assert!(!format!("{user:?} {header:?}").contains("sesame"));
    }
}

//! What caused an error of the HTTP client, by its type. The words of other libraries are shown to people and never
//! read.

use std::{error::Error, io};

use hyper::Uri;
use hyper_util::client::legacy::{
    Error as ClientError,
    connect::{HttpConnector, proxy::Tunnel},
};
use rustls::{AlertDescription, CertificateError, InvalidMessage};
use tower_service::Service;

/// What goes wrong before a proxy's tunnel stands. It has no name of its own.
type TunnelError = <Tunnel<HttpConnector> as Service<Uri>>::Error;

/// Why there is no connection that a request could go over, where repeating does not help or the words differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The proxy wants to know who we are.
    ProxyAsks,
    /// The proxy is not there, or goes away.
    ProxyAway,
    /// The proxy answers, and makes no tunnel.
    ProxyRefuses,
    /// The server's certificate is not trusted.
    Certificate(Distrust),
    /// The server speaks no version of TLS that we speak.
    OldTls,
    /// Something answers that is no TLS.
    NoTls,
    /// The server refuses our certificate, or misses one.
    OurCertificate,
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Distrust {
    Issuer,
    Authority,
    Expired,
    Early,
    Name,
    Other,
}

/// The cause of an error, as far as it is one of those.
pub(super) fn cause(error: &(dyn Error + 'static)) -> Option<Cause> {
    chain(error).find_map(|error| {
        if let Some(tunnel) = error.downcast_ref::<TunnelError>() {
            return of_tunnel(tunnel);
        }
        error.downcast_ref::<rustls::Error>().and_then(of_tls)
    })
}

/// Whether the connection went away under a request that was on its way.
pub(super) fn was_cancelled(error: &(dyn Error + 'static)) -> bool {
    chain(error)
        .filter_map(|error| error.downcast_ref::<hyper::Error>())
        .any(hyper::Error::is_canceled)
}

fn of_tunnel(error: &TunnelError) -> Option<Cause> {
    // Behind a tunnel that failed stands what the proxy's own TLS says, if anything.
    match error {
        TunnelError::ProxyAuthRequired => Some(Cause::ProxyAsks),
        TunnelError::ConnectFailed(cause) => {
            let tls = chain(&**cause).find_map(|error| error.downcast_ref().and_then(of_tls));
            Some(tls.unwrap_or(Cause::ProxyAway))
        }
        TunnelError::Io(_) => Some(Cause::ProxyAway),
        _ => Some(Cause::ProxyRefuses),
    }
}

fn of_tls(error: &rustls::Error) -> Option<Cause> {
    Some(match error {
        rustls::Error::InvalidCertificate(why) => Cause::Certificate(of_certificate(why)),
        rustls::Error::PeerIncompatible(_)
        | rustls::Error::AlertReceived(
            AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity,
        ) => Cause::OldTls,
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => Cause::NoTls,
        rustls::Error::AlertReceived(
            AlertDescription::AccessDenied
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRequired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::HandshakeFailure
            | AlertDescription::UnknownCA
            | AlertDescription::UnsupportedCertificate,
        ) => Cause::OurCertificate,
        _ => return None,
    })
}

fn of_certificate(why: &CertificateError) -> Distrust {
    match why {
        CertificateError::UnknownIssuer => Distrust::Issuer,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Distrust::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Distrust::Early
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Distrust::Name
        }
        CertificateError::Other(other) => match other.0.downcast_ref::<webpki::Error>() {
            Some(webpki::Error::CaUsedAsEndEntity) => Distrust::Authority,
            _ => Distrust::Other,
        },
        _ => Distrust::Other,
    }
}

/// An error and all that stands behind it; an error of the operating system hides one.
fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error: &&'e (dyn Error + 'static)| {
        match error.downcast_ref::<io::Error>() {
            Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

/// An error with all its causes in words, but for those of the client's own, which say only that it failed.
pub(super) fn words(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for error in chain(error).filter(|error| !error.is::<ClientError>()) {
        let words = error.to_string();
        if !text.contains(&words) {
            let joint = if text.is_empty() { "" } else { ": " };
            text = format!("{text}{joint}{words}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(error: rustls::Error) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }

    #[test]
    fn what_stands_behind_an_error_of_the_system_is_found() {
        let alert = |alert| wrapped(rustls::Error::AlertReceived(alert));
        for (error, expected) in [
            (alert(AlertDescription::ProtocolVersion), Some(Cause::OldTls)),
            (alert(AlertDescription::UnknownCA), Some(Cause::OurCertificate)),
            (alert(AlertDescription::InternalError), None),
            (
                wrapped(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)),
                Some(Cause::Certificate(Distrust::Issuer)),
            ),
            (io::Error::from(io::ErrorKind::ConnectionRefused), None),
        ] {
            assert_eq!(cause(&error), expected, "{error}");
        }
    }

    #[test]
    fn what_a_proxy_does_is_told_apart() {
        let away = io::Error::from(io::ErrorKind::ConnectionRefused);
        for (error, expected) in [
            (TunnelError::ProxyAuthRequired, Cause::ProxyAsks),
            (TunnelError::ConnectFailed(away.into()), Cause::ProxyAway),
            (TunnelError::TunnelUnsuccessful, Cause::ProxyRefuses),
            (
                TunnelError::ConnectFailed(
                    wrapped(rustls::Error::InvalidCertificate(CertificateError::Expired)).into(),
                ),
                Cause::Certificate(Distrust::Expired),
            ),
        ] {
            assert_eq!(cause(&error), Some(expected), "{error}");
        }
    }
}

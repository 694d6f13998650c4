//! Authorities, certificates and TLS servers, made when a test runs.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use tokio_rustls::rustls::{
    RootCertStore, ServerConfig, SupportedProtocolVersion,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::WebPkiClientVerifier,
    version::{TLS12, TLS13},
};

/// Both versions that are in use.
pub const BOTH: &[&SupportedProtocolVersion] = &[&TLS12, &TLS13];

/// An authority.
pub struct Authority {
    pub pem: String,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its key.
pub struct Identity {
    pub pem: String,
    pub key_pem: String,
    der: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let (pem, der) = (certificate.pem(), certificate.der().clone());
        Self { pem, der, issuer: Issuer::new(params, key) }
    }

    /// A certificate for a host.
    pub fn server(&self, host: &str) -> Identity {
        self.signs(&server(host))
    }

    /// A certificate for a host, valid from one year to another.
    pub fn server_of(&self, host: &str, from: i32, to: i32) -> Identity {
        let mut params = server(host);
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        self.signs(&params)
    }

    /// A certificate for a client.
    pub fn client(&self) -> Identity {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "trickle");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.signs(&params)
    }

    fn signs(&self, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity::new(certificate.pem(), certificate.der().clone(), &key)
    }
}

/// A certificate that signs itself; `is_ca` as most commands make it that are found in manuals.
pub fn self_signed(host: &str, is_ca: bool) -> Identity {
    let mut params = server(host);
    if is_ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Identity::new(certificate.pem(), certificate.der().clone(), &key)
}

fn server(host: &str) -> CertificateParams {
    let mut params = CertificateParams::new([host.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, host);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

impl Identity {
    fn new(pem: String, der: CertificateDer<'static>, key: &KeyPair) -> Self {
        let key_der = PrivatePkcs8KeyDer::from(key.serialize_der());
        Self { pem, key_pem: key.serialize_pem(), der, key: key_der.into() }
    }

    /// A server that shows this certificate, and asks for one of these authority's if there is one.
    pub fn serves(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        asks: Option<&Authority>,
    ) -> ServerConfig {
        let builder = ServerConfig::builder_with_protocol_versions(versions);
        let builder = match asks {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.der.clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
                builder.with_client_cert_verifier(verifier)
            }
        };
        builder.with_single_cert(vec![self.der.clone()], self.key.clone_key()).unwrap()
    }
}

//! TLS on the way to MISP, by real handshakes: what is trusted, what is refused, and what the user is told.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use certificates::{Authority, BOTH, Identity, self_signed};
use front::Front;
use misp_trickle_testing::{certificates, front, program};
use program::{ATTRIBUTES, Place, Sandbox, Seen};
use tokio_rustls::rustls::{
    ServerConfig, SupportedProtocolVersion,
    version::{TLS12, TLS13},
};

const CA: &str = "ca_bundle = \"ca.pem\"";
const MUTUAL: &str =
    "ca_bundle = \"ca.pem\"\nclient_cert = \"client.pem\"\nclient_key = \"client.key\"";

/// A MISP behind TLS.
struct Scene {
    sandbox: Sandbox,
    front: Front,
    /// What the machine trusts: an authority that signed nothing here.
    machine: String,
}

impl Scene {
    fn new(tls: ServerConfig) -> Self {
        let sandbox = Sandbox::start();
        let front = Front::with_tls(sandbox.address, tls);
        Self { sandbox, front, machine: Authority::new("another").pem }
    }

    /// A configuration with these lines and these files.
    fn place(&self, lines: &str, files: &[(&str, &str)]) -> Place {
        let place = Place::new(&self.front.https(), &self.sandbox.key("sync"), lines);
        fs::write(place.path("machine.pem"), &self.machine).unwrap();
        for (name, text) in files {
            fs::write(place.path(name), text).unwrap();
        }
        place
    }

    fn run(&self, place: &Place, verb: &str) -> Seen {
        let machine = place.path("machine.pem");
        place.run_in(&[("SSL_CERT_FILE", machine.to_str().unwrap())], &[verb])
    }

    /// Everything arrives.
    #[track_caller]
    fn delivers(&self, lines: &str, files: &[(&str, &str)]) -> Seen {
        let seen = self.run(&self.place(lines, files), "sync").code(0);
        assert_eq!(self.sandbox.attributes(), ATTRIBUTES);
        seen
    }

    /// Nothing is asked, and the user is told why, at once.
    #[track_caller]
    fn refuses(&self, lines: &str, files: &[(&str, &str)], words: &[&str]) {
        self.explains(lines, files, words);
        assert_eq!(self.front.connections(), 2, "what cannot help is not repeated");
    }

    /// Nothing is asked, and the user is told why.
    #[track_caller]
    fn explains(&self, lines: &str, files: &[(&str, &str)], words: &[&str]) {
        let place = self.place(lines, files);
        let url = self.front.https();
        for verb in ["sync", "doctor"] {
            let seen = self.run(&place, verb).code(5).says(&[&url]).says(words);
            seen.hides(&[&place.key, "ERROR failed to verify"]);
        }
        assert!(self.front.seen().is_empty(), "a request went to somebody unknown");
    }
}

fn localhost(authority: &Authority) -> Identity {
    authority.server("localhost")
}

#[test]
fn an_authority_of_ones_own_is_trusted_by_ca_bundle() {
    let authority = Authority::new("private");
    let scene = Scene::new(localhost(&authority).serves(BOTH, None));
    scene.delivers(CA, &[("ca.pem", &authority.pem)]);
}

#[test]
fn an_authority_of_the_machine_is_trusted_beside_ca_bundle() {
    let authority = Authority::new("of the machine");
    let mut scene = Scene::new(localhost(&authority).serves(BOTH, None));
    scene.machine.clone_from(&authority.pem);
    scene.delivers(CA, &[("ca.pem", &Authority::new("another").pem)]);
}

#[test]
fn an_authority_that_nobody_trusts_is_refused() {
    let authority = Authority::new("private");
    let scene = Scene::new(localhost(&authority).serves(BOTH, None));
    scene.refuses("verify_tls = true", &[], &["UnknownIssuer", "set `ca_bundle`"]);
}

#[test]
fn a_self_signed_certificate_is_refused_unless_it_is_in_ca_bundle() {
    let identity = self_signed("localhost", false);
    let scene = Scene::new(identity.serves(BOTH, None));
    scene.refuses("verify_tls = true", &[], &["UnknownIssuer", "set `ca_bundle`"]);
    scene.delivers(CA, &[("ca.pem", &identity.pem)]);
}

#[test]
fn a_certificate_that_is_an_authority_itself_is_refused_even_in_ca_bundle() {
    let identity = self_signed("localhost", true);
    let scene = Scene::new(identity.serves(BOTH, None));
    scene.refuses(CA, &[("ca.pem", &identity.pem)], &["CaUsedAsEndEntity", "CA:FALSE"]);
}

#[test]
fn an_expired_certificate_is_refused() {
    let authority = Authority::new("private");
    let scene = Scene::new(authority.server_of("localhost", 2001, 2002).serves(BOTH, None));
    scene.refuses(CA, &[("ca.pem", &authority.pem)], &["certificate expired", "renewed"]);
}

#[test]
fn a_certificate_of_tomorrow_is_refused() {
    let authority = Authority::new("private");
    let scene = Scene::new(authority.server_of("localhost", 3001, 3002).serves(BOTH, None));
    scene.refuses(CA, &[("ca.pem", &authority.pem)], &["not valid yet", "clock"]);
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    let authority = Authority::new("private");
    let scene = Scene::new(authority.server("misp.example.org").serves(BOTH, None));
    let words = ["not valid for name", "misp.example.org", "into `url`"];
    scene.refuses(CA, &[("ca.pem", &authority.pem)], &words);
}

#[test]
fn a_certificate_that_is_not_checked_is_warned_about_in_every_run() {
    let identity = self_signed("misp.example.org", true);
    let scene = Scene::new(identity.serves(BOTH, None));
    let place = scene.place("verify_tls = false", &[]);
    for verb in ["sync", "sync", "doctor", "plan"] {
        let seen = scene.run(&place, verb).code(0);
        seen.says(&["verify_tls: is off: anyone on the way can read the key", "ca_bundle"]);
    }
    assert_eq!(scene.sandbox.attributes(), ATTRIBUTES);
}

#[test]
fn each_version_of_tls_that_is_sound_is_spoken() {
    let versions: [&[&'static SupportedProtocolVersion]; 2] = [&[&TLS12], &[&TLS13]];
    for version in versions {
        let authority = Authority::new("private");
        let scene = Scene::new(localhost(&authority).serves(version, None));
        scene.delivers(CA, &[("ca.pem", &authority.pem)]);
    }
}

#[test]
fn a_client_certificate_is_shown_where_it_is_asked_for() {
    let versions: [&[&'static SupportedProtocolVersion]; 2] = [&[&TLS12], &[&TLS13]];
    for version in versions {
        let (authority, clients) = (Authority::new("private"), Authority::new("clients"));
        let tls = || localhost(&authority).serves(version, Some(&clients));
        let ca = ("ca.pem", &*authority.pem);
        let ours = clients.client();
        let files = [ca, ("client.pem", &*ours.pem), ("client.key", &*ours.key_pem)];
        Scene::new(tls()).delivers(MUTUAL, &files);
        // Certificate and key in one file do as well.
        let both = format!("{}{}", ours.pem, ours.key_pem);
        let one = "ca_bundle = \"ca.pem\"\nclient_cert = \"client.pem\"";
        Scene::new(tls()).delivers(one, &[ca, ("client.pem", &both)]);

        // With TLS 1.3 the server's reason comes after the handshake, and sometimes gets lost.
        let asked = ["asks for a certificate of ours", "`client_cert` and `client_key`"];
        Scene::new(tls()).explains(CA, &[ca], &asked);
        let strange = Authority::new("strange").client();
        let files = [ca, ("client.pem", &*strange.pem), ("client.key", &*strange.key_pem)];
        Scene::new(tls()).explains(MUTUAL, &files, &["refuses our certificate", "`client_cert`"]);
    }
}

#[test]
fn files_that_are_no_certificates_are_named() {
    let authority = Authority::new("private");
    let scene = Scene::new(localhost(&authority).serves(BOTH, None));
    let ours = authority.client();
    let (empty, garbage) = ("", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    for (lines, files, words) in [
        (CA, vec![("ca.pem", empty)], "ca_bundle"),
        (CA, vec![("ca.pem", garbage)], "ca_bundle"),
        (CA, vec![("ca.pem", &*ours.key_pem)], "ca_bundle"),
        (CA, vec![], "ca.pem"),
        (MUTUAL, vec![("ca.pem", &authority.pem), ("client.pem", empty)], "client.key"),
        (
            MUTUAL,
            vec![("ca.pem", &authority.pem), ("client.pem", &ours.pem), ("client.key", empty)],
            "client_cert and client_key",
        ),
        (
            MUTUAL,
            vec![("ca.pem", &authority.pem), ("client.pem", empty), ("client.key", &ours.key_pem)],
            "client_cert and client_key",
        ),
    ] {
        let seen = scene.run(&scene.place(lines, &files), "sync").code(1).says(&[words]);
        seen.hides(&["PRIVATE KEY", ours.key_pem.lines().nth(1).unwrap()]);
    }
    assert_eq!(scene.front.connections(), 0);
}

#[test]
fn a_server_without_tls_is_told_from_a_bad_certificate() {
    let sandbox = Sandbox::start();
    let url = sandbox.url().replace("http:", "https:");
    let place = Place::new(&url, &sandbox.key("sync"), "verify_tls = true");
    place.run(&["sync"]).code(5).says(&["no TLS is spoken there"]);
}

#[test]
fn a_machine_without_authorities_still_does_without_tls() {
    let sandbox = Sandbox::start();
    let nothing = [("SSL_CERT_FILE", "/nonexistent"), ("SSL_CERT_DIR", "/nonexistent")];
    let place = Place::new(&sandbox.url(), &sandbox.key("sync"), "verify_tls = true");
    place.run_in(&nothing, &["sync"]).code(0);
    let authority = Authority::new("private");
    let scene = Scene::new(localhost(&authority).serves(BOTH, None));
    let place = scene.place("verify_tls = true", &[]);
    place.run_in(&nothing, &["sync"]).code(1).says(&["install its CA certificates", "`ca_bundle`"]);
    scene.place(CA, &[("ca.pem", &authority.pem)]).run_in(&nothing, &["sync"]).code(0);
}

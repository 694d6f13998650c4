//! Reads `[serve]`: where the daemon answers, and whom it tells.

use std::net::SocketAddr;

use crate::model::Tlp;

use super::{
    HookUrl, ServeSettings, SocketPlace,
    connection::{Found, Peer, http_url, read_secret},
    reader::Section,
};

/// Whoever is told of failures by a POST. Such an address is often all that it takes to send there.
const HOOK: Peer = Peer {
    name: "the hook",
    secret: "address",
    short: "address",
    direction: "sent",
    secret_cure: SECRET_CURE,
    elsewhere: None,
    example: "HOOK_URL",
};
const SECRET_CURE: &str =
    "write on_failure_url_env = \"HOOK_URL\" or on_failure_url_file = \"PATH\"";

pub(super) fn read_serve(root: &mut Section<'_, '_>) -> ServeSettings {
    let Some(mut section) = root.section("serve") else { return ServeSettings::default() };
    let socket = match section.item("socket") {
        None => SocketPlace::Usual,
        Some(at) if at.value.as_str() == Some("") => SocketPlace::Nowhere,
        Some(_) => section.path("socket").map_or(SocketPlace::Usual, SocketPlace::At),
    };
    let metrics = read_loopback(&mut section, "metrics");
    let web = read_loopback(&mut section, "web");
    let max_tlp = read_max_tlp(&mut section);
    let group = read_group(&mut section, &socket);
    let on_failure = read_command(&mut section);
    let on_failure_url = read_hook(&mut section);
    section.finish();
    ServeSettings { socket, group, metrics, web, max_tlp, on_failure, on_failure_url }
}

fn read_loopback(section: &mut Section<'_, '_>, key: &'static str) -> Option<SocketAddr> {
    let at = section.text(key)?;
    let address: Option<SocketAddr> = at.value.parse().ok();
    let loopback = address.filter(|address| address.ip().is_loopback());
    if loopback.is_none() {
        let what = format!("{:?} is no loopback address with a port", at.value);
        let cure = "write one such as \"127.0.0.1:9184\"; a proxy can show it to other machines";
        section.reader().wrong(&at, what, cure);
    }
    loopback
}

/// Up to which colour pages show things.
fn read_max_tlp(section: &mut Section<'_, '_>) -> Option<Tlp> {
    let at = section.text("max_tlp")?;
    let colour = at.value.parse();
    if colour.is_err() {
        let cure = "write clear, green, amber, amber+strict or red";
        section.reader().wrong(&at, format!("{:?} is no TLP colour", at.value), cure);
    }
    colour.ok()
}

fn read_group(section: &mut Section<'_, '_>, socket: &SocketPlace) -> Option<String> {
    let at = section.text("group")?;
    if !matches!(socket, SocketPlace::At(_)) {
        let what = "has no meaning without a socket that its users know".to_owned();
        let cure =
            "write socket = \"PATH\" into a folder that they may enter, such as /run/misp-trickle";
        section.reader().wrong(&at, what, cure);
    }
    Some(at.value.to_owned())
}

/// A program and its arguments; no shell reads them.
fn read_command(section: &mut Section<'_, '_>) -> Option<Vec<String>> {
    let at = section.item("on_failure")?;
    let words = section.texts("on_failure")?;
    if words.first().is_none_or(|program| program.value.is_empty()) {
        let cure =
            "write the program and its arguments, such as [\"/usr/local/bin/alarm\", \"ops\"]";
        section.reader().wrong(&at, "names no program".to_owned(), cure);
        return None;
    }
    Some(words.iter().map(|word| word.value.to_owned()).collect())
}

fn read_hook(section: &mut Section<'_, '_>) -> Option<HookUrl> {
    let plain = section.text("on_failure_url");
    match read_secret(section, ["on_failure_url_env", "on_failure_url_file"], &HOOK) {
        Found::There(source) => {
            if let Some(at) = plain {
                let what = "stands beside its file or variable".to_owned();
                section.reader().wrong(&at, what, "keep one of the two");
            }
            Some(HookUrl::Secret(source))
        }
        Found::Faulty => None,
        Found::Absent => http_url(section.reader(), &plain?, SECRET_CURE).map(HookUrl::Plain),
    }
}

//! The API key and the proxy's password, sought in everything that the program leaves behind: what it prints at
//! every level of its log, its errors, its store, its exports, and the list of its arguments.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use misp_trickle_testing::{certificates, front, http_proxy, program};

use certificates::{Authority, BOTH};
use front::{Act, Front, answer};
use http_proxy::HttpProxy;
use program::{Place, Sandbox, Seen, seen};

const USER: &str = "proxyuser";
const PASSWORD: &str = "Tr0ub4dor-and-3";
/// Shorter pieces than this are in every other file.
const PIECE: usize = 12;
/// Every level, of the program and of its libraries.
const LEVELS: [&str; 7] =
    ["off", "error", "warn", "info", "debug", "trace", "misp_trickle=trace,hyper=debug"];

/// Texts that may be nowhere.
struct Secrets(Vec<(String, Vec<u8>)>);

impl Secrets {
    /// The key and the password, whole and in pieces, also as `user:password`, each in base64, in hexadecimal
    /// digits, backwards, and as numbers of bytes.
    fn new(key: &str) -> Self {
        let pair = format!("{USER}:{PASSWORD}");
        let mut all = vec![(format!("{USER}'s password"), PASSWORD.to_owned())];
        all.push(("the head of the key".to_owned(), key[..PIECE].to_owned()));
        all.push(("the tail of the key".to_owned(), key[key.len() - PIECE..].to_owned()));
        for (name, text) in [("key", key), ("password", PASSWORD), ("user and password", &pair)] {
            // Where it begins in a longer text decides what its base64 looks like.
            for shift in 0..3 {
                let packed = base64(&[&b"\0\0"[..shift], text.as_bytes()].concat());
                let certain = packed[4.min(shift * 4)..packed.len() - 4].to_owned();
                all.push((format!("{name} in base64"), certain));
            }
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            all.push((format!("{name} in hexadecimal"), hex.to_uppercase()));
            all.push((format!("{name} in hexadecimal"), hex));
            all.push((format!("{name} backwards"), text.chars().rev().collect()));
            let numbers: Vec<String> = text.bytes().map(|byte| byte.to_string()).collect();
            all.push((format!("{name} as bytes"), numbers.join(", ")));
        }
        Self(all.into_iter().map(|(name, text)| (name, text.into_bytes())).collect())
    }

    #[track_caller]
    fn absent(&self, place: &str, bytes: &[u8]) {
        for (name, secret) in &self.0 {
            let found = memchr::memmem::find(bytes, secret);
            if let Some(at) = found {
                let around =
                    &bytes[at.saturating_sub(80)..(at + secret.len() + 20).min(bytes.len())];
                panic!("{name} in {place}: …{}…", String::from_utf8_lossy(around));
            }
        }
    }

    /// Runs the program and looks at what it prints.
    #[track_caller]
    fn run(&self, place: &Place, environment: &[(&str, &str)], arguments: &[&str]) -> Seen {
        let seen = place.run_in(environment, arguments);
        self.absent(&format!("the output of {arguments:?}"), seen.all().as_bytes());
        seen
    }

    /// Looks at every file below a folder, by its name and by what it holds.
    #[track_caller]
    fn absent_below(&self, folder: &Path) -> usize {
        let mut files = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            self.absent("a name", path.to_str().unwrap().as_bytes());
            if path.is_dir() {
                files += self.absent_below(&path);
            } else {
                self.absent(&path.display().to_string(), &fs::read(&path).unwrap());
                files += 1;
            }
        }
        files
    }
}

/// Base64 as RFC 4648 has it.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = (0..3).fold(0, |sum, at| sum << 8 | u32::from(*three.get(at).unwrap_or(&0)));
        for digit in 0..4 {
            let six = usize::try_from(number >> (18 - 6 * digit) & 63).unwrap();
            text.push(if digit <= three.len() { char::from(DIGITS[six]) } else { '=' });
        }
    }
    text
}

#[test]
fn base64_is_that_of_the_standard() {
    for (text, packed) in [("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
        assert_eq!(base64(text.as_bytes()), packed);
    }
}

/// A MISP behind TLS and a proxy that asks for a password, and a configuration for both.
struct Scene {
    sandbox: Sandbox,
    _front: Front,
    proxy: HttpProxy,
    place: Place,
    secrets: Secrets,
}

impl Scene {
    fn new() -> Self {
        let sandbox = Sandbox::start();
        let authority = Authority::new("private");
        let tls = authority.server("localhost").serves(BOTH, None);
        let front = Front::with_tls(sandbox.address, tls);
        let place = Place::new(&front.https(), &sandbox.key("sync"), "ca_bundle = \"ca.pem\"");
        fs::write(place.path("ca.pem"), &authority.pem).unwrap();
        let proxy = HttpProxy::start(Some(&base64(format!("{USER}:{PASSWORD}").as_bytes())));
        let secrets = Secrets::new(&place.key);
        Self { sandbox, _front: front, proxy, place, secrets }
    }

    fn proxy(&self) -> String {
        format!("http://{USER}:{PASSWORD}@{}", self.proxy.address)
    }
}

#[test]
fn nothing_that_a_run_prints_or_keeps_holds_a_secret() {
    let scene = Scene::new();
    let Scene { place, secrets, .. } = &scene;
    let proxy = scene.proxy();
    let way = [("HTTPS_PROXY", &*proxy), ("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full")];
    let trace = [&way[..], &[("MISP_TRICKLE_LOG", "trace")]].concat();
    secrets.run(place, &trace, &["plan"]).code(0);
    let sync = secrets.run(place, &trace, &["sync"]).code(0);
    // The libraries did speak, or nothing was looked for.
    assert!(sync.talk.contains("TRACE") && sync.talk.contains("intercepts"), "{}", sync.talk);
    assert!(!scene.proxy.asked().is_empty());
    for arguments in [
        &["doctor"][..],
        &["doctor", "--push-test-event", "--json"],
        &["sync", "--json"],
        &["verify"],
        &["status"],
        &["status", "--json"],
        &["log"],
        &["log", "--json"],
        &["show"],
        &["show", "--json"],
        &["diff", "0", "@", "--json"],
        &["why", "203.0.113.41"],
        &["why", "203.0.113.41", "--json"],
        &["config"],
        &["config", "--json"],
        &["map", "day.json"],
        &["plan", "-o", "plan.json"],
        &["export", "export.jsonl"],
        &["export", "-"],
        &["check", "--json"],
        &["gc"],
        &["repair"],
        &["--help"],
    ] {
        secrets.run(place, &trace, arguments).code(0);
    }
    let files = secrets.absent_below(place.folder());
    assert!(files > 8, "{files} files are no store");
}

#[test]
fn no_level_of_the_log_holds_a_secret() {
    for level in LEVELS {
        for (number, verbose) in ["-q", "-v", "-vv"].into_iter().enumerate() {
            let scene = Scene::new();
            let proxy = scene.proxy();
            let way = [("HTTPS_PROXY", &*proxy), ("MISP_TRICKLE_LOG", level)];
            let way = if number == 2 { &way[..1] } else { &way[..] };
            scene.secrets.run(&scene.place, way, &[verbose, "sync"]).code(0);
            scene.secrets.absent_below(&scene.place.folder().join("state"));
        }
    }
}

#[test]
fn no_error_holds_a_secret() {
    let scene = Scene::new();
    let Scene { sandbox, place, secrets, .. } = &scene;
    let proxy = scene.proxy();
    let trace = ("MISP_TRICKLE_LOG", "trace");
    let through = [("HTTPS_PROXY", &*proxy), ("HTTP_PROXY", &*proxy), trace];

    // A key that MISP refuses.
    let wrong = Place::new(&sandbox.url(), &"Q7w8E9r0T1".repeat(4), "proxy = \"none\"");
    Secrets::new(&wrong.key).run(&wrong, &through, &["sync"]).code(4);
    Secrets::new(&wrong.key).absent_below(wrong.folder());

    // Nobody there, directly and by a proxy; a proxy that is not there, or refuses.
    let nobody = Place::new("http://127.0.0.1:1", &place.key, "verify_tls = true");
    secrets.run(&nobody, &[trace], &["doctor"]).code(5);
    let gone = format!("http://{USER}:{PASSWORD}@127.0.0.1:1");
    for (name, place) in [("HTTP_PROXY", &nobody), ("HTTPS_PROXY", place)] {
        secrets.run(place, &[(name, &gone), trace], &["doctor"]).code(5);
    }
    let strict = HttpProxy::start(Some("c29tZWJvZHk6ZWxzZQ=="));
    let refused = format!("http://{USER}:{PASSWORD}@{}", strict.address);
    let plain = Place::new(&sandbox.url(), &place.key, "verify_tls = true");
    for (name, place) in [("HTTP_PROXY", &plain), ("HTTPS_PROXY", place)] {
        secrets.run(place, &[(name, &refused), trace], &["sync"]).code(5);
    }
    // A proxy that cannot even be read.
    for bad in ["ftp", "socks5", "nonsense"] {
        let bad = format!("{bad}://{USER}:{PASSWORD}@127.0.0.1:1");
        secrets.run(&plain, &[("HTTP_PROXY", &bad), trace], &["doctor"]);
    }

    // TLS that is not trusted.
    fs::write(place.path("ca.pem"), &Authority::new("another").pem).unwrap();
    secrets.run(place, &through, &["sync"]).code(5);

    // Servers that say no, or nonsense.
    for bytes in [
        answer("302 Found", "Location: http://other.example/\r\n", b""),
        answer("200 OK", "", b"<html>login</html>"),
        answer("500 Error", "", b"{\"name\": \"An Internal Error Has Occurred.\"}"),
        answer("418 Teapot", "", b""),
        b"nonsense\r\n\r\n".to_vec(),
    ] {
        let front = Front::before(sandbox.address, move |_, _| Act::Say(bytes.clone()));
        let place = Place::new(&front.url(), &place.key, "verify_tls = true");
        secrets.run(&place, &[trace], &["doctor"]).code(5);
    }
}

#[test]
fn no_error_of_the_configuration_repeats_a_secret() {
    let sandbox = Sandbox::start();
    let key = sandbox.key("sync");
    let secrets = Secrets::new(&key);
    let with_user = format!("proxy = \"http://{USER}:{PASSWORD}@proxy:3128\"");
    let with_key = format!("proxy = \"http://{key}@proxy:3128\"");
    for line in [
        with_user,
        with_key,
        format!("api_key = {key:?}"),
        format!("authkey = {key:?}"),
        format!("password = {PASSWORD:?}"),
        format!("verify_tls = {key:?}"),
        format!("ca_bundle = \"http://{USER}:{PASSWORD}@host/\"\nverify_tls = \"no\""),
        format!("compression = {key:?}"),
        format!("proxy = {key:?}"),
        format!("timeout = {key:?}"),
        format!("api_key = \"{key}"),
    ] {
        let place = Place::new(&sandbox.url(), &key, &line);
        for verb in ["sync", "config", "doctor"] {
            secrets.run(&place, &[("MISP_TRICKLE_LOG", "trace")], &[verb]).code(1);
        }
    }
    for (from, to) in [
        ("api_key_env = \"MISP_API_KEY\"", format!("api_key_env = {key:?}")),
        ("api_key_env = \"MISP_API_KEY\"", format!("api_key_file = {key:?}")),
        ("verify_tls = true", format!("headers = {{ X-T = {{ env = {key:?} }} }}")),
        ("url = \"http://", format!("url = \"http://{USER}:{PASSWORD}@")),
        ("url = \"http://", format!("url = \"ftp://{USER}:{PASSWORD}@")),
    ] {
        let place = Place::new(&sandbox.url(), &key, "verify_tls = true");
        place.configure(from, &to);
        for verb in ["sync", "config", "doctor"] {
            secrets.run(&place, &[], &[verb]).code(1);
        }
    }
    // A key that no header may hold.
    let place = Place::new(&sandbox.url(), &key, "verify_tls = true");
    for bad in [format!("{key} {key}"), format!("{key}\u{e9}"), format!("{key}\nx")] {
        secrets.run(&place, &[("MISP_API_KEY", &bad)], &["sync"]).code(1);
        place.configure("api_key_env = \"MISP_API_KEY\"", "api_key_file = \"key\"");
        fs::write(place.path("key"), &bad).unwrap();
        secrets.run(&place, &[], &["sync"]).code(1);
        place.configure("api_key_file = \"key\"", "api_key_env = \"MISP_API_KEY\"");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_list_of_processes_shows_no_secret() {
    let sandbox = Sandbox::start();
    let front = Front::before(sandbox.address, |_, _| Act::PassLate(Duration::from_millis(300)));
    let place = Place::new(&front.url(), &sandbox.key("sync"), "verify_tls = true");
    let secrets = Secrets::new(&place.key);
    fs::write(place.path("key"), &place.key).unwrap();
    place.configure("api_key_env = \"MISP_API_KEY\"", "api_key_file = \"key\"");
    let mut command = Command::new(env!("CARGO_BIN_EXE_misp-trickle"));
    let command = place.clean(&mut command).args(["-v", "sync"]).env_remove("MISP_API_KEY");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    let mut looks = 0;
    while child.try_wait().unwrap().is_none() && begun.elapsed() < Duration::from_secs(60) {
        // A process that just ended has no files any more.
        for name in ["cmdline", "comm", "status", "environ"] {
            if let Ok(bytes) = fs::read(format!("/proc/{}/{name}", child.id())) {
                secrets.absent(name, &bytes);
                looks += usize::from(
                    name == "cmdline" && memchr::memmem::find(&bytes, b"sync").is_some(),
                );
            }
        }
        thread::sleep(Duration::from_millis(5));
    }
    assert!(child.wait().unwrap().success());
    assert!(looks > 20, "it was looked at {looks} times");
    // With the key in a file, not even the environment holds it; and the file is the only one that does.
    fs::remove_file(place.path("key")).unwrap();
    secrets.absent_below(place.folder());
}

#[test]
fn a_store_that_is_locked_says_who_has_it_and_no_more() {
    let sandbox = Sandbox::start();
    let front = Front::before(sandbox.address, |_, number| {
        if number == 1 { Act::PassLate(Duration::from_secs(3)) } else { Act::Pass }
    });
    let place = Place::new(&front.url(), &sandbox.key("sync"), "verify_tls = true");
    let secrets = Secrets::new(&place.key);
    let mut first = place.command(&["sync"]);
    let mut first = first.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while front.seen().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(10));
    }
    let second = seen(&mut place.command(&["sync", "--wait", "0s"])).code(11);
    secrets.absent("the message", second.all().as_bytes());
    secrets.absent_below(place.folder());
    assert!(first.wait().unwrap().success());
}

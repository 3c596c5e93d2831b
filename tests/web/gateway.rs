//! A gateway as there are many, before the page: hosts behind it, nftables in a network of the test's own, an hfm that
//! tests and writes, and one of its operators. Its pictures are those of the documentation.
//!
//! With `HFM_SCREENSHOTS` it first lives for `HFM_SCREENSHOTS_AFTER` seconds (460 unless said), so that the pictures
//! have a history.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use serde_json::json;

use crate::any_hfm::fits;
use crate::driver::{Browser, DARK, LIGHT, Screen};
use crate::pictures::{asked, keep};
use crate::real::BUSY;
use crate::site::{Site, answer_http, pause};
use crate::skip::skip;

const TEST: &str = "a_gateway_on_nftables_is_shown_whole";
const PHONE: Screen = Screen { name: "phone", width: 390, height: 844, theme: "light" };

/// Its name, its hosts, the last two numbers of the first one's address, its port, and its table.
type Group = (&'static str, &'static [&'static str], [u8; 2], u16, &'static str);

const GROUPS: &[Group] = &[
    ("www", &["lb1", "lb2", "lb3", "lb4", "lb5", "lb6"], [1, 11], 80, "inet/gateway/www"),
    ("www-ams", &["lb1", "lb2", "lb3", "lb4", "lb5", "lb6"], [2, 11], 80, ""),
    ("api", &["api1", "api2", "api3", "api4", "api5"], [3, 11], 80, "inet/gateway/api"),
    ("api-v2", &["api1", "api2", "api3", "api4", "api5"], [3, 21], 80, "inet/gateway/api"),
    ("mx", &["mx1", "mx2", "mx3", "mx4", "mx5"], [4, 11], 25, "inet/gateway/smtp"),
    ("relay", &["relay1", "relay2", "relay3", "relay4", "relay5"], [4, 21], 25, "inet/gateway/smtp"),
    ("shop", &["shop1", "shop2", "shop3", "shop4"], [5, 11], 80, ""),
    ("orders-db", &["primary", "replica1", "replica2"], [6, 11], 5432, ""),
    ("stock-db", &["primary", "replica1", "replica2"], [6, 21], 5432, ""),
    ("cache", &["redis1", "redis2", "redis3", "redis4", "redis5", "redis6"], [7, 11], 6379, ""),
    ("search", &["es1", "es2", "es3", "es4", "es5"], [8, 11], 9200, ""),
    ("ldap", &["ldap1", "ldap2", "ldap3", "ldap4"], [9, 11], 389, ""),
    ("vpn", &["hub1", "hub2", "hub3", "hub4"], [10, 11], 443, ""),
    ("uplink", &["ix", "transit1", "transit2"], [0, 1], 179, ""),
];
const RULES: u64 = 64;

const FIREWALL: &str = "table inet gateway { set www { type ipv4_addr; }\n set api { type ipv4_addr; }\n set smtp { type ipv4_addr; }\n }";

/// A host that is not well.
#[derive(Clone, Copy)]
enum Ill {
    Busy,
    Silent,
    Closes,
}

/// What happens, and when, in shares of the time until the pictures.
const STORY: &[(f64, [u8; 2], Option<Ill>)] = &[
    (0.12, [1, 14], Some(Ill::Silent)),
    (0.17, [1, 14], None),
    (0.34, [1, 12], Some(Ill::Busy)),
    (0.41, [1, 12], None),
    (0.52, [7, 14], Some(Ill::Closes)),
    (0.54, [7, 14], None),
    (0.66, [8, 12], Some(Ill::Silent)),
    (0.68, [8, 12], None),
    (0.73, [3, 23], Some(Ill::Busy)),
    (0.77, [3, 23], None),
    (0.84, [1, 13], Some(Ill::Busy)),
];
/// Then somebody drains one.
const DRAINED_AT: f64 = 0.93;

/// Who is not well.
type Wards = Arc<Mutex<BTreeMap<IpAddr, Ill>>>;

#[test]
fn a_gateway_on_nftables_is_shown_whole() {
    // A network belongs to a thread, and to all that it starts.
    let thread = std::thread::spawn(|| {
        if let Err(error) = unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWUTS) {
            return skip(&format!("{TEST}: no network of its own here: {error}"));
        }
        run("ip", &["link", "set", "lo", "up"], "");
        run("ip", &["route", "add", "local", "10.2.0.0/16", "dev", "lo"], "");
        let mut nft = Command::new("nft");
        nft.args(["list", "ruleset"]).stdout(Stdio::null()).stderr(Stdio::null());
        match nft.status() {
            Ok(status) if status.success() => live(),
            Ok(_) => skip(&format!("{TEST}: this kernel has no nftables")),
            Err(error) => skip(&format!("{TEST}: nft(8) is not installed: {error}")),
        }
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// In a network of its own.
fn live() {
    let Some(browser) = Browser::start(TEST) else { return };
    nix::unistd::sethostname("gw1").unwrap();
    run("nft", &["-f", "-"], FIREWALL);
    let wards = Wards::default();
    for port in [22, 25, 80, 179, 389, 443, 5432, 6379, 9200] {
        serve(port, &wards);
    }
    let site = Site::new("gateway", &configuration());
    site.wait_for("up", RULES);
    let after = std::env::var("HFM_SCREENSHOTS_AFTER").ok().and_then(|text| text.parse().ok());
    let seconds = if asked().is_some() { after.unwrap_or(460.0) } else { 1.0 };
    let mut at = 0.0;
    let mut until = |share: f64| {
        pause(Duration::from_secs_f64((share - at) * seconds));
        at = share;
    };
    for (share, host, ill) in STORY {
        until(*share);
        let mut wards = wards.lock().unwrap();
        match ill {
            Some(ill) => wards.insert(address(*host), *ill),
            None => wards.remove(&address(*host)),
        };
    }
    until(DRAINED_AT);
    site.hfmctl("ann", &["drain", "www/lb5", "--for", "2h", "--reason", "kernel update"]);
    until(1.0);
    site.wait_for("overrides", 1);
    site.wait_for("down", 2);
    for (screen, name) in [(DARK, "dark"), (LIGHT, "light"), (PHONE, "phone")] {
        browser.screen(screen);
        browser.open_live(&site.url());
        browser.wait(
            "the table has lost both",
            "[...document.querySelectorAll('.table')].some((table) => table.textContent.includes('inet/gateway/www4 of 6 in'))",
        );
        browser.wait(
            "the operator is named",
            "[...document.querySelectorAll('.tag')].some((tag) => tag.textContent.startsWith('drained by ann: kernel update'))",
        );
        assert_eq!(browser.text("#host"), "gw1");
        assert!(browser.text("#about").contains("nftables"), "{}", browser.text("#about"));
        assert_eq!(browser.text("#headline-first"), "2 of 64 rules down: www/lb3, www/lb5 (drained).");
        assert_eq!(browser.run("return document.querySelectorAll('.group').length"), json!(GROUPS.len()));
        fits(&browser, screen);
        keep(&browser.picture(), &format!("status-page-{name}.png"));
    }
    let nft = Command::new("nft").args(["list", "set", "inet", "gateway", "www"]).output().unwrap();
    let held = String::from_utf8(nft.stdout).unwrap();
    assert!(
        held.contains("10.2.1.12") && !held.contains("10.2.1.13") && !held.contains("10.2.1.15"),
        "{held}"
    );
}

fn address([third, fourth]: [u8; 2]) -> IpAddr {
    Ipv4Addr::new(10, 2, third, fourth).into()
}

fn configuration() -> String {
    let mut text =
        "dataplane = nftables; interval = 1s; interval_fail = 500ms; timeout = 400ms; reconcile = 10s\n\
         change_fail_debounce = 2; interval_debounce = 500ms; change_success_debounce = 2; min_up = 1\n"
            .to_owned();
    for (group, hosts, [third, first], port, table) in GROUPS {
        let _ = writeln!(text, "{group} {{");
        for (index, host) in (0..).zip(*hosts) {
            let address = address([*third, first + index]);
            let test = match port {
                80 => format!("test = \"http://{address}/up\""),
                9200 => format!("test = \"http://{address}:{port}/_cluster/health\""),
                25 => format!("test = \"tcp://{address}:{port}\"; expect_regex = '^220 '"),
                6379 => format!("test = \"tcp://{address}:{port}\"; send = 'PING\\r\\n'; expect = \"+PONG\""),
                _ => format!("test = \"tcp://{address}:{port}\""),
            };
            let tables = if table.is_empty() { String::new() } else { format!("; tables = \"{table}\"") };
            // A String takes everything.
            let _ = writeln!(text, "\t{host} {{ {test}{tables} }}");
        }
        text.push_str("}\n");
    }
    text
}

/// All hosts at this port, each as fast as it is.
fn serve(port: u16, wards: &Wards) {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap();
    let wards = Arc::clone(wards);
    std::thread::spawn(move || {
        for (count, stream) in (0_u64..).zip(listener.incoming().map_while(Result::ok)) {
            let Ok(host) = stream.local_addr().map(|address| address.ip()) else { continue };
            let ill = wards.lock().unwrap().get(&host).copied();
            // A client that goes away in the middle is none of a host's trouble.
            std::thread::spawn(move || drop(answer(port, host, ill, count, stream)));
        }
    });
}

fn answer(
    port: u16,
    host: IpAddr,
    ill: Option<Ill>,
    count: u64,
    mut stream: TcpStream,
) -> std::io::Result<()> {
    let IpAddr::V4(host) = host else { return Ok(()) };
    let own = u64::from(host.octets()[3]) * 67 % 11;
    // Each has its way, and now and then something else to do.
    let jitter = count.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
    pause(Duration::from_micros(150 + own * 130 + jitter * if jitter > 250 { 12 } else { 1 }));
    match (ill, port) {
        (Some(Ill::Closes), _) => return Ok(()),
        (Some(Ill::Silent), _) => {
            pause(Duration::from_secs(1));
            return Ok(());
        }
        (Some(Ill::Busy), _) => return answer_http(stream, BUSY),
        (None, 80 | 9200) => return answer_http(stream, crate::real::GOOD),
        (None, 25) => stream.write_all(b"220 mx.example.net ESMTP\r\n")?,
        (None, 6379) => {
            let _ = stream.read(&mut [0; 64])?;
            stream.write_all(b"+PONG\r\n")?;
        }
        (None, _) => {}
    }
    // Until the client has gone.
    let _ = stream.read(&mut [0; 64])?;
    Ok(())
}

/// Runs a program to its end, with this on its stdin.
fn run(program: &str, arguments: &[&str], input: &str) {
    let mut child = Command::new(program).args(arguments).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{program} {arguments:?}");
}

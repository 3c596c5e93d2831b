//! The files of config/gateway-linux and config/gateway-freebsd, and config/pair-freebsd/haproxy.cfg, as the programs
//! that read them see them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::skip::skip;

fn config(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(config(name)).expect("a file of the repository")
}

/// Without its comments.
fn said(name: &str) -> String {
    let text = text(name);
    text.lines().map(|line| line.split('#').next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// What hfm understands of a file that it has to take without a word; the tables that its rules name.
fn tables_of(name: &str) -> BTreeSet<String> {
    let hfm = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hfm"));
        command.arg("-n").args(more).arg("-config").arg(config(name)).output().expect("hfm runs")
    };
    let checked = hfm(&[]);
    let shown = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.success() && shown.is_empty() && checked.stdout.is_empty(), "{name}: {shown}");
    let dump = String::from_utf8(hfm(&["-dump"]).stdout).expect("text");
    let tables = dump.lines().filter_map(|line| line.strip_prefix("# table ")?.split(' ').next());
    tables.map(str::to_owned).collect()
}

#[test]
fn hfm_and_the_ruleset_speak_of_the_same_maps_and_sets() {
    for directory in ["gateway-linux", "pair-linux"] {
        let (hfm, ruleset) = (format!("{directory}/hfm.conf"), said(&format!("{directory}/nftables.conf")));
        let named = |line: &str| {
            let name = line.trim().strip_prefix("map ").or_else(|| line.trim().strip_prefix("set "))?;
            Some(format!("inet/gateway/{}", name.split(' ').next()?))
        };
        let made: BTreeSet<String> = ruleset.lines().filter_map(named).collect();
        assert_eq!(tables_of(&hfm), made);
        assert!(said(&hfm).contains("slots = 256;"));
        let moduli: Vec<&str> =
            ruleset.split(" mod ").skip(1).filter_map(|after| after.split([' ', '\n']).next()).collect();
        assert_eq!(moduli, ["256"; 4]);
    }
}

/// Both gateways of a pair have to choose alike, and to know whose packets are those of hosts.
#[test]
fn the_rulesets_of_a_pair_know_the_hosts_of_hfm() {
    let (hfm, ruleset) = (said("pair-linux/hfm.conf"), said("pair-linux/nftables.conf"));
    let tested = |line: &str| {
        let url = line.split_once("test = \"https://")?.1;
        Some(url.split_once("/hfm-up")?.0.trim_matches(['[', ']']).to_owned())
    };
    let tested: BTreeSet<String> = hfm.lines().filter_map(tested).collect();
    let defined = |name: &str| {
        let line = ruleset.lines().find_map(|line| line.strip_prefix(&format!("define {name} = {{ ")));
        let inside = line.expect("a definition").trim_end().trim_end_matches(" }");
        inside.split(", ").map(str::to_owned).collect::<Vec<_>>()
    };
    let defined: BTreeSet<String> = [defined("hosts4"), defined("hosts6")].concat().into_iter().collect();
    assert_eq!((tested.len(), &tested), (6, &defined));
    let seeds: Vec<&str> =
        ruleset.split(" seed ").skip(1).filter_map(|after| after.split(' ').next()).collect();
    assert_eq!(seeds, ["0x68666d21"; 2]);
}

#[test]
fn the_files_of_keepalived_differ_in_who_comes_first_only() {
    let files = ["pair-linux/keepalived-gw1.conf", "pair-linux/keepalived-gw2.conf"].map(said);
    let differ = files[0].lines().zip(files[1].lines()).filter(|(one, other)| one != other);
    let differ: Vec<_> = differ.map(|(one, other)| (one.trim(), other.trim())).collect();
    let (name, priority) = (("router_id gw1", "router_id gw2"), ("priority 250", "priority 200"));
    assert_eq!(differ, [name, priority, priority]);
}

#[test]
fn hfm_and_pf_conf_speak_of_the_same_tables() {
    let tables = |name: &str, anchor: &str| {
        let text = said(name);
        let lines = text.lines().filter_map(|line| line.strip_prefix("table <")?.strip_suffix("> persist"));
        lines.map(|table| format!("{anchor}{table}")).collect::<Vec<_>>()
    };
    let made =
        [tables("gateway-freebsd/pf.conf", ""), tables("gateway-freebsd/pf.shop.conf", "shop/")].concat();
    assert_eq!(tables_of("gateway-freebsd/hfm.conf"), made.into_iter().collect());
}

#[test]
fn haproxy_takes_the_files_for_hosts() {
    if Command::new("haproxy").arg("-v").output().is_err() {
        skip("gateway: haproxy_takes_the_files_for_hosts: no haproxy");
        return;
    }
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gateway-files");
    fs::create_dir_all(&directory).expect("a directory for the test");
    let certified =
        rcgen::generate_simple_self_signed(["www.example.com".to_owned()]).expect("a certificate");
    let both = format!("{}{}", certified.cert.pem(), certified.signing_key.serialize_pem());
    let certificate = directory.join("site.pem");
    fs::write(&certificate, both).expect("a certificate");
    for name in ["gateway-linux/haproxy.cfg", "gateway-freebsd/haproxy.cfg", "pair-freebsd/haproxy.cfg"] {
        // Nobody has to be on this machine who is on those.
        let mut text = text(name)
            .replace("\tuser www\n\tgroup www\n", "")
            .replace("\tuser haproxy\n\tgroup haproxy\n", "");
        for path in ["/etc/haproxy/site.pem", "/usr/local/etc/ssl/site.pem", "/usr/local/etc/ssl/shop.pem"] {
            text = text.replace(path, &certificate.to_string_lossy());
        }
        let file = directory.join("haproxy.cfg");
        fs::write(&file, text).expect("a file for haproxy");
        let checked = Command::new("haproxy").arg("-c").arg("-f").arg(&file).output().expect("haproxy runs");
        let errors = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success() && !errors.contains("WARNING"), "{name}: {errors}");
    }
}

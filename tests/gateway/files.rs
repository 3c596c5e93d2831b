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
    let ruleset = said("gateway-linux/nftables.conf");
    let named = |line: &str| {
        let name = line.trim().strip_prefix("map ").or_else(|| line.trim().strip_prefix("set "))?;
        Some(format!("inet/gateway/{}", name.split(' ').next()?))
    };
    let made: BTreeSet<String> = ruleset.lines().filter_map(named).collect();
    assert_eq!(tables_of("gateway-linux/hfm.conf"), made);
    assert!(said("gateway-linux/hfm.conf").contains("slots = 256;"));
    let moduli: Vec<&str> =
        ruleset.split(" mod ").skip(1).filter_map(|after| after.split([' ', '\n']).next()).collect();
    assert_eq!(moduli, ["256"; 4]);
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

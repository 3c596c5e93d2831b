//! The files of config/pair-freebsd agree with each other, with what reads them, and with their guide. None of it has been run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where CARP stops counting.
const SKEW_MAX: u32 = 240;
/// Whoever is set to this is worse than the other one, whatever befell that.
const MAINTENANCE: &str = "maintenance";

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    fs::read_to_string(repository().join(path)).expect("a file of the repository")
}

/// A file of the pair, without its comments.
fn said(name: &str) -> String {
    let text = text(&format!("config/pair-freebsd/{name}"));
    text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).collect::<Vec<_>>().join("\n")
}

/// The variables of a file of lines `name="value"`, as sh reads them.
fn variables(name: &str) -> BTreeMap<String, String> {
    let pairs = said(name);
    let pairs = pairs.lines().filter(|line| !line.is_empty()).map(|line| {
        let (name, value) = line.split_once('=').expect("a variable");
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).expect("in quotes");
        assert!(!value.contains(['"', '$', '`', '\\']), "{line}");
        (name.to_owned(), value.to_owned())
    });
    let all: Vec<_> = pairs.collect();
    let of_each: BTreeMap<_, _> = all.iter().cloned().collect();
    assert_eq!(of_each.len(), all.len(), "{name} has a variable twice");
    of_each
}

/// An address of CARP, as rc.conf has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shared {
    interface: String,
    address: String,
    vhid: u32,
    pass: String,
    advskew: u32,
}

/// The addresses of CARP of one firewall.
fn shared(rc: &BTreeMap<String, String>) -> Vec<Shared> {
    let with_vhid = rc.iter().filter(|(_, value)| value.contains(" vhid "));
    with_vhid
        .map(|(name, value)| {
            let words: Vec<&str> = value.split(' ').collect();
            let after = |word: &str| {
                let at = words.iter().position(|one| *one == word).expect(word);
                words.get(at + 1).expect("its value").to_string()
            };
            Shared {
                interface: name.split('_').nth(1).expect("an interface").to_owned(),
                address: words[1].split('/').next().expect("an address").to_owned(),
                vhid: after("vhid").parse().expect("a number"),
                pass: after("pass"),
                advskew: after("advskew").parse().expect("a number"),
            }
        })
        .collect()
}

/// hfm's file as this system can take it: where there is no CARP, with a file in its place.
fn hfm_conf() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pair-freebsd");
    fs::create_dir_all(&directory).expect("a directory for the test");
    let mut text = text("config/pair-freebsd/hfm.conf");
    assert_eq!(text.matches("\ndemotion = carp;").count(), 1);
    if !cfg!(target_os = "freebsd") {
        text = text.replace("\ndemotion = carp;", "\ndemotion = \"file:/run/demotion\";");
    }
    let file = directory.join("hfm.conf");
    fs::write(&file, text).expect("a file of the test");
    file
}

/// What hfm understands of its file, which it has to take without a word.
fn dump() -> String {
    let file = hfm_conf();
    let hfm = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hfm"));
        command.arg("-n").args(more).arg("-config").arg(&file).output().expect("hfm runs")
    };
    let checked = hfm(&[]);
    let shown = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.success() && shown.is_empty() && checked.stdout.is_empty(), "{shown}");
    String::from_utf8(hfm(&["-dump"]).stdout).expect("text")
}

/// A setting of each rule that has it.
fn of_rules(dump: &str, setting: &str) -> BTreeMap<String, String> {
    let (mut rule, mut found) = (String::new(), BTreeMap::new());
    for line in dump.lines() {
        if let Some(name) = line.strip_prefix('"').and_then(|rest| rest.strip_suffix("\" {")) {
            rule = name.to_owned();
        }
        if let Some(value) = line.trim().strip_prefix(setting).and_then(|rest| rest.strip_prefix(" = ")) {
            found.insert(rule.clone(), value.trim_end_matches(';').to_owned());
        }
    }
    found
}

#[test]
fn both_firewalls_share_the_same_addresses_and_differ_in_skew() {
    let (first, second) = (variables("rc.conf.fw1"), variables("rc.conf.fw2"));
    let (ours, theirs) = (shared(&first), shared(&second));
    assert_eq!(ours.len(), 4);
    let vhids: BTreeSet<u32> = ours.iter().map(|one| one.vhid).collect();
    assert_eq!(vhids.len(), ours.len(), "a vhid is one family on one interface");
    for (our, their) in ours.iter().zip(&theirs) {
        assert!(our.advskew < their.advskew);
        assert_eq!(*our, Shared { advskew: our.advskew, ..their.clone() });
    }
    let skews = |all: &[Shared]| all.iter().map(|one| one.advskew).collect::<BTreeSet<_>>().len();
    assert_eq!((skews(&ours), skews(&theirs)), (1, 1), "one side must not move without the other");
    // Nothing else differs but a firewall's own addresses, its name and its peer.
    assert!(first.keys().eq(second.keys()));
    for (name, value) in &first {
        let may_differ = name.starts_with("ifconfig_") || name == "hostname" || name == "pfsync_syncpeer";
        assert!(may_differ || second[name] == *value, "{name}");
    }
    let own = |rc: &BTreeMap<String, String>| rc["ifconfig_ix2"].replace("inet ", "").replace("/30", "");
    assert_eq!((&first["pfsync_syncpeer"], &second["pfsync_syncpeer"]), (&own(&second), &own(&first)));
}

#[test]
fn pf_conf_names_the_interfaces_and_addresses_of_rc_conf() {
    let rc = variables("rc.conf.fw1");
    let pf = said("pf.conf");
    let macro_of = |name: &str| {
        let line = pf.lines().find_map(|line| line.strip_prefix(&format!("{name} = ")));
        line.expect(name).trim_matches('"').to_owned()
    };
    assert_eq!(macro_of("sync"), rc["pfsync_syncdev"]);
    let at = |interface: &str| {
        let all = shared(&rc).into_iter().filter(|one| one.interface == interface);
        all.map(|one| one.address).collect::<BTreeSet<_>>()
    };
    assert_eq!(at(&macro_of("wan")), BTreeSet::from([macro_of("vip4"), macro_of("vip6")]));
    // The hosts' default routers, as haproxy.cfg tells them.
    let hosts = text("config/pair-freebsd/haproxy.cfg");
    for router in at(&macro_of("lan")) {
        assert!(hosts.contains(&router), "{router}");
    }
    for protocol in ["pfsync", "carp"] {
        assert!(pf.contains(&format!(" proto {protocol} keep state (no-sync)")), "{protocol}");
    }
}

#[test]
fn hfm_and_pf_conf_speak_of_the_same_tables() {
    let dump = dump();
    let tables = dump.lines().filter_map(|line| line.strip_prefix("# table ")?.split(' ').next());
    let pf = said("pf.conf");
    let made = pf.lines().filter_map(|line| line.strip_prefix("table <")?.strip_suffix("> persist"));
    assert_eq!(tables.collect::<BTreeSet<_>>(), made.collect::<BTreeSet<_>>());
}

/// The sums of the guide: one failure is enough, all together are still told apart, and the addresses stay where both see the
/// same.
#[test]
fn each_share_moves_the_addresses_and_all_of_them_stay_below_the_end_of_the_scale() {
    let skew = |name: &str| shared(&variables(name))[0].advskew;
    let (first, second) = (skew("rc.conf.fw1"), skew("rc.conf.fw2"));
    let shares: BTreeMap<String, u32> = of_rules(&dump(), "demote")
        .into_iter()
        .map(|(rule, share)| (rule, share.parse().expect("a number")))
        .filter(|(_, share)| *share > 0)
        .collect();
    let names: Vec<&str> = shares.keys().map(String::as_str).collect();
    assert_eq!(names, ["lan", MAINTENANCE, "uplink/a", "uplink/b"]);
    let effective = |skew: u32, failed: u32| (skew + failed).min(SKEW_MAX);
    let failures: Vec<u32> =
        shares.iter().filter(|(rule, _)| *rule != MAINTENANCE).map(|(_, share)| *share).collect();
    for share in &failures {
        assert!(effective(first, *share) > second, "{share} is not enough");
    }
    let all: u32 = failures.iter().sum();
    assert!(effective(second, all) < SKEW_MAX);
    assert!(effective(first, shares[MAINTENANCE]) > effective(second, all));
    // Every set of failures on one, every set on the other.
    let sums: Vec<u32> = (0_u32..1 << failures.len())
        .map(|set| {
            failures.iter().enumerate().filter(|(bit, _)| set & (1 << bit) != 0).map(|(_, share)| share).sum()
        })
        .collect();
    for one in &sums {
        for other in &sums {
            let is_first = effective(first, *one) < effective(second, *other);
            assert_eq!(is_first, one <= other, "{one} at the first, {other} at the second");
        }
    }
    // A firewall that reaches no host is worse than one that nobody reaches.
    assert!(shares["lan"] > shares["uplink/a"] + shares["uplink/b"]);
}

/// While a firewall is cut off from the hosts, what guards them has to fail before any of them has failed often enough.
#[test]
fn the_guard_is_the_first_to_know() {
    let dump = dump();
    let millis = |setting: &str, rule: &str| {
        let seconds: f64 =
            of_rules(&dump, setting)[rule].strip_suffix('s').and_then(|it| it.parse().ok()).expect("a time");
        (seconds * 1000.0).round()
    };
    let guards = of_rules(&dump, "guard");
    let guarded: Vec<&String> =
        guards.iter().filter(|(_, by)| *by == "[\"lan\"]").map(|(rule, _)| rule).collect();
    let hosts = of_rules(&dump, "tables");
    let hosts: Vec<&String> =
        hosts.iter().filter(|(_, tables)| *tables != "[]").map(|(rule, _)| rule).collect();
    assert_eq!(guarded, hosts);
    assert_eq!(hosts.len(), 6);
    let known = millis("interval", "lan") + millis("timeout", "lan");
    for host in hosts {
        let failures: f64 = of_rules(&dump, "change_fail_debounce")[host].parse().expect("a number");
        // The first fails as soon as the cable is cut: it was under way.
        let failed = (failures - 1.0) * millis("interval_debounce", host);
        assert!(known < failed, "{host}: {known} ms, {failed} ms");
    }
}

#[test]
fn what_would_be_added_twice_is_in_no_file_that_is_read_twice() {
    assert_eq!(said("sysctl.conf").trim(), "net.inet.carp.preempt=1");
    let loader = variables("loader.conf");
    assert_eq!((loader["carp_load"].as_str(), loader["net.inet.carp.allow"].as_str()), ("YES", "0"));
    // Who keeps CARP from beginning has to let it begin.
    for name in ["rc.conf.fw1", "rc.conf.fw2"] {
        assert_eq!(variables(name)["hfm_carp"], "YES");
    }
}

#[test]
fn the_guide_names_every_file_and_no_other() {
    let guide = text("docs/gateway-pair-freebsd.md");
    let directory = fs::read_dir(repository().join("config/pair-freebsd")).expect("a directory");
    for entry in directory {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        assert!(guide.contains(&format!("`{name}`")), "{name}");
    }
    let headings: BTreeSet<String> = guide
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let kept = line.trim_start_matches(['#', ' ']).to_lowercase();
            kept.replace(' ', "-").replace([',', '.', ':'], "")
        })
        .collect();
    for link in guide.split("](").skip(1).filter_map(|after| after.split(')').next()) {
        match link.strip_prefix('#') {
            Some(heading) => assert!(headings.contains(heading), "{link}"),
            None => assert!(repository().join("docs").join(link).exists(), "{link}"),
        }
    }
}

//! What hfm believes of FreeBSD against `.ci/freebsd-abi/abi.h`, fact by fact: structures, offsets, numbers of calls,
//! constants. CI holds the same file against FreeBSD's own headers, so that here no FreeBSD is needed.
#![cfg(target_pointer_width = "64")]

use std::collections::{BTreeMap, BTreeSet};
use std::mem::offset_of;
use std::path::Path;

use hfm::sys::pf;

/// The numbers that crates bring for FreeBSD and that hfm is lost without: the option behind `fib`, the key that asks
/// for a summary, what a host that does not answer its neighbours is known by.
const SO_SETFIB: i32 = 0x1014;
const SIGINFO: i32 = 29;
const EHOSTDOWN: i32 = 64;
#[cfg(target_os = "freebsd")]
const _: () = {
    assert!(libc::SO_SETFIB == SO_SETFIB && libc::SIGINFO == SIGINFO && libc::EHOSTDOWN == EHOSTDOWN);
    assert!(libc::AF_INET == pf::AF_INET as i32 && libc::AF_INET6 == pf::AF_INET6 as i32);
};

/// Where constants stand that only their own module can name.
const PRIVATE: &[(&str, &str, &str)] = &[
    ("src/dataplane/pf/nvlist.rs", "TYPE_BOOL", "NUMBER(NV_TYPE_BOOL)"),
    ("src/dataplane/pf/nvlist.rs", "TYPE_NUMBER", "NUMBER(NV_TYPE_NUMBER)"),
    ("src/dataplane/pf/nvlist.rs", "TYPE_STRING", "NUMBER(NV_TYPE_STRING)"),
    ("src/dataplane/pf/nvlist.rs", "TYPE_LIST", "NUMBER(NV_TYPE_NVLIST)"),
    ("src/dataplane/pf/nvlist.rs", "TYPE_BINARY", "NUMBER(NV_TYPE_BINARY)"),
    ("src/dataplane/pf/nvlist.rs", "TYPE_NUMBERS", "NUMBER(NV_TYPE_NUMBER_ARRAY)"),
];

/// The module whose every constant and structure is FreeBSD's, and the longest path of a local socket.
const PF: &str = "src/sys/pf.rs";
const SOCKET_PATH: (&str, &str, &str) =
    ("src/config/url.rs", "SOCKET_PATH_BYTES_MAX", "SIZE(((struct sockaddr_un *)0)->sun_path)");

/// What one name of ours is worth, and what FreeBSD calls it.
#[derive(Debug)]
struct Fact {
    ours: String,
    theirs: String,
    value: u64,
}

fn fact(ours: impl Into<String>, theirs: impl Into<String>, value: u64) -> Fact {
    Fact { ours: ours.into(), theirs: theirs.into(), value }
}

/// A structure of `sys::pf`, its name in C, and each of its fields with its own.
macro_rules! structure {
    ($facts:ident, $ours:ident, $theirs:literal, $($field:ident $member:literal)+) => {
        let size = size_of::<pf::$ours>() as u64;
        $facts.push(fact(stringify!($ours), concat!("SIZE(struct ", $theirs, ")"), size));
        $($facts.push(fact(
            concat!(stringify!($ours), ".", stringify!($field)),
            concat!("OFFSET(struct ", $theirs, ", ", $member, ")"),
            offset_of!(pf::$ours, $field) as u64,
        ));)+
    };
}

/// Constants of `sys::pf`, each with what it is in C.
macro_rules! constants {
    ($facts:ident, $($ours:ident $theirs:literal)+) => {
        $($facts.push(fact(stringify!($ours), $theirs, pf::$ours as u64));)+
    };
}

/// Everything that hfm believes.
fn believed() -> Vec<Fact> {
    let mut facts = Vec::new();
    structure!(facts, PfrTable, "pfr_table",
        anchor "pfrt_anchor" name "pfrt_name" flags "pfrt_flags" fback "pfrt_fback");
    structure!(facts, PfrAddr, "pfr_addr",
        address "pfra_u" af "pfra_af" net "pfra_net" not "pfra_not" fback "pfra_fback");
    structure!(facts, PfiocTable, "pfioc_table",
        table "pfrio_table" buffer "pfrio_buffer" esize "pfrio_esize" size "pfrio_size" size2 "pfrio_size2"
        nadd "pfrio_nadd" ndel "pfrio_ndel" nchange "pfrio_nchange" flags "pfrio_flags" ticket "pfrio_ticket");
    structure!(facts, PfAddrWrap, "pf_addr_wrap",
        address "v.a.addr" mask "v.a.mask" dynamic "p" kind "type" iflags "iflags");
    structure!(facts, PfRuleAddr, "pf_rule_addr", addr "addr" port "port" neg "neg" port_op "port_op");
    structure!(facts, PfiocSrcNodeKill, "pfioc_src_node_kill",
        af "psnk_af" src "psnk_src" dst "psnk_dst" killed "psnk_killed");
    structure!(facts, PfStateCmp, "pf_state_cmp", id "id" creatorid "creatorid" direction "direction" pad "pad");
    structure!(facts, PfiocStateKill, "pfioc_state_kill",
        pfcmp "psk_pfcmp" af "psk_af" proto "psk_proto" src "psk_src" dst "psk_dst" ifname "psk_ifname"
        label "psk_label" killed "psk_killed");
    structure!(facts, PfiocNv, "pfioc_nv", data "data" len "len" size "size");
    structure!(facts, PfiocStates, "pfioc_states", len "ps_len" buffer "ps_buf");
    structure!(facts, PfiocLimit, "pfioc_limit", index "index" limit "limit");
    constants!(facts,
        ANCHOR_SIZE "NUMBER(MAXPATHLEN)"
        TABLE_NAME_SIZE "NUMBER(PF_TABLE_NAME_SIZE)"
        INTERFACE_SIZE "NUMBER(IFNAMSIZ)"
        LABEL_SIZE "NUMBER(PF_RULE_LABEL_SIZE)"
        AF_INET "NUMBER(AF_INET)"
        AF_INET6 "NUMBER(AF_INET6)"
        PFR_FLAG_FEEDBACK "NUMBER(PFR_FLAG_FEEDBACK)"
        PFR_FB_NONE "NUMBER(PFR_FB_NONE)"
        PFR_FB_ADDED "NUMBER(PFR_FB_ADDED)"
        PFR_FB_DELETED "NUMBER(PFR_FB_DELETED)"
        PFR_FB_DUPLICATE "NUMBER(PFR_FB_DUPLICATE)"
        PFR_FB_CONFLICT "NUMBER(PFR_FB_CONFLICT)"
        PF_LIMIT_TABLE_ENTRIES "NUMBER(PF_LIMIT_TABLE_ENTRIES)"
        PF_ADDR_ADDRMASK "NUMBER(PF_ADDR_ADDRMASK)"
        PF_OUT "NUMBER(PF_OUT)"
        STATE_SIZE "SIZE(struct pfsync_state_1301)"
        STATE_ID "OFFSET(struct pfsync_state_1301, id)"
        STATE_KEYS "OFFSET(struct pfsync_state_1301, key)"
        STATE_KEY_SIZE "SIZE(struct pfsync_state_key)"
        STATE_CREATOR "OFFSET(struct pfsync_state_1301, creatorid)"
        STATE_AF "OFFSET(struct pfsync_state_1301, af)"
        STATE_DIRECTION "OFFSET(struct pfsync_state_1301, direction)"
        DIOCGETSTATES "NUMBER(DIOCGETSTATES)"
        DIOCGETLIMIT "NUMBER(DIOCGETLIMIT)"
        DIOCKILLSTATES "NUMBER(DIOCKILLSTATES)"
        DIOCKILLSTATESNV "NUMBER(DIOCKILLSTATESNV)"
        DIOCRADDADDRS "NUMBER(DIOCRADDADDRS)"
        DIOCRDELADDRS "NUMBER(DIOCRDELADDRS)"
        DIOCRGETADDRS "NUMBER(DIOCRGETADDRS)"
        DIOCKILLSRCNODES "NUMBER(DIOCKILLSRCNODES)");
    for (name, value) in [("SO_SETFIB", SO_SETFIB), ("SIGINFO", SIGINFO), ("EHOSTDOWN", EHOSTDOWN)] {
        facts.push(fact(name, format!("NUMBER({name})"), u64::try_from(value).expect("it is positive")));
    }
    for (file, name, theirs) in PRIVATE {
        facts.push(fact(format!("{file}: {name}"), *theirs, written(file, name)));
    }
    let (file, name, theirs) = SOCKET_PATH;
    // The path has a zero at its end.
    facts.push(fact(format!("{file}: {name}"), theirs, written(file, name) + 1));
    facts
}

/// The number that a source file gives a constant.
fn written(file: &str, name: &str) -> u64 {
    let text = source(file);
    let value = text.lines().find_map(|line| {
        let (declared, value) = line.trim().trim_end_matches(';').split_once(" = ")?;
        let (before, _) = declared.split_once(": ")?;
        before.ends_with(&format!("const {name}")).then(|| value.replace('_', ""))
    });
    let value = value.unwrap_or_else(|| panic!("{file}: no constant {name}"));
    value.parse().unwrap_or_else(|_| panic!("{file}: {name} is {value}, which is no plain number"))
}

fn source(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The facts of abi.h, by what stands before the number.
fn stated(header: &str) -> BTreeMap<String, u64> {
    let mut facts = BTreeMap::new();
    for line in header.lines() {
        let is_fact = line.starts_with(|first: char| first.is_ascii_uppercase());
        if !is_fact {
            let is_comment = ["/*", " *"].iter().any(|start| line.starts_with(start));
            assert!(is_comment || line.is_empty(), "abi.h: neither a fact nor a comment: {line}");
            continue;
        }
        let fact = line.strip_suffix(')').and_then(|line| line.rsplit_once(", "));
        let (what, value) = fact.unwrap_or_else(|| panic!("abi.h: no fact: {line}"));
        let value = match value.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => value.parse(),
        };
        let value = value.unwrap_or_else(|_| panic!("abi.h: no number: {line}"));
        let what = format!("{})", what.replace("NUMBER_UNTIL_14(", "NUMBER("));
        assert!(facts.insert(what, value).is_none(), "abi.h: twice: {line}");
    }
    facts
}

/// Where hfm and abi.h are not at one.
fn differences(believed: &[Fact], header: &str) -> Vec<String> {
    let stated = stated(header);
    let mut differences = Vec::new();
    for Fact { ours, theirs, value } in believed {
        match stated.get(theirs) {
            None => differences.push(format!("{ours}: abi.h does not have {theirs}")),
            Some(other) if other != value => {
                differences.push(format!("{ours} is {value:#x}, abi.h has {other:#x} for {theirs}"));
            }
            Some(_) => {}
        }
    }
    let of_ours: BTreeSet<&str> = believed.iter().map(|fact| fact.theirs.as_str()).collect();
    let unused = stated.keys().filter(|theirs| !of_ours.contains(theirs.as_str()));
    differences.extend(unused.map(|theirs| format!("{theirs}: nothing of hfm's is held against it")));
    differences
}

/// The public constants of a source, its structures, and their fields.
fn declared(text: &str) -> BTreeSet<String> {
    let mut declared = BTreeSet::new();
    let mut structure = None;
    for line in text.lines() {
        let name = |start: &str| {
            let rest = line.strip_prefix(start)?;
            rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()
        };
        if let Some(constant) = name("pub const ").filter(|name| *name != "fn") {
            declared.insert(constant.to_owned());
        } else if let Some(found) = name("pub struct ") {
            declared.insert(found.to_owned());
            structure = Some(found);
        } else if let (Some(of), Some(field)) = (structure, name("    pub ")) {
            declared.insert(format!("{of}.{field}"));
        } else if line == "}" {
            structure = None;
        }
    }
    declared
}

#[test]
fn hfm_and_freebsds_headers_say_the_same() {
    let differences = differences(&believed(), &source(".ci/freebsd-abi/abi.h"));
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn everything_of_pf_is_held_against_the_headers() {
    let believed = believed();
    let believed: BTreeSet<&str> = believed.iter().map(|fact| fact.ours.as_str()).collect();
    let missing: Vec<String> =
        declared(&source(PF)).into_iter().filter(|name| !believed.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "in {PF} and held against nothing: {missing:?}");
}

#[test]
fn a_wrong_number_a_missing_and_an_unused_fact_are_found() {
    let believed = [
        fact("PfrAddr", "SIZE(struct pfr_addr)", 20),
        fact("PfrAddr.af", "OFFSET(struct pfr_addr, pfra_af)", 16),
    ];
    let header = "/* pf */\nSIZE(struct pfr_addr, 24)\n\nNUMBER_UNTIL_14(DIOCKILLSTATES, 0xc0e04429)\n";
    assert_eq!(
        differences(&believed, header),
        [
            "PfrAddr is 0x14, abi.h has 0x18 for SIZE(struct pfr_addr)",
            "PfrAddr.af: abi.h does not have OFFSET(struct pfr_addr, pfra_af)",
            "NUMBER(DIOCKILLSTATES): nothing of hfm's is held against it",
        ]
    );
}

#[test]
fn constants_structures_and_fields_are_found_in_a_source() {
    let text = "pub const ONE: u8 = 1;\nconst OWN: u8 = 2;\n/// One.\npub struct Two {\n    /// A.\n    pub a: u8,\n    b: u8,\n}\n\
                impl Two {\n    pub fn new() {}\n}\npub const fn three() {}\n";
    let found: Vec<String> = declared(text).into_iter().collect();
    assert_eq!(found, ["ONE", "Two", "Two.a"]);
}

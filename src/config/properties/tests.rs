use std::collections::HashSet;

use super::*;

/// The properties that hfm in Go has.
const HFM: &[&str] = &[
    "status",
    "test",
    "test_arguments",
    "start_delay",
    "runs",
    "interval",
    "interval_fail",
    "timeout_int",
    "timeout_kill",
    "change_success",
    "change_fail",
    "change_success_arguments",
    "change_fail_arguments",
    "change_success_debounce",
    "change_fail_debounce",
];

/// What the interface adds.
const OURS: &[&str] = &[
    "change_fail_reset",
    "hold_down",
    "hold_down_max",
    "requires",
    "guard",
    "spread",
    "change_timeout",
    "change_max",
    "timeout",
    "resolve",
    "family",
    "connect",
    "source",
    "interface",
    "fib",
    "mark",
    "proxy_protocol",
    "http_method",
    "http_version",
    "http_headers",
    "http_body",
    "http_status",
    "expect",
    "expect_regex",
    "reject",
    "reject_regex",
    "expect_header",
    "reject_header",
    "max_body",
    "send",
    "send_hex",
    "dialogue",
    "tls_verify",
    "tls_ca",
    "tls_name",
    "tls_alpn",
    "tls_min",
    "tls_cert",
    "tls_key",
    "tls_expiry",
    "tls_resume",
    "reuse",
    "close",
    "interval_debounce",
    "tables",
    "addresses",
    "combine",
    "backup",
    "min_up",
    "panic",
    "kill_states",
    "demote",
    "demotion",
    "slots",
    "dataplane",
    "dry_run",
    "reconcile",
    "state_dir",
    "user",
    "group",
    "log_format",
    "control",
    "listen",
];

#[test]
fn every_property_of_the_interface_is_in_the_table() {
    for name in HFM {
        let property = find(name).expect(name);
        assert_eq!(property.origin, Origin::Hfm, "{name}");
    }
    for name in OURS {
        let property = find(name).expect(name);
        assert_eq!(property.origin, Origin::Ours, "{name}");
    }
    assert_eq!(PROPERTIES.len(), HFM.len() + OURS.len());
}

#[test]
fn names_are_found_in_any_letter_case_and_stand_once() {
    let mut seen = HashSet::new();
    for property in PROPERTIES {
        assert_eq!(property.name, property.name.to_ascii_lowercase());
        assert!(seen.insert(property.name), "{} twice", property.name);
        let found = find(&property.name.to_ascii_uppercase()).expect("in the table");
        assert_eq!(found.name, property.name);
    }
}

#[test]
fn every_property_has_one_line_of_help() {
    for property in PROPERTIES {
        assert!(!property.help.is_empty() && !property.help.contains('\n'), "{}", property.name);
        assert!(!property.help.ends_with('.'), "{}", property.name);
    }
}

#[test]
fn every_key_is_filled_by_one_property() {
    let keys: Vec<Key> = PROPERTIES.iter().map(|property| property.key).collect();
    for (i, key) in keys.iter().enumerate() {
        assert!(!keys[..i].contains(key), "{key:?}");
    }
}

#[test]
fn settings_of_probes_name_the_schemes_that_they_mean_something_for() {
    for (name, concerns) in [
        ("timeout", Concerns::Probes),
        ("connect", Concerns::ProbesWith(Feature::Network)),
        ("http_status", Concerns::ProbesWith(Feature::Http)),
        ("reuse", Concerns::ProbesWith(Feature::Http)),
        ("send", Concerns::ProbesWith(Feature::Dialogue)),
        ("tls_ca", Concerns::ProbesWith(Feature::Tls)),
    ] {
        assert_eq!(find(name).expect(name).concerns, concerns, "{name}");
    }
    for name in ["test_arguments", "timeout_int", "timeout_kill"] {
        assert_eq!(find(name).expect(name).concerns, Concerns::Commands, "{name}");
    }
    assert_eq!(find("spread").expect("built").concerns, Concerns::Every);
}

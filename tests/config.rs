//! Golden files: each `tests/config/NAME.conf` is loaded, and what comes out must be, to the byte,
//! `NAME.rules` (the dump) with `NAME.warn` (the warnings, if any), or `NAME.err` (the whole report).
//!
//! `HFM_BLESS=1 cargo test --test config` writes what came out instead; read it before you commit it.

#[path = "support/random.rs"]
mod random;
use random::Rng;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hfm::config::{Loaded, Report, dump, load};
use hfm::probe::Files;
use hfm::rule::{Configuration, STATE_DIR_DEFAULT};
use hfm::ucl::Loader;
use rustls::pki_types::pem::PemObject as _;

/// The golden files as a file system of their own, with one text laid over it.
struct Golden {
    over: Option<(String, String)>,
}

impl Loader for Golden {
    fn read(&mut self, path: &str) -> io::Result<Vec<u8>> {
        let name = path.trim_start_matches('/');
        match &self.over {
            Some((over, text)) if over == name => Ok(text.clone().into_bytes()),
            Some(_) | None => fs::read(folder().join(name)),
        }
    }

    fn resolve(&mut self, path: &str) -> io::Result<String> {
        Ok(format!("/{}", path.trim_start_matches('/')))
    }

    fn glob(&mut self, _pattern: &str) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }
}

/// Every certificate and every key that a golden file names is the same one, but for those it says are
/// missing.
struct AnyFiles;

impl Files for AnyFiles {
    fn read(&mut self, path: &str) -> io::Result<Vec<u8>> {
        if path.contains("missing") {
            return Err(io::ErrorKind::NotFound.into());
        }
        fs::read(folder().join("tls").join(if path.ends_with(".key") { "any.key" } else { "any.crt" }))
    }

    fn system_roots(&mut self) -> Result<Vec<Vec<u8>>, String> {
        let pem = fs::read(folder().join("tls/any.crt")).expect("it is there");
        let der = rustls::pki_types::CertificateDer::from_pem_slice(&pem).expect("it is PEM");
        Ok(vec![der.to_vec()])
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("config")
}

/// What came out of one file, by the ending of the golden file that holds it.
struct Outcome {
    rules: Option<String>,
    warn: Option<String>,
    err: Option<String>,
}

fn outcome(name: &str) -> Outcome {
    match load(&format!("{name}.conf"), &mut Golden { over: None }, &mut AnyFiles) {
        Ok(loaded) => {
            let text = dump(&loaded.configuration);
            assert_reads_back(&loaded.configuration, &text);
            // The golden files have Linux's.
            let default = format!("\nstate_dir = \"{STATE_DIR_DEFAULT}\";\n");
            let text = text.replace(&default, "\nstate_dir = \"/var/lib/hfm\";\n");
            let warnings = loaded.warnings.to_string();
            Outcome { rules: Some(text), warn: (!warnings.is_empty()).then_some(warnings), err: None }
        }
        Err(report) => Outcome { rules: None, warn: None, err: Some(report.to_string()) },
    }
}

fn assert_reads_back(configuration: &Configuration, text: &str) {
    let mut loader = Golden { over: Some(("dump.conf".to_owned(), text.to_owned())) };
    match load("dump.conf", &mut loader, &mut AnyFiles) {
        Ok(again) => {
            assert_eq!(&again.configuration, configuration, "the dump reads back as something else:\n{text}");
        }
        Err(report) => panic!("the dump does not load:\n{report}\n{text}"),
    }
}

/// Whether a golden file is for this system: a name that ends in a system's is for that one alone.
fn is_for_this_system(name: &str) -> bool {
    !name.ends_with("_linux") || cfg!(target_os = "linux")
}

fn check(name: &str) {
    if !is_for_this_system(name) {
        return;
    }
    let Outcome { rules, warn, err } = outcome(name);
    for (ending, found) in [("rules", rules), ("warn", warn), ("err", err)] {
        let path = folder().join(format!("{name}.{ending}"));
        if std::env::var_os("HFM_BLESS").is_some() {
            match found {
                Some(text) => fs::write(&path, text).expect("a golden file can be written"),
                None => drop(fs::remove_file(&path)),
            }
            continue;
        }
        let expected = fs::read_to_string(&path).ok();
        assert!(
            expected == found,
            "{name}.{ending} differs\n--- expected\n{}\n--- found\n{}",
            expected.as_deref().unwrap_or("(no such file)"),
            found.as_deref().unwrap_or("(nothing)"),
        );
    }
}

macro_rules! golden {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            check(stringify!($name));
        })*

        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

#[test]
fn every_golden_file_belongs_to_a_test() {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder()).expect("the golden files are there") {
        let path = entry.expect("a readable folder").path();
        if path.is_file() {
            let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
            assert!(NAMES.contains(&stem.as_str()), "{} belongs to no test", path.display());
            found.insert(stem);
        }
    }
    assert_eq!(found.len(), NAMES.len(), "a name stands twice in the list");
}

/// Loads a text that is in no file.
fn load_text(text: &str) -> Result<Loaded, Box<Report>> {
    load("t.conf", &mut Golden { over: Some(("t.conf".to_owned(), text.to_owned())) }, &mut AnyFiles)
}

#[test]
fn a_file_that_is_not_there_is_named_once() {
    let report =
        load("none.conf", &mut Golden { over: None }, &mut AnyFiles).expect_err("there is none").to_string();
    assert_eq!(report, "none.conf: cannot read none.conf: No such file or directory (os error 2)\n");
}

#[test]
fn what_a_file_is_read_from_is_known_and_so_is_the_place_of_the_user() {
    let text = ".include \"include/one.conf\"\n user = hfm\ngroup = \"hfm\"\ninterval = 1s\n\
                tls_ca = \"/tls/ca.crt\"\n\
                first { test = \"https://10.0.0.1/\"; tls_cert = \"c.crt\"; tls_key = \"c.key\" }\n\
                second { test = \"https://10.0.0.2/\" }\n";
    let loaded = load_text(text).expect("nothing is wrong with it");
    let files = ["t.conf", "include/one.conf", "/tls/ca.crt", "c.crt", "c.key"];
    assert_eq!(loaded.reads.files, files, "by the names by which they were looked for, each once");
    assert_eq!(loaded.run_as_places.user.as_deref(), Some("t.conf:2:9"));
    assert_eq!(loaded.run_as_places.group.as_deref(), Some("t.conf:3:9"));
}

#[test]
fn ten_thousand_rules_keep_their_order_and_references() {
    let mut text = String::from("interval = 1s\nguard = [ \"g0/r0\" ]\n");
    for i in 0..10_000 {
        let (group, before) = (i / 100, i.max(1) - 1);
        let requires =
            if i == 0 { String::new() } else { format!("requires = \"g{}/r{before}\"; ", before / 100) };
        text.push_str(&format!("g{group} r{i} {{ test = \"true\"; {requires}}}\n"));
    }
    let loaded = load_text(&text).expect("nothing is wrong with it");
    let rules = &loaded.configuration.rules;
    assert_eq!(rules.len(), 10_000);
    for (i, rule) in rules.iter().enumerate() {
        assert_eq!(&*rule.name, format!("g{}/r{i}", i / 100));
        let before: Vec<usize> = rule.requires.iter().map(|id| id.index()).collect();
        assert_eq!(before, if i == 0 { vec![] } else { vec![i - 1] });
        assert_eq!(rule.guard.len(), usize::from(i != 0));
    }
    assert!(loaded.warnings.is_empty());
}

#[test]
fn what_ten_thousand_probes_inherit_is_reported_once() {
    let mut text = String::from("interval = 1s\nexpect = [ \"a\", \"b\" ]\nhttp_status = \"200,204\"\n");
    for i in 0..10_000 {
        text.push_str(&format!("r{i} {{ test = \"http://192.0.2.{}:{}/\" }}\n", i % 256, i % 60_000 + 1));
    }
    let loaded = load_text(&text).expect("nothing is wrong with it");
    assert_eq!(loaded.configuration.rules.len(), 10_000);
    assert!(loaded.warnings.is_empty());
    for (line, message) in [
        ("timeout = 2s\n", "t.conf:1:1: r0: 'timeout' is 2s, which is longer than 'interval', 1s\n"),
        (
            "http_headers = [ \"Host: a\", \"host: b\" ]\n",
            "t.conf:1:1: r0: 'http_headers' has Host more than",
        ),
        ("expect_header = \"x\"\n", "t.conf:1:17: default: 'x' has no ':' after the header's name\n"),
    ] {
        let report = load_text(&format!("{line}{text}")).expect_err("one thing is wrong with it");
        assert_eq!(report.total(), 1, "{report}");
        assert!(report.to_string().starts_with(message), "{report}");
    }
}

#[test]
fn what_ten_thousand_rules_say_of_one_table_is_gathered_and_reported_once() {
    let mut text = String::from("dataplane = memory\ntables = web\nmin_up = 1\n");
    for i in 0..10_000 {
        text.push_str(&format!("r{i} {{ test = \"true\"; addresses = 10.0.{}.{} }}\n", i / 200, i % 100));
    }
    let loaded = load_text(&text).expect("nothing is wrong with it");
    assert!(loaded.warnings.is_empty());
    let [table] = &loaded.configuration.tables[..] else { panic!("there is one table") };
    assert_eq!(table.members.len(), 5_000);
    for (i, member) in table.members.iter().enumerate() {
        let rules: Vec<usize> = member.rules.iter().map(|id| id.index()).collect();
        let first = i / 100 * 200 + i % 100;
        assert_eq!(rules, [first, first + 100]);
    }
    assert_reads_back(&loaded.configuration, &dump(&loaded.configuration));
    let other = "g { min_up = 2; s0 { test = \"true\"; addresses = 10.1.0.1 }; s1 { test = \"true\"; addresses = 10.1.0.2 } }\n";
    let report = load_text(&format!("{text}{other}")).expect_err("they differ");
    assert_eq!(report.total(), 1, "{report}");
    let report = load_text(&text.replace("min_up = 1", "combine = 3")).expect_err("two rules name each");
    assert_eq!(report.total(), 1, "{report}");
}

#[test]
fn tables_and_addresses_are_bounded() {
    let list = |count: usize, text: &dyn Fn(usize) -> String| {
        let texts: Vec<String> = (0..count).map(text).collect();
        format!("[{}]", texts.join(", "))
    };
    let table = |i: usize| format!("\"t{i}\"");
    let own = |i: usize| format!("\"t{}=10.1.{}.{}\"", i % 3, i / 200, i % 200);
    let address = |i: usize| format!("\"10.0.{}.{}\"", i / 200, i % 200);
    let file = |tables: &str, addresses: &str, rules: usize| {
        let mut text = format!("dataplane = memory\ntables = {tables}\naddresses = {addresses}\n");
        (0..rules).for_each(|i| text.push_str(&format!("r{i} {{ test = \"true\" }}\n")));
        text
    };
    load_text(&file(&list(100, &table), &list(1_000, &address), 9)).expect("909,000 addresses");
    for (text, message) in [
        (file(&list(101, &table), &list(1, &address), 3), "2:1: r0: a rule is in more than 100 tables\n"),
        (
            file("x", &format!("{}\naddresses = 10.9.9.9", list(1_000, &address)), 3),
            "3:1: r0: a rule has more than 1000 addresses\n",
        ),
        (
            file(&format!("{}\ntables = t3=10.9.9.9", list(1_000, &own)), &list(1, &address), 3),
            "2:1: r0: a rule has more than 1000 addresses\n",
        ),
        (
            file(&list(100, &table), &list(1_000, &address), 10),
            "2:1: r9: the addresses of all rules in all tables are more than 1000000\n",
        ),
    ] {
        let report = load_text(&text).expect_err(message);
        assert_eq!(report.total(), 1, "{report}");
        assert!(report.to_string().starts_with(&format!("t.conf:{message}")), "{report}");
    }
}

#[test]
fn a_hopeless_file_is_reported_in_bounds() {
    let mut text = String::new();
    for i in 0..20_000 {
        text.push_str(&format!("r{i} {{ test = \"true\"; intervall = 1; requires = \"s{i}\" }}\n"));
    }
    let report = load_text(&text).expect_err("every line is wrong").to_string();
    assert!(report.lines().count() < 1_000, "{}", report.lines().count());
    assert!(report.starts_with("t.conf:1:21: r0: unknown property 'intervall'\n"), "{report}");
    assert!(report.ends_with("and 39900 more errors\n"), "{report}");
}

#[test]
fn more_rules_than_the_bound_are_refused() {
    let mut text = String::new();
    for i in 0..=100_000 {
        text.push_str(&format!("r{i} {{ test = \"true\" }}\n"));
    }
    let report = load_text(&text).expect_err("one rule too many").to_string();
    assert!(report.starts_with("t.conf:100001:1: r100000: more than 100000 rules\n"), "{report}");
    assert_eq!(report.lines().count(), 4, "{report}");
}

#[test]
fn inherited_lists_are_bounded_in_sum() {
    let names: Vec<String> = (0..2_000).map(|i| format!("\"r{i}\"")).collect();
    let mut text = format!("requires = [ {} ]\n", names.join(", "));
    for i in 0..2_000 {
        text.push_str(&format!("r{i} {{ test = \"true\" }}\n"));
    }
    let report = load_text(&text).expect_err("4,000,000 names").to_string();
    assert!(report.contains("come to more than 1000000 names"), "{report}");
    assert!(report.lines().all(|line| line.len() < 250), "{report}");
}

#[test]
fn a_long_chain_of_requires_needs_no_stack() {
    let mut text = String::new();
    for i in 0..50_000 {
        text.push_str(&format!("r{i} {{ test = \"true\"; requires = \"r{}\" }}\n", (i + 1) % 50_000));
    }
    let report = load_text(&text).expect_err("it is a circle").to_string();
    assert!(
        report.starts_with("t.conf:1:32: r0: 'requires' goes round in a circle: r0 -> r1 -> "),
        "{report}"
    );
    assert!(report.contains("(49992 more)"), "{report}");
}

/// Pieces that a mutation may put in.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    ";",
    ",",
    "=",
    ":",
    "\n",
    " ",
    "#",
    "/*",
    "*/",
    "\\",
    "$",
    "<<EOD\n",
    "\0",
    "\u{85}",
    "test",
    "Test",
    "test = \"true\"; ",
    "interval",
    "5m",
    "-1",
    "1e308",
    "nan",
    "null",
    "yes",
    "\"\"",
    "requires = [ ",
    "guard = ",
    "default",
    "hold_down_max = 1\n",
    "change_max = 1\n",
    "é",
    "日本",
    "\u{202e}",
    "a/b",
    "99999999999999999999",
    ".include \"include/one.conf\"\n",
    "status = disabled\n",
    "timeout_int = 1y\n",
    "tcp://[::1]:80",
    "https://h/",
    "expect = 'x'; ",
    "http_method = HEAD; ",
    "send = '\\r'; ",
    "[::1]",
    "connect = ",
    "interval = 1s; ",
    "dataplane = memory\n",
    "tables = ",
    "tables = [web, 'a/b=10.0.0.1,::1']; ",
    "addresses = 10.0.0.1; ",
    "addresses = []; ",
    "combine = 2; ",
    "backup = yes; ",
    "min_up = 50%; ",
    "panic = 50%; ",
];

fn mutated(text: &str, random: &mut Rng) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(2) {
        let at = random.below(chars.len() + 1);
        let end = (at + random.below(30)).min(chars.len());
        match random.below(5) {
            0 => drop(chars.drain(at..end)),
            1 => {
                let copy = chars[at..end].to_vec();
                let to = random.below(chars.len() + 1);
                chars.splice(to..to, copy);
            }
            2 => {
                if at < chars.len() {
                    chars[at] = char::from(u8::try_from(random.below(128)).expect("below 128"));
                }
            }
            _ => {
                let piece = PIECES[random.below(PIECES.len())];
                chars.splice(at..at, piece.chars());
            }
        }
    }
    chars.into_iter().collect()
}

#[test]
fn no_mutation_of_a_golden_file_panics_and_every_dump_reads_back() {
    let mut random = Rng::new(1);
    let mut accepted = 0;
    for name in NAMES {
        let bytes = fs::read(folder().join(format!("{name}.conf"))).expect("every test has its file");
        let text = String::from_utf8(bytes).expect("they are UTF-8");
        for step in 0..100 {
            let mutation = mutated(&text, &mut random);
            let outcome = std::panic::catch_unwind(|| match load_text(&mutation) {
                Ok(loaded) => {
                    assert_reads_back(&loaded.configuration, &dump(&loaded.configuration));
                    let _ = loaded.warnings.to_string();
                    true
                }
                Err(report) => {
                    let text = report.to_string();
                    assert!(text.ends_with('\n'), "an error without a text");
                    assert!(text.lines().all(|line| !line.contains(char::is_control)), "{text:?}");
                    false
                }
            });
            match outcome {
                Ok(true) => accepted += 1,
                Ok(false) => {}
                Err(_) => panic!("{name}, step {step}: {mutation:?}"),
            }
        }
    }
    assert!(accepted > 1_000, "only {accepted} mutations were accepted: most of the code was not reached");
}

// One test for each file; keep the list sorted.
golden! {
    arguments_dollar
    arguments_heredoc
    arguments_in_group
    arguments_string_and_array
    arguments_without_command
    arguments_wrong_elements
    arguments_wrong_types
    change_commands
    change_max
    change_max_bounds
    change_max_in_group
    change_max_twice
    change_timeout
    change_wrong_types
    control
    control_off
    control_array
    control_control_character
    control_directory
    control_none
    control_number
    control_on_a_rule
    control_relative
    control_too_long
    control_twice
    debounce_bounds
    debounces
    demote
    demote_carp_linux
    demote_twice
    demote_without_carp_linux
    demote_wrong
    demote_wrong_above
    demotion_array
    demotion_bare
    demotion_below_the_root
    demotion_carp
    demotion_control_character
    demotion_cut_by_comment
    demotion_directory
    demotion_empty
    demotion_file
    demotion_in_state_dir
    demotion_in_state_dir_linux
    demotion_misspelt
    demotion_no_path
    demotion_number
    demotion_path_alone
    demotion_relative
    demotion_twice
    demotion_unknown
    go_basic
    go_empty
    go_group
    go_group_multiple
    go_inherited_from_default
    go_multiple_inherited
    go_multiple_inherited_zero
    go_ordering
    guard_circle
    guard_inherited_leaves_out_each_other
    guard_inherited_leaves_out_itself
    guard_inherited_leaves_out_what_it_depends_on
    hold_down
    hold_down_max_too_small
    include_error
    include_file
    include_missing
    include_name_twice
    include_repeated_section
    include_syntax_error
    inherit_below_a_root_rule
    inherit_below_a_rule
    inherit_closest
    inherit_group_zero
    inherit_group_zero_all
    inherit_group_zero_interval_fail
    inherit_merged_sections
    inherit_not_the_commands
    inherit_ours
    inherit_same_under_both
    interval_below_a_nanosecond
    interval_exact
    interval_fail_default
    interval_fail_inherited_over_own_interval
    interval_float_range
    interval_mega
    interval_mega_on_ours
    interval_negative
    interval_not_finite
    interval_quoted
    interval_quoted_words
    interval_too_long
    interval_types
    interval_wrong_types
    listen
    listen_array
    listen_in_group
    listen_name
    listen_no_address
    listen_no_port
    listen_none
    listen_number
    listen_port_alone
    listen_port_wrong
    listen_star
    listen_twice
    listen_url
    listen_v6
    listen_without_brackets
    log_format
    log_format_wrong
    merge_different_commands
    merge_different_value
    merge_different_values
    merge_rule_and_settings
    merge_same_value
    merge_sections
    merge_third_level
    merge_three
    name_control_character
    name_empty
    name_of_rule_and_group
    name_too_long
    name_twice
    name_twice_across_groups
    name_twice_default
    name_twice_in_group
    name_twice_over_sections
    name_twice_with_slash
    probe_addresses_of_one_family
    probe_all_errors_at_once
    probe_alpn_h2
    probe_beside_commands
    probe_body_with_get
    probe_ca_without_verify
    probe_command_settings_above_it
    probe_command_settings_on_it
    probe_connect
    probe_connect_bare_ipv6
    probe_connect_wrong
    probe_device_linux
    probe_device_wrong_linux
    probe_dialogue
    probe_dialogue_wrong
    probe_disabled
    probe_escapes_in_double_quotes
    probe_everything_http_unix
    probe_everything_https
    probe_everything_tcp
    probe_everything_tls
    probe_expect_wrong
    probe_family_of_another_address
    probe_fib_linux
    probe_go_would_differ
    probe_group_without_probes
    probe_head_leaves_inherited_patterns_out
    probe_head_with_patterns
    probe_head_with_patterns_beside_it
    probe_header_patterns_wrong
    probe_http
    probe_http_headers_wrong
    probe_http_host_twice
    probe_http_method_wrong
    probe_http_status
    probe_http_status_wrong
    probe_http_unix
    probe_http_version_wrong
    probe_https
    probe_inherited
    probe_inherited_means_nothing
    probe_interval_debounce_wrong
    probe_interval_missing
    probe_interval_refused
    probe_interval_zero
    probe_json
    probe_lists_add_up
    probe_max_body
    probe_max_body_wrong
    probe_merged_sections
    probe_merged_sections_differ
    probe_quotes
    probe_repeated_scalar
    probe_root_rule
    probe_scheme_case
    probe_send
    probe_send_and_send_hex
    probe_send_escapes_wrong
    probe_send_hex
    probe_send_hex_wrong
    probe_setting_of_another_scheme
    probe_setting_on_a_command
    probe_source_of_another_family
    probe_source_text_counts
    probe_source_wrong
    probe_spread
    probe_spread_over_both_kinds
    probe_tcp
    probe_timeout_default
    probe_timeout_too_long
    probe_timeout_too_long_inherited
    probe_timeout_wrong
    probe_tls
    probe_tls_pair
    probe_tls_values_wrong
    probe_trace_with_body
    probe_unix
    probe_unix_path_wrong
    probe_unknown_property
    probe_url_characters
    probe_url_comment
    probe_url_fragment
    probe_url_host_missing
    probe_url_host_wrong
    probe_url_ipv4_like
    probe_url_ipv6_bare
    probe_url_path_on_tcp
    probe_url_port_missing
    probe_url_port_wrong
    probe_url_user
    probe_url_zone
    probe_value_cut_by_comment
    probe_with_commands_of_its_own
    probe_words_wrong
    property_any_case
    property_errors_of_all_levels
    property_unknown
    property_unknown_elsewhere
    property_unknown_once
    property_unknown_suggestions
    property_unknown_very_long
    repeated_arguments
    repeated_hfm_property
    repeated_in_other_case
    repeated_ours
    repeated_ours_in_other_case
    repeated_requires_adds_up
    repeated_test
    requires
    requires_and_guard_each_on_its_own
    requires_circle
    requires_cleared
    requires_default
    requires_disabled
    requires_inherited_chain
    requires_itself
    requires_long_circle
    requires_named_twice
    requires_own_list_replaces
    requires_parent_names_child
    requires_two_circles
    requires_unknown
    requires_unknown_in_group_without_rules
    requires_wrong_types
    run_as_below_the_root
    run_as_change_commands
    run_as_group_alone
    run_as_memory
    run_as_names
    run_as_numbers
    run_as_pfctl
    run_as_pfctl_group_alone
    run_as_pfctl_root
    run_as_pfctl_without_tables
    run_as_separators
    run_as_twice
    run_as_wrong
    run_as_wrong_numbers
    run_as_wrong_types
    runs
    runs_bounds
    runs_wrong_types
    sample
    shape_array_of_objects
    shape_array_of_scalars
    shape_below_a_rule
    shape_case_of_names_kept
    shape_empty_group
    shape_group_called_default
    shape_group_without_rules
    shape_json
    shape_json_array
    shape_key_with_slash
    shape_named_section_too_deep
    shape_named_sections
    shape_object_and_string_test
    shape_object_named_like_later_property
    shape_object_named_like_property
    shape_object_named_test
    shape_object_named_test_in_group
    shape_order_of_file
    shape_order_of_repeated_sections
    shape_quoted_names
    shape_root_rule
    shape_root_test_last
    shape_rule_called_default
    shape_scalar_for_section
    shape_third_level_property_as_section
    shape_third_level_without_test
    shape_too_deep
    shape_too_deep_without_test
    spread
    spread_inherited
    spread_wrong
    start_delay
    status_inherited
    status_misspelt
    status_words
    status_wrong_type
    table_address_bare_ipv6
    table_address_bare_list
    table_address_host_bits
    table_address_length
    table_address_mapped
    table_address_missing
    table_address_missing_at_root
    table_address_missing_inherited
    table_address_name
    table_address_negated
    table_address_scoped
    table_address_types
    table_address_wrong
    table_addresses_default
    table_addresses_inherited
    table_addresses_without_tables
    table_any_case
    table_auto_linux
    table_auto_written_linux
    table_backup_differs
    table_backup_wrong
    table_backups_alone
    table_cleared
    table_combine_above_rules
    table_combine_differs
    table_combine_number
    table_combine_wrong
    table_dataplane_nftables
    table_nftables_names
    table_slots_wrong
    table_slots_far
    table_kill_states_wrong
    table_kill_states_without_tables
    table_dataplane_pf
    table_dataplane_unknown
    table_dataplane_unknown_far
    table_dry_run_wrong
    table_guard_in_inherited_tables
    table_many_rules_of_one_address
    table_merged_sections
    table_merged_sections_differ
    table_min_up_above_all
    table_min_up_above_all_but_backups
    table_min_up_differs
    table_min_up_wrong
    table_name_reserved
    table_name_too_long
    table_name_wrong
    table_names
    table_networks
    table_object_called_tables
    table_of_a_guard
    table_one_string
    table_own_addresses
    table_own_addresses_wrong
    table_panic_differs
    table_panic_wrong
    table_pfctl
    table_pool
    table_quoted
    table_reconcile_mega
    table_reconcile_too_often
    table_reconcile_wrong
    table_refused_lists_say_no_more
    table_repeated_adds_up
    table_requires_in_inherited_tables
    table_root_of_defaults
    table_root_only
    table_root_rule
    table_scalar_twice
    table_state_dir_control
    table_state_dir_empty
    table_state_dir_number
    table_state_dir_relative
    table_terms_above_no_tables
    table_terms_above_tables
    table_terms_differ_between_groups
    table_terms_of_any_rule
    table_terms_without_tables
    table_types_wrong
    table_without_any_tables
    test_array
    test_bare_comment
    test_bare_url
    test_bare_url_comment
    test_bare_url_comment_closed
    test_bare_url_semicolon
    test_boolean
    test_empty
    test_float
    test_in_json_unicode
    test_nul
    test_null
    test_number
    test_program_paths
    test_schemes
    test_time
    test_unknown_schemes
    test_with_spaces
    text_comments
    text_crlf
    text_long_line
    text_many_errors
    text_syntax_error
    text_syntax_error_alone
    text_tabs_and_caret
    text_unclosed
    text_wide_letters
    timeouts_crossed
    trap_bare_address
    trap_blank_after_unit
}

//! Golden files: each `tests/config/NAME.conf` is loaded, and what comes out must be, to the byte,
//! `NAME.rules` (the dump) with `NAME.warn` (the warnings, if any), or `NAME.err` (the whole report).
//!
//! `HFM_BLESS=1 cargo test --test config` writes what came out instead; read it before you commit it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hfm::config::{dump, load};
use hfm::rule::Configuration;
use hfm::ucl::Loader;

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
    match load(&format!("{name}.conf"), &mut Golden { over: None }) {
        Ok(loaded) => {
            let text = dump(&loaded.configuration);
            assert_reads_back(&loaded.configuration, &text);
            let warnings = loaded.warnings.to_string();
            Outcome { rules: Some(text), warn: (!warnings.is_empty()).then_some(warnings), err: None }
        }
        Err(report) => Outcome { rules: None, warn: None, err: Some(report.to_string()) },
    }
}

fn assert_reads_back(configuration: &Configuration, text: &str) {
    let mut loader = Golden { over: Some(("dump.conf".to_owned(), text.to_owned())) };
    match load("dump.conf", &mut loader) {
        Ok(again) => {
            assert_eq!(&again.configuration, configuration, "the dump reads back as something else:\n{text}");
        }
        Err(report) => panic!("the dump does not load:\n{report}\n{text}"),
    }
}

fn check(name: &str) {
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
    debounce_bounds
    debounces
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
    later_properties_at_root
    later_properties_on_a_rule
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
    name_twice_default
    name_twice_in_group
    name_twice_over_sections
    name_twice_with_slash
    property_any_case
    property_errors_of_all_levels
    property_unknown
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

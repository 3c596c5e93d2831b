use super::*;

/// The most that the page may weigh, as served.
const BYTES_MAX: usize = 80_000;

fn text() -> String {
    String::from_utf8(page().body.into_vec()).expect("it is UTF-8")
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    text.split_once(begin).expect("its beginning").1.split_once(end).expect("its end").0
}

#[test]
fn the_page_is_one_small_file_that_names_no_other_host() {
    let text = text();
    assert!(text.len() < BYTES_MAX, "{} bytes", text.len());
    assert!(text.starts_with("<!doctype html>\n"), "{}", &text[..40]);
    assert!(!text.contains("@S"), "a place was left open");
    // The name of SVG's elements is an address that nobody asks.
    let named = text.replace("http://www.w3.org/2000/svg", "");
    for outside in ["http:", "https:", "//", "@import", "url(", "src="] {
        assert!(!named.contains(outside), "{outside}");
    }
}

#[test]
fn the_policy_has_the_hashes_of_what_stands_between_the_tags() {
    let (text, policy) = (text(), page().policy);
    let style = hash(between(&text, "<style>", "</style>"));
    let script = hash(between(&text, "<script>", "</script>"));
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; script-src '{script}'; style-src '{style}'; connect-src 'self'; img-src data:; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    );
    assert_eq!(text.matches("<script").count(), 1);
    assert_eq!(text.matches("<style").count(), 1);
}

/// That of "abc" is from FIPS 180-4's examples, in base64.
#[test]
fn a_hash_is_the_one_that_browsers_make() {
    assert_eq!(hash("abc"), "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
}

#[test]
fn nothing_makes_markup_of_text() {
    let text = text();
    for way in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        " style=",
        " on",
    ] {
        let found = text.match_indices(way).map(|(at, _)| &text[at..(at + 24).min(text.len())]);
        let found: Vec<&str> = found.filter(|found| way != " on" || is_handler(found)).collect();
        assert_eq!(found, [""; 0], "{way}");
    }
}

/// Whether ` on...` is an attribute that is run, as `onclick=`.
fn is_handler(found: &str) -> bool {
    let name = found.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    name.len() > 2 && found.trim_start()[name.len()..].starts_with("=\"")
}

#[test]
fn packing_leaves_out_what_browsers_do_not_need() {
    assert_eq!(pack("a {\n  b;\n\n  // why\n}\n"), "a {\nb;\n}\n");
    assert_eq!(pack("  x = \"a // b\"; // c"), "x = \"a // b\"; // c\n");
}

#[test]
fn no_text_in_the_scripts_goes_over_lines() {
    for part in SCRIPTS {
        for (number, line) in part.lines().enumerate() {
            let marks = line.matches('`').count();
            assert_eq!(marks % 2, 0, "line {}: {line}", number + 1);
        }
    }
}

/// Every reason that a verdict can have is told in words.
#[test]
fn each_reason_has_its_words() {
    let sources = [
        (include_str!("../../verdict/reason.rs"), "pub fn name(self) -> &'static str {"),
        (include_str!("../../verdict.rs"), "pub fn name(&self) -> &'static str {"),
    ];
    let mut reasons = 0;
    for (source, begin) in sources {
        let names = between(source, begin, "\n    }\n");
        for line in names.lines() {
            let Some(name) = line.split_once("=> \"").and_then(|(_, rest)| rest.split_once('"')) else {
                continue;
            };
            reasons += 1;
            let entry = format!("\"{}\": \"", name.0);
            assert!(SCRIPTS[0].contains(&entry), "words.js has no words for {}", name.0);
        }
    }
    assert!(reasons > 30, "{reasons}");
}

/// What the page knows addresses by that are where they belong is what a table says of them.
#[test]
fn an_address_that_rests_is_known_by_the_words_of_a_table() {
    let head = include_str!("head.js");
    let rests = between(head, "const RESTS = new Set([", "]);");
    let words = include_str!("../../writer/desired/decide.rs");
    for rest in rests.split(", ") {
        assert!(words.contains(&format!("=> {rest},")), "{rest}");
    }
}

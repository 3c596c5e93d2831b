//! promtool, the program of Prometheus that judges what is written for it.

use std::io::{ErrorKind, Write as _};
use std::process::{Command, Stdio};

use crate::skip::skip;
use crate::world::world;

/// Runs promtool in contrib/prometheus; all it says, and whether it was content. `None`, and it is told as skipped, where
/// there is none.
pub(crate) fn promtool(test: &str, arguments: &[&str], input: &str) -> Option<(bool, String)> {
    let spawned = Command::new("promtool")
        .args(arguments)
        .current_dir(crate::path("contrib/prometheus"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            skip(&format!("monitoring: {test}: there is no promtool (package prometheus)"));
            return None;
        }
        spawned => spawned.expect("promtool can be started"),
    };
    // It may end before it has read everything, and then says why.
    let _ = child.stdin.take().expect("it was asked for").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("promtool ends");
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn promtool_has_nothing_to_say_to_the_text() {
    let test = "promtool_has_nothing_to_say_to_the_text";
    let Some(found) = promtool(test, &["check", "metrics"], &world().text()) else { return };
    assert_eq!(found, (true, String::new()));
}

#[test]
fn promtool_finds_what_is_wrong_with_a_text() {
    let test = "promtool_finds_what_is_wrong_with_a_text";
    let text = world().text();
    let wrong = [
        // A counter that is not called one, a label that ends too early, a line that does not end.
        text.trim_end().to_owned(),
        text.replace("hfm_runs_total", "hfm_runs"),
        text.replace("odd \\\"one\\\"", "odd \"one\""),
    ];
    for text in wrong {
        let Some((content, said)) = promtool(test, &["check", "metrics"], &text) else { return };
        assert!(!content && !said.is_empty(), "{text}");
    }
}

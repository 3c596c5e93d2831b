//! The manual page: it is well formed, and tells of all that there is.

use std::path::Path;
use std::process::Command;

use hfm::remote::command_line::{COMMANDS, SPELLINGS};

use crate::skip::skip;

fn path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("man/hfmctl.8")
}

#[test]
fn every_command_and_option_is_in_it() {
    let page = std::fs::read_to_string(path()).expect("the page");
    for command in COMMANDS {
        assert!(page.contains(&format!("\n.It Cm {}", command.name)), "{}", command.name);
    }
    for spelling in SPELLINGS {
        let name = format!("Fl {}", spelling.long.strip_prefix('-').expect("an option").replace('-', "\\-"));
        assert!(page.contains(&name), "{}", spelling.long);
    }
}

#[test]
fn mandoc_finds_nothing_wrong_with_it() {
    let Ok(output) = Command::new("mandoc").args(["-Tlint", "-Wwarning"]).arg(path()).output() else {
        skip("the manual page: mandoc is not installed");
        return;
    };
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    assert!(output.status.success());
}

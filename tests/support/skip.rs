//! Tests that cannot run on this machine say so, where tests/run collects it.

use std::io::Write;

/// Tells that a test did not run, and why.
#[allow(unreachable_pub, reason = "shared by several tests")]
#[allow(clippy::print_stdout, reason = "for whoever runs the test alone")]
pub fn skip(reason: &str) {
    println!("skipped: {reason}");
    if let Some(path) = std::env::var_os("HFM_TEST_SKIPS") {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        file.and_then(|mut file| writeln!(file, "{reason}"))
            .expect("the file of skipped tests can be written");
    }
}

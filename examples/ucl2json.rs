//! Reads a UCL file and prints it as JSON in libucl's own form: `ucl2json FILE`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod json;

use std::process::ExitCode;

use hfm::sys::files::FileLoader;

fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        eprintln!("usage: ucl2json FILE");
        return ExitCode::from(2);
    };
    match hfm::ucl::read(&name, &mut FileLoader) {
        Ok(document) => {
            println!("{}", json::emit(&document.root));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}", error.report());
            ExitCode::FAILURE
        }
    }
}

//! The whole, on Linux.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

#[path = "../scale/arrivals.rs"]
mod arrivals;
#[path = "../scale/certificate.rs"]
mod certificate;
#[path = "../scale/place.rs"]
mod place;
#[path = "../scale/rows.rs"]
#[expect(dead_code, reason = "shared with benches/scale")]
mod rows;
#[path = "../scale/statistics.rs"]
#[expect(dead_code, reason = "shared with benches/scale")]
mod statistics;
#[path = "../scale/target.rs"]
mod target;

mod beside;
mod burdens;
mod figures;
mod hfm;
mod options;
mod overload;
mod table;
mod window;
mod work;

/// What cannot be run says so here, where tests/run collects it.
#[path = "../../tests/support/skip.rs"]
mod skip;

use arrivals::Arrivals;
use options::{Options, Part};
use window::Bench;

/// Measures what is asked for, and prints it.
pub(crate) fn main() -> ExitCode {
    if let Some(time) = work::is_hog() {
        work::keep_busy(time);
        return ExitCode::SUCCESS;
    }
    let options = options::options();
    let directory = std::env::temp_dir().join(format!("hfm-isolation-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory for the benchmark");
    let outcome = measure(&options, &directory);
    let _ = fs::remove_dir_all(&directory);
    match outcome {
        Ok(wrong) if wrong.is_empty() => ExitCode::SUCCESS,
        Ok(wrong) => {
            wrong.iter().for_each(|what| eprintln!("not right: {what}"));
            ExitCode::FAILURE
        }
        Err(why) if options.short => {
            skip::skip(&format!("benches/isolation: {why}"));
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("cannot be run here: {why}");
            ExitCode::from(2)
        }
    }
}

/// Everything; what is not right.
fn measure(options: &Options, directory: &Path) -> Result<Vec<String>, String> {
    let cores = place::enter(options.cores)?;
    let _silent = work::silent_resolver(directory)?;
    let counts = target::start(&directory.join("ca.pem"))?;
    let arrivals = Arrivals::watch()?;
    let bench =
        Bench { directory, cores, is_one_core: options.one_core, arrivals: &arrivals, counts: &counts };
    println!(
        "the loop on core {}, everything else on core {}; figures are medians (least-most)",
        cores.checker,
        if options.one_core { cores.checker } else { cores.target }
    );
    Ok(match options.part {
        Part::Beside => beside::run(&bench, options),
        Part::Overload => overload::run(&bench, options),
    })
}

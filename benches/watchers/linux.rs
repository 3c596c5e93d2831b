//! The whole, on Linux.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

#[path = "../scale/arrivals.rs"]
mod arrivals;
#[path = "../scale/certificate.rs"]
mod certificate;
#[path = "../isolation/linux/figures.rs"]
#[expect(dead_code, reason = "shared with benches/isolation")]
mod figures;
#[path = "../isolation/linux/hfm.rs"]
#[expect(dead_code, reason = "shared with benches/isolation")]
mod hfm;
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

mod answers;
#[path = "arithmetic.rs"]
mod arithmetic;
mod clients;
mod crew;
mod hostile;
mod http;
mod options;
mod phases;
mod table;
mod window;

/// What cannot be run says so here, where tests/run collects it.
#[path = "../../tests/support/skip.rs"]
mod skip;

use arrivals::Arrivals;
use options::Options;

/// Measures what is asked for, and prints it.
pub(crate) fn main() -> ExitCode {
    let options = options::options();
    let directory = std::env::temp_dir().join(format!("hfm-watchers-{}", std::process::id()));
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
            skip::skip(&format!("benches/watchers: {why}"));
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
    let _counts = target::start(&directory.join("ca.pem"))?;
    let arrivals = Arrivals::watch()?;
    println!(
        "the loop on core {}, everything else on core {}; {} tcp rules every second, {} watchers; {} windows of {:?} \
         of each phase; figures are medians (least-most)",
        cores.checker, cores.target, options.rules, options.watchers, options.windows, options.window
    );
    Ok(phases::run(options, directory, cores, &arrivals))
}

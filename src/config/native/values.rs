//! One value at a time: what can be said of it without knowing the rule.

use std::time::Duration;

use super::super::control;
use super::super::demotion;
use super::super::diagnose::Wrong;
use super::super::escape;
use super::super::given::Given;
use super::super::listen;
use super::super::placement;
use super::super::properties::Setting;
use super::super::render::quoted;
use super::super::run_as;
use super::{dialogue, http, network};
use crate::ucl::Span;

/// Longest text, in bytes, where nothing shorter is asked for: as much as is ever read of a reply by default.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// More often nobody can read tables.
const RECONCILE_MIN: Duration = Duration::from_millis(10);

/// Protocols offered at most: more are a mistake.
const PROTOCOLS_MAX: usize = 32;

/// Everything that is wrong with a value, and where, if it is one of several.
pub(in crate::config) fn judge(
    setting: Setting,
    name: &'static str,
    given: &Given,
) -> Vec<(Option<Span>, Wrong)> {
    match given {
        Given::Text(text) => {
            text_of(setting, name, &text.text).err().map(|wrong| (None, wrong)).into_iter().collect()
        }
        Given::Texts(texts) if setting == Setting::TlsAlpn && texts.len() > PROTOCOLS_MAX => {
            vec![(None, Wrong::new(format!("'{name}' has more than {PROTOCOLS_MAX} protocols")))]
        }
        Given::Texts(texts) => {
            let wrong = |text: &super::super::given::Text| {
                let wrong = text_of(setting, name, &text.text).err()?;
                Some((Some(text.span), wrong))
            };
            texts.iter().filter_map(wrong).collect()
        }
        Given::Interval(interval) if interval.is_zero() && setting != Setting::TlsExpiry => {
            let help = "write a time, as in 500ms or 30s";
            vec![(None, Wrong::new(format!("'{name}' must be above 0")).help(help))]
        }
        Given::Interval(interval) if setting == Setting::Reconcile && *interval < RECONCILE_MIN => {
            let help = "tables are read so often, with pfctl by a program for each: write a time such as 1s";
            vec![(None, Wrong::new(format!("'{name}' must be 10ms or more")).help(help))]
        }
        Given::Interval(_) | Given::Word(_) | Given::Number(_) | Given::Boolean(_) => Vec::new(),
    }
}

/// Judges one text.
fn text_of(setting: Setting, name: &'static str, text: &str) -> Result<(), Wrong> {
    if text.len() > TEXT_BYTES_MAX && !matches!(setting, Setting::Send | Setting::SendHex | Setting::Dialogue)
    {
        return Err(Wrong::new(format!("'{name}' is longer than {TEXT_BYTES_MAX} bytes")));
    }
    // An empty one clears what is inherited.
    match setting {
        Setting::Connect | Setting::Source | Setting::Interface | Setting::Send | Setting::SendHex
            if text.is_empty() =>
        {
            Ok(())
        }
        Setting::Connect => network::connect(text).map(drop),
        Setting::Source => network::source(text).map(drop),
        Setting::Interface => network::interface(text),
        Setting::Fib => network::fib(text).map(drop),
        Setting::Mark => network::mark(text).map(drop),
        Setting::HttpMethod => http::method(text),
        Setting::HttpVersion => http::version(text).map(drop),
        Setting::HttpHeaders => http::header(text).map(drop),
        Setting::HttpBody => Ok(()),
        Setting::HttpStatus => http::status(text).map(drop),
        Setting::Expect | Setting::ExpectRegex | Setting::Reject | Setting::RejectRegex => match text {
            "" => {
                let help = format!("give a text to look for; {name} = [] clears an inherited one");
                Err(Wrong::new(format!("'{name}' is empty, which is in every reply")).help(help))
            }
            _ => Ok(()),
        },
        Setting::ExpectHeader | Setting::RejectHeader => http::header_pattern(name, text).map(drop),
        Setting::Send => dialogue::bounded(name, escape::unescaped(text)?).map(drop),
        Setting::SendHex => dialogue::bounded(name, escape::from_hex(text)?).map(drop),
        Setting::Dialogue => dialogue::step(text).map(drop),
        Setting::TlsCa | Setting::TlsCert | Setting::TlsKey => file(name, text),
        Setting::TlsName => network::tls_name(text).map(drop),
        Setting::TlsAlpn => protocol(text),
        Setting::TlsMin => network::tls_min(text).map(drop),
        Setting::Tables => placement::element(text).map(drop),
        Setting::Addresses => placement::prefix(text).map(drop),
        Setting::Combine => placement::combine(text).map(drop),
        Setting::MinUp => placement::min_up(text).map(drop),
        Setting::Panic => placement::panic(text).map(drop),
        Setting::Slots => placement::slots(text).map(drop),
        Setting::StateDir => placement::state_dir(text),
        Setting::Control => control::judge(text),
        Setting::Listen => listen::address(text).map(drop),
        Setting::Demotion => demotion::demotion(text).map(drop),
        Setting::User | Setting::Group => run_as::judge(name, text),
        // They are no texts.
        Setting::Timeout
        | Setting::Resolve
        | Setting::Family
        | Setting::ProxyProtocol
        | Setting::MaxBody
        | Setting::TlsVerify
        | Setting::TlsExpiry
        | Setting::TlsResume
        | Setting::Reuse
        | Setting::Close
        | Setting::IntervalDebounce
        | Setting::Backup
        | Setting::KillStates
        | Setting::Demote
        | Setting::DataPlane
        | Setting::DryRun
        | Setting::Reconcile
        | Setting::LogFormat => Ok(()),
    }
}

/// The name of a file.
fn file(name: &str, text: &str) -> Result<(), Wrong> {
    if text.is_empty() {
        return Err(Wrong::new(format!("'{name}' is empty")).help("give the path of a file in PEM form"));
    }
    if text.contains(char::is_control) {
        return Err(Wrong::new(format!("'{name}' has a control character in it")));
    }
    Ok(())
}

/// A protocol of ALPN (RFC 7301 section 3.1).
fn protocol(text: &str) -> Result<(), Wrong> {
    match text.len() {
        1..=255 => Ok(()),
        _ => {
            let message = format!("{} is not 1 to 255 bytes long", quoted(text));
            Err(Wrong::new(message).help("protocols have names such as \"http/1.1\""))
        }
    }
}

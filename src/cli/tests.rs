use super::*;
use crate::probe_cli::UsageError;

fn parsed(line: &str) -> Result<Invocation, CliError> {
    parse(line.split_whitespace().map(OsString::from))
}

fn check(config: &str, dump: bool) -> Result<Invocation, CliError> {
    Ok(Invocation::Check { config: config.into(), dump })
}

fn run(config: &str, log: Destination) -> Result<Invocation, CliError> {
    Ok(Invocation::Run { config: config.into(), log })
}

#[test]
fn flags_take_their_values_in_every_form_of_go() {
    for line in ["-config a", "-config=a", "--config a", "--config=a", "-config b -config a", "-config=a --"]
    {
        assert_eq!(parsed(line), run("a", Destination::Stderr), "{line}");
    }
    assert_eq!(parsed(""), run(CONFIG_PATH, Destination::Stderr));
    assert_eq!(parsed("-config=a=b"), run("a=b", Destination::Stderr));
    assert_eq!(parsed("-config -n"), run("-n", Destination::Stderr));
    assert_eq!(parsed("-config="), run("", Destination::Stderr));
}

#[test]
fn switches_take_values_only_after_an_equals_sign() {
    assert_eq!(parsed("-n -config a"), check("a", false));
    assert_eq!(parsed("-n=true --dump -config a"), check("a", true));
    assert_eq!(parsed("-n=false -config a"), run("a", Destination::Stderr));
    assert_eq!(parsed("-n=x"), Err(CliError::BadSwitch { flag: "n", value: "x".into() }));
    assert_eq!(parsed("-v"), Ok(Invocation::Version));
    assert_eq!(parsed("-h"), Ok(Invocation::Help));
    assert_eq!(parsed("--help"), Ok(Invocation::Help));
    assert_eq!(parsed("-h -bogus surplus"), Ok(Invocation::Help));
}

#[test]
fn destinations_are_matched_in_any_case_and_checked() {
    let local0 = Facility::by_name("local0").expect("known");
    let daemon = Facility::by_name("daemon").expect("known");
    assert_eq!(parsed("-log SYSLOG"), run(CONFIG_PATH, Destination::Syslog(local0)));
    assert_eq!(parsed("-log syslog -facility Daemon"), run(CONFIG_PATH, Destination::Syslog(daemon)));
    assert_eq!(parsed("-log file"), Err(CliError::LogDestination("file".into())));
    assert_eq!(parsed("-log syslog -facility x"), Err(CliError::LogFacility("x".into())));
    // As in hfm: the facility is looked at only when it is used, and -n looks at neither.
    assert_eq!(parsed("-facility x"), run(CONFIG_PATH, Destination::Stderr));
    assert_eq!(parsed("-n -log file -config a"), check("a", false));
}

#[test]
fn every_facility_of_hfm_is_known() {
    let names = "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp local0 local1 local2 local3 \
                 local4 local5 local6 local7";
    assert_eq!(Facility::names().collect::<Vec<_>>(), names.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn what_cannot_be_followed_is_refused() {
    for (line, error) in [
        ("-x", CliError::UnknownFlag("x".into())),
        ("--conf=a", CliError::UnknownFlag("conf".into())),
        ("-", CliError::BadSyntax("-".into())),
        ("---n", CliError::BadSyntax("---n".into())),
        ("-=a", CliError::BadSyntax("-=a".into())),
        ("-config", CliError::MissingValue("config")),
        ("-dump", CliError::DumpAlone),
        ("a.conf", CliError::Unexpected("a.conf".into())),
        ("-- a.conf", CliError::Unexpected("a.conf".into())),
        ("probe", CliError::Probe(UsageError::MissingUrl)),
        ("demo 5", CliError::Demo(demo::UsageError::Unexpected("5".into()))),
        ("demo -t 0", CliError::Demo(demo::UsageError::BadSeconds("0".into()))),
    ] {
        assert_eq!(parsed(line), Err(error), "{line}");
    }
}

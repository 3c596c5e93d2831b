//! Outputs as the sources of the releases make them.

use super::*;

fn prefixes(texts: &[&str]) -> Vec<Prefix> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn other(text: &str) -> TableError {
    TableError::Other(text.to_owned())
}

#[test]
fn a_table_is_read_whole() {
    assert_eq!(table(""), Ok(Table::default()));
    let shown =
        "   10.0.0.1\n   10.1.0.0/16\n  !10.1.2.3\n   2001:db8::1\n   2001:db8:1::/48\n  !fe80::/10\n";
    let found = table(shown).unwrap();
    assert_eq!(found.addresses, prefixes(&["10.0.0.1", "10.1.0.0/16", "2001:db8::1", "2001:db8:1::/48"]));
    assert_eq!(found.negated, prefixes(&["10.1.2.3", "fe80::/10"]));
    assert_eq!(table("   0.0.0.0/0\n   ::/0\n").unwrap().addresses, prefixes(&["0.0.0.0/0", "::/0"]));
}

/// What no file of ours could name is no reason to leave a table alone.
#[test]
fn addresses_of_others_may_be_of_any_kind() {
    let found = table("   ::ffff:10.0.0.1\n   ::ffff:0:0/96\n").unwrap().addresses;
    assert_eq!(found.iter().map(|prefix| prefix.length()).collect::<Vec<_>>(), [128, 96]);
}

#[test]
fn what_is_no_address_is_named() {
    for line in
        ["{error}", "10.0.0.300", "10.0.0.1/33", "10.0.0.7/24", "10.0.0.1/", "!", "a b", "10.0.0.1\t(web)"]
    {
        let result = table(&format!("   10.0.0.1\n   {line}\n   10.0.0.2\n"));
        let shown = line.escape_debug();
        assert_eq!(result, Err(other(&format!("pfctl showed no address: {shown}"))));
    }
    let TableError::Other(long) = table(&"x\u{1b}".repeat(10_000)).unwrap_err() else { panic!("another") };
    assert!(long.len() < 1000 && long.ends_with("...") && !long.contains('\u{1b}'), "{long}");
}

#[test]
fn counts_are_found_wherever_they_stand() {
    let count = |changed, asked| Some(Counted { changed, asked });
    assert_eq!(counted("1/1 addresses added.\n"), count(1, 1));
    assert_eq!(counted("0/5000 addresses deleted.\n"), count(0, 5000));
    assert_eq!(
        counted("No ALTQ support in kernel\nALTQ related functions disabled\n2/3 addresses added.\n"),
        count(2, 3)
    );
    assert_eq!(counted("1 table created.\n2/2 addresses added.\n"), count(2, 2));
    for none in ["", "done.\n", "1/1 addresses match.\n", "x/1 addresses added.\n", "3 addresses added.\n"] {
        assert_eq!(counted(none), None, "{none}");
    }
    assert!(made_a_table("1 table created.\n2/2 addresses added.\n"));
    assert!(!made_a_table("2/2 addresses added.\n"));
}

#[test]
fn what_was_killed_is_counted() {
    assert_eq!(killed("killed 12 states from 1 sources and 1 destinations\n"), Some(12));
    assert_eq!(
        killed("No ALTQ support in kernel\nkilled 3 src nodes from 1 sources and 1 destinations\n"),
        Some(3)
    );
    for none in ["", "killed 3 rules\n", "killed x states\n", "killed -1 states\n", "3 states killed\n"] {
        assert_eq!(killed(none), None, "{none}");
    }
}

#[test]
fn failures_are_told_apart() {
    let cases: &[(&str, TableError)] = &[
        ("pfctl: Table does not exist.\n", TableError::NoTable),
        ("pfctl: Anchor does not exist.\n", TableError::NoTable),
        ("pfctl: Anchor or Ruleset does not exist.\n", TableError::NoTable),
        (
            "No ALTQ support in kernel\nALTQ related functions disabled\npfctl: Table does not exist.\n",
            TableError::NoTable,
        ),
        (
            "pfctl: /dev/pf: No such file or directory\n",
            TableError::Absent("pfctl: /dev/pf: No such file or directory".to_owned()),
        ),
        (
            "pfctl: /dev/pf: Device not configured\n",
            TableError::Absent("pfctl: /dev/pf: Device not configured".to_owned()),
        ),
        (
            "pfctl: Failed to open netlink: Protocol not supported\n",
            TableError::Absent("pfctl: Failed to open netlink: Protocol not supported".to_owned()),
        ),
        (
            "pfctl: /dev/pf: Permission denied\n",
            TableError::NotPermitted("pfctl: /dev/pf: Permission denied".to_owned()),
        ),
        (
            "pfctl: /dev/pf: Operation not permitted\n",
            TableError::NotPermitted("pfctl: /dev/pf: Operation not permitted".to_owned()),
        ),
        ("pfctl: Permission denied.\n", TableError::NotPermitted("pfctl: Permission denied.".to_owned())),
        ("pfctl: /dev/pf: Too many open files\n", other("pfctl: /dev/pf: Too many open files")),
        (
            "no IP address found for web1\npfctl: cannot load -: No error: 0\n",
            TableError::Syntax("no IP address found for web1".to_owned()),
        ),
        ("pfctl: Invalid argument.\n", TableError::Syntax("pfctl: Invalid argument.".to_owned())),
        ("pfctl: illegal netmask /33\n", TableError::Syntax("pfctl: illegal netmask /33".to_owned())),
        (
            "cannot add addresses in web: too many elements.\n\
             Consider increasing net.pf.request_maxcount.pfctl: Invalid argument.\n",
            other("cannot add addresses in web: too many elements."),
        ),
        ("pfctl: Cannot allocate memory.\n", other("pfctl: Cannot allocate memory.")),
        ("pfctl: DIOCGETALTQS: Input/output error\nmore\n", other("pfctl: DIOCGETALTQS: Input/output error")),
        ("", other("pfctl failed without a word: exit status 255")),
        (" \n\n", other("pfctl failed without a word: exit status 255")),
    ];
    for (stderr, meant) in cases {
        for command in [Command::Show, Command::Add, Command::Delete] {
            assert_eq!(failure(stderr, command, "exit status 255"), *meant, "{command:?} {stderr}");
        }
    }
}

/// A constant table can be read; who has no rights cannot even do that.
#[test]
fn a_constant_table_is_the_trouble_of_one_table() {
    let stderr = "pfctl: Operation not permitted.\n";
    let secured = failure("pfctl: DIOCKILLSTATES: Operation not permitted\n", Command::KillStates, "");
    let said = "pfctl: DIOCKILLSTATES: Operation not permitted (is kern.securelevel 3?)".to_owned();
    assert_eq!(secured, TableError::NotPermitted(said));
    assert!(failure(stderr, Command::Show, "").concerns_all_tables());
    for command in [Command::Add, Command::Delete] {
        let error = failure(stderr, command, "");
        assert_eq!(error, other("pfctl: Operation not permitted. (is it const?)"));
        assert!(!error.concerns_all_tables());
    }
}

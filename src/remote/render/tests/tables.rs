//! How tables stand.

use super::*;

fn table(name: &str) -> TableRow {
    TableRow {
        table: name.to_owned(),
        dataplane: "pfctl".to_owned(),
        dry_run: false,
        managed: 3,
        wanted: 2,
        actual: Some(2),
        held: 1,
        others: Some(4),
        repairs: 0,
        written: Some(NOW),
        error: None,
        retry: None,
    }
}

fn address(address: &str, wanted: Option<bool>, actual: Option<bool>) -> Reply {
    Reply::Address(AddressRow {
        table: "web".to_owned(),
        address: address.to_owned(),
        wanted,
        actual,
        held: address.ends_with(".9"),
        why: "up".to_owned(),
        rules: if address.ends_with(".8") { vec![] } else { vec!["a/1".to_owned(), "b/1".to_owned()] },
    })
}

#[test]
fn tables_tell_what_should_be_in_and_what_is() {
    let (out, _) = answer(
        &Request::Tables { tables: None },
        terminal(80),
        &[
            Reply::Table(table("web")),
            address("10.0.0.1", Some(true), Some(true)),
            address("10.0.0.2", Some(false), Some(false)),
            address("10.0.0.3", Some(true), Some(false)),
            address("10.0.0.4", Some(false), Some(true)),
            address("10.0.0.5", None, Some(true)),
            address("10.0.0.6", Some(true), None),
            address("10.0.0.8", None, None),
            address("10.0.0.9", Some(true), Some(true)),
            Reply::Table(TableRow {
                error: Some("pfctl: Permission denied\x1b[2J".to_owned()),
                retry: Some(NOW + 3.0),
                repairs: 2,
                ..table("fe/mail")
            }),
            Reply::Table(TableRow { actual: None, others: None, ..table("new") }),
            Reply::Table(table("good")),
            Reply::Done { text: "4 tables".to_owned() },
        ],
    );
    let expected = "\
TABLE    WANTED  ACTUAL  HELD  OTHERS  STATE
web           2       2     1       4  differs (pfctl)
  10.0.0.1  in                 up  a/1, b/1
  10.0.0.2  out                up  a/1, b/1
  10.0.0.3  out, should be in  up  a/1, b/1
  10.0.0.4  in, should be out  up  a/1, b/1
  10.0.0.5  in, stays so       up  a/1, b/1
  10.0.0.6  ?, should be in    up  a/1, b/1
  10.0.0.8  ?                  up  no rule names it
  10.0.0.9  in, held           up  a/1, b/1
fe/mail       2       2     1       4  trouble (pfctl), 2 repaired
  error: pfctl: Permission denied\\u{1b}[2J; tried again in 3.0s
new           2       -     1       -  not known yet (pfctl)
good          2       2     1       4  as wanted (pfctl)
4 tables: 3 not as wanted
";
    assert_eq!(out, expected);
}

#[test]
fn a_dry_run_says_that_nothing_is_written() {
    let replies = [
        Reply::Table(TableRow { dry_run: true, ..table("web") }),
        address("10.0.0.1", Some(true), Some(true)),
        Reply::Done { text: "1 table".to_owned() },
    ];
    let (out, _) = answer(&Request::Tables { tables: None }, PIPE, &replies);
    let expected = "\
TABLE  WANTED  ACTUAL  HELD  OTHERS  STATE
web         2       2     1       4  dry run, as wanted (pfctl)
  10.0.0.1  in  up  a/1, b/1
1 table: as wanted; a dry run: nothing is written, and what would be counts as if it were
";
    assert_eq!(out, expected);
    let (out, _) = answer(&Request::Tables { tables: None }, View { colour: Colour::On, ..PIPE }, &replies);
    assert!(out.contains("\x1b[33mdry run, as wanted"), "{out:?}");
    // An hfm of before does not say.
    let row = serde_json::to_string(&table("web")).unwrap().replace("\"dry_run\":false,", "");
    assert_eq!(serde_json::from_str::<TableRow>(&row).unwrap(), table("web"));
}

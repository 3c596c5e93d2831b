use super::super::message::{Header, Writer};
use super::*;

const KNOWN: [&str; 4] = ["ip/t/web", "ip/t/mail", "ip/tt/web", "inet/t/web"];

/// What is noted of messages from these sockets.
fn heard(messages: &[(u16, u8, &[&str], u32)]) -> (Vec<String>, usize) {
    let known: BTreeSet<Box<str>> = KNOWN.iter().map(|name| (*name).into()).collect();
    let (mut name, mut tables, mut malformed) = (String::new(), BTreeSet::new(), 0);
    for (kind, family, names, port) in messages {
        let mut writer = Writer::default();
        let header = Header { kind: *kind, flags: 0, sequence: 0, family: *family, resource: 0 };
        writer.message(header, |writer| {
            for (kind, name) in (1..).zip(*names) {
                writer.text(kind, name);
            }
        });
        let mut bytes = writer.bytes().to_vec();
        bytes[12..16].copy_from_slice(&port.to_ne_bytes());
        let message = Messages(&bytes).next().unwrap().unwrap();
        malformed += usize::from(tell(&message, Some(7), &known, &mut name, &mut tables).is_err());
    }
    (tables.iter().map(ToString::to_string).collect(), malformed)
}

#[test]
fn what_others_do_to_sets_that_are_known_is_noted() {
    for kind in [NEW_SET, DELETED_SET, NEW_ELEMENTS, DELETED_ELEMENTS] {
        let messages: [(u16, u8, &[&str], u32); 4] = [
            (kind, 2, &["t", "web"], 8),
            (kind, 2, &["t", "others"], 8),
            (kind, 2, &["t", "mail"], 7),
            (kind, 1, &["t", "web"], 0),
        ];
        assert_eq!(heard(&messages), (vec!["inet/t/web".to_owned(), "ip/t/web".to_owned()], 0), "{kind:#x}");
    }
}

#[test]
fn with_a_table_all_its_sets_are_gone() {
    assert_eq!(
        heard(&[(DELETED_TABLE, 2, &["t"], 8)]),
        (vec!["ip/t/mail".to_owned(), "ip/t/web".to_owned()], 0)
    );
    assert_eq!(heard(&[(DELETED_TABLE, 2, &["t"], 7)]), (vec![], 0), "our own doing");
}

#[test]
fn other_news_mean_nothing_and_those_without_a_name_count_as_not_understood() {
    assert_eq!(heard(&[(NFTABLES | 6, 2, &["t", "web"], 8), (0x123, 2, &[], 8)]), (vec![], 0));
    assert_eq!(
        heard(&[(NEW_SET, 2, &["t"], 8), (NEW_SET, 2, &[], 8), (NEW_SET, 99, &["t", "s"], 8)]),
        (vec![], 3)
    );
}

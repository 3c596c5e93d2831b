use super::super::message::Messages;
use super::*;

/// What the kernel tells of a connection, as seen on the wire: header, then original and reply tuple, then more.
fn told(family: u8, content: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::default();
    // IPCTNL_MSG_CT_NEW, as answers to a question are.
    writer.message(Header { kind: SUBSYSTEM, flags: 0, sequence: 1, family, resource: 0 }, content);
    writer.bytes().to_vec()
}

/// A connection from 192.0.2.1 to 198.51.100.1 that this address answers.
fn connection(writer: &mut Writer, who: &[u8]) {
    let source = if who.len() == 4 { SOURCE_V4 } else { SOURCE_V6 };
    writer.nested(ORIGINAL, |writer| writer.nested(ADDRESSES, |writer| writer.attribute(source, &[7; 4])));
    writer.nested(REPLY, |writer| {
        writer.nested(2, |writer| writer.attribute(1, &[6]));
        writer.nested(ADDRESSES, |writer| {
            writer.attribute(source + 1, &[192, 0, 2, 1]);
            writer.attribute(source, who);
        });
    });
    writer.number(3, 0x1a8);
}

fn read(bytes: &[u8], addresses: &[&str]) -> Result<Option<Connection>, Malformed> {
    let addresses: Vec<Prefix> = addresses.iter().map(|text| text.parse().unwrap()).collect();
    let message = Messages(bytes).next().expect("a message")?;
    Connection::read(&message, &Backends::new(&addresses))
}

#[test]
fn a_connection_is_deleted_by_all_that_tells_it_from_others() {
    let bytes = told(IPV4, |writer| {
        connection(writer, &[10, 0, 0, 2]);
        writer.number(NUMBER, 0x0102_0304);
        writer.attribute(ZONE, &[0, 7]);
    });
    let found = read(&bytes, &["10.0.0.2"]).unwrap().expect("it is towards the address");
    let mut writer = Writer::default();
    found.write_delete(&mut writer, ACK, 9);
    let mut wanted = Writer::default();
    let header = Header { kind: DELETE, flags: ACK, sequence: 9, family: IPV4, resource: 0 };
    wanted.message(header, |writer| {
        writer.nested(ORIGINAL, |writer| {
            writer.nested(ADDRESSES, |writer| writer.attribute(SOURCE_V4, &[7; 4]))
        });
        writer.attribute(NUMBER, &[1, 2, 3, 4]);
        writer.attribute(ZONE, &[0, 7]);
    });
    assert_eq!(writer.bytes(), wanted.bytes());
}

#[test]
fn who_answers_decides_and_nothing_else() {
    let v4 = told(IPV4, |writer| {
        connection(writer, &[10, 0, 0, 2]);
        writer.number(NUMBER, 1);
    });
    let v6 = told(IPV6, |writer| {
        connection(writer, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
        writer.number(NUMBER, 1);
    });
    for (bytes, addresses, is_towards) in [
        (&v4, &["10.0.0.2"][..], true),
        (&v4, &["2001:db8::2", "10.0.0.0/24"], true),
        (&v4, &["0.0.0.0/0"], true),
        (&v4, &["10.0.0.3", "10.0.0.20", "192.0.2.1", "7.7.7.7", "10.0.1.0/24"], false),
        (&v4, &["::/0"], false),
        (&v4, &[], false),
        (&v6, &["2001:db8::2"], true),
        (&v6, &["10.0.0.2", "2001:db8::/32"], true),
        (&v6, &["2001:db8::1", "2001:db8::20", "0.0.0.0/0"], false),
    ] {
        assert_eq!(read(bytes, addresses).unwrap().is_some(), is_towards, "{addresses:?}");
    }
}

#[test]
fn what_is_cut_off_or_lacks_something_is_never_deleted() {
    let without_number = told(IPV4, |writer| connection(writer, &[10, 0, 0, 2]));
    assert!(matches!(read(&without_number, &["10.0.0.2"]), Err(Malformed(_))));
    let without_original = told(IPV4, |writer| {
        writer.nested(REPLY, |writer| {
            writer.nested(ADDRESSES, |writer| writer.attribute(SOURCE_V4, &[10, 0, 0, 2]));
        });
        writer.number(NUMBER, 1);
    });
    assert!(matches!(read(&without_original, &["10.0.0.2"]), Err(Malformed(_))));
    for who in [&[10, 0, 0][..], &[]] {
        let of_no_length = told(IPV4, |writer| connection(writer, who));
        assert!(matches!(read(&of_no_length, &["0.0.0.0/0", "::/0"]), Ok(None)));
    }
    // Wherever it is cut, and whatever byte is another: no panic, and no connection that was not there.
    let whole = told(IPV4, |writer| {
        connection(writer, &[10, 0, 0, 2]);
        writer.number(NUMBER, 1);
    });
    for end in 0..whole.len() {
        let mut cut = whole[..end].to_vec();
        if let Some(length) = cut.first_chunk_mut() {
            *length = u32::try_from(end).unwrap().to_ne_bytes();
        }
        assert!(end == 0 || !matches!(read(&cut, &["10.0.0.2"]), Ok(Some(_))), "cut off at {end}");
    }
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut other = whole.clone();
            other[at] ^= 1 << bit;
            if let Ok(Some(found)) = read(&other, &["10.0.0.2"]) {
                assert!(found.original.len() >= 4, "byte {at}");
            }
        }
    }
}

#[test]
fn few_single_ipv4_addresses_are_asked_for_one_by_one() {
    let many: Vec<Prefix> =
        (0..100).map(|number| Prefix::host(Ipv4Addr::from_bits(0x0a00_0000 + number).into())).collect();
    let v6: Prefix = "2001:db8::1".parse().unwrap();
    assert_eq!(single_v4(&[]), Some(vec![]));
    assert_eq!(single_v4(&[many[1], v6]), Some(vec![Ipv4Addr::new(10, 0, 0, 1)]));
    assert!(single_v4(&many[..ASKED_ONE_BY_ONE_MAX]).is_some());
    assert_eq!(single_v4(&many[..=ASKED_ONE_BY_ONE_MAX]), None);
    assert_eq!(single_v4(&[many[0], "10.1.0.0/16".parse().unwrap()]), None);
}

#[test]
fn a_kernel_without_conntrack_is_told_from_other_trouble() {
    let refused = |errno, words: &str| in_words(Failure::Refused(Refusal { errno, words: words.to_owned() }));
    assert!(matches!(refused(EINVAL, ""), TableError::Absent(what) if what.contains("nf_conntrack_netlink")));
    assert!(
        matches!(refused(EINVAL, "an attribute"), TableError::Other(what) if what.contains("an attribute"))
    );
    assert!(matches!(refused(crate::sys::netlink::EPERM, ""), TableError::NotPermitted(_)));
}

//! `dataplane = pf` while pf refuses, or answers what it should not.

use hfm::dataplane::{Change, DataPlane, Kill, Managed, Pf, TableError};
use hfm::sys::pf::Errno;

use crate::fake_pf::{Era, FakePf, State, Table};
use crate::stub::{Simply as _, prefix, prefixes};

/// Reads, adds and removes; what each says.
fn all_three(pf: &mut Pf) -> [Result<(), TableError>; 3] {
    let some = prefixes(&["10.0.0.1", "10.0.0.2"]);
    [pf.list("web").map(drop), pf.add("web", &some), pf.remove("web", &prefixes(&["192.0.2.1"]))]
}

/// A pf of which the table `web` holds 192.0.2.1.
fn kernel() -> FakePf {
    let kernel = FakePf::new();
    kernel.table("web", &["192.0.2.1"]);
    kernel
}

fn other(said: &str) -> TableError {
    TableError::Other(said.to_owned())
}

#[test]
fn without_the_device_it_is_absent_until_it_is_there() {
    for errno in [Errno::ENOENT, Errno::ENXIO] {
        let kernel = kernel();
        kernel.kernel().closed = Some(errno);
        let mut pf = kernel.pf();
        for result in all_three(&mut pf).into_iter().chain([pf.open()]) {
            let Err(TableError::Absent(said)) = &result else { panic!("{result:?}") };
            assert!(said.contains("kldload pf"), "{said}");
            assert!(result.unwrap_err().concerns_all_tables());
        }
        assert_eq!(kernel.sizes(), []);
        kernel.kernel().closed = None;
        assert_eq!(all_three(&mut pf), [Ok(()), Ok(()), Ok(())]);
    }
}

#[test]
fn who_may_not_open_it_is_told_so() {
    let kernel = kernel();
    kernel.kernel().closed = Some(Errno::EACCES);
    for result in all_three(&mut kernel.pf()) {
        let said = "/dev/pf may not be opened for writing (is hfm started as root?)".to_owned();
        assert_eq!(result, Err(TableError::NotPermitted(said)));
    }
    kernel.kernel().closed = Some(Errno::EMFILE);
    for result in all_three(&mut kernel.pf()) {
        assert_eq!(result, Err(other("/dev/pf cannot be opened: Too many open files")));
    }
}

#[test]
fn who_may_only_read_is_told_so() {
    let kernel = kernel();
    kernel.kernel().read_only = true;
    let denied = || Err(TableError::NotPermitted("/dev/pf is open for reading only".to_owned()));
    assert_eq!(all_three(&mut kernel.pf()), [Ok(()), denied(), denied()]);
    assert_eq!(kernel.holds("web").unwrap(), ["192.0.2.1"]);
}

/// Its addresses can be read; and it is no other table's trouble.
#[test]
fn a_constant_table_is_named_as_that() {
    let kernel = FakePf::new();
    kernel.kernel().tables.put("web", Table::constant(&["192.0.2.1"]));
    let error = other("the table is const: take that word out of pf.conf and load it");
    assert!(!error.concerns_all_tables());
    assert_eq!(all_three(&mut kernel.pf()), [Ok(()), Err(error.clone()), Err(error)]);
}

/// Nothing of the batch is in then, and what should have left for it is still there.
#[test]
fn a_full_firewall_names_its_limit_and_keeps_what_it_has() {
    let kernel = FakePf::new();
    kernel.table("web", &["192.0.2.1"]);
    kernel.table("mail", &["192.0.2.2", "192.0.2.3"]);
    kernel.kernel().entries_max = 4;
    let mut pf = kernel.pf();
    let table = Managed { name: "web", members: &[] };
    let (add, remove) = (prefixes(&["10.0.0.1", "10.0.0.2"]), prefixes(&["192.0.2.1"]));
    let full = other(
        "pf holds 4 addresses at most in all its tables: raise 'set limit table-entries' in pf.conf and load it",
    );
    assert_eq!(pf.apply(&[Change { table, add: &add, remove: &remove }]), [Err(full)]);
    assert_eq!(kernel.holds("web").unwrap(), ["192.0.2.1"]);
    pf.add("web", &add[..1]).unwrap();
    // Where it does not tell its limit the advice is the same.
    kernel.kernel().refuse.extend([Some(Errno::ENOMEM), Some(Errno::EPERM)]);
    let Err(TableError::Other(said)) = pf.add("web", &add) else { panic!("there is no room") };
    assert!(said.contains("set limit table-entries"), "{said}");
}

/// The kernel has another structure, or another set of calls.
#[test]
fn another_kernel_than_those_that_are_known_is_absent() {
    let kernel = kernel();
    kernel.kernel().address_size = 24;
    for result in all_three(&mut kernel.pf()) {
        let Err(TableError::Absent(said)) = result else { panic!("{result:?}") };
        assert!(said.contains("'dataplane = pfctl'"), "{said}");
    }
}

/// It is opened anew when it is back.
#[test]
fn a_device_that_goes_may_come_back() {
    let kernel = kernel();
    let mut pf = kernel.pf();
    pf.list("web").unwrap();
    kernel.kernel().refuse.push_back(Some(Errno::ENXIO));
    let gone = TableError::Absent("/dev/pf has gone (was pf unloaded?)".to_owned());
    assert_eq!(pf.add("web", &prefixes(&["10.0.0.1"])), Err(gone));
    pf.add("web", &prefixes(&["10.0.0.1"])).unwrap();
    assert_eq!(kernel.kernel().opened, 2);
}

#[test]
fn what_is_refused_for_no_known_reason_is_told_with_its_own() {
    let kernel = kernel();
    let mut pf = kernel.pf();
    for (errno, doing) in [
        (Errno::EBUSY, "to show the table"),
        (Errno::EIO, "to show the table"),
        (Errno::ENOMEM, "to show the table"),
    ] {
        kernel.kernel().refuse.push_back(Some(errno));
        assert_eq!(pf.list("web"), Err(other(&format!("pf refuses {doing}: {}", errno.desc()))));
    }
    kernel.kernel().refuse.push_back(Some(Errno::EFAULT));
    let result = pf.remove("web", &prefixes(&["192.0.2.1"]));
    assert_eq!(result, Err(other("pf refuses to remove from the table: Bad address")));
    kernel.kernel().refuse.push_back(Some(Errno::EINVAL));
    let result = pf.add("web", &prefixes(&["192.0.2.1"]));
    assert!(matches!(result, Err(TableError::Syntax(_))), "{result:?}");
}

/// A later batch that fails leaves the earlier ones in, and removes nothing.
#[test]
fn a_change_may_be_made_in_part() {
    let kernel = kernel();
    kernel.kernel().request_max = 2;
    kernel.kernel().refuse.extend([None, Some(Errno::EBUSY)]);
    let table = Managed { name: "web", members: &[] };
    let (add, remove) = (prefixes(&["10.0.0.1", "10.0.0.2", "10.0.0.3"]), prefixes(&["192.0.2.1"]));
    let results = kernel.pf().apply(&[Change { table, add: &add, remove: &remove }]);
    assert_eq!(results, [Err(other("pf refuses to add to the table: Device or resource busy"))]);
    assert_eq!(kernel.holds("web").unwrap(), ["10.0.0.1", "10.0.0.2", "192.0.2.1"]);
}

/// What is reported as done is done.
#[test]
fn answers_that_contradict_themselves_are_errors() {
    let kernel = kernel();
    let mut pf = kernel.pf();
    kernel.kernel().garble = Some(|io, _| {
        io.nadd += 1;
        io.ndel -= 1;
    });
    let result = pf.add("web", &prefixes(&["10.0.0.1"]));
    assert_eq!(result, Err(other("pf says that it changed 2 addresses, and names 1")));
    let result = pf.remove("web", &prefixes(&["10.0.0.9"]));
    assert_eq!(result, Err(other("pf says that it changed -1 addresses, and names 0")));
    kernel.kernel().garble = Some(|_, addresses| addresses[0].fback = 7);
    let result = pf.add("web", &prefixes(&["10.0.0.1"]));
    assert_eq!(result, Err(other("pf answers of an address by 7, which means nothing")));
    kernel.kernel().garble = Some(|io, _| io.size = -1);
    assert_eq!(pf.list("web"), Err(other("pf tells of -1 addresses in the table")));
}

/// Entries that no file of ours can name are passed over.
#[test]
fn what_is_no_address_is_not_shown() {
    let kernel = FakePf::new();
    kernel.table("web", &["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]);
    kernel.kernel().garble = Some(|_, addresses| {
        addresses[0].af = 0;
        addresses[1].net = 24;
        addresses[2].net = 77;
    });
    assert_eq!(kernel.pf().list("web"), Ok(prefixes(&["10.0.0.4"])));
}

/// Nothing can be killed with a high securelevel; tables can be changed.
#[test]
fn a_secured_machine_kills_nothing() {
    let kernel = kernel();
    kernel.kernel().secure = true;
    kernel.kernel().states.push(State::leaving(1, "192.0.2.1", "192.0.2.1", "10.0.0.1"));
    let mut pf = kernel.pf();
    assert_eq!(all_three(&mut pf), [Ok(()), Ok(()), Ok(())]);
    for what in [Kill::SourceNodes, Kill::States] {
        let said = "pf lets nobody kill states or source nodes while kern.securelevel is 3".to_owned();
        assert_eq!(pf.kill(&[prefix("10.0.0.1")], what), Err(TableError::NotPermitted(said)));
    }
    assert_eq!(kernel.kernel().states.len(), 1);
}

#[test]
fn a_kernel_that_has_none_of_the_calls_that_kill_is_told_of() {
    let kernel = kernel();
    kernel.kernel().era = Era::Later;
    let result = kernel.pf().kill(&[prefix("10.0.0.1")], Kill::States);
    let Err(TableError::Absent(said)) = &result else { panic!("{result:?}") };
    assert!(said.contains("'dataplane = pfctl'"), "{said}");
}

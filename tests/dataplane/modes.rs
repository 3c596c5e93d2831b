//! `dataplane = pfctl` while pfctl does anything else than it should.

use std::time::Duration;

use hfm::dataplane::{Pfctl, TableError};

use crate::place::{PATIENCE, exists, now, patiently};
use crate::stub::{Simply as _, Stub, prefixes};

/// Reads, adds and removes; what each says.
fn all_three(pfctl: &mut Pfctl) -> [Result<(), TableError>; 3] {
    let some = prefixes(&["10.0.0.1", "10.0.0.2"]);
    [pfctl.list("web").map(drop), pfctl.add("web", &some), pfctl.remove("web", &prefixes(&["192.0.2.1"]))]
}

fn in_mode(mode: &str) -> (Stub, [Result<(), TableError>; 3]) {
    let stub = Stub::new(&format!("mode-{}", mode.replace(' ', "-")));
    stub.table("web", &["192.0.2.1"]);
    stub.mode(mode);
    let results = all_three(&mut stub.pfctl());
    (stub, results)
}

#[test]
fn without_pf_or_the_program_it_is_absent() {
    let (stub, results) = in_mode("absent");
    for result in results {
        let absent = "pfctl: /dev/pf: No such file or directory".to_owned();
        assert_eq!(result, Err(TableError::Absent(absent)));
    }
    assert_eq!(stub.holds("web").unwrap(), ["192.0.2.1"]);
    for result in all_three(&mut Pfctl::new("/nowhere/pfctl", now, PATIENCE)) {
        assert_eq!(result, Err(TableError::Absent("/nowhere/pfctl: no such program".to_owned())));
    }
}

#[test]
fn without_rights_it_is_not_permitted() {
    for result in in_mode("denied").1 {
        let denied = "pfctl: /dev/pf: Permission denied".to_owned();
        assert_eq!(result, Err(TableError::NotPermitted(denied)));
    }
    for result in all_three(&mut Pfctl::new("/", now, PATIENCE)) {
        assert!(matches!(result, Err(TableError::NotPermitted(_))), "{result:?}");
    }
}

#[test]
fn a_failure_that_is_not_known_is_told_in_its_own_words() {
    let said = TableError::Other("pfctl: Cannot allocate memory.".to_owned());
    for result in in_mode("fail").1 {
        assert_eq!(result, Err(said.clone()));
    }
    let (stub, [read, add, remove]) = in_mode("fail only add");
    assert_eq!([read, add, remove], [Ok(()), Err(said), Ok(())]);
    assert_eq!(stub.holds("web"), Some(vec![]));
}

#[test]
fn half_a_change_is_an_error() {
    let (stub, [read, add, _]) = in_mode("partial only add");
    assert_eq!(read, Ok(()));
    assert!(matches!(add, Err(TableError::Other(_))), "{add:?}");
    // What did happen is for the next read to find.
    assert_eq!(stub.pfctl().list("web"), Ok(prefixes(&["10.0.0.1"])));
}

#[test]
fn another_number_of_addresses_is_an_error() {
    let (_, [read, add, remove]) = in_mode("miscount");
    let given = |given, told| {
        Err(TableError::Other(format!("pfctl was given {given} addresses and tells of {told}")))
    };
    assert_eq!([read, add, remove], [Ok(()), given(2, 1), given(1, 0)]);
}

#[test]
fn nonsense_is_no_table() {
    let (stub, [read, add, remove]) = in_mode("garbage");
    let Err(TableError::Other(said)) = &read else { panic!("{read:?}") };
    assert!(said.starts_with("pfctl showed no address: \\u{1}"), "{said}");
    assert_eq!(add, read);
    // Nothing is read there, and an exit status of 0 is all that a quiet pfctl gives.
    assert_eq!(remove, Ok(()));
    assert_eq!(stub.holds("web").unwrap(), ["192.0.2.1"]);
}

/// Only the next read tells; nothing here may fail or go on for ever.
#[test]
fn a_lie_is_found_by_reading() {
    let (stub, results) = in_mode("lie");
    assert_eq!(results, [Ok(()), Ok(()), Ok(())]);
    assert_eq!(stub.pfctl().list("web"), Ok(prefixes(&["192.0.2.1"])));
    // It is no way around the look before an addition.
    assert_eq!(stub.pfctl().add("mail", &prefixes(&["10.0.0.1"])), Err(TableError::NoTable));
}

#[test]
fn slow_is_not_wrong() {
    let (stub, results) = in_mode("slow 0.2");
    assert_eq!(results, [Ok(()), Ok(()), Ok(())]);
    assert_eq!(stub.holds("web").unwrap(), ["10.0.0.1", "10.0.0.2"]);
}

#[test]
fn one_that_hangs_is_killed_in_time_with_all_it_started() {
    let stub = Stub::new("hang");
    stub.table("web", &["192.0.2.1"]);
    stub.mode("hang");
    let mut pfctl = stub.pfctl_within(Duration::from_millis(1000));
    let before = now();
    for result in all_three(&mut pfctl) {
        assert_eq!(result, Err(TableError::Timeout(1000)));
    }
    let took = now() - before;
    assert!(took >= Duration::from_millis(3000) && took < Duration::from_secs(20), "{took:?}");
    let calls = stub.calls();
    assert!(!calls.is_empty());
    assert!(patiently(|| !calls.iter().any(|call| exists(&call.pid))), "{calls:?}");
    assert!(patiently(|| sleepers_of(&stub) == 0), "what it left to its child runs still");
    // It is as good as before.
    stub.mode("ok");
    assert_eq!(pfctl.list("web"), Ok(prefixes(&["192.0.2.1"])));
}

/// Many addresses for one that does not read them: the pipe is full.
#[test]
fn a_full_pipe_holds_nobody() {
    let stub = Stub::new("full-pipe");
    stub.table("web", &[]);
    stub.mode("hang only delete");
    let many: Vec<_> = (0..20_000).map(|n| format!("10.{}.{}.1", n / 256, n % 256)).collect();
    let many: Vec<_> = many.iter().map(|text| crate::stub::prefix(text)).collect();
    let mut pfctl = stub.pfctl_within(Duration::from_millis(300));
    assert_eq!(pfctl.remove("web", &many), Err(TableError::Timeout(300)));
}

/// Processes in this test's directory that only sleep.
fn sleepers_of(stub: &Stub) -> usize {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let in_group = |pid: &str| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let group = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(2).map(str::to_owned));
        group.is_some_and(|group| stub.calls().iter().any(|call| call.pid == group))
    };
    processes.filter(|process| process.file_name().to_str().is_some_and(in_group)).count()
}

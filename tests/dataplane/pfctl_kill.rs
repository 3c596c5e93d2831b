//! What `dataplane = pfctl` has pf forget.

use std::fs;

use hfm::dataplane::{DataPlane, Kill, Killed, TableError};

use crate::stub::{Stub, prefix, prefixes};

/// Two backends of each family, with clients that are bound to them and connections as they are on the wire.
fn gateway(test: &str) -> Stub {
    let stub = Stub::new(test);
    let nodes = "198.51.100.1 10.0.0.1\n198.51.100.2 10.0.0.2\n2001:db8:c::1 2001:db8:b::1\n";
    let states = "198.51.100.1 203.0.113.80 rdr in to 10.0.0.1\n198.51.100.1 10.0.0.1 out\n\
                  198.51.100.2 10.0.0.2 out\n2001:db8:c::1 2001:db8:b::1 out\n10.0.0.1 192.0.2.53 out\n";
    fs::write(stub.place.path.join("pf/.nodes"), nodes).expect("source nodes");
    fs::write(stub.place.path.join("pf/.states"), states).expect("states");
    stub
}

fn lines(stub: &Stub, of: &str) -> Vec<String> {
    stub.place.read(&format!("pf/.{of}")).lines().map(str::to_owned).collect()
}

fn calls(stub: &Stub) -> Vec<String> {
    stub.calls().into_iter().map(|call| call.arguments + &call.input).collect()
}

#[test]
fn source_nodes_go_and_connections_stay() {
    let stub = gateway("kill-nodes");
    let killed = stub.pfctl().kill(&[prefix("10.0.0.1")], Kill::SourceNodes);
    assert_eq!(killed, Ok(Killed { source_nodes: 1, states: 0 }));
    assert_eq!(lines(&stub, "nodes"), ["198.51.100.2 10.0.0.2", "2001:db8:c::1 2001:db8:b::1"]);
    assert_eq!(lines(&stub, "states").len(), 5);
    assert_eq!(calls(&stub), ["-K 0.0.0.0/0 -K 10.0.0.1"]);
}

/// That on the way in has the virtual address on the wire, and pfctl cannot find it.
#[test]
fn connections_on_the_way_out_go_too() {
    let stub = gateway("kill-states");
    let killed = stub.pfctl().kill(&prefixes(&["10.0.0.1", "2001:db8:b::1"]), Kill::States);
    assert_eq!(killed, Ok(Killed { source_nodes: 2, states: 2 }));
    assert_eq!(lines(&stub, "nodes"), ["198.51.100.2 10.0.0.2"]);
    let left = [
        "198.51.100.1 203.0.113.80 rdr in to 10.0.0.1",
        "198.51.100.2 10.0.0.2 out",
        "10.0.0.1 192.0.2.53 out",
    ];
    assert_eq!(lines(&stub, "states"), left);
    let expected = [
        "-K 0.0.0.0/0 -K 10.0.0.1",
        "-K ::/0 -K 2001:db8:b::1",
        "-k 0.0.0.0/0 -k 10.0.0.1",
        "-k ::/0 -k 2001:db8:b::1",
    ];
    assert_eq!(calls(&stub), expected, "source nodes first: no new connection is bound to one");
}

#[test]
fn a_network_is_all_that_is_in_it() {
    let stub = gateway("kill-network");
    let killed = stub.pfctl().kill(&[prefix("10.0.0.0/30")], Kill::States);
    assert_eq!(killed, Ok(Killed { source_nodes: 2, states: 2 }));
    assert_eq!(stub.pfctl().kill(&[], Kill::States), Ok(Killed::default()));
}

#[test]
fn what_fails_is_an_error() {
    let stub = gateway("kill-fails");
    stub.mode("fail only -k");
    let result = stub.pfctl().kill(&[prefix("10.0.0.1")], Kill::States);
    assert_eq!(result, Err(TableError::Other("pfctl: Cannot allocate memory.".to_owned())));
    assert_eq!(lines(&stub, "nodes").len(), 2, "what was done before is done");
    stub.mode("denied");
    let result = stub.pfctl().kill(&[prefix("10.0.0.1")], Kill::SourceNodes);
    let said = "pfctl: /dev/pf: Permission denied".to_owned();
    assert_eq!(result, Err(TableError::NotPermitted(said)));
    // One that says nothing of a count has an exit status all the same.
    stub.mode("garbage");
    let killed = stub.pfctl().kill(&[prefix("10.0.0.1")], Kill::States);
    assert_eq!(killed, Ok(Killed::default()));
}

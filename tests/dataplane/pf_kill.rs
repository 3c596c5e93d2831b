//! What pf forgets of a backend, on each kind of kernel.

use hfm::dataplane::{DataPlane, Kill, Killed, TableError};
use hfm::sys::pf::Errno;

use crate::fake_pf::{Era, FakePf, Kernel, Meanwhile, SourceNode, State};
use crate::stub::{prefix, prefixes};

const ERAS: [Era; 3] = [Era::Thirteen, Era::Fourteen, Era::Fifteen];

/// Two backends of each family with clients, each with connections that `rdr` sent there, both states of them;
/// and what has nothing to do with the first of them.
fn gateway(era: Era) -> FakePf {
    let pf = FakePf::new();
    let mut kernel = pf.kernel();
    kernel.era = era;
    kernel.source_nodes = vec![
        SourceNode::new("198.51.100.1", "10.0.0.1"),
        SourceNode::new("198.51.100.2", "10.0.0.2"),
        SourceNode::new("198.51.100.3", "10.0.0.1"),
        SourceNode::new("2001:db8:c::1", "2001:db8:b::1"),
        SourceNode::new("2001:db8:c::2", "2001:db8:b::2"),
        // Bits that a look at four bytes alone takes for the first backend's.
        SourceNode::new("2001:db8:c::3", "a00:1::1"),
    ];
    kernel.states = vec![
        State::redirected(101, "198.51.100.1", "203.0.113.80", "10.0.0.1"),
        State::leaving(102, "198.51.100.1", "198.51.100.1", "10.0.0.1"),
        State::redirected(103, "198.51.100.3", "203.0.113.80", "10.0.0.1"),
        // The gateway shows its own address to the backend.
        State::leaving(104, "198.51.100.3", "10.0.0.254", "10.0.0.1"),
        State::redirected(105, "198.51.100.2", "203.0.113.80", "10.0.0.2"),
        State::leaving(106, "198.51.100.2", "198.51.100.2", "10.0.0.2"),
        State::redirected(107, "2001:db8:c::1", "2001:db8:f::80", "2001:db8:b::1"),
        State::leaving(108, "2001:db8:c::1", "2001:db8:c::1", "2001:db8:b::1"),
        State::redirected(109, "2001:db8:c::2", "2001:db8:f::80", "2001:db8:b::2"),
        // From the backend to elsewhere.
        State::leaving(110, "10.0.0.1", "203.0.113.80", "192.0.2.53"),
        State::redirected(111, "2001:db8:c::3", "2001:db8:f::80", "a00:1::1"),
    ];
    drop(kernel);
    pf
}

fn left(pf: &FakePf) -> (Vec<String>, Vec<u64>) {
    let kernel = pf.kernel();
    let nodes = kernel.source_nodes.iter().map(|node| node.client.to_string()).collect();
    (nodes, kernel.states.iter().map(|state| state.id).collect())
}

#[test]
fn source_nodes_go_and_connections_stay() {
    for era in ERAS.into_iter().chain([Era::Later]) {
        let pf = gateway(era);
        let killed = pf.pf().kill(&[prefix("10.0.0.1")], Kill::SourceNodes);
        assert_eq!(killed, Ok(Killed { source_nodes: 2, states: 0 }), "{era:?}");
        let nodes = ["198.51.100.2", "2001:db8:c::1", "2001:db8:c::2", "2001:db8:c::3"];
        let (left, states) = left(&pf);
        assert_eq!((left.as_slice(), states.len()), (nodes.map(str::to_owned).as_slice(), 11), "{era:?}");
        assert_eq!(pf.sizes(), [("source nodes", 0)], "{era:?}");
    }
}

#[test]
fn connections_go_on_both_sides_of_the_gateway() {
    for era in ERAS {
        let pf = gateway(era);
        let killed = pf.pf().kill(&[prefix("10.0.0.1")], Kill::States);
        assert_eq!(killed, Ok(Killed { source_nodes: 2, states: 4 }), "{era:?}");
        assert_eq!(left(&pf).1, [105, 106, 107, 108, 109, 110, 111], "{era:?}");
        assert_eq!(pf.calls()[0].what, "source nodes", "before the states: {era:?}");
    }
}

#[test]
fn several_backends_of_both_families_go_together() {
    for era in ERAS {
        let pf = gateway(era);
        let killed = pf.pf().kill(&prefixes(&["10.0.0.1", "2001:db8:b::1", "10.0.0.9"]), Kill::States);
        assert_eq!(killed, Ok(Killed { source_nodes: 3, states: 6 }), "{era:?}");
        let (nodes, states) = left(&pf);
        assert_eq!(nodes, ["198.51.100.2", "2001:db8:c::2", "2001:db8:c::3"], "{era:?}");
        assert_eq!(states, [105, 106, 109, 110, 111], "{era:?}");
    }
}

#[test]
fn a_network_is_all_that_is_in_it() {
    for era in ERAS {
        let pf = gateway(era);
        let killed = pf.pf().kill(&prefixes(&["10.0.0.0/30", "2001:db8:b::/64"]), Kill::States);
        assert_eq!(killed, Ok(Killed { source_nodes: 5, states: 9 }), "{era:?}");
        assert_eq!(left(&pf), (vec!["2001:db8:c::3".to_owned()], vec![110, 111]), "{era:?}");
    }
}

#[test]
fn nobody_to_forget_is_no_harm() {
    for era in ERAS {
        let pf = gateway(era);
        let mut plane = pf.pf();
        assert_eq!(plane.kill(&prefixes(&["192.0.2.1", "2001:db8::9"]), Kill::States), Ok(Killed::default()));
        assert_eq!(plane.kill(&[], Kill::SourceNodes), Ok(Killed::default()));
        pf.calls();
        assert_eq!(plane.kill(&[], Kill::States), Ok(Killed::default()), "{era:?}");
        assert_eq!(left(&pf).1.len(), 11, "{era:?}");
    }
}

/// 13 and 14 tell of all states once, however many addresses there are; 15 looks by itself.
#[test]
fn the_kind_of_kernel_is_asked_once() {
    let calls = |pf: &FakePf| pf.calls().into_iter().map(|call| call.what).collect::<Vec<_>>();
    for era in [Era::Thirteen, Era::Fourteen] {
        let pf = gateway(era);
        let mut plane = pf.pf();
        plane.kill(&[prefix("192.0.2.1")], Kill::States).unwrap();
        assert_eq!(calls(&pf), ["source nodes", "state", "states", "get states", "get states"], "{era:?}");
        plane.kill(&prefixes(&["192.0.2.1", "10.0.0.2"]), Kill::States).unwrap();
        // The state on the way out goes by its address, that on the way in by its number.
        let expected =
            ["source nodes", "source nodes", "states", "states", "get states", "get states", "state"];
        assert_eq!(calls(&pf), expected, "{era:?}");
    }
    let pf = gateway(Era::Fifteen);
    let mut plane = pf.pf();
    plane.kill(&[prefix("10.0.0.1")], Kill::States).unwrap();
    assert_eq!(calls(&pf), ["source nodes", "state", "list"]);
    plane.kill(&prefixes(&["10.0.0.2", "10.0.0.3"]), Kill::States).unwrap();
    assert_eq!(calls(&pf), ["source nodes", "source nodes", "list", "list"]);
}

/// A question that was refused is asked again.
#[test]
fn a_refusal_is_no_answer_about_the_kernel() {
    for era in ERAS {
        let pf = gateway(era);
        let mut plane = pf.pf();
        pf.kernel().refuse.extend([None, Some(Errno::EBUSY)]);
        let refused = TableError::Other("pf refuses to kill states: Device or resource busy".to_owned());
        assert_eq!(plane.kill(&[prefix("10.0.0.1")], Kill::States), Err(refused), "{era:?}");
        let killed = plane.kill(&[prefix("10.0.0.1")], Kill::States).unwrap();
        assert_eq!((killed.source_nodes, killed.states), (0, 4), "{era:?}");
    }
}

#[test]
fn each_step_that_is_refused_is_an_error() {
    for (era, steps) in [(Era::Fourteen, 7), (Era::Fifteen, 3)] {
        for step in 0..steps {
            let pf = gateway(era);
            let refuse = (0..step).map(|_| None).chain([Some(Errno::EIO)]);
            pf.kernel().refuse.extend(refuse);
            let result = pf.pf().kill(&[prefix("10.0.0.1")], Kill::States);
            let Err(TableError::Other(said)) = &result else { panic!("{era:?}, {step}: {result:?}") };
            assert!(said.ends_with(": I/O error"), "{said}");
        }
    }
}

#[test]
fn an_answer_that_is_no_list_is_an_error() {
    let pf = gateway(Era::Fifteen);
    for answer in [vec![], vec![0x6c; 40], b"killed".to_vec()] {
        pf.kernel().answer = Some(answer);
        let result = pf.pf().kill(&[prefix("10.0.0.1")], Kill::States);
        assert!(matches!(result, Err(TableError::Other(_))), "{result:?}");
    }
}

/// So many connections begin between the question how many there are and the reading of them that the room for
/// them does not suffice.
#[test]
fn states_that_come_while_they_are_read_are_found() {
    let pf = gateway(Era::Fourteen);
    let burst = |kernel: &mut Kernel| {
        let new =
            (0..10_000).map(|n| State::redirected(1000 + n, "198.51.100.9", "203.0.113.80", "10.0.0.2"));
        kernel.states.extend(new);
        kernel.states.push(State::redirected(999, "198.51.100.9", "203.0.113.80", "10.0.0.1"));
    };
    let nothing = || Box::new(|_: &mut Kernel| ()) as Meanwhile;
    // Source nodes, the question, the kill by address, how many there are; and then it begins.
    let meanwhile = [nothing(), nothing(), nothing(), nothing(), Box::new(burst)];
    pf.kernel().meanwhile.extend(meanwhile);
    let killed = pf.pf().kill(&[prefix("10.0.0.1")], Kill::States).unwrap();
    assert_eq!(killed.states, 5);
    assert_eq!(pf.kernel().states.len(), 10_007);
    let reads = pf.calls().iter().filter(|call| call.what == "get states").count();
    assert!((3..=5).contains(&reads), "{reads}");
}

/// It ended by itself between the reading and the kill.
#[test]
fn a_state_that_has_gone_is_not_counted() {
    let pf = gateway(Era::Fourteen);
    let nothing = || Box::new(|_: &mut Kernel| ()) as Meanwhile;
    let end = |kernel: &mut Kernel| kernel.states.retain(|state| state.id != 101);
    pf.kernel().meanwhile.extend([nothing(), nothing(), nothing(), nothing(), nothing(), Box::new(end)]);
    let killed = pf.pf().kill(&[prefix("10.0.0.1")], Kill::States).unwrap();
    assert_eq!(killed.states, 3);
    assert_eq!(left(&pf).1, [105, 106, 107, 108, 109, 110, 111]);
}

/// Two machines that share their states (pfsync) may give two of them one number.
#[test]
fn a_number_counts_with_the_machine_that_gave_it() {
    let pf = gateway(Era::Fourteen);
    let twin = State { creator: 8, ..State::redirected(101, "198.51.100.7", "203.0.113.80", "10.0.0.2") };
    pf.kernel().states.push(twin.clone());
    pf.pf().kill(&[prefix("10.0.0.1")], Kill::States).unwrap();
    assert!(pf.kernel().states.contains(&twin));
}

//! Circles in a directed graph, without recursion: a chain may be as long as the file has rules.

use std::collections::HashMap;
use std::collections::VecDeque;

const UNSEEN: usize = usize::MAX;

/// The strongly connected component of every node (Tarjan, SIAM J. Comput. 1972).
pub(super) fn components<I: Iterator<Item = usize>>(nodes: usize, next: impl Fn(usize) -> I) -> Vec<usize> {
    let mut component = vec![UNSEEN; nodes];
    let mut index = vec![UNSEEN; nodes];
    let mut low = vec![UNSEEN; nodes];
    let mut open = Vec::new();
    let mut count = 0;
    let mut found = 0;
    for start in 0..nodes {
        if index[start] != UNSEEN {
            continue;
        }
        let mut path = Vec::new();
        (index[start], low[start]) = (count, count);
        count += 1;
        open.push(start);
        path.push((start, next(start)));
        while let Some((at, edges)) = path.last_mut() {
            let at = *at;
            if let Some(to) = edges.next() {
                if index[to] == UNSEEN {
                    (index[to], low[to]) = (count, count);
                    count += 1;
                    open.push(to);
                    path.push((to, next(to)));
                } else if component[to] == UNSEEN {
                    low[at] = low[at].min(index[to]);
                }
                continue;
            }
            path.pop();
            if let Some((up, _)) = path.last() {
                low[*up] = low[*up].min(low[at]);
            }
            if low[at] == index[at] {
                while let Some(member) = open.pop() {
                    component[member] = found;
                    if member == at {
                        break;
                    }
                }
                found += 1;
            }
        }
    }
    component
}

/// A shortest way from a node back to itself, as the nodes on it; the node alone if there is none.
pub(super) fn shortest_circle<I: Iterator<Item = usize>>(
    start: usize,
    next: impl Fn(usize) -> I,
) -> Vec<usize> {
    let mut reached_from = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for to in next(at) {
            if to == start {
                let mut circle = vec![at];
                let mut back = at;
                while back != start {
                    back = reached_from[&back];
                    circle.push(back);
                }
                circle.reverse();
                return circle;
            }
            if let std::collections::hash_map::Entry::Vacant(slot) = reached_from.entry(to) {
                slot.insert(at);
                queue.push_back(to);
            }
        }
    }
    vec![start]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(edges: &[&[usize]]) -> Vec<usize> {
        components(edges.len(), |at| edges[at].iter().copied())
    }

    #[test]
    fn nodes_that_reach_each_other_share_a_component() {
        let found = of(&[&[1], &[2], &[0, 3], &[4], &[3], &[]]);
        assert!(found[0] == found[1] && found[1] == found[2]);
        assert!(found[3] == found[4] && found[3] != found[0]);
        assert!(found[5] != found[0] && found[5] != found[3]);
    }

    #[test]
    fn a_chain_of_a_hundred_thousand_needs_no_stack() {
        let found = components(100_000, |at| (at + 1 < 100_000).then_some(at + 1).into_iter());
        assert_eq!(found.iter().collect::<std::collections::HashSet<_>>().len(), 100_000);
        let circle = components(100_000, |at| std::iter::once((at + 1) % 100_000));
        assert!(circle.iter().all(|component| *component == circle[0]));
    }

    #[test]
    fn the_shortest_circle_is_named_from_its_start() {
        let edges: &[&[usize]] = &[&[1], &[2, 3], &[0], &[0], &[]];
        assert_eq!(shortest_circle(0, |at| edges[at].iter().copied()), [0, 1, 2]);
        assert_eq!(shortest_circle(4, |at| edges[at].iter().copied()), [4]);
    }
}

//! Rules that were made one by one, gathered.

use super::{Passage, Probe, Rule, Service, Test, Together};

/// Puts the texts of these rules into one piece, and their probes into another.
///
/// Pieces of each rule's own would not only take an allocation each: they are made between many times as much that is
/// soon gone, and would keep the pages around them from being given back.
pub fn gather(rules: &mut [Rule]) {
    let probes = rules.iter().filter_map(probe_of);
    let mut gathered = Vec::with_capacity(probes.clone().count());
    gathered.extend(probes.map(|probe| Probe::clone(probe)));
    let mut texts = Vec::with_capacity(rules.len() + 2 * gathered.len());
    texts.extend(rules.iter_mut().map(|rule| &mut rule.name));
    for Probe { url, service, .. } in &mut gathered {
        if let Service::Http(page, _) = service
            && !page.is_in(url)
        {
            texts.push(&mut page.text);
        }
        texts.push(url);
    }
    Passage::gather(texts);
    for Probe { url, service, .. } in &mut gathered {
        if let Service::Http(page, _) = service {
            page.find_in(url);
        }
    }
    let with_probe = rules.iter_mut().filter(|rule| probe_of(rule).is_some());
    for (rule, probe) in with_probe.zip(Together::all(gathered)) {
        rule.test = Test::Probe(probe);
    }
}

fn probe_of(rule: &Rule) -> Option<&Together<Probe>> {
    match &rule.test {
        Test::Probe(probe) => Some(probe),
        Test::Command { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Http, HttpVersion, Network, Page, Passage, Patterns, Peer, Shared};
    use std::time::Duration;

    fn http() -> Shared<Http> {
        Http {
            method: "GET".into(),
            version: HttpVersion::V11,
            headers: Vec::new(),
            body: None,
            status: vec![200..=299],
            expect_header: Vec::new(),
            reject_header: Vec::new(),
            patterns: Patterns::default(),
            reuse: false,
        }
        .into()
    }

    /// A rule with a URL, and what it asks for.
    fn rule(name: &str, url: &str, host: &str, target: &str) -> Rule {
        let url = Passage::from(url);
        let service = Service::Http(Page::within(&url, host, target), http());
        let peer = Peer::Name(host.into(), 80);
        let timeout = Duration::from_secs(1);
        let probe = Probe { url, peer, network: Network::default().into(), timeout, service, tls: None };
        Rule { name: name.into(), test: Test::Probe(probe.into()), ..Rule::vacant() }
    }

    /// Some whose page is the end of their URL, some whose page is not, and one that runs a program.
    fn rules() -> Vec<Rule> {
        let mut rules = vec![
            rule("web1", "http://h:81/a", "h:81", "/a"),
            Rule { name: "program".into(), ..Rule::vacant() },
            rule("web2", "http://h:80/b", "h", "/b"),
            rule("web3", "http://h", "h", "/"),
            rule("web4", "http+unix:///s:/c", "localhost", "/c"),
            rule("web5", "http://h/", "h", "/"),
        ];
        rules.push(rules[0].clone());
        rules
    }

    #[test]
    fn gathered_rules_say_what_they_said() {
        let (before, mut rules) = (rules(), rules());
        gather(&mut rules);
        assert_eq!(rules, before);
        gather(&mut rules);
        assert_eq!(rules, before, "and once more");
    }

    #[test]
    fn a_page_asks_for_what_it_did() {
        let mut rules = rules();
        gather(&mut rules);
        let pages = rules.iter().filter_map(|rule| match &probe_of(rule)?.service {
            Service::Http(page, _) => Some((page.host(), page.target())),
            Service::Dialogue(_) => None,
        });
        let asked =
            [("h:81", "/a"), ("h", "/b"), ("h", "/"), ("localhost", "/c"), ("h", "/"), ("h:81", "/a")];
        assert_eq!(pages.collect::<Vec<_>>(), asked);
    }

    #[test]
    fn all_texts_are_one_and_none_is_there_twice() {
        let mut rules = rules();
        gather(&mut rules);
        let bytes: usize = rules.iter().map(|rule| rule.name.len()).sum();
        let urls: usize = rules.iter().filter_map(probe_of).map(|probe| probe.url.len()).sum();
        let pages = ["h/b", "h/", "localhost/c"].concat().len();
        assert_eq!(rules[0].name.whole_bytes(), bytes + urls + pages);
        let probes = rules.iter().filter_map(probe_of);
        assert!(probes.map(|probe| probe.url.whole_bytes()).all(|of| of == rules[0].name.whole_bytes()));
    }

    #[test]
    fn there_may_be_nothing_to_gather() {
        gather(&mut []);
        let mut rules = [Rule::vacant()];
        gather(&mut rules);
        assert_eq!(rules, [Rule::vacant()]);
    }
}

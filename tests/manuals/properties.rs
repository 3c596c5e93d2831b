//! Every property stands in hfm.conf(5) once, in the order of the table, with what the table says of it.

use hfm::config::PROTOCOLS;
use hfm::config::properties::{Concerns, PROPERTIES, Property, Scope, Takes};

use crate::page::{Item, Page};

/// What the first paragraph of an item has to say.
fn header(property: &Property) -> String {
    let takes = match property.takes {
        Takes::Words(words) => format!("one of {}", words.join(", ")),
        Takes::Text => "text".to_owned(),
        Takes::Texts => "text or array of texts".to_owned(),
        Takes::RuleNames => "name of a rule or array of names".to_owned(),
        Takes::Interval => "time".to_owned(),
        Takes::Integer { min, max } => format!("whole number from {min} to {max}"),
        Takes::Bytes { min, max } => format!("whole number from {min} to {max}"),
        Takes::Boolean => "yes or no".to_owned(),
        Takes::Written => "text or number".to_owned(),
    };
    let unit = match property.unit {
        "" => String::new(),
        "s" => " Unit: seconds.".to_owned(),
        unit => format!(" Unit: {unit}."),
    };
    let default = if property.default.is_empty() { "none" } else { property.default };
    let scope = match property.scope {
        Scope::Inherited => "inherited",
        Scope::Own => "the rule alone",
        Scope::Root => "root only",
    };
    let concerns = match (property.scope, property.concerns) {
        (Scope::Root, _) => "the whole program".to_owned(),
        (_, Concerns::Every) => "every rule".to_owned(),
        (_, Concerns::Commands) => "programs".to_owned(),
        (_, Concerns::Probes) => "native probes".to_owned(),
        (_, Concerns::ProbesWith(feature)) => {
            let schemes =
                PROTOCOLS.iter().map(|protocol| &protocol.scheme).filter(|scheme| scheme.has(feature));
            schemes.map(|scheme| scheme.name).collect::<Vec<_>>().join(", ")
        }
    };
    format!("Type: {takes}.{unit} Default: {default}. Scope: {scope}. For: {concerns}.")
}

/// The items of properties.
fn items(page: &Page) -> Vec<(String, Item<'_>)> {
    let items = page.items().into_iter().filter(|item| item.section == "PROPERTIES");
    items
        .map(|item| match &item.names("Ic")[..] {
            [name] => (name.clone(), item),
            names => panic!("{names:?}: an item of PROPERTIES is one property"),
        })
        .collect()
}

#[test]
fn every_property_is_documented_once_in_the_order_of_the_table() {
    let page = Page::read("hfm.conf.5");
    let documented: Vec<String> = items(&page).into_iter().map(|(name, _)| name).collect();
    let known: Vec<&str> = PROPERTIES.iter().map(|property| property.name).collect();
    assert_eq!(documented, known);
}

#[test]
fn what_a_property_takes_and_whom_it_reaches_is_what_the_table_says() {
    let page = Page::read("hfm.conf.5");
    for (name, item) in items(&page) {
        let property = hfm::config::properties::find(&name).expect("it is in the table");
        assert_eq!(item.first_paragraph(), header(property), "{name}");
    }
}

#[test]
fn every_property_is_explained() {
    let page = Page::read("hfm.conf.5");
    for (name, item) in items(&page) {
        let explanation = item.lines.iter().skip_while(|line| **line != ".Pp").skip(1);
        let words: usize = explanation
            .take_while(|line| !line.starts_with(".Bd"))
            .map(|line| line.split_whitespace().count())
            .sum();
        assert!(words >= 3, "{name} is explained in {words} words");
    }
}

#[test]
fn every_scheme_is_told_of() {
    let page = Page::read("hfm.conf.5");
    let items = page.items();
    let told: Vec<&str> = items
        .iter()
        .filter(|item| item.subsection == "Tests")
        .filter_map(|item| item.head.strip_prefix("Ic ")?.split_once("://").map(|(scheme, _)| scheme))
        .collect();
    assert_eq!(told, PROTOCOLS.iter().map(|protocol| protocol.scheme.name).collect::<Vec<_>>());
}

#[test]
fn every_property_that_a_page_speaks_of_is_in_the_table() {
    for name in ["hfm.8", "hfm.conf.5", "hfmctl.8"] {
        let page = Page::read(name);
        let calls = page.text().lines().filter_map(|line| line.strip_prefix(".Ic "));
        let spoken: Vec<&str> = calls.filter_map(|call| call.split(' ').find(|word| *word != "(")).collect();
        assert!(!spoken.is_empty(), "{name} speaks of none");
        for property in spoken {
            assert!(hfm::config::properties::find(property).is_some(), "{name} speaks of {property}");
        }
    }
}

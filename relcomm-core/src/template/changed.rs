//! Filters that change a word of a person: kept beside the blank for it, and applied when it is filled.

use std::sync::Arc;

use minijinja::value::{Rest, ValueOrKwargs};
use minijinja::{Environment, Error, State, Value, filters};

use super::form::Blank;

/// The filters that a form can apply later: what they give depends on nothing but the word and their own arguments.
pub(super) const FILTERS: [&str; 17] = [
    "upper",
    "lower",
    "title",
    "capitalize",
    "trim",
    "replace",
    "split",
    "lines",
    "first",
    "last",
    "length",
    "int",
    "float",
    "round",
    "date",
    "time",
    "datetime",
];

/// One filter with its arguments.
#[derive(Clone, Debug)]
pub(super) struct Change {
    filter: Value,
    arguments: Arc<[Value]>,
}

impl Change {
    pub(super) fn apply(&self, state: &mut State<'_, '_>, word: Value) -> Result<Value, Error> {
        let mut arguments = Vec::with_capacity(1 + self.arguments.len());
        arguments.push(word);
        arguments.extend(self.arguments.iter().cloned());
        self.filter.call(state, &arguments)
    }
}

/// Makes the filters keep for later what they would do to a blank. `own` are relcomm's.
pub(super) fn add_filters<const N: usize>(environment: &mut Environment<'_>, own: [(&'static str, Value); N]) {
    let engines = [
        ("upper", Value::from_function(filters::upper)),
        ("lower", Value::from_function(filters::lower)),
        ("title", Value::from_function(filters::title)),
        ("capitalize", Value::from_function(filters::capitalize)),
        ("trim", Value::from_function(filters::trim)),
        ("replace", Value::from_function(filters::replace)),
        ("split", Value::from_function(filters::split)),
        ("lines", Value::from_function(filters::lines)),
        ("first", Value::from_function(filters::first)),
        ("last", Value::from_function(filters::last)),
        ("length", Value::from_function(filters::length)),
        ("int", Value::from_function(filters::int)),
        ("float", Value::from_function(filters::float)),
        ("round", Value::from_function(filters::round)),
    ];
    for (name, filter) in engines.into_iter().chain(own) {
        debug_assert!(FILTERS.contains(&name), "{name}");
        environment.add_filter(name, move |state: &mut State<'_, '_>, arguments: Rest<ValueOrKwargs>| {
            let arguments = arguments.into_values();
            match arguments.split_first().and_then(|(word, rest)| Some((word.downcast_object_ref::<Blank>()?, rest))) {
                Some((blank, rest)) => {
                    let change = Change { filter: filter.clone(), arguments: rest.into() };
                    Ok(Value::from_object(blank.changed(change)))
                }
                None => filter.call(state, &arguments),
            }
        });
    }
}

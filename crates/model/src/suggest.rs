//! The nearest known name to a mistyped one.

/// The candidate that `name` was most likely meant to be, if one is near: a third of its letters off at most. Of
/// several that are equally near it is the first by their letters, in whatever order they come.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let letters = wanted.chars().count();
    let near = letters.div_ceil(3);
    // What differs more in length cannot be near, and most names do.
    let distance = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        (candidate.chars().count().abs_diff(letters) <= near)
            .then(|| strsim::damerau_levenshtein(&wanted, &candidate))
    };
    candidates
        .into_iter()
        .filter_map(|candidate| Some((distance(candidate)?, candidate)))
        .filter(|(distance, _)| *distance <= near)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_its_name_and_nonsense_finds_none() {
        let names = ["cholera", "un-police", "un-peacekeepers"];
        assert_eq!(nearest("cholra", names), Some("cholera"));
        assert_eq!(nearest("UN-Police", names), Some("un-police"));
        assert_eq!(nearest("xyz", names), None);
        assert_eq!(nearest("resolution-3", ["resolution-2", "resolution-1"]), Some("resolution-1"));
    }
}

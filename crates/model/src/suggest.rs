//! The nearest known name to a mistyped one.

/// The candidate that `name` was most likely meant to be, if one is near: a third of its letters off at most.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let near = wanted.chars().count().div_ceil(3);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= near)
        .min_by_key(|(distance, _)| *distance)
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
    }
}

//! "Did you mean …?"

/// The one of `known` most like `wanted`, when one is like it at all.
pub(crate) fn nearest<'k>(wanted: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let wanted = wanted.to_lowercase();
    let likeness = |name: &str| {
        let name = name.to_lowercase();
        // Whoever forgets the folder of a scenario means its last part.
        let leaf = name.rsplit('/').next().unwrap_or_default();
        strsim::jaro_winkler(&name, &wanted).max(strsim::jaro_winkler(leaf, &wanted))
    };
    known
        .into_iter()
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// The help that goes with an unknown name.
pub(crate) fn help<'k>(wanted: &str, known: impl IntoIterator<Item = &'k str>, list: &str) -> String {
    match nearest(wanted, known) {
        Some(name) => format!("did you mean `{name}`? `{list}` names them all"),
        None => format!("`{list}` names them all"),
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_understood_and_nonsense_is_not() {
        let known = ["wp7", "wp7.5", "ios-17", "folder-sync/initial-hierarchy"];
        assert_eq!(nearest("ios17", known), Some("ios-17"));
        assert_eq!(nearest("initial-hierachy", known), Some("folder-sync/initial-hierarchy"));
        assert_eq!(nearest("zzz", known), None);
    }
}

//! Whether a refusal is because of a quota. The API does not document how it says so, so its words are looked at.

/// Words that say how many there may be of something.
const AMOUNTS: [&str; 14] = [
    "limit",
    "limits",
    "limited",
    "maximum",
    "max",
    "many",
    "most",
    "allowance",
    "reached",
    "exceed",
    "exceeds",
    "exceeded",
    "upgrade",
    "upgrading",
];

/// What there may be only so many of, and what says how many.
const SUBJECTS: [&str; 8] =
    ["integrations", "plan", "plans", "subscription", "tier", "billing", "paid", "previews"];

/// Words of other limits: on how often something is asked for, on how long something is, on one field.
const OTHERS: [&str; 38] = [
    "rate",
    "request",
    "requests",
    "second",
    "seconds",
    "minute",
    "minutes",
    "retry",
    "character",
    "characters",
    "length",
    "long",
    "longer",
    "short",
    "size",
    "large",
    "byte",
    "bytes",
    "kb",
    "mb",
    "name",
    "title",
    "summary",
    "description",
    "script",
    "icon",
    "image",
    "images",
    "previewimages",
    "scope",
    "scopes",
    "category",
    "categories",
    "block",
    "blocks",
    "secret",
    "secrets",
    "configuration",
];

/// Whether a message says that there may be no more integrations.
pub(super) fn is_told_of_in(message: &str) -> bool {
    let lower = message.to_lowercase();
    let words: Vec<_> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let has = |any: &[&str]| words.iter().any(|word| any.contains(word));
    if has(&OTHERS) {
        return false;
    }
    let pair = |first: &str, second: &[&str]| {
        words.windows(2).any(|pair| pair[0] == first && second.contains(&pair[1]))
    };
    has(&["quota", "quotas"])
        || has(&SUBJECTS) && has(&AMOUNTS)
        || pair("integration", &["limit", "limits"])
        || pair("payment", &["required"])
}

#[cfg(test)]
mod tests {
    use super::is_told_of_in;

    #[test]
    fn the_many_ways_to_say_that_there_are_enough() {
        for message in [
            "Quota exceeded",
            "The organization's quota of integrations is used up.",
            "You have reached the limit of 20 integrations",
            "Integration limit reached",
            "Too many integrations in this organization",
            "The maximum number of integrations has been reached for your plan.",
            "An organization can have at most 50 integrations",
            "Upgrade your plan to publish more integrations",
            "Your plan is limited to 3 private integrations",
            "This exceeds what your subscription includes",
            "Payment required",
        ] {
            assert!(is_told_of_in(message), "{message}");
        }
    }

    #[test]
    fn other_refusals_are_not_taken_for_it() {
        for message in [
            "",
            "Rate limit exceeded",
            "API rate limit exceeded for your plan, retry in 20 seconds",
            "Too many requests",
            "Quota exceeded for requests per minute",
            "title must be at most 30 characters long",
            "\"summary\" exceeds the maximum length of 2048",
            "The integration's script is too large: 5 MB is the maximum size",
            "Too many scopes: the limit is 20",
            "previewImages: at most 3 are allowed",
            "The integration's configuration exceeds the limit",
            "You are not allowed to publish integrations",
            "You do not have permission to manage the integrations of this organization",
            "The name is already taken by one of the most popular integrations",
            "Planning is not explained: see the planet's plane",
            "Invalid integration name",
            "Integrations must have a target",
            "Conflict with another change, try again",
        ] {
            assert!(!is_told_of_in(message), "{message}");
        }
    }
}

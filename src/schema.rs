//! The schema of integrations in GitBook's API: the types, limits and known names of all fields.
//!
//! The limits and names come from GitBook's `OpenAPI` document (`RequestPublishIntegration`).

mod check;
#[cfg(test)]
pub(crate) mod openapi_comparison;
mod suggestion;

pub(crate) use check::{FindingKind, check};
use suggestion::SuggestionPolicy;

/// A requirement for a value.
#[derive(Debug)]
pub(crate) enum SchemaRule {
    /// Any value.
    Any,
    /// Text with a minimum and a maximum length in characters (Unicode scalar values, as in JSON Schema).
    Text {
        min: usize,
        max: usize,
    },
    /// An absolute URL with a maximum length. All special characters must be escaped.
    Url {
        max: usize,
    },
    Boolean,
    Number,
    /// One of the known names. An unknown name is an error if the list is closed. Otherwise, an unknown name is a warning, because
    /// GitBook adds names without notice.
    OneOf {
        known: &'static [&'static str],
        closed: bool,
        suggest: SuggestionPolicy,
    },
    /// A list with a maximum length. If `unique` is true, no item may occur twice.
    List {
        of: &'static Self,
        max: usize,
        unique: bool,
    },
    /// A mapping with any keys and a maximum number of entries.
    Mapping {
        of: &'static Self,
        max: usize,
    },
    /// A mapping with known fields. An unknown field causes a warning.
    Object(&'static [Field]),
    /// Text, or a value that satisfies the inner rule.
    TextOr(&'static Self),
    /// An object that must satisfy `then` if it contains `key`, and `otherwise` if it does not. The object must not contain both
    /// `key` and `instead_of`.
    IfHas {
        key: &'static str,
        instead_of: &'static str,
        then: &'static Self,
        otherwise: &'static Self,
    },
    /// An object with common fields, and with further fields that depend on the value of `key`. For an unknown value, the first case
    /// applies.
    Tagged {
        key: &'static str,
        common: &'static [Field],
        cases: &'static [(&'static str, &'static [Field])],
    },
}

impl SchemaRule {
    /// Returns the field names of an `Object`, or none for any other rule.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &'static str> {
        let fields: &[Field] = match self {
            Self::Object(fields) => fields,
            _ => &[],
        };
        fields.iter().map(|field| field.name)
    }
}

/// A field of an object.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    pub(crate) rule: SchemaRule,
}

const fn required(name: &'static str, rule: SchemaRule) -> Field {
    Field { name, required: true, rule }
}

const fn optional(name: &'static str, rule: SchemaRule) -> Field {
    Field { name, required: false, rule }
}

/// Returns a rule for text of at most `max` characters, possibly empty.
const fn text_up_to(max: usize) -> SchemaRule {
    SchemaRule::Text { min: 0, max }
}

/// Returns a rule for a list of any length.
const fn list_of(of: &'static SchemaRule) -> SchemaRule {
    SchemaRule::List { of, max: usize::MAX, unique: false }
}

const TEXT: SchemaRule = text_up_to(usize::MAX);
/// The title of an integration.
const TITLE: SchemaRule = SchemaRule::Text { min: 2, max: MAX_TITLE_LENGTH };
/// The title of a block or of a content source.
const BLOCK_OR_SOURCE_TITLE: SchemaRule = SchemaRule::Text { min: 2, max: 40 };
const NON_EMPTY_TEXT: SchemaRule = SchemaRule::Text { min: 1, max: usize::MAX };

/// The maximum number of preview images.
const MAX_PREVIEW_IMAGES: usize = 3;
/// The maximum number of characters in a summary.
pub(crate) const MAX_SUMMARY_LENGTH: usize = 2048;
/// The maximum number of characters in a title.
pub(crate) const MAX_TITLE_LENGTH: usize = 30;
/// The maximum number of characters in a name.
pub(crate) const MAX_NAME_LENGTH: usize = 100;

const SCOPES: SchemaRule = list_of(&SchemaRule::OneOf {
    closed: false,
    suggest: SuggestionPolicy::Scope,
    known: &[
        "space:content:read",
        "space:content:write",
        "space:metadata:read",
        "space:metadata:write",
        "space:git:sync",
        "page:feedback:read",
        "site:metadata:read",
        "site:views:read",
        "site:script:inject",
        "site:script:cookies",
        "site:visitor:auth",
        "site:visitor:claims",
        "site:adaptive:read",
        "site:adaptive:write",
        "conversations:ingest",
        "openapi:read",
        "openapi:write",
    ],
});

const CATEGORIES: SchemaRule = list_of(&SchemaRule::OneOf {
    closed: false,
    suggest: SuggestionPolicy::Any,
    known: &["analytics", "collaboration", "content", "marketing", "visitor-auth", "other"],
});

const VISIBILITY: SchemaRule = SchemaRule::OneOf {
    closed: true,
    known: &["public", "private", "unlisted"],
    suggest: SuggestionPolicy::Except("public"),
};
const TARGET: SchemaRule = SchemaRule::OneOf {
    closed: false,
    known: &["all", "site", "space", "organization"],
    suggest: SuggestionPolicy::Except("all"),
};
const RUNTIME: SchemaRule =
    SchemaRule::OneOf { closed: true, known: &["v1", "v2"], suggest: SuggestionPolicy::Any };

const BLOCKS: SchemaRule = list_of(&SchemaRule::Object(&[
    required("id", TEXT),
    required("title", BLOCK_OR_SOURCE_TITLE),
    optional("description", text_up_to(150)),
    optional("icon", TEXT),
    optional("urlUnfurl", list_of(&TEXT)),
    optional("markdown", SchemaRule::Object(&[required("codeblock", TEXT), required("body", TEXT)])),
]));

const CONTENT_SOURCES: SchemaRule = list_of(&SchemaRule::Object(&[
    required("id", TEXT),
    required("title", BLOCK_OR_SOURCE_TITLE),
    optional("description", text_up_to(150)),
    optional("icon", TEXT),
    required("configuration", SchemaRule::Object(&[required("componentId", TEXT)])),
]));

const EXTERNAL_LINKS: SchemaRule = SchemaRule::List {
    max: 5,
    unique: false,
    of: &SchemaRule::Object(&[required("label", TEXT), required("url", SchemaRule::Url { max: 2048 })]),
};

const PROPERTY_TYPE: SchemaRule = SchemaRule::OneOf {
    closed: false,
    known: &["string", "number", "boolean", "button"],
    suggest: SuggestionPolicy::Any,
};
const PROPERTY_TITLE: SchemaRule = SchemaRule::Text { min: 2, max: 50 };

const PROPERTY: SchemaRule = SchemaRule::Tagged {
    key: "type",
    common: &[
        required("type", PROPERTY_TYPE),
        optional("title", PROPERTY_TITLE),
        optional("description", text_up_to(100)),
    ],
    cases: &[
        (
            "string",
            &[optional("default", TEXT), optional("completion_url", TEXT), optional("enum", list_of(&TEXT))],
        ),
        ("number", &[optional("default", SchemaRule::Number)]),
        ("boolean", &[optional("default", SchemaRule::Boolean)]),
        ("button", &[required("callback_url", TEXT), required("button_text", TEXT)]),
    ],
};

const CONFIGURATION: SchemaRule = SchemaRule::IfHas {
    key: "componentId",
    instead_of: "properties",
    then: &SchemaRule::Object(&[required("componentId", TEXT)]),
    otherwise: &SchemaRule::Object(&[
        required("properties", SchemaRule::Mapping { of: &PROPERTY, max: usize::MAX }),
        optional("required", SchemaRule::List { of: &TEXT, max: usize::MAX, unique: true }),
    ]),
};

const CONFIGURATIONS: SchemaRule = SchemaRule::Object(&[
    optional("account", CONFIGURATION),
    optional("space", CONFIGURATION),
    optional("site", CONFIGURATION),
]);

const SECRETS: SchemaRule = SchemaRule::Mapping { of: &TEXT, max: 20 };
const CONTENT_SECURITY_POLICY: SchemaRule =
    SchemaRule::TextOr(&SchemaRule::Mapping { of: &TEXT, max: usize::MAX });

/// The rule for a `gitbook-manifest.yaml`, after its `envs` entry and the overrides are applied. The values of `script`,
/// `icon` and `previewImages` are paths.
pub(crate) const MANIFEST: SchemaRule = SchemaRule::Object(&[
    required("name", NON_EMPTY_TEXT),
    required("title", TITLE),
    required("organization", NON_EMPTY_TEXT),
    required("script", NON_EMPTY_TEXT),
    required("scopes", SCOPES),
    optional("description", text_up_to(100)),
    optional("summary", text_up_to(MAX_SUMMARY_LENGTH)),
    optional("runtime", RUNTIME),
    optional("icon", TEXT),
    optional(
        "previewImages",
        SchemaRule::List { of: &NON_EMPTY_TEXT, max: MAX_PREVIEW_IMAGES, unique: false },
    ),
    optional("visibility", VISIBILITY),
    optional("target", TARGET),
    optional("categories", CATEGORIES),
    optional("blocks", BLOCKS),
    optional("contentSources", CONTENT_SOURCES),
    optional("externalLinks", EXTERNAL_LINKS),
    optional("configurations", CONFIGURATIONS),
    optional("secrets", SECRETS),
    optional("contentSecurityPolicy", CONTENT_SECURITY_POLICY),
    optional(
        "envs",
        SchemaRule::Mapping {
            of: &SchemaRule::Mapping { of: &SchemaRule::Any, max: usize::MAX },
            max: usize::MAX,
        },
    ),
]);

/// The rule for the body of a publish request. The values of `script`, `icon` and `previewImages` are file contents.
pub(crate) const BODY: SchemaRule = SchemaRule::Object(&[
    required("organization", NON_EMPTY_TEXT),
    required("title", TITLE),
    required("description", text_up_to(100)),
    required("script", TEXT),
    required("scopes", SCOPES),
    optional("runtime", RUNTIME),
    optional("icon", TEXT),
    optional("previewImages", SchemaRule::List { of: &TEXT, max: MAX_PREVIEW_IMAGES, unique: false }),
    optional("summary", text_up_to(MAX_SUMMARY_LENGTH)),
    optional("visibility", VISIBILITY),
    optional("target", TARGET),
    optional("categories", CATEGORIES),
    optional("blocks", BLOCKS),
    optional("contentSources", CONTENT_SOURCES),
    optional("externalLinks", EXTERNAL_LINKS),
    optional("configurations", CONFIGURATIONS),
    optional("secrets", SECRETS),
    optional("contentSecurityPolicy", CONTENT_SECURITY_POLICY),
]);

//! What the API accepts in an integration, as data: types, limits and known names.
//!
//! The numbers and names are those of the vendor's `OpenAPI` document (`RequestPublishIntegration`).

mod check;
#[cfg(test)]
pub(crate) mod document;
mod suggestion;

pub(crate) use check::{Kind, check};
use suggestion::Suggest;

/// What a value must be.
#[derive(Debug)]
pub(crate) enum Rule {
    /// Anything.
    Any,
    /// Text of so many characters (Unicode scalar values, as JSON Schema counts them).
    Text {
        min: usize,
        max: usize,
    },
    /// An absolute URL of at most so many characters, all of which can stand there without being escaped.
    Url {
        max: usize,
    },
    Boolean,
    Number,
    /// One of the names. An unknown one is a warning, since the vendor adds names without notice, unless
    /// the list is closed.
    OneOf {
        known: &'static [&'static str],
        closed: bool,
        suggest: Suggest,
    },
    /// A list of at most so many items, each of them once where it must be unique.
    List {
        of: &'static Self,
        max: usize,
        unique: bool,
    },
    /// A mapping from any key, at most so many, to one kind of value.
    Mapping {
        of: &'static Self,
        max: usize,
    },
    /// A mapping of known fields. An unknown one is a warning.
    Object(&'static [Field]),
    /// Text or else a mapping.
    TextOr(&'static Self),
    /// An object whose fields depend on whether it has this key, which it can't have beside another.
    IfHas {
        key: &'static str,
        instead_of: &'static str,
        then: &'static Self,
        otherwise: &'static Self,
    },
    /// An object that has common fields and others that depend on the text of this key; the first case serves
    /// unknown texts.
    By {
        key: &'static str,
        common: &'static [Field],
        cases: &'static [(&'static str, &'static [Field])],
    },
}

impl Rule {
    /// The names of the fields that an object can have, as far as they do not depend on others.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &'static str> {
        let fields: &[Field] = match self {
            Self::Object(fields) => fields,
            _ => &[],
        };
        fields.iter().map(|field| field.name)
    }
}

/// One field of an object.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    pub(crate) rule: Rule,
}

const fn required(name: &'static str, rule: Rule) -> Field {
    Field { name, required: true, rule }
}

const fn optional(name: &'static str, rule: Rule) -> Field {
    Field { name, required: false, rule }
}

const fn text(max: usize) -> Rule {
    Rule::Text { min: 0, max }
}

const fn list(of: &'static Rule) -> Rule {
    Rule::List { of, max: usize::MAX, unique: false }
}

const TEXT: Rule = text(usize::MAX);
const TITLE: Rule = Rule::Text { min: 2, max: TITLE_MAX };
const LONGER_TITLE: Rule = Rule::Text { min: 2, max: 40 };
const REQUIRED_TEXT: Rule = Rule::Text { min: 1, max: usize::MAX };

/// Largest number of preview images.
const PREVIEW_IMAGES: usize = 3;
/// Largest number of characters of a summary.
pub(crate) const SUMMARY_MAX: usize = 2048;
/// Largest number of characters of a title.
pub(crate) const TITLE_MAX: usize = 30;
/// Largest number of characters of a name.
pub(crate) const NAME_MAX: usize = 100;

const SCOPES: Rule = list(&Rule::OneOf {
    closed: false,
    suggest: Suggest::Scope,
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

const CATEGORIES: Rule = list(&Rule::OneOf {
    closed: false,
    suggest: Suggest::Any,
    known: &["analytics", "collaboration", "content", "marketing", "visitor-auth", "other"],
});

const VISIBILITY: Rule = Rule::OneOf {
    closed: true,
    known: &["public", "private", "unlisted"],
    suggest: Suggest::Except("public"),
};
const TARGET: Rule = Rule::OneOf {
    closed: false,
    known: &["all", "site", "space", "organization"],
    suggest: Suggest::Except("all"),
};
const RUNTIME: Rule = Rule::OneOf { closed: true, known: &["v1", "v2"], suggest: Suggest::Any };

const BLOCKS: Rule = list(&Rule::Object(&[
    required("id", TEXT),
    required("title", LONGER_TITLE),
    optional("description", text(150)),
    optional("icon", TEXT),
    optional("urlUnfurl", list(&TEXT)),
    optional("markdown", Rule::Object(&[required("codeblock", TEXT), required("body", TEXT)])),
]));

const CONTENT_SOURCES: Rule = list(&Rule::Object(&[
    required("id", TEXT),
    required("title", LONGER_TITLE),
    optional("description", text(150)),
    optional("icon", TEXT),
    required("configuration", Rule::Object(&[required("componentId", TEXT)])),
]));

const EXTERNAL_LINKS: Rule = Rule::List {
    max: 5,
    unique: false,
    of: &Rule::Object(&[required("label", TEXT), required("url", Rule::Url { max: 2048 })]),
};

const PROPERTY_TYPE: Rule =
    Rule::OneOf { closed: false, known: &["string", "number", "boolean", "button"], suggest: Suggest::Any };
const PROPERTY_TITLE: Rule = Rule::Text { min: 2, max: 50 };

const PROPERTY: Rule = Rule::By {
    key: "type",
    common: &[
        required("type", PROPERTY_TYPE),
        optional("title", PROPERTY_TITLE),
        optional("description", text(100)),
    ],
    cases: &[
        (
            "string",
            &[optional("default", TEXT), optional("completion_url", TEXT), optional("enum", list(&TEXT))],
        ),
        ("number", &[optional("default", Rule::Number)]),
        ("boolean", &[optional("default", Rule::Boolean)]),
        ("button", &[required("callback_url", TEXT), required("button_text", TEXT)]),
    ],
};

const CONFIGURATION: Rule = Rule::IfHas {
    key: "componentId",
    instead_of: "properties",
    then: &Rule::Object(&[required("componentId", TEXT)]),
    otherwise: &Rule::Object(&[
        required("properties", Rule::Mapping { of: &PROPERTY, max: usize::MAX }),
        optional("required", Rule::List { of: &TEXT, max: usize::MAX, unique: true }),
    ]),
};

const CONFIGURATIONS: Rule = Rule::Object(&[
    optional("account", CONFIGURATION),
    optional("space", CONFIGURATION),
    optional("site", CONFIGURATION),
]);

const SECRETS: Rule = Rule::Mapping { of: &TEXT, max: 20 };
const CONTENT_SECURITY_POLICY: Rule = Rule::TextOr(&Rule::Mapping { of: &TEXT, max: usize::MAX });

/// The names of a manifest's fields.
pub(crate) fn field_names() -> impl Iterator<Item = &'static str> {
    let fields: &[Field] = match &MANIFEST {
        Rule::Object(fields) => fields,
        _ => &[],
    };
    fields.iter().map(|field| field.name)
}

/// A `gitbook-manifest.yaml`, after the `envs` entry and the overrides were applied. Its `script`, `icon` and
/// `previewImages` are paths.
pub(crate) const MANIFEST: Rule = Rule::Object(&[
    required("name", REQUIRED_TEXT),
    required("title", TITLE),
    required("organization", REQUIRED_TEXT),
    required("script", REQUIRED_TEXT),
    required("scopes", SCOPES),
    optional("description", text(100)),
    optional("summary", text(SUMMARY_MAX)),
    optional("runtime", RUNTIME),
    optional("icon", TEXT),
    optional("previewImages", Rule::List { of: &REQUIRED_TEXT, max: PREVIEW_IMAGES, unique: false }),
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
        Rule::Mapping { of: &Rule::Mapping { of: &Rule::Any, max: usize::MAX }, max: usize::MAX },
    ),
]);

/// The body of a publish request. Its `script`, `icon` and `previewImages` are contents.
pub(crate) const BODY: Rule = Rule::Object(&[
    required("organization", REQUIRED_TEXT),
    required("title", TITLE),
    required("description", text(100)),
    required("script", TEXT),
    required("scopes", SCOPES),
    optional("runtime", RUNTIME),
    optional("icon", TEXT),
    optional("previewImages", Rule::List { of: &TEXT, max: PREVIEW_IMAGES, unique: false }),
    optional("summary", text(SUMMARY_MAX)),
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

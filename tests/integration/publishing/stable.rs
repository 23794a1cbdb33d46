//! Tests that equal content gives equal requests. Otherwise, unchanged integrations would be published again.

use super::push;
use crate::support::{RecordedRequests as _, Repository, gitbook, repository};

#[tokio::test]
async fn windows_line_endings_give_the_same_request() {
    let manifest = "name: hello\ntitle: Hello\norganization: acme\nscript: main.ts\nscopes: []\nsummary: |\n  one\n\n  two\n";
    let script =
        "import { a } from './a.json';\nexport default { fetch: () => new Response(`one\n  ${a}`) };\n";
    let body = async |byte_order_mark: &str, line_end: &str| {
        let server = gitbook().await;
        let written = |text: &str| format!("{byte_order_mark}{}", text.replace('\n', line_end));
        let repository = repository()
            .file("gitbook-manifest.yaml", written(manifest))
            .file("main.ts", written(script))
            .file("a.json", "{\n  \"a\": 1\n}\n".replace('\n', line_end));
        let finished = push(&server.uri(), "main", &repository).run().await;
        assert_eq!(finished.code, Some(0), "{finished:#?}");
        server.body().await
    };
    assert_eq!(body("\u{feff}", "\r\n").await, body("", "\n").await);
}

/// Creates an integration of twelve modules that import each other and a shared package. `order` is the order of creation.
fn cyclic_modules(folder: &str, order: impl Iterator<Item = usize>) -> Repository {
    let package = "export const names = ['a', 'b'];\nexport default (n: number) => names[n % 2];\n";
    order.fold(repository().manifest(folder, "hello", ""), |repository, number| {
        let [next, other] = [(number + 1) % 12, (number * 5 + 3) % 12];
        let module = format!(
            "import name from 'package';\nimport {{ f as g }} from './m{next}';\nimport {{ f as h }} from './m{other}';\n\
             export const f = (n: number): string => n > 0 ? g(n - 1) + name({number}) + h(n - 2) : '{number}';\n"
        );
        repository
            .file(&format!("{folder}/m{number}.ts"), module)
            .file("node_modules/package/package.json", r#"{"main": "i.ts"}"#)
            .file("node_modules/package/i.ts", package)
            .file(&format!("{folder}/main.ts"), "import { f } from './m0';\nexport default { fetch: () => new Response(f(9)) };\n")
    })
}

#[tokio::test]
async fn equal_content_gives_equal_requests() {
    let body = async |repository: Repository| {
        let server = gitbook().await;
        let finished = push(&server.uri(), "main", &repository).run().await;
        assert_eq!(finished.code, Some(0), "{finished:#?}");
        server.received_requests().await.unwrap()[0].body.clone()
    };
    let first = body(cyclic_modules("a", 0..12)).await;
    for folder in ["a", "another/and/deeper", "ä b"] {
        assert!(first == body(cyclic_modules(folder, (0..12).rev())).await, "{folder}");
    }
}

/** Encodes diagram text for Kroki's URLs: deflate, then URL-safe base64. */

export async function encode(source: string): Promise<string> {
    const bytes = new Uint8Array(await through(new CompressionStream('deflate'), source));
    return btoa(String.fromCharCode(...bytes))
        .replaceAll('+', '-')
        .replaceAll('/', '_');
}

export async function decode(encoded: string): Promise<string> {
    const binary = atob(encoded.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    return new TextDecoder().decode(await through(new DecompressionStream('deflate'), bytes));
}

function through(
    stream: CompressionStream | DecompressionStream,
    data: string | Uint8Array<ArrayBuffer>,
): Promise<ArrayBuffer> {
    return new Response(new Response(data).body!.pipeThrough(stream)).arrayBuffer();
}

/** Verifies Tracker's signature of a webhook: HMAC-SHA256 in hex. */
export async function isSigned(body: string, signature: string, secret: string): Promise<boolean> {
    const bytes = Uint8Array.from(signature.match(/[0-9a-f]{2}/g) ?? [], (digits) => parseInt(digits, 16));
    const algorithm = { name: 'HMAC', hash: 'SHA-256' };
    const encoder = new TextEncoder();
    const key = await crypto.subtle.importKey('raw', encoder.encode(secret), algorithm, false, ['verify']);
    return crypto.subtle.verify('HMAC', key, bytes, encoder.encode(body));
}

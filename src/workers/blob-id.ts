/**
 * The id of bytes: their owner and their SHA-256, so that the same bytes written twice are stored once. Where
 * WebCrypto is missing (a page that is neither https nor localhost) the id is random instead.
 */
export async function blobIdOf(owner: string, bytes: Uint8Array): Promise<string> {
  const subtle = (crypto as Partial<Crypto>).subtle;
  const digest = subtle
    ? new Uint8Array(await subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>))
    : crypto.getRandomValues(new Uint8Array(32));
  return `${owner}:${Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

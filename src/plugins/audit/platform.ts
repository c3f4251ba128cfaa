/**
 * The part of the web platform that the analysers use. Browsers, their workers and Node have all of it;
 * this room is compiled against ES2023 alone, so it is named here and nowhere else.
 */

/** A stream of bytes, as far as it is read here. */
export interface ByteStream {
  pipeThrough<T>(transform: Transform<T>): Stream<T>;
}

export interface Stream<T> extends ByteStream {
  getReader(): StreamReader<T>;
  cancel(reason?: unknown): Promise<void>;
}

export interface StreamReader<T> {
  read(): Promise<{ readonly done: boolean; readonly value?: T }>;
  cancel(reason?: unknown): Promise<void>;
}

export interface Transform<T> {
  readonly readable: Stream<T>;
  readonly writable: unknown;
}

interface Sink<T> {
  enqueue(chunk: T): void;
  close(): void;
}

interface Platform {
  readonly TextDecoder: new (
    label?: string,
    options?: { readonly fatal?: boolean; readonly ignoreBOM?: boolean },
  ) => { decode(bytes: Uint8Array): string };
  readonly TextEncoder: new () => { encode(text: string): Uint8Array };
  readonly ReadableStream: new (source: { pull(sink: Sink<Uint8Array>): void }) => Stream<Uint8Array>;
  readonly WritableStream: new (sink: { write(chunk: Uint8Array): void }) => unknown;
  readonly TransformStream: new (transformer: {
    transform(chunk: Uint8Array, sink: Sink<Uint8Array>): void;
    flush(sink: Sink<Uint8Array>): void;
  }) => Transform<Uint8Array>;
  readonly DecompressionStream: new (format: "gzip") => Transform<Uint8Array>;
  readonly crypto: {
    readonly subtle: { digest(algorithm: "SHA-256", bytes: Uint8Array): Promise<ArrayBuffer> };
  };
  readonly btoa: (text: string) => string;
  readonly performance: { now(): number };
}

export const platform = globalThis as unknown as Platform;

/** The text as UTF-8. */
export const encodeText = (text: string): Uint8Array => new platform.TextEncoder().encode(text);

/** The first `length` hexadecimal digits of the text's SHA-256: an identity that an attacker cannot collide. */
export async function fingerprint(text: string, length = 20): Promise<string> {
  const digest = new Uint8Array(await platform.crypto.subtle.digest("SHA-256", encodeText(text)));
  let hex = "";
  for (const byte of digest) hex += byte.toString(16).padStart(2, "0");
  return hex.slice(0, length);
}

/**
 * The part of the web platform that the analysers use. Browsers, their workers and Node have all of it;
 * this room is compiled against ES2023 alone, so it is named here and nowhere else.
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

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
  readonly btoa: (text: string) => string;
  readonly performance: { now(): number };
}

export const platform = globalThis as unknown as Platform;

/** The text as UTF-8. */
export const encodeText = (text: string): Uint8Array => new platform.TextEncoder().encode(text);

/** SHA-256 of the text. WebCrypto would do it, but an isolated cell has an opaque origin and so none. */
export const sha256Of = (text: string): Uint8Array => sha256(encodeText(text));

/** The first `length` hexadecimal digits of the text's SHA-256: an identity that an attacker cannot collide. */
export const fingerprint = (text: string, length = 20): string => bytesToHex(sha256Of(text)).slice(0, length);

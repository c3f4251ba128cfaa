/**
 * The part of the web platform that the interpreter uses. Browsers' workers and Node have it; this room is compiled
 * against ES2023 alone, so it is named here and nowhere else.
 */

/** A compiled module: it is only handed on. */
export type WasmModule = object;

/** A WebAssembly memory, as far as it is looked at. */
export interface WasmMemory {
  readonly buffer: { readonly byteLength: number };
}

interface Port {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

/** A worker, seen from the one that starts it. */
export interface Worker {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onerror: ((event: { readonly message?: string }) => void) | null;
  postMessage(message: unknown): void;
  terminate(): void;
}

interface Platform {
  readonly WebAssembly: {
    compile(bytes: Uint8Array): Promise<WasmModule>;
    readonly Memory: new (size: { initial: number; maximum: number }) => WasmMemory;
  };
  readonly MessageChannel: new () => { readonly port1: Port; readonly port2: Port };
  readonly Worker: new (url: string, options: { name: string }) => Worker;
  readonly Blob: new (parts: readonly string[], options: { type: string }) => object;
  readonly URL: { createObjectURL(blob: object): string; revokeObjectURL(url: string): void };
  readonly TextDecoder: new () => { decode(bytes: Uint8Array): string };
  readonly performance: { now(): number };
  readonly setTimeout: (run: () => void, milliseconds: number) => number;
  readonly clearTimeout: (timer: number | undefined) => void;
}

export const platform = globalThis as unknown as Platform;

/** Lets whatever has come be heard. A timer would take its time: browsers give one that is set anew at least 4 ms. */
export function pause(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new platform.MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** UTF-8. */
export const decodeText = (bytes: Uint8Array): string => new platform.TextDecoder().decode(bytes);

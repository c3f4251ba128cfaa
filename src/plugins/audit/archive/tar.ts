/** Reads .tar and .tar.gz, one entry at a time, never holding more than an entry. */
import { createTarDecoder } from "modern-tar";
import { RuntimeError } from "../../../core/errors.ts";
import { tooLarge, unreadable, type Budget } from "../limits.ts";
import { platform, type Stream, type StreamReader, type Transform } from "../platform.ts";
import type { ArchiveEntry, EntryType } from "./entry.ts";

/** What modern-tar says of an entry, as far as it is used. */
interface TarEntry {
  readonly header: {
    readonly name: string;
    readonly size: number;
    readonly type: string;
    readonly linkname?: string;
  };
  readonly body: Stream<Uint8Array>;
}

const CHUNK = 64 * 1024;
const BLOCK = 512;
/** What is streamed past on the way (skipped files too, headers) may be this many times what is kept, and then some. */
const STREAMED = 4;
const OVERHEAD = 8 * 1024 * 1024;

const TYPES: Readonly<Record<string, EntryType>> = {
  file: "file",
  directory: "directory",
  link: "hardlink",
  symlink: "symlink",
  "character-device": "device",
  "block-device": "device",
  fifo: "device",
};

/** @throws RuntimeError `audit/archive-too-large`, `audit/archive-unreadable` */
export async function* readTar(
  archive: Uint8Array,
  { gzip, budget }: { readonly gzip: boolean; readonly budget: Budget },
): AsyncGenerator<ArchiveEntry, void, undefined> {
  const packed = sourceOf(archive);
  const unpacked = gzip ? packed.pipeThrough(new platform.DecompressionStream("gzip")) : packed;
  const capped = unpacked.pipeThrough(cap(archive.length, budget));
  // modern-tar's types name streams that this room's library does not have; the shapes are the same.
  const decoder = createTarDecoder({ strict: true }) as unknown as Transform<TarEntry>;
  const entries = capped.pipeThrough(decoder).getReader();
  try {
    for (;;) {
      const { done, value } = await next(entries);
      if (done || value === undefined) return;
      const content = value.body.getReader();
      yield entryOf(value, content);
      // Not cancelled but read to its end: cancelling a body that is buffered as a whole takes away the next one's.
      for (let rest = await next(content); !rest.done; rest = await next(content));
    }
  } finally {
    await entries.cancel().catch(() => undefined);
  }
}

function sourceOf(archive: Uint8Array): Stream<Uint8Array> {
  let at = 0;
  return new platform.ReadableStream({
    pull(sink) {
      if (at < archive.length) sink.enqueue(archive.subarray(at, at + CHUNK));
      else sink.close();
      at += CHUNK;
    },
  });
}

/** Stops the stream as soon as it has given more than it may, and completes its end. */
function cap(packed: number, budget: Budget): Transform<Uint8Array> {
  const max = budget.limits.totalBytes * STREAMED + OVERHEAD;
  let streamed = 0;
  return new platform.TransformStream({
    transform(chunk, sink) {
      streamed += chunk.length;
      if (streamed > max) throw tooLarge("totalBytes", { max, streamed });
      budget.expansion(packed, streamed);
      sink.enqueue(chunk);
    },
    flush(sink) {
      // Old npm archives lack the two empty blocks at the end; more than two do no harm. If an entry is cut short,
      // it swallows them, and the decoder finds the end missing.
      if (streamed % BLOCK === 0) sink.enqueue(new Uint8Array(2 * BLOCK));
    },
  });
}

async function next<T>(reader: StreamReader<T>): Promise<{ readonly done: boolean; readonly value?: T }> {
  try {
    return await reader.read();
  } catch (cause) {
    throw cause instanceof RuntimeError ? cause : unreadable(String(cause), cause);
  }
}

function entryOf({ header }: TarEntry, content: StreamReader<Uint8Array>): ArchiveEntry {
  return {
    path: header.name,
    type: TYPES[header.type] ?? "device",
    size: header.size,
    target: header.linkname,
    async read() {
      const bytes = new Uint8Array(header.size); // the caller has checked the size against its caps
      let at = 0;
      for (;;) {
        const { done, value } = await next(content);
        if (done || value === undefined) break;
        bytes.set(value, at); // the decoder never gives more than the header says
        at += value.length;
      }
      if (at !== bytes.length) throw unreadable(`"${header.name}" ends early`);
      return bytes;
    },
  };
}

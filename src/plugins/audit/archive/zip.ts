/**
 * Reads .zip by its central directory, as unzip tools do. A reader that scans for local headers (fflate's
 * streaming one, for instance) can be shown other files than the ones that everybody else unpacks.
 */
import { ERR_INVALID_UNCOMPRESSED_SIZE, Uint8ArrayReader, ZipReader } from "@zip.js/zip.js/lib/zip-core-custom.js";
import { RuntimeError } from "../../../core/errors.ts";
import { tooLarge, unreadable, type Budget } from "../limits.ts";
import { platform } from "../platform.ts";
import type { ArchiveEntry, EntryType } from "./entry.ts";

/** What zip.js says of an entry, as far as it is used. */
interface ZipEntry {
  readonly filename: string;
  readonly directory: boolean;
  readonly symlink?: boolean;
  readonly encrypted: boolean;
  readonly compressionMethod: number;
  readonly compressedSize: number;
  readonly uncompressedSize: number;
  getData?(target: unknown, options: typeof OPTIONS): Promise<unknown>;
}

const OPTIONS = {
  useWebWorkers: false, // we are in one
  useCompressionStream: true,
  strictness: "balanced",
  filenameValidation: "tolerant", // unsafe names become findings, not failures
  checkCrc32: true,
  checkOverlappingEntry: true,
  checkLocalFilename: true, // the same name for those who read from the front
  checkLocalDirectory: true,
} as const;

const STORED = 0;
const DEFLATED = 8;

/** @throws RuntimeError `audit/archive-too-large`, `audit/archive-unreadable` */
export async function* readZip(archive: Uint8Array, budget: Budget): AsyncGenerator<ArchiveEntry, void, undefined> {
  const reader = new ZipReader(new Uint8ArrayReader(archive), OPTIONS);
  const entries = reader.getEntriesGenerator() as unknown as AsyncGenerator<ZipEntry>;
  for (;;) {
    let step: IteratorResult<ZipEntry>;
    try {
      step = await entries.next();
    } catch (cause) {
      throw unreadable(String(cause), cause);
    }
    if (step.done === true) return;
    budget.entry();
    yield entryOf(step.value, budget);
  }
}

function entryOf(entry: ZipEntry, budget: Budget): ArchiveEntry {
  const { filename, compressedSize, uncompressedSize } = entry;
  return {
    path: filename,
    type: typeOf(entry),
    size: uncompressedSize,
    async read() {
      budget.expansion(compressedSize, uncompressedSize); // before a byte is unpacked
      const bytes = new Uint8Array(uncompressedSize);
      let at = 0;
      const write = (chunk: Uint8Array): void => {
        if (at + chunk.length > bytes.length)
          throw tooLarge("declaredSize", { path: filename, declared: uncompressedSize });
        bytes.set(chunk, at);
        at += chunk.length;
      };
      try {
        await entry.getData?.(new platform.WritableStream({ write }), OPTIONS);
      } catch (cause) {
        if (cause instanceof RuntimeError) throw cause;
        if (cause instanceof Error && cause.message === ERR_INVALID_UNCOMPRESSED_SIZE)
          throw tooLarge("declaredSize", { path: filename, declared: uncompressedSize });
        throw unreadable(`"${filename}": ${String(cause)}`, cause);
      }
      if (at !== bytes.length) throw unreadable(`"${filename}" ends early`);
      return bytes;
    },
  };
}

function typeOf({ directory, symlink, encrypted, compressionMethod }: ZipEntry): EntryType {
  if (directory) return "directory";
  if (symlink === true) return "symlink";
  const readable = !encrypted && (compressionMethod === STORED || compressionMethod === DEFLATED);
  return readable ? "file" : "unsupported";
}

/** An archive of any kind that we read, told by its bytes; its name says nothing. */
import { unreadable, type Budget } from "../limits.ts";
import type { ArchiveEntry } from "./entry.ts";
import { readTar } from "./tar.ts";
import { readZip } from "./zip.ts";

export type { ArchiveEntry, EntryType } from "./entry.ts";

/** Archives that are told apart only to be refused by name. */
const FOREIGN: readonly (readonly [name: string, magic: readonly number[]])[] = [
  ["7-Zip", [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ["RAR", [0x52, 0x61, 0x72, 0x21, 0x1a, 0x07]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["Zstandard", [0x28, 0xb5, 0x2f, 0xfd]],
];

/**
 * The entries of a .zip, .tar or .tar.gz.
 * @throws RuntimeError `audit/archive-unreadable` for anything else, and for what is damaged;
 * `audit/archive-too-large` as soon as the budget is spent.
 */
export function openArchive(bytes: Uint8Array, budget: Budget): AsyncGenerator<ArchiveEntry, void, undefined> {
  if (startsWith(bytes, [0x50, 0x4b, 0x03, 0x04]) || startsWith(bytes, [0x50, 0x4b, 0x05, 0x06]))
    return readZip(bytes, budget);
  if (startsWith(bytes, [0x1f, 0x8b])) return counted(readTar(bytes, { gzip: true, budget }), budget);
  if (isTar(bytes)) return counted(readTar(bytes, { gzip: false, budget }), budget);
  const foreign = FOREIGN.find(([, magic]) => startsWith(bytes, magic));
  throw unreadable(foreign ? `${foreign[0]} archives are not read` : "neither a zip nor a tar archive");
}

async function* counted(entries: AsyncGenerator<ArchiveEntry, void, undefined>, budget: Budget) {
  for await (const entry of entries) {
    budget.entry();
    yield entry;
  }
}

const startsWith = (bytes: Uint8Array, magic: readonly number[]): boolean =>
  magic.every((byte, at) => bytes[at] === byte);

/** A header block whose checksum is right: older tars have no other mark. */
function isTar(bytes: Uint8Array): boolean {
  if (bytes.length < 512) return false;
  let sum = 0;
  for (let at = 0; at < 512; at++) sum += at >= 148 && at < 156 ? 0x20 : (bytes[at] ?? 0);
  const stored = String.fromCharCode(...bytes.subarray(148, 156)).replaceAll("\0", " ");
  return Number.parseInt(stored.trim(), 8) === sum;
}

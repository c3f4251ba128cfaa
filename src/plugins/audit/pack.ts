/** Makes an archive of a folder's files, for the page onto which it is dropped and for the command line. */
import { packTar } from "modern-tar";
import { byPath } from "./files.ts";

export interface PackedFile {
  /** Relative to the folder, with "/". */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** An uncompressed tar that depends on the files alone: sorted by path, without times and owners. */
export async function packFiles(files: Iterable<PackedFile>): Promise<Uint8Array> {
  const entries = [...files].sort(byPath).map(({ path, bytes }) => ({
    header: { name: path, size: bytes.length, type: "file" as const, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) },
    body: bytes,
  }));
  return packTar(entries);
}

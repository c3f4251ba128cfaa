/** A code base as it comes from a drop, a picker or the network: an archive, or files that will become one. */
import { LIMITS, packFiles, type PackedFile } from "../audit.ts";
import { bytes, count } from "../page/format.ts";

/** What can be given to an audit. */
export interface Source {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Why something is not taken; the text is for people. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly source: string;

  constructor(source: string, reason: string) {
    super(reason);
    this.source = source;
  }
}

export type OnRead = (name: string, done: number, total: number) => void;

/** Folders that hold no code of the project. */
const LEFT_OUT = new Set([".git", "node_modules", ".hg", ".svn"]);

const isArchiveName = (name: string): boolean => /\.(?:zip|tgz|tar\.gz)$/iu.test(name);

/** Reads what a file input gave. @throws Refusal */
export async function readPicked(files: readonly File[], onRead: OnRead): Promise<Source> {
  const [first] = files;
  if (!first) throw new Refusal("The choice", "It is empty.");
  const inFolder = first.webkitRelativePath !== "";
  if (!inFolder && files.length === 1) return readArchive(first);
  const placed = files.map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  return readFolder(inFolder ? (first.webkitRelativePath.split("/")[0] ?? "folder") : "files", placed, onRead);
}

/** Reads what was dropped. Must be called in the event itself: the transfer is empty afterwards. @throws Refusal */
export async function readDropped(transfer: DataTransfer, onRead: OnRead): Promise<Source> {
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const files = [...transfer.files];
  const [first] = entries;
  if (files.length === 0 && !first) throw new Refusal("What was dropped", "It holds no file.");
  if (!first) return readPicked(files, onRead); // it has files, but tells nothing of folders
  if (entries.length === 1 && first.isFile && files[0]) return readArchive(files[0]);
  const found = await walk(entries);
  return readFolder(entries.length === 1 ? first.name : "files", found, onRead);
}

async function readArchive(file: File): Promise<Source> {
  if (!isArchiveName(file.name)) throw new Refusal(file.name, "It is neither a folder nor a .zip, .tgz or .tar.gz.");
  if (file.size > LIMITS.archiveBytes) {
    throw new Refusal(file.name, `It has ${bytes(file.size)}; an archive may have ${bytes(LIMITS.archiveBytes)}.`);
  }
  return { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) };
}

interface Placed {
  readonly path: string;
  readonly file: File;
}

async function readFolder(name: string, all: readonly Placed[], onRead: OnRead): Promise<Source> {
  const wanted = all.filter(({ path }) => !path.split("/").some((part) => LEFT_OUT.has(part)));
  const size = wanted.reduce((sum, { file }) => sum + file.size, 0);
  if (wanted.length === 0) throw new Refusal(name, "It holds no file that could be audited.");
  if (wanted.length > LIMITS.files) {
    throw new Refusal(
      name,
      `It has ${count(wanted.length)} files; ${count(LIMITS.files)} are the most. Choose a folder inside it.`,
    );
  }
  if (size > LIMITS.totalBytes) {
    throw new Refusal(
      name,
      `It has ${bytes(size)}; ${bytes(LIMITS.totalBytes)} are the most. Choose a folder inside it.`,
    );
  }
  const read: PackedFile[] = [];
  for (const { path, file } of wanted) {
    read.push({ path: withoutRoot(path, name), bytes: new Uint8Array(await file.arrayBuffer()) });
    if (read.length % 50 === 0 || read.length === wanted.length) onRead(name, read.length, wanted.length);
  }
  return { name, bytes: await packFiles(read) };
}

/** Paths in a packed folder begin inside it, so that the folder's own name changes nothing. */
function withoutRoot(path: string, root: string): string {
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}

async function walk(entries: readonly FileSystemEntry[]): Promise<Placed[]> {
  const found: Placed[] = [];
  const queue = [...entries];
  for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
    if (LEFT_OUT.has(entry.name)) continue;
    if (isDirectory(entry)) queue.push(...(await childrenOf(entry)));
    else if (isFile(entry)) found.push({ path: entry.fullPath.replace(/^\//u, ""), file: await fileOf(entry) });
    if (found.length > LIMITS.files) break; // it will be refused; no need to know by how much
  }
  return found;
}

const isDirectory = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;
const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;

async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    // A reader gives a hundred at a time, and none when it is done.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => {
    entry.file(resolve, reject);
  });
}

/** One thing in an archive, in the archive's order. */
export interface ArchiveEntry {
  /** As the archive writes it: not to be trusted. */
  readonly path: string;
  readonly type: EntryType;
  /** In bytes, as the archive says. */
  readonly size: number;
  /** What a link points at, when the archive tells without being unpacked. */
  readonly target?: string | undefined;
  /**
   * The content. Only for files, once, and before the next entry is taken.
   * Memory is bounded by `size`: whatever unpacks to more is refused with `audit/archive-too-large`.
   * @throws RuntimeError `audit/archive-unreadable` when it is damaged.
   */
  read(): Promise<Uint8Array>;
}

/** `unsupported` is encrypted, or packed by a method that cannot be read. */
export type EntryType = "file" | "directory" | "symlink" | "hardlink" | "device" | "unsupported";

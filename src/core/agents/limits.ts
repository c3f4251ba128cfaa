/** Bounds that both ends of an agent's port keep; without a library, as they go into every agent's bundle. */

/** The most frames in one posted array. */
export const MAX_FRAMES = 4_096;

/** The largest blob that an agent may write at once, in bytes. */
export const MAX_BLOB: number = 64 * 1024 * 1024;

/** What a message is at its other end: a copy, as structured cloning makes it of data. Ports go over as they are. */
export function cloneMessage(value: unknown, isPort: (value: object) => boolean): unknown {
  try {
    return clone(value, isPort);
  } catch (error) {
    if (error instanceof RangeError) return structuredClone(value); // in circles, or very deep
    throw error;
  }
}

function clone(value: unknown, isPort: (value: object) => boolean): unknown {
  if (typeof value === "function" || typeof value === "symbol")
    throw new DOMException(`${typeof value} could not be cloned`, "DataCloneError");
  if (typeof value !== "object" || value === null || isPort(value)) return value;
  if (Array.isArray(value)) return value.map((item) => clone(item, isPort));
  if (value instanceof Uint8Array) return value.slice();
  if (value instanceof Error || value instanceof Map || value instanceof Set || value instanceof Date)
    return structuredClone(value);
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value))
    Object.defineProperty(copy, key, {
      value: clone((value as Record<string, unknown>)[key], isPort),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  return copy;
}

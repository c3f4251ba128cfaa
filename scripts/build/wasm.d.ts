declare module "*/wasm" {
  /** The bytes of the module, which the build puts in. */
  const bytes: Uint8Array;
  export default bytes;
}

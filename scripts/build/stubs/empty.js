/** Stands in for a Node built-in that is named but never called in a worker. */
export default {};

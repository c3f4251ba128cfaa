import { main } from "./toolchain.js";

await main("test/fuzz/run.ts");

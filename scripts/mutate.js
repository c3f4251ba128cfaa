import { main } from "./toolchain.js";

await main("test/mutation/run.ts");

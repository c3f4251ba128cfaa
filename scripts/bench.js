import { main } from "./toolchain.js";

await main("bench/run.ts");

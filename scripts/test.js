import { main } from "./toolchain.js";

await main("scripts/test/main.js", "0 passed, 1 failed");

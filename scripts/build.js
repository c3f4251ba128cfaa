import { main } from "./toolchain.js";

await main("scripts/build/main.js");

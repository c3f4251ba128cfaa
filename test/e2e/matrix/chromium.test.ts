import { describeMatrix } from "./matrix.ts";

describeMatrix("chromium");

/** XXH64 in WebAssembly, compiled once: that takes a millisecond, and a drill hashes each table twice. */
import load, { type XXHashAPI } from "xxhash-wasm";

let loading: Promise<XXHashAPI> | undefined;

export function xxhash(): Promise<XXHashAPI> {
  return loading ??= load();
}

import assert from "node:assert/strict";
import { sha256Hex, sha256OfPieces } from "../../../supabase/functions/backup/storage/sha256.ts";

// FIPS 180-2, appendix B, and the empty message.
const KNOWN = {
  "": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  abc: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq:
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
};

for (const [message, digest] of Object.entries(KNOWN)) {
  Deno.test(`[sha256Hex] and [sha256OfPieces] agree with the standard on "${message}"`, async () => {
    const bytes = new TextEncoder().encode(message);
    assert.equal(await sha256Hex(bytes), digest);
    const pieces = (async function* () {
      for (let begin = 0; begin < bytes.length; begin += 5) {
        yield await Promise.resolve(bytes.slice(begin, begin + 5));
      }
    })();
    assert.deepEqual(await sha256OfPieces(pieces), { sha256: digest, bytes: bytes.length });
  });
}

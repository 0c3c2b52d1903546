/**
 * `deno run -A bench/encryption.ts`: what encryption costs. First one part, by each way that Deno 2.1.4 offers, each in
 * a process of its own; then a whole backup on the stack under the hosted limits, without a recipient and with one.
 * `--megabytes 300` says how much COPY text, `--part 32` how many MiB the part has.
 */
import { createCipheriv } from "node:crypto";
import { parseArgs } from "node:util";
import { Encrypter, generateIdentity, identityToRecipient } from "age-encryption";
import postgres from "postgres";
import { bytes } from "../cli/terminal/format.ts";
import { printResult } from "../cli/terminal/output.ts";
import { table } from "../cli/terminal/table.ts";
import { startStack } from "../stack/stack.ts";
import { Encryption } from "../supabase/functions/backup/encryption/encryption.ts";
import { readRecipients } from "../supabase/functions/backup/encryption/recipients.ts";
import { backUp } from "./backup_run.ts";
import { generateLargeData } from "./large_data.ts";
import { median } from "./measure.ts";

const RECIPIENT = await identityToRecipient(await generateIdentity());

interface Way {
  is: string;
  encrypt(part: Uint8Array): Promise<void> | void;
}

const WAYS: Record<string, Way> = {
  "in place": {
    is: "an age file, as parts are: SHA-256 of the content for its keys, then ChaCha20-Poly1305 in place",
    async encrypt(part) {
      const encryption = new Encryption(readRecipients(RECIPIENT), () => Promise.resolve(new Uint8Array(32)));
      await encryption.encrypt("backup-1/00001.dump.age", part, part.length - encryption.spare(part.length));
    },
  },
  "age-encryption": {
    is: "an age file by age's own library, over a stream (noble ciphers)",
    async encrypt(part) {
      const encrypter = new Encrypter();
      encrypter.addRecipient(RECIPIENT);
      await encrypter.encrypt(part);
    },
  },
  "Web Crypto": {
    is: "AES-256-GCM of Web Crypto, the whole part at once: no format that age reads",
    async encrypt(part) {
      const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt"]);
      await crypto.subtle.encrypt({ name: "AES-GCM", iv: new Uint8Array(12) }, key, part);
    },
  },
  "node:crypto": {
    is: "AES-256-GCM of node:crypto in pieces of 64 KiB: no format that age reads",
    encrypt(part) {
      const cipher = createCipheriv("aes-256-gcm", new Uint8Array(32), new Uint8Array(12));
      for (let at = 0; at < part.length; at += 65_536) cipher.update(part.subarray(at, at + 65_536));
      cipher.final();
    },
  },
};

const { values } = parseArgs({
  options: {
    way: { type: "string" },
    part: { type: "string", default: "32" },
    megabytes: { type: "string", default: "300" },
  },
});
const partBytes = Number(values.part) * 1024 * 1024;

if (values.way !== undefined) console.log(JSON.stringify(await measureWay(WAYS[values.way]!)));
else {
  printResult(...await compareWays());
  printResult(...await compareBackups(Number(values.megabytes)));
}

interface Figures {
  wallMs: number;
  threadMs: number;
  processMs: number;
  memoryBytes: number;
}

/** Medians of five, after a first one that compiles; the peak of the first, before garbage piles up. */
async function measureWay({ encrypt }: Way): Promise<Figures> {
  const part = new Uint8Array(partBytes);
  for (let at = 0; at < partBytes; at += 65_536) crypto.getRandomValues(part.subarray(at, at + 65_536));
  const before = statusOf("VmRSS");
  const runs: Omit<Figures, "memoryBytes">[] = [];
  let memoryBytes = 0;
  for (let round = 0; round <= 5; round++) {
    const [begin, thread, whole] = [performance.now(), cpuMs(`task/${Deno.pid}`), cpuMs()];
    await encrypt(part);
    runs.push({
      wallMs: performance.now() - begin,
      threadMs: cpuMs(`task/${Deno.pid}`) - thread,
      processMs: cpuMs() - whole,
    });
    if (round === 0) memoryBytes = statusOf("VmHWM") - before;
  }
  runs.shift();
  const middle = (read: (run: Omit<Figures, "memoryBytes">) => number) => median(runs.map(read));
  return {
    wallMs: middle(({ wallMs }) => wallMs),
    threadMs: middle(({ threadMs }) => threadMs),
    processMs: middle(({ processMs }) => processMs),
    memoryBytes,
  };
}

/** User and system time, which the kernel counts in hundredths of a second. */
function cpuMs(of = ""): number {
  const fields = Deno.readTextFileSync(`/proc/${Deno.pid}/${of}/stat`).replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function statusOf(field: string): number {
  const line = Deno.readTextFileSync("/proc/self/status").match(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m"));
  return Number(line![1]) * 1024;
}

async function compareWays(): Promise<string[]> {
  const rows: string[][] = [];
  for (const [name, { is }] of Object.entries(WAYS)) {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", import.meta.filename!, "--way", name, "--part", values.part],
    }).output();
    if (!success) throw new Error(`${name}: ${new TextDecoder().decode(stderr)}`);
    const figures: Figures = JSON.parse(new TextDecoder().decode(stdout));
    const ms = (value: number) => `${value.toFixed()} ms`;
    rows.push([
      name,
      ms(figures.threadMs),
      ms(figures.processMs),
      ms(figures.wallMs),
      `${bytes(partBytes / figures.threadMs * 1000)}/s`,
      bytes(figures.memoryBytes),
      is,
    ]);
  }
  return [
    `One part of ${bytes(partBytes)}:`,
    ...table(
      ["", "CPU of the thread", "of the process", "wall", "a CPU second", "memory beside it", ""],
      rows,
    ),
  ];
}

async function compareBackups(megabytes: number): Promise<string[]> {
  const stack = await startStack({ migrate: "directly", policy: "oneshot" });
  const sql = postgres(stack.superuserUrl, { max: 1, onnotice: () => {} });
  try {
    await generateLargeData(stack.databaseUrl, megabytes);
    const rows: string[][] = [];
    for (const recipient of ["", RECIPIENT, "", RECIPIENT]) {
      await sql`select backup.configure(recipient => ${recipient})`;
      const { row: run, wallSeconds, isolates: workers } = await backUp(stack, sql);
      const cpu = workers.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
      rows.push([
        recipient === "" ? "as it is" : "encrypted",
        `${wallSeconds.toFixed(1)} s`,
        `${run["invocations"]}${run["attempt"] === 1 ? "" : ` (attempt ${run["attempt"]})`}`,
        bytes(Number(run["stored_bytes"])),
        `${(cpu / 1000).toFixed(2)} s`,
        bytes(Number(run["raw_bytes"]) / cpu * 1000),
        `${Math.max(...workers.map(({ cpuMs }) => cpuMs)).toFixed()} ms`,
        bytes(Math.max(...workers.map(({ peakMemoryBytes }) => peakMemoryBytes))),
      ]);
    }
    return [
      `A backup of ${megabytes} MB of COPY text:`,
      ...table(
        [
          "",
          "wall",
          "invocations",
          "archive",
          "CPU",
          "text a CPU second",
          "most CPU of one",
          "most memory of one",
        ],
        rows,
      ),
    ];
  } finally {
    await sql.end();
    await stack.stop();
  }
}

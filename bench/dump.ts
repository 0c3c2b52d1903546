/**
 * `npm run bench`: our archive against `pg_dump -Fc` of the same data, in turns, on this machine. Prints medians and
 * ratios. `--megabytes 100,600` says how much COPY text, `--runs 5` how often.
 */
import { parseArgs } from "node:util";
import { bytes } from "../cli/terminal/format.ts";
import { printResult } from "../cli/terminal/output.ts";
import { table } from "../cli/terminal/table.ts";
import { startCluster } from "../stack/postgres/cluster.ts";
import { generateData } from "./data.ts";
import { type Cost, measure, median } from "./measure.ts";

const PROGRAM = decodeURIComponent(new URL("../cli/main.ts", import.meta.url).pathname);

const { values } = parseArgs({
  options: { megabytes: { type: "string", default: "100,600" }, runs: { type: "string", default: "3" } },
});

for (const megabytes of values.megabytes.split(",").map(Number)) {
  await compare(megabytes, Number(values.runs));
}

async function compare(megabytes: number, runs: number): Promise<void> {
  const cluster = await startCluster();
  const folder = await Deno.makeTempDir({ prefix: "bench-" });
  try {
    console.error(`generating ${megabytes} MB of COPY text …`);
    await generateData(cluster.url(), megabytes);
    const [ours, theirs]: [Cost[], Cost[]] = [[], []];
    for (let run = 0; run < runs; run++) {
      console.error(`run ${run + 1} of ${runs} …`);
      theirs.push(
        await measure(`${cluster.binDir}/pg_dump`, ["-Fc", "-f", `${folder}/theirs`, "-d", cluster.url()]),
      );
      ours.push(
        await measure(Deno.execPath(), [
          "run",
          "-A",
          "--no-check",
          PROGRAM,
          "dump",
          "--out",
          `${folder}/ours`,
        ], {
          DATABASE_URL: cluster.url(),
        }),
      );
    }
    const sizes = await Promise.all(
      ["ours", "theirs"].map(async (name) => (await Deno.stat(`${folder}/${name}`)).size),
    );
    console.log(`\n${megabytes} MB of COPY text, medians of ${runs} runs`);
    printResult(...report(ours, theirs, sizes as [number, number]));
  } finally {
    await Deno.remove(folder, { recursive: true });
    await cluster.stop();
  }
}

function report(ours: Cost[], theirs: Cost[], [ourSize, theirSize]: [number, number]): string[] {
  const row = (name: string, read: (cost: Cost) => number, show: (value: number) => string) => {
    const [our, their] = [median(ours.map(read)), median(theirs.map(read))];
    return [name, show(our), show(their), (our / their).toFixed(2)];
  };
  const inSeconds = (value: number) => `${value.toFixed(2)} s`;
  return table(["", "supabase-backup", "pg_dump -Fc", "ratio"], [
    row("wall time", ({ wallSeconds }) => wallSeconds, inSeconds),
    row("CPU of the program", ({ cpuSeconds }) => cpuSeconds, inSeconds),
    row("peak memory", ({ peakBytes }) => peakBytes, bytes),
    ["archive", bytes(ourSize), bytes(theirSize), (ourSize / theirSize).toFixed(2)],
  ], ["left", "right", "right", "right"]);
}

/** What holds for every set of backups and every policy; the sets are random, and the same in each run. */
import assert from "node:assert/strict";
import {
  type KnownBackup,
  planRotation,
  type RotationPolicy,
} from "../../../supabase/functions/backup/rotation/policy.ts";
import { nameAt, NOW } from "./backups.ts";

/** Mulberry32: small, and its sequence follows from the seed. */
function randomFrom(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const MINUTE = 60_000;

function randomBackups(random: (below: number) => number): KnownBackup[] {
  const oneOf = <T>(...all: T[]): T => all[random(all.length)]!;
  const backups = new Map<string, KnownBackup>();
  for (let count = random(25); count > 0; count--) {
    // Close together and years apart, some in the future.
    const startedAt = new Date(NOW.getTime() + 3 * MINUTE - random(oneOf(600, 100_000, 2_000_000)) * MINUTE);
    const name = oneOf("", "", "", "other-") + nameAt(startedAt) + oneOf("", "", "-2", "-3");
    const status = oneOf("succeeded", "succeeded", "succeeded", "failed", "cancelled", "running", null);
    const stored = random(5) > 0;
    const verifiedAt = status === "succeeded" ? startedAt : null;
    const trigger = status === null && !stored ? null : oneOf("scheduled", "manual", "scheduled");
    backups.set(name, { name, trigger, startedAt, status, verifiedAt, pinned: random(8) === 0, stored });
  }
  return [...backups.values()];
}

function randomPolicy(random: (below: number) => number): RotationPolicy {
  const [keepScheduled, keepManual] = [random(5), random(5)];
  return { keepScheduled, keepManual, keepWeekly: random(4), keepMonthly: random(4), keepYearly: random(3) };
}

const isGood = ({ name, stored, status }: KnownBackup) =>
  stored && status === "succeeded" && name.startsWith("backup-");

/** Checks something for a thousand sets; its message names the seed. Returns how often something was removed. */
function forMany(
  check: (backups: KnownBackup[], policy: RotationPolicy, random: (below: number) => number) => number,
): void {
  let removals = 0;
  for (let seed = 1; seed <= 1000; seed++) {
    const random = randomFrom(seed);
    const [backups, policy] = [randomBackups(random), randomPolicy(random)];
    try {
      removals += check(backups, policy, random);
    } catch (error) {
      throw new Error(`seed ${seed}, ${JSON.stringify(policy)}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
  assert.ok(removals > 1000, "the sets have something to remove");
}

function makePlan(backups: KnownBackup[], policy: RotationPolicy) {
  const { keep, remove } = planRotation(backups, policy, NOW);
  return { kept: new Set(keep.map(({ name }) => name)), removed: new Set(remove.map(({ name }) => name)) };
}

Deno.test("every folder is either kept or removed, once, with a reason", () => {
  forMany((backups, policy) => {
    const { keep, remove } = planRotation(backups, policy, NOW);
    assert.deepEqual(
      [...keep, ...remove].map(({ name }) => name).sort(),
      backups.map(({ name }) => name).sort(),
    );
    assert.ok(keep.every(({ reasons }) => reasons.length > 0 && reasons.every((reason) => reason !== "")));
    assert.ok(remove.every(({ reason }) => reason !== ""));
    return remove.length;
  });
});

Deno.test("where there was a good backup, the newest of them stays", () => {
  forMany((backups, policy) => {
    const { kept, removed } = makePlan(backups, policy);
    const newest = backups.filter(isGood).sort((a, b) => b.startedAt.getTime() - a.startedAt.getTime())[0];
    if (newest) assert.ok(kept.has(newest.name), newest.name);
    else assert.equal(removed.size, 0, "nothing is removed without one");
    return removed.size;
  });
});

Deno.test("pinned, active and foreign folders stay", () => {
  forMany((backups, policy) => {
    const { removed } = makePlan(backups, policy);
    for (const { name, pinned, status } of backups) {
      if (pinned || status === "running" || name.startsWith("other-")) assert.ok(!removed.has(name), name);
    }
    return removed.size;
  });
});

Deno.test("as many good backups stay as the policy has places and there are", () => {
  forMany((backups, policy) => {
    const { kept, removed } = makePlan(backups, policy);
    for (
      const [trigger, places] of [["scheduled", policy.keepScheduled], ["manual", policy.keepManual]] as const
    ) {
      const good = backups.filter((backup) => isGood(backup) && backup.trigger === trigger);
      const left = good.filter(({ name }) => kept.has(name)).length;
      assert.ok(left >= Math.min(places, good.length), `${left} of ${good.length} ${trigger}`);
    }
    return removed.size;
  });
});

Deno.test("a second rotation finds nothing to do", () => {
  forMany((backups, policy) => {
    const { kept, removed } = makePlan(backups, policy);
    const again = makePlan(backups.filter(({ name }) => kept.has(name)), policy);
    assert.deepEqual([...again.removed], []);
    return removed.size;
  });
});

Deno.test("the order in which folders are listed does not matter", () => {
  forMany((backups, policy, random) => {
    const shuffled = backups.map((backup) => ({ backup, at: random(1000) })).sort((a, b) => a.at - b.at);
    const { removed } = makePlan(backups, policy);
    assert.deepEqual(makePlan(shuffled.map(({ backup }) => backup), policy).removed, removed);
    return removed.size;
  });
});

Deno.test("what one trigger leaves in the bucket costs the other no backup", () => {
  forMany((backups, policy) => {
    // With a place of its own the newest good scheduled one needs no other reason to stay.
    const roomy = { ...policy, keepScheduled: policy.keepScheduled + 1 };
    // Attempts of one run have one trigger; random ones may not.
    const attempts = (name: string) =>
      backups.filter((backup) => backup.name.startsWith(name.slice(0, 22))).length;
    const scheduled = backups.filter(({ trigger }) => trigger !== "manual");
    const { removed } = makePlan(backups, roomy);
    const { kept: keptAlone } = makePlan(scheduled, roomy);
    for (const { name } of scheduled.filter(isGood)) {
      if (keptAlone.has(name) && attempts(name) === 1) assert.ok(!removed.has(name), name);
    }
    return removed.size;
  });
});

import assert from "node:assert/strict";
import { type KnownBackup, planRotation } from "../../../supabase/functions/backup/rotation/policy.ts";
import { backup, KEEP_FOUR, NOW } from "./backups.ts";

const SUNDAYS = ["2026-10-18", "2026-10-25", "2026-11-01", "2026-11-08", "2026-11-15", "2026-11-22"];

/** Plans and answers both halves by name, so that a test reads as a table. */
function decide(backups: KnownBackup[], policy: Partial<typeof KEEP_FOUR> = {}) {
  const plan = planRotation(backups, { ...KEEP_FOUR, ...policy }, NOW);
  return {
    keep: Object.fromEntries(plan.keep.map(({ name, reasons }) => [name, reasons.join(", ")])),
    remove: Object.fromEntries(plan.remove.map(({ name, reason }) => [name, reason])),
    order: plan.remove.map(({ name }) => name),
  };
}

Deno.test("[planRotation] keeps the newest four scheduled backups and says which each is", () => {
  const { keep, order, remove } = decide(SUNDAYS.map((day) => backup(day)));
  assert.deepEqual(keep, {
    "backup-20261122-030000": "newest good, scheduled 1 of 4",
    "backup-20261115-030000": "scheduled 2 of 4",
    "backup-20261108-030000": "scheduled 3 of 4",
    "backup-20261101-030000": "scheduled 4 of 4",
  });
  assert.deepEqual(order, ["backup-20261018-030000", "backup-20261025-030000"], "oldest first");
  assert.equal(remove["backup-20261018-030000"], "no place among the scheduled ones");
});

Deno.test("[planRotation] counts manual backups apart from scheduled ones", () => {
  const manual = ["2026-11-16", "2026-11-17", "2026-11-18"].map((day) => backup(day, { trigger: "manual" }));
  const { keep, order } = decide([...SUNDAYS.map((day) => backup(day)), ...manual], { keepManual: 2 });
  assert.equal(Object.keys(keep).length, 6);
  assert.equal(keep["backup-20261118-030000"], "manual 1 of 2");
  assert.deepEqual(order, ["backup-20261018-030000", "backup-20261025-030000", "backup-20261116-030000"]);
});

Deno.test("[planRotation] goes by the instant, whatever the names' order is", () => {
  const renamed = SUNDAYS.map((day, index) => backup(day, { name: `backup-2026010${9 - index}-030000` }));
  const { order } = decide(renamed, { keepScheduled: 5 });
  assert.deepEqual(order, ["backup-20260109-030000"]);
});

Deno.test("[planRotation] never removes a pinned backup", () => {
  const { keep, order } = decide(SUNDAYS.map((day, index) => backup(day, { pinned: index === 0 })));
  assert.equal(keep["backup-20261018-030000"], "pinned");
  assert.deepEqual(order, ["backup-20261025-030000"]);
});

Deno.test("[planRotation] gives no place to what was not verified", () => {
  const { keep, remove } = decide([
    backup("2026-11-22"),
    backup("2026-11-21", { status: "failed", verifiedAt: null }),
    backup("2026-11-20", { status: "cancelled", verifiedAt: null }),
    backup("2026-11-19", { status: "succeeded", verifiedAt: null }),
    backup("2026-11-15"),
    backup("2026-11-08"),
  ], { keepScheduled: 2 });
  assert.deepEqual(keep, {
    "backup-20261122-030000": "newest good, scheduled 1 of 2",
    "backup-20261121-030000": "scheduled 2 of 2, not known to be good",
    "backup-20261115-030000": "scheduled 2 of 2",
  });
  assert.equal(
    remove["backup-20261120-030000"],
    "no place among the scheduled ones, and not known to be good",
  );
});

Deno.test("[planRotation] never removes the newest good backup, though the policy has no place for it", () => {
  const none = { keepScheduled: 0, keepManual: 0 };
  const { keep, order } = decide([backup("2026-11-22", { trigger: "manual" }), backup("2026-11-15")], none);
  assert.deepEqual(keep, { "backup-20261122-030000": "newest good" });
  assert.deepEqual(order, ["backup-20261115-030000"]);
});

Deno.test("[planRotation] never removes the good backup that was made last, though the clock was set back before it", () => {
  const { keep, order } = decide([
    backup("2026-12-01", { id: 1 }),
    backup("2026-12-08", { id: 2 }),
    backup("2026-11-15", { id: 3, status: "failed", verifiedAt: null, stored: false }),
    backup("2026-11-15T04:00:00", { id: 4 }),
  ], { keepScheduled: 1 });
  assert.deepEqual(keep, {
    "backup-20261208-030000": "newest good, scheduled 1 of 1",
    "backup-20261115-040000": "made last",
  });
  assert.deepEqual(order, ["backup-20261115-030000", "backup-20261201-030000"]);
});

Deno.test("[planRotation] removes nothing while there is no good backup", () => {
  const { keep, order } = decide([
    backup("2026-11-22", { status: "failed", verifiedAt: null, stored: false }),
    backup("2026-11-15", { status: "succeeded", stored: false }),
  ]);
  assert.deepEqual(order, []);
  assert.equal(keep["backup-20261122-030000"], "there is no good backup");
});

Deno.test("[planRotation] keeps one backup of each ISO week, month and year, the newest, by UTC", () => {
  const days = [
    "2027-01-04", // Monday: week 1 of 2027
    "2027-01-03T23:59:59", // Sunday: week 53 of 2026
    "2026-12-28", // Monday of that week
    "2026-12-27", // week 52
    "2026-11-30",
    "2025-12-29", // Monday: week 1 of 2026
    "2025-12-28",
    "2024-06-01",
  ];
  const { keep } = decide(days.map((day) => backup(day)), {
    keepScheduled: 1,
    keepWeekly: 3,
    keepMonthly: 3,
    keepYearly: 9,
  });
  assert.deepEqual(keep, {
    "backup-20270104-030000": "newest good, scheduled 1 of 1, week 2027-W01, month 2027-01, year 2027",
    "backup-20270103-235959": "week 2026-W53",
    "backup-20261228-030000": "month 2026-12, year 2026",
    "backup-20261227-030000": "week 2026-W52",
    "backup-20261130-030000": "month 2026-11",
    "backup-20251229-030000": "year 2025",
    "backup-20240601-030000": "year 2024",
  });
});

Deno.test("[planRotation] counts weeks that have a backup: a pause costs none", () => {
  const { order } = decide(["2026-11-22", "2026-03-01", "2025-06-01"].map((day) => backup(day)), {
    keepScheduled: 1,
    keepWeekly: 3,
  });
  assert.deepEqual(order, []);
});

Deno.test("[planRotation] sweeps what ended runs left without a manifest", () => {
  const { keep, remove } = decide([
    backup("2026-11-22"),
    backup("2026-11-21", { status: "failed", verifiedAt: null, stored: false }),
    backup("2026-11-20", { status: "cancelled", verifiedAt: null, stored: false }),
    backup("2026-11-19", { status: "succeeded", stored: false }),
  ]);
  assert.deepEqual(Object.keys(keep), ["backup-20261122-030000"]);
  assert.deepEqual(remove, {
    "backup-20261121-030000": "no manifest, and its run is failed",
    "backup-20261120-030000": "no manifest, and its run is cancelled",
    "backup-20261119-030000": "no manifest, and its run is succeeded",
  });
});

const unknown = { status: null, trigger: null, verifiedAt: null } as const;

Deno.test("[planRotation] sweeps earlier attempts of a run when it is over, with a manifest or without", () => {
  const run = backup("2026-11-22T02:00:00");
  const { keep, remove } = decide([
    { ...run, name: `${run.name}-10` },
    { ...run, ...unknown, name: run.name, stored: false },
    { ...run, ...unknown, name: `${run.name}-9`, trigger: "scheduled" },
  ]);
  assert.deepEqual(Object.keys(keep), [`${run.name}-10`]);
  assert.deepEqual(remove, {
    [run.name]: `earlier attempt of ${run.name}-10`,
    [`${run.name}-9`]: `earlier attempt of ${run.name}-10`,
  });
  const failed = backup("2026-11-22T02:30:00", { status: "failed", verifiedAt: null, stored: false });
  const { remove: ofFailed } = decide([run, { ...failed, name: `${failed.name}-3` }, {
    ...failed,
    ...unknown,
  }]);
  assert.deepEqual(Object.keys(ofFailed).sort(), [failed.name, `${failed.name}-3`]);
});

Deno.test("[planRotation] leaves the folders of an active run alone, earlier attempts too", () => {
  const run = backup("2026-11-22T02:00:00", { status: "running", verifiedAt: null, stored: false });
  const { keep, order } = decide([
    backup("2026-11-15"),
    { ...run, name: `${run.name}-2` },
    { ...run, ...unknown },
  ]);
  assert.deepEqual(order, []);
  assert.equal(keep[run.name], "its run is active");
  assert.equal(keep[`${run.name}-2`], "its run is active");
});

Deno.test("[planRotation] leaves a folder without a manifest that nobody knows alone for a day", () => {
  const { keep, remove } = decide([
    backup("2026-11-22"),
    backup("2026-11-22T02:00:00", { ...unknown, stored: false }),
    backup("2026-11-21T02:00:00", { ...unknown, stored: false }),
  ]);
  assert.equal(keep["backup-20261122-020000"], "younger than a day");
  assert.deepEqual(remove, { "backup-20261121-020000": "no manifest, and its run is unknown" });
});

Deno.test("[planRotation] judges stored backups that the log lost by their manifest, and never as leftovers", () => {
  const lost = { status: null, verifiedAt: null } as const;
  const { keep, remove } = decide(SUNDAYS.map((day, index) => backup(day, index === 5 ? {} : lost)));
  assert.deepEqual(keep, {
    "backup-20261122-030000": "newest good, scheduled 1 of 4",
    "backup-20261115-030000": "scheduled 2 of 4, not known to be good",
    "backup-20261108-030000": "scheduled 3 of 4, not known to be good",
    "backup-20261101-030000": "scheduled 4 of 4, not known to be good",
  });
  assert.equal(
    remove["backup-20261025-030000"],
    "no place among the scheduled ones, and not known to be good",
  );
});

Deno.test("[planRotation] never removes what is stored under a manifest that cannot be read", () => {
  const { keep } = decide([backup("2026-11-22"), backup("2020-01-01", unknown)]);
  assert.equal(keep["backup-20200101-030000"], "its manifest cannot be read");
});

Deno.test("[planRotation] never touches folders whose names are not ours", () => {
  const names = [
    "uploads",
    "backup",
    "backup-20261122",
    "backup-20261122-030000-x",
    "backup-20261322-030000",
    "x-backup-20261101-030000",
  ];
  for (const stored of [true, false]) {
    const foreign = names.map((name) => backup("2020-01-01", { ...unknown, name, stored }));
    const { keep, order } = decide([backup("2026-11-22"), ...foreign]);
    assert.deepEqual(order, []);
    for (const name of names) assert.equal(keep[name], "not a backup's name");
  }
});

/** What a tenant's vehicles come to, each with all that is done to histories. */
import assert from "node:assert/strict";
import { openScene, type Role, type Scene, TABLES } from "./scene.ts";
import { type Vehicle, VEHICLES } from "./vehicles.ts";

export const MIGRATION = new URL(
  "../../../supabase/migrations/20261102000000_create_versioning.sql",
  import.meta.url,
);

/** What those who act without the tenant's knowledge may run of its code, as themselves and never as the owner. */
const ALLOWED: Record<NonNullable<Vehicle["fires"]>, Role[]> = {
  read: ["editor", "reader", "writer"],
  write: ["editor", "writer"],
};

/** Tries every vehicle as a step, on the server of a folder of programs or on the machine's. */
export async function attackHistories(t: Deno.TestContext, binDir?: string): Promise<void> {
  const scene = await openScene(await Deno.readTextFile(MIGRATION), binDir);
  try {
    for (const vehicle of VEHICLES) {
      await t.step(vehicle.name, async () => {
        const { fires, refused } = vehicle;
        const errors = await attack(scene, vehicle);
        const allowed: string[] = fires ? ALLOWED[fires] : [];
        assert.deepEqual((await scene.witnesses()).filter((role) => !allowed.includes(role)), []);
        if (refused) assert.ok(errors.length > 0, "something is refused");
        assert.deepEqual(errors.filter((error) => !refused?.test(error)), []);
      });
    }
  } finally {
    await scene.stop();
  }
}

/** All that is done to histories, with the vehicle in place. Returns what failed. */
async function attack(scene: Scene, vehicle: Vehicle): Promise<string[]> {
  const errors: string[] = [];
  const act = async (role: Role, statement: string) => {
    try {
      return await scene.as(role).unsafe(statement).simple();
    } catch (error) {
      errors.push(`${role}: ${statement}: ${(error as Error).message}`);
      return [];
    }
  };
  await scene.renew();
  for (const { name, row } of TABLES) {
    await scene.as("owner").unsafe(`select versioning.track('${name}', keep_versions => 100)`);
    await scene.as("tenant").unsafe(`insert into ${name} values ${row}`);
  }
  await scene.as("tenant").unsafe(vehicle.sql).simple();
  for (const role of ["tenant", "writer", "editor"] as const) {
    await scene.as(role).unsafe(vehicle.session ?? "").simple();
  }
  await scene.witnesses();

  for (const { name, row, change } of TABLES) {
    await act("writer", `update ${name} set note = 'y'`);
    await act("tenant", `update ${name} set ${change}`);
    await act("tenant", `update ${name} set note = 'z', ${change}`);
    await act("tenant", `delete from ${name}`);
    await act("tenant", `insert into ${name} values ${row}`);
    await act("tenant", `truncate ${name}`);
    await act("tenant", `insert into ${name} values ${row}`);
  }
  await act(
    "owner",
    "select versioning.refresh(), versioning.upkeep(), versioning.prune(), versioning.unschedule()",
  );
  for (const { name } of TABLES) {
    for (const event of ["insert", "update", "delete", "truncate"]) {
      await act("tenant", `drop trigger versioning_${event} on ${name}`);
    }
    await act("owner", `select versioning.track('${name}')`);
  }
  const entities = await scene.superuser`
    select distinct on (r.table_id) t.schema_name || '.' || t.table_name as name, r.key, r.id, r.transaction
    from versioning.records r join versioning.tables t on t.id = r.table_id
    where r.operation = 'update' order by r.table_id, r.id desc`;
  for (const role of ["owner", "reader"] as const) {
    await act(role, "select * from versioning.history");
    for (const { name, key } of entities) {
      await act(
        role,
        `select versioning.summary(v), d from versioning.versions('${name}', '${
          key.replaceAll("'", "''")
        }') v, versioning.diff(v.id) d`,
      );
      await act(
        role,
        `select versioning.rows_as_of(null::${name}, clock_timestamp(), '${key.replaceAll("'", "''")}')`,
      );
      await act(role, `select versioning.as_of('${name}', clock_timestamp())`);
    }
  }
  for (const { id, transaction } of entities) {
    await act("editor", `select versioning.restore(${id})`);
    await act("editor", `select versioning.undo(${transaction}, 'overwrite')`);
  }
  return errors;
}

/** Dropping what a restore creates: only what is there, for some roles may not even ask for what is not. */
import type { Entry } from "../entry.ts";
import type { EventTriggers } from "./event_triggers.ts";
import { LARGE_OBJECTS, objectsOf } from "./large_object_group.ts";
import { isMissing } from "./server_error.ts";
import { stoppedAt } from "./stopped.ts";

const BATCH = 64;

/** Drops in the reverse order of the archive. Throws BackupError `restore_failed` where something cannot be dropped. */
export async function dropAll(triggers: EventTriggers, entries: readonly Entry[]): Promise<void> {
  const dropped = entries.filter(({ desc, drop }) => drop && !desc.startsWith("DATABASE")).toReversed();
  for (let first = 0; first < dropped.length; first += BATCH) {
    await dropBatch(triggers, dropped.slice(first, first + BATCH));
  }
}

/** A group of large objects has no statement of its own, and not all of them need be there. */
function dropStatement({ desc, definition, drop }: Entry): string {
  if (desc !== LARGE_OBJECTS) return drop!.trimEnd();
  return `SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid IN (${
    objectsOf(definition).join(", ")
  });`;
}

async function dropBatch(triggers: EventTriggers, entries: readonly Entry[]): Promise<void> {
  const attempt = await triggers.attempt(entries.map(dropStatement).join("\n"));
  if ("result" in attempt) return;
  if (entries.length === 1) {
    if (isMissing(attempt.error)) return;
    throw stoppedAt(`into the target: ${entries[0]!.drop!.trim()}`, attempt.error, true);
  }
  const middle = entries.length >> 1;
  await dropBatch(triggers, entries.slice(0, middle));
  await dropBatch(triggers, entries.slice(middle));
}

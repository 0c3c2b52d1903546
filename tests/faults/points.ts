/** Places in a run at which a worker is killed, in the order in which a run comes to them. */
import type { Point } from "./scene.ts";

/** A backend of the function whose statement waits for a lock. */
const waitingIn = (statement: string) => `
  select pid from pg_stat_activity
  where application_name like 'supabase-backup%' and query ilike '${statement}' and wait_event_type = 'Lock'`;

/** Nobody can read what a row has in TOAST while its index is made anew. */
const LOCK_TOAST = `do $$ begin
  execute 'reindex table ' || (select reltoastrelid::regclass from pg_class where oid = 'public.letters'::regclass);
end $$`;

/** The watch-dog gives a call that was received 45 seconds before it makes another one. */
export const LATER = `
  update backup.calls set created_at = created_at - interval '1 minute', used_at = used_at - interval '1 minute'
  where used_at is not null and worker is null`;

const HOLDER_THAT_WAITS = `
  select w.backend_pid as pid from backup.workers w join backup.live_workers l using (id)
  where w.leaving_at is not null and w.held_at is not null`;

/** The first numbers are the head's. */
const PART = /^POST .*\/000(1[7-9]|[2-9]\d)\.dump/;

export const POINTS: Record<string, Point> = {
  "before it has entered": { trigger: "enter", then: "undo", afterwards: LATER },
  "after it has entered": { trigger: "enter", then: "commit" },
  "while it plans": {
    query: waitingIn("lock table%"),
    lock: "lock table public.noise in access exclusive mode",
  },
  "before it stores the head": { request: /^POST .*\/00000\.dump/ },
  "after the head, before the plan": { trigger: "plan", then: "undo" },
  "after the plan": { trigger: "plan", then: "commit" },
  "before it holds the snapshot": { trigger: "hold", then: "undo" },
  "after it holds the snapshot": { trigger: "hold", then: "commit" },
  "before a claim": { trigger: "claim", then: "undo" },
  "after a claim": { trigger: "claim", then: "commit" },
  "in a COPY": { query: waitingIn("copy%letters%"), lock: LOCK_TOAST },
  "before it stores a part": { request: PART },
  "after a part, before its record": { trigger: "record_part", then: "undo" },
  "after a part's record": { trigger: "record_part", then: "commit" },
  "after the last part, before the slice is finished": { trigger: "finish_slice", then: "undo" },
  "after the slice is finished": { trigger: "finish_slice", then: "commit" },
  "while it waits to leave, the last who holds the snapshot": {
    query: HOLDER_THAT_WAITS,
    holdRequest: /^POST \/functions\/v1\/backup/,
  },
  "before it asks for its successor": { trigger: "retire", then: "undo" },
  "before it calls its successor": { trigger: "retire", then: "commit" },
  "before it leaves": { trigger: "leave", then: "undo" },
  "after it has left": { trigger: "leave", then: "commit" },
  "after it took on the finish": { trigger: "claim_finish", then: "commit" },
  "after a closing part, before its record": { trigger: "record_closing_part", then: "undo" },
  "after a closing part's record": { trigger: "record_closing_part", then: "commit" },
  "while it verifies": { request: /^GET .*\/00001\.dump/ },
  "after a part is verified": { trigger: "verified", then: "commit" },
  "before it stores the manifest": { request: /^POST .*\/manifest\.json/ },
  "after the manifest": { request: /^GET .*\/manifest\.json/ },
  "while it rotates": { request: /^DELETE / },
  "before success is recorded": { trigger: "succeed", then: "undo" },
  "after success is recorded": { trigger: "succeed", then: "commit" },
};

/** What the tasks of an invocation share. */
import type { StoredArchive } from "../manifest/stored_archive.ts";
import type { Session } from "../postgres/session.ts";
import type { Login } from "../postgres/target.ts";
import type { InsideClient, InsideTask } from "./inside_client.ts";
import type { Share } from "./share.ts";

export interface Work {
  openDatabase(purpose: string, login?: Login): Promise<Session>;
  /** Of the living database; the client uses it too, so what it records is in the session's transaction. */
  session: Session;
  client: InsideClient;
  share: Share;
  open(task: InsideTask): Promise<StoredArchive>;
}

/** Runs it in a transaction, which is still open when it throws. */
export async function transaction(
  { session: { sql }, share }: Work,
  run: () => Promise<void>,
): Promise<void> {
  await sql.unsafe("begin");
  await run();
  await sql.unsafe("commit");
  share.worked = true;
}

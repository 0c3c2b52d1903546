/** A project with a second bucket at an S3 stand-in, and what a person looks at. */
import { type S3, type S3Options, startS3 } from "../doubles/s3/s3.ts";
import type { StackOptions } from "../../stack/stack.ts";
import { type Project, type Run, startProject, until } from "../e2e/project.ts";

export const KEY = { accessKeyId: "AKIDSECOND", secretAccessKey: "top/secret+of the second bucket" };
export const BUCKET = "second";
export const PREFIX = "projects/one";

export interface Copy {
  name: string;
  verified_at: string | null;
  removed_at: string | null;
  objects: number | null;
  bytes: number | null;
  failures: number;
  files_at: string | null;
  files_left: number | null;
  error: { code: string; message: string; hint: string } | null;
}

export interface Scene extends Project {
  s3: S3;
  /** Answers in place of the second bucket; null lets requests through. */
  fault: ((request: Request) => Promise<Response | null> | Response | null) | null;
  copies(): Promise<Copy[]>;
  /** A backup, and the wait until its copy is whole. */
  backUpAndCopy(): Promise<{ run: Run; copy: Copy }>;
  /** Waits until a copy is as `holds` says; wakes the watch-dog of copies more often than pg_cron would. */
  copyOf(name: string, what: string, holds: (copy: Copy) => boolean): Promise<Copy>;
  /** Objects of the second bucket below the prefix. */
  inSecond(): Record<string, string[]>;
  reasons(): Promise<Record<string, string>>;
}

export interface SceneOptions extends Partial<S3Options>, Pick<StackOptions, "policy"> {
  secrets?: Record<string, string>;
}

export async function startScene(options: SceneOptions = {}): Promise<Scene> {
  const state: { fault: Scene["fault"] } = { fault: null };
  const s3 = startS3({
    keys: [KEY],
    buckets: [BUCKET],
    region: "eu-west-9",
    intercept: (request) => state.fault?.(request) ?? null,
    ...options,
  });
  let project: Project;
  try {
    project = await startProject({
      migrate: "directly",
      ...(options.policy ? { policy: options.policy } : {}),
      secrets: {
        BACKUP_S3_ENDPOINT: s3.url,
        BACKUP_S3_REGION: "eu-west-9",
        BACKUP_S3_BUCKET: BUCKET,
        BACKUP_S3_PREFIX: PREFIX,
        BACKUP_S3_ACCESS_KEY_ID: KEY.accessKeyId,
        BACKUP_S3_SECRET_ACCESS_KEY: KEY.secretAccessKey,
        ...options.secrets,
      },
    });
  } catch (error) {
    await s3.stop();
    throw error;
  }
  const { sql } = project;
  await sql`select backup.configure(second_copy => 's3')`;

  const scene: Scene = Object.assign(state, project, {
    s3,
    async copies() {
      const rows = await sql<{ copy: Copy }[]>`
        select to_jsonb(c) || jsonb_build_object('name', l.name) as copy
        from backup.copies c join backup.log l on l.id = c.run_id order by l.id`;
      return rows.map(({ copy }) => copy);
    },
    async copyOf(name: string, what: string, holds: (copy: Copy) => boolean) {
      let woken = Date.now();
      return await until(`the copy of ${name} ${what}`, async () => {
        if (Date.now() - woken > 2000) {
          woken = Date.now();
          await sql`select backup.watch()`;
        }
        return (await scene.copies()).find((copy) => copy.name === name && holds(copy)) ?? null;
      }).catch(async (error) => {
        const copies = JSON.stringify(await scene.copies());
        throw new Error(`${error.message}\n${copies}\n${project.logged.slice(-15).join("\n")}`);
      });
    },
    async backUpAndCopy() {
      const run = await project.backUp();
      if (run.status !== "succeeded") throw new Error(`no backup: ${run.error_message}`);
      const copy = await scene.copyOf(run.name, "is whole", ({ verified_at }) => verified_at !== null);
      return { run, copy };
    },
    inSecond() {
      const folders: Record<string, string[]> = {};
      for (const key of s3.buckets.get(BUCKET)!.keys()) {
        const [folder = "", name = ""] = key.slice(PREFIX.length + 1).split("/");
        (folders[folder] ??= []).push(name);
      }
      return folders;
    },
    async reasons() {
      const [row] = await sql<{ reasons: { code: string; severity: string }[] }[]>`
        select reasons from backup.health`;
      return Object.fromEntries(row!.reasons.map(({ code, severity }) => [code, severity]));
    },
    async [Symbol.asyncDispose]() {
      await project[Symbol.asyncDispose]();
      await s3.stop();
    },
  });
  return scene;
}

import assert from "node:assert/strict";
import { Budget } from "../../../supabase/functions/backup/budget.ts";
import { type RunClient, TOKEN_HEADER } from "../../../supabase/functions/backup/run/run_client.ts";
import { Succession } from "../../../supabase/functions/backup/worker/succession.ts";

/** A life of 100 bytes: 70 are more than the platform's share for one that takes calls. */
const LIFE = 100;
const RETIRED = 70;

interface Scene {
  succession: Succession;
  budget: Budget;
  /** Tokens that the function got. */
  sent: (string | null)[];
  /** How often a successor was asked for. */
  asked(): number;
  givenBack: { token: string; reason: string | null }[];
  stopping: AbortController;
}

/** A function that answers with these statuses in turn, the last one from then on; a database that issues a token. */
async function withFunction(
  statuses: number[],
  use: (scene: Scene) => Promise<void>,
  issue: (asked: number) => boolean = () => true,
): Promise<void> {
  const sent: (string | null)[] = [];
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    sent.push(request.headers.get(TOKEN_HEADER));
    const status = statuses[Math.min(sent.length, statuses.length) - 1]!;
    return new Response("an answer", { status, headers: { location: "/elsewhere" } });
  });
  let asked = 0;
  const givenBack: Scene["givenBack"] = [];
  const client = {
    retire: () => {
      const call = { url: `http://127.0.0.1:${server.addr.port}/backup`, token: "run-1" };
      return Promise.resolve(issue(++asked) ? call : null);
    },
    giveCallBack: (token: string, reason: string | null) => {
      givenBack.push({ token, reason });
      return Promise.resolve();
    },
  } as unknown as RunClient;
  const stopping = new AbortController();
  const budget = new Budget(LIFE);
  const succession = new Succession(client, budget, stopping.signal);
  await use({ succession, budget, sent, asked: () => asked, givenBack, stopping });
}

const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
};

Deno.test("[Succession] calls nobody while its isolate takes calls, and then once", async () => {
  await withFunction([202], async ({ succession, budget, sent, asked, givenBack }) => {
    succession.check();
    await succession.settled();
    assert.equal(asked(), 0);
    budget.spend(RETIRED);
    succession.check();
    succession.check();
    await succession.settled();
    assert.deepEqual([sent, asked(), givenBack], [["run-1"], 1, []]);
  });
});

Deno.test("[Succession] counts the export that is under way", async () => {
  await withFunction([202], async ({ succession, sent }) => {
    succession.check(RETIRED);
    await succession.settled();
    assert.equal(sent.length, 1);
  });
});

Deno.test("[Succession] repeats a call as long as it meets a busy isolate", async () => {
  await withFunction([429, 429, 202], async ({ succession, sent, givenBack }) => {
    succession.check(RETIRED);
    await succession.settled();
    assert.deepEqual([sent, givenBack], [["run-1", "run-1", "run-1"], []]);
  });
});

for (const status of [403, 500, 302]) {
  Deno.test(`[Succession] leaves a call that is answered with ${status} to pg_net, and says why`, async () => {
    await withFunction([status], async ({ succession, sent, givenBack }) => {
      succession.check(RETIRED);
      await succession.settled();
      assert.deepEqual(sent, ["run-1"]);
      assert.deepEqual(givenBack, [{ token: "run-1", reason: `${status} an answer` }]);
    });
  });
}

Deno.test("[Succession] an isolate that is about to end gives its call back without a reason", async () => {
  await withFunction([429], async ({ succession, sent, givenBack, stopping }) => {
    succession.check(RETIRED);
    await until(() => sent.length > 0);
    stopping.abort("cpu");
    await succession.settled();
    assert.deepEqual(givenBack, [{ token: "run-1", reason: null }]);
  });
});

Deno.test("[Succession] calls nobody for a run that is over", async () => {
  await withFunction([429], async ({ succession, sent, givenBack }) => {
    succession.check(RETIRED);
    await until(() => sent.length > 0);
    succession.end();
    await succession.settled();
    assert.deepEqual(givenBack, []);
  });
});

Deno.test("[Succession] asks again while no successor is needed", async () => {
  await withFunction([202], async ({ succession, budget, sent, asked }) => {
    budget.spend(RETIRED);
    while (sent.length === 0) {
      succession.check();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await succession.settled();
    assert.deepEqual([sent, asked()], [["run-1"], 3]);
  }, (asked) => asked === 3);
});

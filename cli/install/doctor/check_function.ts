/** Does the deployed function answer, and is it this release's? */
import type { Project } from "../../project/find_project.ts";
import { failed, type Finding, ok } from "./finding.ts";

const DEADLINE_MILLISECONDS = 20_000;
const DEPLOY = "Run `supabase functions deploy backup`.";

/** Returns the findings. Never throws: what cannot be asked is a finding. */
export async function checkFunction({ url, secretKey }: Project, version: string): Promise<Finding[]> {
  const address = `${url}/functions/v1/backup`;
  let response: Response;
  try {
    response = await fetch(address, {
      method: "POST",
      headers: {
        apikey: secretKey,
        authorization: `Bearer ${secretKey}`,
        "content-type": "application/json",
      },
      body: '{"version": true}',
      signal: AbortSignal.timeout(DEADLINE_MILLISECONDS),
    });
  } catch (error) {
    return [failed(
      "function",
      `${address} cannot be reached: ${(error as Error).message}`,
      "Check SUPABASE_URL and the network. A paused project must be resumed in the dashboard.",
    )];
  }
  const text = await response.text();
  const answer = parsed(text);
  if (response.ok && typeof answer.version === "string") {
    if (answer.version === version) return [ok("function", `version ${version}`)];
    return [
      failed("function", `The function is version ${answer.version}, this command is ${version}`, DEPLOY),
    ];
  }
  return [explained(response.status, text, answer)];
}

/** Explains what the gateway and the runtime answer before, or in place of, the function. */
function explained(status: number, text: string, { code, message }: Answer): Finding {
  const say = (what: string, fix: string) => failed("function", what, fix);
  if (status === 404) return say("The function is not deployed", DEPLOY);
  if (status === 401 && code === "unauthorized") {
    return say(
      "The function does not accept this key",
      "Set SUPABASE_SECRET_KEY to a secret key of this project (API keys in the dashboard).",
    );
  }
  if (status === 401) {
    return say(
      `The gateway wants a JWT before the function is asked (verify_jwt is on): ${
        (message ?? text).slice(0, 120)
      }`,
      `Set verify_jwt = false in [functions.backup] of supabase/config.toml. ${DEPLOY}`,
    );
  }
  if (code === "BOOT_ERROR" || /failed to (boot|start)|BOOT_ERROR/i.test(text)) {
    return say("The function does not start", `${DEPLOY} Its log in the dashboard says why.`);
  }
  if (status === 400) return say("The function is older than this command", DEPLOY);
  return say(
    `The function answered ${status}: ${(message ?? text).slice(0, 160)}`,
    "See the function's log in the dashboard.",
  );
}

interface Answer {
  version?: unknown;
  code?: string;
  message?: string;
}

function parsed(text: string): Answer {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

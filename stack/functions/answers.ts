/** The platform's own answers where a function gives none; its pages "Status codes" and "Error codes" list them. */
import type { EndReason } from "./report.ts";

/** A JSON body of code and message; the code is also the header `sb-error-code`. */
function answer(status: number, code: string, message: string): Response {
  return Response.json({ code, message }, {
    status,
    headers: { "sb-error-code": code, "access-control-expose-headers": "sb-error-code" },
  });
}

export function notFound(): Response {
  return answer(404, "NOT_FOUND", "Requested function was not found");
}

export function unauthorized(code: string, message: string): Response {
  return answer(401, `UNAUTHORIZED_${code}`, message);
}

export function idleTimeout(responseMs: number): Response {
  return answer(504, "IDLE_TIMEOUT", `Request idle timeout limit (${responseMs / 1000}s) reached`);
}

/** The answer to a request whose worker ended before it answered. */
export function workerEnded(reason: EndReason): Response {
  switch (reason) {
    case "boot_error":
      return answer(503, "BOOT_ERROR", "Function failed to start (please check logs)");
    case "crash":
    case "killed":
      return answer(500, "WORKER_ERROR", "Function exited due to an error (please check logs)");
    default:
      return answer(
        546,
        "WORKER_RESOURCE_LIMIT",
        "Function failed due to not having enough compute resources (please check logs)",
      );
  }
}

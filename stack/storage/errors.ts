/**
 * Errors of the Storage API, a function for each. The status in the body is the true one; over HTTP nearly every
 * refusal of a client is a plain 400, which is how the real server behaves.
 */
import postgres from "postgres";

export class StorageError extends Error {
  override readonly name = "StorageError";

  constructor(
    readonly code: string,
    readonly statusCode: number,
    message: string,
    /** The field `error` of the body: older than `code`, and not always the same. */
    readonly error: string = code,
    /** Status of the HTTP response. */
    readonly httpStatus: number = statusCode === 500 ? 500 : 400,
  ) {
    super(message);
  }

  /** The response's body. */
  body(): { statusCode: string; error: string; message: string; code: string } {
    return { statusCode: String(this.statusCode), error: this.error, message: this.message, code: this.code };
  }
}

const DUPLICATE = "The resource already exists";

export const errors = {
  /** The request has not the shape that the route asks for. */
  invalidRequest: (message: string) => new StorageError("InvalidRequest", 400, message, "Error"),
  unreadableBody: (message: string) => new StorageError("InvalidRequest", 400, message, "FastifyError"),
  noContent: () => new StorageError("InvalidRequest", 400, "No content provided"),
  noSuchRoute: (method: string, path: string) =>
    new StorageError("InvalidRequest", 404, `Route ${method}:${path} not found`, "Not Found", 404),
  notInStandIn: (what: string) =>
    new StorageError(
      "NotSupported",
      501,
      `${what} is not part of this stand-in for the Storage API: use the routes below /bucket and /object`,
      "NotSupported",
      501,
    ),

  accessDenied: (message: string) => new StorageError("AccessDenied", 403, message, "Unauthorized"),
  /** Refused by the route itself, before the database is asked: with the true status over HTTP. */
  wrongRole: () => new StorageError("AccessDenied", 403, "Access denied: Invalid role", "Unauthorized", 403),
  invalidJwt: (message: string) => new StorageError("InvalidJWT", 400, message),
  invalidSignature: (message = "Invalid signature") => new StorageError("InvalidSignature", 400, message),

  noSuchBucket: () => new StorageError("NoSuchBucket", 404, "Bucket not found", "Bucket not found"),
  bucketExists: () => new StorageError("BucketAlreadyExists", 409, DUPLICATE, "Duplicate"),
  bucketNotEmpty: () =>
    new StorageError("ResourceNotEmpty", 409, "The bucket you tried to delete is not empty"),
  invalidBucketName: () => new StorageError("InvalidBucketName", 400, "Bucket name invalid", "Invalid Input"),

  noSuchKey: () => new StorageError("NoSuchKey", 404, "Object not found", "not_found"),
  fileIsGone: () => new StorageError("NoSuchKey", 404, "The resource was not found", "Not found"),
  keyExists: () => new StorageError("KeyAlreadyExists", 409, DUPLICATE, "Duplicate"),
  invalidKey: (key: string) => new StorageError("InvalidKey", 400, `Invalid key: ${key}`),

  tooLarge: () =>
    new StorageError(
      "EntityTooLarge",
      413,
      "The object exceeded the maximum allowed size",
      "Payload too large",
    ),
  invalidMimeType: (type: string) =>
    new StorageError("InvalidMimeType", 415, `mime type ${type} is not supported`, "invalid_mime_type"),
  invalidParameter: (name: string) => new StorageError("InvalidParameter", 400, `Invalid Parameter ${name}`),
  invalidRange: () => new StorageError("InvalidRange", 416, "invalid range provided", "invalid_range", 416),
};

/** The refusal that stands for an error of the database; any other error comes back as it is. */
export function fromDatabase(error: unknown): unknown {
  if (!(error instanceof postgres.PostgresError)) return error;
  switch (error.code) {
    case "42501":
      return errors.accessDenied(
        error.message.includes("row-level security")
          ? "new row violates row-level security policy"
          : error.message,
      );
    case "23505":
      return new StorageError("ResourceAlreadyExists", 409, DUPLICATE, "Duplicate");
    case "23503":
      return new StorageError("InvalidRequest", 404, "The related resource does not exist");
    case "57014":
      return new StorageError(
        "DatabaseTimeout",
        544,
        "The connection to the database timed out",
        undefined,
        544,
      );
    case "22P02":
      return new StorageError("InvalidParameter", 400, error.message);
    default:
      return Object.assign(
        new StorageError("DatabaseError", 500, `database error, code: ${error.code}`),
        { cause: error },
      );
  }
}

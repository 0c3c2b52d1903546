/** Refusals as S3 words them: a status, and a code and message in XML. */
export class S3Error extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }

  /** HEAD has none. */
  body(resource: string): string {
    return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${this.code}</Code><Message>${
      escaped(this.message)
    }</Message><Resource>${escaped(resource)}</Resource><RequestId>4442587FB7D0A2F9</RequestId></Error>`;
  }
}

export function escaped(text: string): string {
  return text.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

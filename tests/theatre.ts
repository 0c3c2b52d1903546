/** The demo's database, for startStack({ load }). */
export const THEATRE = new URL("../examples/theatre/", import.meta.url);

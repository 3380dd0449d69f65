// Requests to the server. The key lives in this variable and nowhere else.
let key = null;
const PATIENCE = 10_000; // milliseconds

export function setKey(value) {
  key = value;
}

// Why there is no answer. `code` is the server's word, or "unreachable"; `wait` is in seconds, where it named a time.
export class Refused extends Error {
  constructor(code, detail, wait = 0) {
    super(detail);
    this.code = code;
    this.wait = wait;
  }
}

// A server that says nothing for `patience` milliseconds cannot be reached.
async function send(path, options, patience = PATIENCE) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  let response;
  let body;
  try {
    const signal = AbortSignal.timeout(patience);
    response = await fetch(path, { ...options, headers, signal, cache: "no-store", credentials: "omit" });
    body = await response.json();
  } catch {
    throw new Refused("unreachable", "The server cannot be reached.");
  }
  if (!response.ok) {
    const code = String(body?.code ?? "refused"); // a proxy's error may have another form
    const detail = body?.detail ?? `The server refuses (${response.status}).`;
    throw new Refused(code, detail, Number(response.headers.get("Retry-After")) || 0);
  }
  return body;
}

export function askModel() {
  return send("/v1/model");
}

// Ask for the answer to photos of one presentation, or a clip.
export function askScore(files, patience) {
  const form = new FormData();
  files.forEach((file, number) => form.append("file", file, file.name ?? `frame-${number + 1}.jpg`));
  return send("/v1/score", { method: "POST", body: form }, patience);
}

// The endpoints. An error has a message, a hint that says what to do, and the status; 0 is no answer at all.

const BASE = "/api/ops/";
const SIGN_IN = "/.auth/login/aad?post_login_redirect_uri=/api/ops/";
const HINTS = {
  0: "Is the network there, and does the app run? If you were signed in long ago, load this page again.",
  401: "Your session is over.",
  404: "It may have ended meanwhile. Read the list again.",
  503: "Nothing was lost. Try again in a minute.",
};

export class ApiError extends Error {
  /** `messages`: all that the app said, one by one. */
  constructor(status, message, hint, messages = [message]) {
    super(message);
    this.status = status;
    this.hint = hint;
    this.messages = messages;
    this.link = status === 401 ? { href: SIGN_IN, text: "Sign in" } : null;
  }
}

export const get = (path, query) => ask(path + parameters(query));

export const post = (path, body) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) });

/** A path of parts that are escaped: names of syncs and object ids. */
export const path = (...parts) => parts.map(encodeURIComponent).join("/");

const PAUSES = [2, 3, 5, 10, 20]; // seconds between two questions what became of something that was asked for

/** One turn after each pause, as long as `shown` is on the page. */
export async function* turns(shown) {
  for (const pause of PAUSES) {
    await new Promise((resolve) => setTimeout(resolve, pause * 1000));
    if (!shown.isConnected) return;
    yield;
  }
}

/** The control of each sync of these that a person paused, by name. Without an answer none is known. */
export async function paused(names) {
  const said = await get("status").catch(() => ({ syncs: [] }));
  return new Map(said.syncs.filter((each) => names.includes(each.name) && each.control !== "running").map((each) => [each.name, each.control]));
}

function parameters(query) {
  const given = Object.entries(query ?? {}).filter(([, value]) => value);
  return given.length ? "?" + new URLSearchParams(given) : "";
}

let open = 0; // requests without an answer: a line at the top says that there are some

function count(by) {
  open += by;
  document.documentElement.toggleAttribute("data-asks", open > 0);
}

async function ask(path, options) {
  count(1);
  try {
    return await answered(path, options);
  } finally {
    count(-1);
  }
}

async function answered(path, options) {
  let response;
  try {
    // A session that is over may be answered by a way to the sign-in elsewhere, which a script cannot follow.
    response = await fetch(BASE + path, { redirect: "manual", ...options });
  } catch {
    throw new ApiError(0, "The app does not answer.", HINTS[0]);
  }
  if (response.type === "opaqueredirect" || response.status === 401) throw new ApiError(401, "You are not signed in.", HINTS[401]);
  const said = await response.json().catch(() => null);
  if (response.ok && said !== null) return said;
  if (said?.error) {
    const { messages, hint } = said.error;
    throw new ApiError(response.status, sentence(messages.join("; ")), hint ?? HINTS[response.status] ?? "", messages);
  }
  if (response.status === 409 && said) return said;
  throw new ApiError(response.status, `The app answered with ${response.status}.`, HINTS[response.status] ?? "");
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

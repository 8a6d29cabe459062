// A university's side of course credit, in one file: it takes learners' forms and sends signed decisions. Node 18 or newer.
//
//   SHARED_SECRET=… node university.mjs serve 8091
//   SHARED_SECRET=… CALLBACK_URL=https://…/callback node university.mjs decide REQUEST_UUID approved
//   SHARED_SECRET=… node university.mjs sign < messages

import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const SECRET = process.env.SHARED_SECRET ?? "";
const MAX_AGE = 15 * 60; // seconds
const MAX_BODY = 64 * 1024; // bytes
const ATTEMPTS = 5;
const KEYS = [
  "course_completion_timestamp", "course_num", "course_org", "course_run", "enrollment_timestamp", "final_grade",
  "request_uuid", "timestamp", "user_country", "user_email", "user_full_name", "user_mailing_address", "user_username",
];

// === Signing
// All pairs but the signature, sorted by key, as key:value, with nothing between them. A message is a Map of texts.
function signedText(message) {
  return sortedKeys(message).map((key) => `${key}:${message.get(key)}`).join("");
}

function sortedKeys(message) {
  const keys = [...message.keys()].filter((key) => key !== "signature");
  // By bytes, which is the order of code points; sort() alone compares UTF-16 units.
  return keys.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
}

function signature(message, secret) {
  return createHmac("sha256", secret).update(signedText(message), "utf8").digest("hex");
}

function isGenuine(message, secret) {
  const claimed = Buffer.from(message.get("signature") ?? "");
  const right = Buffer.from(signature(message, secret));
  return claimed.length === right.length && timingSafeEqual(claimed, right);
}

// === Receiving
// Why a form is refused, or null. The signature comes first: nothing else can be believed without it.
function complaint(form) {
  if (!isGenuine(form, SECRET)) return "The signature is wrong.";
  if (sortedKeys(form).join() !== KEYS.join()) return "These are not the keys of a credit request.";
  if (Math.abs(Date.now() / 1000 - Number(form.get("timestamp"))) > MAX_AGE) {
    return "The form is too old. Please start again at your learning platform.";
  }
  return null;
}

async function receive(request, response) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length <= MAX_BODY) chunks.push(chunk);
  }
  if (length > MAX_BODY) return answer(response, 413, "The form is too long.");
  const form = new Map(new URLSearchParams(Buffer.concat(chunks).toString()));
  const problem = complaint(form);
  if (problem === null) {
    remember(form);
    const thanks = `Thank you, ${form.get("user_full_name")}. We will decide on ${form.get("request_uuid")}.`;
    return answer(response, 200, thanks);
  }
  // The text that was signed helps while you develop. In production, log it instead: it holds personal data.
  const hint = isGenuine(form, SECRET) ? "" : `\nThis is the text that was signed here:\n${signedText(form)}`;
  return answer(response, 403, problem + hint);
}

function answer(response, status, text) {
  const escaped = text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  response.writeHead(status, { "Content-Type": "text/html; charset=utf-8" });
  response.end(`<!doctype html><meta charset=utf-8><title>University</title><pre>${escaped}</pre>`);
}

// Your work: keep the request under its request_uuid. The same uuid comes again with fresh values.
function remember(form) {
  console.log(`received ${form.get("request_uuid")}`);
}

// === Telling the decision
// Tell the decision until the service has it; return an exit status.
async function decide(requestUuid, status) {
  let wait = 0;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt) await sleep(Math.max(wait, 2 ** (attempt - 1)));
    // Signed anew each time: the service takes only recent messages.
    const now = String(Math.floor(Date.now() / 1000));
    const message = new Map(Object.entries({ request_uuid: requestUuid, status, timestamp: now }));
    message.set("signature", signature(message, SECRET));
    const { code, body, retryAfter } = await post(process.env.CALLBACK_URL, message);
    console.log(code, body);
    if (code === 200) return 0;
    if (code !== 0 && code !== 429 && code < 500) break; // repeating it would not help
    wait = retryAfter;
  }
  return 1;
}

// Return status, body and how many seconds to wait before the next attempt; status 0 if nobody answers.
async function post(url, message) {
  try {
    const body = new URLSearchParams([...message]);
    const response = await fetch(url, { method: "POST", body, redirect: "manual", signal: AbortSignal.timeout(10_000) });
    const retryAfter = Number(response.headers.get("Retry-After")) || 0;
    return { code: response.status, body: await response.text(), retryAfter };
  } catch (error) {
    return { code: 0, body: `no answer: ${error.cause ?? error}`, retryAfter: 0 };
  }
}

const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

// === Starting
async function main([command, ...rest]) {
  if (command === "sign") {
    const lines = readFileSync(0, "utf8").split("\n").slice(0, -1);
    for (const line of lines) console.log(signature(new Map(new URLSearchParams(line)), SECRET));
    return 0;
  }
  if (!SECRET.trim()) {
    console.error("Set SHARED_SECRET.");
    return 2;
  }
  if (command === "serve") {
    createServer(receive).listen(Number(rest[0]), "127.0.0.1");
    return undefined; // until it is stopped
  }
  if (command === "decide" && ["approved", "rejected"].includes(rest[1])) return decide(...rest);
  console.error("Arguments: serve PORT, decide REQUEST_UUID approved|rejected, or sign.");
  return 2;
}

process.exitCode = await main(process.argv.slice(2));

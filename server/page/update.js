// update.js - loads the page anew when the server has a newer one and nobody is at
// work on this one.
import { session } from "./api.js";
import { waiting } from "./answer.js";
import { forTab } from "./storage.js";
import { ui } from "./ui.js";

const IDLE_MS = 30000;
const mine = document.querySelector("meta[name=version]").content;

const idle = () => !ui.open && !waiting().length && !document.querySelector("dialog[open]") &&
  (document.hidden || Date.now() - ui.touched > IDLE_MS);

export async function updateIfIdle() {
  const theirs = session.me?.page;
  // Once for each version, or a proxy's old file would reload it for ever.
  if (!theirs || theirs === mine || !idle() || forTab.read("updated", "") === theirs) return;
  forTab.write("updated", theirs);
  const worker = await navigator.serviceWorker?.getRegistration().catch(() => null);
  await worker?.update().catch(() => {});
  if (idle()) location.reload();
  else forTab.drop("updated");
}

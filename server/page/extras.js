// extras.js - modules that are loaded when they are needed: those of features that
// only some shops have, by the name that /api/v1/me gives in `features`, and
// those of what is seldom opened.  sw.js lists them.
//
// A feature's module exports any of these:
//   view()         its view: an item of keep(), for ui.open = its name
//   scanned(code)  a scanner read `code` while its view is open; as ship.scanned()
//   menu(close)    buttons for the device's menu
//   picture(line), facts(line)   elements of a line
//   counts(order, ms left, hold), countButton(order, ms left, ask)   after "Out of
//       stock": see count.js
//   and what else a module of the page asks for with fromFeatures()
import { session } from "./api.js";
import { draw } from "./ui.js";

const version = document.querySelector("meta[name=version]").content;
const loaded = new Map();   // name -> promise of the module
const features = new Map(); // name -> module
let tries = 0;

// Resolves with the module; rejects if it cannot be loaded now.  A browser never
// asks again for an address that failed: each try has its own.
export function load(name) {
  if (!loaded.has(name)) {
    const module = import(`./${name}.js?v=${version}#${++tries}`);
    loaded.set(name, module);
    module.catch(() => loaded.delete(name));
  }
  return loaded.get(name);
}

// Loads the modules of the shop's features, and drops those that it no longer has.
// What fails is tried again at the next call.
export function loadFeatures() {
  const { features: names = [] } = session.me;
  for (const name of features.keys()) if (!names.includes(name)) features.delete(name);
  for (const name of names) {
    if (features.has(name)) continue;
    load(name).then((m) => { if (session.me?.features.includes(name)) { features.set(name, m); draw(); } }, () => {});
  }
}

// Their names, for the signs of what they draw.
export const featureNames = () => [...features.keys()].join();

// The module of a feature of this shop, if it is loaded.
export const feature = (name) => features.get(name);

// What the function `what` of each feature's module returns, in one list.
export const fromFeatures = (what, ...args) => [...features.values()].flatMap((m) => m[what]?.(...args) ?? []);

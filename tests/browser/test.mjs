// SPDX-License-Identifier: MIT
//
// test.mjs - what a test is: a name that is a sentence, and a function that gets
// a world of its own and screens in it.

import { screen, startWorld } from "./servers.mjs";

export const tests = [];

// options: what startWorld() takes; `world: false` starts none;
// late: ms after which it has failed.
export function test(name, options, fn) {
  tests.push(fn ? { name, options, fn } : { name, options: {}, fn: options });
}

// A 409 and a lost connection are in the console too; what else is there is a
// defect: of the page, or against its security policy.
const defects = (page) => page.errors.filter((e) => !e.startsWith("Failed to load resource"));

// Fails after `ms` at the latest, and leaves nothing of it open.
export async function run(browser, { options, fn }, ms) {
  const pages = [];
  let timer;
  const world = options.world === false ? null : await startWorld(options);
  try {
    const open = async (how) => {
      const page = await screen(browser, world, how);
      pages.push(page);
      return page;
    };
    const late = new Promise((_, no) => { timer = setTimeout(() => no(new Error(`not done in ${ms / 1000} s`)), ms); });
    await Promise.race([late, fn({ world, open, browser, place: (order) => world.place({ warehouses: [3, 4], ...order }) })]);
    const wrong = pages.flatMap(defects);
    if (wrong.length) throw new Error(`on the console: ${wrong.join("\n")}`);
  } catch (e) {
    if (world) e.message += `\nthe server said: ${world.server.log.join("").split("\n").slice(-6).join("\n")}`;
    throw e;
  } finally {
    clearTimeout(timer);
    await Promise.all(pages.map((p) => p.context().close().catch(() => {})));
    await world?.stop();
  }
}

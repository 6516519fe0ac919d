// storage.js - what this browser keeps.  Storage may be full, denied or broken:
// then a value is kept by this page alone, and nothing throws.

function keeper(name) {
  const here = new Map();   // what storage did not take
  const attempt = (f, otherwise) => { try { return f(window[name]) ?? otherwise; } catch { return otherwise; } };
  return {
    // The value of `key`; `otherwise` when there is none, or none that can be read.
    read(key, otherwise) {
      const text = here.get(key) ?? attempt((s) => s.getItem(key), null);
      try { return text === null ? otherwise : JSON.parse(text) ?? otherwise; } catch { return otherwise; }
    },
    write(key, value) {
      const text = JSON.stringify(value);
      here.delete(key);
      if (!attempt((s) => { s.setItem(key, text); return true; }, false)) here.set(key, text);
    },
    drop(key) { here.delete(key); attempt((s) => s.removeItem(key)); },
    keys(prefix) {
      const all = attempt((s) => Array.from({ length: s.length }, (_, i) => s.key(i)), []);
      return [...new Set([...all, ...here.keys()])].filter((k) => k.startsWith(prefix));
    },
  };
}

export const forBrowser = keeper("localStorage");   // all tabs, for good
export const forTab = keeper("sessionStorage");     // this tab, while it is open

// Run pytest on CPython in WebAssembly: node run.mjs PYODIDE SITE [ARGUMENT...], in the repository.
// SITE is a directory of installed packages. There are no threads, processes or signals.
import { pathToFileURL } from "node:url";
import { Worker, isMainThread, workerData } from "node:worker_threads";

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url), {
    workerData: process.argv.slice(2),
    resourceLimits: { stackSizeMb: 200 }, // deeply nested data recurse deeply
  });
  worker.on("exit", (status) => process.exit(status));
} else {
  // A worker's streams have no descriptors of their own, and Pyodide writes to descriptors.
  [process.stdin, process.stdout, process.stderr].forEach((stream, fd) => {
    Object.defineProperty(stream, "fd", { value: fd });
  });
  const [pyodide, site, ...args] = workerData;
  const { loadPyodide } = await import(pathToFileURL(`${pyodide}/pyodide.mjs`).href);
  const python = await loadPyodide({ env: { HOME: "/tmp", PYTHONDONTWRITEBYTECODE: "1" } });
  for (const [mount, root] of Object.entries({ "/repository": process.cwd(), "/site": site })) {
    python.FS.mkdirTree(mount);
    python.FS.mount(python.FS.filesystems.NODEFS, { root }, mount);
  }
  python.globals.set("arguments", python.toPy(args));
  const status = python.runPython(`
    import os, sys
    sys.path[:0] = ["/repository", "/site"]
    os.chdir("/repository")
    import pytest
    int(pytest.main(list(arguments)))
  `);
  process.exit(status);
}

// Check the dashboard: `check.mjs types` runs tsc, so that a missing Russian string fails;
// `check.mjs unit` runs test/*_test.ts(x) under node's own test runner.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { install } from './build.mjs';

const web = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(web, '..', 'build', 'web-test');

function run(args, env = {}) {
  const done = spawnSync(process.execPath, args, { cwd: web, stdio: 'inherit', env: { ...process.env, ...env } });
  return done.status ?? 1;
}

async function unit() {
  const { build } = await import('esbuild');
  const tests = fs.readdirSync(path.join(web, 'test')).filter((name) => /_test\.tsx?$/.test(name));
  fs.rmSync(out, { recursive: true, force: true });
  await build({
    entryPoints: tests.map((name) => path.join(web, 'test', name)), outdir: out, outExtension: { '.js': '.mjs' },
    inject: [path.join(web, 'test', 'browser.js')], bundle: true, platform: 'node', format: 'esm', target: 'node18', jsx: 'automatic', jsxImportSource: 'preact',
    absWorkingDir: web, logLevel: 'error',
  });
  // A time zone with summer time that is not UTC, so that a test which forgets about zones fails.
  return run(['--test', ...tests.map((name) => path.join(out, name.replace(/\.tsx?$/, '.mjs')))], { TZ: 'Europe/Berlin' });
}

install();
if (process.argv[2] === 'types') process.exit(run(['node_modules/typescript/bin/tsc', '-p', '.', '--noEmit']));
if (process.argv[2] === 'unit') process.exit(await unit());
console.error('usage: check.mjs types|unit');
process.exit(2);

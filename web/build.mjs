// Build the dashboard: web/src becomes build/web/{index.html,app.js,app.css}.gz, which are embedded in
// the server. Names of script and style carry a hash of their content (app.js.name, app.css.name).
//
// Run by `./dev` and by CMake for each preset; does nothing when no input has changed. Node 18 or
// later. Packages come from npm by the lock file, into web/node_modules.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const web = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(web, '..', 'build', 'web');
const stamp = path.join(out, 'stamp');
const outputs = ['index.html.gz', 'app.js.gz', 'app.css.gz', 'app.js.name', 'app.css.name'];

/** Bytes, compressed, that the two files may have: `./dev build` fails above. */
const BUDGET = { 'app.js': 90 * 1024, 'app.css': 10 * 1024 };

const hashOf = (bytes, digits) => createHash('sha256').update(bytes).digest('hex').slice(0, digits);

function filesBelow(folder) {
  return fs.readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const file = path.join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(file) : [file];
    })
    .sort();
}

/** Everything that the result depends on. */
function inputFiles() {
  return [...filesBelow(path.join(web, 'src')), path.join(web, 'build.mjs'),
    path.join(web, 'package-lock.json')];
}

function inputHash() {
  return hashOf(inputFiles().map((file) => path.relative(web, file) + hashOf(fs.readFileSync(file), 64)).join('\n'), 64);
}

/** Install the packages of the lock file when they are not those that are there. */
export function install() {
  const lock = fs.readFileSync(path.join(web, 'package-lock.json'));
  const mark = path.join(web, 'node_modules', '.sonde-lock');
  if (fs.existsSync(mark) && fs.readFileSync(mark).equals(lock)) return;
  console.log('web: npm ci');
  try {
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
      { cwd: web, stdio: ['ignore', 'ignore', 'inherit'] });
  } catch {
    console.error('web: npm ci failed: the packages of web/package-lock.json cannot be fetched');
    process.exit(1);
  }
  fs.writeFileSync(mark, lock);
}

/** Write a file whole: another preset may read the old one meanwhile. */
function write(name, bytes) {
  const file = path.join(out, name);
  fs.writeFileSync(`${file}.${process.pid}`, bytes);
  fs.renameSync(`${file}.${process.pid}`, file);
}

/** Make outputs newer than what they are made of (a checkout gives files new times): ninja asks for that.
 * Those that are newer stay, so that no other preset links again. */
function touchOlder() {
  const newest = Math.max(...inputFiles().map((file) => fs.statSync(file).mtimeMs));
  const now = new Date();
  for (const name of outputs) {
    const file = path.join(out, name);
    if (fs.statSync(file).mtimeMs < newest) fs.utimesSync(file, now, now);
  }
}

const bundleOptions = {
  bundle: true, minify: true, write: false, target: 'es2022', charset: 'utf8', legalComments: 'none',
  jsx: 'automatic', jsxImportSource: 'preact', absWorkingDir: web, logLevel: 'error',
};

async function bundle(esbuild, entry) {
  const result = await esbuild.build({ ...bundleOptions, format: 'iife', entryPoints: [entry] });
  return Buffer.from(result.outputFiles[0].contents);
}

/** Compress, check the budget, write; returns the name with the hash. */
function emit(name, bytes) {
  const packed = gzipSync(bytes, { level: 9 });
  if (packed.length > BUDGET[name]) {
    console.error(`web: ${name} has ${packed.length} bytes compressed, the budget is ${BUDGET[name]}`);
    process.exit(1);
  }
  const { name: stem, ext } = path.parse(name);
  const hashed = `${stem}-${hashOf(bytes, 10)}${ext}`;
  write(`${name}.gz`, packed);
  write(`${name}.name`, hashed);
  console.log(`web: ${name} ${bytes.length} bytes, ${packed.length} compressed`);
  return hashed;
}

async function build() {
  install();
  const esbuild = await import('esbuild');
  const script = emit('app.js', await bundle(esbuild, 'src/main.tsx'));
  const style = emit('app.css', await bundle(esbuild, 'src/style/main.css'));
  const page = fs.readFileSync(path.join(web, 'src', 'index.html'), 'utf8')
    .replace('app.css', `assets/${style}`).replace('app.js', `assets/${script}`);
  write('index.html.gz', gzipSync(page, { level: 9 }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  fs.mkdirSync(out, { recursive: true });
  const hash = inputHash();
  const isCurrent = fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === hash
    && outputs.every((name) => fs.existsSync(path.join(out, name)));
  if (isCurrent) {
    touchOlder();
  } else {
    await build();
    write('stamp', hash);
  }
}

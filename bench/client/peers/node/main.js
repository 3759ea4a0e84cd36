// The workloads of bench/client/record_bench.c with prom-client, in its one thread.
const client = require("prom-client");

const INPUTS = 65536, OPS = 32768, SLICES = 60;
const bounds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const methods = ["GET", "POST", "DELETE"], codes = ["200", "201", "404", "500", "503"];
const pad = (number, width) => String(number).padStart(width, "0");
let seed = 12345;
const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
const seconds = Array.from({ length: INPUTS }, () => 0.0005 * 20000 ** random());
const children = Array.from({ length: INPUTS }, () => Math.floor(random() * 750));
const paths = Array.from({ length: 50 }, (_, i) => `/api/v1/users/${pad(i, 2)}/items`);

function measure(name, work) {
  let best = Infinity;
  for (let slice = 0; slice < SLICES; slice++) {
    const from = process.hrtime.bigint();
    work(slice * 977, OPS);
    best = Math.min(best, Number(process.hrtime.bigint() - from) / OPS);
  }
  console.log(`${name}.1_thread ${best.toFixed(2)}`);
}

async function page(lines) {
  const registry = new client.Registry();
  for (let family = 0; family < 10; family++) {
    const counters = new client.Counter({
      name: `app_requests_${family}_total`, help: "Requests.",
      labelNames: ["method", "path", "status"], registers: [registry],
    });
    for (let i = 0; i < lines / 20; i++)
      counters.inc({ method: methods[i % 3], path: `/api/v1/items/${pad(i, 6)}`,
                     status: codes[i % 5] }, children[i % INPUTS]);
    const histograms = new client.Histogram({
      name: `app_latency_${family}_seconds`, help: "Latency.", buckets: bounds,
      labelNames: ["method", "path"], registers: [registry],
    });
    for (let i = 0; i < Math.floor(lines / 280); i++)
      for (let k = 0; k < 20; k++)
        histograms.observe({ method: methods[i % 3], path: `/api/v1/items/${pad(i, 6)}` },
                           seconds[(i * 20 + k) % INPUTS]);
  }
  let best = Infinity;
  for (let round = 0; round < 2; round++) {
    const from = process.hrtime.bigint();
    await registry.metrics();
    best = Math.min(best, Number(process.hrtime.bigint() - from) / 1e6);
  }
  console.log(`page.${lines}_lines ${best.toFixed(2)}`);
}

const each = (body) => (at, n) => { for (let i = 0; i < n; i++) body((at + i) % INPUTS); };
const counter = new client.Counter({ name: "c_total", help: "h" });
const gauge = new client.Gauge({ name: "g", help: "h" });
const histogram = new client.Histogram({ name: "h_seconds", help: "h", buckets: bounds });
const errors = new client.Counter({ name: "e_total", help: "h" });
const family = new client.Counter({ name: "r_total", help: "h",
                                    labelNames: ["method", "path", "status"] });
measure("counter_inc", each(() => counter.inc()));
measure("gauge_set", each((i) => gauge.set(seconds[i])));
measure("gauge_add", each(() => gauge.inc(1)));
measure("histogram_observe", each((i) => histogram.observe(seconds[i])));
measure("labels_random", each((i) => {
  const c = children[i];
  family.inc({ method: methods[c % 3], path: paths[Math.floor(c / 3) % 50],
               status: codes[Math.floor(c / 150)] });
}));
measure("operation_tracked", each((i) => {
  const end = histogram.startTimer();
  const bad = children[i] < 8;
  end();
  if (bad) errors.inc();
}));
page(1000000);

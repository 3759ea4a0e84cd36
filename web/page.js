// The landing page: percentages of the last hour, one chart per series, live. No library.
"use strict";

const METRICS = [
  ["sonde_host_cpu_percent", () => "CPU"],
  ["sonde_host_memory_used_percent", () => "Memory"],
  ["sonde_host_disk_used_percent", (labels) => `Disk ${labels.mountpoint}`],
];
const REFRESH_MS = 5000;
const STEP_S = 15;
const SPAN_S = 3600;
const SVG = "http://www.w3.org/2000/svg";

const byId = (id) => document.getElementById(id);
const charts = new Map(); // metric and labels -> its elements

function element(name, parent, className) {
  const node = document.createElement(name);
  if (className) node.className = className;
  parent.append(node);
  return node;
}

function shape(name, parent, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  parent.append(node);
  return node;
}

function makeChart(title) {
  const figure = element("figure", byId("charts"));
  const caption = element("figcaption", figure);
  element("span", caption).textContent = title;
  const value = element("span", caption, "value");
  const svg = shape("svg", figure, { viewBox: "0 0 100 100", preserveAspectRatio: "none", role: "img", "aria-label": title });
  for (const y of [0, 50, 100]) shape("line", svg, { x1: 0, x2: 100, y1: y, y2: y });
  const band = shape("path", svg, { class: "band" });
  const line = shape("path", svg, {});
  const axis = element("div", figure, "axis");
  return { figure, value, band, line, axis: [element("span", axis), element("span", axis)] };
}

// Pieces of consecutive steps that have a value: a gap is a gap, never a straight line.
function pieces(values) {
  const found = [];
  values.forEach((value, i) => {
    if (value === null) return;
    if (i > 0 && values[i - 1] !== null) found[found.length - 1].push(i);
    else found.push([i]);
  });
  return found;
}

function draw(chart, series, times) {
  const x = (i) => ((100 * i) / Math.max(1, times.length - 1)).toFixed(2);
  const y = (value) => (100 - Math.min(100, Math.max(0, value))).toFixed(2);
  const along = (indexes, values) => indexes.map((i) => `${x(i)},${y(values[i])}`).join("L");
  const parts = pieces(series.avg);
  chart.line.setAttribute("d", parts.map((p) => `M${along(p, series.avg)}${p.length === 1 ? "h0.01" : ""}`).join(""));
  chart.band.setAttribute("d", parts.map((p) => `M${along(p, series.max)}L${along([...p].reverse(), series.min)}Z`).join(""));
  const last = parts.length ? series.avg[parts[parts.length - 1].at(-1)] : null;
  chart.value.textContent = last === null ? "no data" : `${last.toFixed(1)}\u202f%`;
  const clock = (t) => new Date(t * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  chart.axis[0].textContent = clock(times[0]);
  chart.axis[1].textContent = clock(times[times.length - 1]);
}

async function getJson(url) {
  const response = await fetch(url);
  const body = await response.json();
  if (!response.ok) throw new Error(body.error || response.statusText);
  return body;
}

async function refreshMetric([metric, titleOf], end) {
  const query = new URLSearchParams({ metric, start: end - SPAN_S, end, step: STEP_S });
  const { data } = await getJson(`api/v1/history?${query}`);
  for (const series of data.series) {
    const key = metric + JSON.stringify(series.labels);
    if (!charts.has(key)) charts.set(key, makeChart(titleOf(series.labels)));
    draw(charts.get(key), series, data.t);
  }
}

async function refresh() {
  const state = byId("state");
  try {
    const end = Math.floor(Date.now() / 1000 / STEP_S) * STEP_S;
    for (const metric of METRICS) await refreshMetric(metric, end);
    const host = await getJson("api/v1/metrics/system/status");
    byId("host").textContent = `${host.hostname}, ${host.cpu.count} CPUs, load ${host.cpu.load1.toFixed(2)}`;
    state.className = "";
    state.textContent = charts.size ? `Live, ${new Date().toLocaleTimeString()}` : "Waiting for the first data";
  } catch (error) {
    state.className = "lost";
    state.textContent = `No answer: ${error.message}`;
  }
  setTimeout(refresh, REFRESH_MS);
}

refresh();

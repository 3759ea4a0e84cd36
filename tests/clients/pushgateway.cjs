// node pushgateway.cjs URL push|pushAdd|delete: prom-client against a Pushgateway.
const { Registry, Pushgateway, Counter, Gauge, Histogram } = require("prom-client");

async function main() {
    const [url, action] = process.argv.slice(2);
    const registry = new Registry();
    if (action !== "pushAdd") {
        new Counter({ name: "batch_rows_total", help: "Rows.", registers: [registry] }).inc(42);
    }
    new Gauge({ name: "batch_level", help: "Level.", registers: [registry] })
        .set(action === "pushAdd" ? 2 : 1);
    new Histogram({ name: "batch_seconds", help: "Time.", buckets: [1], registers: [registry] })
        .observe(0.5);
    const gateway = new Pushgateway(url, {}, registry);
    const group = { jobName: "nightly/etl", groupings: { instance: "db1" } };
    const { resp } = await gateway[action](group);
    console.log(resp.statusCode);
}

main().catch((error) => { console.error(error); process.exit(1); });

// node otlp.cjs json|proto cumulative|delta URL: exports twice with the OpenTelemetry SDK.
// Prints one JSON document: {"results": [code of each export]}; 0 is success.
const { MeterProvider, PeriodicExportingMetricReader, AggregationTemporality, AggregationType } =
    require("@opentelemetry/sdk-metrics");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const json = require("@opentelemetry/exporter-metrics-otlp-http");
const proto = require("@opentelemetry/exporter-metrics-otlp-proto");

async function main() {
    const [form, temporality, url] = process.argv.slice(2);
    const preference = temporality === "delta" ? AggregationTemporality.DELTA
                                               : AggregationTemporality.CUMULATIVE;
    const { OTLPMetricExporter } = form === "json" ? json : proto;
    const exporter = new OTLPMetricExporter({ url, temporalityPreference: preference });
    const results = [];
    const send = exporter.export.bind(exporter);
    exporter.export = (metrics, done) => send(metrics, (result) => {
        results.push(result.error ? `${result.error}` : result.code);
        done(result);
    });
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3600000 });
    const provider = new MeterProvider({
        resource: resourceFromAttributes({
            "service.namespace": "shop", "service.name": `${form}-${temporality}`,
            "service.instance.id": "i1", "host.name": "test-host",
        }),
        readers: [reader],
        views: [{
            instrumentName: "job.size",
            aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM },
        }],
    });
    const meter = provider.getMeter("sonde-test");
    const requests = meter.createCounter("http.requests", { description: "Requests." });
    const queue = meter.createUpDownCounter("queue.length");
    const duration = meter.createHistogram("http.duration", {
        unit: "s", advice: { explicitBucketBoundaries: [0.1, 1] },
    });
    const size = meter.createHistogram("job.size", { unit: "By" });
    meter.createObservableGauge("room.temperature", { unit: "Cel" })
        .addCallback((result) => result.observe(21.5, { "room.name": "lab" }));
    for (let round = 0; round < 2; round++) {
        requests.add(3, { "http.method": "GET" });
        queue.add(2);
        for (const seconds of [0.05, 0.5, 5]) duration.record(seconds);
        for (const bytes of [1, 2, 4, 1000]) size.record(bytes);
        await reader.forceFlush();
    }
    await provider.shutdown();
    console.log(JSON.stringify({ results }));
}

main().catch((error) => { console.error(error); process.exit(1); });

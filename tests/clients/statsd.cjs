// node statsd.cjs PORT [SOCKET]: everything that hot-shots can send, over UDP.
const StatsD = require("hot-shots");

const port = Number(process.argv[2]);
const client = new StatsD({
    host: "127.0.0.1", port, prefix: "hot.", globalTags: { env: "test" }, maxBufferSize: 1000,
    errorHandler: (error) => { console.error(error); process.exit(1); },
});
for (let i = 0; i < 10; i++) client.increment("hits", 2, { path: "/a" });
client.decrement("balance_down_is_refused", 1);
client.gauge("level", 20);
client.gaugeDelta("level", 5);
client.gaugeDelta("level", -2);
client.timing("took", 250);
client.timing("took", 750);
client.histogram("size", 100);
client.distribution("spread", 7);
client.set("users", "ann");
client.unique("users", "bob");
client.event("deploy", "a text");
client.check("service.up", client.CHECKS.OK);
client.close((error) => process.exit(error ? 1 : 0));

// The workloads of bench/client/record_bench.c with the crate prometheus. One line per figure.
use prometheus::*;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Instant;

const INPUTS: usize = 65536;
const OPS: usize = 262144;
const SLICES: usize = 30;
const BOUNDS: [f64; 11] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
const METHODS: [&str; 3] = ["GET", "POST", "DELETE"];
const CODES: [&str; 5] = ["200", "201", "404", "500", "503"];

struct Inputs {
    seconds: Vec<f64>,
    children: Vec<usize>,
    paths: Vec<String>,
}

fn inputs() -> Inputs {
    let mut seed: u64 = 12345;
    let mut next = || {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        seed >> 33
    };
    Inputs {
        seconds: (0..INPUTS).map(|_| 0.0005 * 20000f64.powf(next() as f64 / (1u64 << 31) as f64)).collect(),
        children: (0..INPUTS).map(|_| next() as usize % 750).collect(),
        paths: (0..50).map(|i| format!("/api/v1/users/{:02}/items", i)).collect(),
    }
}

type Work = Arc<dyn Fn(usize, usize) + Send + Sync>;

/// Nanoseconds of processor time of the whole process.
fn cpu_ns() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn measure(name: &str, work: Work) {
    for threads in 1..=2usize {
        let cpu = cpu_ns();
        let start = Arc::new(Barrier::new(threads));
        let handles: Vec<_> = (0..threads)
            .map(|_| {
                let (work, start) = (work.clone(), start.clone());
                thread::spawn(move || {
                    let mut best = f64::MAX;
                    for slice in 0..SLICES {
                        start.wait();
                        let from = Instant::now();
                        work(slice * 977, OPS);
                        best = best.min(from.elapsed().as_nanos() as f64 / OPS as f64);
                    }
                    best
                })
            })
            .collect();
        let sum: f64 = handles.into_iter().map(|h| h.join().unwrap()).sum();
        println!("{}.{}_thread {:.2}", name, threads, sum / threads as f64);
        println!("{}.{}_thread_cpu {:.2}", name, threads, (cpu_ns() - cpu) / (threads * SLICES * OPS) as f64);
    }
}

fn page(inputs: &Inputs, lines: usize) {
    let registry = Registry::new();
    for family in 0..10 {
        let counters = IntCounterVec::new(
            Opts::new(format!("app_requests_{}_total", family), "Requests."),
            &["method", "path", "status"],
        )
        .unwrap();
        registry.register(Box::new(counters.clone())).unwrap();
        for i in 0..lines / 20 {
            let path = format!("/api/v1/items/{:06}", i);
            counters
                .with_label_values(&[METHODS[i % 3], &path, CODES[i % 5]])
                .inc_by(inputs.children[i % INPUTS] as u64);
        }
        let opts = HistogramOpts::new(format!("app_latency_{}_seconds", family), "Latency.")
            .buckets(BOUNDS.to_vec());
        let histograms = HistogramVec::new(opts, &["method", "path"]).unwrap();
        registry.register(Box::new(histograms.clone())).unwrap();
        for i in 0..lines / 280 {
            let one = histograms.with_label_values(&[METHODS[i % 3], &format!("/api/v1/items/{:06}", i)]);
            for k in 0..20 {
                one.observe(inputs.seconds[(i * 20 + k) % INPUTS]);
            }
        }
    }
    let mut best = f64::MAX;
    let mut size = 0;
    for _ in 0..3 {
        let from = Instant::now();
        let mut buffer = Vec::new();
        TextEncoder::new().encode(&registry.gather(), &mut buffer).unwrap();
        size = buffer.len();
        best = best.min(from.elapsed().as_secs_f64() * 1e3);
    }
    println!("page.{}_lines {:.2}", lines, best);
    println!("page of {} bytes", size);
}

fn main() {
    let inputs = Arc::new(inputs());
    let counter = IntCounter::new("c_total", "h").unwrap();
    measure("counter_inc", Arc::new(move |_, n| for _ in 0..n { counter.inc(); }));
    let gauge = Gauge::new("g", "h").unwrap();
    let set = gauge.clone();
    let i = inputs.clone();
    measure("gauge_set", Arc::new(move |at, n| for k in 0..n { set.set(i.seconds[(at + k) % INPUTS]); }));
    measure("gauge_add", Arc::new(move |_, n| for _ in 0..n { gauge.add(1.0); }));
    let histogram = Histogram::with_opts(HistogramOpts::new("h_seconds", "h").buckets(BOUNDS.to_vec())).unwrap();
    let (h, i) = (histogram.clone(), inputs.clone());
    measure("histogram_observe", Arc::new(move |at, n| for k in 0..n { h.observe(i.seconds[(at + k) % INPUTS]); }));
    let family = IntCounterVec::new(Opts::new("r_total", "h"), &["method", "path", "status"]).unwrap();
    let i = inputs.clone();
    measure("labels_random", Arc::new(move |at, n| for k in 0..n {
        let c = i.children[(at + k) % INPUTS];
        family.with_label_values(&[METHODS[c % 3], &i.paths[c / 3 % 50], CODES[c / 150]]).inc();
    }));
    let errors = IntCounter::new("e_total", "h").unwrap();
    let i = inputs.clone();
    measure("operation_tracked", Arc::new(move |at, n| for k in 0..n {
        let from = Instant::now();
        let bad = i.children[(at + k) % INPUTS] < 8;
        histogram.observe(from.elapsed().as_secs_f64());
        if bad { errors.inc(); }
    }));
    page(&inputs, 1_000_000);
}

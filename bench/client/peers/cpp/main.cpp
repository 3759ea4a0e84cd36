// The workloads of bench/client/record_bench.c with prometheus-cpp. One line per figure.
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <pthread.h>
#include <random>
#include <string>
#include <thread>
#include <time.h>
#include <vector>

namespace {

constexpr int inputs = 65536, ops = 262144, slices = 30;
const prometheus::Histogram::BucketBoundaries bounds{0.001, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                     0.25,  0.5,   1,    2.5,   5};
const char *const methods[] = {"GET", "POST", "DELETE"};
const char *const codes[] = {"200", "201", "404", "500", "503"};
double seconds[inputs];
int children[inputs];
std::string paths[50];

using Clock = std::chrono::steady_clock;

double since(Clock::time_point from) {
    return std::chrono::duration<double>(Clock::now() - from).count();
}

/* Nanoseconds of processor time of the whole process. */
double cpu_ns() {
    timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

void measure(const char *name, const std::function<void(int, int)> &work) {
    for (unsigned threads = 1; threads <= 2; threads++) {
        double cpu = cpu_ns();
        pthread_barrier_t start;
        pthread_barrier_init(&start, nullptr, threads);
        std::vector<std::thread> all;
        std::vector<double> best(threads, 1e18);
        for (unsigned t = 0; t < threads; t++)
            all.emplace_back([&, t] {
                for (int slice = 0; slice < slices; slice++) {
                    pthread_barrier_wait(&start);
                    auto from = Clock::now();
                    work(slice * 977, ops);
                    best[t] = std::min(best[t], since(from) * 1e9 / ops);
                }
            });
        double sum = 0;
        for (unsigned t = 0; t < threads; t++) {
            all[t].join();
            sum += best[t];
        }
        std::printf("%s.%u_thread %.2f\n", name, threads, sum / threads);
        std::printf("%s.%u_thread_cpu %.2f\n", name, threads,
                    (cpu_ns() - cpu) / (double(threads) * slices * ops));
    }
}

std::string item(int i) {
    char path[64];
    std::snprintf(path, sizeof path, "/api/v1/items/%06d", i);
    return path;
}

void page(int lines) {
    prometheus::Registry registry;
    for (int family = 0; family < 10; family++) {
        auto &counters = prometheus::BuildCounter()
                             .Name("app_requests_" + std::to_string(family) + "_total")
                             .Help("Requests.")
                             .Register(registry);
        for (int i = 0; i < lines / 20; i++)
            counters.Add({{"method", methods[i % 3]}, {"path", item(i)}, {"status", codes[i % 5]}})
                .Increment(children[i % inputs]);
        auto &histograms = prometheus::BuildHistogram()
                               .Name("app_latency_" + std::to_string(family) + "_seconds")
                               .Help("Latency.")
                               .Register(registry);
        for (int i = 0; i < lines / 280; i++) {
            auto &one = histograms.Add({{"method", methods[i % 3]}, {"path", item(i)}}, bounds);
            for (int k = 0; k < 20; k++)
                one.Observe(seconds[(i * 20 + k) % inputs]);
        }
    }
    double best = 1e18;
    for (int round = 0; round < 3; round++) {
        auto from = Clock::now();
        std::string text = prometheus::TextSerializer().Serialize(registry.Collect());
        best = std::min(best, since(from) * 1e3);
    }
    std::printf("page.%d_lines %.2f\n", lines, best);
}

} // namespace

int main() {
    std::mt19937_64 random(12345);
    std::uniform_real_distribution<double> unit;
    for (int i = 0; i < inputs; i++) {
        seconds[i] = 0.0005 * std::pow(20000.0, unit(random));
        children[i] = static_cast<int>(random() % 750);
    }
    for (int i = 0; i < 50; i++) {
        char path[64];
        std::snprintf(path, sizeof path, "/api/v1/users/%02d/items", i);
        paths[i] = path;
    }
    prometheus::Registry registry;
    auto &counter = prometheus::BuildCounter().Name("c_total").Register(registry).Add({});
    auto &gauge = prometheus::BuildGauge().Name("g").Register(registry).Add({});
    auto &histogram =
        prometheus::BuildHistogram().Name("h_seconds").Register(registry).Add({}, bounds);
    auto &errors = prometheus::BuildCounter().Name("e_total").Register(registry).Add({});
    auto &family = prometheus::BuildCounter().Name("r_total").Register(registry);
    measure("counter_inc", [&](int, int n) {
        for (int i = 0; i < n; i++)
            counter.Increment();
    });
    measure("gauge_set", [&](int at, int n) {
        for (int i = 0; i < n; i++)
            gauge.Set(seconds[(at + i) % inputs]);
    });
    measure("gauge_add", [&](int, int n) {
        for (int i = 0; i < n; i++)
            gauge.Increment();
    });
    measure("histogram_observe", [&](int at, int n) {
        for (int i = 0; i < n; i++)
            histogram.Observe(seconds[(at + i) % inputs]);
    });
    measure("labels_random", [&](int at, int n) {
        for (int i = 0; i < n; i++) {
            int c = children[(at + i) % inputs];
            family.Add({{"method", methods[c % 3]},
                        {"path", paths[c / 3 % 50]},
                        {"status", codes[c / 150]}})
                .Increment();
        }
    });
    measure("operation_tracked", [&](int at, int n) {
        for (int i = 0; i < n; i++) {
            auto from = Clock::now();
            bool is_bad = children[(at + i) % inputs] < 8;
            histogram.Observe(since(from));
            if (is_bad)
                errors.Increment();
        }
    });
    page(1000000);
}
